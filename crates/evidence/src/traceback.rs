//! Tracebacks: what the Go runtime prints when a process dies or is asked for its goroutines.
//!
//! Knowledge comes from traceback.go, panic.go, error.go, print.go, signal_unix.go and
//! `waitReasonStrings` of Go 1.19 and 1.21 to 1.27.

mod carrier;
mod encoding;
mod event;
mod frame;
mod godebug;
mod header;
mod headline;
mod held;
mod intern;
mod keeper;
mod message;
mod model;
mod parser;
mod reader;
mod stack;

pub use model::{
    CrashText, ExitLine, GodebugLine, Headline, HeadlineKind, PanicLine, Registers, RuntimeStack, SignalLine,
    TextAncestor, TextCluster, TextCreatedBy, TextElided, TextFrame, TextGoroutine,
};

pub use carrier::origin::Origin;
pub use event::{Event, Sink};
pub use parser::Parser;
pub use reader::{Reader, Reading};

use panicle_report::Diagnostic;

/// How much is kept of a text. What goes past a limit is left out, counted and reported, so that the
/// memory a text takes does not depend on its size.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Goroutines of all crashes that are kept whole; the others are counted by state and stack.
    pub goroutines: usize,
    /// Bytes that goroutines kept whole may take, as a report holds them.
    pub bytes: usize,
    /// Crashes of one text, the last ones: a log that repeats one for years is of one size.
    pub crashes: usize,
    /// Frames of one stack. The runtime itself prints at most a hundred.
    pub frames: usize,
    /// Bytes of one line as the runtime printed it.
    pub line: usize,
    /// Bytes of one line of the text, which can be a record that holds many of the runtime's.
    pub record: usize,
    /// Bytes of one panic message.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            goroutines: 50_000,
            bytes: 24 << 20,
            crashes: 64,
            frames: 1000,
            line: 64 << 10,
            record: 4 << 20,
            message: 64 << 10,
        }
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

/// As [`parse`], with limits of one's own.
pub fn parse_with(text: &[u8], limits: Limits) -> (Vec<CrashText>, Vec<Diagnostic>) {
    let mut reader = Reader::with_limits(limits);
    reader.push(text);
    let reading = reader.finish();
    (reading.crashes, reading.diagnostics)
}
