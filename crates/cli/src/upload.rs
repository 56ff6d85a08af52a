//! `panicle upload`: evidence to a service.

mod given;
mod known;
mod sender;

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use panicle_collect::{Crash, NewCrash, Stored, UploadError};
use serde::Serialize;

use self::{given::Given, sender::Sender};
use crate::{
    exit::{Done, Failure},
    token::TokenArguments,
};

/// Arguments of `panicle upload`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the files are.
    #[arg(value_enum)]
    kind: Kind,
    /// The files; - is standard input. Each core is a crash; what was printed or recorded is one crash together.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The service.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7171", env = "PANICLE_SERVER")]
    server: String,
    #[command(flatten)]
    token: TokenArguments,
    /// Service that crashed.
    #[arg(long, value_name = "S")]
    service: Option<String>,
    /// Host that it ran on.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Number of the process, as its host counts them. A text's is taken from the log, where that tells it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=i64::from(u32::MAX)))]
    pid: Option<i64>,
    /// When it happened, RFC 3339. Without it a core's is that of its file, a text's that of the log, where it tells.
    #[arg(long, value_name = "TIME")]
    occurred_at: Option<Timestamp>,
    /// Version of the program, such as v1.4.2; it counts where the evidence tells none.
    #[arg(long, value_name = "V")]
    version: Option<String>,
    /// Anything else that is known about the crash.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The executable that crashed, to be sent along.
    #[arg(long = "binary", value_name = "FILE")]
    binaries: Vec<PathBuf>,
    /// What the program printed, to be sent along.
    #[arg(long = "text", value_name = "FILE")]
    texts: Vec<PathBuf>,
    /// What a pipe is called [default: stdin, or the pipe's own name].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Bytes that a pipe has; with fewer or more nothing is stored.
    #[arg(long, value_name = "BYTES")]
    size: Option<u64>,
    /// Project that it is for [default: that of the token, or default].
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// How long to wait, all in all, for a service that is away or says that it is busy [default: 300; 4 for one that
    /// has never answered].
    #[arg(long, value_name = "SECONDS")]
    max_wait: Option<u64>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Core,
    Binary,
    Text,
    Trace,
    Profile,
    Race,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What `--format json` prints.
#[derive(Default, Serialize)]
struct Output {
    evidence: Vec<Stored>,
    crashes: Vec<Crash>,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a label is written KEY=VALUE".to_owned()),
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let one = arguments.pid.is_some() || arguments.occurred_at.is_some();
    if one && arguments.kind == Kind::Core && arguments.files.len() > 1 {
        let text = "each core is a crash of its own: --pid and --occurred-at are those of one";
        return Err(Failure::Arguments(text.to_owned()));
    }
    let sender = Sender::new(arguments)?;
    let along = arguments.binaries.iter().map(|file| (Kind::Binary, file));
    let along = along.chain(arguments.texts.iter().map(|file| (Kind::Text, file)));
    let files = arguments.files.iter().map(|file| (arguments.kind, file));
    // Before anything is sent, because half of what belongs together is not what was asked for.
    let along = inputs(along)?;
    let files = inputs(files)?;
    let pipes = along.iter().chain(&files).filter(|input| input.is_piped()).count();
    if pipes != 1 && (arguments.size.is_some() || arguments.name.is_some()) {
        let text = "--size and --name are those of one pipe, and there is no pipe or more than one";
        return Err(Failure::Arguments(text.to_owned()));
    }

    let mut output = Output::default();
    let outcome = send(&sender, arguments, along, files, &mut output);
    // What was sent before something went wrong is there all the same.
    if outcome.is_ok() || !output.evidence.is_empty() {
        print(&output, arguments.format)?;
    }
    outcome.map(|()| Done::Done)
}

/// Sends everything, and says which of it belongs together.
fn send(
    sender: &Sender,
    arguments: &Arguments,
    along: Vec<Given>,
    files: Vec<Given>,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut along_ids = NewCrash {
        service: arguments.service.clone(),
        hostname: arguments.hostname.clone(),
        pid: arguments.pid,
        occurred_at: arguments.occurred_at.map(|at| at.to_string()),
        version: arguments.version.clone(),
        labels: arguments.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
        ..NewCrash::default()
    };
    for input in along {
        let binary = input.kind == Kind::Binary;
        let stored = sender.send(input)?;
        if binary { &mut along_ids.binaries } else { &mut along_ids.texts }.push(stored.id.clone());
        output.evidence.push(stored);
    }
    let mut together = along_ids.clone();
    for input in files {
        let (kind, written) = (input.kind, input.written());
        let stored = sender.send(input)?;
        let id = stored.id.clone();
        output.evidence.push(stored);
        match kind {
            Kind::Core => {
                let mut crash = NewCrash { core: Some(id), ..along_ids.clone() };
                crash.occurred_at = crash.occurred_at.or(written);
                output.crashes.push(sender.client.create_crash(&crash).map_err(failure)?);
            }
            Kind::Binary => {}
            Kind::Text => together.texts.push(id),
            Kind::Trace => together.traces.push(id),
            Kind::Profile => together.profiles.push(id),
            Kind::Race => together.races.push(id),
        }
    }
    if !matches!(arguments.kind, Kind::Core | Kind::Binary) {
        output.crashes.push(sender.client.create_crash(&together).map_err(failure)?);
    }
    Ok(())
}

fn inputs<'a>(files: impl Iterator<Item = (Kind, &'a PathBuf)>) -> Result<Vec<Given>, Failure> {
    files.map(|(kind, path)| Given::open(kind, path)).collect()
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Binary => "binary",
            Self::Text => "text",
            Self::Trace => "trace",
            Self::Profile => "profile",
            Self::Race => "race",
        }
    }
}

fn print(output: &Output, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let json = serde_json::to_string_pretty(output).map_err(|error| Failure::Input(error.to_string()))?;
        println!("{json}");
        return Ok(());
    }
    for evidence in &output.evidence {
        let note = match (evidence.new, &evidence.build_id) {
            (true, _) => String::new(),
            (false, None) => "  (was there already)".to_owned(),
            (false, Some(id)) => format!("  (build {id} was there already)"),
        };
        println!("{:<8}{}  {}{note}", evidence.kind, evidence.id, evidence.name);
    }
    for crash in &output.crashes {
        let note = if crash.new { "" } else { "  (was known already)" };
        println!("{:<8}{}  {}{note}", "crash", crash.id, crash.url);
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn failure(error: UploadError) -> Failure {
    match error {
        UploadError::Server(_) => Failure::Arguments(error.to_string()),
        UploadError::File { .. } | UploadError::Refused { .. } => Failure::Input(error.to_string()),
        UploadError::Unreachable { .. } => Failure::Unreachable(error.to_string()),
    }
}
