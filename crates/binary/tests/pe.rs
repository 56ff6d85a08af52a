//! Windows executables with damage. What sound ones tell is tested with their dumps, in goruntime.

use std::sync::LazyLock;

use panicle_binary::{BinaryError, Executable};
use proptest::prelude::*;

/// One that a Go toolchain made, with its headers at the start and symbols at the end.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let crash = panicle_fixtures::windows().swap_remove(0);
    std::fs::read(crash.binary()).expect("it was built")
});

/// Everything that reads the file.
fn exercise(file: &[u8]) {
    let Ok((executable, _)) = Executable::parse(file) else { return };
    let _ = (executable.is_go(), executable.text_sha256(), executable.symbol("main.main"));
    let _ = (executable.symbol_at(executable.entry), executable.mapped(executable.entry));
    for name in [".text", ".debug_info", ".debug_line", ".zdebug_info", ".symtab"] {
        let _ = executable.section(name).map(|section| section.data.len());
    }
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let refused = |bytes: &[u8]| Executable::parse(bytes).unwrap_err();
    assert_eq!(refused(b"MZ"), BinaryError::BadHeaders);
    assert_eq!(refused(&FILE[..200]), BinaryError::BadHeaders);
    // The optional header's magic: PE32, which has 32-bit addresses.
    let mut file = FILE.clone();
    let headers = u32::from_le_bytes(file[0x3c..0x40].try_into().unwrap()) as usize;
    file[headers + 24..headers + 26].copy_from_slice(&[0x0b, 0x01]);
    assert_eq!(refused(&file), BinaryError::UnsupportedClass);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever is done to an executable, reading it ends, and without a panic.
    #[test]
    fn damage_is_survived(
        edits in prop::collection::vec((0_usize..1536, prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 0..8),
        tail in prop::collection::vec((0_usize..1 << 18, any::<u8>()), 0..8),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let mut file = FILE.clone();
        for (at, byte) in edits {
            file[at] = byte;
        }
        let length = file.len();
        for (from_end, byte) in tail {
            file[length - 1 - from_end] = byte;
        }
        if let Some(cut) = cut {
            file.truncate((length as f64 * cut) as usize);
        }
        exercise(&file);
    }
}
