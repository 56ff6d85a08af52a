//! `panicle upload`: evidence to a service.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use panicle_binary::identify::{Kind as FileKind, identify};
use panicle_collect::{Client, Crash, NewCrash, Stored, UploadError};
use serde::Serialize;

use crate::{
    exit::{Done, Failure},
    token::TokenArguments,
};

/// The first bytes of a file, by which its kind is told.
const HEAD_BYTES: u64 = 4096;
/// 2009-01-01, before which there was no Go.
const EARLIEST: i64 = 1_230_768_000;

/// Arguments of `panicle upload`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the files are.
    #[arg(value_enum)]
    kind: Kind,
    /// The files. Each core is a crash; what was printed or recorded is one crash together.
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
    let client = Client::new(&arguments.server, arguments.token.token()?).map_err(failure)?;
    let files = arguments.files.iter().map(|file| (arguments.kind, file));
    let along = arguments.binaries.iter().map(|file| (Kind::Binary, file));
    let along = along.chain(arguments.texts.iter().map(|file| (Kind::Text, file)));
    // Before anything is sent, because half of what belongs together is not what was asked for.
    for (kind, file) in files.clone().chain(along.clone()) {
        check(kind, file)?;
    }

    let mut output = Output::default();
    let mut along_ids = NewCrash {
        service: arguments.service.clone(),
        hostname: arguments.hostname.clone(),
        pid: arguments.pid,
        occurred_at: arguments.occurred_at.map(|at| at.to_string()),
        version: arguments.version.clone(),
        labels: arguments.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
        ..NewCrash::default()
    };
    for (kind, file) in along {
        let stored = send(&client, kind, file)?;
        if kind == Kind::Binary { &mut along_ids.binaries } else { &mut along_ids.texts }
            .push(stored.id.clone());
        output.evidence.push(stored);
    }
    let mut together = along_ids.clone();
    for (kind, file) in files {
        let stored = send(&client, kind, file)?;
        let id = stored.id.clone();
        output.evidence.push(stored);
        match kind {
            Kind::Core => {
                let mut crash = NewCrash { core: Some(id), ..along_ids.clone() };
                crash.occurred_at = crash.occurred_at.or_else(|| written(file));
                output.crashes.push(client.create_crash(&crash).map_err(failure)?);
            }
            Kind::Binary => {}
            Kind::Text => together.texts.push(id),
            Kind::Trace => together.traces.push(id),
            Kind::Profile => together.profiles.push(id),
            Kind::Race => together.races.push(id),
        }
    }
    if !matches!(arguments.kind, Kind::Core | Kind::Binary) {
        output.crashes.push(client.create_crash(&together).map_err(failure)?);
    }
    print(&output, arguments.format)?;
    Ok(Done::Done)
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

/// Looks at a file before it is sent. The service would refuse it as well, but only after a client
/// in the middle of sending a large file may have lost its answer.
fn check(kind: Kind, path: &Path) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::Input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    let refuse = |reason: &str| Err(Failure::Input(format!("{}: {reason}", path.display())));
    if !meta.is_file() {
        return refuse("is no regular file");
    }
    if meta.len() == 0 {
        return refuse("is empty");
    }
    if !matches!(kind, Kind::Core | Kind::Binary) {
        return Ok(());
    }
    // This process holds the token, so it looks at the first bytes and parses nothing.
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head).map_err(unreadable)?;
    match (kind, identify(&head)) {
        (Kind::Core, FileKind::Core | FileKind::Minidump) | (Kind::Binary, FileKind::Executable) => Ok(()),
        // The service unpacks it where it analyses it.
        (Kind::Core, found) if found.is_packed() => Ok(()),
        (Kind::Core, found) => refuse(&format!("is {}, not a core", found.describe())),
        (_, found) => refuse(&format!("is {}, not an executable", found.describe())),
    }
}

/// When a core was written, which the kernel does when the process dies. A copy has a later time, unless its time was
/// copied too, but still an earlier one than that at which it arrives at the service.
fn written(core: &Path) -> Option<String> {
    let written = Timestamp::try_from(core.metadata().ok()?.modified().ok()?).ok()?;
    // Of clocks that were never set, archives without times, and clocks that are ahead.
    let sane = written > Timestamp::from_second(EARLIEST).ok()? && written <= Timestamp::now();
    sane.then(|| written.to_string())
}

fn send(client: &Client, kind: Kind, path: &Path) -> Result<Stored, Failure> {
    let size = path.metadata().map_or(0, |meta| meta.len());
    // Draws on a terminal only.
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()));
    let stored = client.upload(kind.name(), path, &mut |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    stored.map_err(failure)
}

fn print(output: &Output, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let json = serde_json::to_string_pretty(output).map_err(|error| Failure::Input(error.to_string()))?;
        println!("{json}");
        return Ok(());
    }
    for evidence in &output.evidence {
        let note = if evidence.new { "" } else { "  (was there already)" };
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
