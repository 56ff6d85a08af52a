//! What is kept of a text, within bounds.
//!
//! Goroutines are kept whole until they take [`Limits::bytes`]. From then on all goroutines of that
//! crash are counted by state and stack, and only those are still kept whole that show a stack of
//! which few are: in a dump of a million goroutines the odd one is what matters.

mod clusters;

use std::collections::VecDeque;

use panicle_report::{Diagnostic, Stage};
use rustc_hash::FxHashSet;

use super::Limits;
use super::event::{Event, Sink};
use super::model::{CrashText, GodebugLine, HeadlineKind, TextFrame, TextGoroutine};
use crate::race::{MAX_REPORTS, RaceReport};
use clusters::Clusters;

/// Bytes of headlines, system stacks and registers kept of one crash.
const OTHERS: usize = 512 << 10;
/// System stacks of threads (`goroutine 0`) kept of one crash.
const SYSTEM_STACKS: usize = 1000;
/// Lines that one setting of GODEBUG asked for which are kept of one crash, the last ones.
const GODEBUG_LINES: usize = 4;
/// Processes of which such lines are kept.
const GODEBUG_SOURCES: usize = 64;
/// Goroutines that an earlier crash keeps when a later one needs the room.
const EARLIER: usize = 64;
/// Of a stack that comes up after the room for all goroutines is taken, so many are kept whole.
const RARE: u64 = 4;
/// Goroutines that ran, of which a thread may print more later.
const MAX_RAN: usize = 4096;

/// The sink that keeps.
pub(super) struct Keeper {
    limits: Limits,
    crashes: VecDeque<Kept>,
    earlier: u64,
    /// Who prints at present.
    source: u64,
    /// The last lines that GODEBUG asked for, by who printed them.
    godebug: Vec<(u64, Vec<GodebugLine>)>,
    races: Vec<RaceReport>,
    seen_races: FxHashSet<u64>,
    races_repeated: u64,
    races_dropped: u64,
}

/// What a [`Keeper`] kept.
pub(super) struct Finished {
    pub(super) crashes: Vec<CrashText>,
    pub(super) races: Vec<RaceReport>,
    pub(super) races_repeated: u64,
    pub(super) races_dropped: u64,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// One crash, and what it takes.
#[derive(Default)]
struct Kept {
    crash: CrashText,
    /// Who printed it.
    source: u64,
    /// Bytes of goroutines.
    bytes: usize,
    /// Bytes of everything else.
    others: usize,
    system_stacks: usize,
    /// Its last line came.
    ended: bool,
    /// Every goroutine counted, from when the first was not kept.
    clusters: Option<Clusters>,
}

impl Keeper {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            crashes: VecDeque::new(),
            earlier: 0,
            source: 0,
            godebug: Vec::new(),
            races: Vec::new(),
            seen_races: FxHashSet::default(),
            races_repeated: 0,
            races_dropped: 0,
        }
    }

    fn begin(&mut self, line: u64) {
        if self.crashes.len() >= self.limits.crashes.max(1) {
            // First what has no stack: a log can mention many crashes that are none.
            let mention = self.crashes.iter().position(|kept| kept.ended && kept.crash.is_without_stacks());
            self.crashes.remove(mention.unwrap_or(0));
            self.earlier += 1;
        }
        let before = self.godebug.iter().find(|(source, _)| *source == self.source);
        let godebug = before.map_or_else(Vec::new, |(_, lines)| lines.clone());
        let crash = CrashText { first_line: line, last_line: line, godebug, ..CrashText::default() };
        self.crashes.push_back(Kept { crash, source: self.source, ..Kept::default() });
    }

    /// Which crash is the last of who prints at present.
    fn current(&self) -> Option<usize> {
        self.crashes.iter().rposition(|kept| kept.source == self.source)
    }

    fn godebug(&mut self, line: GodebugLine) {
        let at = self.current();
        if let Some(kept) = at.and_then(|at| self.crashes.get_mut(at)).filter(|kept| !kept.ended) {
            keep_godebug(&mut kept.crash.godebug, line.clone());
        }
        let known = self.godebug.iter().position(|(source, _)| *source == self.source);
        if known.is_none() {
            if self.godebug.len() >= GODEBUG_SOURCES {
                self.godebug.remove(0);
            }
            self.godebug.push((self.source, Vec::new()));
        }
        let at = known.unwrap_or(self.godebug.len() - 1);
        if let Some((_, lines)) = self.godebug.get_mut(at) {
            keep_godebug(lines, line);
        }
    }

    fn goroutine(&mut self, goroutine: TextGoroutine) {
        let weight = weight(&goroutine);
        let limits = self.limits;
        let (mut bytes, mut count) = (0, 0);
        for kept in &self.crashes {
            bytes += kept.bytes;
            count += kept.crash.goroutines.len();
        }
        let room = |share: usize, bytes: usize, count: usize| {
            bytes + weight <= limits.bytes / 4 * share && count < limits.goroutines / 4 * share
        };
        if !room(3, bytes, count) {
            // The earlier ones make room, the first of them first.
            let (mut freed_bytes, mut freed) = (0, 0);
            let current = self.current().unwrap_or(0);
            for kept in self.crashes.iter_mut().take(current) {
                let (bytes, goroutines) = kept.shrink(EARLIER);
                freed_bytes += bytes;
                freed += goroutines;
                if freed > 0 {
                    break;
                }
            }
            bytes -= freed_bytes;
            count -= freed;
        }
        let current = self.current();
        let Some(kept) = current.and_then(|at| self.crashes.get_mut(at)) else { return };
        if goroutine.is_system_stack() {
            if kept.system_stacks < SYSTEM_STACKS && room(4, bytes, count) {
                kept.system_stacks += 1;
                kept.keep(goroutine, weight);
            } else {
                kept.crash.others_dropped += 1;
            }
            return;
        }
        if kept.clusters.is_none() && room(3, bytes, count) {
            return kept.keep(goroutine, weight);
        }
        let rarity = kept.clusters().add(&goroutine);
        let wanted = rarity.is_some_and(|number| number <= RARE) || &*goroutine.status == "running";
        if wanted && room(4, bytes, count) {
            kept.keep(goroutine, weight);
        }
    }

    fn race(&mut self, report: RaceReport) {
        if !self.seen_races.insert(report.stacks_hash()) {
            self.races_repeated += 1;
        } else if self.races.len() < MAX_REPORTS {
            self.races.push(report);
        } else {
            self.seen_races.remove(&report.stacks_hash());
            self.races_dropped += 1;
        }
    }

    /// Everything, and what is to be said about it.
    pub(super) fn finish(self) -> Finished {
        let mut diagnostics = Vec::new();
        if self.earlier > 0 {
            let text = format!(
                "The text holds {} crashes more, before the last {} that are kept.",
                self.earlier,
                self.crashes.len()
            );
            diagnostics.push(Diagnostic::warning(Stage::Evidence, text));
        }
        let mut crashes: Vec<_> = self.crashes.into_iter().map(Kept::finish).collect();
        // Those of several processes can begin in another order than their notes.
        crashes.sort_by_key(|crash| crash.first_line);
        for crash in &crashes {
            let about = format!("line {}", crash.first_line);
            if crash.goroutines_dropped > 0 {
                let kept = crash.goroutines.len();
                let text = format!(
                    "Of {} goroutines in the dump at line {} only {kept} are kept whole, which is the limit; all are \
                     counted by state and stack.",
                    crash.goroutines_dropped + kept as u64,
                    crash.first_line,
                );
                diagnostics.push(Diagnostic::warning(Stage::Evidence, text).about(about.clone()));
            }
            if crash.unclustered > 0 {
                let text = format!(
                    "{} goroutines have stacks of which there are too many to tell apart; they are counted only.",
                    crash.unclustered
                );
                diagnostics.push(Diagnostic::warning(Stage::Evidence, text).about(about.clone()));
            }
            if crash.others_dropped > 0 {
                let text = format!(
                    "{} headlines, system stacks and registers are not kept, past the limit.",
                    crash.others_dropped
                );
                diagnostics.push(Diagnostic::warning(Stage::Evidence, text).about(about));
            }
        }
        Finished {
            crashes,
            races: self.races,
            races_repeated: self.races_repeated,
            races_dropped: self.races_dropped,
            diagnostics,
        }
    }
}

impl Sink for Keeper {
    fn event(&mut self, event: Event) {
        match event {
            Event::Source { source } => self.source = source,
            Event::Begin { line } => self.begin(line),
            Event::Goroutine(goroutine) => self.goroutine(*goroutine),
            Event::Race(report) => self.race(*report),
            Event::Godebug(line) => self.godebug(line),
            event => {
                let current = self.current();
                if let Some(kept) = current.and_then(|at| self.crashes.get_mut(at)) {
                    kept.other(event);
                }
            }
        }
    }
}

impl Kept {
    fn keep(&mut self, goroutine: TextGoroutine, weight: usize) {
        self.bytes += weight;
        self.crash.goroutines.push(goroutine);
    }

    fn clusters(&mut self) -> &mut Clusters {
        let goroutines = &self.crash.goroutines;
        self.clusters.get_or_insert_with(|| {
            let mut clusters = Clusters::default();
            for goroutine in goroutines.iter().filter(|g| !g.is_system_stack()) {
                clusters.add(goroutine);
            }
            clusters
        })
    }

    /// Keeps the first `most` goroutines only, and counts all. Answers what that frees.
    fn shrink(&mut self, most: usize) -> (usize, usize) {
        if self.crash.goroutines.len() <= most {
            return (0, 0);
        }
        self.clusters();
        let goroutines = self.crash.goroutines.len() - most;
        let bytes = self.crash.goroutines.drain(most..).map(|g| weight(&g)).sum::<usize>();
        self.crash.goroutines.shrink_to_fit();
        self.bytes = self.bytes.saturating_sub(bytes);
        (bytes, goroutines)
    }

    fn other(&mut self, event: Event) {
        let crash = &mut self.crash;
        let weight = match &event {
            Event::Headline(h) => {
                100 + match &h.kind {
                    HeadlineKind::Panic(p) => p.value.len(),
                    HeadlineKind::Fatal { message: text, .. } | HeadlineKind::Note(text) => text.len(),
                    HeadlineKind::HttpPanic { peer, value } => peer.len() + value.len(),
                    HeadlineKind::PanicSignal(_) | HeadlineKind::Signal(_) => 100,
                }
            }
            Event::RuntimeStack(s) => 100 + frames_weight(&s.frames),
            Event::Registers(r) => 100 + 40 * r.values.len(),
            _ => 0,
        };
        if self.others + weight > OTHERS {
            crash.others_dropped += 1;
            return;
        }
        self.others += weight;
        match event {
            Event::Headline(h) => crash.headlines.push(h),
            Event::RuntimeStack(s) => crash.runtime_stacks.push(s),
            Event::Registers(r) => crash.registers.push(r),
            Event::Section { section } => crash.relayed_sections = section,
            Event::Exit(e) => crash.exit = Some(e),
            Event::Origin(origin) => crash.origin = *origin,
            Event::End { line } => {
                crash.last_line = line;
                self.ended = true;
            }
            Event::Source { .. }
            | Event::Begin { .. }
            | Event::Goroutine(_)
            | Event::Race(_)
            | Event::Godebug(_) => {}
        }
    }

    fn finish(self) -> CrashText {
        let mut crash = self.crash;
        if let Some(clusters) = self.clusters {
            let ids: FxHashSet<u64> =
                crash.goroutines.iter().filter(|g| !g.is_system_stack()).map(|g| g.id).collect();
            crash.goroutines_dropped = clusters.goroutines().saturating_sub(ids.len() as u64);
            crash.unclustered = clusters.unclustered;
            crash.clusters = clusters.list;
        }
        crash
    }
}

fn keep_godebug(kept: &mut Vec<GodebugLine>, line: GodebugLine) {
    // It prints one for every goroutine, each time.
    if line.kind == "scheddetail" {
        return;
    }
    if kept.iter().filter(|k| k.kind == line.kind).count() >= GODEBUG_LINES
        && let Some(first) = kept.iter().position(|k| k.kind == line.kind)
    {
        kept.remove(first);
    }
    kept.push(line);
}

/// About what a goroutine takes, as a report holds it.
fn weight(goroutine: &TextGoroutine) -> usize {
    let labels: usize = goroutine.labels.iter().map(|(k, v)| k.len() + v.len() + 96).sum();
    let notes: usize = goroutine.notes.iter().map(|n| n.len() + 24).sum();
    let ancestors: usize = goroutine.ancestors.iter().map(|a| 200 + frames_weight(&a.frames)).sum();
    600 + labels + notes + ancestors + frames_weight(&goroutine.frames)
}

fn frames_weight(frames: &[TextFrame]) -> usize {
    let text = |t: &Option<std::sync::Arc<str>>| t.as_deref().map_or(0, str::len);
    frames.iter().map(|f| 260 + f.function.len() + text(&f.args) + text(&f.file)).sum()
}

#[cfg(test)]
mod tests;
