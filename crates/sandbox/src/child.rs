//! The child's side: limits first, then the work.

use std::{
    fs::File,
    io::{self, BufRead, BufWriter, Read, Write},
    process, thread,
};

use panicle_report::{Query, Report};
use rustix::{
    fs::{Mode, OFlags, openat},
    process::{DumpableBehavior, Resource, Rlimit, Signal, setrlimit},
};

use crate::{Answer, GOROUTINES_IN_CHUNK, Identity, Input, Job, Limits, Rows, Task, Unpacked};

/// Address space beyond memory and inputs: reserved stacks and allocator arenas, never touched.
const ADDRESS_SPACE_SLACK: u64 = 8 << 30;
/// Files that a child may have open besides its inputs.
const SPARE_FILES: u64 = 32;
/// Files that one may make of a packed input.
pub const MOST_PARTS: u32 = 256;

/// What knows how to read inputs. It is given by whoever builds the program, so that this crate
/// does not depend on the engine.
pub trait Engine {
    /// Says what an input is.
    fn identify(&self, input: &Input, file: &File) -> io::Result<Identity>;

    /// Takes a packed input apart, into files that `create` makes; or says why it cannot be. It has to
    /// keep to [`MOST_PARTS`] and [`Limits::unpacked_bytes`], or dies of them.
    fn unpack(
        &self,
        input: &Input,
        file: &File,
        limits: &Limits,
        create: &mut dyn FnMut(u32) -> io::Result<File>,
    ) -> io::Result<Result<Unpacked, String>>;

    /// Makes a report, or says which input cannot be read and why.
    fn analyse(&self, inputs: &[(Input, File)]) -> io::Result<Result<Report, (String, String)>>;

    /// Answers a question, in JSON of about `most` bytes or fewer: with [`Answer::Answer`], [`Answer::Refused`]
    /// or [`Answer::Failed`].
    fn query(&self, inputs: &[(Input, File)], query: &Query, most: u64) -> io::Result<Answer>;
}

/// The whole life of a child. Answers its exit code: 0 when it said what it had to say.
pub fn main(engine: &impl Engine) -> u8 {
    match work(engine) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

fn work(engine: &impl Engine) -> io::Result<()> {
    // Before anything else: should the parent be gone already, its end of the pipe is closed, and
    // reading the job answers nothing.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line)?;

    let mut inputs = Vec::with_capacity(job.inputs.len());
    let mut input_bytes = 0_u64;
    for input in &job.inputs {
        let file = File::open(&input.path)?;
        input_bytes = input_bytes.saturating_add(file.metadata()?.len());
        inputs.push((input.clone(), file));
    }
    // While there still is a file system to open it in.
    let scratch = job.scratch.as_ref().map(File::open).transpose()?;
    confine(&job, input_bytes)?;
    // The death signal follows the thread that started this process; the pipe follows the process.
    thread::Builder::new().name("parent-watch".to_owned()).spawn(|| {
        let _ = io::stdin().lock().read(&mut [0]);
        process::exit(1);
    })?;

    // Everything that reads foreign bytes happens below this line.
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match &job.task {
        Task::Identify => {
            let [(input, file)] = inputs.as_slice() else {
                return Err(io::Error::other("there has to be one input to identify"));
            };
            say(&mut out, &Answer::Identity(engine.identify(input, file)?))?;
        }
        Task::Unpack => {
            let ([(input, file)], Some(scratch)) = (inputs.as_slice(), &scratch) else {
                return Err(io::Error::other("there has to be one input to unpack, and a folder"));
            };
            let mut create = |number: u32| {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
                let file = openat(scratch, number.to_string(), flags, Mode::RUSR | Mode::WUSR)?;
                Ok(File::from(file))
            };
            match engine.unpack(input, file, &job.limits, &mut create)? {
                Ok(unpacked) => say(&mut out, &Answer::Unpacked(unpacked))?,
                Err(reason) => {
                    let input = input.name.clone().unwrap_or_else(|| "input".to_owned());
                    say(&mut out, &Answer::Failed { input, reason })?;
                }
            }
        }
        Task::Analyse => match engine.analyse(&inputs)? {
            Ok(report) => say_report(&mut out, report)?,
            Err((input, reason)) => say(&mut out, &Answer::Failed { input, reason })?,
        },
        Task::Query(query) => {
            let answer = engine.query(&inputs, query, job.limits.output_bytes / 2)?;
            say(&mut out, &answer)?;
        }
    }
    out.flush()
}

/// The one place where a child gives up what it does not need. Namespaces, file system and system
/// call filters belong here too, after the inputs are open.
fn confine(job: &Job, input_bytes: u64) -> io::Result<()> {
    let limit = |resource, value: u64| {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).map_err(io::Error::from)
    };
    let memory = job.limits.memory_bytes;
    limit(Resource::Core, 0)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Memory that can be written; mapped inputs are not part of it.
    limit(Resource::Data, memory)?;
    limit(Resource::As, memory.saturating_add(input_bytes).saturating_add(ADDRESS_SPACE_SLACK))?;
    // Soft and hard together would be SIGKILL, which tells nothing.
    let cpu = Rlimit { current: Some(job.limits.cpu_seconds), maximum: Some(job.limits.cpu_seconds + 5) };
    setrlimit(Resource::Cpu, cpu)?;
    let unpacks = job.task == Task::Unpack;
    let made = if unpacks { u64::from(MOST_PARTS) } else { 0 };
    limit(Resource::Nofile, job.inputs.len() as u64 + made + SPARE_FILES)?;
    // Answers go through a pipe; files are written only where something is unpacked.
    limit(Resource::Fsize, if unpacks { job.limits.unpacked_bytes } else { 0 })
}

fn say(out: &mut impl Write, answer: &Answer) -> io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    out.write_all(b"\n")
}

/// Goroutines besides the one at fault that the head has.
const NAMED: usize = 8;

/// Says a report in pieces, so that no reader has to hold a whole one.
fn say_report(out: &mut impl Write, mut report: Report) -> io::Result<()> {
    let goroutines = std::mem::take(&mut report.goroutines);
    let rows = Rows::new(&goroutines, &report.goroutine_clusters);
    // Those that the verdict names: what is found by their functions is decided from the head.
    let verdict = &report.verdict;
    let named: Vec<u64> =
        verdict.goroutine.iter().chain(verdict.other_goroutines.iter().take(NAMED)).copied().collect();
    report.goroutines =
        goroutines.iter().filter(|goroutine| named.contains(&goroutine.id)).cloned().collect();
    say(out, &Answer::Head(Box::new(report)))?;
    say(out, &Answer::Rows(rows))?;
    let mut rest = goroutines.into_iter();
    loop {
        let chunk: Vec<_> = rest.by_ref().take(GOROUTINES_IN_CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        say(out, &Answer::Goroutines(chunk))?;
    }
    say(out, &Answer::End)
}
