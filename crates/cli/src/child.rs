//! The engine, as the child process of a worker runs it.

use std::{fs::File, io};

use panicle_analysis::{AnalysisError, Identity as Found, Inputs, NamedBytes, Options, questions};
use panicle_image::mmap::{Mapped, map};
use panicle_report::{Query, Report};
use panicle_sandbox::{
    Answer, CoreIdentity, Identity, Input, Json, Limits, Role, Unpacked,
    child::{self, Engine},
};
use panicle_unpack::{HEAD_BYTES, UnpackError};

use crate::{texts, unpacked};

/// Name of the hidden subcommand.
pub(crate) const NAME: &str = "__child";

/// Runs the command. Answers the exit code.
pub(crate) fn run() -> u8 {
    child::main(&Analysis)
}

struct Analysis;

impl Engine for Analysis {
    fn identify(&self, _input: &Input, file: &File) -> io::Result<Identity> {
        let bytes = map(file)?;
        if panicle_unpack::is_packed(bytes.get(..HEAD_BYTES).unwrap_or(&bytes)) {
            return Ok(Identity::Packed);
        }
        Ok(match panicle_analysis::identify(&bytes) {
            Found::Core(core) => Identity::Core(CoreIdentity {
                executable: core.executable,
                build_ids: core.build_ids,
                go: core.go,
                libraries: core.libraries.into_iter().filter_map(|library| library.build_id).collect(),
            }),
            Found::Binary(binary) => Identity::Binary(binary),
            Found::Other(reason) => Identity::Other(reason),
        })
    }

    fn unpack(
        &self,
        input: &Input,
        file: &File,
        limits: &Limits,
        create: &mut dyn FnMut(u32) -> io::Result<File>,
    ) -> io::Result<Result<Unpacked, String>> {
        let defaults = panicle_unpack::Limits::default();
        let limits = panicle_unpack::Limits {
            bytes: limits.unpacked_bytes,
            disk_bytes: defaults.disk_bytes.min(limits.unpacked_bytes),
            parts: child::MOST_PARTS / 2,
            ..defaults
        };
        let name = input.name.as_deref().unwrap_or("evidence");
        let found = match panicle_unpack::unpack(name, file, &limits, create) {
            Ok(found) => found,
            // Not the evidence's fault: another attempt may find more room.
            Err(UnpackError::Io(error)) => return Err(error),
            Err(error @ UnpackError::DiskLow { .. }) => return Err(io::Error::other(error.to_string())),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let (parts, notes) = unpacked::sort(found);
        let parts = parts.into_iter().map(|(role, part)| Input {
            role,
            name: Some(part.name),
            path: part.number.to_string().into(),
            sha256: part.sha256,
        });
        Ok(Ok(Unpacked { parts: parts.collect(), notes }))
    }

    fn analyse(&self, inputs: &[(Input, File)]) -> io::Result<Result<Report, (String, String)>> {
        let mut texts = Vec::new();
        for (input, file) in inputs {
            let Some(kind) = texts::kind(input.role) else { continue };
            let limits = panicle_unpack::Limits::default();
            match texts::read_file(kind, input.name.clone(), file, input.sha256.clone(), &limits) {
                Ok(text) => texts.push(text),
                Err(texts::Unread::Io(error)) => return Err(error),
                Err(texts::Unread::NoText(reason)) => {
                    return Ok(Err((input.name.clone().unwrap_or_else(|| "text".to_owned()), reason)));
                }
            }
        }
        let mapped = mapped(inputs)?;
        let report = panicle_analysis::analyse_with(&evidence(&mapped), texts, &Options::default());
        Ok(report.map_err(|error| (error.input, error.reason)))
    }

    fn query(&self, inputs: &[(Input, File)], query: &Query, most: u64) -> io::Result<Answer> {
        let mapped = mapped(inputs)?;
        let limits = questions::Limits { total: most, ..questions::Limits::default() };
        let write = |answer: questions::Answer<'_>| serde_json::value::to_raw_value(&answer);
        Ok(match panicle_analysis::query(&evidence(&mapped), query, limits, write) {
            Ok(Ok(json)) => Answer::Answer(Json(json?)),
            Ok(Err(error)) => Answer::Refused(error),
            Err(AnalysisError { input, reason }) => Answer::Failed { input, reason },
        })
    }
}

fn mapped(inputs: &[(Input, File)]) -> io::Result<Vec<(&Input, Mapped)>> {
    // Texts are read piece by piece: pages of a mapping count as memory, and a dump can have gigabytes.
    let others = inputs.iter().filter(|(input, _)| texts::kind(input.role).is_none());
    others.map(|(input, file)| Ok((input, map(file)?))).collect()
}

fn evidence<'a>(mapped: &'a [(&Input, Mapped)]) -> Inputs<'a> {
    let of = |role: Role| {
        mapped.iter().filter(move |(input, _)| input.role == role).map(|(input, bytes)| NamedBytes {
            name: input.name.clone(),
            bytes,
            sha256: input.sha256.clone(),
        })
    };
    Inputs {
        core: of(Role::Core).next(),
        binaries: of(Role::Binary).collect(),
        // Libraries come among the executables, and are told apart by their build IDs.
        libraries: Vec::new(),
        texts: Vec::new(),
        races: Vec::new(),
        traces: of(Role::Trace).collect(),
        profiles: of(Role::Profile).collect(),
        collected: of(Role::Collected).collect(),
    }
}
