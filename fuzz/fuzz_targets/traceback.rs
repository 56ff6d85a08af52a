//! Tracebacks: any bytes, whole and in pieces, give the same goroutines and never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_evidence::traceback::{Event, Parser, parse};

fuzz_target!(|text: &[u8]| {
    let whole: usize = parse(text).0.iter().map(|c| c.goroutines.len()).sum();
    let mut pieces = 0;
    let mut parser = Parser::new(|event| pieces += usize::from(matches!(event, Event::Goroutine(_))));
    text.chunks(13).for_each(|piece| parser.push(piece));
    parser.finish();
    assert_eq!(whole, pieces);
});
