//! Stacks.

use panicle_report::{Frame, FrameKind, Goroutine, GoroutineCluster, Report, Trust, VerdictClass};

use super::page::Page;

/// Frames of one stack that are shown: the innermost, and the outermost behind a gap.
const INNER: usize = 40;
const OUTER: usize = 10;
/// Clusters that are shown.
const CLUSTERS: usize = 25;
/// Frames of a cluster.
const CLUSTER_FRAMES: usize = 8;
/// Variables of a frame.
const LOCALS: usize = 30;

/// The goroutine that the verdict names, with arguments and variables.
pub(super) fn at_fault(page: &mut Page, report: &Report) {
    let Some(goroutine) =
        report.verdict.goroutine.and_then(|id| report.goroutines.iter().find(|g| g.id == id))
    else {
        return;
    };
    let part = if is_deadlock(report) { "waits for another one" } else { "at fault" };
    page.heading(&format!("{}, {part}", header(goroutine)));
    stack(page, goroutine, true);
}

/// Nobody is at fault: each waits for the others.
fn is_deadlock(report: &Report) -> bool {
    report.verdict.class == VerdictClass::Deadlock
}

/// Other parties that are shown with their stacks.
const PARTIES: usize = 2;

/// The goroutines that the verdict names besides, as far as they are few.
pub(super) fn other_parties(page: &mut Page, report: &Report) {
    let parties = report.verdict.other_goroutines.iter().take(PARTIES);
    for goroutine in parties.filter_map(|id| report.goroutines.iter().find(|g| g.id == *id)) {
        let part = if is_deadlock(report) { "waits as well" } else { "in the other operation" };
        page.heading(&format!("{}, {part}", header(goroutine)));
        stack(page, goroutine, true);
    }
}

/// Every goroutine but the one that was shown.
pub(super) fn all(page: &mut Page, report: &Report) {
    for goroutine in report.goroutines.iter().filter(|g| Some(g.id) != report.verdict.goroutine) {
        page.heading(&header(goroutine));
        stack(page, goroutine, false);
    }
}

/// Goroutines by stack, without the one at fault.
pub(super) fn clusters(page: &mut Page, report: &Report) {
    let at_fault = report.verdict.goroutine;
    let (runtime, others): (Vec<_>, Vec<_>) = report
        .goroutine_clusters
        .iter()
        .filter(|c| !(c.count == 1 && c.example_ids.first().copied() == at_fault))
        .partition(|c| is_of_runtime(c));
    let of_runtime: u64 = runtime.iter().map(|c| c.count).sum();
    let rest =
        report.goroutine_count.saturating_sub(u64::from(at_fault.is_some())).saturating_sub(of_runtime);
    if rest == 0 && of_runtime == 0 {
        return;
    }
    let whose = if at_fault.is_some() { "Other" } else { "All" };
    if others.is_empty() {
        page.heading(&format!("{whose} goroutines"));
    } else {
        page.heading(&format!(
            "{whose} goroutines: {rest}, on {} different stack{}",
            others.len(),
            if others.len() == 1 { "" } else { "s" }
        ));
    }
    for cluster in others.iter().take(CLUSTERS) {
        one_cluster(page, cluster);
    }
    if let Some(more) = others.len().checked_sub(CLUSTERS).filter(|more| *more > 0) {
        page.paragraph(2, &format!("({more} more stacks; --goroutines all lists every goroutine)"));
    }
    if of_runtime > 0 {
        page.paragraph(2, &format!("{of_runtime:>6} × of the runtime itself"));
    }
}

fn one_cluster(page: &mut Page, cluster: &GoroutineCluster) {
    let state = match &cluster.wait_reason {
        Some(reason) => reason.clone(),
        None => cluster.status.clone(),
    };
    let waited = match (cluster.min_wait_seconds, cluster.max_wait_seconds) {
        (Some(least), Some(most)) if duration(least) == duration(most) => format!(" for {}", duration(most)),
        (Some(least), Some(most)) => format!(" for {} to {}", duration(least), duration(most)),
        _ => String::new(),
    };
    let ids: Vec<_> = cluster.example_ids.iter().map(u64::to_string).collect();
    let more = if cluster.count > ids.len() as u64 { ", …" } else { "" };
    page.item(
        2,
        &format!("{:>6} × ", cluster.count),
        &format!("[{state}]{waited}  goroutine {}{more}", ids.join(", ")),
    );
    // How the runtime parks a goroutine says no more than its state does.
    let parked = cluster.frames.iter().take_while(|f| f.kind == FrameKind::Runtime).count();
    let frames: Vec<_> =
        cluster.frames.iter().skip(parked).filter(|f| f.function != "runtime.goexit").collect();
    for frame in frames.iter().take(CLUSTER_FRAMES) {
        page.cut_before(11, &frame.function, &short_position(frame));
    }
    if let Some(more) = frames.len().checked_sub(CLUSTER_FRAMES).filter(|more| *more > 0) {
        page.cut(11, &format!("({more} more frames)"));
    }
}

/// All of its frames are the runtime's, and the collector, scheduler or finalizers wait there.
fn is_of_runtime(cluster: &GoroutineCluster) -> bool {
    !cluster.frames.is_empty() && cluster.frames.iter().all(|f| f.kind == FrameKind::Runtime)
}

fn header(goroutine: &Goroutine) -> String {
    let state = match &goroutine.wait_reason {
        Some(reason) => reason.clone(),
        None => goroutine.status.clone(),
    };
    let mut text = format!("Goroutine {} [{state}]", goroutine.id);
    if let Some(seconds) = goroutine.wait_seconds {
        text = format!("{text} for {}", duration(seconds));
    }
    if let Some(thread) = goroutine.thread {
        text = format!("{text} on thread {thread}");
    }
    if goroutine.locked_to_thread {
        text.push_str(", locked to it");
    }
    if !goroutine.labels.is_empty() {
        let labels: Vec<_> = goroutine.labels.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
        text = format!("{text}, labels {}", labels.join(" "));
    }
    text
}

fn stack(page: &mut Page, goroutine: &Goroutine, with_locals: bool) {
    let frames = &goroutine.frames;
    let gap = goroutine.elided.map(|e| (e.after_frames, e.count));
    for (index, frame) in frames.iter().enumerate() {
        if let Some((after, count)) = gap
            && after == index as u64
        {
            page.paragraph(6, &format!("… {count} frames left out …"));
        }
        if frames.len() > INNER + OUTER && index == INNER {
            page.paragraph(6, &format!("… {} frames not shown …", frames.len() - INNER - OUTER));
        }
        if frames.len() > INNER + OUTER && (INNER..frames.len() - OUTER).contains(&index) {
            continue;
        }
        one_frame(page, index, frame, with_locals);
    }
    if frames.is_empty() {
        page.paragraph(6, "(no frames)");
    }
    if let Some(created) = &goroutine.created_by {
        let by = created.goroutine.map_or(String::new(), |id| format!(" in goroutine {id}"));
        page.paragraph(2, &format!("created by {}{by}", created.function));
        if let Some(file) = &created.file {
            page.cut_path(6, file, created.line);
        }
    }
}

fn one_frame(page: &mut Page, index: usize, frame: &Frame, with_locals: bool) {
    let args = match (&frame.args, frame.inlined) {
        (_, true) => "(...)".to_owned(),
        (Some(args), false) => format!("({args})"),
        (None, false) => String::new(),
    };
    let note = match frame.kind {
        FrameKind::Cgo => "  [C]",
        FrameKind::Signal => "  [signal handler]",
        FrameKind::Go | FrameKind::Runtime => "",
    };
    let doubt = match frame.trust {
        Trust::Cfi | Trust::Pclntab => "",
        Trust::FramePointer => " [by frame pointer]",
        Trust::Scan => " [a guess]",
    };
    page.cut(2, &format!("{index:>3} {}{args}{note}{doubt}", frame.function));
    if let Some(file) = frame.file.as_ref().or(frame.library.as_ref()) {
        page.cut_path(8, file, frame.line);
    }
    if !with_locals {
        return;
    }
    for local in frame.locals.iter().take(LOCALS) {
        let Some(value) = local.value.as_deref() else { continue };
        // Values of composite types begin with their type.
        if value.starts_with(&local.type_name) {
            page.cut(8, &format!("{} = {value}", local.name));
        } else {
            page.cut(8, &format!("{} {} = {value}", local.name, local.type_name));
        }
    }
    let lost: Vec<_> =
        frame.locals.iter().take(LOCALS).filter(|l| l.value.is_none()).map(|l| l.name.as_str()).collect();
    if !lost.is_empty() {
        page.cut(8, &format!("(not kept by the compiler: {})", lost.join(", ")));
    }
    if let Some(more) = frame.locals.len().checked_sub(LOCALS).filter(|more| *more > 0) {
        page.cut(8, &format!("({more} more variables)"));
    }
}

/// Its file without the folders, and the line; nothing where that is unknown.
fn short_position(frame: &Frame) -> String {
    let Some(file) = &frame.file else { return String::new() };
    let file = file.rsplit('/').next().unwrap_or(file);
    format!("  {}", frame.line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
}

/// `45 s`, `3 min`, `2 h 5 min`.
fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "an unknown time".to_owned();
    }
    let whole = seconds as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min", whole / 60),
        3600..86400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86400, whole % 86400 / 3600),
    }
}
