//! How fast a dump is read, and in how much memory: `cargo run --release --example throughput -- DUMP MEGABYTES`.
//!
//! Writes a real dump, with its goroutine ids counted on, to a file until that has so many megabytes, and reads
//! it as `panicle analyze --text` does.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::time::Instant;

use panicle_evidence::traceback::Reader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: throughput DUMP MEGABYTES")?;
    let megabytes: u64 = args.next().map_or(Ok(200), |n| n.parse())?;
    let long = std::env::temp_dir().join(format!("throughput-{}.txt", std::process::id()));
    let headers = write(&std::fs::read_to_string(path)?, &long, megabytes << 20)?;
    let mut file = File::open(&long)?;
    std::fs::remove_file(&long)?;

    let (begin, before) = (Instant::now(), ticks()?);
    let mut reader = Reader::default();
    let mut buffer = vec![0; 128 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        reader.push(&buffer[..count]);
    }
    let reading = reader.finish();
    let seconds = begin.elapsed().as_secs_f64();
    // Linux counts in hundredths of a second here.
    let cpu = (ticks()? - before) / 100.0;
    let size = reading.bytes as f64 / 1e6;
    let kept: usize = reading.crashes.iter().map(|c| c.goroutines.len()).sum();
    let counted: u64 = reading.crashes.iter().map(|c| c.goroutines.len() as u64 + c.goroutines_dropped).sum();
    println!("{counted} of {headers} goroutines, {kept} kept whole, {} crashes", reading.crashes.len());
    println!("{size:.0} MB in {seconds:.3} s, {cpu:.2} s of them on a processor: {:.0} MB/s", size / cpu);
    for line in std::fs::read_to_string("/proc/self/status")?.lines().filter(|l| l.starts_with("VmHWM")) {
        println!("{line}");
    }
    Ok(())
}

/// Time of this process on processors, its own and the kernel's for it.
fn ticks() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok(fields.get(11).ok_or("no utime")?.parse::<f64>()?
        + fields.get(12).ok_or("no stime")?.parse::<f64>()?)
}

/// Repeats a dump. Answers how many goroutines it has then.
fn write(dump: &str, to: &std::path::Path, size: u64) -> std::io::Result<u64> {
    let mut out = BufWriter::new(File::create(to)?);
    let (mut headers, mut written) = (0, 0);
    while written < size {
        for line in dump.lines() {
            let text = if let Some(rest) = line.strip_prefix("goroutine ").and_then(|r| r.split_once(' ')) {
                headers += 1;
                // A second running goroutine would mean that the first belongs to a message.
                let state =
                    if headers > 1 { rest.1.replace("[running", "[runnable") } else { rest.1.to_owned() };
                format!("goroutine {headers} {state}\n")
            } else if headers > 1
                && ["panic: ", "fatal error: ", "SIG", "PC="].iter().any(|of| line.starts_with(of))
            {
                continue;
            } else {
                format!("{line}\n")
            };
            written += text.len() as u64;
            out.write_all(text.as_bytes())?;
        }
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(headers)
}
