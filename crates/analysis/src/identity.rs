//! What a file is, without analysing it: enough to file it away and to find its counterpart.

use panicle_binary::{Executable, identify::Kind, mapped, matching};
use panicle_image::Core;
use panicle_report::{Binary, BinaryMatch, BuildIds};

use crate::{binaries, go_trace};

/// What a file turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Identity {
    /// A memory image.
    Core(CoreIdentity),
    /// An executable; [`Binary::path`] is unknown here and [`Binary::matched`] says nothing.
    Binary(Binary),
    /// Neither, and why: one sentence without a full stop.
    Other(String),
}

/// What a core says about the program that it came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CoreIdentity {
    /// `elf-core`, `minidump`.
    pub format: String,
    /// GOARCH, `amd64`.
    pub arch: String,
    /// Path of the executable as the process knew it.
    pub executable: Option<String>,
    /// Identities of the executable, read from the process' memory: those that name one build.
    pub build_ids: BuildIds,
    /// Whether a Go program left it; `None` where memory does not tell.
    pub go: Option<bool>,
    /// The file ends before the memory that it announces.
    pub truncated: bool,
    /// Shared libraries that the process had mapped: whoever finds them can hand them to an analysis.
    pub libraries: Vec<Library>,
}

/// A shared library that a process had mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library {
    /// Its path as the process knew it.
    pub path: String,
    /// Its GNU build ID in hexadecimal, where the core has the page that it is on.
    pub build_id: Option<String>,
}

/// Tells what `bytes` are. Of a core it reads headers, notes and the executable's mappings; of an
/// executable the headers and, for its digest, the text.
pub fn identify(bytes: &[u8]) -> Identity {
    let head = bytes.get(..4096).unwrap_or(bytes);
    match panicle_binary::identify::identify(head) {
        Kind::Core | Kind::Minidump => match Core::parse(bytes) {
            Ok((core, _)) => Identity::Core(core_identity(&core)),
            Err(error) => Identity::Other(error.to_string()),
        },
        Kind::Executable | Kind::Pe => match Executable::parse(bytes) {
            Ok((executable, _)) => Identity::Binary(binaries::describe(&executable, None, BinaryMatch::None)),
            Err(error) => Identity::Other(error.to_string()),
        },
        Kind::Empty => Identity::Other("the file is empty".to_owned()),
        other => {
            Identity::Other(format!("the file is {}, neither a core nor an executable", other.describe()))
        }
    }
}

fn core_identity(core: &Core<'_>) -> CoreIdentity {
    let memory = core.memory();
    let build_ids = matching::running_build_ids(core, &memory);
    let go = go_trace::of_core(core, &memory, &build_ids);
    CoreIdentity {
        format: core.format.name().to_owned(),
        arch: core.arch.goarch().to_owned(),
        executable: core.executable_path().map(str::to_owned),
        build_ids: matching::distinctive(build_ids),
        go,
        truncated: core.truncated.is_some(),
        libraries: mapped::libraries(core, &memory)
            .into_iter()
            .filter_map(|library| Some(Library { path: library.path?, build_id: library.build_ids.gnu }))
            .collect(),
    }
}
