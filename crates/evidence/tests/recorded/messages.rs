//! What a program dies with, also when it has lines that look like the runtime's.

use panicle_evidence::traceback::{CrashText, parse};

use super::{VERSIONS, crash, functions, minor, text};

#[test]
fn chains() {
    for version in VERSIONS {
        let chain = crash(version, "chain.single.txt");
        let panics: Vec<_> = chain.panics().map(|p| (p.value.as_str(), p.recovered, p.repanicked)).collect();
        // Up to 1.22 the lines of a message are printed as they are.
        assert_eq!(
            panics,
            [
                ("first failed", false, false),
                ("second\nof two lines", true, false),
                ("again: second\nof two lines", false, false)
            ],
            "{version}"
        );
        let again = crash(version, "repanic.single.txt");
        let panics: Vec<_> = again.panics().map(|p| (p.value.as_str(), p.recovered, p.repanicked)).collect();
        let wanted = if minor(version) >= 25 {
            vec![("open failed", true, true)]
        } else {
            vec![("open failed", true, false), ("open failed", false, false)]
        };
        assert_eq!(panics, wanted, "{version}");
        assert_eq!(crash(version, "goexitchain.single.txt").panics().count(), 2);
        assert_eq!(crash(version, "code.single.txt").panics().next().unwrap().value, "main.code(7)");
        let value = &crash(version, "types.single.txt").panics().next().unwrap().value.clone();
        assert!(value.starts_with("(main.plain) "), "{value}");
    }
}

#[test]
fn a_message_cannot_forge_goroutines() {
    let wanted = "no such user\n\ngoroutine 77 [running]:\nmain.innocent(0x1)\n\t/src/innocent.go:12 +0x1f\n\ngoroutine 78 [select]:";
    for version in VERSIONS {
        let (crashes, diagnostics) = parse(&text(version, "forge.single.txt"));
        assert_eq!(crashes.len(), 1, "{version}");
        assert_eq!(crashes[0].panics().next().unwrap().value, wanted, "{version}");
        let ids: Vec<_> = crashes[0].goroutines.iter().map(|g| g.id).collect();
        assert_eq!(ids, [1], "{version}");
        assert_eq!(functions(&crashes[0].goroutines[0]), ["main.main"]);
        // Up to 1.22 it had to be told from the order of goroutines, which is said.
        assert_eq!(diagnostics.len(), usize::from(minor(version) <= 22), "{version}");
    }
}

/// Go 1.23 and later indent it; before that it is printed as it is, and nothing but its length is unusual.
#[test]
fn a_message_of_thousands_of_lines_loses_nothing_behind_it() {
    let wanted = format!("rows that do not fit:\n{}and no more", "a row\n".repeat(2500));
    for version in VERSIONS {
        let crash = crash(version, "long.single.txt");
        assert_eq!(crash.panics().next().unwrap().value, wanted, "{version}");
        assert_eq!(functions(&crash.goroutines[0]), ["main.main"], "{version}");
    }
}

#[test]
fn a_log_line_that_looks_like_a_panic_takes_no_later_crash() {
    let real = String::from_utf8(text("1.24.11", "nilmap.all.txt")).unwrap();
    let noise = "working\n".repeat(3000);
    let dump = String::from_utf8(text("1.24.11", "debug2.all.txt")).unwrap();
    for (later, goroutines) in [(&real, parse(real.as_bytes())), (&dump, parse(dump.as_bytes()))] {
        let log = format!("panic: said somebody\n{noise}{later}");
        let (crashes, _) = parse(log.as_bytes());
        let [mentioned, crash] = crashes.as_slice() else { panic!("{crashes:#?}") };
        assert_eq!(mentioned.panics().next().unwrap().value, "said somebody");
        assert!(mentioned.goroutines.is_empty());
        assert_eq!(crash.goroutines.len(), goroutines.0[0].goroutines.len());
    }
    let records: Vec<_> = real.lines().map(|line| serde_json::json!({ "log": line }).to_string()).collect();
    let records = records.join("\n");
    let (crashes, _) = parse(format!("panic: said somebody\n{noise}{records}").as_bytes());
    assert_eq!(crashes.last().unwrap().panics().next().unwrap().value, "assignment to entry in nil map");
}

#[test]
fn a_message_may_hold_a_stack_and_a_later_dump_is_none() {
    let stack = "goroutine 7 [running]:\nruntime/debug.Stack()\n\t/d.go:26 +0x5e\nmain.f()\n\t/m.go:3 +0x1\n";
    let real = "goroutine 7 [running]:\nmain.g()\n\t/m.go:9 +0x1\n";
    let (crashes, _) = parse(format!("panic: boom\n{stack}\n\n{real}").as_bytes());
    assert_eq!(crashes.len(), 1);
    assert_eq!(crashes[0].panics().next().unwrap().value, format!("boom\n{stack}"));
    assert_eq!(functions(&crashes[0].goroutines[0]), ["main.g"]);

    let (crashes, _) = parse(format!("panic: boom\n\n{real}\n{stack}").as_bytes());
    assert_eq!(crashes[0].panics().next().unwrap().value, "boom");
    assert_eq!(crashes.iter().map(|c| c.goroutines.len()).sum::<usize>(), 2);
}

#[test]
fn fatal_errors() {
    for version in VERSIONS {
        assert_eq!(
            crash(version, "deadlock.single.txt").fatals().collect::<Vec<_>>(),
            ["all goroutines are asleep - deadlock!"]
        );
        let maps = crash(version, "mapwrites.single.txt");
        assert!(maps.fatals().all(|m| m == "concurrent map writes"));
        let both = crash(version, "fatalindefer.single.txt");
        assert_eq!(both.fatals().collect::<Vec<_>>(), ["sync: unlock of unlocked mutex"]);
        assert_eq!(both.panics().count(), usize::from(minor(version) >= 26));
        let run = crash(version, "gorun.single.txt");
        assert_eq!(run.exit.unwrap().status, Some(2));
    }
}

/// What a program logs begins like a panic of the runtime; the next real crash is not its stack.
#[test]
fn a_log_line_that_looks_like_a_panic_is_not_the_chain_of_what_follows() {
    for version in VERSIONS {
        for name in ["nilmap.all.txt", "mapwrites.single.txt"] {
            let real = String::from_utf8(text(version, name)).unwrap();
            let alone = parse(real.as_bytes()).0;
            for said in ["panic: order 17 rejected", "fatal error: config missing, using default"] {
                let log = format!("{said}\n{}{real}", "2026/11/21 08:33:31 GET /x 200\n".repeat(200));
                let (crashes, _) = parse(log.as_bytes());
                let last = crashes.last().unwrap();
                let words = |crash: &CrashText| {
                    crash.headlines.iter().map(|h| format!("{:?}", h.kind)).collect::<Vec<_>>()
                };
                assert!(words(last) == words(alone.last().unwrap()), "{version} {name} {said}");
                assert_eq!(last.goroutines.len(), alone.last().unwrap().goroutines.len());
                assert!(
                    crashes[..crashes.len() - alone.len()].iter().all(|crash| crash.goroutines.is_empty())
                );
            }
        }
    }
}

/// Nothing stands between two crashes in one file; the second is a race of two threads.
#[test]
fn a_race_after_a_panic_is_a_crash_of_its_own() {
    for version in VERSIONS {
        let [first, second] = ["nilmap.single.txt", "mapwrites.single.txt"]
            .map(|name| String::from_utf8(text(version, name)).unwrap());
        let first = first.split("exit status").next().unwrap().trim_end();
        let (crashes, _) = parse(format!("{first}\n{second}").as_bytes());
        let alone = parse(second.as_bytes()).0;
        assert_eq!(crashes.len(), 1 + alone.len(), "{version}");
        assert_eq!(crashes[0].panics().next().unwrap().value, "assignment to entry in nil map");
        assert_eq!(crashes[0].goroutines.len(), 1, "{version}");
        assert_eq!(crashes[1].goroutines.len(), alone[0].goroutines.len(), "{version}");
    }
}

/// What a program says of a command that it ran is no end of itself.
#[test]
fn a_message_may_tell_how_a_command_ended() {
    let text = "panic: run failed:\nexit status 1\n\ngoroutine 7 [running]:\nmain.A(0x1)\n\t/s/a.go:1 +0x1\nexit status 2\n";
    let (crashes, _) = parse(text.as_bytes());
    assert_eq!(crashes.len(), 1);
    assert_eq!(crashes[0].panics().next().unwrap().value, "run failed:\nexit status 1");
    assert_eq!(functions(&crashes[0].goroutines[0]), ["main.A"]);
    assert_eq!(crashes[0].exit.as_ref().unwrap().text, "exit status 2");
    // Without a stack it was the program's own.
    let (crashes, diagnostics) = parse(b"panic: run failed\nexit status 2\nstarting again\n");
    assert_eq!(crashes[0].exit.as_ref().unwrap().text, "exit status 2");
    assert_eq!(crashes[0].last_line, 2);
    assert!(diagnostics.iter().any(|found| found.text.starts_with("1 line")), "{diagnostics:?}");
}
