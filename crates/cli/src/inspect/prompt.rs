//! The prompt of `panicle inspect`.

use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
};

use panicle_analysis::{
    questions::Place,
    session::Session,
    value::{self, Limits},
};
use panicle_report::{MapRoot, QueryError};
use rustyline::{DefaultEditor, error::ReadlineError};

use super::{Style, said, write};
use crate::exit::{Done, Failure};

/// Frames that `bt` lists from each end.
const MOST_FRAMES: usize = 100;

/// Maps that `maps` lists, and holders of each.
const MOST_MAPS: usize = 100;
const MOST_ROOTS: usize = 4;

const HELP: &str = "\
Any Go-like expression: c.users[\"k1\"].Name, len(queue), *(*main.User)(0xc000012345),
(map[string]int)(0xc000012345). A variable that is called like a command goes in brackets: (locals).

goroutine N   look names up in a frame of goroutine N
frame K       look names up in its frame K, as bt counts them; without a number both say where this is
bt            the frames of the goroutine
locals        the variables of the frame
maps          the maps that the goroutine's variables lead to, with their addresses
help          this
quit          leave; so do exit, q and Ctrl-D";

/// Reads commands and expressions until there are no more.
pub(super) fn run(session: &Session<'_>, place: Place, style: Style) -> Result<Done, Failure> {
    let failed = |error: ReadlineError| Failure::Input(format!("the prompt does not work here: {error}"));
    let mut editor = DefaultEditor::new().map_err(failed)?;
    let history = history();
    if let Some(path) = &history {
        // There is none the first time.
        let _ = editor.load_history(path);
    }
    let mut place = place;
    println!("{}", header(&place));
    loop {
        let line = match editor.readline("> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(line);
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (word, rest.trim()) {
            ("quit" | "exit" | "q", "") => break,
            ("help", "") => println!("{HELP}"),
            ("goroutine" | "frame", "") => println!("{}", header(&place)),
            ("goroutine", number) => go(session, &mut place, number, |id| (Some(id), None)),
            ("frame", number) => {
                let goroutine = place.goroutine;
                go(session, &mut place, number, |frame| (goroutine, Some(frame)));
            }
            ("bt", "") => backtrace(session, &place),
            ("locals", "") => locals(session, &place, style),
            ("maps", "") => maps(session, &place),
            _ => {
                let mut out = io::stdout().lock();
                // A value that cannot be written ends the prompt with it.
                if write(&mut out, session, &place, line, style).and_then(|_| out.flush()).is_err() {
                    break;
                }
            }
        }
    }
    if let Some(path) = &history {
        let _ = path.parent().map(fs::create_dir_all);
        let _ = editor.save_history(path);
    }
    Ok(Done::Done)
}

/// Where programs keep what a user would not miss (XDG Base Directory Specification).
fn history() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("panicle").join("inspect-history"))
}

fn header(place: &Place) -> String {
    match (place.goroutine, place.frame, &place.function) {
        (Some(goroutine), Some(frame), Some(function)) => {
            format!("goroutine {goroutine}, frame {frame}: {function}")
        }
        (Some(goroutine), ..) => format!("goroutine {goroutine}, which has no frames"),
        _ => "no goroutine; names of packages' variables begin with the package".to_owned(),
    }
}

/// Moves to another frame.
fn go(
    session: &Session<'_>,
    place: &mut Place,
    number: &str,
    to: impl Fn(u64) -> (Option<u64>, Option<u64>),
) {
    let found = match number.parse() {
        Ok(number) => {
            let (goroutine, frame) = to(number);
            Place::find(session, goroutine, frame)
        }
        Err(_) => Err(QueryError::NotFound(format!("{number:?} is no number"))),
    };
    match found {
        Ok(found) => {
            *place = found;
            println!("{}", header(place));
        }
        Err(error) => eprintln!("{}", said(&error)),
    }
}

fn backtrace(session: &Session<'_>, place: &Place) {
    let Some(g) = place.goroutine.and_then(|id| session.goroutine(id)) else {
        println!("no goroutine");
        return;
    };
    let frames = session.frames(g);
    let all: Vec<_> = frames.iter().collect();
    let mut last = None;
    for (at, (number, frame)) in all.iter().enumerate() {
        if at >= MOST_FRAMES && at + MOST_FRAMES < all.len() {
            if at == MOST_FRAMES {
                println!("    … {} frames", all.len() - 2 * MOST_FRAMES);
            }
            continue;
        }
        // Frames of C code have numbers as well, and no variables that could be read.
        if last.is_some_and(|last| *number > last + 1) {
            println!("    … C code");
        }
        last = Some(*number);
        let call = frame.call();
        let mark = if place.frame == Some(*number) { '*' } else { ' ' };
        let file = call.file.as_deref().unwrap_or("?");
        let line = call.line.map(|line| format!(":{line}")).unwrap_or_default();
        println!("{mark} {number:3}  {}  {file}{line}", call.function);
    }
}

fn locals(session: &Session<'_>, place: &Place, style: Style) {
    let context = session.context();
    let limits = Limits { depth: style.depth, ..Limits::default() };
    for variable in place.variables() {
        let name = if variable.hidden { format!("({})", variable.name) } else { variable.name.clone() };
        let Some(of) = variable.type_id else {
            println!("{name} = ?");
            continue;
        };
        let value = variable.location.as_ref().map(|location| value::format(&context, of, location, limits));
        let type_name = value::type_name(&context, of);
        println!("{name} {type_name} = {}", value.as_deref().unwrap_or("<not kept>"));
    }
}

fn maps(session: &Session<'_>, place: &Place) {
    let Some(g) = place.goroutine.and_then(|id| session.goroutine(id)) else {
        println!("no goroutine");
        return;
    };
    let maps = session.maps(g);
    if maps.is_empty() {
        println!("no variable of the goroutine's frames is a map, or leads to one");
    }
    for map in maps.iter().take(MOST_MAPS) {
        let of = map.type_name.as_deref().unwrap_or("map of an unknown type");
        let len = map.count.map(|count| format!(" len={count}")).unwrap_or_default();
        let held: Vec<_> = map.roots.iter().take(MOST_ROOTS).map(held).collect();
        println!("  {of} {}{len}  {}", map.address, held.join(", "));
    }
    if maps.len() > MOST_MAPS {
        println!("  … {} maps", maps.len() - MOST_MAPS);
    }
}

/// `s.users (frame 4)`
fn held(root: &MapRoot) -> String {
    let name = root.name().unwrap_or("what an operation is called with");
    root.frame.map_or_else(|| name.to_owned(), |frame| format!("{name} (frame {frame})"))
}
