//! `panicle inspect`: Go-like expressions over the memory of a crash.

mod prompt;

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use panicle_analysis::{
    expr,
    questions::Place,
    session::{DebugInformation, Session},
    value::{self, json},
};
use panicle_report::{Address, EvalError, QueryError, Severity};
use panicle_sandbox::Role;
use serde::Serialize;

use crate::{
    analyze::files::{Files, Unpacking},
    exit::{Done, Failure},
};

/// Bytes of text that a value is written with when nobody says how many elements it may have, and in all: it is in
/// memory as a whole, which JSON is not.
const MOST_TEXT: usize = 16 << 10;
const MOST_TEXT_OF_ALL: usize = 256 << 20;
/// Bytes of one string.
const MOST_STRING: u64 = 4096;

/// Arguments of `panicle inspect`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The core file; it may be compressed or an archive.
    core: PathBuf,
    /// An executable or its debug file; of several, those that belong to the core are used.
    #[arg(long, value_name = "FILE")]
    binary: Vec<PathBuf>,
    /// A folder to look in for the executable and its debug information.
    #[arg(long, value_name = "DIR")]
    debug_dir: Vec<PathBuf>,
    /// An expression: `c.users["k1"].Name`, `main.sessions`, `*(*main.User)(0xc000012345)`. Without any, there
    /// is a prompt.
    #[arg(short, long, value_name = "EXPR", allow_hyphen_values = true)]
    expression: Vec<String>,
    /// In whose frame names are looked up [default: the goroutine at fault]
    #[arg(long, value_name = "N")]
    goroutine: Option<u64>,
    /// Which of its frames, as a report counts them: 0 is the innermost [default: the innermost of the
    /// program's own]
    #[arg(long, value_name = "K")]
    frame: Option<u64>,
    /// Elements of one map, slice or array at most; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u64,
    /// Pointers and interfaces followed one behind the other.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=16))]
    depth: u32,
    /// For people or for machines.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where compressed evidence is unpacked, and gone afterwards [default: the system's folder for
    /// temporary files]
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// What compressed evidence may unpack to, holes counted.
    #[arg(long, value_name = "BYTES", default_value_t = 128 << 30)]
    max_unpacked_bytes: u64,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As Go writes them.
    Text,
    /// One object for each expression: `{expr, type, address, value}`.
    Json,
}

/// How much of a value is written, and how.
#[derive(Clone, Copy, Debug)]
struct Style {
    format: Format,
    limit: u64,
    depth: u32,
    /// Write the expression in front.
    named: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    if let Some(missing) = arguments.debug_dir.iter().find(|folder| !folder.is_dir()) {
        return Err(Failure::Input(format!("--debug-dir {}: there is no such folder", missing.display())));
    }
    if arguments.expression.is_empty() && arguments.format == Format::Json {
        return Err(Failure::Arguments("--format json needs -e: the prompt is for people".to_owned()));
    }
    let unpacking = Unpacking::new(arguments.work_dir.as_deref(), arguments.max_unpacked_bytes);
    let mut files = Files::default();
    files.add(&arguments.core, Role::Core, &unpacking)?;
    if files.core.is_none() {
        return Err(Failure::Input(format!("{}: there is no core in it", arguments.core.display())));
    }
    for path in &arguments.binary {
        files.add(path, Role::Binary, &unpacking)?;
    }
    files.look_up(&arguments.debug_dir)?;
    panicle_analysis::open(&files.inputs_without_digests(), DebugInformation::Always, |session, found| {
        // A file that was given and is not the one that crashed is worth a word even if another was found.
        for warning in found.iter().filter(|found| found.severity != Severity::Info) {
            let about = warning.reference.as_ref().map(|about| format!("{about}: ")).unwrap_or_default();
            eprintln!("panicle: {about}{}", warning.text);
        }
        inspect(session, arguments)
    })
    .map_err(|error| Failure::Input(error.to_string()))?
}

fn inspect(session: &Session<'_>, arguments: &Arguments) -> Result<Done, Failure> {
    let place = match Place::find(session, arguments.goroutine, arguments.frame) {
        Ok(place) => place,
        Err(error) => {
            if arguments.format == Format::Json {
                println!(
                    "{}",
                    serde_json::json!({ "error": { "kind": "not-found", "message": said(&error) } })
                );
            }
            eprintln!("panicle: {}", said(&error));
            return Ok(Done::NotThere);
        }
    };
    let style = Style {
        format: arguments.format,
        limit: arguments.limit,
        depth: arguments.depth,
        named: arguments.expression.len() > 1,
    };
    if arguments.expression.is_empty() {
        return prompt::run(session, place, Style { named: false, ..style });
    }
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut done = Done::Done;
    for expression in &arguments.expression {
        match write(&mut out, session, &place, expression, style) {
            Ok(true) => {}
            Ok(false) => done = Done::NotThere,
            // Whoever read it has seen enough: `panicle inspect … | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(done),
            Err(error) => return Err(Failure::Input(format!("the value cannot be written: {error}"))),
        }
    }
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Input(format!("the value cannot be written: {error}")))
        }
        _ => Ok(done),
    }
}

fn said(error: &QueryError) -> &str {
    match error {
        QueryError::Expression(error) => &error.message,
        QueryError::Parameter(text) | QueryError::NotFound(text) => text,
    }
}

/// Evaluates an expression and writes its value; an error goes to stderr, or in JSON where the value would be.
/// Whether there was a value.
fn write(
    out: &mut impl Write,
    session: &Session<'_>,
    place: &Place,
    expression: &str,
    style: Style,
) -> io::Result<bool> {
    #[derive(Serialize)]
    struct Found<'f> {
        expr: &'f str,
        #[serde(rename = "type")]
        type_name: Option<&'f str>,
        address: Option<Address>,
        value: &'f expr::ValueJson<'f>,
        // Known once the value is written, so it comes behind it.
        #[serde(serialize_with = "expr::is_cut")]
        truncated: &'f expr::ValueJson<'f>,
    }
    #[derive(Serialize)]
    struct Failed<'f> {
        expr: &'f str,
        error: &'f EvalError,
    }
    let context = session.context();
    match (expr::evaluate(&context, &place.scope(session), expression), style.format) {
        (Ok(value), Format::Json) => {
            let limits =
                json::Limits { depth: style.depth, elements: style.limit, bytes: MOST_STRING, total: 0 };
            let json = value.json(&context, limits);
            let found = Found {
                expr: expression,
                type_name: value.type_name(),
                address: value.address().map(Address),
                value: &json,
                truncated: &json,
            };
            serde_json::to_writer(&mut *out, &found)?;
            writeln!(out)?;
            Ok(true)
        }
        (Ok(value), Format::Text) => {
            let limits = value::Limits {
                depth: style.depth,
                elements: if style.limit == 0 { u64::MAX } else { style.limit },
                bytes: MOST_STRING,
                total: if style.limit == 0 { MOST_TEXT_OF_ALL } else { MOST_TEXT },
            };
            if style.named {
                write!(out, "{expression} = ")?;
            }
            writeln!(out, "{}", value.text(&context, limits))?;
            Ok(true)
        }
        (Err(error), Format::Json) => {
            serde_json::to_writer(&mut *out, &Failed { expr: expression, error: &error })?;
            writeln!(out)?;
            Ok(false)
        }
        (Err(error), Format::Text) => {
            out.flush()?;
            let at = error.position.map(|at| format!(" (at byte {at})")).unwrap_or_default();
            let about = if expression.trim().is_empty() { String::new() } else { format!("{expression}: ") };
            eprintln!("panicle: {about}{}{at}", error.message);
            Ok(false)
        }
    }
}
