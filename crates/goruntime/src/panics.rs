//! The panics of a goroutine (`g._panic`), with their values as the runtime prints them.

use panicle_image::AddressSpace;
use panicle_report::{PanicLink, PanicValue};

use crate::{
    frames::Stack,
    layout::FloatStyle,
    process::{Process, ReadError},
    value::rtype::{Kind, RuntimeType, TypeData},
};

/// Panics that are followed; a chain is as long as the nesting of deferred calls that panic.
const MOST_LINKS: usize = 100;
/// Bytes of a panic's text. The runtime prints all of it; nobody reads more.
const LONGEST_TEXT: u64 = 64 << 10;

/// Writes an interface like a Go value: type word and data word.
pub type WriteValue<'w> = dyn Fn(u64, u64) -> Option<String> + 'w;

/// Reads panic chains of one process.
pub struct PanicReader<'r, 'a> {
    /// The process.
    pub process: &'r Process<'a>,
    /// Its type data, without which only texts are read.
    pub types: Option<&'r TypeData>,
    /// Writes values, where debug information is at hand.
    pub write: &'r WriteValue<'r>,
}

/// A `_panic`.
struct Link {
    address: u64,
    type_word: u64,
    data: u64,
    recovered: bool,
    repanicked: bool,
    goexit: bool,
}

impl PanicReader<'_, '_> {
    /// The chain that begins at `innermost`, first raised first, of goroutine `id` with `stack`.
    pub fn chain(&self, innermost: u64, id: u64, stack: &Stack) -> (Vec<PanicLink>, Option<ReadError>) {
        let mut links = Vec::new();
        let mut error = None;
        let mut next = innermost;
        while next != 0 && links.len() < MOST_LINKS {
            match self.link(next) {
                Ok((link, earlier)) => {
                    links.push(link);
                    next = earlier;
                }
                Err(failed) => {
                    error = Some(failed);
                    break;
                }
            }
        }
        let mut chain = Vec::new();
        let mut earliest_first = links.iter().rev().peekable();
        while let Some(link) = earliest_first.next() {
            // Raised again with the same value (Go 1.25): the runtime prints it once, and the later
            // link still has the value that printing replaced in the earlier one.
            let mut last = link;
            while last.repanicked
                && let Some(again) = earliest_first.next_if(|again| !again.goexit)
            {
                last = again;
            }
            let original = (last.address != link.address).then_some((last.type_word, last.data));
            chain.push(PanicLink {
                value: (!link.goexit).then(|| self.value(link, original, stack)),
                recovered: link.recovered,
                repanicked: link.repanicked,
                goexit: link.goexit,
                goroutine: Some(id),
            });
        }
        (chain, error)
    }

    fn link(&self, address: u64) -> Result<(Link, u64), ReadError> {
        let object = self.process.object("runtime._panic", address)?;
        let arg = object.address_of("arg")?;
        let link = Link {
            address,
            type_word: self.process.memory.u64(arg)?,
            data: self.process.memory.u64(arg.wrapping_add(8))?,
            recovered: object.flag("recovered")?,
            repanicked: object.flag("repanicked").unwrap_or(false),
            goexit: object.flag("goexit")?,
        };
        Ok((link, object.word("link")?))
    }

    /// `original` is what panic was called with, where that is known.
    fn value(&self, link: &Link, original: Option<(u64, u64)>, stack: &Stack) -> PanicValue {
        let printed = self.runtime_type(link.type_word);
        let text = if link.type_word == 0 {
            Some("nil".to_owned())
        } else {
            printed.as_ref().and_then(|found| self.print(found, link.data))
        };
        // What Error() or String() returned has replaced the value before printing; what panic was
        // called with is still among gopanic's arguments.
        let is_text = printed.as_ref().is_some_and(|found| found.kind == Kind::String && is_builtin(found));
        let original = original.or_else(|| if is_text { self.argument(link, stack) } else { None });
        let (type_word, data) = original.unwrap_or((link.type_word, link.data));
        PanicValue {
            type_name: self.runtime_type(type_word).map(|found| found.name),
            text,
            value: (self.write)(type_word, data),
            error: self.types.and_then(|types| types.has_method(self.process.memory, type_word, "Error")),
        }
    }

    fn runtime_type(&self, address: u64) -> Option<RuntimeType> {
        self.types?.read(self.process.memory, address)
    }

    /// The argument of the `gopanic` call whose frame holds `link`, from its spill slots; `None`
    /// when what lies there cannot be it.
    fn argument(&self, link: &Link, stack: &Stack) -> Option<(u64, u64)> {
        let frame = stack.frames.iter().find(|frame| {
            frame.physical_name() == "runtime.gopanic"
                && frame.physical.sp <= link.address
                && link.address < frame.physical.fp
        })?;
        let memory = self.process.memory;
        let type_word = memory.u64(frame.physical.argp).ok()?;
        let data = memory.u64(frame.physical.argp.wrapping_add(8)).ok()?;
        let found = self.runtime_type(type_word)?;
        // Only an error or a Stringer is replaced, and those are declared types or pointers to one.
        let replaceable = !is_builtin(&found) || found.kind == Kind::Pointer;
        (replaceable && (data == 0 || memory.contains(data) || found.direct)).then_some((type_word, data))
    }

    /// As `printpanicval` and `printanycustomtype` print it (runtime/error.go).
    fn print(&self, found: &RuntimeType, data: u64) -> Option<String> {
        if !is_scalar(found.kind) {
            return Some(format!("({}) {data:#x}", found.name));
        }
        let plain = scalar(self.process, found.kind, data)?;
        Some(match (is_builtin(found), found.kind) {
            (true, _) => plain,
            (false, Kind::String) => format!("{}(\"{}\")", found.name, plain),
            // The complex kinds bring parentheses of their own.
            (false, Kind::Complex64 | Kind::Complex128) => format!("{}{}", found.name, plain),
            (false, _) => format!("{}({})", found.name, plain),
        })
    }
}

/// Whether the type is one of the language's own (`string`), not one that a package declares.
fn is_builtin(found: &RuntimeType) -> bool {
    !found.name.contains('.')
}

/// Whether `print` writes values of the kind, rather than their address.
fn is_scalar(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Array
            | Kind::Chan
            | Kind::Func
            | Kind::Interface
            | Kind::Map
            | Kind::Pointer
            | Kind::Slice
            | Kind::Struct
            | Kind::UnsafePointer
    )
}

/// A value of a basic kind as `print` writes it; `None` when its memory is missing.
fn scalar(process: &Process<'_>, kind: Kind, data: u64) -> Option<String> {
    let memory: &AddressSpace<'_> = process.memory;
    let floats = process.layout.floats;
    let f32_at = |at: u64| memory.u32(at).ok().map(|bits| floats.print32(f32::from_bits(bits)));
    let f64_at = |at: u64| memory.u64(at).ok().map(|bits| floats.print64(f64::from_bits(bits)));
    let complex = |real: Option<String>, imaginary: Option<String>| {
        let imaginary = imaginary?;
        let sign = if imaginary.starts_with(['+', '-']) { "" } else { "+" };
        Some(format!("({}{sign}{imaginary}i)", real?))
    };
    match kind {
        Kind::Bool => memory.u8(data).ok().map(|byte| (byte != 0).to_string()),
        Kind::Int | Kind::Int64 => memory.i64(data).ok().map(|value| value.to_string()),
        Kind::Int8 => memory.u8(data).ok().map(|value| (value as i8).to_string()),
        Kind::Int16 => memory.u16(data).ok().map(|value| (value as i16).to_string()),
        Kind::Int32 => memory.i32(data).ok().map(|value| value.to_string()),
        Kind::Uint | Kind::Uint64 | Kind::Uintptr => memory.u64(data).ok().map(|value| value.to_string()),
        Kind::Uint8 => memory.u8(data).ok().map(|value| value.to_string()),
        Kind::Uint16 => memory.u16(data).ok().map(|value| value.to_string()),
        Kind::Uint32 => memory.u32(data).ok().map(|value| value.to_string()),
        Kind::Float32 => f32_at(data),
        Kind::Float64 => f64_at(data),
        Kind::Complex64 => complex(f32_at(data), f32_at(data.wrapping_add(4))),
        Kind::Complex128 => complex(f64_at(data), f64_at(data.wrapping_add(8))),
        Kind::String => process.go_string(data, LONGEST_TEXT).ok(),
        _ => None,
    }
}

impl FloatStyle {
    fn print32(self, value: f32) -> String {
        match self {
            Self::SevenDigits => seven_digits(f64::from(value)),
            Self::Shortest => shortest(f64::from(value), &format!("{value:e}")),
        }
    }

    fn print64(self, value: f64) -> String {
        match self {
            Self::SevenDigits => seven_digits(value),
            Self::Shortest => shortest(value, &format!("{value:e}")),
        }
    }
}

fn not_finite(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

/// `+1.500000e+000`.
fn seven_digits(value: f64) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    let text = format!("{value:+.6e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{digits}e{}{:03}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

/// As `strconv.AppendFloat(v, 'g', -1)`: an exponent below -4 or of 6 and more is written.
fn shortest(value: f64, scientific: &str) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return plain_decimal(digits, exponent);
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

/// `digits` (`-1.25`) times ten to the `exponent`, written without one.
fn plain_decimal(digits: &str, exponent: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let digits = digits.replace('.', "");
    let point = exponent + 1;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if point <= 0 {
        format!("{sign}0.{}{digits}", zeros(-point))
    } else if length <= point {
        format!("{sign}{digits}{}", zeros(point - length))
    } else {
        let (whole, part) = digits.split_at(usize::try_from(point).unwrap_or(0));
        format!("{sign}{whole}.{part}")
    }
}

#[cfg(test)]
mod tests {
    use crate::layout::FloatStyle;

    #[test]
    fn prints_floats_like_each_runtime() {
        let old = |value| FloatStyle::SevenDigits.print64(value);
        assert_eq!(old(1.5), "+1.500000e+000");
        assert_eq!(old(-0.000_25), "-2.500000e-004");
        assert_eq!(old(f64::NAN), "NaN");
        let new = |value| FloatStyle::Shortest.print64(value);
        assert_eq!(new(1.5), "1.5");
        assert_eq!(new(100.0), "100");
        assert_eq!(new(0.001), "0.001");
        assert_eq!(new(1e-7), "1e-07");
        assert_eq!(new(1_234_567.0), "1.234567e+06");
        assert_eq!(new(-123_456.0), "-123456");
        assert_eq!(FloatStyle::Shortest.print32(0.1), "0.1");
    }
}
