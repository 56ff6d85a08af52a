use std::collections::BTreeMap;

use panicle_report::{
    Address, Binary, BinaryMatch, BuildIds, Confidence, CoreSource, CreatedBy, Diagnostic, DwarfPresence,
    Evidence, Frame, FrameKind, Goroutine, GoroutineCluster, Layout, LayoutSource, Local, Panic, PanicKind,
    PanicLink, PanicValue, Process, Report, SCHEMA, Signal, Signature, Source, Stage, Trust, Verdict,
    VerdictClass,
};

use super::{Style, text};

fn frame(function: &str, file: &str, line: u32, kind: FrameKind) -> Frame {
    Frame {
        function: function.to_owned(),
        file: Some(file.to_owned()),
        line: Some(line),
        pc: Some(Address(0x4a_1234)),
        sp: None,
        inlined: false,
        kind,
        trust: Trust::Pclntab,
        args: Some("0xc000012345, {0x4bc2a4, 0x5}".to_owned()),
        locals: Vec::new(),
        library: None,
    }
}

fn local(name: &str, type_name: &str, value: Option<&str>) -> Local {
    Local { name: name.to_owned(), type_name: type_name.to_owned(), value: value.map(str::to_owned) }
}

fn crashed() -> Goroutine {
    let mut put = frame("example.com/shop/store.(*DB).Put", "/src/store/db.go", 42, FrameKind::Go);
    put.locals = vec![
        local("db", "*store.DB", Some("*store.DB 0xc000012345 {users: nil}")),
        local("key", "string", Some("\"acme\"")),
        local("n", "int", None),
    ];
    Goroutine {
        id: 7,
        status: "running".to_owned(),
        wait_reason: None,
        wait_seconds: None,
        labels: BTreeMap::from([("request".to_owned(), "a b".to_owned())]),
        thread: Some(1201),
        locked_to_thread: false,
        system: false,
        address: None,
        stack: None,
        waiting_on: None,
        created_by: Some(CreatedBy {
            function: "main.main".to_owned(),
            file: Some("/src/main.go".to_owned()),
            line: Some(9),
            goroutine: Some(1),
        }),
        frames: vec![frame("runtime.mapassign_faststr", "map_faststr.go", 203, FrameKind::Runtime), put],
        leaked: None,
        truncated: false,
        elided: None,
    }
}

fn cluster(count: u64, reason: &str, frames: Vec<Frame>) -> GoroutineCluster {
    GoroutineCluster {
        signature: "00".to_owned(),
        status: "waiting".to_owned(),
        wait_reason: Some(reason.to_owned()),
        count,
        example_ids: (10..20).take(count as usize).collect(),
        min_wait_seconds: Some(60.0),
        max_wait_seconds: Some(7300.0),
        frames,
    }
}

fn report(message: &str) -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        source: Source {
            core: Some(CoreSource {
                format: "elf-core".to_owned(),
                arch: "amd64".to_owned(),
                os: "linux".to_owned(),
                size_bytes: 45_000_000,
                sha256: None,
                truncated: None,
            }),
            ..Source::default()
        },
        process: Process {
            pid: Some(1200),
            command_line: Some("shop -v".to_owned()),
            executable: Some("/usr/bin/shop".to_owned()),
            signal: Some(Signal {
                number: 6,
                name: "SIGABRT".to_owned(),
                code: Some(-6),
                address: None,
                sender_pid: Some(1200),
            }),
            ..Process::default()
        },
        binary: Some(Binary {
            path: Some("shop".to_owned()),
            go_version: Some("go1.24.11".to_owned()),
            module: Some("example.com/shop".to_owned()),
            module_version: Some("v1.4.0".to_owned()),
            go_version_inferred: false,
            vcs_revision: None,
            build_ids: BuildIds { gnu: Some("c07b4b02".to_owned()), ..BuildIds::default() },
            dwarf: DwarfPresence::Full,
            stripped: false,
            matched: BinaryMatch::BuildId,
            debug_file: None,
        }),
        layout: Some(Layout { source: LayoutSource::Dwarf, go_version: Some("go1.24.11".to_owned()) }),
        verdict: Verdict {
            class: VerdictClass::NilMapWrite,
            title: "Write to a nil map in store.(*DB).Put (db.go:42)".to_owned(),
            summary: "An entry was assigned while the map was nil.".to_owned(),
            confidence: Confidence::Certain,
            goroutine: Some(7),
            other_goroutines: Vec::new(),
            map: None,
            evidence: vec![Evidence {
                kind: "panic".to_owned(),
                text: "panic: assignment to entry in nil map".to_owned(),
                reference: Some("goroutine 7".to_owned()),
            }],
            hints: vec!["A hint.".to_owned()],
            fixes: vec!["Make the map.".to_owned()],
            example: Some("m := make(map[string]int)\nm[\"a\"] = 1".to_owned()),
            capture_next: vec!["staticcheck ./...".to_owned()],
        },
        panic: Some(Panic {
            kind: PanicKind::Panic,
            chain: vec![PanicLink {
                value: Some(PanicValue {
                    type_name: Some("runtime.plainError".to_owned()),
                    text: Some(message.to_owned()),
                    value: None,
                    error: Some(true),
                }),
                recovered: false,
                repanicked: false,
                goexit: false,
                goroutine: Some(7),
            }],
            message: Some(format!("panic: {message}")),
            signal: None,
        }),
        signature: Signature {
            version: 1,
            fingerprint: "0123456789abcdef0123456789abcdef".to_owned(),
            family: "f".to_owned(),
            title: "nil-map-write: assignment to entry in nil map at example.com/shop/store.(*DB).Put"
                .to_owned(),
            frames: Vec::new(),
            population: Vec::new(),
            explain: Vec::new(),
        },
        goroutines: vec![crashed()],
        goroutine_count: 45,
        maps: Vec::new(),
        maps_left_out: 0,
        races: Vec::new(),
        goroutine_clusters: vec![
            cluster(
                40,
                "chan receive",
                vec![
                    frame("runtime.gopark", "proc.go", 1, FrameKind::Runtime),
                    frame("main.worker", "/src/main.go", 30, FrameKind::Go),
                    frame("runtime.goexit", "asm.s", 1, FrameKind::Runtime),
                ],
            ),
            cluster(4, "GC worker (idle)", vec![frame("runtime.gopark", "proc.go", 1, FrameKind::Runtime)]),
        ],
        threads: Vec::new(),
        diagnostics: vec![
            Diagnostic::info(Stage::Evidence, "Worth knowing."),
            Diagnostic::error(Stage::Unwind, "The stack could not be walked.").about("goroutine 9"),
        ],
    }
}

#[test]
fn the_report_as_text() {
    insta::assert_snapshot!(text(&report("assignment to entry in nil map"), Style::default()));
}

#[test]
fn the_map_in_question_comes_with_everybody_who_has_to_do_with_it() {
    let mut report = report("concurrent map writes");
    let json = serde_json::json!({
        "address": "0xc000012345", "type": "map[string]int", "type_address": null, "implementation": "swiss",
        "count": 28, "room": 32, "size_bytes": 900, "state": "writing", "allocated": true, "header": null,
        "flags": ["writing"], "problems": [], "roots_left_out": 3,
        "roots": [{
            "goroutine": 7, "frame": 1, "variable": "db.users", "kind": "argument", "certain": true,
            "slot": "0xc000012000", "owner": "*store.DB 0xc000011ff8"
        }],
        "users": [{
            "goroutine": 7, "frame": 0, "function": "runtime.mapassign_faststr", "operation": "write",
            "certain": true, "noticed": true, "caller_frame": 1, "caller": "store.(*DB).Put (db.go:42)",
            "because": "The map is an argument."
        }]
    });
    let map: panicle_report::Map = serde_json::from_value(json).unwrap();
    report.verdict.map = Some(map.address);
    let other = panicle_report::Map { address: Address(0xc000), users: Vec::new(), ..map.clone() };
    let problems = vec!["It counts 7 entries, and 6 slots are full.".to_owned()];
    let damaged = panicle_report::Map { address: Address(0xd000), problems, ..other.clone() };
    report.maps = vec![map, other, damaged];
    let text = text(&report, Style::default());
    let section = text.split("\nMaps\n").nth(1).unwrap();
    let in_order = [
        "map[string]int, 28 entries, being written",
        "* goroutine 7 writes to it in store.(*DB).Put (db.go:42) (certain, and ended the process)",
        "- db.users, field of *store.DB 0xc000011ff8  [goroutine 7 frame 1]",
        "(3 more places that hold it)",
        "0xd000",
        "! It counts 7 entries, and 6 slots are full.",
        "0xc000",
    ];
    let mut rest = section;
    for part in in_order {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part} is not in {section}")).1;
    }
}

#[test]
fn c_frames_are_marked_with_what_they_rest_on() {
    let mut report = report("assignment to entry in nil map");
    let c = |function: &str, trust, library: Option<&str>| Frame {
        file: None,
        line: None,
        args: None,
        trust,
        library: library.map(str::to_owned),
        ..frame(function, "", 0, FrameKind::Cgo)
    };
    let frames = [
        c("inflate", Trust::Cfi, Some("/usr/lib/libz.so.1")),
        c("unpack", Trust::FramePointer, None),
        c("read_all", Trust::Scan, None),
    ];
    report.goroutines[0].frames.splice(0..0, frames);
    let text = text(&report, Style::default());
    for line in [
        "    0 inflate  [C]\n        /usr/lib/libz.so.1\n",
        "    1 unpack  [C] [by frame pointer]\n",
        "    2 read_all  [C] [a guess]\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
}

#[test]
fn bytes_of_the_crashed_process_do_nothing_to_the_terminal() {
    let hostile = "\x1b]0;owned\x07\x1b[2J\u{202e}gnp.exe\r\nsecond line\u{0}";
    let mut report = report(hostile);
    report.process.command_line = Some(hostile.to_owned());
    report.goroutines[0].frames[1].function = hostile.to_owned();
    report.goroutines[0].frames[1].locals = vec![local(hostile, hostile, Some(hostile))];
    report.diagnostics = vec![Diagnostic::info(Stage::Image, hostile).about(hostile)];
    for style in [Style::default(), Style { colour: false, every_goroutine: true }] {
        let text = text(&report, style);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains('\u{202e}'));
        assert!(text.contains("\\u{1b}"));
    }
}

#[test]
fn goroutines_of_the_runtime_alone_are_not_counted_as_none() {
    let mut report = report("boom");
    report.goroutine_clusters.remove(0);
    report.goroutine_count = 5;
    let text = text(&report, Style::default());
    assert!(text.contains("\nOther goroutines\n") && text.contains("4 × of the runtime itself"), "{text}");
}

#[test]
fn lines_stay_within_a_hundred_columns() {
    let mut report = report(&"long ".repeat(100));
    report.goroutines[0].frames[1].function = "x".repeat(400);
    report.process.executable = Some("/y".repeat(300));
    let text = text(&report, Style::default());
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}
