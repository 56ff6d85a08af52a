//! Facts out of a report.

use std::collections::BTreeSet;

use panicle_report::{BinaryMatch, FrameKind, Report};

use crate::Facts;

/// Functions of a goroutine that the verdict names, at most.
const MAX_FUNCTIONS: usize = 64;
/// Goroutines of those that the verdict names whose functions are looked at.
const MAX_GOROUTINES: usize = 4;
/// Functions that goroutines are in, and frames outwards of a stack that are looked at.
const MAX_ON_STACKS: usize = 128;
const DEEP: usize = 48;
/// Goroutine states at most; there are a few dozen wait reasons.
const MAX_STATES: usize = 64;

impl Facts {
    /// What a report says. What somebody said about the crash (service, labels) is not in it. It is enough that the
    /// report has the goroutines that the verdict names among its goroutines; the others are counted by their clusters.
    pub fn of_report(report: &Report) -> Self {
        let mut facts = Self::new();
        let verdict = &report.verdict;
        facts.add("class", verdict.class.as_str());
        facts.add("title", &verdict.title);
        facts.add("title", &report.signature.title);
        facts.add("confidence", verdict.confidence.as_str());
        facts.add("fingerprint", &report.signature.fingerprint);
        facts.add("family", &report.signature.family);

        for frame in &report.signature.frames {
            facts.add("frame", frame);
        }
        for id in verdict.goroutine.iter().chain(&verdict.other_goroutines).take(MAX_GOROUTINES) {
            let named = report.goroutines.iter().find(|goroutine| goroutine.id == *id);
            for frame in named.iter().flat_map(|goroutine| &goroutine.frames).take(MAX_FUNCTIONS) {
                facts.add("frame", &frame.function);
            }
        }

        if let Some(panic) = &report.panic {
            for text in panic
                .message
                .iter()
                .chain(panic.chain.iter().filter_map(|link| link.value.as_ref()?.text.as_ref()))
            {
                facts.add("message", text);
            }
            for value in panic.chain.iter().filter_map(|link| link.value.as_ref()) {
                facts.add("panic", value.type_name.as_deref().unwrap_or_default());
            }
            facts.add("signal", panic.signal.as_ref().map_or("", |signal| &signal.name));
        }
        let process = &report.process;
        facts.add("signal", process.signal.as_ref().map_or("", |signal| &signal.name));
        facts.add("host", process.hostname.as_deref().unwrap_or_default());
        facts.add("executable", process.executable.as_deref().unwrap_or_default());
        if let Some(core) = &report.source.core {
            facts.add("arch", &core.arch);
            facts.add("os", &core.os);
        }
        if let Some(binary) = report.binary.as_ref().filter(|binary| binary.matched != BinaryMatch::Mismatch)
        {
            let mut add =
                |name, value: &Option<String>| facts.add(name, value.as_deref().unwrap_or_default());
            add("go", &binary.go_version);
            add("module", &binary.module);
            add("version", &binary.module_version);
            add("revision", &binary.vcs_revision);
            add("build", &binary.build_ids.gnu);
            add("build", &binary.build_ids.go);
            add("build", &binary.build_ids.text_sha256);
        }
        goroutines(report, &mut facts);
        facts
    }
}

fn goroutines(report: &Report, facts: &mut Facts) {
    // None at all means that none could be read.
    if report.goroutine_count == 0 {
        return;
    }
    facts.set_number("goroutines", report.goroutine_count);
    facts.set_number("clusters", report.goroutine_clusters.len() as u64);
    if !report.threads.is_empty() {
        facts.set_number("threads", report.threads.len() as u64);
    }
    let maps = report.maps.len() as u64 + report.maps_left_out;
    if maps > 0 {
        facts.set_number("maps", maps);
    }
    for cluster in &report.goroutine_clusters {
        facts.add_count("goroutines.status", &cluster.status, cluster.count);
        let reason = cluster.wait_reason.as_deref().unwrap_or_default();
        if reason != cluster.status {
            facts.add_count("goroutines.status", reason, cluster.count);
        }
        // A goroutine is in every function of its stack: the innermost of one that waits is the library's.
        let go = cluster.frames.iter().filter(|frame| frame.kind == FrameKind::Go).take(DEEP);
        let functions: BTreeSet<&str> = go.map(|frame| frame.function.as_str()).collect();
        for function in functions {
            facts.add_count("goroutines.function", function, cluster.count);
        }
    }
    facts.keep_most("goroutines.status", MAX_STATES);
    facts.keep_most("goroutines.function", MAX_ON_STACKS);
}
