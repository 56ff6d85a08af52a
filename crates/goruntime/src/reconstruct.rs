//! Everything together: from a core and its executable to goroutines, threads and the panic.

use std::collections::HashMap;

use panicle_binary::{Executable, dwarf::DwarfIndex, matching, pclntab::Pclntab};
use panicle_image::{AddressSpace, Core, Registers};
use panicle_report::{
    Address, Diagnostic, Frame, Goroutine, Layout as ReportLayout, Panic, StackBounds, Stage,
    Thread as ReportThread, ThreadOn, Trust,
};
use thiserror::Error;

use crate::{
    args,
    clock::Clock,
    crash,
    frames::{LogicalFrame, Stack},
    goroutine::{self, G},
    layout::Layout,
    locals,
    module::Module,
    panics::PanicReader,
    process::Process,
    status::Words,
    threads::{self, Thread, stack_of},
    unwind::{End, Start},
    value::{self, Limits, rtype::TypeData},
};

/// What to leave out.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Frames whose variables are read; those of the goroutine at fault come first.
    pub most_frames_with_locals: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { most_frames_with_locals: 5_000 }
    }
}

/// What a core tells of a Go process.
#[derive(Clone, Debug, Default)]
pub struct Reconstruction {
    /// The version that built it.
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

/// What a reconstruction cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum Missing {
    #[error("where the executable was loaded is unknown")]
    LoadBias,
    #[error("the executable has no Go function table")]
    FunctionTable,
    #[error("the Go function table cannot be read: {0}")]
    BadFunctionTable(panicle_binary::pclntab::PclntabError),
    #[error("there is no debug information to tell where the runtime keeps its goroutines")]
    Layout,
}

/// Reads the process that `core` was taken of. `executable` must be the one it ran.
pub fn reconstruct(
    core: &Core<'_>,
    executable: &Executable<'_>,
    options: &Options,
) -> (Reconstruction, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let loaded = DwarfIndex::load(|name| executable.section(name).map(|section| section.data));
    let dwarf = match loaded {
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
    let go_version = executable.build_info.as_ref().map(|info| info.go_version.clone());
    match prepare(core, executable, dwarf.as_ref(), go_version.as_deref()) {
        Ok((memory, bias, layout, pclntab)) => {
            let process = Process::new(&memory, executable, dwarf.as_ref(), bias, layout, pclntab);
            let (mut found, more) = read(&process, core, options);
            diagnostics.extend(more);
            found.layout =
                Some(ReportLayout { source: process.layout.source, go_version: go_version.clone() });
            found.go_version = go_version;
            (found, diagnostics)
        }
        Err(missing) => {
            let text = format!("Goroutines cannot be read: {missing}.");
            diagnostics.push(Diagnostic::error(Stage::Layout, text));
            (Reconstruction { go_version, ..Reconstruction::default() }, diagnostics)
        }
    }
}

type Prepared<'a> = (AddressSpace<'a>, u64, Layout, Pclntab<'a>);

fn prepare<'a>(
    core: &Core<'a>,
    executable: &Executable<'a>,
    dwarf: Option<&DwarfIndex<'_>>,
    go_version: Option<&str>,
) -> Result<Prepared<'a>, Missing> {
    let bias = matching::load_bias(core, executable).ok_or(Missing::LoadBias)?;
    let layout = dwarf.and_then(|dwarf| Layout::from_dwarf(dwarf, go_version)).ok_or(Missing::Layout)?;
    let mut memory = core.memory();
    memory.add_layers(
        executable
            .load_segments
            .iter()
            // What the process wrote to is the core's to tell; the file has only its first value.
            .filter(|segment| !segment.writable)
            .map(|segment| (segment.address.wrapping_add(bias), segment.bytes)),
    );
    let (_, table) = executable.pclntab().ok_or(Missing::FunctionTable)?;
    let module = Module::find(&memory, executable, dwarf, bias, &layout);
    let text = module.text.map(|text| text.wrapping_sub(bias));
    let text = text.or_else(|| executable.symbol("runtime.text").map(|symbol| symbol.address));
    let pclntab = Pclntab::parse(table, text).map_err(Missing::BadFunctionTable)?;
    let func_data = module.func_data.and_then(|address| executable.mapped(address.wrapping_sub(bias)));
    Ok((memory, bias, layout, pclntab.with_func_data(func_data.unwrap_or_default())))
}

fn read(process: &Process<'_>, core: &Core<'_>, options: &Options) -> (Reconstruction, Vec<Diagnostic>) {
    let (words, mut diagnostics) = Words::read(process);
    let (gs, more) = goroutine::all(process, &words);
    diagnostics.extend(more);
    let (threads, more) = threads::all(process, core);
    diagnostics.extend(more);

    let by_m: HashMap<u64, &Thread> =
        threads.iter().filter_map(|thread| Some((thread.m?.address, thread))).collect();
    let mut goroutines: Vec<(G, Stack)> = gs
        .into_iter()
        .map(|g| {
            let stack = stack(process, &g, by_m.get(&g.m).copied());
            (g, stack)
        })
        .collect();

    let death = crash::find(process, &threads, &goroutines);
    let crashing = death.as_ref().and_then(crash::Death::goroutine);
    for (_, stack) in &mut goroutines {
        stack.trim_dying();
    }
    goroutines.sort_by_key(|(g, _)| (Some(g.id) != crashing, g.id));

    let module =
        Module::find(process.memory, process.executable, process.dwarf, process.bias, &process.layout);
    let types = process.dwarf.and_then(|dwarf| TypeData::from_dwarf(module.types?, module.etypes?, dwarf));
    let symbol = |pc: u64| process.symbolizer.function_name(pc);
    let context = process.dwarf.map(|dwarf| value::Context {
        memory: process.memory,
        dwarf,
        types: types.as_ref(),
        bias: process.bias,
        symbol: &symbol,
    });
    let write = |type_word: u64, data: u64| {
        let context = context.as_ref()?;
        Some(value::format_interface(context, true, type_word, data, Limits::default()))
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
        clock: Clock::read(process, goroutines.iter().map(|(g, _)| g.wait_since)),
        threads: &by_m,
        locals_left: options.most_frames_with_locals,
        diagnostics,
    };
    let written: Vec<Goroutine> = goroutines.iter().map(|(g, stack)| writer.goroutine(g, stack)).collect();
    let threads = threads.iter().map(|thread| writer.thread(thread, &goroutines)).collect();
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
fn stack(process: &Process<'_>, g: &G, thread: Option<&Thread>) -> Stack {
    match start(process, g, thread) {
        Some(start) => Stack::collect(process, start),
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
            return Some(Start { pc: vdso_pc, sp: vdso_sp, trap: false, syscall: false });
        }
        let in_go = at.pc() == 0 || process.symbolizer.symbols(at.pc()).is_some();
        if g.owns(at.sp()) && in_go {
            return Some(Start { pc: at.pc(), sp: at.sp(), trap: true, syscall: false });
        }
    }
    let (saved, syscall) = match g.syscall {
        Some(saved) => (saved, true),
        None => (g.scheduled, false),
    };
    (saved.sp != 0).then_some(Start { pc: saved.pc, sp: saved.sp, trap: false, syscall })
}

/// Turns what was found into the report's shapes.
struct Writer<'w, 'a> {
    process: &'w Process<'a>,
    context: Option<value::Context<'w>>,
    clock: Clock,
    threads: &'w HashMap<u64, &'w Thread>,
    locals_left: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Writer<'_, '_> {
    fn goroutine(&mut self, g: &G, stack: &Stack) -> Goroutine {
        let process = self.process;
        let (labels, problem) = g.labels(process);
        self.diagnostics.extend(problem);
        if !stack.end.is_complete() {
            self.diagnostics.push(
                Diagnostic::warning(Stage::Unwind, format!("The stack breaks off: {}.", why(stack.end)))
                    .about(format!("goroutine {}", g.id)),
            );
        }
        let thread = self.threads.get(&g.m).copied();
        let registers = thread.map(Thread::at_work);
        let frames: Vec<Frame> =
            stack.frames.iter().map(|frame| self.frame(frame, registers.as_ref())).collect();
        let program_code =
            stack.frames.iter().any(|frame| frame.call().kind == panicle_report::FrameKind::Go);
        Goroutine {
            id: g.id,
            status: g.status.word.clone(),
            wait_reason: g.wait_reason.clone(),
            wait_seconds: (g.status.has_reason() || g.status.is_syscall())
                .then(|| self.clock.seconds_since(g.wait_since))
                .flatten(),
            labels,
            thread: thread.map(|thread| thread.tid),
            locked_to_thread: g.locked,
            // The finalizer goroutine is the program's while it runs the program's finalizers.
            system: g.is_system(process) && !program_code,
            address: Some(Address(g.address)),
            stack: Some(StackBounds { lo: Address(g.stack.0), hi: Address(g.stack.1) }),
            waiting_on: None,
            created_by: g.created_by(process),
            frames,
            leaked: None,
            truncated: !stack.end.is_complete() || stack.elided.is_some(),
            elided: stack.elided,
        }
    }

    /// `registers` are those of the thread, which tell something of a frame only while its pc and sp
    /// are still in them.
    fn frame(&mut self, frame: &LogicalFrame, registers: Option<&Registers>) -> Frame {
        let (call, physical) = (frame.call(), &frame.physical);
        let args = if call.inlined { "...".to_owned() } else { args::print(self.process, physical) };
        let registers =
            registers.filter(|at| physical.trap && at.pc() == physical.pc && at.sp() == physical.sp);
        Frame {
            function: call.function.clone(),
            file: call.file.clone(),
            line: call.line,
            pc: Some(Address(physical.pc)),
            sp: Some(Address(physical.sp)),
            inlined: call.inlined,
            kind: call.kind,
            trust: Trust::Pclntab,
            args: Some(args),
            locals: self.locals(frame, registers),
        }
    }

    fn locals(&mut self, frame: &LogicalFrame, registers: Option<&Registers>) -> Vec<panicle_report::Local> {
        let Some(context) = &self.context else { return Vec::new() };
        if frame.call().kind != panicle_report::FrameKind::Go || self.locals_left == 0 {
            return Vec::new();
        }
        self.locals_left -= 1;
        let by_dwarf = registers.map(|registers| |number: u16| registers.by_dwarf(number));
        let wanted = locals::Frame {
            pc: frame.physical.lookup_pc,
            cfa: frame.physical.fp,
            sp: Some(frame.physical.sp),
            registers: by_dwarf.as_ref().map(|read| read as locals::Registers<'_>),
            inline_depth: frame.depth,
            function: Some(&frame.call().function),
            line: frame.call().line,
        };
        locals::locals(context, &wanted, Limits::default())
    }

    fn thread(&mut self, thread: &Thread, goroutines: &[(G, Stack)]) -> ReportThread {
        let process = self.process;
        let at = thread.registers;
        let on = match thread.m.and_then(|m| stack_of(process, &m, at.sp())) {
            Some(on) => Some(on),
            None if process.symbolizer.symbols(at.pc()).is_none() => Some(ThreadOn::C),
            None => None,
        };
        let current = thread.m.map(|m| m.current).filter(|&current| current != 0);
        let frames = if on == Some(ThreadOn::Goroutine) {
            Vec::new()
        } else {
            thread
                .frames
                .iter()
                .flat_map(|physical| {
                    let calls = process.symbolizer.calls(physical.lookup_pc);
                    let physical = std::rc::Rc::new(physical.clone());
                    (0..calls.len())
                        .map(|depth| LogicalFrame {
                            physical: std::rc::Rc::clone(&physical),
                            calls: std::rc::Rc::clone(&calls),
                            depth,
                        })
                        .map(|frame| self.frame(&frame, Some(&at)))
                        .collect::<Vec<_>>()
                })
                .collect()
        };
        ReportThread {
            tid: thread.tid,
            goroutine: goroutines.iter().find(|(g, _)| Some(g.address) == current).map(|(g, _)| g.id),
            on,
            signal: thread.interrupted.first().map(|interrupted| interrupted.signal.number),
            pc: Some(Address(at.pc())),
            frames,
        }
    }

    fn say_what_was_left_out(&mut self) {
        if self.locals_left == 0 && self.context.is_some() {
            self.diagnostics.push(Diagnostic::info(
                Stage::Values,
                "Variables were read for the first frames only; there are too many goroutines for all.",
            ));
        }
    }
}

fn why(end: End) -> String {
    match end {
        End::Top | End::StackSwitch | End::Stopped => "it is whole".to_owned(),
        End::UnknownPc(pc) => format!("{pc:#x} is in no Go function"),
        End::Unmapped(address) => format!("the memory at {address:#x} is not in the core"),
        End::Stuck => "its frames do not lead outwards".to_owned(),
    }
}
