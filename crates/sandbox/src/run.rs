//! The parent's side.

use std::{
    io::{self, Read, Write},
    os::{
        fd::AsFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, kill_process_group},
};
use thiserror::Error;

use crate::{Answer, Job};

/// How often the parent looks whether the child is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How much of a child's last words is kept.
const STDERR_BYTES: usize = 8 << 10;
/// One line at most: the head of a report, or the rows of a very large one.
const LINE_BYTES: usize = 1 << 30;

/// Starts children.
#[derive(Clone, Debug)]
pub struct Sandbox {
    program: PathBuf,
    arguments: Vec<String>,
}

/// Why a child did not come to its end.
#[derive(Debug, Error)]
pub enum Stopped {
    /// It could not be started.
    #[error("the analysis process could not be started: {0}")]
    Start(io::Error),
    /// It wanted more memory than it may have.
    #[error("the analysis needed more than the {limit_bytes} bytes of memory that it may use")]
    Memory {
        /// The limit.
        limit_bytes: u64,
    },
    /// It used up its processor time.
    #[error("the analysis used up its {limit_seconds} seconds of processor time")]
    Cpu {
        /// The limit.
        limit_seconds: u64,
    },
    /// It took too long.
    #[error("the analysis took longer than {limit:?}")]
    Time {
        /// The limit.
        limit: Duration,
    },
    /// It was killed by a signal.
    #[error("the analysis process was ended by signal {signal}{}", last_words(.stderr))]
    Signal {
        /// Its number.
        signal: i32,
        /// Its last words.
        stderr: String,
    },
    /// It gave up.
    #[error("the analysis process gave up with code {code}{}", last_words(.stderr))]
    Exit {
        /// Its exit code.
        code: i32,
        /// Its last words.
        stderr: String,
    },
    /// What it said makes no sense, or was too much.
    #[error("the analysis process answered what cannot be used: {0}")]
    Output(String),
    /// Nobody wants its answer any more.
    #[error("the analysis was called off")]
    Cancelled,
}

fn last_words(stderr: &str) -> String {
    stderr.trim().lines().last().map_or_else(String::new, |line| format!(": {line}"))
}

impl Sandbox {
    /// Children are `program` with `arguments`, which has to call [`crate::child::main`].
    pub fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        Self { program: program.into(), arguments: arguments.iter().map(|&text| text.to_owned()).collect() }
    }

    /// Runs a child and hands over every answer as it comes. Blocks, and has to be called on a
    /// thread that lives as long as the child, because the child dies with that thread.
    pub fn run(
        &self,
        job: &Job,
        cancelled: &AtomicBool,
        mut on_answer: impl FnMut(Answer) -> Result<(), String>,
    ) -> Result<(), Stopped> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = Guard { child: command.spawn().map_err(Stopped::Start)?, ended: false };
        let deadline = Instant::now() + job.limits.wall;
        let stderr = child.converse(job, deadline, cancelled, &mut on_answer)?;
        let status = child.end(deadline, cancelled, job)?;
        judge(status, stderr, job)
    }
}

fn judge(status: ExitStatus, stderr: String, job: &Job) -> Result<(), Stopped> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        // What Rust's allocator says before it aborts, and what the system says where the failed
        // allocation was a mapping or a thread.
        _ if stderr.contains("memory allocation of") || stderr.contains("Cannot allocate memory") => {
            Err(Stopped::Memory { limit_bytes: job.limits.memory_bytes })
        }
        (_, Some(signal)) if signal == Signal::XCPU.as_raw() => {
            Err(Stopped::Cpu { limit_seconds: job.limits.cpu_seconds })
        }
        (_, Some(signal)) => Err(Stopped::Signal { signal, stderr }),
        (code, None) => Err(Stopped::Exit { code: code.unwrap_or(-1), stderr }),
    }
}

/// A child that does not outlive its supervision.
struct Guard {
    child: Child,
    ended: bool,
}

impl Guard {
    /// Gives it the job and reads until it has closed its ends. Answers its last words.
    fn converse(
        &mut self,
        job: &Job,
        deadline: Instant,
        cancelled: &AtomicBool,
        on_answer: &mut impl FnMut(Answer) -> Result<(), String>,
    ) -> Result<String, Stopped> {
        let mut line = serde_json::to_vec(job).map_err(|error| Stopped::Start(error.into()))?;
        line.push(b'\n');
        if let Some(stdin) = &mut self.child.stdin {
            // A child that is gone already is judged by how it ended.
            let _ = stdin.write_all(&line);
        }
        let (Some(mut stdout), Some(mut stderr)) = (self.child.stdout.take(), self.child.stderr.take())
        else {
            return Err(Stopped::Start(io::Error::other("no pipes")));
        };
        let (mut out_open, mut err_open) = (true, true);
        let mut lines = Lines { limit: job.limits.output_bytes, ..Lines::default() };
        let mut words = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while out_open || err_open {
            check(job, deadline, cancelled)?;
            let (mut out_ready, mut err_ready) = (false, false);
            {
                let mut fds = Vec::with_capacity(2);
                if out_open {
                    fds.push(PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::IN));
                }
                if err_open {
                    fds.push(PollFd::from_borrowed_fd(stderr.as_fd(), PollFlags::IN));
                }
                let wait = Timespec { tv_sec: 0, tv_nsec: LOOK_EVERY.subsec_nanos().into() };
                match poll(&mut fds, Some(&wait)) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(Stopped::Start(error.into())),
                }
                let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
                if out_open {
                    out_ready = ready.next() == Some(true);
                }
                if err_open {
                    err_ready = ready.next() == Some(true);
                }
            }
            if out_ready {
                let count = read(&mut stdout, &mut buffer);
                out_open = count > 0;
                lines.take(&buffer[..count], on_answer)?;
            }
            if err_ready {
                let count = read(&mut stderr, &mut buffer);
                err_open = count > 0;
                words.extend_from_slice(&buffer[..count]);
                let excess = words.len().saturating_sub(STDERR_BYTES);
                words.drain(..excess);
            }
        }
        if !lines.partial.is_empty() {
            tracing::debug!(bytes = lines.partial.len(), "the child was cut off within an answer");
        }
        Ok(String::from_utf8_lossy(&words).into_owned())
    }

    fn end(&mut self, deadline: Instant, cancelled: &AtomicBool, job: &Job) -> Result<ExitStatus, Stopped> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(Stopped::Start)? {
                self.ended = true;
                return Ok(status);
            }
            check(job, deadline, cancelled)?;
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // Its group has its number, and the child is not yet waited for, so the number is its own.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn check(job: &Job, deadline: Instant, cancelled: &AtomicBool) -> Result<(), Stopped> {
    if cancelled.load(Ordering::Relaxed) {
        return Err(Stopped::Cancelled);
    }
    if Instant::now() >= deadline {
        return Err(Stopped::Time { limit: job.limits.wall });
    }
    Ok(())
}

/// Reads what is there; nothing stands for the end as well as for an error.
fn read(from: &mut impl Read, buffer: &mut [u8]) -> usize {
    loop {
        match from.read(buffer) {
            Ok(count) => return count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return 0,
        }
    }
}

#[derive(Default)]
struct Lines {
    partial: Vec<u8>,
    total: u64,
    limit: u64,
}

impl Lines {
    fn take(
        &mut self,
        mut bytes: &[u8],
        on_answer: &mut impl FnMut(Answer) -> Result<(), String>,
    ) -> Result<(), Stopped> {
        self.total += bytes.len() as u64;
        if self.total > self.limit || self.partial.len() > LINE_BYTES {
            return Err(Stopped::Output(format!("more than {} bytes", self.limit)));
        }
        while let Some(at) = bytes.iter().position(|&byte| byte == b'\n') {
            self.partial.extend_from_slice(&bytes[..at]);
            bytes = &bytes[at + 1..];
            let answer =
                serde_json::from_slice(&self.partial).map_err(|error| Stopped::Output(error.to_string()))?;
            self.partial.clear();
            on_answer(answer).map_err(Stopped::Output)?;
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }
}
