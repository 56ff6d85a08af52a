//! Executables: any bytes, and a sound file with any bytes changed, never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_binary::{Executable, identify, matching};
use panicle_fuzz::edited;
use panicle_image::{AddressSpace, Core};
use panicle_synth::{CoreFile, ExecutableFile, Load, SectionBytes};

fuzz_target!(|input: &[u8]| {
    let sound = || {
        let load = |section: &str, address, flags| {
            let bytes = vec![0xc3; 300];
            Load { section: section.to_owned(), address, size: 400, bytes, flags }
        };
        ExecutableFile {
            gnu_build_id: Some(vec![1; 20]),
            go_build_id: Some("redacted".to_owned()),
            loads: vec![load(".text", 0x40_1000, 5), load(".data", 0x50_0000, 6)],
            sections: vec![SectionBytes::compressed(".debug_info", 1, 5, &[0x78, 1, 1, 0, 0, 0xff, 0xff])],
            symbols: vec![("main.main".to_owned(), 0x40_1000, 16)],
            ..ExecutableFile::default()
        }
        .write()
    };
    let file = edited(input, sound);
    let _ = identify::identify(&file);
    let mut memory = AddressSpace::new();
    memory.add_layer(0x40_0000, &file);
    let _ = matching::build_ids_in_memory(&memory, 0x40_0000);
    let Ok((executable, _)) = Executable::parse(&file) else { return };
    let _ = (executable.symbol("main.main"), executable.symbol_at(0x40_1004), executable.pclntab());
    let _ = (executable.section(".debug_info"), executable.text_sha256());
    let core = CoreFile { auxv: vec![(3, 0x40_0040), (9, 0x40_1000)], ..CoreFile::default() }.write();
    if let Ok((core, _)) = Core::parse(&core) {
        let _ = matching::compare(&core, &memory, &executable);
    }
});
