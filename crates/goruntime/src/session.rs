//! A process opened for questions: what an answer needs is read, and nothing else.
//!
//! A report reads every goroutine and every stack. A question about one frame needs one of them, and one about
//! a map whose type is known needs none. So each part is read when it is first asked for, and kept.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use panicle_binary::{
    Executable,
    dwarf::{DwarfIndex, VariableKind},
    mapped,
};
use panicle_image::Core;
use panicle_report::{Diagnostic, FrameKind, LayoutSource, Map, Stage};

use crate::{
    cframes::{self, CCode, Library, LibraryFile, crossings},
    crash::{self, Death},
    frames::{LogicalFrame, Stack},
    goroutine::{self, G},
    locals::{self, Variable},
    maps::{Examiner, Hashes},
    operations::{self, OperandBase, Operation},
    owner::{Owner, owner, stands_for_a_call},
    process::Process,
    receiver::{self, Receiver},
    resolve::{self, Resolved},
    roots::{self, View},
    status::Words,
    threads::{self, Thread},
    unwind::{End, Start},
    value::{Context, Location, rtype::TypeData},
};

/// How a process is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Files that may be shared libraries of the process, for its C frames.
    pub libraries: &'a [LibraryFile<'a>],
    /// When debug information is loaded, which costs more than all else in a large executable.
    pub debug_information: DebugInformation,
}

/// When debug information is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DebugInformation {
    /// If there is any. Names of variables need it.
    #[default]
    Always,
    /// Only if nothing else tells where the runtime keeps what.
    ForTheLayout,
}

/// A process that cannot be opened.
#[derive(Clone, Debug, PartialEq)]
pub struct CannotOpen {
    /// What was said on the way; the last one says why.
    pub diagnostics: Vec<Diagnostic>,
}

impl std::fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.diagnostics.last().map_or("", |last| last.text.as_str()))
    }
}

impl std::error::Error for CannotOpen {}

/// An opened process.
pub struct Session<'s> {
    /// The process.
    pub process: &'s Process<'s>,
    pub(crate) core: &'s Core<'s>,
    libraries: &'s [Library<'s>],
    types: Option<TypeData>,
    symbol: &'s dyn Fn(u64) -> Option<String>,
    code: OnceCell<CCode<'s>>,
    words: OnceCell<Words>,
    goroutines: OnceCell<Vec<G>>,
    threads: OnceCell<Vec<Thread>>,
    stacks: RefCell<HashMap<u64, Rc<Stack>>>,
    passed: RefCell<HashMap<u64, Rc<[Passed]>>>,
    death: OnceCell<Option<Death>>,
    hashes: OnceCell<Hashes>,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

/// Opens the process that `core` was taken of for `ask`. `executable` must be the one it ran.
pub fn open<R>(
    core: &Core<'_>,
    executable: &Executable<'_>,
    options: &Options<'_>,
    ask: impl FnOnce(&Session<'_>) -> R,
) -> Result<R, CannotOpen> {
    let mut diagnostics = Vec::new();
    let dwarf = match options.debug_information {
        DebugInformation::Always => load_dwarf(executable, &mut diagnostics),
        DebugInformation::ForTheLayout => None,
    };
    let failed = |missing: resolve::Missing, mut diagnostics: Vec<Diagnostic>| {
        let text = format!("Goroutines cannot be read: {missing}.");
        diagnostics.push(Diagnostic::error(Stage::Layout, text));
        CannotOpen { diagnostics }
    };
    let (mut memory, bias) = match resolve::memory(core, executable) {
        Ok(found) => found,
        Err(missing) => return Err(failed(missing, diagnostics)),
    };
    let (libraries, found) = cframes::load(mapped::libraries(core, &memory), options.libraries);
    diagnostics.extend(found);
    memory.add_layers(libraries.iter().flat_map(Library::layers));
    let without = match (options.debug_information, &dwarf) {
        (DebugInformation::ForTheLayout, None) => {
            let resolved = resolve::resolve(&memory, bias, executable, None);
            resolved.ok().filter(|(resolved, _)| resolved.process.layout.source == LayoutSource::Table)
        }
        _ => None,
    };
    let late;
    let resolved = if let Some(resolved) = without {
        Ok(resolved)
    } else {
        late = match options.debug_information {
            DebugInformation::Always => dwarf,
            DebugInformation::ForTheLayout => load_dwarf(executable, &mut diagnostics),
        };
        resolve::resolve(&memory, bias, executable, late.as_ref())
    };
    let (Resolved { process, module }, found) = match resolved {
        Ok(resolved) => resolved,
        Err(missing) => return Err(failed(missing, diagnostics)),
    };
    diagnostics.extend(found);
    let types = module.types.zip(module.etypes);
    let types = types.and_then(|(types, etypes)| TypeData::of_layout(types, etypes, &process.layout));
    let symbol = |pc: u64| process.symbolizer.function_name(pc);
    Ok(ask(&Session {
        process: &process,
        core,
        libraries: &libraries,
        types,
        symbol: &symbol,
        code: OnceCell::new(),
        words: OnceCell::new(),
        goroutines: OnceCell::new(),
        threads: OnceCell::new(),
        stacks: RefCell::default(),
        passed: RefCell::default(),
        death: OnceCell::new(),
        hashes: OnceCell::new(),
        diagnostics: RefCell::new(diagnostics),
    }))
}

fn load_dwarf<'a>(executable: &Executable<'a>, diagnostics: &mut Vec<Diagnostic>) -> Option<DwarfIndex<'a>> {
    match executable.load_dwarf() {
        Ok((dwarf, found)) => {
            diagnostics.extend(found);
            dwarf
        }
        Err(error) => {
            let text = format!("The debug information cannot be read: {error}.");
            diagnostics.push(Diagnostic::warning(Stage::Binary, text));
            None
        }
    }
}

impl<'s> Session<'s> {
    /// What is needed to read values.
    pub fn context(&self) -> Context<'_> {
        Context {
            memory: self.process.memory,
            dwarf: self.process.dwarf,
            layout: &self.process.layout,
            types: self.types.as_ref(),
            bias: self.process.bias,
            hashes: Some(self.hashes()),
            symbol: self.symbol,
        }
    }

    /// What the process hashes keys with.
    pub fn hashes(&self) -> &Hashes {
        self.hashes.get_or_init(|| Hashes::of(self.process))
    }

    /// What was said so far.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.diagnostics.borrow().clone()
    }

    pub(crate) fn take_diagnostics(&self) -> Vec<Diagnostic> {
        self.diagnostics.take()
    }

    fn say(&self, found: Vec<Diagnostic>) {
        self.diagnostics.borrow_mut().extend(found);
    }

    /// The C code of the process.
    pub(crate) fn code(&self) -> &CCode<'s> {
        self.code.get_or_init(|| CCode::new(self.process, self.core, self.libraries))
    }

    fn words(&self) -> &Words {
        self.words.get_or_init(|| {
            let (words, found) = Words::read(self.process);
            self.say(found);
            words
        })
    }

    /// Reads the list of goroutines and keeps nothing: a report takes it apart.
    pub(crate) fn read_goroutines(&self) -> Vec<G> {
        let (goroutines, found) = goroutine::all(self.process, self.words());
        self.say(found);
        goroutines
    }

    /// Every goroutine that is not free, in the runtime's order.
    pub fn goroutines(&self) -> &[G] {
        self.goroutines.get_or_init(|| self.read_goroutines())
    }

    /// The threads, in the core's order.
    pub fn threads(&self) -> &[Thread] {
        self.threads.get_or_init(|| {
            let (threads, found) = threads::all(self.process, self.core, self.code());
            self.say(found);
            threads
        })
    }

    /// Frames that may be collected of all stacks. Stacks do not overlap and every frame takes a word, so
    /// there are no more frames than the core has words. Its size counts, not the memory it describes:
    /// segments may share bytes of the file.
    pub(crate) fn frame_budget(&self, goroutines: usize) -> u64 {
        (self.core.size_bytes() / 8).saturating_add(goroutines as u64)
    }

    /// The stack of `g` with its C frames, as it is: not trimmed.
    pub(crate) fn whole_stack(&self, g: &G, thread: Option<&Thread>, budget: &mut u64) -> Stack {
        let mut stack = match start(self.process, g, thread) {
            Some(start) => Stack::collect(self.process, start, budget),
            None => Stack::empty(End::Unmapped(g.address)),
        };
        stack.c = crossings::find(self.process, self.code(), g, &stack, thread);
        stack
    }

    /// Every operation on a map that a goroutine is inside of, with the stack's frames by number as a report
    /// without C frames has them.
    pub fn operations(&self) -> Vec<Operation> {
        let threads: HashMap<u64, &Thread> =
            self.threads().iter().filter_map(|thread| Some((thread.m?.address, thread))).collect();
        let mut budget = self.frame_budget(self.goroutines().len());
        let stack = |g: &G| {
            let mut stack = self.whole_stack(g, threads.get(&g.m).copied(), &mut budget);
            stack.trim_dying();
            (g.clone(), stack)
        };
        let stacks: Vec<(G, Stack)> = self.goroutines().iter().map(stack).collect();
        operations::find(self.process, &self.context(), &stacks, &threads)
    }

    /// The thread that a goroutine is on.
    fn thread_of(&self, g: &G) -> Option<&Thread> {
        if g.m == 0 {
            return None;
        }
        self.threads().iter().rev().find(|thread| thread.m.is_some_and(|m| m.address == g.m))
    }

    /// The goroutine with this id.
    pub fn goroutine(&self, id: u64) -> Option<&G> {
        self.goroutines().iter().find(|g| g.id == id)
    }

    fn death(&self) -> Option<&Death> {
        let death = self.death.get_or_init(|| {
            // Who dies stands on a thread.
            let mut budget = self.frame_budget(0);
            let running = self.goroutines().iter().filter_map(|g| {
                let thread = self.thread_of(g)?;
                Some((g.clone(), self.whole_stack(g, Some(thread), &mut budget)))
            });
            crash::find(self.process, self.threads(), &running.collect::<Vec<_>>())
        });
        death.as_ref()
    }

    /// The goroutine at fault; without one, that of the first thread that runs one.
    pub fn goroutine_at_fault(&self) -> Option<u64> {
        self.death().and_then(Death::goroutine).or_else(|| {
            let mut current = self.threads().iter().filter_map(|thread| thread.m.map(|m| m.current));
            current.find_map(|current| self.goroutines().iter().find(|g| g.address == current)).map(|g| g.id)
        })
    }

    /// The frames of a goroutine, numbered as a report numbers them.
    pub fn frames(&self, g: &G) -> Frames {
        let known = self.stacks.borrow().get(&g.address).cloned();
        let stack = known.unwrap_or_else(|| {
            let mut stack = self.whole_stack(g, self.thread_of(g), &mut self.frame_budget(1));
            stack.c.printed = stack.trim_dying();
            let stack = Rc::new(stack);
            self.stacks.borrow_mut().insert(g.address, Rc::clone(&stack));
            stack
        });
        let mut numbers = Vec::with_capacity(stack.frames.len());
        let mut crossings = stack.c.found.iter().peekable();
        let mut c_frames = 0;
        for index in 0..stack.frames.len() {
            while let Some(crossing) = crossings.next_if(|crossing| crossing.after <= index) {
                c_frames += crossing
                    .stack
                    .frames
                    .iter()
                    .map(|frame| {
                        let kind = if frame.signal { FrameKind::Signal } else { FrameKind::Cgo };
                        self.code().calls(self.process, frame.lookup_pc, kind).len()
                    })
                    .sum::<usize>();
            }
            numbers.push((index + c_frames) as u64);
        }
        Frames { stack, numbers }
    }

    /// The frame of `g` that a verdict speaks of, with its number: the innermost one of the program's own below
    /// the panic that ended it; where there is none, the innermost one outside the runtime, or of any.
    pub fn own_frame<'f>(&self, g: &G, frames: &'f Frames) -> Option<(u64, &'f LogicalFrame)> {
        let panicked = matches!(self.death(), Some(Death::Panic { goroutine }) if *goroutine == g.id);
        // The panic that was raised first is the outermost one, and deferred calls run above it.
        let panic =
            panicked.then(|| frames.iter().filter(|(_, frame)| frame.call().function == GOPANIC).last());
        let start = panic.flatten().map_or(0, |(number, _)| number + 1);
        let below = || frames.iter().filter(|(number, _)| *number >= start);
        let own = |function: &str| owner(function) == Owner::App && !stands_for_a_call(function);
        below()
            .find(|(_, frame)| frame.call().kind == FrameKind::Go && own(&frame.call().function))
            .or_else(|| below().find(|(_, frame)| frame.call().kind == FrameKind::Go))
            .or_else(|| frames.iter().next())
    }

    /// The variables of a frame of `g`.
    ///
    /// A parameter that debug information has lost is still known where the frame took a map out of it that it
    /// works on: then the machine code tells what it is.
    pub fn variables(&self, g: &G, frame: &LogicalFrame) -> Vec<Variable> {
        let registers = self.thread_of(g).map(Thread::at_work);
        let mut found = locals::in_frame(self.process, frame, registers.as_ref(), |frame| {
            locals::variables(&self.context(), frame)
        });
        let is_lost = |variable: &Variable| {
            variable.kind == VariableKind::Parameter && variable.location.is_none() && !variable.hidden
        };
        // Arguments are those of the physical function, and not of what is inlined into it.
        if frame.call().inlined || !found.iter().any(is_lost) {
            return found;
        }
        for passed in self.passed(g).iter().filter(|passed| passed.cfa == frame.physical.fp) {
            let index =
                locals::passed::parameter(&self.context(), frame.physical_name(), &found, passed.number);
            if let Some(variable) = index.and_then(|index| found.get_mut(index)).filter(|one| is_lost(one)) {
                variable.location = Some(Location::of_bytes(&passed.value.to_le_bytes()));
            }
        }
        found
    }

    /// The receiver of a frame's method, where debug information does not know its variables.
    pub fn receiver(&self, g: &G, frame: &LogicalFrame) -> Option<Receiver> {
        if self.process.dwarf.is_some() || frame.call().inlined {
            return None;
        }
        let of = receiver::of_method(frame.physical_name())?;
        let slot = receiver::slot(self.process, &frame.physical).map(Location::Address);
        // As for lost parameters.
        let passed = || {
            let passed = self.passed(g);
            let first = passed.iter().find(|passed| passed.cfa == frame.physical.fp && passed.number == 0)?;
            of.pointer.then(|| Location::of_bytes(&first.value.to_le_bytes()))
        };
        Some(Receiver::new(&of, slot.or_else(passed)?))
    }

    /// The maps that variables of `g` lead to, with their holders among those.
    pub fn maps(&self, g: &G) -> Vec<Map> {
        let (stacks, threads) = self.alone(g);
        let context = self.context();
        let operations = operations::find(self.process, &context, &stacks, &threads);
        let view = View {
            process: self.process,
            context: &context,
            goroutines: &stacks,
            written: &[],
            threads: &threads,
            crashing: Some(g.id),
            examiner: &Examiner::new(self.hashes()),
        };
        let mut maps = roots::of_variables(&view, operations);
        let numbers = self.frames(g).numbers;
        for root in maps.iter_mut().flat_map(|map| &mut map.roots) {
            let index = root.frame.and_then(|index| usize::try_from(index).ok());
            root.frame = index.and_then(|index| numbers.get(index).copied());
        }
        maps
    }

    /// `g` and its stack as a report has it, and the thread that it is on.
    fn alone(&self, g: &G) -> ([(G, Stack); 1], HashMap<u64, &Thread>) {
        let thread = self.thread_of(g);
        let mut stack = self.whole_stack(g, thread, &mut self.frame_budget(1));
        stack.trim_dying();
        ([(g.clone(), stack)], thread.map(|thread| (g.m, thread)).into_iter().collect())
    }

    /// Arguments that operations on maps of `g` were reached by.
    fn passed(&self, g: &G) -> Rc<[Passed]> {
        if let Some(known) = self.passed.borrow().get(&g.address) {
            return Rc::clone(known);
        }
        let (stacks, threads) = self.alone(g);
        let operations = operations::find(self.process, &self.context(), &stacks, &threads);
        let argument = |operation: Operation| {
            let OperandBase::Argument { number, value: Some(value), exact: true } = operation.operand?.base
            else {
                return None;
            };
            let frame = stacks.first()?.1.frames.get(operation.caller?)?;
            Some(Passed { cfa: frame.physical.fp, number, value })
        };
        let found: Rc<[Passed]> = operations.into_iter().filter_map(argument).collect();
        self.passed.borrow_mut().insert(g.address, Rc::clone(&found));
        found
    }
}

/// The runtime's entry of a panic.
const GOPANIC: &str = "runtime.gopanic";

/// An argument that the machine code tells.
#[derive(Clone, Copy, Debug)]
struct Passed {
    /// The canonical address of the frame that was called with it.
    cfa: u64,
    /// Which of the registers for integers it came in.
    number: usize,
    /// What it is.
    value: u64,
}

/// The Go frames of one goroutine.
#[derive(Clone, Debug)]
pub struct Frames {
    stack: Rc<Stack>,
    numbers: Vec<u64>,
}

impl Frames {
    /// Each frame with its number in a report, which counts C frames too; innermost first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &LogicalFrame)> {
        self.numbers.iter().copied().zip(&self.stack.frames)
    }

    /// The frame with this number; `None` for C frames, and where there is none.
    pub fn get(&self, number: u64) -> Option<&LogicalFrame> {
        let at = self.numbers.binary_search(&number).ok()?;
        self.stack.frames.get(at)
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
