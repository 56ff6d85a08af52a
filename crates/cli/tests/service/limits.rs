//! Evidence that is too much for its analysis harms nothing else.

use std::fmt::Write;

use serde_json::json;

use crate::harness::{Server, text};

/// A text of so many different goroutines that reading it takes hundreds of megabytes.
pub(crate) fn huge_text() -> String {
    let mut text =
        String::from("panic: too much\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:5 +0x1d\n\n");
    for id in 2..400_000 {
        write!(text, "goroutine {id} [select]:\nmain.f{id}(0x{id:x})\n\t/src/f{id}.go:{id} +0x1d\n\n")
            .unwrap();
    }
    text
}

#[test]
fn what_kills_its_analysis_is_set_aside_after_three_attempts() {
    let server =
        Server::start(&["--workers", "1", "--analysis-memory-mib", "40", "--retry-after-seconds", "0"]);
    let huge = server.put_stream("text", huge_text().as_bytes());
    let poison = server.crash(&json!({ "texts": [huge] }));
    let small = server.put_stream("text", text(1).as_bytes());
    let healthy = server.crash(&json!({ "texts": [small] }));

    assert_eq!(server.wait(&healthy, &["done", "failed", "quarantined"])["status"], "done");
    let set_aside = server.wait(&poison, &["done", "failed", "quarantined"]);
    assert_eq!(set_aside["status"], "quarantined", "{set_aside:#}");
    assert_eq!(set_aside["attempts"], 3);
    assert_eq!(set_aside["failure"]["attempts"], 3);
    assert!(set_aside["failure"]["detail"].as_str().unwrap().contains("memory"), "{set_aside:#}");
    assert_eq!(server.get("/api/v1/stats").expect(200)["failed"], 1);
    // Its reproducer is the evidence itself.
    let evidence = server.get(&format!("/api/v1/blobs/{huge}/content"));
    assert_eq!(evidence.body.len(), huge_text().len());
    // It is tried again when somebody asks for it.
    server.post(&format!("/api/v1/crashes/{poison}/reanalyse"), &json!({})).expect(202);
    server.wait(&poison, &["quarantined"]);
}

#[test]
fn what_takes_too_long_is_stopped() {
    let server = Server::start(&["--workers", "1", "--analysis-seconds", "0", "--retry-after-seconds", "0"]);
    let text = server.put_stream("text", text(1).as_bytes());
    let crash = server.crash(&json!({ "texts": [text] }));
    let stopped = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!(stopped["status"], "quarantined");
    assert!(stopped["failure"]["detail"].as_str().unwrap().contains("longer than"), "{stopped:#}");
}
