use panicle_report::{Report, VerdictClass};
use serde_json::json;

use super::predicate;
use crate::{Facts, Kind, fields};

fn frame(function: &str, kind: &str) -> serde_json::Value {
    json!({
        "function": function, "file": null, "line": null, "pc": null, "sp": null, "inlined": false,
        "kind": kind, "trust": "pclntab", "args": null, "locals": []
    })
}

fn report() -> Report {
    let goroutine = json!({
        "id": 7, "status": "running", "wait_reason": null, "wait_seconds": null, "labels": {}, "thread": null,
        "locked_to_thread": false, "system": false, "address": null, "stack": null, "waiting_on": null,
        "created_by": null, "frames": [frame("runtime.gopanic", "runtime"), frame("main.main.func1", "go")],
        "leaked": null, "truncated": false, "elided": null
    });
    let cluster = |status: &str, reason: Option<&str>, count: u64| {
        json!({
            "signature": "s", "status": status, "wait_reason": reason, "count": count, "example_ids": [],
            "min_wait_seconds": null, "max_wait_seconds": null,
            "frames": [frame("runtime.gopark", "runtime"), frame("main.worker", "go")]
        })
    };
    serde_json::from_value(json!({
        "schema": "panicle.report/1",
        "source": {
            "core": { "format": "elf-core", "arch": "arm64", "os": "linux", "size_bytes": 1, "sha256": null, "truncated": null },
            "texts": [], "traces": [], "profiles": [], "races": []
        },
        "process": {
            "pid": 1, "command_line": null, "executable": "/bin/shopd", "signal": null, "started_at": null,
            "hostname": "h1", "container": null
        },
        "binary": {
            "path": null, "go_version": "go1.24.11", "module": "example.com/shop", "module_version": "v1.2.3",
            "vcs_revision": "3f2a", "build_ids": { "gnu": "aa", "go": "Bb/Cc", "text_sha256": null },
            "dwarf": "none", "stripped": true, "match": "build-id", "debug_file": null
        },
        "layout": null,
        "verdict": {
            "class": "nil-map-write", "title": "Write to a nil map", "summary": "", "confidence": "certain", "goroutine": 7,
            "other_goroutines": [], "map": null, "evidence": [], "hints": [], "fixes": [], "capture_next": []
        },
        "panic": {
            "kind": "panic", "message": "panic: assignment to entry in nil map",
            "chain": [{
                "value": { "type": "runtime.plainError", "text": "assignment to entry in nil map", "value": null },
                "recovered": false, "repanicked": false, "goexit": false, "goroutine": 7
            }]
        },
        "signature": {
            "version": 1, "fingerprint": "0f", "family": "1a", "title": "nil-map-write in main.main.func", "frames": ["main.main.func"],
            "explain": []
        },
        "goroutines": [goroutine],
        "goroutine_count": 1503,
        "goroutine_clusters": [
            cluster("waiting", Some("chan receive"), 1200), cluster("waiting", Some("select"), 302), cluster("running", None, 1)
        ],
        "threads": [],
        "diagnostics": []
    }))
    .expect("a report")
}

#[test]
fn a_report_says_what_can_be_asked() {
    let facts = Facts::of_report(&report());
    for text in [
        "\"main.main.func1\" && \"main.main.func\" && \"runtime.gopanic\"",
        "class:nil-map-write title:\"nil map\" title:func confidence:certain fingerprint:0f family:1a",
        "message:\"panic: assignment\" panic:plainError arch:arm64 os:linux host:h1 executable:shopd",
        "go:1.24 module:shop version:v1.2 revision:3f build:aa build:Bb/",
        "goroutines:1503 clusters:3 goroutines.status:waiting=1502 goroutines.status:\"chan receive\"=1200",
        "goroutines.function:main.worker=1503 goroutines.status:running=1",
        "!maps:>=0 && !threads:>=0",
    ] {
        assert!(predicate(text).matches(&facts), "{text}: {facts:#?}");
    }
    for fact in facts.iter() {
        assert!(fields::of_fact(fact.name).is_some(), "{} cannot be asked for", fact.name);
    }
}

#[test]
fn goroutines_are_found_by_all_functions_they_are_in() {
    let mut report = report();
    let waits = json!([
        frame("runtime.gopark", "runtime"),
        frame("sync.(*Mutex).lockSlow", "go"),
        frame("example.com/bank/ledger.(*Ledger).Transfer", "go"),
        frame("example.com/bank/ledger.(*Ledger).Transfer", "go"),
        frame("main.main", "go")
    ]);
    let frames: Vec<panicle_report::Frame> = serde_json::from_value(waits).expect("frames");
    report.goroutine_clusters[0].frames.clone_from(&frames);
    let mut other = report.goroutines[0].clone();
    (other.id, other.frames) = (9, frames);
    report.goroutines.push(other);
    report.verdict.other_goroutines.push(9);
    let facts = Facts::of_report(&report);
    for text in [
        "goroutines.function:*Transfer=1200",
        "goroutines.function:*lockSlow=1200 goroutines.function:main.worker=303",
        "frame:Transfer frame:*lockSlow",
    ] {
        assert!(predicate(text).matches(&facts), "{text}: {facts:#?}");
    }
    assert!(!predicate("goroutines.function:runtime.gopark").matches(&facts));
}

#[test]
fn nothing_read_is_unknown() {
    let mut report = report();
    report.goroutine_count = 0;
    report.goroutine_clusters.clear();
    report.binary.as_mut().expect("a binary").matched = panicle_report::BinaryMatch::Mismatch;
    let facts = Facts::of_report(&report);
    assert_eq!(facts.number("goroutines"), None);
    assert!(!predicate("goroutines:>=0").matches(&facts));
    assert!(!predicate("go:*").matches(&facts), "another program's version says nothing");
}

#[test]
fn all_classes_can_be_asked_for() {
    let Kind::OneOf(classes) = fields::find("class").expect("a field").0.kind else { panic!("words") };
    for class in classes {
        let known: VerdictClass = serde_json::from_value(json!(class)).expect(class);
        assert_eq!(known.as_str(), *class);
    }
    assert_eq!(classes.len(), VerdictClass::Unknown as usize + 1, "Unknown is the last one");
}
