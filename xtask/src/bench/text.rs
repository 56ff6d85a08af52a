//! A goroutine dump of a gibibyte: how fast it is read on one core, and in how much memory.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Options, median};
use crate::paths;

/// Recorded texts whose goroutines the dump is made of: services under load, every kind of wait, deep stacks.
const TEXTS: [&str; 4] = ["sigabrt.all.txt", "waits.all.txt", "deepstack.all.txt", "debug2.all.txt"];
/// What issue 5 asks for.
const LEAST_MB_PER_SECOND: f64 = 300.0;
const MOST_BYTES: u64 = 100 << 20;

/// Measures the reading of a dump from a file and from a pipe.
pub(super) fn run(options: &Options, panicle: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let dump = folder.path().join("goroutines.txt");
    let goroutines = write(&dump, options.mib << 20)?;
    let bytes = fs::metadata(&dump)?.len();
    if !options.json {
        println!("a dump of {goroutines} goroutines, {} MiB, on one core", bytes >> 20);
    }
    let mut missed = Vec::new();
    for (way, command) in [("file", analyze(panicle, &dump)), ("pipe", piped(panicle, &dump))] {
        let took = median(options.runs, || one_core(&command))?;
        // By the time on the processor: what else this machine does is not its fault.
        let speed = bytes as f64 / 1e6 / took.cpu_seconds;
        if options.json {
            let line = serde_json::json!({
                "program": "goroutine dump",
                "tool": way,
                "bytes": bytes,
                "median_seconds": took.seconds,
                "cpu_seconds": took.cpu_seconds,
                "megabytes_per_second": speed,
                "peak_rss_bytes": took.peak_rss_bytes,
            });
            println!("{}", serde_json::to_string(&line)?);
        } else {
            println!(
                "{:<20} {:>9}   {way:<8} {:>8.3}s {:>6} MiB {speed:>6.0} MB/s",
                "goroutine dump",
                "",
                took.seconds,
                took.peak_rss_bytes >> 20
            );
        }
        if speed < LEAST_MB_PER_SECOND || took.peak_rss_bytes > MOST_BYTES {
            missed.push(way);
        }
    }
    ensure!(
        missed.is_empty(),
        "slower than {LEAST_MB_PER_SECOND} MB/s, or over {MOST_BYTES} bytes: {missed:?}"
    );
    Ok(())
}

fn analyze(panicle: &Path, dump: &Path) -> Vec<String> {
    let mut words = vec![panicle.display().to_string()];
    words.extend(["analyze", "--format", "json", "--text"].map(str::to_owned));
    words.push(dump.display().to_string());
    words
}

fn piped(panicle: &Path, dump: &Path) -> Vec<String> {
    let line = format!("exec '{}' analyze --format json --text - < '{}'", panicle.display(), dump.display());
    ["sh", "-c", &line].map(str::to_owned).into()
}

/// Holds a command to the first core, where that can be done.
fn one_core(words: &[String]) -> Command {
    let mut command = match paths::find_program(&["taskset"]) {
        Some(taskset) => {
            let mut command = Command::new(taskset);
            command.args(["-c", "0"]);
            command
        }
        None => Command::new("env"),
    };
    command.args(words);
    command
}

/// Writes a dump of at least `size` bytes out of real goroutines, each with an id, addresses and a wait of its
/// own. Answers how many there are.
fn write(path: &Path, size: u64) -> Result<u64> {
    let stanzas = stanzas()?;
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(b"SIGQUIT: quit\nPC=0x46d3a1 m=0 sigcode=0\n\n")?;
    let (mut written, mut id) = (0_u64, 0_u64);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = String::new();
    while written < size {
        for stanza in &stanzas {
            id += 1;
            text.clear();
            vary(stanza, id, &mut state, &mut text)?;
            out.write_all(text.as_bytes())?;
            written += text.len() as u64;
        }
    }
    out.flush()?;
    Ok(id)
}

/// Goroutines that real programs of the newest Go printed.
fn stanzas() -> Result<Vec<String>> {
    let folder = paths::root().join("crates/evidence/tests/data");
    let newest = newest(&folder)?;
    let mut stanzas = Vec::new();
    for name in TEXTS {
        let path = newest.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        stanzas.extend(text.split("\n\n").filter(|s| s.starts_with("goroutine ")).map(str::to_owned));
    }
    ensure!(stanzas.len() > 20, "there are too few recorded goroutines in {}", newest.display());
    Ok(stanzas)
}

fn newest(folder: &Path) -> Result<PathBuf> {
    let minor = |path: &Path| -> Option<u32> { path.file_name()?.to_str()?.split('.').nth(1)?.parse().ok() };
    fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .max_by_key(|path| minor(path))
        .with_context(|| format!("nothing is recorded in {}", folder.display()))
}

/// A stanza with another id, other words among the arguments, and another wait.
fn vary(stanza: &str, id: u64, state: &mut u64, out: &mut String) -> Result<()> {
    for (number, line) in stanza.trim_end().lines().enumerate() {
        if number == 0 {
            let rest = line.trim_start_matches("goroutine ").trim_start_matches(|c: char| c.is_ascii_digit());
            // One goroutine runs when a process is asked for all; here nobody asked.
            let rest = rest.replace("[running", "[runnable");
            match rest
                .strip_suffix("]:")
                .filter(|rest| !rest.contains("minutes") && !rest.contains("runnable"))
            {
                Some(rest) => writeln!(out, "goroutine {id}{rest}, {} minutes]:", 1 + id % 59)?,
                None => writeln!(out, "goroutine {id}{rest}")?,
            }
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.find("0xc0") {
            let (before, after) = rest.split_at(at);
            let digits = after[2..].bytes().take_while(u8::is_ascii_hexdigit).count();
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            write!(out, "{before}0xc{:0width$x}", *state >> 28, width = digits.saturating_sub(1))?;
            rest = &after[2 + digits..];
        }
        out.push_str(rest);
        out.push('\n');
    }
    out.push('\n');
    Ok(())
}
