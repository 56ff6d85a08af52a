//! What the texts of a crash hold together: one crash and the races.

use panicle_report::{Diagnostic, Race, Stage};

use crate::{
    AnalysisError, ReadText, TextKind, races,
    text::{self, FromText},
};

/// Races listed in a report; a test that races in a loop tells of more.
const MOST_RACES: usize = 200;

/// What was printed.
#[derive(Default)]
pub(crate) struct Printed {
    /// The crash or dump that the report is about.
    pub(crate) crash: Option<FromText>,
    /// Data races.
    pub(crate) races: Vec<Race>,
}

impl Printed {
    pub(crate) fn is_nothing(&self) -> bool {
        self.crash.is_none() && self.races.is_empty()
    }
}

/// Chooses. `needed` when there is no core: then texts without anything of Go's are an error.
pub(crate) fn choose(
    texts: Vec<ReadText>,
    needed: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Printed, AnalysisError> {
    let alone = texts.len() == 1;
    let mut printed = Printed::default();
    let mut best = None;
    let mut error = None;
    for text in texts {
        let name = text.name.clone();
        let about = |diagnostic: Diagnostic| match (&diagnostic.reference, &name) {
            (None, Some(name)) => diagnostic.about(name.clone()),
            _ => diagnostic,
        };
        let nothing = text
            .is_nothing()
            .then(|| AnalysisError { input: text.name_or_kind(), reason: empty(&text).to_owned() });
        let mut reading = text.reading;
        diagnostics.extend(reading.diagnostics.into_iter().map(&about));
        if let Some(nothing) = nothing {
            let said = Diagnostic::warning(Stage::Evidence, sentence(&nothing.reason));
            diagnostics.push(about(said));
            error = Some(nothing);
            continue;
        }
        if reading.races_repeated > 0 {
            let text = format!(
                "{} race reports repeat one of the {} that differ.",
                reading.races_repeated,
                reading.races.len()
            );
            diagnostics.push(about(Diagnostic::info(Stage::Evidence, text)));
        }
        let room = MOST_RACES.saturating_sub(printed.races.len());
        if reading.races.len() > room {
            let text = format!("{} data races are not listed, past the limit.", reading.races.len() - room);
            diagnostics.push(about(Diagnostic::warning(Stage::Evidence, text)));
        }
        printed.races.extend(reading.races.iter().take(room).map(races::read));
        let Some(at) = text::choose(&reading.crashes) else { continue };
        let count = reading.crashes.len();
        let crash = reading.crashes.swap_remove(at);
        drop(reading.crashes);
        if count > 1 {
            let text = format!(
                "The text holds {count} crashes or dumps; this report is about the one in lines {} to {}.",
                crash.first_line, crash.last_line
            );
            diagnostics.push(about(Diagnostic::info(Stage::Evidence, text)));
        }
        let rank = text::rank(&crash);
        if best.as_ref().is_none_or(|(known, _)| *known < rank) {
            best = Some((rank, crash));
        }
    }
    printed.crash = best.map(|(_, crash)| text::read(crash));
    for (line, text) in printed.crash.iter().flat_map(|crash| &crash.godebug) {
        diagnostics.push(Diagnostic::info(Stage::Evidence, text).about(format!("line {line}")));
    }
    if let Some(by) = printed.crash.as_ref().and_then(|c| c.survived) {
        let text = format!("The panic was recovered by {by}; the process went on.");
        diagnostics.push(Diagnostic::info(Stage::Evidence, text));
    }
    match error {
        Some(error) if needed && printed.is_nothing() => Err(if alone {
            error
        } else {
            AnalysisError {
                input: "texts".to_owned(),
                reason: "no Go traceback, fatal error, goroutine dump or race report is in any of them"
                    .to_owned(),
            }
        }),
        _ => Ok(printed),
    }
}

/// Why a text is of no use.
fn empty(text: &ReadText) -> &'static str {
    match text.kind {
        _ if text.reading.bytes == 0 => "the text is empty",
        TextKind::Text => "no Go traceback, fatal error or goroutine dump is in the text",
        TextKind::Race => "no report of the race detector is in it",
    }
}

/// A reason as a sentence.
fn sentence(reason: &str) -> String {
    let mut chars = reason.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
