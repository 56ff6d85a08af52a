//! Minidumps: any bytes, and a sound one with any bytes changed, never panic; nor does their memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_binary::matching;
use panicle_fuzz::edited;
use panicle_image::Core;
use panicle_synth::{
    ExceptionRecord, MinidumpFile, ModuleEntry, ThreadContext, amd64_context, elf_code_view,
};

fuzz_target!(|input: &[u8]| {
    let sound = || {
        let context = amd64_context([0x40_1000; 17]);
        MinidumpFile {
            threads: vec![ThreadContext { tid: 1, context: context.clone(), stack: (0x7000, vec![1; 64]) }],
            modules: vec![ModuleEntry {
                base: 0x40_0000,
                size: 4096,
                name: "/a".to_owned(),
                code_view: elf_code_view(&[1; 20]),
                ..ModuleEntry::default()
            }],
            exception: Some(ExceptionRecord { tid: 1, code: 11, context, ..ExceptionRecord::default() }),
            memory: vec![(0x40_0000, vec![0x7f; 64]), (0x40_0020, vec![1; 64])],
            full: input.len() % 2 == 0,
            streams: vec![
                (0x4767_0004, b"Tgid:\t1\nUid:\t0\n".to_vec()),
                (0x4767_0009, b"400000-401000 r--p 00000000 00:01 1 /a\n".to_vec()),
            ],
            ..MinidumpFile::default()
        }
        .write()
    };
    let file = edited(input, sound);
    let Ok((core, _)) = Core::parse(&file) else { return };
    let memory = core.memory();
    let _ = (core.executable_path(), matching::running_build_ids(&core, &memory));
    for segment in core.segments.iter().take(100) {
        for address in [segment.address, segment.address.wrapping_add(segment.file_size).wrapping_sub(3)] {
            let _ = (memory.u64(address), memory.bytes(address, u64::MAX, 1 << 16));
        }
    }
});
