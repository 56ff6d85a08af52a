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
    /// A tar archive.
    Tar,
    /// A Go execution trace.
    GoTrace,
    /// A pprof profile that is not compressed.
    Profile,
    /// Text in UTF-8.
    Text,
    /// None of these.
    Unknown,
}

impl Kind {
    /// Compressed or an archive: what it holds is told only by unpacking it.
    pub fn is_packed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::Xz | Self::Lz4 | Self::Zip | Self::Tar)
    }

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
            Self::Tar => "a tar archive",
            Self::Profile => "a pprof profile",
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
    } else if is_mach_o(head) {
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
    } else if head.get(257..262) == Some(b"ustar") {
        Kind::Tar
    } else if is_profile(head) {
        Kind::Profile
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

/// Mach-O in either byte order and size, or a fat file of several. Java classes share the latter's
/// magic; their version follows it, which is above any number of architectures.
fn is_mach_o(head: &[u8]) -> bool {
    let Some(&magic) = head.first_chunk::<4>() else { return false };
    match u32::from_be_bytes(magic) {
        0xfeed_face | 0xfeed_facf | 0xcefa_edfe | 0xcffa_edfe => true,
        0xcafe_babe | 0xcafe_babf => {
            matches!(head.get(4..8), Some(&[0, 0, 0, architectures]) if (1..45).contains(&architectures))
        }
        _ => false,
    }
}

/// A protobuf message that begins as runtime/pprof's (`profile.proto`): sample types (field 1), with
/// the period's type (11) and numbers (9, 10, 12) before or between them, and then the rest.
fn is_profile(head: &[u8]) -> bool {
    let mut rest = head;
    let mut sample_types = 0;
    for _ in 0..16 {
        rest = match *rest {
            [tag @ (0x0a | 0x5a), size, ref message @ ..] => {
                match message.split_at_checked(usize::from(size)) {
                    Some((value_type, after)) if is_value_type(value_type) => {
                        sample_types += u32::from(tag == 0x0a);
                        after
                    }
                    _ => return false,
                }
            }
            [0x48 | 0x50 | 0x60, ref number @ ..] => {
                let length = number.iter().take(10).position(|byte| byte & 0x80 == 0);
                match length.and_then(|last| number.get(last + 1..)) {
                    Some(after) => after,
                    None => return false,
                }
            }
            // Samples, mappings, locations, functions, strings.
            [0x12 | 0x1a | 0x22 | 0x2a | 0x32, ..] => return sample_types > 0,
            _ => return false,
        }
    }
    false
}

/// `ValueType`: small varints in fields 1 and 2.
fn is_value_type(message: &[u8]) -> bool {
    let fields: Vec<_> = message.chunks(2).collect();
    !fields.is_empty() && fields.iter().all(|field| matches!(field, [0x08 | 0x10, 0..0x80]))
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
mod tests;
