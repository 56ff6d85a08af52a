//! How fast tracebacks are read: `cargo run --release --example throughput -- DUMP [MEGABYTES]`.
//!
//! Repeats a real dump, with its goroutine ids counted on, until it has that many megabytes (200),
//! and reads it as a stream and into memory.

use std::fmt::Write as _;
use std::time::Instant;

use panicle_evidence::traceback::{Event, Parser, parse};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: throughput DUMP [MEGABYTES]")?;
    let megabytes: usize = args.next().map_or(Ok(200), |n| n.parse())?;
    let dump = String::from_utf8(std::fs::read(path)?)?;
    let mut text = String::with_capacity(megabytes << 20);
    let mut headers = 0u64;
    'full: loop {
        for line in dump.lines() {
            if let Some(rest) = line.strip_prefix("goroutine ").and_then(|r| r.split_once(' ')) {
                headers += 1;
                // A second running goroutine would mean that the first belongs to a message.
                let state =
                    if headers > 1 { rest.1.replace("[running", "[runnable") } else { rest.1.to_owned() };
                writeln!(text, "goroutine {headers} {state}")?;
            } else if headers < 2 || !(line.starts_with("panic: ") || line.starts_with("fatal error: ")) {
                text += line;
                text.push('\n');
            }
            if text.len() >= megabytes << 20 {
                break 'full;
            }
        }
        text.push('\n');
    }
    let size = text.len() as f64 / 1e6;

    let begin = Instant::now();
    let (mut goroutines, mut frames) = (0u64, 0u64);
    let mut parser = Parser::new(|event| {
        if let Event::Goroutine(g) = event {
            goroutines += 1;
            frames += g.frames.len() as u64;
        }
    });
    for piece in text.as_bytes().chunks(1 << 20) {
        parser.push(piece);
    }
    let diagnostics = parser.finish();
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "streamed: {goroutines} of {headers} goroutines, {frames} frames, {} diagnostics",
        diagnostics.len()
    );
    println!("streamed: {size:.0} MB in {seconds:.3} s, {:.0} MB/s", size / seconds);

    let begin = Instant::now();
    let (crashes, _) = parse(text.as_bytes());
    let seconds = begin.elapsed().as_secs_f64();
    println!("kept: {} crashes, {size:.0} MB in {seconds:.3} s, {:.0} MB/s", crashes.len(), size / seconds);
    Ok(())
}
