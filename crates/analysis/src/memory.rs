//! A crash as its memory image tells it.

use panicle_binary::{BinaryError, Executable, mapped, matching};
use panicle_goruntime::{Reconstruction, signals};
use panicle_image::{AddressSpace, Arch, Core, Format, Os};
use panicle_report::{
    Binary, BinaryMatch, BuildIds, CoreSource, Diagnostic, DwarfPresence, Process, Signal, Stage, Thread,
    Truncated,
};

use crate::{AnalysisError, NamedBytes, go_trace, libraries};

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
    let chosen = choose(&parsed, &memory, &binaries, &mut diagnostics)?;
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
        binary: chosen.map(|c| describe(&c.executable, c.name, c.matched)),
        go,
        go_process,
        arch: parsed.arch,
        code_at_fault,
        threads: parsed.threads.iter().map(thread).collect(),
        diagnostics,
    })
}

/// An executable among those that were given.
struct Chosen<'a> {
    executable: Executable<'a>,
    name: Option<String>,
    matched: BinaryMatch,
}

/// The executable that the process ran; else one that it did not, to say so.
///
/// Fails when nothing matches and an input is no executable at all: then somebody mistook a file.
fn choose<'a>(
    core: &Core<'_>,
    memory: &AddressSpace<'_>,
    binaries: &[NamedBytes<'a>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Chosen<'a>>, AnalysisError> {
    let mut best: Option<Chosen<'a>> = None;
    let mut unreadable: Option<AnalysisError> = None;
    for binary in binaries {
        let (executable, notes) = match Executable::parse(binary.bytes) {
            Ok(parsed) => parsed,
            Err(error) => {
                let error = unreadable_binary(binary, error);
                diagnostics.push(
                    Diagnostic::warning(
                        Stage::Binary,
                        format!("Not used as an executable: {}.", error.reason),
                    )
                    .about(error.input.clone()),
                );
                unreadable.get_or_insert(error);
                continue;
            }
        };
        let matched = matching::compare(core, memory, &executable);
        if matched == BinaryMatch::Mismatch {
            diagnostics.push(mismatch(core, memory, &executable, binary));
        }
        // Of two that match equally, the one with debug information tells more.
        let worth = (rank(matched), executable.dwarf == DwarfPresence::Full);
        if best
            .as_ref()
            .is_none_or(|known| worth > (rank(known.matched), known.executable.dwarf == DwarfPresence::Full))
        {
            if matched != BinaryMatch::Mismatch {
                diagnostics.extend(notes);
            }
            best = Some(Chosen { executable, name: binary.name.clone(), matched });
        }
    }
    let found = best.as_ref().is_some_and(|c| c.matched != BinaryMatch::Mismatch);
    match unreadable {
        Some(error) if !found => return Err(error),
        _ => {}
    }
    if best.as_ref().is_some_and(|c| c.matched == BinaryMatch::None) {
        diagnostics.push(Diagnostic::warning(
            Stage::Binary,
            "The core holds nothing to compare the executable with, so it is taken on trust.",
        ));
    }
    Ok(best)
}

fn rank(matched: BinaryMatch) -> u8 {
    match matched {
        BinaryMatch::BuildId => 3,
        BinaryMatch::Text => 2,
        BinaryMatch::None => 1,
        BinaryMatch::Mismatch => 0,
    }
}

pub(crate) fn unreadable_binary(binary: &NamedBytes<'_>, error: BinaryError) -> AnalysisError {
    AnalysisError { input: binary.name_or("binary"), reason: error.to_string() }
}

fn mismatch(
    core: &Core<'_>,
    memory: &AddressSpace<'_>,
    executable: &Executable<'_>,
    binary: &NamedBytes<'_>,
) -> Diagnostic {
    let running = ids(&matching::running_build_ids(core, memory));
    let given = ids(&executable.build_ids);
    let text = match (running, given) {
        (Some(running), Some(given)) => format!(
            "This is not the executable that crashed, so nothing was read with it: the process ran {running}, the \
             file is {given}."
        ),
        _ => {
            "This is not the executable that crashed, so nothing was read with it: its code differs from the \
              code in the core."
                .to_owned()
        }
    };
    Diagnostic::error(Stage::Binary, text).about(binary.name_or("binary"))
}

/// What is needed to read more of the core.
fn missing(core: &Core<'_>, running: &BuildIds, wrong: Option<&Chosen<'_>>) -> Diagnostic {
    let path =
        core.executable_path().map_or("its executable".to_owned(), |path| format!("the executable {path}"));
    let ids = ids(running).map_or(String::new(), |ids| format!(" ({ids})"));
    let which = if wrong.is_some() { "the right one" } else { "it" };
    Diagnostic::error(
        Stage::Binary,
        format!(
            "To show goroutines, stacks and the panic, {path}{ids} is needed. Give {which} with --binary, or upload \
             it."
        ),
    )
}

/// `GNU build ID …, Go build ID …`.
fn ids(ids: &BuildIds) -> Option<String> {
    let known: Vec<_> = [("GNU build ID", &ids.gnu), ("Go build ID", &ids.go)]
        .into_iter()
        .filter_map(|(name, id)| Some(format!("{name} {}", id.as_ref()?)))
        .collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// An executable as the report shows it.
pub(crate) fn describe(executable: &Executable<'_>, name: Option<String>, matched: BinaryMatch) -> Binary {
    let info = executable.build_info.as_ref();
    let main = info.and_then(|i| i.main.as_ref());
    Binary {
        path: name,
        go_version: info.map(|i| i.go_version.clone()),
        go_version_inferred: false,
        module: main.map(|m| m.path.clone()),
        module_version: main.and_then(|m| m.version.clone()),
        vcs_revision: info.and_then(|i| i.settings.get("vcs.revision").cloned()),
        build_ids: BuildIds { text_sha256: executable.text_sha256(), ..executable.build_ids.clone() },
        dwarf: executable.dwarf,
        stripped: executable.stripped,
        matched,
    }
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
