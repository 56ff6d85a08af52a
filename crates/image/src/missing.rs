//! What a core should have and has not, in words.

use panicle_report::{Diagnostic, Stage};

use crate::{Core, core::Segment};

/// Ranges of addresses that are named one by one; a core can lack thousands.
const MOST_RANGES: usize = 8;

/// Names what is missing of `core`, of which `known` of the `announced` program headers were read.
pub(crate) fn describe(
    core: &Core<'_>,
    announced: Option<u64>,
    known: u64,
    cut_notes: bool,
) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let mut warn = |text: String| said.push(Diagnostic::warning(Stage::Image, text));
    if let Some(truncated) = core.truncated {
        let (present, expected) = (truncated.present_bytes, truncated.expected_bytes);
        // Where headers are missing, nobody knows how long the file was to be.
        let least = if announced == Some(known) { "" } else { "at least " };
        warn(format!("The core is cut short: {present} of {least}{expected} bytes are there."));
    }
    match announced {
        None => {
            warn("The core ends within its headers: its memory and threads are not described.".to_owned());
        }
        Some(announced) if known < announced => warn(format!(
            "The core ends within its program headers: {known} of {announced} segments are described."
        )),
        Some(_) => {}
    }
    if cut_notes {
        warn(
            "The core ends within its notes: threads, the signal or the list of mapped files may be missing."
                .to_owned(),
        );
    }
    if core.truncated.is_some() {
        said.extend(cut_memory(core));
    }
    if core.threads.is_empty() {
        said.push(Diagnostic::warning(Stage::Image, "The core has no thread notes."));
    }
    said.extend(memory_left_out(core));
    said
}

/// The memory that was dumped behind the end of the file.
fn cut_memory(core: &Core<'_>) -> Option<Diagnostic> {
    let present = core.size_bytes();
    let mut missing: Vec<(u64, u64)> = Vec::new();
    let (mut segments, mut bytes) = (0_u64, 0_u64);
    let dumped = core.segments.iter().filter(|segment| segment.file_size > 0);
    for segment in dumped.clone() {
        let size = segment.file_size.min(segment.memory_size);
        let there = present.saturating_sub(segment.file_offset).min(size);
        if there == size {
            continue;
        }
        segments += 1;
        bytes = bytes.saturating_add(size - there);
        let (start, end) = (segment.address.saturating_add(there), segment.address.saturating_add(size));
        match missing.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => missing.push((start, end)),
        }
    }
    let mut ranges: Vec<String> =
        missing.iter().take(MOST_RANGES).map(|(start, end)| format!("{start:#x}-{end:#x}")).collect();
    if missing.len() > MOST_RANGES {
        ranges.push(format!("and {} more ranges", missing.len() - MOST_RANGES));
    }
    let all = dumped.count();
    (segments > 0).then(|| {
        Diagnostic::warning(
            Stage::Image,
            format!(
                "Memory that was cut off and is unknown: {bytes} bytes in {segments} of {all} dumped segments ({}).",
                ranges.join(", ")
            ),
        )
    })
}

/// Linux dumps what `/proc/PID/coredump_filter` selects. Without private anonymous memory, its
/// default, nothing of the Go runtime is in the core (core(5)).
fn memory_left_out(core: &Core<'_>) -> Option<Diagnostic> {
    let written = || core.segments.iter().filter(|segment| segment.write && segment.memory_size > 0);
    let left_out = written().next().is_some() && written().all(|segment: &Segment| segment.file_size == 0);
    left_out.then(|| {
        Diagnostic::warning(
            Stage::Image,
            "None of the memory that the process wrote to was dumped, so goroutines, stacks and values cannot be \
             read. Its /proc/PID/coredump_filter left it out; the default, 0x33, has it.",
        )
    })
}
