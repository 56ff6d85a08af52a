//! Cores: any bytes, and a sound core with any bytes changed, never panic; nor does their memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_binary::matching;
use panicle_fuzz::edited;
use panicle_image::Core;
use panicle_synth::{CoreFile, Memory, ThreadNotes};

fuzz_target!(|input: &[u8]| {
    let arm64 = input.len() % 2 == 1;
    let sound = || {
        let threads = if arm64 {
            vec![ThreadNotes::at_arm64(1, 2, 3, 4), ThreadNotes::at_arm64(4, 5, 6, 7)]
        } else {
            vec![ThreadNotes::at(1, 2, 3), ThreadNotes::at(4, 5, 6)]
        };
        CoreFile {
            machine: if arm64 { 183 } else { 62 },
            threads,
            auxv: vec![(3, 0x40_0040), (9, 0x40_1000)],
            files: vec![(0x40_0000, 0x40_1000, 0, "/a".to_owned())],
            memory: vec![
                Memory { address: 0x40_0000, size: 4096, dumped: vec![0x7f; 64], flags: 4 },
                Memory { address: 0x40_0020, size: 4096, dumped: vec![1; 64], flags: 4 },
            ],
            ..CoreFile::default()
        }
        .write()
    };
    let file = edited(input, sound);
    let Ok((core, _)) = Core::parse(&file) else { return };
    let memory = core.memory();
    let _ = (core.executable_path(), matching::running_build_ids(&core, &memory));
    for segment in core.segments.iter().take(100) {
        for address in [segment.address, segment.address.wrapping_add(segment.file_size).wrapping_sub(3)] {
            let _ =
                (memory.u64(address), memory.bytes(address, u64::MAX, 1 << 16), memory.c_str(address, 100));
        }
    }
});
