//! Everything but stacks.

use panicle_report::{BinaryMatch, DebugMatch, DwarfPresence, LayoutSource, PanicKind, Report, Severity};

use super::page::Page;

/// Diagnostics that are shown.
const SHOWN: usize = 40;

/// Class, title, confidence, summary, evidence.
pub(super) fn verdict(page: &mut Page, report: &Report) {
    let verdict = &report.verdict;
    page.heading(&verdict.title);
    let mut facts = vec![verdict.class.as_str().to_owned(), verdict.confidence.as_str().to_owned()];
    if let Some(goroutine) = verdict.goroutine {
        facts.push(format!("goroutine {goroutine}"));
    }
    if let Some(binary) = &report.binary
        && let Some(version) = &binary.go_version
    {
        let inferred = if binary.go_version_inferred { " (inferred)" } else { "" };
        facts.push(format!("{version}{inferred}"));
    }
    page.paragraph(2, &facts.join(" · "));
    page.blank();
    page.paragraph(2, &verdict.summary);
    if !verdict.evidence.is_empty() {
        page.blank();
    }
    for evidence in &verdict.evidence {
        let reference = evidence.reference.as_ref().map_or(String::new(), |r| format!("  [{r}]"));
        page.item(2, "- ", &format!("{}{reference}", evidence.text));
    }
    for hint in &verdict.hints {
        page.item(2, "? ", hint);
    }
}

/// The chain as a log shows it.
pub(super) fn panic(page: &mut Page, report: &Report) {
    let Some(panic) = &report.panic else { return };
    page.heading(match panic.kind {
        PanicKind::Panic => "Panic",
        PanicKind::Fatal => "Fatal error",
        PanicKind::Signal => "Signal",
    });
    if panic.kind != PanicKind::Panic || panic.chain.is_empty() {
        message(page, 2, panic.message.as_deref().unwrap_or("its message is not known"));
    }
    for (number, link) in panic.chain.iter().enumerate() {
        let indent = 2 + 2 * number.min(10);
        if link.goexit {
            page.paragraph(indent, "runtime.Goexit");
            continue;
        }
        let value = link.value.as_ref();
        let text = value.and_then(|v| v.text.as_deref()).unwrap_or("(the value is not known)");
        let mark = match (link.recovered, link.repanicked) {
            (true, true) => " [recovered, repanicked]",
            (true, false) => " [recovered]",
            _ => "",
        };
        message(page, indent, &format!("panic: {text}{mark}"));
        if let Some(name) = value.and_then(|v| v.type_name.as_deref()) {
            let shown = value.and_then(|v| v.value.as_deref()).map_or(String::new(), |v| format!(" = {v}"));
            page.cut(indent + 2, &format!("{name}{shown}"));
        }
    }
    if let Some(signal) = &panic.signal {
        let address = signal.address.map_or(String::new(), |a| format!(", address {a}"));
        let code = signal.code.map_or(String::new(), |c| format!(", code {c}"));
        page.paragraph(2, &format!("[signal {}{code}{address}]", signal.name));
    }
}

/// A message of several lines, at most twenty of them.
fn message(page: &mut Page, indent: usize, text: &str) {
    let count = text.lines().count();
    for (number, line) in text.lines().take(20).enumerate() {
        page.paragraph(if number == 0 { indent } else { indent + 4 }, line);
    }
    if count > 20 {
        page.paragraph(indent + 4, &format!("({} more lines)", count - 20));
    }
}

/// Fixes, and what to capture next time.
pub(super) fn advice(page: &mut Page, report: &Report) {
    if !report.verdict.fixes.is_empty() {
        page.heading("What would mend it");
        for fix in &report.verdict.fixes {
            page.item(2, "- ", fix);
        }
    }
    if let Some(example) = &report.verdict.example {
        page.heading("For example");
        for line in example.lines() {
            page.cut(2, &line.replace('\t', "    "));
        }
    }
    if !report.verdict.capture_next.is_empty() {
        page.heading("To capture next time");
        for capture in &report.verdict.capture_next {
            page.item(2, "- ", capture);
        }
    }
}

/// Process, executable, evidence, signature.
pub(super) fn facts(page: &mut Page, report: &Report) {
    page.heading("Facts");
    let mut fact = |name: &str, text: Option<String>| {
        if let Some(text) = text {
            page.item(2, &format!("{name:<12}"), &text);
        }
    };
    let process = &report.process;
    fact("process", process.pid.map(|pid| format!("{pid}")));
    fact("command", process.command_line.clone());
    fact("executable", process.executable.clone());
    fact(
        "signal",
        process.signal.as_ref().map(|signal| {
            let code = signal.code.map_or(String::new(), |c| format!(", code {c}"));
            let sender = signal.sender_pid.map_or(String::new(), |p| format!(", sent by process {p}"));
            format!("{} ({}){code}{sender}", signal.name, signal.number)
        }),
    );
    if let Some(binary) = &report.binary {
        fact("binary", Some(binary_line(binary)));
        fact(
            "debug file",
            binary.debug_file.as_ref().map(|file| {
                let how = match file.matched {
                    DebugMatch::BuildId => "matched by build ID",
                    DebugMatch::DebugLink => "matched by name and checksum",
                    DebugMatch::Text => "another link of the program, matched by its text",
                };
                format!("{} ({how})", file.path.as_deref().unwrap_or("without a name"))
            }),
        );
        fact(
            "module",
            binary.module.clone().map(|module| {
                let version = binary.module_version.as_ref().map_or(String::new(), |v| format!(" {v}"));
                let revision =
                    binary.vcs_revision.as_ref().map_or(String::new(), |r| format!(", revision {r}"));
                format!("{module}{version}{revision}")
            }),
        );
        fact(
            "build ids",
            Some(
                [("GNU", &binary.build_ids.gnu), ("Go", &binary.build_ids.go)]
                    .iter()
                    .filter_map(|(name, id)| Some(format!("{name} {}", id.as_ref()?)))
                    .collect::<Vec<_>>()
                    .join(", "),
            )
            .filter(|ids| !ids.is_empty()),
        );
    }
    fact(
        "layout",
        report.layout.as_ref().map(|layout| match layout.source {
            LayoutSource::Dwarf => "from the binary's debug information".to_owned(),
            LayoutSource::Table => "from a table of this Go version".to_owned(),
            LayoutSource::NearestTable => format!(
                "from a table of a neighbouring Go version{}",
                layout.go_version.as_ref().map_or(String::new(), |v| format!(" ({v})"))
            ),
        }),
    );
    fact(
        "core",
        report.source.core.as_ref().map(|core| {
            let digest = core.sha256.as_ref().map_or(String::new(), |d| format!(", sha256 {d}"));
            format!("{} bytes, {}/{}{digest}", core.size_bytes, core.os, core.arch)
        }),
    );
    for text in &report.source.texts {
        fact(
            "text",
            Some(format!("{}, {} bytes", text.name.as_deref().unwrap_or("unnamed"), text.size_bytes)),
        );
    }
    fact("threads", Some(report.threads.len().to_string()).filter(|_| !report.threads.is_empty()));
    fact("group", Some(report.signature.title.clone()));
    fact(
        "signature",
        Some(format!("{} (version {})", report.signature.fingerprint, report.signature.version)),
    );
}

fn binary_line(binary: &panicle_report::Binary) -> String {
    let path = binary.path.as_deref().unwrap_or("unnamed");
    let matched = match binary.matched {
        BinaryMatch::BuildId => "its build ID is the core's",
        BinaryMatch::Text => "its code is the core's",
        BinaryMatch::Mismatch => "NOT the executable that crashed",
        BinaryMatch::None => "nothing to compare it with",
    };
    let dwarf = match binary.dwarf {
        DwarfPresence::Full => "with debug information",
        DwarfPresence::Separate => "with debug information in a separate file",
        DwarfPresence::None => "without debug information",
    };
    format!("{path}: {matched}, {dwarf}{}", if binary.stripped { ", stripped" } else { "" })
}

/// What is missing or doubtful.
pub(super) fn diagnostics(page: &mut Page, report: &Report) {
    if report.diagnostics.is_empty() {
        return;
    }
    page.heading("What is missing or doubtful");
    for diagnostic in report.diagnostics.iter().take(SHOWN) {
        let mark = match diagnostic.severity {
            Severity::Info => "- ",
            Severity::Warning => "! ",
            Severity::Error => "!! ",
        };
        let reference = diagnostic.reference.as_ref().map_or(String::new(), |r| format!("  [{r}]"));
        page.item(2, mark, &format!("{}{reference}", diagnostic.text));
    }
    if let Some(more) = report.diagnostics.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.paragraph(2, &format!("({more} more in --format json)"));
    }
}
