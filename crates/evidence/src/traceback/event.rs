//! What the parser hands out.

use crate::race::RaceReport;

use super::carrier::origin::Origin;
use super::model::{ExitLine, GodebugLine, Headline, Registers, RuntimeStack, TextGoroutine};

/// What takes the pieces of a text: a closure, or something that keeps them.
pub trait Sink {
    /// Takes one.
    fn event(&mut self, event: Event);
}

impl<F: FnMut(Event)> Sink for F {
    fn event(&mut self, event: Event) {
        self(event);
    }
}

/// A piece of a text, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What follows, up to the next of these, was printed by this source: a container, a process, a stream. Crashes
    /// of several sources can be under way at once.
    Source {
        /// Equal for equal sources; 0 until lines tell theirs.
        source: u64,
    },
    /// A crash or dump begins at this line.
    Begin {
        /// 1-based.
        line: u64,
    },
    /// Where the crash that began comes from; comes while it is open, if anything is known.
    Origin(Box<Origin>),
    /// A headline.
    Headline(Headline),
    /// A goroutine, complete.
    Goroutine(Box<TextGoroutine>),
    /// A system stack, complete.
    RuntimeStack(RuntimeStack),
    /// A block of registers.
    Registers(Registers),
    /// A `-----` line: what follows was printed by another thread.
    Section {
        /// Number of the section that begins.
        section: u32,
    },
    /// The end of the process, told by whoever started it.
    Exit(ExitLine),
    /// A line that GODEBUG asked for, inside of a crash or not.
    Godebug(GodebugLine),
    /// A report of the race detector, which belongs to no crash: the process went on.
    Race(Box<RaceReport>),
    /// The crash or dump ends; its last line.
    End {
        /// 1-based.
        line: u64,
    },
}
