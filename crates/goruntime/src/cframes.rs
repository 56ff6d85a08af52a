//! C frames: of threads that stand in C code, and between the Go frames of a stack that crosses cgo.
//!
//! C code is unwound by its call frame information, where there is none by the chain of frame
//! pointers, and at last by looking for return addresses; each frame says by which. Where Go begins,
//! Go's tables and the runtime's own bookkeeping take over: see [`crossings`].
//!
//! What is known of a file's code comes from the process' memory, beneath it from the executable, and
//! beneath that from shared libraries that the caller found by the paths and build IDs of
//! [`panicle_binary::mapped::libraries`].

pub(crate) mod crossings;
mod libraries;
mod names;
mod scan;
mod walk;

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use panicle_binary::{
    Executable,
    cfi::{CallFrames, FrameRegisters, Unwinding},
    dwarf::{DwarfIndex, Positions},
    mapped::{self, MappedElf},
};
use panicle_image::{AddressSpace, Arch, Core, Registers};
use panicle_report::{Diagnostic, Stage, Trust};

use crate::{process::Process, symbolize::Call, unwind::PhysicalFrame};
pub use libraries::LibraryFile;
pub(crate) use libraries::{Library, load};
pub(crate) use walk::{CEnd, CStack};

/// One physical frame of C code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CFrame {
    /// Program counter: a return address unless it was interrupted there.
    pub(crate) pc: u64,
    /// The pc to look names and lines up with.
    pub(crate) lookup_pc: u64,
    /// Stack pointer, where it is known.
    pub(crate) sp: Option<u64>,
    /// How it was found.
    pub(crate) trust: Trust,
    /// The trampoline through which a signal handler returns.
    pub(crate) signal: bool,
}

/// A file whose code the process could run.
struct Module<'c> {
    mapped: MappedElf,
    /// It is the executable itself, or the kernel's own library.
    kind: ModuleKind,
    frames: Option<CallFrames<'c>>,
    /// Its symbols: the debug file's come first.
    symbols: Vec<&'c Executable<'c>>,
    dwarf: Option<&'c DwarfIndex<'c>>,
    positions: OnceCell<Option<Positions<'c>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ModuleKind {
    Executable,
    Library,
    Vdso,
}

/// The C code of one process.
pub(crate) struct CCode<'c> {
    memory: &'c AddressSpace<'c>,
    arch: Arch,
    unwinding: Rc<Unwinding>,
    modules: Vec<Module<'c>>,
    /// Memory that could be executed, whatever file it was from: first address, and first past it.
    executable: Vec<(u64, u64)>,
    /// Frames that may still be walked; sound stacks cannot use it up.
    budget: Cell<u64>,
    calls: RefCell<HashMap<u64, Rc<[Call]>>>,
    /// Libraries that frames were met in, and that nothing is known of.
    unknown: RefCell<BTreeSet<usize>>,
}

impl<'c> CCode<'c> {
    /// The code of the executable, the shared libraries and the kernel's library.
    pub(crate) fn new(process: &Process<'c>, core: &Core<'_>, libraries: &'c [Library<'c>]) -> Self {
        let (memory, arch) = (process.memory, core.arch);
        let unwinding = Rc::new(Unwinding::new(arch, core.code_mask()));
        let mut modules: Vec<Module<'c>> = executable(process, core, &unwinding).into_iter().collect();
        modules.extend(libraries.iter().map(|library| Module {
            frames: by_header(memory, &unwinding, &library.mapped),
            mapped: library.mapped.clone(),
            kind: ModuleKind::Library,
            symbols: library.debug.iter().chain(&library.code).collect(),
            dwarf: library.dwarf.as_ref(),
            positions: OnceCell::new(),
        }));
        modules.extend(mapped::vdso(core, memory).map(|(mapped, _)| Module {
            frames: by_header(memory, &unwinding, &mapped),
            mapped,
            kind: ModuleKind::Vdso,
            symbols: Vec::new(),
            dwarf: None,
            positions: OnceCell::new(),
        }));
        let executable = core.segments.iter().filter(|segment| segment.execute);
        Self {
            memory,
            arch,
            unwinding,
            modules,
            executable: executable
                .map(|segment| (segment.address, segment.address.saturating_add(segment.memory_size)))
                .collect(),
            budget: Cell::new((core.size_bytes() / 8).saturating_add(1 << 20)),
            calls: RefCell::default(),
            unknown: RefCell::default(),
        }
    }

    /// The registers of a thread, as unwinding wants them.
    pub(crate) fn registers(&self, registers: &Registers) -> FrameRegisters {
        FrameRegisters::new(self.arch, registers.pc(), |number| registers.by_dwarf(number))
    }

    /// Whether `pc` is in the kernel's own library, which Go calls without leaving its stacks' rules.
    pub(crate) fn in_vdso(&self, pc: u64) -> bool {
        self.module(pc).is_some_and(|(_, module)| module.kind == ModuleKind::Vdso)
    }

    /// The path of the shared library that has code at `pc`.
    pub(crate) fn library(&self, pc: u64) -> Option<&str> {
        let (_, module) = self.module(pc)?;
        (module.kind == ModuleKind::Library).then_some(module.mapped.path.as_deref()).flatten()
    }

    /// Whether there was code at `pc`.
    fn could_run(&self, pc: u64) -> bool {
        self.executable.iter().any(|&(start, end)| start <= pc && pc < end)
    }

    fn module(&self, pc: u64) -> Option<(usize, &Module<'c>)> {
        self.modules.iter().enumerate().find(|(_, module)| module.mapped.has_code_at(pc))
    }

    /// Says which libraries would have told more.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        let unknown = self.unknown.borrow();
        let libraries = unknown.iter().filter_map(|&index| self.modules.get(index));
        libraries
            .filter_map(|module| {
                let path = module.mapped.path.clone()?;
                let id = module.mapped.build_ids.gnu.as_ref();
                let id = id.map_or("without a build ID in the core".to_owned(), |id| format!("build ID {id}"));
                let text = format!(
                    "C frames lead through {path} ({id}), which is not at hand: its functions have no names here, \
                     and its frames are guessed from the stack. Give a folder that has it with --debug-dir, or \
                     upload it."
                );
                Some(Diagnostic::warning(Stage::Unwind, text).about(path))
            })
            .collect()
    }
}

/// The executable's own C code; Go's linker leaves tables out that it does not need, the C compiler's
/// linker makes them.
fn executable<'c>(process: &Process<'c>, core: &Core<'_>, unwinding: &Rc<Unwinding>) -> Option<Module<'c>> {
    let (file, bias) = (process.executable, process.bias);
    let code = file.load_segments.iter().filter(|segment| segment.executable).map(|segment| {
        let start = segment.address.wrapping_add(bias);
        (start, start.saturating_add(segment.memory_size))
    });
    let code = code.collect();
    let first = file.load_segments.iter().find(|segment| segment.file_offset == 0)?;
    let mut mapped = MappedElf::read(process.memory, first.address.wrapping_add(bias)).unwrap_or_default();
    (mapped.bias, mapped.code) = (Some(bias), code);
    mapped.path = core.executable_path().map(str::to_owned);
    let frames = by_header(process.memory, unwinding, &mapped).or_else(|| {
        let section = file.section(".eh_frame")?;
        let Cow::Borrowed(bytes) = section.data else { return None };
        Some(CallFrames::from_section(unwinding, section.address.wrapping_add(bias), bytes))
    });
    let symbols = vec![file];
    let dwarf = process.dwarf;
    Some(Module { mapped, kind: ModuleKind::Executable, frames, symbols, dwarf, positions: OnceCell::new() })
}

fn by_header<'c>(
    memory: &'c AddressSpace<'c>,
    unwinding: &Rc<Unwinding>,
    mapped: &MappedElf,
) -> Option<CallFrames<'c>> {
    CallFrames::from_header(unwinding, mapped.eh_frame_hdr?, |address| memory.rest(address))
}

/// The C frames of a thread with these registers; none when it stands in Go code. A call through a nil
/// function value stands nowhere, and is Go's where its return address is.
pub(crate) fn at_registers(process: &Process<'_>, code: &CCode<'_>, registers: &Registers) -> Option<CStack> {
    let nil_call = registers.pc() == 0
        && process.memory.u64(registers.sp()).is_ok_and(|caller| walk::is_go(process, caller));
    if nil_call || walk::is_go(process, registers.pc()) {
        return None;
    }
    Some(code.walk(process, code.registers(registers), true, Trust::Cfi))
}

/// The C code outwards of a thread's `outermost` Go frame: what started the thread, for `mstart`, or
/// what was interrupted, for the call of `sigpanic` that a signal handler pretends C made (up to Go
/// 1.19 the runtime does so before it finds that it is not Go code that failed).
pub(crate) fn below(process: &Process<'_>, code: &CCode<'_>, outermost: &PhysicalFrame) -> Option<CStack> {
    let interrupted = match outermost.symbols.name.as_str() {
        "runtime.mstart" => false,
        "runtime.sigpanic" => true,
        _ => return None,
    };
    let (shape, memory) = (process.shape, process.memory);
    let saved_at = if shape.link_register { outermost.sp } else { outermost.fp.wrapping_sub(8) };
    let pc = memory.u64(saved_at).ok()?;
    let lookup_pc = if interrupted { pc } else { pc.wrapping_sub(1) };
    if walk::is_go(process, lookup_pc) || code.module(lookup_pc).is_none() {
        return None;
    }
    let sp = outermost.fp.wrapping_add(if interrupted { shape.pushed_by_injection } else { 0 });
    let mut registers = FrameRegisters::at(code.arch, pc, Some(sp));
    if code.arch == Arch::Amd64 && outermost.symbols.stack_delta.is_some_and(|size| size > 0) {
        // Go saves the frame pointer as C does, next to the return address; a function
        // without a frame does not.
        let frame_pointer = memory.u64(outermost.fp.wrapping_sub(16)).ok();
        registers = registers.with_frame_pointer(frame_pointer);
    } else if interrupted && let Ok(link) = memory.u64(outermost.fp) {
        registers = registers.with(scan::LINK_REGISTER, link);
    }
    Some(code.walk(process, registers, interrupted, Trust::Pclntab))
}
