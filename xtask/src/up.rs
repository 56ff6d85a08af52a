//! `cargo xtask up`: build the product, start it, and show it a crash.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{paths, process, web};

mod client;
pub(crate) mod sample;

use client::Client;

/// Time for the server to come up.
const START: Duration = Duration::from_mins(1);
/// Time for the server to go down.
const STOP: Duration = Duration::from_secs(20);
/// Time for the sample to be analysed.
const ANALYSIS: Duration = Duration::from_mins(2);

/// Options of `cargo xtask up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Send a sample crash even when this is no terminal
    #[arg(long)]
    demo: bool,
    /// Where the server keeps its data
    #[arg(long, default_value = "panicle-data")]
    data: PathBuf,
    /// Where the server listens
    #[arg(long, default_value = "127.0.0.1:7171")]
    listen: String,
}

/// Runs the subcommand until Ctrl-C.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (sender, interrupted) = channel();
    ctrlc::set_handler(move || {
        // The receiver lives as long as we do.
        let _ = sender.send(());
    })?;
    step("building the web UI");
    if let Err(error) = web::install_if_stale().and_then(|()| web::build()) {
        if web::folder().join("package.json").is_file() && paths::find_program(&["npm"]).is_some() {
            return Err(error.context("the web UI does not build"));
        }
        // Without Node the server still works; its start page says what is missing.
        eprintln!("going on without the web UI: {error:#}");
    }
    step("building the server");
    process::run(process::cargo().args(["build", "--release", "--package", "panicle"]))?;

    step("starting the server");
    let mut server = Command::new(paths::release_binary()?)
        .arg("serve")
        .arg("--data")
        .arg(&options.data)
        .args(["--listen", &options.listen])
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start the server")?;
    let result = operate(options, &mut server, &interrupted);
    let stopped = stop(&mut server);
    result.and(stopped)
}

fn operate(options: &Options, server: &mut Child, interrupted: &Receiver<()>) -> Result<()> {
    let client = Client::new(&options.listen);
    let deadline = Instant::now() + START;
    while !client.is_ready() {
        if let Some(status) = server.try_wait()? {
            bail!("the server ended while it started: {status}");
        }
        if Instant::now() > deadline {
            bail!("the server was not ready after {} seconds", START.as_secs());
        }
        if pause(interrupted, Duration::from_millis(100)) {
            return Ok(());
        }
    }
    let mut lines = vec![format!("Panicle is at {}/", client.base())];
    if options.demo || std::io::stdout().is_terminal() {
        step("sending a sample crash");
        match demo(&client, interrupted) {
            Ok(line) => lines.push(line),
            Err(error) if options.demo => return Err(error.context("the sample crash could not be sent")),
            Err(error) => eprintln!("no sample crash: {error:#}"),
        }
    }
    lines.push("Ctrl-C ends it".to_owned());
    println!("\n{}", lines.join("\n"));
    loop {
        if pause(interrupted, Duration::from_millis(200)) {
            return Ok(());
        }
        if let Some(status) = server.try_wait()? {
            bail!("the server ended: {status}");
        }
    }
}

/// Sends the sample and waits for what the analysis makes of it.
fn demo(client: &Client, interrupted: &Receiver<()>) -> Result<String> {
    let sample = sample::get();
    let id = client.send(&sample)?;
    let url = format!("{}/crashes/{id}", client.base());
    let deadline = Instant::now() + ANALYSIS;
    loop {
        let crash = client.crash(&id)?;
        let status = crash["status"].as_str().unwrap_or("unknown");
        match status {
            "done" => {
                let title = crash["title"].as_str().unwrap_or("a crash");
                return Ok(format!("sample crash: {url}\n  {title}"));
            }
            "failed" | "quarantined" => bail!("the analysis ended as {status}: {}", crash["failure"]),
            _ if Instant::now() > deadline => bail!("the analysis is still {status}; see {url}"),
            _ if pause(interrupted, Duration::from_millis(250)) => bail!("interrupted"),
            _ => {}
        }
    }
}

/// Waits; true when Ctrl-C came.
fn pause(interrupted: &Receiver<()>, time: Duration) -> bool {
    !matches!(interrupted.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}

/// Asks the server to end, and makes it when it does not.
fn stop(server: &mut Child) -> Result<()> {
    if server.try_wait()?.is_some() {
        return Ok(());
    }
    kill(Pid::from_raw(server.id().cast_signed()), Signal::SIGTERM)?;
    let deadline = Instant::now() + STOP;
    while server.try_wait()?.is_none() {
        if Instant::now() > deadline {
            server.kill()?;
            server.wait()?;
            bail!("the server did not end within {} seconds of SIGTERM", STOP.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn step(name: &str) {
    eprintln!("\n=== {name} ===");
}
