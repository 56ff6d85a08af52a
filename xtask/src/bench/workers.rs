//! How much faster two workers are than one: a backlog of analyses on PostgreSQL and an S3 store.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::Options;
use super::service::{self, Client, Process, Servers};
use crate::fixtures::toolchain::VERSIONS;

/// What issue 6 asks for.
const LEAST: f64 = 1.8;
/// Programs whose cores are analysed.
const PROGRAMS: [&str; 3] = ["goroutine-leak", "http-server", "calls"];
const LOOKS_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(15);

/// Measures.
pub(super) fn run(options: &Options, panicle: &Path) -> Result<()> {
    let mut servers = Servers::start()?;
    servers.remove("workers")?;
    let (url, _) = servers.database("workers")?;
    let folder = tempfile::tempdir()?;
    let shared = ["--database", url.as_str(), "--blobs", servers.bucket()];
    let address = service::free_address()?;
    let data = folder.path().join("data");
    let mut arguments =
        vec!["serve", "--workers", "0", "--listen", &address, "--data", data.to_str().context("no path")?];
    arguments.extend(shared);
    let mut server = Process::start(panicle, &arguments, servers.environment(), &folder.path().join("log"))?;
    let client = Client::new(&address);
    server.ready(&client)?;
    let crashes = backlog(&client, options.jobs)?;
    let reanalyse = || {
        crashes.iter().try_for_each(|crash| {
            client.post(&format!("/api/v1/crashes/{crash}/reanalyse"), &json!({})).map(drop)
        })
    };
    // What is fetched from the store is in the caches of both before anything is measured.
    drain(panicle, &shared, servers.environment(), folder.path(), 0..1, &client)?;
    reanalyse()?;
    drain(panicle, &shared, servers.environment(), folder.path(), 1..2, &client)?;
    let mut best = [f64::INFINITY; 2];
    for _ in 0..options.runs {
        for workers in [1, 2] {
            reanalyse()?;
            let took = drain(panicle, &shared, servers.environment(), folder.path(), 0..workers, &client)?;
            best[workers - 1] = best[workers - 1].min(took);
            println!(
                "{workers} worker{}: {} analyses in {took:.2} s, load {}",
                if workers == 1 { " " } else { "s" },
                crashes.len(),
                std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim()
            );
        }
    }
    let ratio = best[0] / best[1];
    println!("two workers are {ratio:.2} times as fast as one, best of {}", options.runs);
    if options.json {
        println!("{}", json!({"one_seconds": best[0], "two_seconds": best[1], "ratio": ratio}));
    }
    ensure!(ratio >= LEAST, "less than {LEAST} times");
    Ok(())
}

/// Sends crashes of real cores, each of its own: a core with another number behind its end is another one.
fn backlog(client: &Client, jobs: u32) -> Result<Vec<String>> {
    let newest = VERSIONS[VERSIONS.len() - 1];
    let mut sources = Vec::new();
    for program in PROGRAMS {
        let fixture = panicle_fixtures::get(program, newest);
        let binary = client.put("binary", &std::fs::read(&fixture.binary)?)?;
        sources.push((std::fs::read(&fixture.core)?, binary));
    }
    (0..jobs)
        .map(|number| {
            let (core, binary) = &sources[number as usize % sources.len()];
            let mut core = core.clone();
            core.extend(u64::from(number).to_le_bytes());
            let core = client.put("core", &core)?;
            client.post("/api/v1/crashes", &json!({"core": core, "binaries": [binary]}))
        })
        .collect()
}

/// Starts so many workers and waits until nothing is left to do; seconds from when the first report is there to the last,
/// so that the start of processes is in none of them.
fn drain(
    panicle: &Path,
    shared: &[&str],
    environment: &[(String, String)],
    folder: &Path,
    workers: Range<usize>,
    client: &Client,
) -> Result<f64> {
    let running: Vec<Process> = workers
        .map(|number| {
            let cache = folder.join(format!("cache-{number}"));
            let mut arguments =
                vec!["worker", "--workers", "1", "--cache-dir", cache.to_str().context("no path")?];
            arguments.extend(shared);
            Process::start(panicle, &arguments, environment, &folder.join(format!("worker-{number}")))
        })
        .collect::<Result<_>>()?;
    let left = || {
        // With those that a worker has.
        client.json("/api/v1/stats")?["queued"].as_u64().context("no stats")
    };
    let (all, begun) = (left()?, Instant::now());
    let mut started = None;
    loop {
        let now = left()?;
        if started.is_none() && now < all {
            started = Some((Instant::now(), now));
        }
        if now == 0 {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "{now} analyses are left after {PATIENCE:?}");
        std::thread::sleep(LOOKS_EVERY);
    }
    let (started, first) = started.context("there was nothing to do")?;
    drop(running);
    // As if all had been counted from the first.
    Ok(started.elapsed().as_secs_f64() * all as f64 / first.max(1) as f64)
}
