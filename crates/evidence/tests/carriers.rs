//! Real texts in everything that carries them to where they are read: what is understood is the same.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

use std::fmt::Write as _;
use std::path::PathBuf;

use panicle_evidence::traceback::{CrashText, HeadlineKind, Reader, Reading, TextFrame, parse};
use serde_json::json;

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Recorded texts: name and text. Not those with bytes that are no UTF-8, which JSON cannot carry.
fn texts() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for version in std::fs::read_dir(data()).unwrap().map(|entry| entry.unwrap().path()) {
        if !version.is_dir() || version.ends_with("programs") {
            continue;
        }
        for path in std::fs::read_dir(version).unwrap().map(|entry| entry.unwrap().path()) {
            if let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) {
                all.push((path.display().to_string(), text));
            }
        }
    }
    assert!(all.len() > 200, "{}", all.len());
    all
}

fn recorded(version: &str, name: &str) -> String {
    std::fs::read_to_string(data().join(version).join(name)).unwrap()
}

/// What is understood, without numbers of lines.
fn essence(text: &[u8]) -> String {
    let mut reader = Reader::default();
    // Pieces of a size that no line ends with.
    text.chunks(4093).for_each(|piece| reader.push(piece));
    let Reading { crashes, races, .. } = reader.finish();
    let mut out = String::new();
    for crash in &crashes {
        essence_of(crash, &mut out);
    }
    for race in &races {
        for access in &race.accesses {
            let at: Vec<_> = access.frames.iter().map(|f| (&f.function, &f.file, f.line)).collect();
            writeln!(out, "race {} {:x} {:?} {at:?}", access.write, access.address, access.goroutine)
                .unwrap();
        }
    }
    out
}

fn essence_of(crash: &CrashText, out: &mut String) {
    writeln!(out, "crash {} {:?}", crash.relayed_sections, crash.exit.as_ref().map(|e| &e.text)).unwrap();
    for headline in &crash.headlines {
        writeln!(out, "{} {:?}", headline.section, headline.kind).unwrap();
    }
    for registers in &crash.registers {
        writeln!(out, "{:?}", registers.values).unwrap();
    }
    let frames = |frames: &[TextFrame]| {
        let frames = frames.iter().map(|f| TextFrame { text_line: 0, ..f.clone() });
        format!("{:?}", frames.collect::<Vec<_>>())
    };
    for stack in &crash.runtime_stacks {
        writeln!(out, "runtime {}", frames(&stack.frames)).unwrap();
    }
    for g in &crash.goroutines {
        let mut bare = g.clone();
        (bare.text_line, bare.text_last_line) = (0, 0);
        bare.frames.iter_mut().for_each(|f| f.text_line = 0);
        bare.ancestors.iter_mut().flat_map(|a| &mut a.frames).for_each(|f| f.text_line = 0);
        writeln!(out, "{bare:?}").unwrap();
    }
}

fn lines(text: &str, carry: impl Fn(usize, &str) -> String) -> String {
    text.lines().enumerate().map(|(number, line)| carry(number, line) + "\n").collect()
}

type Carry = fn(&str) -> String;

/// Carriers of which each line shows what it is.
const CARRIERS: [(&str, Carry); 14] = [
    ("docker's json-file", |text| {
        lines(text, |n, l| {
            json!({ "log": format!("{l}\n"), "stream": "stderr", "time": format!("2026-11-21T08:33:31.{n:09}Z") })
                .to_string()
        })
    }),
    ("journald as JSON", |text| {
        lines(text, |n, l| {
            json!({ "__CURSOR": format!("s={n:x}"), "_PID": "77", "PRIORITY": "3", "MESSAGE": l, "_COMM": "web" })
                .to_string()
        })
    }),
    ("journald as JSON, with colours as bytes", |text| {
        lines(text, |_, l| {
            json!({ "MESSAGE": format!("\x1b[31m{l}\x1b[0m").into_bytes(), "_PID": "77" }).to_string()
        })
    }),
    ("a cloud's log, nested", |text| {
        lines(text, |n, l| {
            json!({ "insertId": n, "resource": { "labels": { "pod": "web" } }, "jsonPayload": { "message": l } })
                .to_string()
        })
    }),
    ("JSON behind a prefix of CRI", |text| {
        lines(text, |_, l| format!("2026-11-21T08:33:31.1Z stderr F {}", json!({ "log": format!("{l}\n") })))
    }),
    ("JSON within JSON", |text| {
        lines(text, |_, l| {
            json!({ "log": json!({ "level": "error", "msg": l }).to_string() + "\n" }).to_string()
        })
    }),
    ("CRI, long lines in parts", |text| {
        lines(text, |_, l| {
            let at = (40..l.len()).find(|&at| l.is_char_boundary(at)).filter(|_| l.starts_with('\t'));
            let (a, b) = l.split_at(at.unwrap_or(0));
            let part =
                if a.is_empty() { String::new() } else { format!("2026-11-21T08:33:31.1Z stderr P {a}\n") };
            format!("{part}2026-11-21T08:33:31.1Z stderr F {b}")
        })
    }),
    ("syslog", |text| lines(text, |n, l| format!("<11>Nov  1 08:33:{:02} host web[77]: {l}", n % 60))),
    ("CRLF in docker", |text| lines(text, |_, l| json!({ "log": format!("{l}\r\n") }).to_string())),
    ("Windows", |text| text.replace('\n', "\r\n")),
    ("kubectl, with names and times", |text| {
        lines(text, |n, l| format!("[pod/web-7f-x/main] 2026-11-21T08:33:31.{n:06}Z {l}"))
    }),
    ("compose, in colour", |text| lines(text, |_, l| format!("\x1b[36mweb-1  | \x1b[0m{l}"))),
    ("one record with all of it", |text| {
        json!({ "level": "fatal", "ts": 1.5, "output": text }).to_string() + "\n"
    }),
    ("a quoted text", |text| format!("level=fatal msg=\"it died\" output={}\n", quote(text))),
];

/// As `strconv.Quote` writes it.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            '\r' => out += "\\r",
            c if c.is_control() => write!(out, "\\x{:02x}", c as u32).unwrap(),
            c => out.push(c),
        }
    }
    out + "\""
}

#[test]
fn what_is_understood_does_not_depend_on_what_carries_it() {
    for (name, text) in texts() {
        let plain = essence(text.as_bytes());
        for (carrier, carry) in CARRIERS {
            // Nobody quotes what is quoted already.
            if carrier == "a quoted text" && name.contains("logged") {
                continue;
            }
            let carried = carry(&text);
            assert_eq!(essence(carried.as_bytes()), plain, "{name} over {carrier}:\n{carried}");
        }
    }
}

type Prefix = fn(usize) -> String;

/// Carriers that are not known by name, and are learned from a goroutine's header and the line below.
const UNKNOWN: [(&str, Prefix); 5] = [
    ("TAI64N", |n| format!("@400000005f3e{n:04x}0c5d6e7f ")),
    ("Heroku", |n| format!("2026-11-21T08:33:31.{n:06}+00:00 app[web.1]: ")),
    ("Cloud Foundry", |n| format!("   2026-11-21T08:33:{:02}.12+0000 [APP/PROC/WEB/0] ERR ", n % 60)),
    ("stern", |_| "web-7f9c-abcde main ".to_owned()),
    ("RFC 5424", |n| format!("<11>1 2026-11-21T08:33:31.{n:03}Z host web 77 - - ")),
];

#[test]
fn prefixes_that_nobody_described_are_learned() {
    let mut tried = 0;
    for (name, text) in texts() {
        // There has to be a goroutine to learn from, near the start.
        let header = text.lines().position(|l| l.starts_with("goroutine ") && l.ends_with("]:"));
        if header.is_none_or(|at| at > 40)
            || ["race", "logged", "http", "forge"].iter().any(|n| name.contains(n))
        {
            continue;
        }
        tried += 1;
        let plain = essence(text.as_bytes());
        for (carrier, prefix) in UNKNOWN {
            let carried = lines(&text, |n, l| format!("{}{l}", prefix(n)).trim_end().to_owned());
            assert_eq!(essence(carried.as_bytes()), plain, "{name} over {carrier}");
            let log = lines("starting\nlistening on :80\nready", |n, l| format!("{}{l}", prefix(n)));
            assert_eq!(
                essence(format!("{log}{carried}{log}").as_bytes()),
                plain,
                "{name} in a log of {carrier}"
            );
        }
    }
    assert!(tried > 150, "{tried}");
}

/// Takes lines of several texts by turns, a few of each at a time.
/// A prefix that nobody described is learned also where somebody else's lines stand between.
#[test]
fn a_prefix_is_learned_between_the_lines_of_others() {
    let text = recorded("1.24.11", "nilptr.single.txt");
    for every in [2, 3] {
        let log = lines(&text, |at, line| {
            let other = if at % every == every - 1 { "\nother-1 stderr: GET /healthz" } else { "" };
            format!("worker-3 stderr: {line}{other}")
        });
        assert_eq!(essence(log.as_bytes()), essence(text.as_bytes()), "every {every}");
    }
}

fn by_turns(texts: &[String]) -> String {
    let mut lines: Vec<_> = texts.iter().map(|text| text.lines()).collect();
    let mut out = String::new();
    for turn in 0.. {
        let before = out.len();
        for (at, lines) in lines.iter_mut().enumerate() {
            for line in lines.take(1 + (turn * 7 + at * 3) % 4) {
                out += line;
                out.push('\n');
            }
        }
        if out.len() == before {
            break;
        }
    }
    out
}

type Named = fn(&str, &str) -> String;

/// Carriers that say who wrote a line.
const NAMED: [(&str, Named); 7] = [
    ("compose", |name, l| format!("{name}-1  | {l}")),
    ("kubectl", |name, l| format!("[pod/{name}-7f9/main] {l}")),
    ("kubectl with times", |name, l| format!("[pod/shop-7f9/{name}] 2026-11-21T08:33:31.5Z {l}")),
    ("syslog", |name, l| format!("Nov  1 08:33:31 host {name}[{}]: {l}", name.len())),
    ("JSON of a shipper", |name, l| {
        json!({ "log": l, "stream": "stderr", "kubernetes": { "pod_name": "shop", "container_name": name } })
            .to_string()
    }),
    ("JSON with a container", |name, l| json!({ "container": name, "message": l }).to_string()),
    ("journald as JSON", |name, l| {
        json!({ "MESSAGE": l, "_PID": name.len().to_string(), "PRIORITY": "3" }).to_string()
    }),
];

#[test]
fn crashes_of_several_processes_at_once_are_parted() {
    let pairs = [
        ("1.21.13", "nilmap.all.txt", "1.27.3", "mapwrites.crash.txt"),
        ("1.27.3", "sigquit.crash.txt", "1.19.8", "chain.single.txt"),
        ("1.22.10", "overflow.all.txt", "1.24.11", "debug2.all.txt"),
        ("1.22.10", "long.single.txt", "1.23.9", "waits.system.txt"),
        ("1.25.5", "race.single.txt", "1.22.10", "forge.single.txt"),
    ];
    for (version, one, other_version, other) in pairs {
        let texts = [("web", recorded(version, one)), ("database", recorded(other_version, other))];
        let mut wanted: Vec<_> = texts.iter().map(|(_, text)| essence(text.as_bytes())).collect();
        wanted.sort();
        for (carrier, carry) in NAMED {
            let carried = texts.each_ref().map(|(name, text)| lines(text, |_, line| carry(name, line)));
            let log = by_turns(&carried);
            let mut found: Vec<String> = Vec::new();
            let mut reader = Reader::default();
            reader.push(log.as_bytes());
            let Reading { crashes, races, .. } = reader.finish();
            for crash in &crashes {
                let mut out = String::new();
                essence_of(crash, &mut out);
                found.push(out);
            }
            if !races.is_empty() {
                // What GORACE printed is of no crash; the text of races has no other.
                found.push(essence(texts[0].1.as_bytes()));
                assert_eq!(races.len(), parse_races(&texts[0].1), "{carrier}");
            }
            found.sort();
            assert_eq!(found, wanted, "{one} and {other} over {carrier}:\n{log}");
        }
    }
}

fn parse_races(text: &str) -> usize {
    let mut reader = Reader::default();
    reader.push(text.as_bytes());
    reader.finish().races.len()
}

/// Streams of one container are told apart too: what it logs while it dies is no part of its crash.
#[test]
fn the_other_stream_is_no_part_of_a_crash() {
    let text = recorded("1.24.11", "nilmap.all.txt");
    let plain = essence(text.as_bytes());
    let carried = lines(&text, |_, l| format!("2026-11-21T08:33:31.1Z stderr F {l}"));
    let other = lines(&"panic: at the disco\n".repeat(40), |n, l| {
        let part = if n % 3 == 0 { 'P' } else { 'F' };
        format!("2026-11-21T08:33:31.2Z stdout {part} now playing {l}")
    });
    assert_eq!(essence(by_turns(&[carried, other]).as_bytes()), plain);
}

/// What is in a record shows only in the whole, wherever it is cut.
#[test]
fn records_that_cri_wrote_in_parts_are_joined() {
    let text = recorded("1.24.11", "nilmap.all.txt");
    let record = json!({ "level": "fatal", "output": text }).to_string();
    for size in [10, 37, 1000, record.len()] {
        let parts: Vec<_> = record.as_bytes().chunks(size).collect();
        let mut log = String::from("2026-11-21T08:33:31.1Z stderr F starting\n");
        for (at, part) in parts.iter().enumerate() {
            let flag = if at + 1 < parts.len() { 'P' } else { 'F' };
            writeln!(log, "2026-11-21T08:33:31.1Z stderr {flag} {}", std::str::from_utf8(part).unwrap())
                .unwrap();
        }
        assert_eq!(essence(log.as_bytes()), essence(text.as_bytes()), "parts of {size}");
    }
}

#[test]
fn texts_of_two_bytes_a_character_are_read() {
    for (name, text) in texts() {
        let units: Vec<u16> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let plain = essence(text.as_bytes());
        assert_eq!(essence(&little), plain, "{name}");
        assert_eq!(essence(&big), plain, "{name}");
    }
}

/// A process that GODEBUG has talk tells the prefix of its lines long before it dies.
#[test]
fn lines_of_godebug_before_the_crash_are_kept_in_every_carrier() {
    for version in ["1.23.9", "1.25.5", "1.27.3"] {
        let text = recorded(version, "gctrace.all.txt");
        let kinds = |text: &str| {
            let (crashes, _) = parse(text.as_bytes());
            crashes[0].godebug.iter().map(|line| (line.kind, line.text.clone())).collect::<Vec<_>>()
        };
        let plain = kinds(&text);
        assert!(!plain.is_empty());
        for (carrier, carry) in CARRIERS {
            assert_eq!(kinds(&carry(&text)), plain, "{version} over {carrier}");
        }
        for (carrier, prefix) in UNKNOWN {
            let carried = lines(&text, |n, l| format!("{}{l}", prefix(n)));
            assert_eq!(kinds(&carried), plain, "{version} over {carrier}");
        }
    }
}

#[test]
fn a_record_of_a_logger_holds_a_stack() {
    for version in ["1.23.9", "1.25.5", "1.27.3"] {
        for name in ["logged-json", "logged-text", "logged-quoted"] {
            let (crashes, diagnostics) = parse(recorded(version, &format!("{name}.single.txt")).as_bytes());
            assert_eq!(crashes.len(), 1, "{version}/{name}: {diagnostics:?}");
            let functions: Vec<_> =
                crashes[0].goroutines[0].frames.iter().map(TextFrame::function_name).collect();
            assert_eq!(functions[0], "runtime/debug.Stack", "{version}/{name}");
            assert!(functions.contains(&"runtime.gopanic"), "{version}/{name}: {functions:?}");
            assert!(functions.last().unwrap().starts_with("main."), "{version}/{name}: {functions:?}");
        }
    }
}

#[test]
fn a_panic_that_net_http_logs_is_told_as_such() {
    for version in ["1.19.8", "1.23.9", "1.25.5", "1.27.3"] {
        let text = recorded(version, "http.single.txt");
        for carried in [text.clone(), (CARRIERS[0].1)(&text), (CARRIERS[9].1)(&text), (CARRIERS[12].1)(&text)]
        {
            let (crashes, _) = parse(carried.as_bytes());
            assert_eq!(crashes.len(), 1, "{version}: {crashes:#?}");
            let HeadlineKind::HttpPanic { value, .. } = &crashes[0].headlines[0].kind else {
                panic!("{:?}", crashes[0].headlines)
            };
            assert_eq!(value, "assignment to entry in nil map");
            assert!(crashes[0].goroutines[0].frames.iter().any(|f| &*f.function == "main.(*store).count"));
        }
    }
}

#[test]
fn lines_that_godebug_asked_for_are_no_part_of_a_crash() {
    for version in ["1.23.9", "1.25.5", "1.27.3"] {
        let text = recorded(version, "gctrace.all.txt");
        let kept: Vec<_> =
            text.lines().filter(|l| !["gc ", "SCHED ", "  "].iter().any(|of| l.starts_with(of))).collect();
        assert!(kept.len() + 3 < text.lines().count(), "{version}: there are no such lines");
        assert_eq!(essence(text.as_bytes()), essence(kept.join("\n").as_bytes()), "{version}");
        let (crashes, _) = parse(text.as_bytes());
        assert!(!crashes[0].godebug.is_empty() && crashes[0].godebug.len() <= 16, "{version}");
        assert!(crashes[0].godebug.iter().any(|l| l.kind == "gctrace"));
        assert_eq!(crashes[0].panics().next().unwrap().value, "assignment to entry in nil map");
    }
}

/// Between any two lines, also between a frame and its location, as a second thread prints them.
#[test]
fn godebug_lines_may_come_anywhere() {
    const GC: &str = "gc 12 @3.405s 1%: 0.018+1.2+0.003 ms clock, 0.03+0/0.4/0.9+0.006 ms cpu, 4->4->0 MB";
    for (name, text) in texts() {
        if name.contains("race") || name.contains("logged") {
            continue;
        }
        let carried = lines(&text, |_, l| format!("{l}\n{GC}"));
        assert_eq!(essence(carried.as_bytes()), essence(text.as_bytes()), "{name}");
    }
}

#[test]
fn a_file_of_crash_output_is_a_text() {
    for version in ["1.23.9", "1.25.5", "1.27.3"] {
        let (crashes, diagnostics) = parse(recorded(version, "crashoutput.all.txt").as_bytes());
        assert_eq!((crashes.len(), diagnostics.len()), (1, 0), "{version}");
        assert_eq!(crashes[0].panics().next().unwrap().value, "assignment to entry in nil map");
        assert_eq!(crashes[0].goroutines[0].frames[0].function_name(), "main.main");
    }
}

/// No toolchain of these versions is at hand; the texts are made from what is known of them: arguments without
/// braces or question marks, no goroutine behind `created by`.
#[test]
fn older_formats_made_by_hand() {
    let text = "panic: runtime error: invalid memory address or nil pointer dereference\n\
                [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45e0f7]\n\n\
                goroutine 18 [running]:\n\
                main.(*T).get(...)\n\t/src/main.go:12\n\
                main.work(0xc000010000, 0x0, 0x4b8b10, 0xc00001c0a8)\n\t/src/main.go:20 +0x37\n\
                created by main.main\n\t/src/main.go:30 +0x5a\n\n\
                goroutine 1 [chan receive, 3 minutes]:\n\
                main.main()\n\t/src/main.go:31 +0x7b\n\
                exit status 2\n";
    let (crashes, diagnostics) = parse(text.as_bytes());
    assert_eq!((crashes.len(), diagnostics.len()), (1, 0), "{diagnostics:?}");
    let crash = &crashes[0];
    assert_eq!(crash.signal().unwrap().pc, Some(0x45_e0f7));
    let g = crash.goroutine(18).unwrap();
    assert_eq!(
        g.frames.iter().map(TextFrame::function_name).collect::<Vec<_>>(),
        ["main.(*T).get", "main.work"]
    );
    assert!(
        g.frames[0].inlined
            && g.frames[1].args.as_deref() == Some("0xc000010000, 0x0, 0x4b8b10, 0xc00001c0a8")
    );
    assert_eq!(g.created_by.as_ref().unwrap().goroutine, None);
    assert_eq!(crash.goroutine(1).unwrap().wait_minutes, Some(3));
    assert_eq!(crash.exit.as_ref().unwrap().status, Some(2));

    // Go 1.13 to 1.17 print values of other types as two words.
    let (crashes, _) = parse(
        b"panic: (main.T) (0x45e0a0,0x4b8b10)\n\ngoroutine 1 [running]:\nmain.main()\n\t/m.go:3 +0x1\n",
    );
    assert_eq!(crashes[0].panics().next().unwrap().value, "(main.T) (0x45e0a0,0x4b8b10)");
}

#[test]
fn a_log_line_about_a_crash_is_none() {
    for line in [
        "2026/11/21 08:33:31 worker 3 died: panic: no rows",
        "2026-11-21T08:33:31Z ERROR upstream said: fatal error: concurrent map writes",
        "level=error msg=\"upstream said: panic: no rows\"",
        "{\"level\":\"error\",\"msg\":\"the log has a line with goroutine 7 in it\"}",
        "see goroutine 7 [running]: in the log",
        "the message goroutine 12 [select]:",
    ] {
        let text = format!("starting\n{line}\nready\n{line}\nstill here\n");
        let (crashes, _) = parse(text.as_bytes());
        assert!(crashes.is_empty(), "{line}: {crashes:?}");
    }
}
