//! Go on Windows: executables that the toolchains make, and the dumps of `tests/windows` that were taken when
//! those died, held to what the runtime printed.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::collections::BTreeMap;

use panicle_binary::{Executable, identify, matching};
use panicle_evidence::traceback::{self, CrashText, TextGoroutine};
use panicle_goruntime::{Options, Reconstruction, reconstruct};
use panicle_image::{Arch, Core, Format, Os};
use panicle_report::{BinaryMatch, Diagnostic, DwarfPresence, Goroutine, PanicKind, Stage, ThreadOn, Trust};

fn check(kind: &str, then: impl Fn(&str, &Core<'_>, &Reconstruction, &[Diagnostic], &CrashText)) {
    for crash in panicle_fixtures::windows() {
        let (program, version) = (crash.program, crash.go_version);
        let at = format!("{program} {version} {kind}");
        let dump = if kind == "full" { &crash.full } else { &crash.small };
        let binary = std::fs::read(crash.binary()).unwrap();
        let (core, notes) = Core::parse(dump).unwrap();
        assert_eq!(notes, [], "{at}");
        assert_eq!((core.format, core.os, core.arch), (Format::Minidump, Os::Windows, Arch::Amd64), "{at}");
        let path = core.executable_path().unwrap();
        assert!(path.ends_with(&format!("\\{program}-{version}.exe")), "{at}: {path}");
        let (binary, _) = Executable::parse(&binary).unwrap();
        // The build ID is in the text, which the stacks do not have.
        let expected = if kind == "full" { BinaryMatch::BuildId } else { BinaryMatch::None };
        assert_eq!(matching::compare(&core, &core.memory(), &binary), expected, "{at}");
        let (found, notes) = reconstruct(&core, &binary, &Options::default());
        let (crashes, _) = traceback::parse(&crash.printed);
        then(&at, &core, &found, &notes, &crashes[0]);
    }
}

#[test]
fn full_dumps_have_what_the_runtime_printed() {
    check("full", |at, core, found, _, printed| {
        let theirs = printed.goroutines.iter().filter(|theirs| !theirs.is_system_stack());
        let theirs: BTreeMap<u64, &TextGoroutine> = theirs.map(|theirs| (theirs.id, theirs)).collect();
        let ours: BTreeMap<u64, &Goroutine> = found.goroutines.iter().map(|g| (g.id, g)).collect();
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{at}");
        for (id, theirs) in theirs {
            let ours = ours[&id];
            assert_eq!(ours.status, *theirs.status, "{at}: goroutine {id}");
            let frames: Vec<_> = ours
                .frames
                .iter()
                .map(|f| {
                    let pc = f.pc.map(|pc| pc.0).filter(|_| !f.inlined);
                    (f.function.as_str(), f.args.as_deref(), f.file.as_deref(), f.line, pc)
                })
                .collect();
            let expected: Vec<_> = theirs
                .frames
                .iter()
                .map(|f| (f.function_name(), f.args.as_deref(), f.file.as_deref(), f.line, f.pc))
                .collect();
            assert_eq!(frames, expected, "{at}: goroutine {id}");
        }
        // The thread that died was calling Windows on the scheduler's stack.
        let dying = &found.threads[0];
        assert_eq!((dying.tid, dying.on), (core.threads[0].tid, Some(ThreadOn::G0)), "{at}");
        assert_eq!(dying.frames[0].function, "runtime.asmcgocall", "{at}");
        assert_eq!(dying.frames[0].trust, Trust::Scan, "{at}");
        let panic = found.panic.as_ref().unwrap();
        match at.split_once(' ').unwrap().0 {
            "nil-map-write" => {
                assert_eq!(panic.message.as_deref(), Some("panic: assignment to entry in nil map"));
            }
            "nil-dereference" => {
                let signal = panic.signal.as_ref().unwrap();
                assert_eq!(signal.name, "EXCEPTION_ACCESS_VIOLATION");
                assert_eq!((signal.code, signal.address.map(|a| a.0)), (None, Some(0x50)));
                assert_eq!(core.signal.unwrap().number.cast_unsigned(), 0xc000_0005);
            }
            _ => {
                let text = "fatal error: all goroutines are asleep - deadlock!";
                assert_eq!((panic.kind, panic.message.as_deref()), (PanicKind::Fatal, Some(text)));
            }
        }
    });
}

#[test]
fn without_symbols_and_debug_information_the_same_comes_out() {
    for crash in panicle_fixtures::windows() {
        let (core, _) = Core::parse(&crash.full).unwrap();
        let told = |file: &[u8]| {
            let (binary, _) = Executable::parse(file).unwrap();
            let (found, notes) = reconstruct(&core, &binary, &Options::default());
            let goroutines: Vec<_> = found
                .goroutines
                .into_iter()
                .map(|g| {
                    let frames: Vec<_> =
                        g.frames.into_iter().map(|f| (f.function, f.args, f.line, f.pc, f.sp)).collect();
                    (g.id, g.status, g.wait_reason, g.thread, g.created_by, frames)
                })
                .collect();
            let panic = found.panic.map(|panic| (panic.kind, panic.message, panic.signal));
            (goroutines, panic, found.crashing_goroutine, notes)
        };
        let whole = told(&std::fs::read(crash.binary()).unwrap());
        let bare = told(&std::fs::read(crash.stripped()).unwrap());
        assert!(!bare.0.is_empty(), "{}: {:?}", crash.program, bare.3);
        assert_eq!((bare.0, bare.1, bare.2), (whole.0, whole.1, whole.2), "{}", crash.program);
    }
}

#[test]
fn small_dumps_have_the_threads_go_frames() {
    check("small", |at, _, found, notes, printed| {
        assert!(found.goroutines.is_empty(), "{at}");
        assert!(notes.iter().any(|note| note.stage == Stage::Goroutines), "{at}: {notes:?}");
        let names = |thread: &panicle_report::Thread| -> Vec<String> {
            thread.frames.iter().map(|frame| frame.function.clone()).collect()
        };
        // Each thread is seen to where Go entered Windows, and sysmon, which never runs a goroutine, whole.
        for thread in &found.threads {
            assert!(!thread.frames.is_empty(), "{at}: thread {}", thread.tid);
        }
        let sysmon =
            found.threads.iter().map(names).find(|names| names.iter().any(|n| n == "runtime.sysmon"));
        let sysmon = sysmon.unwrap_or_else(|| panic!("{at}: no sysmon"));
        assert!(sysmon.starts_with(&["runtime.asmcgocall".to_owned(), "runtime.stdcall".to_owned()]), "{at}");
        assert_eq!(sysmon.last().map(String::as_str), Some("runtime.mstart"), "{at}");
        // A fatal error of the scheduler's is on that stack, too: as it was printed.
        if at.starts_with("deadlock") {
            let theirs: Vec<_> =
                printed.runtime_stacks[0].frames.iter().map(|f| f.function_name().to_owned()).collect();
            let ours = names(&found.threads[0]);
            let start = ours.iter().position(|name| *name == theirs[0]).unwrap();
            assert_eq!(ours[start..], theirs, "{at}");
            assert_eq!(found.panic.as_ref().unwrap().kind, PanicKind::Fatal, "{at}");
        }
    });
}

#[test]
fn executables_tell_what_those_of_linux_tell() {
    for crash in panicle_fixtures::windows() {
        let (program, version) = (crash.program, crash.go_version);
        let file = std::fs::read(crash.binary()).unwrap();
        let stripped = std::fs::read(crash.stripped()).unwrap();
        assert_eq!(identify::identify(&file[..4096]), identify::Kind::Pe);
        let (binary, notes) = Executable::parse(&file).unwrap();
        let (bare, _) = Executable::parse(&stripped).unwrap();
        assert_eq!(notes, []);
        assert_eq!((binary.os, binary.arch, binary.is_go()), (Os::Windows, Arch::Amd64, true));
        assert_eq!((binary.stripped, binary.dwarf), (false, DwarfPresence::Full));
        assert_eq!((bare.stripped, bare.dwarf), (true, DwarfPresence::None));
        let info = binary.build_info.as_ref().unwrap();
        assert_eq!(info.go_version, format!("go{version}"));
        assert_eq!(info.main.as_ref().unwrap().path, format!("example.com/panicle/{program}"));
        assert_eq!(bare.build_info.as_ref().unwrap().go_version, info.go_version);
        assert_eq!(binary.build_ids.go.as_ref().unwrap().split('/').count(), 4);
        // Stripping changes neither text nor table; without symbols the table is found by its magic.
        assert_eq!(binary.text_sha256(), bare.text_sha256());
        let (Some((at, table)), Some((bare_at, bare_table))) = (binary.pclntab(), bare.pclntab()) else {
            panic!("{program}: no function table");
        };
        assert_eq!(at, binary.symbol("runtime.pclntab").unwrap().address);
        assert_eq!((at, &table[..4096]), (bare_at, &bare_table[..4096]));
        let (name, _) = binary.symbol_at(binary.symbol("main.main").unwrap().address).unwrap();
        assert_eq!(name, "main.main");
        assert!(binary.section(".debug_info").is_some_and(|section| section.data.len() > 100_000));
        assert!(bare.section(".debug_info").is_none());
    }
}
