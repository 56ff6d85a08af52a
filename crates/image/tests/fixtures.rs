//! Cores that the kernel wrote of real programs.

use std::fs::File;

use goblin::elf::{Elf, note::NT_PRSTATUS, program_header};
use panicle_fixtures::{Fixture, all};
use panicle_image::{Core, mmap};

fn each(check: impl Fn(&Fixture, &[u8], &Core<'_>)) {
    for fixture in all() {
        let bytes = mmap::map(&File::open(&fixture.core).expect("a core")).expect("a mapping");
        let (core, diagnostics) = Core::parse(&bytes).expect("a readable core");
        assert_eq!(diagnostics, [], "{}", fixture.core.display());
        check(&fixture, &bytes, &core);
    }
}

#[test]
fn threads_signal_and_files_are_there() {
    each(|fixture, _, core| {
        let at = fixture.core.display();
        assert_eq!(core.truncated, None, "{at}");
        // The runtime ends itself with SIGABRT under GOTRACEBACK=crash.
        assert_eq!(core.signal.unwrap().number, 6, "{at}");
        assert_eq!(core.threads[0].signal, 6, "{at}");
        assert_eq!(core.process.uid, Some(core.auxv.get(11).unwrap() as u32), "{at}: AT_UID");
        let program = fixture.binary.file_name().unwrap().to_str().unwrap();
        let path = core.executable_path().unwrap();
        assert!(path.ends_with(program), "{at}: {path}");
        assert!(program.starts_with(core.process.name.as_deref().unwrap()), "{at}");
        let memory = core.memory();
        let base = core.executable_base().unwrap();
        assert_eq!(memory.slice(base, 4), Some(&b"\x7fELF"[..]), "{at}");
        for thread in &core.threads {
            assert!(memory.contains(thread.registers.sp()), "{at}: no stack for thread {}", thread.tid);
        }
    });
}

#[test]
fn a_second_parser_sees_the_same() {
    each(|fixture, bytes, core| {
        let at = fixture.core.display();
        let elf = Elf::parse(bytes).unwrap();
        let theirs: Vec<_> = elf
            .program_headers
            .iter()
            .filter(|header| header.p_type == program_header::PT_LOAD)
            .map(|h| {
                (h.p_vaddr, h.p_memsz, h.p_offset, h.p_filesz, h.is_read(), h.is_write(), h.is_executable())
            })
            .collect();
        let ours: Vec<_> = core
            .segments
            .iter()
            .map(|s| (s.address, s.memory_size, s.file_offset, s.file_size, s.read, s.write, s.execute))
            .collect();
        assert_eq!(ours, theirs, "{at}");
        let tids: Vec<i32> = elf
            .iter_note_headers(bytes)
            .unwrap()
            .map(Result::unwrap)
            .filter(|note| note.n_type == NT_PRSTATUS)
            .map(|note| i32::from_le_bytes(*note.desc[32..].first_chunk().unwrap()))
            .collect();
        let ours: Vec<i32> = core.threads.iter().map(|thread| thread.tid).collect();
        assert_eq!(ours, tids, "{at}");
    });
}

#[test]
fn dumped_memory_is_the_files() {
    each(|fixture, bytes, core| {
        let memory = core.memory();
        for segment in core.segments.iter().filter(|segment| segment.file_size > 0) {
            let from = segment.file_offset as usize;
            let size = segment.file_size.min(4096);
            let in_file = &bytes[from..from + size as usize];
            assert_eq!(memory.slice(segment.address, size), Some(in_file), "{}", fixture.core.display());
        }
    });
}
