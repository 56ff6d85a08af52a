//! No bytes make the parsers panic, loop or make up lines, whatever order the runtime's own lines
//! come in.

use std::fmt::Write as _;

use panicle_evidence::{race, traceback};
use proptest::prelude::*;

/// Lines that mean something, to be mixed; most real damage is a good line in the wrong place.
const LINES: [&str; 60] = [
    "panic: x",
    "\tpanic: y [recovered]",
    "\t\tpanic: z",
    "fatal error: concurrent map writes",
    "fatal error: fatal error: concurrent map writes",
    "\tfatal error: x",
    "goroutine 1 [running]:",
    "goroutine 2 gp=0xc000 m=nil [chan receive, 3 minutes] {a: \"b}:\"}:",
    "goroutine 18446744073709551615 [select (leaked) (scan) (durable)]:",
    "main.(*T[...]).M(0x1, {0x2, ...})",
    "panic({0x1?, 0x2?})",
    "\t/a/b.go:1 +0x1 fp=0x1 sp=0x2 pc=0x3",
    "\t?:0",
    "\tpc=0x40",
    "c_function",
    "non-Go function at pc=0x1",
    "created by main.main in goroutine 1",
    "created by main.main",
    "...3 frames elided...",
    "...additional frames elided...",
    "[originating from goroutine 7]:",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]",
    "SIGQUIT: quit",
    "Signal 65",
    "PC=0x1 m=0 sigcode=18446744073709551610 addr=0x0",
    "signal arrived during cgo execution",
    "instruction bytes: 0xf 0xb",
    "rax    0x0",
    "runtime stack:",
    "runtime: goroutine stack exceeds 1000000000-byte limit",
    "unexpected fault address 0x1",
    "-----",
    "exit status 2",
    "\tgoroutine running on other thread; stack unavailable",
    "2026/11/21 08:33:31 http: panic serving 127.0.0.1:1: x",
    "2026-11-21T08:33:31Z stderr F panic: x",
    "\x1b[31mgoroutine 1 [running]:",
    "WARNING: DATA RACE",
    "==================",
    "  main.f()",
    "      /a.go:1 +0x1",
    "Previous write at 0x00c000094028 by goroutine 7:",
    "{\"log\":\"panic: x\\n\",\"stream\":\"stderr\"}",
    "{\"log\":\"\\u001b[31mgoroutine 1 [running]:\\n\"}",
    "{\"log\":\"main.f(0x1)\\n\"}",
    "web-1  | panic: x",
    "db-1   | goroutine 7 [running]:",
    "{\"log\":\"goroutine 9 [running]:\\n\",\"container\":\"web\"}",
    "2026-11-21T08:33:31Z stderr P {\"log\":\"panic",
    "2026-11-21T08:33:31Z stderr F : x\\n\"}",
    "2026-11-21T08:33:31Z stdout P a part",
    "web-1  | gc 12 @3.405s 1%: 0.018+1.2+0.003 ms clock",
    "@4002 gc 13 @3.405s 1%: 0.018+1.2+0.003 ms clock",
    "{\"a\":{\"stack\":\"goroutine 3 [running]:\\nmain.f()\\n\\t/a.go:1 +0x1\\n\",\"b\":[1,\"x\"",
    "level=error stack=\"goroutine 4 [running]:\\nmain.f()\\n\\t/a.go:1 +0x1\\n\"",
    "@4000 goroutine 1 [running]:",
    "@4001 main.f(0x1)",
    "gc 12 @3.405s 1%: 0.018+1.2+0.003 ms clock",
    "",
    "some log line",
];

fn check(text: &[u8]) {
    let lines = text.split(|&b| b == b'\n').count() as u64;
    let (crashes, _) = traceback::parse(text);
    let mut before = 0;
    for crash in &crashes {
        // Several can stand in one record of JSON, and those of several sources in one place.
        assert!(
            crash.first_line >= before && crash.first_line <= crash.last_line && crash.last_line <= lines
        );
        before = crash.first_line;
        for g in &crash.goroutines {
            assert!(g.text_line >= crash.first_line && g.text_last_line <= crash.last_line);
            assert!(g.frames.iter().all(|f| f.text_line >= g.text_line && f.text_line <= g.text_last_line));
        }
    }
    race::parse(text);
}

/// What mixing found once.
#[test]
fn found_before() {
    // A note before a prefix that is learned later, of a line before the note.
    let lines = [55, 52, 29, 52].map(|at: usize| LINES[at]);
    check(lines.join("\n").as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes(text in prop::collection::vec(any::<u8>(), 0..2000)) {
        check(&text);
    }

    #[test]
    fn mixed_lines(order in prop::collection::vec(0..LINES.len(), 0..60), ends in any::<bool>()) {
        let end = if ends { "\r\n" } else { "\n" };
        let text: String = order.iter().flat_map(|&i| [LINES[i], end]).collect();
        check(text.as_bytes());
    }

    #[test]
    fn cut_lines(order in prop::collection::vec((0..LINES.len(), 0..90usize), 0..40)) {
        let text: Vec<u8> = order
            .iter()
            .flat_map(|&(i, cut)| {
                let line = LINES[i].as_bytes();
                [&line[..cut.min(line.len())], b"\n"].concat()
            })
            .collect();
        check(&text);
    }

    /// Header by header: a dump of many goroutines loses none to the log lines of somebody else.
    #[test]
    fn noise_between_lines(noise in prop::collection::vec(0..7usize, 30)) {
        let mut text = String::from("fatal error: all goroutines are asleep - deadlock!\n\n");
        for (i, &n) in noise.iter().enumerate() {
            writeln!(text, "goroutine {} [select]:\nmain.f(0x1)", i + 1).unwrap();
            text += &"other process: at work\n".repeat(n % 4);
            writeln!(text, "\t/a.go:{} +0x1\n", i + 1).unwrap();
            text += &"other process: at work\n".repeat(n);
        }
        let (crashes, _) = traceback::parse(text.as_bytes());
        prop_assert_eq!(crashes.len(), 1);
        prop_assert_eq!(crashes[0].goroutines.len(), noise.len());
        for (i, g) in crashes[0].goroutines.iter().enumerate() {
            prop_assert_eq!(g.frames[0].line, Some(i as u32 + 1));
        }
    }
}

#[test]
fn limits_are_kept_and_told() {
    let limits = traceback::Limits {
        goroutines: 4,
        frames: 3,
        line: 100,
        message: 50,
        ..traceback::Limits::default()
    };
    let mut text = format!("panic: {}\n\n", "m\n".repeat(100));
    for i in 1..6 {
        writeln!(text, "goroutine {i} [select]:").unwrap();
        text += &"main.f()\n\t/a.go:1 +0x1\n".repeat(5);
        writeln!(text, "main.{}()\n", "x".repeat(200)).unwrap();
    }
    let (crashes, diagnostics) = traceback::parse_with(text.as_bytes(), limits);
    assert_eq!((crashes[0].goroutines.len(), crashes[0].goroutines_dropped), (4, 1));
    assert!(crashes[0].goroutines.iter().all(|g| g.frames.len() == 3 && g.truncated));
    let told: Vec<_> = diagnostics.iter().map(|d| d.text.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
}
