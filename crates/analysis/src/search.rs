//! What a search for executables and debug files has to ask of each file.

use panicle_binary::{Executable, matching};
use panicle_image::Core;
use panicle_report::BinaryMatch;

/// How the executable `file` is tied to the process that `core` was taken of; `None` where one of them
/// cannot be read, or `file` has no code.
pub fn match_binary(core: &[u8], file: &[u8]) -> Option<BinaryMatch> {
    let (core, _) = Core::parse(core).ok()?;
    let (executable, _) = Executable::parse(file).ok()?;
    (!executable.is_debug_only()).then(|| matching::compare(&core, &core.memory(), &executable))
}

/// What an executable says about its debug information.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DebugPointers {
    /// It has none itself.
    pub wanted: bool,
    /// GNU build ID in hexadecimal, which names the file in `.build-id` folders.
    pub gnu_build_id: Option<String>,
    /// Name of the file in `.gnu_debuglink`.
    pub debug_link: Option<String>,
}

/// Where an executable's debug information may be; nothing for what is no executable.
pub fn debug_pointers(file: &[u8]) -> DebugPointers {
    let Ok((executable, _)) = Executable::parse(file) else { return DebugPointers::default() };
    DebugPointers {
        wanted: !executable.has_dwarf(),
        debug_link: executable.debug_link().map(|link| link.name),
        gnu_build_id: executable.build_ids.gnu,
    }
}

/// Whether `file` has the debug information of `executable`: by build ID, checksum or text.
pub fn is_debug_file_of(executable: &[u8], file: &[u8]) -> bool {
    let (Ok((mut executable, _)), Ok((debug, _))) = (Executable::parse(executable), Executable::parse(file))
    else {
        return false;
    };
    executable.attach_debug(debug, file).is_ok()
}
