//! Cores of real programs, as the kernel wrote them, and qemu of the arm64 ones.

use std::fs::File;

use goblin::elf::{Elf, note::NT_PRSTATUS, program_header};
use panicle_fixtures::{Arch, Fixture};
use panicle_image::{Core, mmap};

fn by_the_kernel() -> Vec<Fixture> {
    panicle_fixtures::all()
}

fn by_qemu() -> Vec<Fixture> {
    let mut fixtures = panicle_fixtures::matrix();
    fixtures.retain(|fixture| fixture.arch != Arch::host());
    assert!(fixtures.len() > 50, "{} cores of another architecture", fixtures.len());
    fixtures
}

fn each(fixtures: Vec<Fixture>, check: impl Fn(&Fixture, &[u8], &Core<'_>)) {
    for fixture in fixtures {
        let bytes = mmap::map(&File::open(&fixture.core).expect("a core")).expect("a mapping");
        let (core, diagnostics) = Core::parse(&bytes).expect("a readable core");
        assert_eq!(diagnostics, [], "{}", fixture.core.display());
        check(&fixture, &bytes, &core);
    }
}

#[test]
fn threads_signal_and_files_are_there() {
    each(by_the_kernel(), |fixture, _, core| {
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
fn qemus_cores_say_as_much_as_they_can() {
    each(by_qemu(), |fixture, _, core| {
        let at = fixture.core.display();
        assert_eq!((core.arch.goarch(), core.truncated), (fixture.arch.name(), None), "{at}");
        // It writes neither NT_SIGINFO nor NT_FILE.
        assert_eq!((core.threads[0].signal, core.signal, core.files.len()), (6, None, 0), "{at}");
        assert_eq!(core.executable_path(), fixture.binary.to_str(), "{at}");
        assert_eq!(core.process.uid, Some(core.auxv.get(11).unwrap() as u32), "{at}: AT_UID");
        let memory = core.memory();
        for thread in &core.threads {
            assert!(memory.contains(thread.registers.sp()), "{at}: no stack for thread {}", thread.tid);
        }
    });
}

#[test]
fn a_second_parser_sees_the_same() {
    each([by_the_kernel(), by_qemu()].concat(), |fixture, bytes, core| {
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
    each([by_the_kernel(), by_qemu()].concat(), |fixture, bytes, core| {
        let memory = core.memory();
        for segment in core.segments.iter().filter(|segment| segment.file_size > 0) {
            let from = segment.file_offset as usize;
            let size = segment.file_size.min(4096);
            let in_file = &bytes[from..from + size as usize];
            assert_eq!(memory.slice(segment.address, size), Some(in_file), "{}", fixture.core.display());
        }
    });
}
