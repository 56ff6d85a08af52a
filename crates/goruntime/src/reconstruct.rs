//! Everything together: from a core and its executable to goroutines, threads and the panic.

mod writer;

use std::collections::HashMap;

use panicle_binary::{Executable, mapped};
use panicle_image::Core;
use panicle_report::{Diagnostic, Goroutine, Layout as ReportLayout, Panic, Stage, Thread as ReportThread};

use crate::{
    cframes::{self, CCode, Library, LibraryFile, crossings},
    clock::Clock,
    crash,
    frames::Stack,
    goroutine::{self, G},
    module::Module,
    panics::PanicReader,
    process::Process,
    resolve::{self, Missing, Resolved},
    status::Words,
    threads::{self, Thread},
    unwind::{End, Start},
    value::{self, Limits, rtype::TypeData},
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
}

/// Reads the process that `core` was taken of. `executable` must be the one it ran.
pub fn reconstruct(
    core: &Core<'_>,
    executable: &Executable<'_>,
    options: &Options<'_>,
) -> (Reconstruction, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let dwarf = match executable.load_dwarf() {
        Ok((dwarf, found)) => {
            diagnostics.extend(found);
            dwarf
        }
        Err(error) => {
            diagnostics.push(Diagnostic::warning(
                Stage::Binary,
                format!("The debug information cannot be read: {error}."),
            ));
            None
        }
    };
    let said = executable.build_info.as_ref().map(|info| info.go_version.clone());
    let failed = |missing: Missing, mut diagnostics: Vec<Diagnostic>| {
        let text = format!("Goroutines cannot be read: {missing}.");
        diagnostics.push(Diagnostic::error(Stage::Layout, text));
        (Reconstruction { go_version: said.clone(), ..Reconstruction::default() }, diagnostics)
    };
    let (mut memory, bias) = match resolve::memory(core, executable) {
        Ok(found) => found,
        Err(missing) => return failed(missing, diagnostics),
    };
    let (libraries, found) = cframes::load(mapped::libraries(core, &memory), options.libraries);
    diagnostics.extend(found);
    memory.add_layers(libraries.iter().flat_map(Library::layers));
    match resolve::resolve(&memory, bias, executable, dwarf.as_ref()) {
        Ok((Resolved { process, module }, found)) => {
            diagnostics.extend(found);
            let code = CCode::new(&process, core, &libraries);
            let (mut found, more) = read(&process, core, &code, module, options.most_frames_with_locals);
            diagnostics.extend(code.diagnostics());
            diagnostics.extend(more);
            found.layout = Some(ReportLayout {
                source: process.layout.source,
                go_version: process.layout.go_version.clone(),
            });
            found.go_version = said.or_else(|| process.running_version());
            (found, diagnostics)
        }
        Err(missing) => failed(missing, diagnostics),
    }
}

fn read(
    process: &Process<'_>,
    core: &Core<'_>,
    code: &CCode<'_>,
    module: Module,
    most_frames_with_locals: usize,
) -> (Reconstruction, Vec<Diagnostic>) {
    let (words, mut diagnostics) = Words::read(process);
    let (gs, more) = goroutine::all(process, &words);
    diagnostics.extend(more);
    let (threads, more) = threads::all(process, core, code);
    diagnostics.extend(more);

    let by_m: HashMap<u64, &Thread> =
        threads.iter().filter_map(|thread| Some((thread.m?.address, thread))).collect();
    // Stacks do not overlap and every frame takes a word, so there are no more frames than the core has
    // words. Its size counts, not the memory it describes: segments may share bytes of the file.
    let mut budget = (core.size_bytes() / 8).saturating_add(gs.len() as u64);
    let mut goroutines: Vec<(G, Stack)> = gs
        .into_iter()
        .map(|g| {
            let thread = by_m.get(&g.m).copied();
            let mut stack = stack(process, &g, thread, &mut budget);
            stack.c = crossings::find(process, code, &g, &stack, thread);
            (g, stack)
        })
        .collect();

    let death = crash::find(process, &threads, &goroutines);
    let crashing = death.as_ref().and_then(crash::Death::goroutine);
    for (_, stack) in &mut goroutines {
        stack.c.printed = stack.trim_dying();
    }
    goroutines.sort_by_key(|(g, _)| (Some(g.id) != crashing, g.id));

    let types = module.types.zip(module.etypes);
    let types = types.and_then(|(types, etypes)| TypeData::of_layout(types, etypes, &process.layout));
    let symbol = |pc: u64| process.symbolizer.function_name(pc);
    let context = value::Context {
        memory: process.memory,
        dwarf: process.dwarf,
        layout: &process.layout,
        types: types.as_ref(),
        bias: process.bias,
        symbol: &symbol,
    };
    let write = |type_word: u64, data: u64| {
        types.as_ref()?;
        Some(value::format_interface(&context, true, type_word, data, Limits::default()))
    };
    let reader = PanicReader { process, types: types.as_ref(), write: &write };
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
    let diagnostics = writer.diagnostics;
    let reconstruction = Reconstruction {
        goroutines: written,
        threads,
        panic,
        crashing_goroutine: crashing,
        ..Reconstruction::default()
    };
    (reconstruction, diagnostics)
}

/// The stack of `g`, from where a traceback would start it.
fn stack(process: &Process<'_>, g: &G, thread: Option<&Thread>, budget: &mut u64) -> Stack {
    match start(process, g, thread) {
        Some(start) => Stack::collect(process, start, budget),
        None => Stack::empty(End::Unmapped(g.address)),
    }
}

/// Where a traceback of `g` starts (`traceback1` and `unwinder.initAt`, runtime/traceback.go):
/// on its thread when it stands on its own stack there, else where it left the processor or entered
/// a system call.
fn start(process: &Process<'_>, g: &G, thread: Option<&Thread>) -> Option<Start> {
    let thread = thread.filter(|thread| thread.m.is_some_and(|m| m.current == g.address));
    if let Some(thread) = thread
        && !g.status.is_syscall()
        && g.syscall.is_none()
    {
        let at = thread.at_work();
        let (vdso_pc, vdso_sp) = thread.m.map_or((0, 0), |m| m.vdso);
        if vdso_sp != 0 && g.owns(vdso_sp) {
            return Some(Start { pc: vdso_pc, sp: vdso_sp, lr: 0, trap: false, syscall: false });
        }
        let in_go = at.pc() == 0 || process.symbolizer.symbols(at.pc()).is_some();
        if g.owns(at.sp()) && in_go {
            return Some(Start::interrupted(&at));
        }
    }
    let (saved, syscall) = match g.syscall {
        Some(saved) => (saved, true),
        None => (g.scheduled, false),
    };
    (saved.sp != 0).then_some(Start { pc: saved.pc, sp: saved.sp, lr: saved.lr, trap: false, syscall })
}
