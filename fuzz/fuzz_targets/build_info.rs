//! Build information records: any bytes where the linker puts one never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_binary::Executable;
use panicle_synth::{BuildInfoForm, ExecutableFile, Load, build_info};

fuzz_target!(|input: &[u8]| {
    let Some((&form, input)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(input);
    let bytes = match form % 3 {
        0 => [b"\xff Go buildinf:", input].concat(),
        1 => build_info(BuildInfoForm::Inline, "go1.24", &text),
        _ => build_info(BuildInfoForm::Pointers(0x50_0000), "go1.17", &text),
    };
    let load = Load {
        section: if form & 0x80 == 0 { ".go.buildinfo".to_owned() } else { String::new() },
        address: 0x50_0000,
        size: bytes.len() as u64,
        bytes,
        flags: 6,
    };
    let file = ExecutableFile { loads: vec![load], ..ExecutableFile::default() }.write();
    let _ = Executable::parse(&file);
});
