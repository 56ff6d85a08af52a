//! Minidumps made of real cores: the same process has to come out of both.
//!
//! They are synthetic in their form alone: threads, memory, mappings and signal are those of a Go program
//! that died, written anew as Breakpad lays them out. Minidumps that a real writer wrote are the subject
//! of minidump_writer.rs and windows.rs.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{fmt::Write as _, fs::File};

use panicle_binary::{Executable, matching};
use panicle_fixtures::{Arch, Fixture};
use panicle_goruntime::{Options, reconstruct};
use panicle_image::{Core, Registers, mmap};
use panicle_report::{BinaryMatch, Stage};
use panicle_synth::{
    ExceptionRecord, MinidumpFile, ModuleEntry, ThreadContext, amd64_context, arm64_context, elf_code_view,
};
use rayon::prelude::*;

/// What Breakpad keeps of a stack, from its innermost page on.
const STACK: u64 = 32 << 10;

/// One of each: panics, fatal errors, signals, threads at work, an executable that is loaded anywhere.
fn fixtures() -> Vec<Fixture> {
    const PROGRAMS: [&str; 6] =
        ["nil-map-write", "waits", "concurrent-map-writes", "busy", "deadlock", "values"];
    let mut fixtures = panicle_fixtures::all();
    fixtures.retain(|f| PROGRAMS.contains(&f.program.as_str()) && f.variant != "noopt");
    assert!(fixtures.len() > 2 * PROGRAMS.len(), "{} fixtures", fixtures.len());
    fixtures.extend(panicle_fixtures::matrix().into_iter().filter(|f| {
        f.arch == Arch::Arm64 && f.variant == "default" && PROGRAMS.contains(&f.program.as_str())
    }));
    assert!(fixtures.iter().any(|f| f.arch == Arch::Arm64), "no arm64 among the fixtures");
    fixtures
}

/// The process of `core` as a minidump, with all its memory or with stacks alone.
fn as_minidump(core: &Core<'_>, full: bool) -> Vec<u8> {
    let memory = core.memory();
    let context = |registers: &Registers| match registers {
        Registers::Amd64(r) => amd64_context([
            r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13,
            r.r14, r.r15, r.rip,
        ]),
        Registers::Arm64(r) => arm64_context(std::array::from_fn(|index| {
            r.x.get(index).copied().unwrap_or([r.sp, r.pc][index & 1 ^ 1])
        })),
    };
    let threads = core
        .threads
        .iter()
        .map(|thread| {
            let page = thread.registers.sp() & !0xfff;
            let rest = memory.rest(page).unwrap_or_default();
            let stack = if full { Vec::new() } else { rest[..rest.len().min(STACK as usize)].to_vec() };
            ThreadContext {
                tid: thread.tid as u32,
                context: context(&thread.registers),
                stack: (page, stack),
            }
        })
        .collect();
    let mut maps = String::new();
    for file in &core.files {
        let _ = writeln!(
            maps,
            "{:x}-{:x} r--p {:08x} fe:00 1234    {}",
            file.start, file.end, file.file_offset, file.path
        );
    }
    let auxv: Vec<u8> = [3, 9, 6, 31, 33]
        .into_iter()
        .filter_map(|key| Some((key, core.auxv.get(key)?)))
        .chain([(0, 0)])
        .flat_map(|(key, value): (u64, u64)| [key.to_le_bytes(), value.to_le_bytes()].concat())
        .collect();
    let base = core.executable_base().unwrap_or(0x40_0000);
    let build_id = matching::running_build_ids(core, &memory).gnu.map(|id| hex(&id));
    MinidumpFile {
        processor: if core.arch.goarch() == "arm64" { 12 } else { 9 },
        pid: core.process.pid.unwrap() as u32,
        threads,
        modules: vec![ModuleEntry {
            base,
            size: 0x10_0000,
            name: core.executable_path().unwrap().to_owned(),
            code_view: build_id.map(|id| elf_code_view(&id)).unwrap_or_default(),
            ..ModuleEntry::default()
        }],
        // qemu's cores do not say which signal it was.
        exception: core.signal.map(|signal| ExceptionRecord {
            tid: core.threads[0].tid as u32,
            code: signal.number as u32,
            flags: signal.code as u32,
            context: context(&core.threads[0].registers),
            ..ExceptionRecord::default()
        }),
        memory: if full {
            memory.pieces().map(|(address, bytes)| (address, bytes.to_vec())).collect()
        } else {
            Vec::new()
        },
        full,
        streams: vec![(0x4767_0008, auxv), (0x4767_0009, maps.into_bytes())],
        ..MinidumpFile::default()
    }
    .write()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn each(check: impl Fn(&Fixture, &Core<'_>, &Executable<'_>) + Sync) {
    fixtures().par_iter().for_each(|fixture| {
        let core = mmap::map(&File::open(&fixture.core).unwrap()).unwrap();
        let binary = mmap::map(&File::open(&fixture.binary).unwrap()).unwrap();
        let (core, _) = Core::parse(&core).unwrap();
        let (binary, _) = Executable::parse(&binary).unwrap();
        check(fixture, &core, &binary);
    });
}

#[test]
fn all_memory_tells_what_the_core_tells() {
    each(|fixture, core, binary| {
        let at = fixture.directory.display();
        let file = as_minidump(core, true);
        let (dump, notes) = Core::parse(&file).unwrap();
        assert_eq!(notes, [], "{at}");
        assert_eq!(dump.executable_path(), core.executable_path(), "{at}");
        assert_eq!(
            matching::compare(&dump, &dump.memory(), binary),
            matching::compare(core, &core.memory(), binary),
            "{at}"
        );
        let (ours, ours_notes) = reconstruct(&dump, binary, &Options::default());
        let (theirs, theirs_notes) = reconstruct(core, binary, &Options::default());
        assert!(!ours.goroutines.is_empty(), "{at}: {ours_notes:?}");
        assert_eq!(ours.goroutines, theirs.goroutines, "{at}");
        assert_eq!(ours.threads, theirs.threads, "{at}");
        assert_eq!(ours.panic, theirs.panic, "{at}");
        assert_eq!(ours.crashing_goroutine, theirs.crashing_goroutine, "{at}");
        assert_eq!(ours_notes, theirs_notes, "{at}");
    });
}

#[test]
fn stacks_alone_show_what_the_threads_did() {
    each(|fixture, core, binary| {
        let at = fixture.directory.display();
        let file = as_minidump(core, false);
        let (dump, _) = Core::parse(&file).unwrap();
        assert_ne!(matching::compare(&dump, &dump.memory(), binary), BinaryMatch::Mismatch, "{at}");
        let (small, notes) = reconstruct(&dump, binary, &Options::default());
        let (whole, _) = reconstruct(core, binary, &Options::default());
        // What is missing is said, not guessed.
        assert!(small.goroutines.is_empty(), "{at}");
        assert!(
            notes.iter().any(|note| note.stage == Stage::Goroutines && note.text.contains("not in the")),
            "{at}: {notes:?}"
        );
        let mut frames = 0;
        for (ours, theirs) in small.threads.iter().zip(&whole.threads) {
            assert_eq!((ours.tid, ours.pc), (theirs.tid, theirs.pc), "{at}");
            // What is on a goroutine's stack is listed with the goroutine where that is known.
            let calls = |thread: &panicle_report::Thread| -> Vec<_> {
                thread
                    .frames
                    .iter()
                    .map(|frame| (frame.function.clone(), frame.line, frame.pc, frame.inlined))
                    .collect()
            };
            let (ours, theirs) = (calls(ours), calls(theirs));
            frames += ours.len();
            // A thread in a signal handler stands on several stacks, and one of them is in the dump.
            let both = ours.len().min(theirs.len());
            assert_eq!(ours[..both], theirs[..both], "{at}");
        }
        // The thread that died stands in `raise`, called by `dieFromSignal`, at the least.
        assert!(frames > small.threads.len(), "{at}: {frames} frames");
        let inlined = small.threads.iter().flat_map(|thread| &thread.frames).any(|frame| frame.inlined);
        assert!(inlined || fixture.variant.contains("noopt"), "{at}: no inlined call");
    });
}
