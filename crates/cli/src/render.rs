//! The report as text, in the order in which somebody on call reads it: verdict, panic, the stack
//! at fault, the other goroutines, maps, facts, doubts.
//!
//! A hundred columns, plain UTF-8. Everything that came out of a crashed process is escaped: a
//! panic message may hold terminal control sequences, or letters that reverse the direction of text.

mod goroutines;
mod maps;
mod page;
mod sections;

use panicle_report::Report;

use page::Page;
pub(crate) use page::escape;

/// How it looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// Headings in bold; for terminals.
    pub(crate) colour: bool,
    /// Every goroutine with its stack, not only the one at fault.
    pub(crate) every_goroutine: bool,
}

/// Renders a report.
pub(crate) fn text(report: &Report, style: Style) -> String {
    let mut page = Page::new(style.colour);
    sections::verdict(&mut page, report);
    sections::panic(&mut page, report);
    goroutines::at_fault(&mut page, report);
    if style.every_goroutine {
        goroutines::all(&mut page, report);
    } else {
        if report.verdict.map.is_some() {
            goroutines::other_parties(&mut page, report);
        }
        goroutines::clusters(&mut page, report);
    }
    maps::maps(&mut page, report);
    sections::advice(&mut page, report);
    sections::facts(&mut page, report);
    sections::diagnostics(&mut page, report);
    page.finish()
}

#[cfg(test)]
mod tests;
