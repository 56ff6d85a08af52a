//! What the targets share.

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
