//! Which of the files at hand the process ran, and which tells more about it.
//!
//! The executable that the process ran gives identities, tables and read-only memory. Where it is
//! stripped, a debug file or its unstripped twin gives debug information and symbols.

use panicle_binary::{
    BinaryError, Executable, Packer, Tie, matching,
    process_image::{self, ProcessImage},
};
use panicle_image::{AddressSpace, Core};
use panicle_report::{
    Binary, BinaryMatch, BuildIds, DebugFile, DebugMatch, Diagnostic, DwarfPresence, Stage,
};

use crate::{AnalysisError, NamedBytes};

/// An executable among those that were given.
pub(crate) struct Chosen<'a> {
    /// With its debug file, if there is one.
    pub(crate) executable: Executable<'a>,
    pub(crate) name: Option<String>,
    pub(crate) matched: BinaryMatch,
    debug: Option<DebugFile>,
}

impl Chosen<'_> {
    /// As the report shows it.
    pub(crate) fn describe(self) -> Binary {
        let debug_file = self.debug.map(Box::new);
        Binary { debug_file, ..describe(&self.executable, self.name, self.matched) }
    }
}

/// A file that was given and can be read.
struct Candidate<'i, 'a> {
    input: &'i NamedBytes<'a>,
    executable: Executable<'a>,
    notes: Vec<Diagnostic>,
    /// For a file without code, whether its build ID is the process'.
    matched: BinaryMatch,
}

/// The executable as it lies in the process' memory, where none of the files is it and the memory is
/// there.
pub(crate) fn image(
    core: &Core<'_>,
    memory: &AddressSpace<'_>,
    binaries: &[NamedBytes<'_>],
) -> Option<ProcessImage> {
    let is_right = |input: &NamedBytes<'_>| {
        Executable::parse(input.bytes).is_ok_and(|(executable, _)| {
            let usable = !executable.is_debug_only() && executable.packer().is_none();
            usable && matching::compare(core, memory, &executable) != BinaryMatch::Mismatch
        })
    };
    if binaries.iter().any(is_right) { None } else { process_image::of_process(core, memory) }
}

/// The executable that the process ran, or its `image` in memory; else one that it did not run, to say
/// so.
///
/// Fails when nothing matches and an input is no executable at all: then somebody mistook a file.
pub(crate) fn choose<'a>(
    core: &Core<'_>,
    memory: &AddressSpace<'_>,
    binaries: &[NamedBytes<'a>],
    image: Option<&'a ProcessImage>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<Chosen<'a>>, AnalysisError> {
    let image = image.and_then(|image| {
        let (executable, _) = Executable::parse(&image.bytes).ok()?;
        executable.pclntab().is_some().then_some((image, executable))
    });
    let mut unreadable: Option<AnalysisError> = None;
    let mut candidates = Vec::new();
    for input in binaries {
        match Executable::parse(input.bytes) {
            Ok((executable, _)) if executable.packer().is_some() => {
                diagnostics.push(packed(executable.packer(), input, image.is_some()));
            }
            Ok((executable, notes)) => {
                let matched = matched(core, memory, &executable);
                candidates.push(Candidate { input, executable, notes, matched });
            }
            Err(error) => {
                let error = unreadable_binary(input, error);
                let text = format!("Not used as an executable: {}.", error.reason);
                diagnostics.push(Diagnostic::warning(Stage::Binary, text).about(error.input.clone()));
                unreadable.get_or_insert(error);
            }
        }
    }
    // Of two that match equally, the one with debug information tells more, and the first is as good
    // as the last.
    let worth = |candidate: &Candidate<'_, '_>| {
        (rank(candidate.matched), candidate.executable.dwarf == DwarfPresence::Full)
    };
    let best = (0..candidates.len())
        .rev()
        .filter(|&index| !candidates[index].executable.is_debug_only())
        .max_by_key(|&index| worth(&candidates[index]));
    let found = best.is_some_and(|best| candidates[best].matched != BinaryMatch::Mismatch);
    match unreadable {
        Some(error) if !found && image.is_none() => return Err(error),
        _ => {}
    }
    if let Some((image, executable)) = image.filter(|_| !found) {
        diagnostics.push(from_memory(image));
        let name = core.executable_path().map(str::to_owned);
        let mut chosen = Chosen { executable, name, matched: BinaryMatch::Text, debug: None };
        // What a debug file says is about addresses as they were linked.
        if image.moved {
            diagnostics.extend(candidates.iter().map(|other| mismatch_alone(core, memory, other)));
        } else {
            attach(core, memory, &mut chosen, candidates, diagnostics);
        }
        return Ok(Some(chosen));
    }
    let Some(best) = best else {
        diagnostics.extend(candidates.iter().map(|candidate| without_code(core, candidate)));
        return Ok(None);
    };
    let run = candidates.remove(best);
    if !found {
        diagnostics.push(mismatch_alone(core, memory, &run));
        diagnostics.extend(candidates.iter().map(|other| mismatch_alone(core, memory, other)));
        return Ok(Some(Chosen {
            executable: run.executable,
            name: run.input.name.clone(),
            matched: run.matched,
            debug: None,
        }));
    }
    diagnostics.extend(run.notes);
    let mut chosen = Chosen {
        executable: run.executable,
        name: run.input.name.clone(),
        matched: run.matched,
        debug: None,
    };
    if chosen.matched == BinaryMatch::None {
        diagnostics.push(Diagnostic::warning(
            Stage::Binary,
            "The core holds nothing to compare the executable with, so it is taken on trust.",
        ));
    } else if chosen.matched == BinaryMatch::Text {
        diagnostics.push(by_text(core, memory, &chosen));
    }
    attach(core, memory, &mut chosen, candidates, diagnostics);
    if let Some(alternate) = chosen.executable.alternate_debug_file() {
        let text = format!(
            "Parts of the debug information were moved to {alternate} by dwz, which is not read: some types may \
             be missing."
        );
        diagnostics.push(Diagnostic::warning(Stage::Binary, text));
    }
    Ok(Some(chosen))
}

/// How the file is tied to the process.
fn matched(core: &Core<'_>, memory: &AddressSpace<'_>, executable: &Executable<'_>) -> BinaryMatch {
    if !executable.is_debug_only() {
        return matching::compare(core, memory, executable);
    }
    let running = matching::running_build_ids(core, memory);
    match matching::compare_ids(&running, &executable.build_ids) {
        Some(true) => BinaryMatch::BuildId,
        Some(false) => BinaryMatch::Mismatch,
        None => BinaryMatch::None,
    }
}

/// Finds debug information for an executable that has none among the other files, and says of each
/// what it is good for.
fn attach<'a>(
    core: &Core<'_>,
    memory: &AddressSpace<'_>,
    chosen: &mut Chosen<'a>,
    candidates: Vec<Candidate<'_, 'a>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for Candidate { input, executable, matched, .. } in candidates {
        let name = input.name_or("binary");
        let build_ids = executable.build_ids.clone();
        let (executable, untied) = if chosen.executable.dwarf == DwarfPresence::None {
            match chosen.executable.attach_debug(executable, input.bytes) {
                Ok(tie) => {
                    diagnostics.push(attached(tie).about(name));
                    let path = input.name.clone();
                    chosen.debug = Some(DebugFile { path, build_ids, matched: debug_match(tie) });
                    if tie == Tie::Text && chosen.matched == BinaryMatch::BuildId {
                        chosen.matched = BinaryMatch::Text;
                    }
                    continue;
                }
                Err((untied, executable)) => (*executable, Some(untied)),
            }
        } else {
            (executable, None)
        };
        let text = match (executable.is_debug_only(), matched, untied) {
            (true, _, Some(untied)) => {
                format!("This is not the debug information of the executable that crashed: {untied}.")
            }
            (false, BinaryMatch::Mismatch, Some(untied)) => {
                let text = mismatch(core, memory, &executable);
                format!("{text} Nor is it of use beside the right one: {untied}.")
            }
            (false, BinaryMatch::Mismatch, None) => mismatch(core, memory, &executable),
            // The same once more, or not needed.
            _ => continue,
        };
        diagnostics.push(Diagnostic::warning(Stage::Binary, text).about(name));
    }
}

/// Says that the tables are the process' own.
fn from_memory(image: &ProcessImage) -> Diagnostic {
    let text = if image.unpacked {
        "The program was packed and unpacked itself in memory, where its code and tables are. They were read from \
         there."
    } else {
        "The executable is not at hand. The core has its code and tables, so they were read from there."
    };
    Diagnostic::info(Stage::Binary, text)
}

/// Says of a packed executable that nothing can be read in it.
fn packed(packer: Option<Packer>, input: &NamedBytes<'_>, in_memory: bool) -> Diagnostic {
    let (how, advice) = match packer {
        Some(Packer::Upx) => ("is packed with UPX", " (`upx -d` unpacks it)"),
        _ => ("seems to be packed", ""),
    };
    let text = format!("This executable {how}: its code and tables are compressed in the file.");
    let diagnostic = if in_memory {
        Diagnostic::info(Stage::Binary, text)
    } else {
        Diagnostic::error(Stage::Binary, format!("{text} Give the unpacked one{advice}."))
    };
    diagnostic.about(input.name_or("binary"))
}

fn attached(tie: Tie) -> Diagnostic {
    let how = match tie {
        Tie::BuildId => "Its build ID is that of the executable.",
        Tie::DebugLink => "The executable names it and its checksum in .gnu_debuglink.",
        Tie::Text => {
            "It is another link of the program: it has another build ID and the same text, so it was matched by the \
             digest of the text."
        }
    };
    let text = format!("The executable is stripped; debug information is from this file. {how}");
    Diagnostic::info(Stage::Binary, text)
}

/// Says that the executable itself is not the file that ran.
fn by_text(core: &Core<'_>, memory: &AddressSpace<'_>, chosen: &Chosen<'_>) -> Diagnostic {
    let running = matching::running_build_ids(core, memory);
    let text = match matching::compare_ids(&running, &chosen.executable.build_ids) {
        None => "The executable has no build ID that names one build. It was matched by its text.",
        Some(_) => {
            "This executable is another link of the program that crashed, stripped or not: the build ID differs, \
             and the text is the same. It was matched by its text."
        }
    };
    Diagnostic::info(Stage::Binary, text).about(chosen.name.clone().unwrap_or_else(|| "binary".to_owned()))
}

fn debug_match(tie: Tie) -> DebugMatch {
    match tie {
        Tie::BuildId => DebugMatch::BuildId,
        Tie::DebugLink => DebugMatch::DebugLink,
        Tie::Text => DebugMatch::Text,
    }
}

fn rank(matched: BinaryMatch) -> u8 {
    match matched {
        BinaryMatch::BuildId => 3,
        BinaryMatch::Text => 2,
        BinaryMatch::None => 1,
        BinaryMatch::Mismatch => 0,
    }
}

fn unreadable_binary(binary: &NamedBytes<'_>, error: BinaryError) -> AnalysisError {
    AnalysisError { input: binary.name_or("binary"), reason: error.to_string() }
}

/// A debug file without the executable that it is of.
fn without_code(core: &Core<'_>, candidate: &Candidate<'_, '_>) -> Diagnostic {
    let path = core.executable_path().unwrap_or("the executable");
    let text = match candidate.matched {
        BinaryMatch::BuildId => format!(
            "This file has debug information of the program that crashed, but not its code and tables. Give {path} \
             as well."
        ),
        BinaryMatch::Mismatch => {
            "This is debug information of another program: its build ID is not the core's.".to_owned()
        }
        BinaryMatch::Text | BinaryMatch::None => {
            format!(
                "This file has debug information and no code, so it cannot be checked. Give {path} as well."
            )
        }
    };
    Diagnostic::error(Stage::Binary, text).about(candidate.input.name_or("binary"))
}

/// Says of an executable that the process did not run it.
fn mismatch(core: &Core<'_>, memory: &AddressSpace<'_>, executable: &Executable<'_>) -> String {
    let running = ids(&matching::running_build_ids(core, memory));
    match (running, ids(&executable.build_ids)) {
        (Some(running), Some(given)) => format!(
            "This is not the executable that crashed, so nothing was read with it: the process ran {running}, the \
             file is {given}."
        ),
        _ => {
            "This is not the executable that crashed, so nothing was read with it: its code differs from the \
              code in the core."
                .to_owned()
        }
    }
}

/// The same where nothing better is at hand, with what would help.
fn mismatch_alone(core: &Core<'_>, memory: &AddressSpace<'_>, candidate: &Candidate<'_, '_>) -> Diagnostic {
    if candidate.executable.is_debug_only() {
        return without_code(core, candidate);
    }
    let mut text = mismatch(core, memory, &candidate.executable);
    let running = matching::running_build_ids(core, memory);
    if matching::same_main_package(&running, &candidate.executable.build_ids) {
        let path = core.executable_path().unwrap_or("the executable that ran");
        text.push_str(
            " Its main package is the same, though: it may be another link of the program, with its data ",
        );
        text.push_str("elsewhere. Give ");
        text.push_str(path);
        text.push_str(" as well; then the two can be compared.");
    }
    Diagnostic::error(Stage::Binary, text).about(candidate.input.name_or("binary"))
}

/// What is needed to read more of the core.
pub(crate) fn missing(core: &Core<'_>, running: &BuildIds, wrong: Option<&Chosen<'_>>) -> Diagnostic {
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

/// An executable as the report shows it. Of one that is not the process', only what identifies it: its
/// Go version and modules are not the crash's.
pub(crate) fn describe(executable: &Executable<'_>, name: Option<String>, matched: BinaryMatch) -> Binary {
    let info = executable.build_info.as_ref().filter(|_| matched != BinaryMatch::Mismatch);
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
        debug_file: None,
    }
}
