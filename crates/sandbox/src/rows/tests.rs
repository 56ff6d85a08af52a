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
        library: None,
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

#[test]
fn clusters_that_differ_by_a_line_only_stay_apart() {
    let at_line = |id: u64, line: u32| {
        let mut goroutine = goroutine(id, &["main.a"]);
        goroutine.frames[0].line = Some(line);
        goroutine
    };
    let goroutines: Vec<_> = (0..40).map(|id| at_line(id, if id % 2 == 0 { 7 } else { 8 })).collect();
    let rows = Rows::new(&goroutines, &[cluster("even", &[0]), cluster("odd", &[1])]);
    for row in &rows.rows {
        let expected = if row.id % 2 == 0 { "even" } else { "odd" };
        assert_eq!(row.cluster.map(|number| rows.text(number)), Some(expected), "goroutine {}", row.id);
    }
}
