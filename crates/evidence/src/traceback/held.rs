//! Events after a panic that may turn out to be its message.
//!
//! Up to Go 1.22 the runtime prints a message as it is, so a message can hold what looks like
//! goroutines: `panic(fmt.Sprintf("%v\n%s", r, debug.Stack()))` is common. What the runtime itself
//! prints after a panic begins with the goroutine that panicked, which is running, and no other
//! running goroutine gets a stack (`tracebackothers`: `stack unavailable`). So when a running
//! goroutine with frames comes second, everything before it was the message.

use super::event::Event;
use super::model::{HeadlineKind, TextGoroutine};
use crate::scan::lossy;

/// What is held back since the last `panic: ` line.
#[derive(Default)]
pub(super) struct Held {
    pub(super) events: Vec<Event>,
    /// The text since that line.
    raw: Vec<u8>,
    /// Where the open goroutine begins in `raw`, and whether a blank line is before it, as the
    /// runtime prints one.
    mark: Option<usize>,
    /// Which event is the panic's headline.
    headline: Option<usize>,
    goroutines: usize,
}

impl Held {
    /// A panic's line begins: its message is what follows.
    pub(super) fn restart(&mut self) {
        self.raw.clear();
        self.mark = None;
        self.headline = None;
        self.goroutines = 0;
    }

    /// Adds a line to the text; false when there is more than a message may be long.
    pub(super) fn record(&mut self, line: &[u8], limit: usize) -> bool {
        if self.raw.len() + line.len() + 1 > limit {
            return false;
        }
        self.raw.extend_from_slice(line);
        self.raw.push(b'\n');
        true
    }

    /// The line recorded last is the header of a goroutine.
    pub(super) fn mark(&mut self, line: &[u8], blank_before: bool) {
        let at = self.raw.len().saturating_sub(line.len() + 1);
        self.mark = blank_before.then_some(at);
    }

    /// The panic's headline is the event pushed last.
    pub(super) fn headline(&mut self) {
        self.headline = self.events.len().checked_sub(1);
    }

    /// A goroutine is complete. True when it is the one that panicked and what came before was
    /// the message: then that was put there.
    pub(super) fn goroutine(&mut self, goroutine: &TextGoroutine) -> bool {
        self.goroutines += 1;
        // A stack that was asked for begins with the function that was asked: the next dump in the
        // same file, not the end of a panic.
        let panicked = &*goroutine.status == "running"
            && goroutine.frames.first().is_some_and(|f| {
                !f.function.starts_with("runtime/debug.") && !f.function.starts_with("runtime/pprof.")
            });
        if self.goroutines == 1 || !panicked {
            return false;
        }
        let (Some(mark), Some(headline)) = (self.mark, self.headline) else { return false };
        let Some(Event::Headline(h)) = self.events.get_mut(headline) else { return false };
        let HeadlineKind::Panic(panic) = &mut h.kind else { return false };
        let text = self.raw.get(..mark).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let first = panic.value.find('\n').unwrap_or(panic.value.len());
        panic.value.truncate(first);
        panic.value.push('\n');
        panic.value.push_str(&lossy(text));
        self.events.truncate(headline + 1);
        self.goroutines = 1;
        true
    }
}
