//! What the first bytes of an upload tell, without parsing it.

use http::StatusCode;
use panicle_store::EvidenceKind;

use crate::Problem;

/// So many bytes are looked at.
pub(crate) const HEAD_BYTES: usize = 4096;

const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const ET_CORE: u16 = 4;
const MINIDUMP: &[u8] = b"MDMP";
/// The DOS program in front of a Windows executable.
const PE: &[u8] = b"MZ";

/// Refuses what cannot be of this kind. `head` is the upload's start, all of it if it is short.
pub(crate) fn check(kind: EvidenceKind, head: &[u8]) -> Result<(), Problem> {
    if head.is_empty() {
        return Err(refusal("empty-body", "There is nothing in it", "the upload has no bytes"));
    }
    match kind {
        EvidenceKind::Core => check_core(head),
        EvidenceKind::Binary => check_binary(head),
        EvidenceKind::Text | EvidenceKind::Race => check_text(head),
        EvidenceKind::Trace => check_trace(head),
        EvidenceKind::Profile => check_profile(head),
    }
}

/// What some bytes are the beginning of, of this kind if it is said, in a file of this name; or why they are nothing
/// that is taken.
pub fn sniff(kind: Option<EvidenceKind>, head: &[u8], name: Option<&str>) -> Result<EvidenceKind, String> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let found = match kind {
        Some(kind) => check(kind, head).map(|()| kind),
        None => guess(head, name),
    };
    found.map_err(|problem| problem.detail().to_owned())
}

/// What an upload is, by its first bytes, and by its name where these leave it open.
pub(crate) fn guess(head: &[u8], name: Option<&str>) -> Result<EvidenceKind, Problem> {
    use panicle_binary::identify::Kind;

    let name = name.unwrap_or_default().to_ascii_lowercase();
    let is_named = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if head.is_empty() {
        return Err(refusal("empty-body", "There is nothing in it", "the upload has no bytes"));
    }
    if head.starts_with(PE) || matches!(elf_type(head), Some(ET_EXEC | ET_DYN)) {
        return Ok(EvidenceKind::Binary);
    }
    if check_trace(head).is_ok() {
        return Ok(EvidenceKind::Trace);
    }
    // Profiles and logs are compressed as often as cores are.
    if matches!(panicle_binary::identify::identify(head), Kind::Gzip | Kind::Zstd | Kind::Xz | Kind::Lz4) {
        if is_named(&["pprof", ".prof", "profile", ".pb."]) && check_profile(head).is_ok() {
            return Ok(EvidenceKind::Profile);
        }
        if is_named(&[".txt", ".log", "stderr"]) {
            return Ok(EvidenceKind::Text);
        }
    }
    if check_core(head).is_ok() {
        return Ok(EvidenceKind::Core);
    }
    if check_text(head).is_ok() {
        // internal/race prints this line in front of every report (runtime/race, tsan_report.cpp).
        let races = head.windows(18).any(|window| window == b"WARNING: DATA RACE");
        return Ok(if races { EvidenceKind::Race } else { EvidenceKind::Text });
    }
    if is_named(&["pprof", ".prof", "profile", ".pb"]) && check_profile(head).is_ok() {
        return Ok(EvidenceKind::Profile);
    }
    let reason = format!("it starts with {}, and nothing says what it is", start(head));
    Err(refusal("unknown-kind", "It is no evidence that is known here", reason))
}

fn refusal(slug: &'static str, title: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title, detail)
}

/// `e_type` of an ELF file.
fn elf_type(head: &[u8]) -> Option<u16> {
    let (magic, rest) = head.split_first_chunk::<4>()?;
    let data = *rest.get(1)?;
    let &[low, high] = head.get(16..18)?.first_chunk()?;
    (magic == b"\x7fELF").then_some(if data == 2 {
        u16::from_be_bytes([low, high])
    } else {
        u16::from_le_bytes([low, high])
    })
}

fn check_core(head: &[u8]) -> Result<(), Problem> {
    let title = "This is no core file";
    if head.starts_with(MINIDUMP) {
        return Ok(());
    }
    // Unpacked by the child that analyses it, never here.
    if panicle_binary::identify::identify(head).is_packed() {
        return Ok(());
    }
    match elf_type(head) {
        Some(ET_CORE) => Ok(()),
        Some(ET_EXEC | ET_DYN) => Err(refusal(
            "not-a-core",
            title,
            "it is an ELF executable or library, not a core; executables are uploaded as binary",
        )),
        Some(kind) => {
            Err(refusal("not-a-core", title, format!("it is an ELF file of type {kind}, not a core")))
        }
        None => {
            let reason = format!(
                "it is no ELF file, minidump, compressed file or archive: it starts with {}",
                start(head)
            );
            Err(refusal("not-a-core", title, reason))
        }
    }
}

fn check_binary(head: &[u8]) -> Result<(), Problem> {
    let title = "This is no executable";
    if head.starts_with(PE) {
        return Ok(());
    }
    match elf_type(head) {
        Some(ET_EXEC | ET_DYN) => Ok(()),
        Some(ET_CORE) => Err(refusal("not-a-binary", title, "it is a core file; cores are uploaded as core")),
        Some(kind) => Err(refusal(
            "not-a-binary",
            title,
            format!("it is an ELF file of type {kind}, not an executable"),
        )),
        None => {
            let reason = format!("it is neither an ELF nor a PE file: it starts with {}", start(head));
            Err(refusal("not-a-binary", title, reason))
        }
    }
}

/// A text may be compressed; like a core it is unpacked by the child that reads it, never here.
fn check_text(head: &[u8]) -> Result<(), Problem> {
    use panicle_binary::identify::Kind;

    match panicle_binary::identify::identify(head) {
        Kind::Gzip | Kind::Zstd | Kind::Xz | Kind::Lz4 => return Ok(()),
        kind @ (Kind::Zip | Kind::Tar) => {
            let reason =
                format!("it is {}; send the file in it, or the whole archive as core", kind.describe());
            return Err(refusal("not-text", "This is no text", reason));
        }
        _ => {}
    }
    if head.contains(&0) {
        return Err(refusal(
            "not-text",
            "This is no text",
            format!("it has bytes that no text has: it starts with {}", start(head)),
        ));
    }
    Ok(())
}

/// Go's traces start with `go 1.N trace` and zeros (internal/trace, "go 1.22 trace\x00\x00\x00").
fn check_trace(head: &[u8]) -> Result<(), Problem> {
    let is_trace = head.starts_with(b"go 1.")
        && head.first_chunk::<16>().is_some_and(|head| head.windows(6).any(|window| window == b" trace"));
    if is_trace {
        Ok(())
    } else {
        Err(refusal("not-a-trace", "This is no execution trace", format!("it starts with {}", start(head))))
    }
}

/// A profile is a protocol buffer, nearly always compressed with gzip.
fn check_profile(head: &[u8]) -> Result<(), Problem> {
    // 0x0a is the tag of profile.proto's first field, sample_type.
    if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0x0a]) {
        Ok(())
    } else {
        Err(refusal("not-a-profile", "This is no pprof profile", format!("it starts with {}", start(head))))
    }
}

fn start(head: &[u8]) -> String {
    format!("\"{}\"", head[..head.len().min(8)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use panicle_store::EvidenceKind::{Binary, Core, Text, Trace};

    use super::check;

    fn elf(kind: u8) -> Vec<u8> {
        let mut head = b"\x7fELF\x02\x01\x01".to_vec();
        head.resize(64, 0);
        head[16] = kind;
        head
    }

    #[test]
    fn kinds_are_told_apart_by_their_first_bytes() {
        assert!(check(Core, &elf(4)).is_ok() && check(Binary, &elf(4)).is_err());
        assert!(check(Core, &elf(2)).is_err() && check(Binary, &elf(2)).is_ok());
        assert!(check(Core, &elf(3)).is_err() && check(Binary, &elf(3)).is_ok());
        assert!(check(Core, b"\x7fELF").is_err() && check(Core, b"garbage").is_err());
        assert!(check(Core, b"MDMP\x93\xa7").is_ok() && check(Binary, b"MDMP\x93\xa7").is_err());
        assert!(check(Binary, b"MZ\x90\0").is_ok() && check(Core, b"MZ\x90\0").is_err());
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for packed in [
            b"\x28\xb5\x2f\xfd".as_slice(),
            b"\x1f\x8b",
            b"\xfd7zXZ\0",
            b"\x04\x22\x4d\x18",
            b"PK\x03\x04",
            &tar,
        ] {
            assert!(check(Core, packed).is_ok() && check(Binary, packed).is_err());
            let stream = !packed.starts_with(b"PK") && packed != tar;
            assert_eq!(check(Text, packed).is_ok(), stream, "{packed:?}");
        }
        assert!(check(Text, b"panic: x\n").is_ok() && check(Text, b"a\0b").is_err());
        assert!(check(Trace, b"go 1.25 trace\0\0\0").is_ok() && check(Trace, b"go 1.").is_err());
        assert!(check(Trace, b"").is_err());
    }
}
