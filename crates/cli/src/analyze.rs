//! `panicle analyze`: the analysis with no service.

mod digest;
pub(crate) mod files;

use std::{
    io::{BufWriter, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    thread,
};

use clap::{Args, ValueEnum};
use panicle_analysis::{Listing, Options};
use panicle_report::{Diagnostic, Report, Stage, VerdictClass};
use panicle_sandbox::Role;

use crate::{
    exit::{Done, Failure},
    render,
};
use files::{Files, Unpacking};

/// Arguments of `panicle analyze`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The core file. Like every input but traces and profiles it may be compressed (zstd, gzip, xz, lz4)
    /// or an archive (tar, zip), whose members are used for what they are.
    core: Option<PathBuf>,
    /// An executable or its debug file; of several, those that belong to the core are used.
    #[arg(long, value_name = "FILE")]
    binary: Vec<PathBuf>,
    /// A folder to look in for the executable, its shared libraries and their debug information: by build ID
    /// (`.build-id/ab/cdef….debug`), by `.gnu_debuglink`, by name, by text.
    #[arg(long, value_name = "DIR")]
    debug_dir: Vec<PathBuf>,
    /// A printed crash or goroutine dump, or the log that holds it, of any size; - reads standard input.
    #[arg(long, value_name = "FILE")]
    text: Vec<PathBuf>,
    /// Reports of the race detector, or the log that holds them; - reads standard input.
    #[arg(long, value_name = "FILE")]
    race: Vec<PathBuf>,
    /// An execution trace.
    #[arg(long, value_name = "FILE")]
    trace: Vec<PathBuf>,
    /// A pprof profile.
    #[arg(long, value_name = "FILE")]
    profile: Vec<PathBuf>,
    /// Where compressed evidence is unpacked, and gone afterwards [default: the system's folder for
    /// temporary files]
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// What compressed evidence may unpack to, holes counted.
    #[arg(long, value_name = "BYTES", default_value_t = 128 << 30)]
    max_unpacked_bytes: u64,
    /// Digest the core whatever its size [default: up to 4 GiB]
    #[arg(long)]
    digest: bool,
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
    if [&arguments.text, &arguments.race].into_iter().flatten().filter(|path| is_stdin(path)).count() > 1 {
        return Err(Failure::Arguments("standard input can be read once only".to_owned()));
    }
    if arguments.core.is_none() && given.iter().all(|files| files.is_empty()) {
        return Err(Failure::Arguments(
            "a core, a --text or a --race is needed; see panicle analyze --help".to_owned(),
        ));
    }
    if let Some(missing) = arguments.debug_dir.iter().find(|folder| !folder.is_dir()) {
        return Err(Failure::Input(format!("--debug-dir {}: there is no such folder", missing.display())));
    }
    let unpacking = Unpacking::new(arguments.work_dir.as_deref(), arguments.max_unpacked_bytes);
    let mut files = Files::default();
    for (role, paths) in [
        (Role::Core, arguments.core.as_slice()),
        (Role::Binary, &arguments.binary),
        (Role::Text, &arguments.text),
        (Role::Race, &arguments.race),
        (Role::Trace, &arguments.trace),
        (Role::Profile, &arguments.profile),
    ] {
        for path in paths {
            files.add(path, role, &unpacking)?;
        }
    }
    files.look_up(&arguments.debug_dir)?;
    let summary = match (arguments.goroutines, arguments.format) {
        (Some(which), _) => which == Goroutines::Summary,
        (None, format) => format == Format::Text,
    };
    // The text shows the goroutine at fault in any case, so it needs them all.
    let listing = if summary && arguments.format == Format::Json { Listing::Summary } else { Listing::All };
    let mut texts = std::mem::take(&mut files.texts);
    let (report, digest) = thread::scope(|scope| {
        // It takes as long as reading the whole core, of which the analysis reads little.
        let digest = files.core.as_ref().map(|core| scope.spawn(|| core.digest(arguments.digest)));
        let texts = std::mem::take(&mut texts);
        let report = panicle_analysis::analyse_with(&files.inputs(), texts, &Options { goroutines: listing });
        (report, digest.and_then(|digest| digest.join().ok()).flatten())
    });
    let mut report = report.map_err(|error| Failure::Input(error.to_string()))?;
    if let Some(core) = &mut report.source.core {
        core.sha256 = digest;
        if core.sha256.is_none() {
            let text = "The SHA-256 of the core was left out because of its size; --digest computes it.";
            files.notes.push(Diagnostic::info(Stage::Image, text));
        }
    }
    report.diagnostics.splice(0..0, files.notes);
    print(&report, arguments.format, summary)?;
    Ok(if report.verdict.class == VerdictClass::NoCrash { Done::NotThere } else { Done::Done })
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn print(report: &Report, format: Format, summary: bool) -> Result<(), Failure> {
    let stdout = std::io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let written = match format {
        // Piece by piece: the whole text of a large report takes more memory than the report.
        Format::Json => serde_json::to_writer_pretty(&mut out, report).map_err(std::io::Error::from),
        Format::Text => {
            let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let style = render::Style { colour, every_goroutine: !summary };
            out.write_all(render::text(report, style).as_bytes())
        }
    };
    match written.and_then(|()| writeln!(out)).and_then(|()| out.flush()) {
        // Whoever read it has seen enough: `panicle analyze … | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Input(format!("the report cannot be written: {error}"))),
        Ok(()) => Ok(()),
    }
}
