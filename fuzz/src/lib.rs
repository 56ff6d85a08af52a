//! What the targets share.

use std::sync::OnceLock;

/// The input itself when it begins like an ELF or PE file or a minidump; else `sound` with the input's bytes written
/// over it: each change is three bytes, offset and value, and a last single one cuts the file.
/// Changing what is sound gets behind the first checks, where random bytes do not.
pub fn edited(input: &[u8], sound: impl Fn() -> Vec<u8>) -> Vec<u8> {
    if [&b"\x7fELF"[..], b"MDMP", b"MZ"].iter().any(|magic| input.starts_with(magic)) {
        return input.to_vec();
    }
    let mut file = sound();
    let changes = input.chunks_exact(3);
    let rest = changes.remainder();
    for change in changes {
        let offset = usize::from(u16::from_le_bytes([change[0], change[1]]));
        if let Some(byte) = file.get_mut(offset) {
            *byte = change[2];
        }
    }
    if let &[cut] = rest {
        file.truncate(file.len() * usize::from(cut) / 255);
    }
    file
}

/// `sound` with the input's bytes written over it: each change is four bytes, offset and value.
pub fn overwrite(sound: &[u8], input: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for change in input.chunks_exact(4) {
        let offset = usize::from(change[0]) | usize::from(change[1]) << 8 | usize::from(change[2]) << 16;
        if let Some(byte) = bytes.get_mut(offset) {
            *byte = change[3];
        }
    }
    bytes
}

/// The core of the crash that `tests/recorded` holds.
pub fn recorded_core() -> &'static [u8] {
    static CORE: OnceLock<Vec<u8>> = OnceLock::new();
    CORE.get_or_init(|| unpacked(include_bytes!("../../tests/recorded/order-service/order-service.core.zst")))
}

/// Its executable.
pub fn recorded_executable() -> &'static [u8] {
    static EXECUTABLE: OnceLock<Vec<u8>> = OnceLock::new();
    EXECUTABLE.get_or_init(|| {
        unpacked(include_bytes!("../../tests/recorded/order-service/order-service.executable.zst"))
    })
}

fn unpacked(file: &[u8]) -> Vec<u8> {
    zstd::decode_all(file).expect("a file of the repository")
}
