//! Which layout a crash has, and whether it fits.
//!
//! Debug information tells its own executable's layout. A table tells that of a version, and both the
//! version and a table of a neighbour may be wrong for the executable at hand; so a process is put
//! together with each candidate and asked whether it makes sense.

use panicle_binary::{Executable, dwarf::DwarfIndex, matching, pclntab::Pclntab};
use panicle_image::{AddressSpace, Core};
use panicle_report::{Diagnostic, LayoutSource, Stage};
use thiserror::Error;

use crate::{
    abi::FrameShape,
    layout::{Layout, table},
    module::{self, Module},
    process::{Object, Process, ReadError},
    status::SCAN,
};

/// Goroutines that are looked at to tell whether a layout fits.
const SAMPLE: u64 = 200;
/// Goroutines that a process has ever made; a million a second for years.
const MOST_EVER: u64 = 1 << 48;
/// The highest state of a goroutine is below this (runtime2.go).
const STATES: u64 = 16;
/// `_Gidle` and `_Gdead`: such a goroutine may have no stack.
const WITHOUT_STACK: [u64; 2] = [0, 6];
/// The largest stack: 1 GB by default, more by `debug.SetMaxStack`.
const LARGEST_STACK: u64 = 1 << 40;

/// What a reconstruction cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Missing {
    #[error("how Go's stacks look on this architecture is unknown")]
    FrameShape,
    #[error("where the executable was loaded is unknown")]
    LoadBias,
    #[error("the executable has no Go function table")]
    FunctionTable,
    #[error("the Go function table cannot be read: {0}")]
    BadFunctionTable(panicle_binary::pclntab::PclntabError),
    #[error(
        "no table of the runtime's structures fits, and there is no debug information to tell where they keep what"
    )]
    Layout,
}

/// A process put together.
pub(crate) struct Resolved<'a> {
    pub(crate) process: Process<'a>,
    pub(crate) module: Module,
}

/// The memory of the process: the core's, and beneath it the executable's own pages.
pub(crate) fn memory<'a>(
    core: &Core<'a>,
    executable: &Executable<'a>,
) -> Result<(AddressSpace<'a>, u64), Missing> {
    let bias = matching::load_bias(core, executable).ok_or(Missing::LoadBias)?;
    let mut memory = core.memory();
    memory.add_layers(
        executable
            .load_segments
            .iter()
            // What the process wrote to is the core's to tell; the file has only its first value.
            .filter(|segment| !segment.writable)
            .map(|segment| (segment.address.wrapping_add(bias), segment.bytes)),
    );
    Ok((memory, bias))
}

/// Puts the process together with the layout that fits, and says what there is to say of it.
pub(crate) fn resolve<'a>(
    memory: &'a AddressSpace<'a>,
    bias: u64,
    executable: &'a Executable<'a>,
    dwarf: Option<&'a DwarfIndex<'a>>,
) -> Result<(Resolved<'a>, Vec<Diagnostic>), Missing> {
    let parts = Parts::new(memory, bias, executable, dwarf)?;
    let said = executable.build_info.as_ref().map(|info| info.go_version.clone());
    if let Some(layout) = dwarf.and_then(|dwarf| Layout::from_dwarf(dwarf, said.as_deref())) {
        return Ok((parts.put_together(layout)?, Vec::new()));
    }
    let target = format!("{}/{}", executable.os.goos(), executable.arch.goarch());
    let mut found = Vec::new();
    for layout in table::candidates(said.as_deref(), &target) {
        let of_version = layout.source == LayoutSource::Table;
        let resolved = parts.put_together(layout)?;
        let fit = fit(&resolved, executable);
        if fit == Fit::Proven || (of_version && fit == Fit::Unknown) {
            return Ok(parts.with_own_version(resolved, said.is_none(), &target));
        }
        found.push((of_version, fit, resolved));
    }
    // Where its own table is known not to fit, another that cannot be checked is no better.
    let contradicted = found.iter().any(|(of_version, ..)| *of_version);
    let unchecked = found.iter().position(|(_, fit, _)| !contradicted && *fit == Fit::Unknown);
    if let Some(at) = unchecked {
        let resolved = found.swap_remove(at).2;
        let of = resolved.process.layout.go_version.as_deref().unwrap_or("another version");
        let text = format!(
            "Where the runtime keeps what is taken from a table of {of}. The memory that would tell whether it \
             fits is not there."
        );
        return Ok((resolved, vec![Diagnostic::warning(Stage::Layout, text)]));
    }
    // A table of the very version is still the best there is when something in the process is damaged.
    match found.into_iter().find(|(of_version, ..)| *of_version) {
        Some((_, _, resolved)) => {
            let text = "The table of the runtime's structures does not fit what is in memory: the runtime \
                        was changed, or its memory is damaged. What follows may be wrong.";
            Ok((resolved, vec![Diagnostic::warning(Stage::Layout, text)]))
        }
        None => Err(Missing::Layout),
    }
}

/// What all candidates have in common.
struct Parts<'a> {
    memory: &'a AddressSpace<'a>,
    bias: u64,
    executable: &'a Executable<'a>,
    dwarf: Option<&'a DwarfIndex<'a>>,
    shape: FrameShape,
    table: &'a [u8],
    module: Option<u64>,
}

impl<'a> Parts<'a> {
    fn new(
        memory: &'a AddressSpace<'a>,
        bias: u64,
        executable: &'a Executable<'a>,
        dwarf: Option<&'a DwarfIndex<'a>>,
    ) -> Result<Self, Missing> {
        let shape = FrameShape::of(executable.arch).ok_or(Missing::FrameShape)?;
        let (address, table) = executable.pclntab().ok_or(Missing::FunctionTable)?;
        let place = (address.wrapping_add(bias), table.len() as u64);
        let module = module::address(memory, executable, dwarf, bias, place);
        Ok(Self { memory, bias, executable, dwarf, shape, table, module })
    }

    fn put_together(&self, layout: Layout) -> Result<Resolved<'a>, Missing> {
        let Self { memory, bias, executable, .. } = *self;
        let module = self
            .module
            .map_or_else(Module::default, |address| Module::read(memory, executable, bias, address, &layout));
        let text = module.text.map(|text| text.wrapping_sub(bias));
        let text = text.or_else(|| executable.symbol("runtime.text").map(|symbol| symbol.address));
        let pclntab = Pclntab::parse(self.table, text).map_err(Missing::BadFunctionTable)?;
        let func_data = module.func_data.and_then(|address| executable.mapped(address.wrapping_sub(bias)));
        let pclntab = pclntab.with_func_data(func_data.unwrap_or_default());
        let process = Process::new(memory, executable, self.dwarf, bias, self.shape, layout, pclntab);
        Ok(Resolved { process, module })
    }

    /// An executable whose build information was removed still keeps its version in memory, and with
    /// the version its own table.
    fn with_own_version(
        &self,
        resolved: Resolved<'a>,
        version_unknown: bool,
        target: &str,
    ) -> (Resolved<'a>, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let own = version_unknown.then(|| self.of_running_version(&resolved.process, target)).flatten();
        let resolved = own.unwrap_or(resolved);
        if resolved.process.layout.source == LayoutSource::NearestTable {
            let stands_in = resolved.process.layout.go_version.as_deref().unwrap_or("another version");
            let text = format!(
                "There is no table of this runtime's structures, or that of its version does not fit. The one of \
                 {stands_in} stands in for it: the goroutines and threads that it finds point at one another as \
                 they should."
            );
            diagnostics.push(Diagnostic::warning(Stage::Layout, text));
        }
        (resolved, diagnostics)
    }

    /// The process with the table of the version that it takes itself for, if that fits.
    fn of_running_version(&self, process: &Process<'_>, target: &str) -> Option<Resolved<'a>> {
        let version = process.running_version()?;
        let own = table::candidates(Some(&version), target).next()?;
        let own = (own.source == LayoutSource::Table).then_some(own)?;
        let own = self.put_together(own).ok()?;
        (fit(&own, self.executable) == Fit::Proven).then_some(own)
    }
}

/// Whether a layout makes sense of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// Goroutines and threads were found, and they agree with one another.
    Proven,
    /// The memory that would tell is not there.
    Unknown,
    /// What was found is no list of goroutines.
    Wrong,
}

fn fit(resolved: &Resolved<'_>, executable: &Executable<'_>) -> Fit {
    let process = &resolved.process;
    if !resolved.module.is_plausible(executable, process.bias) {
        return Fit::Wrong;
    }
    if !has_its_maps(process) {
        return Fit::Wrong;
    }
    let Ok((data, length)) = process.global("runtime.allgs").and_then(|at| process.slice_header(at, 8))
    else {
        return Fit::Unknown;
    };
    let (mut good, mut bad) = (0_u64, 0_u64);
    for index in 0..length.min(SAMPLE) {
        let Ok(address) = process.memory.u64(data.wrapping_add(index * 8)) else { break };
        let Ok(g) = process.object("runtime.g", address) else { continue };
        match is_goroutine(process, &g) {
            Some(true) => good += 1,
            Some(false) => bad += 1,
            None => {}
        }
    }
    match (good, bad) {
        (0, 0) => Fit::Unknown,
        (good, bad) if bad * 20 <= good && process.global("runtime.allm").is_ok() => Fit::Proven,
        _ => Fit::Wrong,
    }
}

/// Whether the executable has functions of another kind of map than the layout knows. The two kinds came
/// one after the other, and much else stayed the same then.
fn has_its_maps(process: &Process<'_>) -> bool {
    const KINDS: [(&str, &str); 2] = [
        ("runtime.hmap", "runtime.(*hmap)."),
        ("internal/runtime/maps.Map", "internal/runtime/maps.(*Map)."),
    ];
    let lacks = |structure: &str| process.layout.structure(structure).is_none();
    let prefixes: Vec<&str> =
        KINDS.into_iter().filter(|(structure, _)| lacks(structure)).map(|(_, prefix)| prefix).collect();
    !process
        .symbolizer
        .pclntab()
        .functions()
        .filter_map(|function| function.name())
        .any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
}

/// Whether what is there makes sense as a goroutine: a known state, a stack around its stack pointer, a
/// thread that knows of it, and code it began with. `None` when its memory is missing.
fn is_goroutine(process: &Process<'_>, g: &Object<'_, '_>) -> Option<bool> {
    let word = |path: &'static str| g.word(path).ok();
    let plain = word("atomicstatus")? & !SCAN;
    let (id, lo, hi) = (word("goid")?, word("stack.lo")?, word("stack.hi")?);
    let known = id < MOST_EVER && plain < STATES;
    if WITHOUT_STACK.contains(&plain) && lo == 0 && hi == 0 {
        return Some(known);
    }
    let stack = lo < hi && hi - lo <= LARGEST_STACK && lo.is_multiple_of(8) && hi.is_multiple_of(8);
    let sp = word("sched.sp")?;
    // A goroutine that dies leaves its stack pointer zeroed.
    let scheduled = sp == 0 || (lo <= sp && sp <= hi);
    let thread = match word("m")? {
        0 => true,
        m => ["curg", "g0", "gsignal"].into_iter().any(|path| {
            let own = process.object("runtime.m", m).and_then(|m| m.word(path));
            // A thread that was not dumped says nothing against it.
            matches!(own, Err(ReadError::Unmapped(_))) || own == Ok(g.address)
        }),
    };
    // Code it began with, and the `go` statement that made it; threads of C have neither.
    let begins = word("startpc")?;
    let begins = begins == 0 || process.symbolizer.symbols(begins).is_some_and(|it| it.entry == begins);
    let made_at = word("gopc")?;
    let made = made_at == 0 || process.symbolizer.symbols(made_at).is_some();
    Some(known && stack && scheduled && thread && begins && made)
}
