//! Texts alone: what they hold together, and what is kept of long ones.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{fmt::Write as _, fs, path::PathBuf};

use panicle_analysis::{Inputs, NamedBytes, Options, TextKind, TextReader, analyse, analyse_with};
use panicle_report::{PanicKind, Report, VerdictClass};

fn recorded(version: &str, name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../evidence/tests/data");
    fs::read(folder.join(version).join(name)).unwrap()
}

fn report(texts: &[&[u8]]) -> Report {
    let texts = texts.iter().map(|bytes| NamedBytes { name: None, bytes, sha256: None }).collect();
    analyse(&Inputs { texts, ..Inputs::default() }, &Options::default()).unwrap()
}

fn said(report: &Report) -> String {
    report.diagnostics.iter().map(|d| d.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn races_alone_make_a_report() {
    for version in ["1.19.8", "1.23.9", "1.27.3"] {
        let text = recorded(version, "race.single.txt");
        let race = NamedBytes { name: Some("race.log".to_owned()), bytes: &text, sha256: None };
        let inputs = Inputs { races: vec![race], ..Inputs::default() };
        let report = analyse(&inputs, &Options::default()).unwrap();
        assert_eq!(report.verdict.class, VerdictClass::DataRace, "{version}");
        assert!(!report.races.is_empty() && report.races[0].accesses.len() == 2);
        assert!(report.goroutines.is_empty() && report.panic.is_none());
        // The detector's numbers are no goroutine ids: there is nothing to link to.
        assert_eq!((report.verdict.goroutine, report.source.races.len()), (None, 1));
        assert!(!report.signature.frames.is_empty(), "{:?}", report.signature);
        // In a log it is the same.
        let mut log = b"=== RUN TestCache\n".to_vec();
        log.extend(text);
        log.extend_from_slice(b"testing.go:1490: race detected during execution of test\n");
        let in_log = self::report(&[&log]);
        assert_eq!((in_log.races.len(), in_log.verdict.class), (report.races.len(), report.verdict.class));
        assert_eq!(in_log.signature.fingerprint, report.signature.fingerprint);
    }
}

#[test]
fn the_side_that_was_noticed_first_does_not_change_the_signature() {
    let of = |first: &str, second: &str| {
        let text = format!(
            "==================\nWARNING: DATA RACE\n{first} by goroutine 8:\n  main.{second}()\n      /m.go:2 +0x1\n\n\
             Previous {} by goroutine 7:\n  main.{}()\n      /m.go:1 +0x1\n==================\n",
            if first.starts_with("Read") { "write at 0x00c000094078" } else { "read at 0x00c000094078" },
            if second == "get" { "put" } else { "get" },
        );
        report(&[text.as_bytes()]).signature.fingerprint
    };
    assert_eq!(of("Read at 0x00c000094078", "get"), of("Write at 0x00c000094078", "put"));
}

#[test]
fn a_recovered_panic_is_no_death() {
    let http = recorded("1.27.3", "http.single.txt");
    let alone = report(&[&http]);
    assert_eq!(alone.panic.as_ref().unwrap().kind, PanicKind::Panic);
    assert!(alone.panic.as_ref().unwrap().chain.iter().all(|link| link.recovered));
    assert!(said(&alone).contains("recovered by net/http"), "{}", said(&alone));
    // A death before it is what the report is about.
    let death = recorded("1.27.3", "nilptr.single.txt");
    let both = report(&[&[&death[..], &http[..]].concat()]);
    assert_eq!(both.verdict.class, VerdictClass::NilDereference);
    assert!(!said(&both).contains("recovered by"), "{}", said(&both));
    let logged = report(&[&recorded("1.27.3", "logged-json.single.txt")]);
    assert_eq!(logged.verdict.class, VerdictClass::NoCrash);
    assert!(said(&logged).contains("recovered by the program"), "{}", said(&logged));
}

#[test]
fn the_last_line_of_gctrace_is_told() {
    let report = report(&[&recorded("1.27.3", "gctrace.all.txt")]);
    assert_eq!(report.verdict.class, VerdictClass::NilMapWrite);
    assert!(said(&report).contains("GODEBUG=gctrace=1: gc "), "{}", said(&report));
}

#[test]
fn a_long_dump_is_counted_as_a_whole_and_kept_in_part() {
    const MANY: u64 = 60_000;
    let mut reader = TextReader::new(TextKind::Text, Some("dump".to_owned()));
    reader.push(b"SIGQUIT: quit\nPC=0x46d3a1 m=0 sigcode=0\n\n");
    let mut piece = String::new();
    for id in 1..=MANY {
        piece.clear();
        let (reason, line) = if id % 4 == 0 { ("select", 7) } else { ("chan receive", 9) };
        writeln!(
            piece,
            "goroutine {id} [{reason}, {} minutes]:\nmain.work(0x{id:x})\n\t/m.go:{line} +0x1d",
            id % 9 + 1
        )
        .unwrap();
        writeln!(piece, "created by main.main in goroutine 1\n\t/m.go:3 +0x1d\n").unwrap();
        reader.push(piece.as_bytes());
    }
    let text = reader.finish(1, None);
    let report = analyse_with(&Inputs::default(), vec![text], &Options::default()).unwrap();
    assert_eq!(report.goroutine_count, MANY);
    assert!((1000..MANY as usize).contains(&report.goroutines.len()), "{}", report.goroutines.len());
    let counts: Vec<_> = report.goroutine_clusters.iter().map(|c| c.count).collect();
    assert_eq!(counts, [MANY / 4 * 3, MANY / 4]);
    assert_eq!(report.goroutine_clusters[1].example_ids, (1..=10).map(|n| n * 4).collect::<Vec<_>>());
    assert_eq!(report.goroutine_clusters[1].max_wait_seconds, Some(540.0));
    // A small dump of the same stack is clustered to the same signature.
    let small = "goroutine 8 [select, 2 minutes]:\nmain.work(0x8)\n\t/m.go:7 +0x1d\n\
                 created by main.main in goroutine 1\n\t/m.go:3 +0x1d\n";
    let small = self::report(&[small.as_bytes()]);
    assert_eq!(small.goroutine_clusters[0].signature, report.goroutine_clusters[1].signature);
    assert!(said(&report).contains("Of 60000 goroutines"), "{}", said(&report));
}

/// As a program printed it whose dependency indexes its argument.
const IN_A_LIBRARY: &str = "panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
example.com/acme/kv/v2/codec.Decode({0x7bacd7080b0?, 0x7bacd766e40?, 0x41ed65?})
\t/src/shop/vendor/example.com/acme/kv/v2/codec/codec.go:5 +0x2f
example.com/acme/kv/v2.(*Store[...]).Each(0x8?, 0x7bacd766ef0?)
\t/src/shop/vendor/example.com/acme/kv/v2/kv.go:11 +0x3d
main.main()
\t/src/shop/cmd/poolworker/main.go:50 +0x27f
";

#[test]
fn what_failed_in_a_library_is_told_of_the_library() {
    let Report { verdict, signature, .. } = report(&[IN_A_LIBRARY.as_bytes()]);
    let title =
        "index-out-of-range: index out of range at example.com/acme/kv.(*Store).Each, called from main.main";
    assert_eq!(signature.title, title);
    let place = "codec.Decode (codec.go:5), called from main.main (main.go:50)";
    assert!(verdict.summary.starts_with(&format!("Index 3 was used in {place}")), "{}", verdict.summary);
    assert!(verdict.title.ends_with(&format!(" in {place}")), "{}", verdict.title);
    let evidence: Vec<_> = verdict.evidence.iter().map(|e| e.text.as_str()).take(4).collect();
    assert_eq!(
        evidence[1..],
        [
            "Failed in codec.Decode (codec.go:5)",
            "Called through v2.(*Store[...]).Each (kv.go:11)",
            "Called from main.main (main.go:50)"
        ]
    );
}

/// As a program printed it that recovers in a deferred function and logs `debug.Stack()`.
const RECOVERED: &str = "2026/11/21 21:54:03 recovered: assignment to entry in nil map
goroutine 1 [running]:
runtime/debug.Stack()
\t/go/src/runtime/debug/stack.go:26 +0x5e
main.handle.func1()
\t/src/nm/main.go:6 +0x38
panic({0x572eb0?, 0x5863f0?})
\t/go/src/runtime/panic.go:859 +0x125
main.handle()
\t/src/nm/main.go:6 +0x45
main.main()
\t/src/nm/main.go:13 +0xab
2026/11/21 21:54:03 fine
";

#[test]
fn what_was_recovered_is_told_as_recovered() {
    let verdict = report(&[RECOVERED.as_bytes()]).verdict;
    assert_eq!(verdict.class, VerdictClass::NoCrash);
    assert_eq!(verdict.title, "No crash: a recovered panic in main.handle (main.go:6)");
    assert!(
        verdict.summary.starts_with("A panic in main.handle (main.go:6) was recovered"),
        "{}",
        verdict.summary
    );
    let served = "2026/11/21 21:54:03 http: panic serving 127.0.0.1:1: assignment to entry in nil map\n";
    let stack = RECOVERED
        .split_once('\n')
        .unwrap()
        .1
        .replace("runtime/debug.Stack()", "net/http.(*conn).serve.func1()");
    let verdict = report(&[format!("{served}{stack}").as_bytes()]).verdict;
    assert_eq!(verdict.class, VerdictClass::NilMapWrite);
    assert!(verdict.title.starts_with("Recovered: Write to a nil map in main.handle"), "{}", verdict.title);
    assert!(verdict.summary.ends_with("It was recovered, and the process went on."), "{}", verdict.summary);
}

/// What text does not tell is not said: an error and a string are printed alike.
#[test]
fn an_error_and_a_string_are_not_told_apart() {
    for value in ["assertion failed: account 7 is empty", "code four"] {
        let text = format!("panic: {value}\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:3 +0x1\n");
        let verdict = report(&[text.as_bytes()]).verdict;
        let said = "The program itself called panic with an error or a string in main.main (main.go:3)";
        assert!(verdict.summary.starts_with(said), "{}", verdict.summary);
        assert_eq!(verdict.confidence, panicle_report::Confidence::Possible);
    }
}

/// What comes after a crash and only begins like another one takes nothing away from it, wherever it is cut.
#[test]
fn a_headline_without_a_stack_hides_no_crash() {
    let first = [&recorded("1.24.11", "nilmap.single.txt")[..], b"exit status 2\n"].concat();
    let alone = report(&[&first]);
    let second = recorded("1.24.11", "mapwrites.single.txt");
    let header = String::from_utf8_lossy(&second).find("goroutine ").unwrap();
    for cut in 0..=header {
        let cut_off = report(&[&[&first[..], &second[..cut]].concat()]);
        assert_eq!(cut_off.signature.fingerprint, alone.signature.fingerprint, "cut at {cut}");
    }
    for said in [
        "panic: foo\n",
        "panic: b [recovered]\n",
        "fatal error: could not read from remote repository\nGET /x 200\n",
    ] {
        let log = report(&[&[&first[..], said.as_bytes()].concat()]);
        assert_eq!(log.verdict.class, VerdictClass::NilMapWrite, "{said}");
        let many = report(&[&[&first[..], said.repeat(300).as_bytes()].concat()]);
        assert_eq!(many.verdict.class, VerdictClass::NilMapWrite, "300 times {said}");
    }
    let whole = report(&[&[&first[..], &second[..]].concat()]);
    assert_eq!(whole.verdict.class, VerdictClass::ConcurrentMapWrite, "the newest is told");
    // Alone it is all that is known.
    assert_eq!(report(&[b"panic: foo\n"]).panic.unwrap().message.as_deref(), Some("panic: foo"));
}
