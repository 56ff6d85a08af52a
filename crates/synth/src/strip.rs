//! Taking symbols and debug information away from a real executable, as `strip` does.

/// `SHT_NULL` and `SHT_SYMTAB`.
const NULL: u32 = 0;
const SYMBOLS: u32 = 2;

/// Makes the symbol table and the debug sections of a 64-bit little-endian ELF file unfindable. What the
/// program runs with stays as it is, and where it is.
///
/// # Panics
///
/// On anything but such a file.
pub fn strip(file: &mut [u8]) {
    let half = |file: &[u8], at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let word = |file: &[u8], at: usize| {
        usize::try_from(u64::from_le_bytes(*file[at..].first_chunk().unwrap_or(&[0; 8]))).unwrap_or(0)
    };
    let int = |file: &[u8], at: usize| u32::from_le_bytes(*file[at..].first_chunk().unwrap_or(&[0; 4]));
    assert_eq!(file[..5], [0x7f, b'E', b'L', b'F', 2], "no 64-bit ELF file");
    let (headers, size, count, names) =
        (word(file, 0x28), half(file, 0x3a), half(file, 0x3c), half(file, 0x3e));
    let names = word(file, headers + names * size + 0x18);
    for header in (0..count).map(|index| headers + index * size) {
        let name = names + int(file, header) as usize;
        let debug = file[name..].starts_with(b".debug_") || file[name..].starts_with(b".zdebug_");
        if debug || int(file, header + 4) == SYMBOLS {
            file[header..header + 4].fill(0);
            file[header + 4..header + 8].copy_from_slice(&NULL.to_le_bytes());
        }
    }
}
