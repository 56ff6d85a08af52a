//! What kind of file some bytes are, by their first few: cheap enough to ask of every upload.

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No bytes at all.
    Empty,
    /// An ELF core.
    Core,
    /// An ELF executable or shared library.
    Executable,
    /// An ELF object file.
    Object,
    /// An ELF file of another kind.
    OtherElf,
    /// A Windows executable.
    Pe,
    /// A macOS executable.
    MachO,
    /// A Windows minidump.
    Minidump,
    /// Compressed with gzip; pprof profiles are.
    Gzip,
    /// Compressed with zstd.
    Zstd,
    /// Compressed with xz.
    Xz,
    /// Compressed with lz4.
    Lz4,
    /// A zip archive.
    Zip,
    /// A Go execution trace.
    GoTrace,
    /// Text in UTF-8.
    Text,
    /// None of these.
    Unknown,
}

impl Kind {
    /// In words, with an article.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Empty => "an empty file",
            Self::Core => "an ELF core",
            Self::Executable => "an ELF executable",
            Self::Object => "an ELF object file",
            Self::OtherElf => "an ELF file of an unknown kind",
            Self::Pe => "a Windows executable",
            Self::MachO => "a macOS executable",
            Self::Minidump => "a minidump",
            Self::Gzip => "a gzip file",
            Self::Zstd => "a zstd file",
            Self::Xz => "an xz file",
            Self::Lz4 => "an lz4 file",
            Self::Zip => "a zip archive",
            Self::GoTrace => "a Go execution trace",
            Self::Text => "a text",
            Self::Unknown => "a file of an unknown kind",
        }
    }
}

/// The kind of the file that begins with `head`; some kilobytes are plenty.
pub fn identify(head: &[u8]) -> Kind {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if head.is_empty() {
        Kind::Empty
    } else if starts(b"\x7fELF") {
        elf_kind(head)
    } else if starts(b"MZ") {
        Kind::Pe
    } else if starts(b"MDMP") {
        Kind::Minidump
    } else if [b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"]
        .iter()
        .any(|magic| starts(*magic))
    {
        Kind::MachO
    } else if starts(b"\x1f\x8b") {
        Kind::Gzip
    } else if starts(b"\x28\xb5\x2f\xfd") {
        Kind::Zstd
    } else if starts(b"\xfd7zXZ\0") {
        Kind::Xz
    } else if starts(b"\x04\x22\x4d\x18") {
        Kind::Lz4
    } else if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        Kind::Zip
    } else if starts(b"go 1.") && head.get(..16).is_some_and(|head| head.ends_with(b" trace\0\0\0")) {
        Kind::GoTrace
    } else if is_text(head) {
        Kind::Text
    } else {
        Kind::Unknown
    }
}

fn elf_kind(head: &[u8]) -> Kind {
    // e_ident[EI_DATA] tells the byte order of e_type.
    let e_type = match head.get(16..18) {
        Some(&[low, high]) if head.get(5) == Some(&2) => u16::from_be_bytes([low, high]),
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => return Kind::OtherElf,
    };
    match e_type {
        1 => Kind::Object,
        2 | 3 => Kind::Executable,
        4 => Kind::Core,
        _ => Kind::OtherElf,
    }
}

/// UTF-8, but for a character cut at the end, without control characters that no log has.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x1b' | '\x0c' | '\x08'))
}

#[cfg(test)]
mod tests {
    use super::{Kind, identify};

    #[test]
    fn tells_kinds_apart() {
        assert_eq!(identify(b""), Kind::Empty);
        assert_eq!(identify(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0"), Kind::Core);
        assert_eq!(identify(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0"), Kind::Executable);
        assert_eq!(identify(b"\x7fELF"), Kind::OtherElf);
        assert_eq!(identify(b"go 1.23 trace\0\0\0rest"), Kind::GoTrace);
        assert_eq!(identify(b"panic: boom\n\ngoroutine 1 [running]:\n"), Kind::Text);
        assert_eq!(identify("schön\u{20ac}".as_bytes().split_last().unwrap().1), Kind::Text);
        assert_eq!(identify(b"\0\x01\x02\xff"), Kind::Unknown);
    }
}
