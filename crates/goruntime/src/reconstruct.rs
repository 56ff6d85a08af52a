//! Everything together: from a core and its executable to goroutines, threads and the panic.

mod writer;

use std::collections::HashMap;

use panicle_binary::Executable;
use panicle_image::Core;
use panicle_report::{
    Diagnostic, Goroutine, Layout as ReportLayout, Map, Panic, PanicKind, Thread as ReportThread,
};

use crate::{
    cframes::LibraryFile,
    clock::Clock,
    crash,
    frames::Stack,
    goroutine::G,
    maps::Examiner,
    operations,
    panics::PanicReader,
    process::Process,
    recovering::{self, Recovering},
    roots::{self, View},
    session::{self, Session},
    threads::Thread,
    value::{self, Limits},
};
use writer::Writer;

/// What to leave out, and what else there is to read.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Frames whose variables are read; those of the goroutine at fault come first.
    pub most_frames_with_locals: usize,
    /// Files that may be shared libraries of the process, for its C frames.
    pub libraries: &'a [LibraryFile<'a>],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { most_frames_with_locals: 5_000, libraries: &[] }
    }
}

/// What a core tells of a Go process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconstruction {
    /// The version that built it: as the build information says, or else the process' own memory.
    pub go_version: Option<String>,
    /// Where the runtime's field offsets came from.
    pub layout: Option<ReportLayout>,
    /// The goroutine at fault first, then by id.
    pub goroutines: Vec<Goroutine>,
    /// Threads in the core's order: the first dumped it.
    pub threads: Vec<ReportThread>,
    /// The panic, fatal error or signal that ended the process.
    pub panic: Option<Panic>,
    /// The goroutine at fault.
    pub crashing_goroutine: Option<u64>,
    /// Maps: that of the operation that ended the process first, then those in use, then by entries.
    pub maps: Vec<Map>,
    /// Maps that were found and are not listed.
    pub maps_left_out: u64,
    /// After a panic: functions that defer a recover on the stack of the goroutine that started the one at fault,
    /// innermost first. None of these recovers can reach it.
    pub recovering: Vec<Recovering>,
}

/// Reads the process that `core` was taken of. `executable` must be the one it ran.
pub fn reconstruct(
    core: &Core<'_>,
    executable: &Executable<'_>,
    options: &Options<'_>,
) -> (Reconstruction, Vec<Diagnostic>) {
    let said = executable.build_info.as_ref().map(|info| info.go_version.clone());
    let opening = session::Options { libraries: options.libraries, ..session::Options::default() };
    let read = |session: &Session<'_>| {
        let mut diagnostics = session.take_diagnostics();
        let (mut found, more) = read(session, options.most_frames_with_locals);
        let process = session.process;
        diagnostics.extend(session.code().diagnostics());
        diagnostics.extend(more);
        found.layout = Some(ReportLayout {
            source: process.layout.source,
            go_version: process.layout.go_version.clone(),
        });
        found.go_version = said.clone().or_else(|| process.running_version());
        (found, diagnostics)
    };
    session::open(core, executable, &opening, read).unwrap_or_else(|error| {
        (Reconstruction { go_version: said.clone(), ..Reconstruction::default() }, error.diagnostics)
    })
}

fn read(session: &Session<'_>, most_frames_with_locals: usize) -> (Reconstruction, Vec<Diagnostic>) {
    let process = session.process;
    let gs = session.read_goroutines();
    let threads = session.threads();
    let code = session.code();
    let mut diagnostics = session.take_diagnostics();

    let by_m: HashMap<u64, &Thread> =
        threads.iter().filter_map(|thread| Some((thread.m?.address, thread))).collect();
    let mut budget = session.frame_budget(gs.len());
    let mut goroutines: Vec<(G, Stack)> = gs
        .into_iter()
        .map(|g| {
            let stack = session.whole_stack(&g, by_m.get(&g.m).copied(), &mut budget);
            (g, stack)
        })
        .collect();

    let death = crash::find(process, threads, &goroutines);
    let crashing = death.as_ref().and_then(crash::Death::goroutine);
    for (_, stack) in &mut goroutines {
        stack.c.printed = stack.trim_dying();
    }
    goroutines.sort_by_key(|(g, _)| (Some(g.id) != crashing, g.id));

    let context = session.context();
    let types = context.types;
    let write = |type_word: u64, data: u64| {
        types?;
        Some(value::format_interface(&context, true, type_word, data, Limits::default()))
    };
    let reader = PanicReader { process, types, write: &write };
    let panic = death.map(|death| {
        let (panic, more) = crash::describe(&reader, &death, &goroutines);
        diagnostics.extend(more);
        panic
    });

    let mut writer = Writer {
        process,
        context,
        code,
        clock: Clock::read(process, goroutines.iter().map(|(g, _)| g.wait_since)),
        threads: &by_m,
        locals_left: most_frames_with_locals,
        diagnostics,
        broken_stacks: 0,
        unread_labels: 0,
        lost_c_frames: 0,
        second_gaps: 0,
    };
    let written: Vec<Goroutine> = goroutines.iter().map(|(g, stack)| writer.goroutine(g, stack)).collect();
    let ids: HashMap<u64, u64> = goroutines.iter().map(|(g, _)| (g.address, g.id)).collect();
    let threads = threads.iter().map(|thread| writer.thread(thread, &ids)).collect();
    writer.say_what_was_left_out();
    let mut diagnostics = writer.diagnostics;
    let view = View {
        process,
        context: &context,
        goroutines: &goroutines,
        written: &written,
        threads: &by_m,
        crashing,
        examiner: &Examiner::new(session.hashes()),
    };
    let found = roots::find(&view, operations::find(process, &context, &goroutines, &by_m));
    diagnostics.extend(found.diagnostics);
    let recovering = elsewhere(process, &written, panic.as_ref(), crashing);
    let reconstruction = Reconstruction {
        goroutines: written,
        threads,
        panic,
        crashing_goroutine: crashing,
        maps: found.maps,
        maps_left_out: found.left_out,
        recovering,
        ..Reconstruction::default()
    };
    (reconstruction, diagnostics)
}

/// Frames of the goroutine that started the one at fault that are looked at.
const MOST_CALLERS: usize = 64;

/// Who defers a recover on the way to the start of the goroutine that panicked.
fn elsewhere(
    process: &Process<'_>,
    goroutines: &[Goroutine],
    panic: Option<&Panic>,
    crashing: Option<u64>,
) -> Vec<Recovering> {
    let panicked = panic.is_some_and(|panic| panic.kind == PanicKind::Panic);
    let created = goroutines.iter().find(|g| Some(g.id) == crashing).and_then(|g| g.created_by.as_ref());
    let Some(created) = created.filter(|_| panicked) else { return Vec::new() };
    let mut functions = vec![created.function.as_str()];
    let parent = created.goroutine.and_then(|id| goroutines.iter().find(|g| g.id == id));
    // A creator that has returned is not on its goroutine's stack, and what is there now is no way to the start.
    let frames = parent.into_iter().flat_map(|parent| &parent.frames).map(|frame| frame.function.as_str());
    functions.extend(frames.skip_while(|name| *name != created.function).skip(1).take(MOST_CALLERS));
    recovering::find(process, &functions)
}
