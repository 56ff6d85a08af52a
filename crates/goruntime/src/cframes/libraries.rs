//! Which of the files that were found are the shared libraries that the process had mapped.

use panicle_binary::{Executable, dwarf::DwarfIndex, mapped::MappedElf};
use panicle_report::{Diagnostic, DwarfPresence, Stage};

/// A file that may be a shared library, or the debug file of one.
#[derive(Clone, Copy, Debug)]
pub struct LibraryFile<'a> {
    /// Its path or name.
    pub name: Option<&'a str>,
    /// All of it.
    pub bytes: &'a [u8],
}

/// A shared library that the process had mapped, with what was found of it.
pub(crate) struct Library<'a> {
    pub(crate) mapped: MappedElf,
    /// The library itself.
    pub(crate) code: Option<Executable<'a>>,
    /// A file with symbols or debug information that were stripped from it.
    pub(crate) debug: Option<Executable<'a>>,
    /// Its debug information.
    pub(crate) dwarf: Option<DwarfIndex<'a>>,
}

/// Matches `files` with the libraries that were mapped, by build ID. One whose ID is unknown on either
/// side is not used: nothing else would tell a library from its next version.
pub(crate) fn load<'a>(
    mapped: Vec<MappedElf>,
    files: &[LibraryFile<'a>],
) -> (Vec<Library<'a>>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut libraries: Vec<Library<'a>> =
        mapped.into_iter().map(|mapped| Library { mapped, code: None, debug: None, dwarf: None }).collect();
    for file in files {
        let Ok((parsed, _)) = Executable::parse(file.bytes) else { continue };
        let ours = parsed.build_ids.gnu.as_deref();
        let same =
            |library: &&mut Library<'a>| ours.is_some() && library.mapped.build_ids.gnu.as_deref() == ours;
        match libraries.iter_mut().find(same) {
            Some(library) => library.add(parsed),
            None => diagnostics.extend(other_build(&libraries, file, ours)),
        }
    }
    for library in &mut libraries {
        let with_debug = [&library.debug, &library.code]
            .into_iter()
            .flatten()
            .find(|file| file.dwarf == DwarfPresence::Full);
        library.dwarf = with_debug
            .and_then(|file| DwarfIndex::load(|name| file.section(name).map(|section| section.data)).ok()?.0);
    }
    (libraries, diagnostics)
}

impl<'a> Library<'a> {
    /// The pages of the library that the process did not change, at their addresses.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (u64, &'a [u8])> + '_ {
        let bias = self.mapped.bias;
        let segments = self.code.iter().flat_map(|code| &code.load_segments);
        segments
            .filter(|segment| !segment.writable)
            .filter_map(move |segment| Some((segment.address.wrapping_add(bias?), segment.bytes)))
    }

    /// Debug files have the sections' headers and none of the code.
    fn add(&mut self, file: Executable<'a>) {
        let has_code = file.text().is_some_and(|(_, bytes)| !bytes.is_empty());
        let place = if has_code { &mut self.code } else { &mut self.debug };
        place.get_or_insert(file);
    }
}

/// A file that lies where a library was, and is another build.
fn other_build(libraries: &[Library<'_>], file: &LibraryFile<'_>, id: Option<&str>) -> Option<Diagnostic> {
    let name = file.name?;
    let library = libraries.iter().find(|library| library.mapped.path.as_deref() == Some(name))?;
    let known = library.mapped.build_ids.gnu.as_deref();
    let ours = id.unwrap_or("none");
    let text = match known {
        Some(known) => format!(
            "The library {name} is not the one that the process had mapped, so nothing was read of it: its build ID \
             is {ours}, the process' {known}."
        ),
        None => format!(
            "The core does not have the build ID of {name}, so the library of that name (build ID {ours}) cannot be \
             told to be the right one and nothing was read of it."
        ),
    };
    Some(Diagnostic::warning(Stage::Binary, text).about(name))
}
