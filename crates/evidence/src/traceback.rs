//! Tracebacks: what the Go runtime prints when a process dies or is asked for its goroutines.
//!
//! Knowledge comes from traceback.go, panic.go, error.go, print.go, signal_unix.go and
//! `waitReasonStrings` of Go 1.19 and 1.21 to 1.27.

mod event;
mod frame;
mod header;
mod headline;
mod held;
mod intern;
mod message;
mod model;
mod parser;
mod prefix;
mod stack;

pub use model::{
    CrashText, ExitLine, Headline, HeadlineKind, PanicLine, Registers, RuntimeStack, SignalLine,
    TextAncestor, TextCreatedBy, TextElided, TextFrame, TextGoroutine,
};

pub use event::Event;
pub use parser::Parser;

use std::collections::VecDeque;

use panicle_report::{Diagnostic, Stage};

/// How much is kept of a text. What goes past a limit is left out and reported.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Goroutines of one crash that [`parse`] keeps.
    pub goroutines: usize,
    /// Frames of one stack. The runtime itself prints at most a hundred.
    pub frames: usize,
    /// Bytes of one line.
    pub line: usize,
    /// Bytes of one panic message.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { goroutines: 1_000_000, frames: 1000, line: 64 << 10, message: 64 << 10 }
    }
}

/// The name of a function as the report spells it: as the runtime's traceback prints it, except
/// that the traceback's `panic` is `runtime.gopanic` (`printFuncName` in traceback.go).
pub fn function_name(printed: &str) -> &str {
    if printed == "panic" { "runtime.gopanic" } else { printed }
}

/// Every crash and goroutine dump in a text, in order.
///
/// The text may be cut at both ends, hold other lines before, after and between, have CRLF line
/// ends, colours and what container runtimes and journals put before each line.
pub fn parse(text: &[u8]) -> (Vec<CrashText>, Vec<Diagnostic>) {
    parse_with(text, Limits::default())
}

/// Crashes of one text that are kept, the last ones: a log that repeats one for years is of one size.
const MOST_CRASHES: usize = 64;

/// As [`parse`], with limits of one's own.
pub fn parse_with(text: &[u8], limits: Limits) -> (Vec<CrashText>, Vec<Diagnostic>) {
    let mut crashes: VecDeque<CrashText> = VecDeque::new();
    let mut earlier = 0_u64;
    let mut parser = Parser::with_limits(
        |event| {
            if let Event::Begin { line } = event {
                if crashes.len() == MOST_CRASHES {
                    crashes.pop_front();
                    earlier += 1;
                }
                crashes.push_back(CrashText { first_line: line, last_line: line, ..CrashText::default() });
            } else if let Some(crash) = crashes.back_mut() {
                crash.add(event, limits.goroutines);
            }
        },
        limits,
    );
    parser.push(text);
    let mut diagnostics = parser.finish();
    if earlier > 0 {
        diagnostics.push(Diagnostic::warning(
            Stage::Evidence,
            format!("The text holds {earlier} crashes more, before the last {MOST_CRASHES} that are kept."),
        ));
    }
    for crash in crashes.iter().filter(|c| c.goroutines_dropped > 0) {
        diagnostics.push(Diagnostic::warning(
            Stage::Evidence,
            format!(
                "{} goroutines of the crash at line {} are not kept, past the limit of {}",
                crash.goroutines_dropped, crash.first_line, limits.goroutines
            ),
        ));
    }
    (crashes.into(), diagnostics)
}

impl CrashText {
    fn add(&mut self, event: Event, limit: usize) {
        match event {
            Event::Begin { .. } => {}
            Event::Headline(h) => self.headlines.push(h),
            Event::Goroutine(g) if self.goroutines.len() < limit => self.goroutines.push(*g),
            Event::Goroutine(_) => self.goroutines_dropped += 1,
            Event::RuntimeStack(s) => self.runtime_stacks.push(s),
            Event::Registers(r) => self.registers.push(r),
            Event::Section { section } => self.relayed_sections = section,
            Event::Exit(e) => self.exit = Some(e),
            Event::End { line } => self.last_line = line,
        }
    }
}
