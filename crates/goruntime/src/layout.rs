//! Where the fields of the runtime's structures are: by name, per Go version.
//!
//! Offsets move both ways between versions, so nothing outside this module knows any. Code asks a
//! [`StructLayout`] for a field and lives with its absence. One layout is resolved per crash: from
//! the executable's DWARF where it has any, else from a [`table`] of its version, else from the table
//! of the nearest version, which has to prove itself against the crash before it is believed.

mod dwarf;
mod former;
mod structures;
pub mod table;

use std::collections::BTreeMap;

use panicle_report::LayoutSource;

pub use structures::{STRUCTURES, Wanted};

/// A field of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// Bytes from the structure's start.
    pub offset: u64,
    /// Size in bytes.
    pub size: u64,
}

/// A structure's size and fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StructLayout {
    /// Size in bytes.
    pub size: u64,
    fields: BTreeMap<String, Field>,
}

impl StructLayout {
    /// The field at a path: `goid`, `sched.pc`.
    pub fn field(&self, path: &str) -> Option<Field> {
        self.fields.get(path).copied()
    }

    /// All fields that are known, by path.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Field)> {
        self.fields.iter().map(|(path, field)| (path.as_str(), *field))
    }
}

/// The layout of one build of the runtime.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Where it came from.
    pub source: LayoutSource,
    /// The Go version it is of, where known: that of the executable, or of the table that stands in.
    pub go_version: Option<String>,
    /// How it prints the name of a generic method of a generic type.
    pub spelling: Spelling,
    /// How `print` writes floats.
    pub floats: FloatStyle,
    /// Which of the runtime's unwinders prints tracebacks.
    pub unwinder: Unwinder,
    /// How keys of maps may be hashed, the likeliest first; a map's entries prove which it is.
    pub hashing: &'static [Hashing],
    structs: BTreeMap<&'static str, StructLayout>,
}

/// How a version's traceback shortens the type arguments of a function's name
/// (`funcNamePiecesForPrint` in runtime/traceback.go).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Everything from the first bracket to the last is one `[...]`.
    OneBracket,
    /// A method's own type arguments are shortened apart from its receiver's (Go 1.27).
    MethodBrackets,
}

impl Spelling {
    fn of(go_version: Option<&str>) -> Self {
        match go_version.and_then(minor) {
            Some(minor) if minor < 27 => Self::OneBracket,
            _ => Self::MethodBrackets,
        }
    }
}

/// How `print` writes floats (runtime/print.go).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatStyle {
    /// `+1.500000e+000`.
    SevenDigits,
    /// `1.5` (Go 1.26).
    Shortest,
}

impl FloatStyle {
    fn of(go_version: Option<&str>) -> Self {
        match go_version.and_then(minor) {
            Some(minor) if minor < 26 => Self::SevenDigits,
            _ => Self::Shortest,
        }
    }
}

/// The code that walks stacks for a traceback (runtime/traceback.go). Both walk alike; what they say of the
/// frames they come by differs a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwinder {
    /// `gentraceback`, up to Go 1.20.
    Gentraceback,
    /// `unwinder` (Go 1.21).
    Unwinder,
}

impl Unwinder {
    fn of(go_version: Option<&str>) -> Self {
        match go_version.and_then(minor) {
            Some(minor) if minor < 21 => Self::Gentraceback,
            _ => Self::Unwinder,
        }
    }

    /// Whether the line of a frame that called `callee` is that of the very pc, since a signal handler made
    /// the call up. The old unwinder forgot that preemption and debuggers do so too.
    pub(crate) fn shows_interrupted_line(self, callee: &str) -> bool {
        match self {
            Self::Gentraceback => callee == "runtime.sigpanic",
            Self::Unwinder => true,
        }
    }

    /// Whether liveness of arguments is that at the outermost inlined call of a frame and not at its pc: the
    /// old unwinder used up the variable that held the pc.
    pub(crate) fn asks_liveness_at_inlined_call(self) -> bool {
        self == Self::Gentraceback
    }
}

/// How keys of maps are hashed (runtime/alg.go, hash64.go and the assembly of each architecture, and
/// cmd/compile/internal/reflectdata/alg.go).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hashing {
    /// With AES instructions of arm64 short keys take one step less than later; without AES instructions most keys
    /// are constants, those of wyhash (Go 1.19).
    ShortStep,
    /// With such constants (Go 1.21).
    Constants,
    /// With random numbers in their place (Go 1.23).
    Keys,
    /// The same, with functions that the compiler makes for a run of memory wherever its parts were declared, in
    /// internal/runtime/maps (Go 1.27).
    Signatures,
}

impl Hashing {
    fn candidates(go_version: Option<&str>) -> &'static [Self] {
        match go_version.and_then(minor) {
            Some(..=19) => &[Self::ShortStep],
            Some(20) => &[Self::Constants, Self::ShortStep],
            Some(..=22) => &[Self::Constants],
            Some(..=26) => &[Self::Keys],
            _ => &[Self::Signatures, Self::Keys],
        }
    }
}

impl Layout {
    fn new(
        source: LayoutSource,
        go_version: Option<&str>,
        structs: BTreeMap<&'static str, StructLayout>,
    ) -> Self {
        Self {
            source,
            go_version: go_version.map(str::to_owned),
            spelling: Spelling::of(go_version),
            floats: FloatStyle::of(go_version),
            unwinder: Unwinder::of(go_version),
            hashing: Hashing::candidates(go_version),
            structs,
        }
    }

    /// The same for a process of another version, which prints as that version does.
    fn printing_as(self, go_version: &str) -> Self {
        let version = Some(go_version);
        Self {
            spelling: Spelling::of(version),
            floats: FloatStyle::of(version),
            unwinder: Unwinder::of(version),
            hashing: Hashing::candidates(version),
            ..self
        }
    }

    /// The layout of a structure named as DWARF names it: `runtime.g`.
    pub fn structure(&self, name: &str) -> Option<&StructLayout> {
        self.structs.get(name)
    }

    /// All structures that are known, by name.
    pub fn structures(&self) -> impl Iterator<Item = (&'static str, &StructLayout)> {
        self.structs.iter().map(|(name, layout)| (*name, layout))
    }
}

/// The minor version of `go1.24.11`, `go1.27rc1`, `devel go1.28-…`.
pub(crate) fn minor(version: &str) -> Option<u32> {
    let after = &version[version.find("go1.")? + 4..];
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    after[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Spelling, Unwinder, minor};

    #[test]
    fn reads_minor_versions() {
        assert_eq!(minor("go1.21.13"), Some(21));
        assert_eq!(minor("go1.27rc1"), Some(27));
        assert_eq!(minor("devel go1.28-abcdef"), Some(28));
        assert_eq!(minor("go2"), None);
        assert_eq!(Spelling::of(Some("go1.26.6")), Spelling::OneBracket);
        assert_eq!(Spelling::of(Some("go1.27.3")), Spelling::MethodBrackets);
        assert_eq!(Unwinder::of(Some("go1.19.8")), Unwinder::Gentraceback);
        assert_eq!(Unwinder::of(Some("go1.20.14")), Unwinder::Gentraceback);
        assert_eq!(Unwinder::of(Some("go1.21.0")), Unwinder::Unwinder);
        assert_eq!(Unwinder::of(None), Unwinder::Unwinder);
    }
}
