//! `panicle analyze`: the analysis with no service.

use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use panicle_analysis::{Identity, Inputs, Listing, NamedBytes, Options};
use panicle_image::mmap::{self, Mapped};
use panicle_report::{BuildIds, Report, VerdictClass};
use sha2::{Digest as _, Sha256};

use crate::{
    exit::{Done, Failure},
    libraries, render,
};

/// Larger files are not digested here: it would take longer than the analysis.
const DIGEST_LIMIT: u64 = 4 << 30;

/// Arguments of `panicle analyze`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The core file.
    core: Option<PathBuf>,
    /// An executable; of several, the one that the core came from is used.
    #[arg(long, value_name = "FILE")]
    binary: Vec<PathBuf>,
    /// A folder to look for the executable and its shared libraries in: by build ID
    /// (`.build-id/ab/cdef…`) and by name.
    #[arg(long, value_name = "DIR")]
    debug_dir: Vec<PathBuf>,
    /// A printed crash or goroutine dump.
    #[arg(long, value_name = "FILE")]
    text: Vec<PathBuf>,
    /// A report of the race detector.
    #[arg(long, value_name = "FILE")]
    race: Vec<PathBuf>,
    /// An execution trace.
    #[arg(long, value_name = "FILE")]
    trace: Vec<PathBuf>,
    /// A pprof profile.
    #[arg(long, value_name = "FILE")]
    profile: Vec<PathBuf>,
    /// For people or for machines.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// List every goroutine, or only count them by stack [default: all in JSON, summary in text]
    #[arg(long, value_enum)]
    goroutines: Option<Goroutines>,
}

/// How the report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// To read, and to paste into an incident.
    Text,
    /// `panicle.report/1`.
    Json,
}

/// Which goroutines are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Goroutines {
    /// Clusters only.
    Summary,
    /// Each one.
    All,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let given = [&arguments.text, &arguments.race, &arguments.trace, &arguments.profile];
    if arguments.core.is_none() && given.iter().all(|files| files.is_empty()) {
        return Err(Failure::Arguments(
            "a core or a --text is needed; see panicle analyze --help".to_owned(),
        ));
    }
    let core = arguments.core.as_deref().map(Input::open).transpose()?;
    let mut binaries = open_all(&arguments.binary)?;
    if let Some(core) = &core {
        binaries.extend(find_binaries(core, arguments));
    }
    let libraries: Vec<Input> = core
        .iter()
        .flat_map(|core| libraries::find(&core.bytes, &arguments.debug_dir))
        .filter_map(|path| Input::open(&path).ok())
        .collect();
    let texts = open_all(&arguments.text)?;
    let races = open_all(&arguments.race)?;
    let traces = open_all(&arguments.trace)?;
    let profiles = open_all(&arguments.profile)?;
    let inputs = Inputs {
        core: core.as_ref().map(Input::named),
        binaries: binaries.iter().map(Input::named).collect(),
        // What was looked up is not evidence: it needs no digest.
        libraries: libraries.iter().map(Input::undigested).collect(),
        texts: texts.iter().map(Input::named).collect(),
        races: races.iter().map(Input::named).collect(),
        traces: traces.iter().map(Input::named).collect(),
        profiles: profiles.iter().map(Input::named).collect(),
    };
    let summary = match (arguments.goroutines, arguments.format) {
        (Some(which), _) => which == Goroutines::Summary,
        (None, format) => format == Format::Text,
    };
    // The text shows the goroutine at fault in any case, so it needs them all.
    let listing = if summary && arguments.format == Format::Json { Listing::Summary } else { Listing::All };
    let report = panicle_analysis::analyse(&inputs, &Options { goroutines: listing })
        .map_err(|error| Failure::Input(error.to_string()))?;
    print(&report, arguments.format, summary)?;
    Ok(if report.verdict.class == VerdictClass::NoCrash { Done::NotThere } else { Done::Done })
}

fn print(report: &Report, format: Format, summary: bool) -> Result<(), Failure> {
    let stdout = std::io::stdout();
    let text = match format {
        Format::Json => serde_json::to_string_pretty(report)
            .map_err(|error| Failure::Input(format!("the report cannot be written as JSON: {error}")))?,
        Format::Text => {
            let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            render::text(report, render::Style { colour, every_goroutine: !summary })
        }
    };
    let mut stdout = stdout.lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| writeln!(stdout)) {
        // Whoever read it has seen enough: `panicle analyze … | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Input(format!("the report cannot be written: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// A mapped file.
struct Input {
    path: PathBuf,
    bytes: Mapped,
}

impl Input {
    fn open(path: &Path) -> Result<Self, Failure> {
        let failure = |error: std::io::Error| Failure::Input(format!("{}: {error}", path.display()));
        // Asked before it is opened: opening a FIFO waits for somebody to write.
        let metadata = std::fs::metadata(path).map_err(failure)?;
        if metadata.is_dir() {
            return Err(Failure::Input(format!("{}: is a folder", path.display())));
        }
        if !metadata.is_file() {
            let reason = "is no regular file; save it to one first";
            return Err(Failure::Input(format!("{}: {reason}", path.display())));
        }
        let bytes = File::open(path).and_then(|file| mmap::map(&file)).map_err(failure)?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    fn named(&self) -> NamedBytes<'_> {
        NamedBytes { name: Some(self.path.display().to_string()), bytes: &self.bytes, sha256: self.digest() }
    }

    fn undigested(&self) -> NamedBytes<'_> {
        NamedBytes { name: Some(self.path.display().to_string()), bytes: &self.bytes, sha256: None }
    }

    /// Read and not taken from the mapping, whose pages would all count as this process' memory.
    fn digest(&self) -> Option<String> {
        if self.bytes.len() as u64 > DIGEST_LIMIT {
            return None;
        }
        let mut hasher = Sha256::new();
        std::io::copy(&mut File::open(&self.path).ok()?, &mut hasher).ok()?;
        Some(format!("{:x}", hasher.finalize()))
    }
}

fn open_all(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    paths.iter().map(|path| Input::open(path)).collect()
}

/// Executables of this machine that a core names: in the folders that were given, and, where none
/// was given by hand, at the path that the process ran. Each counts only if its build ID is right.
fn find_binaries(core: &Input, arguments: &Arguments) -> Option<Input> {
    let Identity::Core(identity) = panicle_analysis::identify(&core.bytes) else { return None };
    let mut candidates = Vec::new();
    for dir in &arguments.debug_dir {
        candidates.extend(by_build_id(dir, &identity.build_ids));
        if let Some(executable) = identity.executable.as_deref().map(Path::new) {
            candidates.extend(executable.file_name().map(|name| dir.join(name)));
            candidates.extend(executable.strip_prefix("/").ok().map(|path| dir.join(path)));
        }
    }
    if arguments.binary.is_empty() {
        candidates.extend(identity.executable.as_deref().map(PathBuf::from));
    }
    for path in candidates.into_iter().filter(|path| path.is_file()) {
        let Ok(input) = Input::open(&path) else { continue };
        let Identity::Binary(binary) = panicle_analysis::identify(&input.bytes) else { continue };
        if same_build(&identity.build_ids, &binary.build_ids) {
            eprintln!("panicle: using {}, whose build ID is that of the core", path.display());
            return Some(input);
        }
    }
    None
}

/// `DIR/.build-id/ab/cdef…`, as distributions and debuggers lay it out.
fn by_build_id(dir: &Path, ids: &BuildIds) -> Option<PathBuf> {
    let id = ids.gnu.as_deref()?;
    let (head, tail) = (id.get(..2)?, id.get(2..)?);
    Some(dir.join(".build-id").join(head).join(tail))
}

fn same_build(running: &BuildIds, file: &BuildIds) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    same(&running.go, &file.go) || (running.go.is_none() && same(&running.gnu, &file.gnu))
}
