//! The order of work: memory, text, clusters, verdict, signature.

use panicle_goruntime::recovering::Recovering;
use panicle_report::{
    CoreSource, Diagnostic, EvidenceSource, Goroutine, GoroutineCluster, Layout, Map, Panic, Process, Race,
    Report, SCHEMA, Source, Stage, Thread, VerdictClass,
};

use crate::{
    AnalysisError, Inputs, Listing, NamedBytes, Options, ReadText, TextKind, carried, clusters,
    facts::{Facts, Origin},
    memory::{self, FromMemory},
    printed::{self, Printed},
    races, signature,
    verdict::{self, Decision},
};

/// Makes a report of everything in `inputs`.
///
/// Fails only where an input is not what it was said to be (a core that is no core, a text without
/// any Go crash output) and nothing else carries a report.
pub fn analyse(inputs: &Inputs<'_>, options: &Options) -> Result<Report, AnalysisError> {
    analyse_with(inputs, Vec::new(), options)
}

/// As [`analyse`], with texts that were read already, piece by piece. They come after those of `inputs`.
pub fn analyse_with(
    inputs: &Inputs<'_>,
    read: Vec<ReadText>,
    options: &Options,
) -> Result<Report, AnalysisError> {
    let mut diagnostics = Vec::new();
    let from_memory = match &inputs.core {
        Some(core) => Some(memory::read(core, &inputs.binaries, &inputs.libraries)?),
        None => None,
    };
    let texts = inputs.texts.iter().map(|input| ReadText::of(TextKind::Text, input));
    let races = inputs.races.iter().map(|input| ReadText::of(TextKind::Race, input));
    let texts: Vec<_> = texts.chain(races).chain(read).collect();
    let source = source(inputs, &texts, from_memory.as_ref().map(|m| m.source.clone()));
    let printed = printed::choose(texts, from_memory.is_none(), &mut diagnostics)?;
    note_unread(inputs, &mut diagnostics);
    if from_memory.is_none() && printed.is_nothing() {
        return Err(AnalysisError {
            input: "input".to_owned(),
            reason: "a core, a crash text or a race report is needed".to_owned(),
        });
    }
    let mut whole = Whole::join(from_memory, printed, &mut diagnostics);
    carried::collect(&mut whole.process, &inputs.collected, &mut diagnostics);
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
    clusters: Option<Vec<GoroutineCluster>>,
    races: Vec<Race>,
    threads: Vec<Thread>,
    crashing: Option<u64>,
    maps: Vec<Map>,
    maps_left_out: u64,
    notes: Vec<String>,
    runtime_read: bool,
    recovering: Vec<Recovering>,
}

impl Whole {
    /// Memory first: it has addresses, variables and types. Text fills in where memory says nothing,
    /// as for a core whose executable is missing.
    fn join(memory: Option<FromMemory>, printed: Printed, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut whole = Self {
            origin: Origin::Memory,
            process: memory.as_ref().map(|m| m.process.clone()).unwrap_or_default(),
            layout: None,
            panic: None,
            goroutines: Vec::new(),
            unlisted: 0,
            clusters: None,
            races: printed.races,
            threads: memory.as_ref().map(|m| m.threads.clone()).unwrap_or_default(),
            crashing: None,
            maps: Vec::new(),
            maps_left_out: 0,
            notes: Vec::new(),
            runtime_read: false,
            recovering: Vec::new(),
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
            whole.recovering = go_process.recovering;
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
        let Some(text) = printed.crash else {
            if whole.memory.is_none() {
                whole.origin = Origin::Text;
            }
            return whole;
        };
        carried::fill(&mut whole.process, text.origin, whole.memory.is_some(), diagnostics);
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
            whole.clusters = text.clusters;
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
        let clusters = self.clusters.take().unwrap_or_else(|| clusters::cluster(&self.goroutines));
        let nothing_else = self.memory.is_none() && self.panic.is_none() && self.goroutines.is_empty();
        let racing = if nothing_else { races::subject(&self.races) } else { None };
        let facts = Facts {
            origin: self.origin,
            process: &self.process,
            panic: self.panic.as_ref(),
            goroutines: &self.goroutines,
            threads: &self.threads,
            maps: &self.maps,
            clusters: &clusters,
            crashing: match &racing {
                Some(racing) => Some(racing),
                None => self.crashing.and_then(|id| self.goroutines.iter().find(|g| g.id == id)),
            },
            races: &self.races,
            code_at_fault: self.memory.as_ref().and_then(|m| Some((m.arch, m.code_at_fault.as_deref()?))),
            notes: &self.notes,
            runtime_read: self.runtime_read,
            go: self.memory.as_ref().and_then(|m| m.go),
            core: self.memory.is_some(),
            recovering: &self.recovering,
        };
        let Decision { verdict, stuck } = verdict::decide(&facts);
        // The abort that GORACE asked for stands in the detector; a report alone and one with it are one bug.
        let side = if verdict.class == VerdictClass::DataRace { races::subject(&self.races) } else { None };
        let signature = match &side {
            Some(side) => {
                signature::compute(&Facts { crashing: Some(side), panic: None, ..facts }, verdict.class, &[])
            }
            None => signature::compute(&facts, verdict.class, &stuck),
        };
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
            races: self.races,
            threads: self.threads,
            diagnostics,
        }
    }
}

/// Says of evidence that is recorded only that nothing was read from it.
fn note_unread(inputs: &Inputs<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (kind, files) in [("execution trace", &inputs.traces), ("profile", &inputs.profiles)] {
        for file in files {
            let text = format!("The {kind} is kept with the report; this version reads nothing from it.");
            let diagnostic = Diagnostic::info(Stage::Evidence, text);
            diagnostics.push(match &file.name {
                Some(name) => diagnostic.about(name.clone()),
                None => diagnostic,
            });
        }
    }
}

fn source(inputs: &Inputs<'_>, texts: &[ReadText], core: Option<CoreSource>) -> Source {
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
    let read = |kind: TextKind| {
        let of_kind = texts.iter().filter(|text| text.kind == kind);
        of_kind
            .map(|text| EvidenceSource {
                name: text.name.clone(),
                size_bytes: text.size_bytes,
                sha256: text.sha256.clone(),
            })
            .collect()
    };
    Source {
        core,
        texts: read(TextKind::Text),
        traces: record(&inputs.traces),
        profiles: record(&inputs.profiles),
        races: read(TextKind::Race),
    }
}
