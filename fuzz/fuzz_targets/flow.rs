//! Machine code: any bytes as a function of either architecture can be followed, or not; they never panic, and never
//! take long.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_goruntime::follow_bytes;
use panicle_image::Arch;

fuzz_target!(|input: &[u8]| {
    let Some((&first, code)) = input.split_first() else { return };
    let arch = if first & 1 == 0 { Arch::Amd64 } else { Arch::Arm64 };
    let _ = follow_bytes(arch, code);
});
