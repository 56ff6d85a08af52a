//! A crash as its memory image tells it.

use panicle_image::Core;
use panicle_report::{Binary, CoreSource, Diagnostic, Process, Signal, Truncated};

use crate::{AnalysisError, NamedBytes, signals};

/// What a core tells, with an executable or without.
#[derive(Clone, Debug)]
pub(crate) struct FromMemory {
    pub(crate) source: CoreSource,
    pub(crate) process: Process,
    pub(crate) binary: Option<Binary>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a core, and the executable among `binaries` that it came from.
pub(crate) fn read(core: &NamedBytes<'_>, binaries: &[NamedBytes<'_>]) -> Result<FromMemory, AnalysisError> {
    let (parsed, diagnostics) = Core::parse(core.bytes)
        .map_err(|error| AnalysisError { input: core.name_or("core"), reason: error.to_string() })?;
    let source = source(core, &parsed);
    let process = process(&parsed);
    let _ = binaries;
    Ok(FromMemory { source, process, binary: None, diagnostics })
}

pub(crate) fn source(core: &NamedBytes<'_>, parsed: &Core<'_>) -> CoreSource {
    CoreSource {
        format: "elf-core".to_owned(),
        arch: parsed.arch.goarch().to_owned(),
        os: "linux".to_owned(),
        size_bytes: core.bytes.len() as u64,
        sha256: core.sha256.clone(),
        truncated: parsed
            .truncated
            .map(|t| Truncated { expected_bytes: t.expected_bytes, present_bytes: t.present_bytes }),
    }
}

fn process(core: &Core<'_>) -> Process {
    Process {
        pid: core.process.pid,
        command_line: core.process.command_line.clone(),
        executable: core.executable_path().map(str::to_owned),
        signal: core.signal.as_ref().map(|s| Signal {
            number: s.number,
            name: signals::name(s.number),
            code: Some(s.code),
            address: s.address.map(panicle_report::Address),
            sender_pid: s.sender_pid,
        }),
        started_at: None,
        hostname: None,
        container: None,
    }
}
