//! The order of work: memory, text, clusters, verdict, signature.

use panicle_evidence::traceback;
use panicle_report::{
    CoreSource, Diagnostic, EvidenceSource, Goroutine, Layout, Map, Panic, Process, Report, SCHEMA, Source,
    Stage, Thread,
};

use crate::{
    AnalysisError, Inputs, Listing, NamedBytes, Options, clusters,
    facts::{Facts, Origin},
    memory::{self, FromMemory},
    signature,
    text::{self, FromText},
    verdict,
};

/// Makes a report of everything in `inputs`.
///
/// Fails only where an input is not what it was said to be (a core that is no core, a text without
/// any Go crash output) and nothing else carries a report.
pub fn analyse(inputs: &Inputs<'_>, options: &Options) -> Result<Report, AnalysisError> {
    let mut diagnostics = Vec::new();
    let from_memory = match &inputs.core {
        Some(core) => Some(memory::read(core, &inputs.binaries, &inputs.libraries)?),
        None => None,
    };
    let from_text = read_texts(inputs, from_memory.is_none(), &mut diagnostics)?;
    note_unread(inputs, &mut diagnostics);
    if from_memory.is_none() && from_text.is_none() {
        return Err(AnalysisError {
            input: "input".to_owned(),
            reason: "a core or a crash text is needed".to_owned(),
        });
    }
    let source = source(inputs, from_memory.as_ref().map(|m| m.source.clone()));
    let whole = Whole::join(from_memory, from_text, &mut diagnostics);
    Ok(whole.report(source, options.goroutines, diagnostics))
}

/// Everything that was read, from whichever source knows it best.
struct Whole {
    origin: Origin,
    process: Process,
    memory: Option<FromMemory>,
    layout: Option<Layout>,
    panic: Option<Panic>,
    goroutines: Vec<Goroutine>,
    unlisted: u64,
    threads: Vec<Thread>,
    crashing: Option<u64>,
    maps: Vec<Map>,
    maps_left_out: u64,
    notes: Vec<String>,
    runtime_read: bool,
}

impl Whole {
    /// Memory first: it has addresses, variables and types. Text fills in where memory says nothing,
    /// as for a core whose executable is missing.
    fn join(memory: Option<FromMemory>, text: Option<FromText>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut whole = Self {
            origin: Origin::Memory,
            process: memory.as_ref().map(|m| m.process.clone()).unwrap_or_default(),
            layout: None,
            panic: None,
            goroutines: Vec::new(),
            unlisted: 0,
            threads: memory.as_ref().map(|m| m.threads.clone()).unwrap_or_default(),
            crashing: None,
            maps: Vec::new(),
            maps_left_out: 0,
            notes: Vec::new(),
            runtime_read: false,
            memory,
        };
        if let Some(memory) = &mut whole.memory {
            diagnostics.append(&mut memory.diagnostics);
            let go_process = std::mem::take(&mut memory.go_process);
            whole.layout = go_process.layout;
            whole.panic = go_process.panic;
            whole.crashing = go_process.crashing_goroutine;
            whole.runtime_read = !go_process.goroutines.is_empty();
            whole.goroutines = go_process.goroutines;
            whole.maps = go_process.maps;
            whole.maps_left_out = go_process.maps_left_out;
            if !go_process.threads.is_empty() {
                whole.threads = go_process.threads;
            }
            if let Some(binary) = &mut memory.binary
                && binary.go_version.is_none()
            {
                binary.go_version = go_process.go_version;
                binary.go_version_inferred = binary.go_version.is_some();
            }
        }
        let Some(text) = text else { return whole };
        if whole.goroutines.is_empty() {
            if whole.memory.is_some() {
                diagnostics.push(Diagnostic::info(
                    Stage::Evidence,
                    "Panic and goroutines are those of the printed text: the core alone did not give them.",
                ));
            }
            whole.origin = Origin::Text;
            whole.goroutines = text.goroutines;
            whole.unlisted = text.dropped;
            whole.crashing = text.crashing;
            whole.panic = text.panic;
            whole.runtime_read = true;
        } else if whole.panic.is_none() {
            whole.panic = text.panic;
            whole.crashing = whole.crashing.or(text.crashing);
        }
        whole.notes.extend(text.notes);
        whole
    }

    fn report(mut self, source: Source, listing: Listing, diagnostics: Vec<Diagnostic>) -> Report {
        let clusters = clusters::cluster(&self.goroutines);
        let facts = Facts {
            origin: self.origin,
            process: &self.process,
            panic: self.panic.as_ref(),
            goroutines: &self.goroutines,
            threads: &self.threads,
            maps: &self.maps,
            clusters: &clusters,
            crashing: self.crashing.and_then(|id| self.goroutines.iter().find(|g| g.id == id)),
            code_at_fault: self.memory.as_ref().and_then(|m| Some((m.arch, m.code_at_fault.as_deref()?))),
            notes: &self.notes,
            runtime_read: self.runtime_read,
            go: self.memory.as_ref().and_then(|m| m.go),
            core: self.memory.is_some(),
        };
        let verdict = verdict::decide(&facts);
        let signature = signature::compute(&facts, verdict.class);
        let first = self.crashing;
        self.goroutines.sort_by_key(|g| (Some(g.id) != first, g.id));
        let goroutine_count = self.goroutines.len() as u64 + self.unlisted;
        Report {
            schema: SCHEMA.to_owned(),
            source,
            process: self.process,
            binary: self.memory.and_then(|m| m.binary),
            layout: self.layout,
            verdict,
            panic: self.panic,
            signature,
            goroutines: match listing {
                Listing::All => self.goroutines,
                Listing::Summary => Vec::new(),
            },
            goroutine_count,
            goroutine_clusters: clusters,
            maps: self.maps,
            maps_left_out: self.maps_left_out,
            threads: self.threads,
            diagnostics,
        }
    }
}

/// The crash of the texts that a report is made of. `needed` when there is no core: then a text
/// without any crash is an error.
fn read_texts(
    inputs: &Inputs<'_>,
    needed: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<FromText>, AnalysisError> {
    let mut found: Option<FromText> = None;
    for input in &inputs.texts {
        let (crashes, notes) = traceback::parse(input.bytes);
        diagnostics.extend(notes.into_iter().map(|d| about(d, input)));
        let Some(crash) = text::choose(&crashes) else {
            let reason = if input.bytes.is_empty() {
                "the text is empty"
            } else {
                "no Go traceback, fatal error or goroutine dump is in the text"
            };
            if needed && inputs.texts.len() == 1 {
                return Err(AnalysisError { input: input.name_or("text"), reason: reason.to_owned() });
            }
            diagnostics.push(about(Diagnostic::warning(Stage::Evidence, sentence(reason)), input));
            continue;
        };
        let read = text::read(crash);
        if crashes.len() > 1 {
            diagnostics.push(about(
                Diagnostic::info(
                    Stage::Evidence,
                    format!(
                        "The text holds {} crashes or dumps; this report is about the one in lines {} to {}.",
                        crashes.len(),
                        read.lines.0,
                        read.lines.1
                    ),
                ),
                input,
            ));
        }
        let better = found.as_ref().is_none_or(|known| known.panic.is_none() && read.panic.is_some());
        if better {
            found = Some(read);
        }
    }
    if needed && found.is_none() && !inputs.texts.is_empty() {
        return Err(AnalysisError {
            input: "texts".to_owned(),
            reason: "no Go traceback, fatal error or goroutine dump is in any of them".to_owned(),
        });
    }
    Ok(found)
}

/// Says of evidence that is recorded only that nothing was read from it.
fn note_unread(inputs: &Inputs<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (kind, files) in
        [("execution trace", &inputs.traces), ("profile", &inputs.profiles), ("race report", &inputs.races)]
    {
        for file in files {
            diagnostics.push(about(
                Diagnostic::info(
                    Stage::Evidence,
                    format!("The {kind} is kept with the report; this version reads nothing from it."),
                ),
                file,
            ));
        }
    }
}

fn about(diagnostic: Diagnostic, input: &NamedBytes<'_>) -> Diagnostic {
    match (&diagnostic.reference, &input.name) {
        (None, Some(name)) => diagnostic.about(name.clone()),
        _ => diagnostic,
    }
}

/// A reason as a sentence.
fn sentence(reason: &str) -> String {
    let mut chars = reason.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn source(inputs: &Inputs<'_>, core: Option<CoreSource>) -> Source {
    let record = |files: &[NamedBytes<'_>]| {
        files
            .iter()
            .map(|file| EvidenceSource {
                name: file.name.clone(),
                size_bytes: file.bytes.len() as u64,
                sha256: file.sha256.clone(),
            })
            .collect()
    };
    Source {
        core,
        texts: record(&inputs.texts),
        traces: record(&inputs.traces),
        profiles: record(&inputs.profiles),
        races: record(&inputs.races),
    }
}
