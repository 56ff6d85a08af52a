use panicle_report::{Frame, FrameKind, Goroutine, GoroutineCluster, Trust};

use crate::Rows;

fn goroutine(id: u64, functions: &[&str]) -> Goroutine {
    let frames = functions.iter().map(|function| Frame {
        function: (*function).to_owned(),
        file: None,
        line: Some(7),
        pc: None,
        sp: None,
        inlined: false,
        kind: FrameKind::Go,
        trust: Trust::Pclntab,
        args: None,
        locals: Vec::new(),
    });
    Goroutine {
        id,
        status: "waiting".to_owned(),
        wait_reason: Some("chan receive".to_owned()),
        wait_seconds: None,
        labels: [("job".to_owned(), "a".to_owned())].into(),
        thread: None,
        locked_to_thread: false,
        system: false,
        address: None,
        stack: None,
        waiting_on: None,
        created_by: None,
        frames: frames.collect(),
        leaked: None,
        truncated: false,
        elided: None,
    }
}

fn cluster(signature: &str, examples: &[u64]) -> GoroutineCluster {
    GoroutineCluster {
        signature: signature.to_owned(),
        status: "waiting".to_owned(),
        wait_reason: Some("chan receive".to_owned()),
        count: 2,
        example_ids: examples.to_vec(),
        min_wait_seconds: None,
        max_wait_seconds: None,
        frames: Vec::new(),
    }
}

#[test]
fn every_goroutine_finds_its_cluster_through_an_example() {
    let goroutines =
        [goroutine(1, &["main.a"]), goroutine(2, &["main.b"]), goroutine(3, &["main.a"]), goroutine(4, &[])];
    let rows = Rows::new(&goroutines, &[cluster("aa", &[1]), cluster("bb", &[2])]);
    let clusters: Vec<_> =
        rows.rows.iter().map(|row| row.cluster.map(|number| rows.text(number).to_owned())).collect();
    assert_eq!(clusters, [Some("aa".to_owned()), Some("bb".to_owned()), Some("aa".to_owned()), None]);
    assert_eq!(rows.label_sets.len(), 2);
    assert_eq!(rows.text(rows.rows[2].top_function.unwrap()), "main.a");
}
