//! Tracebacks: any bytes, whole and in pieces, give the same goroutines and never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_evidence::traceback::{Event, Limits, Parser, Reader, parse};

fuzz_target!(|text: &[u8]| {
    let whole: usize = parse(text).0.iter().map(|c| c.goroutines.len()).sum();
    let mut pieces = 0;
    let mut parser = Parser::new(|event| pieces += usize::from(matches!(event, Event::Goroutine(_))));
    text.chunks(13).for_each(|piece| parser.push(piece));
    parser.finish();
    assert_eq!(whole, pieces);
    // What is past a limit is counted, never lost.
    let mut reader = Reader::with_limits(Limits { goroutines: 4, bytes: 4096, record: 512, ..Limits::default() });
    text.chunks(7).for_each(|piece| reader.push(piece));
    for crash in reader.finish().crashes {
        let counted = crash.clusters.iter().map(|c| c.count).sum::<u64>() + crash.unclustered;
        assert!(crash.clusters.is_empty() || counted >= crash.goroutines_dropped);
    }
});
