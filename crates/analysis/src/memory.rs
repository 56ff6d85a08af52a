//! A crash as its memory image tells it.

use panicle_binary::{Executable, mapped, matching};
use panicle_goruntime::{Reconstruction, signals};
use panicle_image::{AddressSpace, Arch, Core, Format, Os};
use panicle_report::{
    Binary, BinaryMatch, CoreSource, Diagnostic, Process, Signal, Stage, Thread, Truncated,
};

use crate::{
    AnalysisError, NamedBytes,
    binaries::{Chosen, choose, image, missing},
    go_trace, libraries,
};

/// Instruction bytes that are looked at around a fault.
const FAULT_CODE: usize = 64;

/// What a core tells, with an executable or without.
#[derive(Clone, Debug)]
pub(crate) struct FromMemory {
    pub(crate) source: CoreSource,
    pub(crate) process: Process,
    /// The executable that was used, or one that does not match.
    pub(crate) binary: Option<Binary>,
    /// Whether a Go program left the core.
    pub(crate) go: Option<bool>,
    /// What the Go runtime left; empty without the executable.
    pub(crate) go_process: Reconstruction,
    /// Architecture of the process.
    pub(crate) arch: Arch,
    /// Instruction bytes from the fault on that became the root panic; `None` where there is none.
    pub(crate) code_at_fault: Option<Vec<u8>>,
    /// Threads as the core lists them.
    pub(crate) threads: Vec<Thread>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a core, and the executable among `binaries` that it came from.
pub(crate) fn read(
    core: &NamedBytes<'_>,
    binaries: &[NamedBytes<'_>],
    libraries: &[NamedBytes<'_>],
) -> Result<FromMemory, AnalysisError> {
    let (parsed, mut diagnostics) = Core::parse(core.bytes)
        .map_err(|error| AnalysisError { input: core.name_or("core"), reason: error.to_string() })?;
    let memory = parsed.memory();
    let (binaries, libraries) = libraries::split(&mapped::libraries(&parsed, &memory), binaries, libraries);
    let running = matching::running_build_ids(&parsed, &memory);
    let image = image(&parsed, &memory, &binaries);
    let chosen = choose(&parsed, &memory, &binaries, image.as_ref(), &mut diagnostics)?;
    let usable = chosen.as_ref().filter(|c| c.matched != BinaryMatch::Mismatch);
    let go = match usable {
        Some(chosen) => Some(chosen.executable.is_go()),
        None => go_trace::of_core(&parsed, &memory, &running),
    };
    if go == Some(false) {
        diagnostics.push(Diagnostic::error(
            Stage::Layout,
            "This is no core of a Go program: there are threads and mappings to show, but no goroutines.",
        ));
    } else if usable.is_none() {
        diagnostics.push(missing(&parsed, &running, chosen.as_ref()));
    }
    let mut go_process = Reconstruction::default();
    let mut code_at_fault = None;
    if let Some(chosen) = usable.filter(|_| go == Some(true)) {
        let (found, notes) = panicle_goruntime::reconstruct(
            &parsed,
            &chosen.executable,
            &panicle_goruntime::Options { libraries: &libraries, ..panicle_goruntime::Options::default() },
        );
        diagnostics.extend(notes);
        code_at_fault = fault_code(&parsed, &memory, &chosen.executable, &found);
        go_process = found;
        if parsed.format == Format::Minidump && go_process.goroutines.is_empty() {
            diagnostics.push(Diagnostic::info(
                Stage::Goroutines,
                "The minidump has stacks of threads and not the heap, where goroutines are. Have it written with \
                 full memory to see them.",
            ));
        }
    }
    Ok(FromMemory {
        source: source(core, &parsed),
        process: process(&parsed),
        binary: chosen.map(Chosen::describe),
        go,
        go_process,
        arch: parsed.arch,
        code_at_fault,
        threads: parsed.threads.iter().map(thread).collect(),
        diagnostics,
    })
}

/// The instructions at the outermost fault of the crashing goroutine: the frame below `sigpanic` has
/// the pc of the fault itself.
fn fault_code(
    core: &Core<'_>,
    memory: &AddressSpace<'_>,
    executable: &Executable<'_>,
    found: &Reconstruction,
) -> Option<Vec<u8>> {
    let id = found.crashing_goroutine?;
    let goroutine = found.goroutines.iter().find(|g| g.id == id)?;
    let sigpanic = goroutine.frames.iter().rposition(|f| f.function == "runtime.sigpanic")?;
    let pc = goroutine.frames.get(sigpanic + 1)?.pc?.0;
    let bias = matching::load_bias(core, executable)?;
    let bytes = memory.rest(pc).or_else(|| executable.mapped(pc.wrapping_sub(bias)))?;
    Some(bytes.get(..FAULT_CODE).unwrap_or(bytes).to_vec())
}

fn source(core: &NamedBytes<'_>, parsed: &Core<'_>) -> CoreSource {
    CoreSource {
        format: parsed.format.name().to_owned(),
        arch: parsed.arch.goarch().to_owned(),
        os: parsed.os.goos().to_owned(),
        size_bytes: core.bytes.len() as u64,
        sha256: core.sha256.clone(),
        truncated: parsed
            .truncated
            .map(|t| Truncated { expected_bytes: t.expected_bytes, present_bytes: t.present_bytes }),
    }
}

fn thread(thread: &panicle_image::Thread) -> Thread {
    Thread {
        tid: thread.tid,
        goroutine: None,
        on: None,
        signal: (thread.signal != 0).then_some(thread.signal),
        pc: Some(panicle_report::Address(thread.registers.pc())),
        frames: Vec::new(),
    }
}

fn process(core: &Core<'_>) -> Process {
    Process {
        pid: core.process.pid,
        command_line: core.process.command_line.clone(),
        executable: core.executable_path().map(str::to_owned),
        signal: signal(core),
        started_at: None,
        occurred_at: None,
        hostname: None,
        container: None,
    }
}

/// The signal that ended the process; no more than its number where the core does not say more,
/// as those of qemu.
fn signal(core: &Core<'_>) -> Option<Signal> {
    let plain = |number: i32| Signal {
        number,
        name: signals::name_on(core.os, number),
        code: None,
        address: None,
        sender_pid: None,
    };
    let handed = || core.threads.first().map(|thread| thread.signal).filter(|&number| number != 0);
    match &core.signal {
        Some(info) => Some(Signal {
            // An exception has none.
            code: (core.os != Os::Windows).then_some(info.code),
            address: info.address.map(panicle_report::Address),
            sender_pid: info.sender_pid,
            ..plain(info.number)
        }),
        None => handed().map(plain),
    }
}
