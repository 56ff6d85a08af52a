//! The parser against what real programs of every toolchain printed (`tests/data/regenerate.sh`).

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

mod carried;
mod messages;

use std::collections::BTreeMap;
use std::path::PathBuf;

use panicle_evidence::race;
use panicle_evidence::traceback::{CrashText, HeadlineKind, TextFrame, TextGoroutine, parse};

const VERSIONS: [&str; 8] =
    ["1.19.8", "1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3"];

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn minor(version: &str) -> u32 {
    version.split('.').nth(1).unwrap().parse().unwrap()
}

fn text(version: &str, name: &str) -> Vec<u8> {
    std::fs::read(data().join(version).join(name)).unwrap()
}

fn crash(version: &str, name: &str) -> CrashText {
    let (mut crashes, diagnostics) = parse(&text(version, name));
    assert_eq!(crashes.len(), 1, "{version}/{name}: {crashes:#?}");
    assert!(diagnostics.is_empty(), "{version}/{name}: {diagnostics:?}");
    crashes.pop().unwrap()
}

fn functions(g: &TextGoroutine) -> Vec<&str> {
    g.frames.iter().map(TextFrame::function_name).collect()
}

/// Every recorded text: `(version, file name, text)`.
fn all() -> Vec<(String, String, Vec<u8>)> {
    let mut all = Vec::new();
    for version in VERSIONS {
        for entry in std::fs::read_dir(data().join(version)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            all.push((version.to_owned(), name, std::fs::read(path).unwrap()));
        }
    }
    assert!(all.len() > 180, "{}", all.len());
    all
}

/// Counted without the parser: header lines and locations (`\tfile:line`, at most one for each
/// frame and creator).
fn count(text: &[u8]) -> (usize, usize) {
    let text = String::from_utf8_lossy(text);
    let headers = text
        .lines()
        .filter(|l| l.starts_with("goroutine ") && l.ends_with("]:") || l.ends_with("}:"))
        .count();
    let locations = text
        .lines()
        .filter(|l| {
            l.strip_prefix('\t').is_some_and(|l| {
                !l.starts_with('\t')
                    && !l.contains("stack unavailable")
                    && l.contains(':')
                    && !l.contains(": ")
                    && !l.ends_with("]:")
            })
        })
        .count();
    (headers, locations)
}

#[test]
fn nothing_is_lost() {
    for (version, name, text) in all() {
        // These hold more than one crash and nothing else.
        if ["race", "forge", "http", "logged"].iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let (crashes, diagnostics) = parse(&text);
        assert_eq!(crashes.len(), 1, "{version}/{name}");
        assert!(diagnostics.is_empty(), "{version}/{name}: {diagnostics:?}");
        let crash = &crashes[0];
        let mut locations = 0;
        let mut stacks: Vec<_> = crash.runtime_stacks.iter().map(|s| &s.frames).collect();
        for g in &crash.goroutines {
            assert!(!g.truncated && g.notes.is_empty(), "{version}/{name}: goroutine {}", g.id);
            assert!(g.unavailable || !g.frames.is_empty(), "{version}/{name}: goroutine {}", g.id);
            stacks.push(&g.frames);
            stacks.extend(g.ancestors.iter().map(|a| &a.frames));
            for creator in g.ancestors.iter().map(|a| &a.created_by).chain([&g.created_by]).flatten() {
                assert!(creator.file.is_some() && creator.line.is_some(), "{version}/{name}: {creator:?}");
                locations += 1;
            }
        }
        for frame in stacks.into_iter().flatten() {
            assert!(frame.file.is_some() && frame.line.is_some(), "{version}/{name}: {frame:?}");
            locations += 1;
        }
        assert_eq!((crash.goroutines.len(), locations), count(&text), "{version}/{name}");
        // What GODEBUG asked for is no part of it.
        let asked_for = ["gc ", "SCHED ", "  "];
        let text = String::from_utf8_lossy(&text);
        let before = text.lines().take_while(|line| asked_for.iter().any(|start| line.starts_with(start)));
        assert_eq!(crash.first_line, 1 + before.count() as u64, "{version}/{name}");
    }
}

#[test]
fn a_nil_map_at_every_level() {
    for version in VERSIONS {
        let message = "assignment to entry in nil map";
        let none = crash(version, "nilmap.none.txt");
        assert_eq!(none.panics().map(|p| p.value.as_str()).collect::<Vec<_>>(), [message]);
        assert!(none.goroutines.is_empty());

        let single = crash(version, "nilmap.single.txt");
        assert_eq!(single.panics().next().unwrap().value, message);
        assert_eq!(single.goroutines.len(), 1);
        let g = &single.goroutines[0];
        assert_eq!((g.id, &*g.status, &g.wait_reason), (1, "running", &None));
        let wanted =
            ["main.(*Cache[...]).Put", "main.(*Server).handle.func1", "main.(*Server).handle", "main.main"];
        assert_eq!(functions(g), wanted);
        assert!(g.frames[1].inlined && g.frames[1].entry_offset.is_none());
        assert_eq!(g.frames[1].args.as_deref(), Some("..."));
        assert_eq!(g.frames[0].file.as_deref(), Some("example.com/crash/main.go"));
        assert_eq!(g.frames[0].line, Some(18));
        assert!(g.frames[0].entry_offset.is_some() && g.frames[0].pc.is_none());

        let all = crash(version, "nilmap.all.txt");
        let waiting = all.goroutine(all.goroutines[1].id).unwrap();
        assert_eq!((&*waiting.status, waiting.wait_reason.as_deref()), ("waiting", Some("chan receive")));
        // Go 1.19 does not say which goroutine it was.
        let creator = (minor(version) >= 21).then_some(1);
        assert_eq!(waiting.created_by.as_ref().unwrap().goroutine, creator);

        for level in ["system", "crash"] {
            let crash = crash(version, &format!("nilmap.{level}.txt"));
            let g = &crash.goroutines[0];
            assert_eq!(functions(g)[0], "runtime.gopanic");
            assert_eq!(g.gp.is_some(), minor(version) >= 22);
            assert_eq!(g.m.is_some() && g.mp.is_some(), minor(version) >= 22);
            assert!(
                g.frames.iter().all(|f| f.inlined || (f.pc.is_some() && f.sp.is_some() && f.fp.is_some()))
            );
            assert!(crash.goroutines.iter().any(|g| g.wait_reason.as_deref() == Some("force gc (idle)")));
        }
    }
}

#[test]
fn signals() {
    for version in VERSIONS {
        let nil = crash(version, "nilptr.single.txt");
        let signal = nil.signal().unwrap();
        assert_eq!(
            (signal.name.as_str(), signal.description.as_deref()),
            ("SIGSEGV", Some("segmentation violation"))
        );
        assert_eq!((signal.code, signal.address), (Some(1), Some(32)));
        assert!(signal.pc.is_some());
        assert_eq!(
            nil.panics().next().unwrap().value,
            "runtime error: invalid memory address or nil pointer dereference"
        );

        let fault = crash(version, "fault.single.txt");
        assert!(
            matches!(&fault.headlines[0].kind, HeadlineKind::Note(n) if n == "unexpected fault address 0xdeadbeef000")
        );
        assert_eq!(fault.fatals().collect::<Vec<_>>(), ["fault"]);
        assert_eq!(fault.signal().unwrap().address, Some(0x0dea_dbee_f000));
        assert_eq!(fault.goroutine(2).unwrap().ancestors[0].goroutine, 1);

        let abort = crash(version, "sigabrt.all.txt");
        let signal = abort.signal().unwrap();
        assert_eq!((signal.name.as_str(), signal.description.as_deref()), ("SIGABRT", Some("abort")));
        // Whichever thread the kernel chose.
        assert_eq!((signal.code, signal.m.is_some()), (Some(0), true));
        assert_eq!(abort.registers.len(), 1);
        assert_eq!(abort.registers[0].values.len(), 21);
        assert_eq!(abort.registers[0].values[16].0, "rip");
        assert_eq!(
            Some(abort.registers[0].values[16].1),
            signal.pc.map(|pc| pc.max(abort.registers[0].values[16].1))
        );

        let quit = crash(version, "sigquit.crash.txt");
        assert!(quit.relayed_sections >= 3, "{version}: {}", quit.relayed_sections);
        let sections = quit.relayed_sections as usize + 1;
        assert_eq!(quit.registers.len(), sections, "{version}");
        let signals: Vec<_> = quit
            .headlines
            .iter()
            .filter_map(|h| match &h.kind {
                HeadlineKind::Signal(s) => Some((h.section, s.name.as_str(), s.m.is_some())),
                _ => None,
            })
            .collect();
        assert_eq!(signals.len(), sections, "{version}: {signals:?}");
        for (i, signal) in signals.iter().enumerate() {
            assert_eq!(*signal, (i as u32, "SIGQUIT", true));
        }
        for section in 1..sections as u32 {
            assert!(quit.goroutines.iter().any(|g| g.section == section), "{version}: section {section}");
        }
    }
}

#[test]
fn every_kind_of_wait() {
    for version in VERSIONS {
        for name in ["waits.all.txt", "waits.system.txt", "debug2.all.txt"] {
            let crash = crash(version, name);
            let mut reasons = BTreeMap::<String, u32>::new();
            for g in &crash.goroutines {
                if let Some(reason) = &g.wait_reason {
                    assert_eq!(&*g.status, "waiting");
                    *reasons.entry(reason.to_string()).or_default() += 1;
                } else {
                    assert!(["running", "syscall", "runnable"].contains(&&*g.status), "{}", g.status);
                }
                assert_eq!(
                    g.locked_to_thread,
                    functions(g).contains(&"main.waits.func7"),
                    "{version}/{name}"
                );
            }
            // Go 1.20 told the semaphores of locks apart.
            let locks = match minor(version) {
                19 => ["semacquire"; 2],
                _ => ["sync.Mutex.Lock", "sync.RWMutex.RLock"],
            };
            for reason in [
                "chan receive",
                "chan send",
                "chan receive (nil chan)",
                "chan send (nil chan)",
                "select",
                "select (no cases)",
                "sync.Cond.Wait",
                "sleep",
                "IO wait",
            ]
            .into_iter()
            .chain(locks)
            {
                assert!(reasons.contains_key(reason), "{version}/{name}: no {reason}: {reasons:?}");
            }
            assert!(crash.goroutines.iter().any(|g| &*g.status == "syscall"), "{version}/{name}");
        }
    }
}

#[test]
fn deep_stacks_are_elided() {
    for version in VERSIONS {
        let deep = crash(version, "deepstack.all.txt");
        let g = &deep.goroutines[1];
        // main.parked calls itself 150 times.
        if minor(version) >= 21 {
            let elided = g.elided.unwrap();
            assert_eq!((elided.after, g.frames.len()), (50, 100), "{version}");
            assert_eq!(elided.count, Some(51), "{version}");
        } else {
            // The outer frames are left out. That is said only where none of the hundred is hidden: here three
            // of the runtime are.
            assert_eq!((g.elided, g.frames.len()), (None, 97), "{version}");
        }
        let overflow = crash(version, "overflow.all.txt");
        assert_eq!(overflow.fatals().collect::<Vec<_>>(), ["stack overflow"]);
        let notes = overflow.headlines.iter().filter(|h| matches!(h.kind, HeadlineKind::Note(_))).count();
        assert_eq!((notes, overflow.runtime_stacks.len()), (2, 1), "{version}");
        let elided = overflow.goroutines[0].elided.unwrap();
        if minor(version) >= 21 {
            assert!(elided.count.unwrap() > 1000, "{version}");
        } else {
            assert_eq!((elided.after, elided.count), (100, None), "{version}");
        }
    }
}

#[test]
fn ancestors_are_kept_apart() {
    for version in VERSIONS {
        let crash = crash(version, "ancestors.single.txt");
        let g = &crash.goroutines[0];
        assert_eq!(functions(g), ["main.main.func8.1"]);
        assert_eq!(&*g.created_by.as_ref().unwrap().function, "main.main.func8");
        assert_eq!(g.ancestors.len(), 2);
        assert_eq!(g.ancestors[1].goroutine, 1);
        assert_eq!(&*g.ancestors[0].created_by.as_ref().unwrap().function, "main.main");
        assert_eq!(g.ancestors[0].created_by.as_ref().unwrap().goroutine, None);
    }
}

#[test]
fn labels_and_bubbles() {
    let labels = crash("1.27.3", "labels.all.txt");
    assert_eq!(labels.goroutines.len(), 4);
    let of = |i: usize| -> Vec<(&str, &str)> {
        labels.goroutines[i].labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
    };
    assert_eq!(of(1), [("svc", "pay")]);
    assert_eq!(of(2), [("req id", "a b"), ("svc", "pay")]);
    assert_eq!(of(3), [("line", "x\ny\té世\u{7f}\u{fffd}"), ("quote", "a \"b\" {c}: d]")]);
    for version in ["1.25.5", "1.26.6", "1.27.3"] {
        let bubble = crash(version, "bubble.all.txt");
        let durable: Vec<_> = bubble.goroutines.iter().filter(|g| g.durable).collect();
        let mut reasons: Vec<_> = durable.iter().map(|g| g.wait_reason.as_deref().unwrap()).collect();
        assert_eq!(bubble.goroutines.iter().filter(|g| &*g.status == "running").count(), 1, "{version}");
        reasons.sort_unstable();
        assert_eq!(
            reasons,
            [
                "chan receive (durable)",
                "chan receive (durable)",
                "select (no cases)",
                "sleep",
                "synctest.Run"
            ],
            "{version}"
        );
        assert!(durable.iter().all(|g| g.synctest_bubble == Some(1)));
    }
}

#[test]
fn races() {
    for version in VERSIONS {
        let (reports, diagnostics) = race::parse(&text(version, "race.single.txt"));
        assert!(diagnostics.is_empty(), "{version}: {diagnostics:?}");
        let text = String::from_utf8(text(version, "race.single.txt")).unwrap();
        assert_eq!(reports.len(), text.matches("WARNING: DATA RACE").count(), "{version}");
        let frames = |r: &race::RaceReport| {
            r.accesses.iter().map(|a| a.frames.len()).sum::<usize>()
                + r.goroutines.iter().map(|g| g.created_at.len()).sum::<usize>()
        };
        let locations = text.lines().filter(|l| l.starts_with("      ")).count();
        assert_eq!(reports.iter().map(frames).sum::<usize>(), locations, "{version}");
        for r in &reports {
            assert_eq!(r.accesses.len(), 2, "{version}");
            assert!(!r.accesses[0].previous && r.accesses[1].previous);
            assert_eq!(r.accesses[0].address, r.accesses[1].address);
            for access in &r.accesses {
                if let Some(id) = access.goroutine {
                    assert!(r.goroutines.iter().any(|g| g.id == id), "{version}: goroutine {id}");
                }
            }
        }
        assert!(reports.iter().any(race::RaceReport::is_map), "{version}");
    }
}
