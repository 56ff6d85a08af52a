//! C frames of programs that died in C, in Go that C called, and beside C: against the functions of
//! their C sources.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

use std::{collections::BTreeSet, path::PathBuf};

use panicle_binary::Executable;
use panicle_fixtures::{Arch, Fixture};
use panicle_goruntime::{LibraryFile, Options, Reconstruction, reconstruct};
use panicle_image::Core;
use panicle_report::{Diagnostic, Frame, FrameKind, Goroutine, ThreadOn, Trust};

/// A program's crashes on both architectures and with every version at hand.
fn fixtures(program: &str) -> impl Iterator<Item = Fixture> + '_ {
    let all = panicle_fixtures::matrix();
    let found: Vec<_> = all.into_iter().filter(|f| f.program == program && f.variant == "default").collect();
    assert!(found.len() >= 2, "{program}: {} crashes", found.len());
    found.into_iter()
}

/// Reads a crash, with the libraries of this machine that it had mapped.
fn read(fixture: &Fixture, with_libraries: bool) -> (Reconstruction, Vec<Diagnostic>) {
    read_core(fixture, &std::fs::read(&fixture.core).unwrap(), with_libraries)
}

/// The same from other bytes of the core.
fn read_core(fixture: &Fixture, core: &[u8], with_libraries: bool) -> (Reconstruction, Vec<Diagnostic>) {
    let binary = std::fs::read(&fixture.binary).unwrap();
    let (core, _) = Core::parse(core).unwrap();
    let (executable, _) = Executable::parse(&binary).unwrap();
    let paths: BTreeSet<&str> = core.files.iter().map(|file| file.path.as_str()).collect();
    let libraries: Vec<(&str, Vec<u8>)> = paths
        .into_iter()
        .filter(|path| with_libraries && PathBuf::from(path).is_file())
        .map(|path| (path, std::fs::read(path).unwrap()))
        .collect();
    let libraries: Vec<_> =
        libraries.iter().map(|(path, bytes)| LibraryFile { name: Some(path), bytes }).collect();
    reconstruct(&core, &executable, &Options { libraries: &libraries, ..Options::default() })
}

fn is_c(frame: &Frame) -> bool {
    frame.kind == FrameKind::Cgo
}

fn crashing(found: &Reconstruction) -> &Goroutine {
    let id = found.crashing_goroutine.unwrap();
    found.goroutines.iter().find(|goroutine| goroutine.id == id).unwrap()
}

/// The functions of `frames`, without the hash that cgo puts into its wrappers' names.
fn functions<'f>(frames: impl IntoIterator<Item = &'f Frame>) -> Vec<&'f str> {
    let plain = |name: &'f str| name.find("_Cfunc_").map_or(name, |at| &name[at..]);
    frames.into_iter().map(|frame| plain(&frame.function)).collect()
}

#[test]
fn a_fault_three_c_functions_deep() {
    for fixture in fixtures("cgo-segv") {
        let (found, _) = read(&fixture, false);
        let goroutine = crashing(&found);
        let (c, go) = goroutine.frames.split_at(4);
        let expected = ["row_value", "row_sum", "table_sum", "_Cfunc_table_sum"];
        assert_eq!(functions(c), expected, "{}", fixture.directory.display());
        assert!(c.iter().all(is_c), "{c:#?}");
        assert!(c[1..].iter().all(|frame| frame.trust == Trust::Cfi), "{c:#?}");
        let lines: Vec<_> = c.iter().take(3).map(|frame| frame.line.unwrap()).collect();
        assert_eq!(lines, [41, 48, 54]);
        assert!(c.iter().take(3).all(|frame| frame.file.as_deref().unwrap().ends_with("/table.c")));
        assert_eq!(functions(&go[..2]), ["runtime.cgocall", "_Cfunc_table_sum"]);
        assert!(!go.iter().any(is_c));
        // The thread stands in them, too, behind the handler of the signal.
        let thread = found.threads.iter().find(|thread| thread.goroutine == Some(goroutine.id)).unwrap();
        // Go 1.19 leaves the handler before it finds that it was not Go code that failed.
        let stands = [Some(ThreadOn::Gsignal), Some(ThreadOn::G0)];
        assert!(stands.contains(&thread.on), "{thread:#?}");
        assert_eq!(functions(thread.frames.iter().filter(|frame| is_c(frame))), functions(c));
    }
}

#[test]
fn abort_through_the_c_library() {
    for fixture in fixtures("cgo-abort").filter(|fixture| fixture.arch == Arch::Amd64) {
        let (found, diagnostics) = read(&fixture, true);
        let c: Vec<_> = crashing(&found).frames.iter().take_while(|frame| is_c(frame)).collect();
        let library: Vec<_> = c.iter().take_while(|frame| frame.library.is_some()).copied().collect();
        assert!(functions(library.iter().copied()).ends_with(&["raise", "abort"]), "{c:#?}");
        assert!(library.iter().all(|frame| frame.library.as_deref().unwrap().contains("libc")));
        let own = functions(c[library.len()..].iter().copied());
        assert_eq!(own, ["check", "withdraw", "pay", "_Cfunc_pay"], "{c:#?}");
        assert!(c.iter().all(|frame| frame.trust == Trust::Cfi), "{c:#?}");
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }
}

#[test]
fn without_the_c_library_its_frames_are_guessed_and_said() {
    for fixture in fixtures("cgo-abort").filter(|fixture| fixture.arch == Arch::Amd64) {
        let (found, diagnostics) = read(&fixture, false);
        let c: Vec<_> = crashing(&found).frames.iter().take_while(|frame| is_c(frame)).collect();
        assert!(c[0].function.starts_with("libc.so.6+0x"), "{c:#?}");
        let own = functions(c.iter().skip_while(|frame| frame.library.is_some()).copied());
        assert!(own.ends_with(&["withdraw", "pay", "_Cfunc_pay"]), "{c:#?}");
        assert!(c.iter().any(|frame| frame.trust == Trust::Scan));
        let said = diagnostics.iter().filter(|diagnostic| diagnostic.text.contains("libc.so.6 (build ID "));
        assert_eq!(said.count(), 1, "{diagnostics:?}");
    }
}

#[test]
fn goroutines_that_wait_in_c() {
    for fixture in fixtures("cgo-blocked") {
        let (found, _) = read(&fixture, fixture.arch == Arch::Amd64);
        let in_c: Vec<Vec<&str>> = found
            .goroutines
            .iter()
            .filter(|goroutine| goroutine.frames.iter().any(is_c))
            .map(|goroutine| {
                assert_eq!(goroutine.status, "syscall");
                let own = |frame: &&Frame| is_c(frame) && frame.file.is_some();
                functions(goroutine.frames.iter().filter(own))
            })
            .collect();
        let expected = [
            vec!["read_fully", "read_message", "_Cfunc_read_message"],
            vec!["pause_once", "wait_for_signal", "_Cfunc_wait_for_signal"],
        ];
        assert_eq!(in_c, expected, "{}", fixture.directory.display());
    }
}

#[test]
fn c_between_go_and_go() {
    for fixture in fixtures("cgo-callback-abort") {
        let (found, _) = read(&fixture, false);
        let stacks: Vec<_> =
            found.goroutines.iter().filter(|goroutine| goroutine.frames.iter().any(is_c)).collect();
        assert_eq!(stacks.len(), 2, "{}", fixture.directory.display());
        for goroutine in stacks {
            assert_eq!(goroutine.wait_reason.as_deref(), Some("chan receive"));
            let runs: Vec<_> = goroutine
                .frames
                .chunk_by(|inner, outer| is_c(inner) == is_c(outer))
                .filter(|run| is_c(&run[0]))
                .map(functions)
                .collect();
            let each = vec!["goWait", "forward", "relay", "_Cfunc_relay"];
            let times = goroutine.frames.iter().filter(|f| f.function == "runtime.cgocallback").count();
            assert_eq!(runs, vec![each; times]);
            // Each stands right behind the function through which C called Go.
            for (inner, outer) in goroutine.frames.iter().zip(&goroutine.frames[1..]) {
                assert_eq!(inner.function == "runtime.cgocallback", !is_c(inner) && is_c(outer));
            }
        }
    }
}

#[test]
fn what_a_panic_overwrote_is_said_to_be_gone() {
    for fixture in fixtures("cgo-callback-panic") {
        let (found, diagnostics) = read(&fixture, false);
        let goroutine = crashing(&found);
        assert!(goroutine.frames.iter().any(|frame| frame.function == "runtime.cgocallback"));
        assert!(!goroutine.frames.iter().any(is_c), "{:#?}", goroutine.frames);
        let said = |d: &&Diagnostic| d.text.contains("used their stack when it printed the crash");
        let said: Vec<_> = diagnostics.iter().filter(said).collect();
        assert_eq!(said.len(), 1, "{diagnostics:?}");
        assert_eq!(said[0].reference, Some(format!("goroutine {}", goroutine.id)));
    }
}

#[test]
fn what_is_damaged_is_not_said_to_be_overwritten() {
    let fixture = fixtures("cgo-callback-abort").find(|fixture| fixture.arch == Arch::Amd64).unwrap();
    let (found, said) = read(&fixture, false);
    assert!(!said.iter().any(|d| d.text.contains("C frames between")), "{said:?}");
    // Further in than the C code that called Go is what leads to it.
    let goroutine = found.goroutines.iter().find(|goroutine| goroutine.frames.iter().any(is_c)).unwrap();
    let sp = goroutine.frames.iter().find(|frame| is_c(frame)).unwrap().sp.unwrap().0;
    let mut core = std::fs::read(&fixture.core).unwrap();
    let at = {
        let (core, _) = Core::parse(&core).unwrap();
        let of_sp = |s: &&panicle_image::Segment| s.address <= sp && sp - s.address < s.file_size;
        let segment = core.segments.iter().find(of_sp).unwrap();
        usize::try_from(segment.file_offset + (sp - segment.address)).unwrap()
    };
    core[at - 512..at].fill(0);
    let (_, said) = read_core(&fixture, &core, false);
    let said: Vec<_> = said.iter().filter(|d| d.text.contains("C frames between")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].text.contains("not in the core, or damaged"), "{said:?}");
    assert_eq!(said[0].reference, Some(format!("goroutine {}", goroutine.id)));
}

#[test]
fn threads_that_c_started() {
    for fixture in fixtures("cgo-segv") {
        let (found, _) = read(&fixture, fixture.arch == Arch::Amd64);
        let below_go: Vec<_> = found
            .threads
            .iter()
            .filter_map(|thread| {
                let start = thread.frames.iter().position(|frame| frame.function == "runtime.mstart")?;
                thread.frames.get(start + 1..).filter(|frames| !frames.is_empty())
            })
            .collect();
        assert!(!below_go.is_empty(), "{}", fixture.directory.display());
        for frames in below_go {
            assert!(frames.iter().all(is_c));
            // Up to Go 1.19 each architecture has a name of its own for it.
            assert!(frames[0].function.starts_with("crosscall"), "{frames:#?}");
            assert_eq!(frames[1].function, "threadentry");
            // Assembly without tables: its caller is guessed.
            assert_eq!((frames[0].trust, frames[1].trust), (Trust::Pclntab, Trust::Scan));
        }
    }
}
