//! The engine, as the child process of a worker runs it.

use std::{fs::File, io};

use panicle_analysis::{Identity as Found, Inputs, NamedBytes, Options};
use panicle_image::mmap::{Mapped, map};
use panicle_report::Report;
use panicle_sandbox::{
    CoreIdentity, Identity, Input, Role,
    child::{self, Engine},
};

/// Name of the hidden subcommand.
pub(crate) const NAME: &str = "__child";

/// Runs the command. Answers the exit code.
pub(crate) fn run() -> u8 {
    child::main(&Analysis)
}

struct Analysis;

impl Engine for Analysis {
    fn identify(&self, _input: &Input, file: &File) -> io::Result<Identity> {
        Ok(match panicle_analysis::identify(&map(file)?) {
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

    fn analyse(&self, inputs: &[(Input, File)]) -> io::Result<Result<Report, (String, String)>> {
        let mapped: Vec<(&Input, Mapped)> =
            inputs.iter().map(|(input, file)| Ok((input, map(file)?))).collect::<io::Result<_>>()?;
        let of = |role: Role| {
            mapped.iter().filter(move |(input, _)| input.role == role).map(|(input, bytes)| NamedBytes {
                name: input.name.clone(),
                bytes,
                sha256: Some(input.sha256.clone()),
            })
        };
        let inputs = Inputs {
            core: of(Role::Core).next(),
            binaries: of(Role::Binary).collect(),
            // Libraries come among the executables, and are told apart by their build IDs.
            libraries: Vec::new(),
            texts: of(Role::Text).collect(),
            races: of(Role::Race).collect(),
            traces: of(Role::Trace).collect(),
            profiles: of(Role::Profile).collect(),
        };
        let report = panicle_analysis::analyse(&inputs, &Options::default());
        Ok(report.map_err(|error| (error.input, error.reason)))
    }
}
