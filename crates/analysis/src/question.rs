//! Questions about a core's memory: the executable is chosen as for a report, and no more is read than the
//! answer needs.

use panicle_goruntime::{
    query::{self, Answer},
    session::{self, DebugInformation, Session},
};
use panicle_image::Core;
use panicle_report::{BinaryMatch, Diagnostic, Query, QueryError};

use crate::{
    AnalysisError, Inputs,
    binaries::{choose, image, missing},
    libraries,
};

/// Opens the process that the core among `inputs` was taken of, with the executable among them that it ran.
///
/// Fails where there is no core, no executable that fits it, or nothing of Go in it.
pub fn open<R>(
    inputs: &Inputs<'_>,
    debug_information: DebugInformation,
    ask: impl FnOnce(&Session<'_>, &[Diagnostic]) -> R,
) -> Result<R, AnalysisError> {
    let failed = |input: String, reason: String| AnalysisError { input, reason };
    let core = inputs
        .core
        .as_ref()
        .ok_or_else(|| failed("core".to_owned(), "there is none, so there is no memory to ask".to_owned()))?;
    let name = core.name_or("core");
    let (parsed, _) = Core::parse(core.bytes).map_err(|error| failed(name.clone(), error.to_string()))?;
    let memory = parsed.memory();
    let mapped = panicle_binary::mapped::libraries(&parsed, &memory);
    let (binaries, libraries) = libraries::split(&mapped, &inputs.binaries, &inputs.libraries);
    let image = image(&parsed, &memory, &binaries);
    let mut diagnostics = Vec::new();
    let chosen = choose(&parsed, &memory, &binaries, image.as_ref(), &mut diagnostics)?;
    let sentence = |text: &str| text.trim_end_matches('.').to_owned();
    let Some(chosen) = chosen.filter(|chosen| chosen.matched != BinaryMatch::Mismatch) else {
        let running = panicle_binary::matching::running_build_ids(&parsed, &memory);
        return Err(failed(name, sentence(&missing(&parsed, &running, None).text)));
    };
    if !chosen.executable.is_go() {
        return Err(failed(name, "this is no core of a Go program".to_owned()));
    }
    let options = session::Options { libraries: &libraries, debug_information };
    session::open(&parsed, &chosen.executable, &options, |session| ask(session, &diagnostics))
        .map_err(|error| failed(name, sentence(&error.to_string())))
}

/// Answers `query` to `take`, which may have the answer read while it writes it down.
pub fn query<R>(
    inputs: &Inputs<'_>,
    query: &Query,
    limits: query::Limits,
    take: impl FnOnce(Answer<'_>) -> R,
) -> Result<Result<R, QueryError>, AnalysisError> {
    open(inputs, query::debug_information(query), |session, _| query::answer(session, query, limits, take))
}
