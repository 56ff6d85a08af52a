//! What the rules look at: one view of a crash, whether it came from memory or from text.

use panicle_goruntime::{recovering::Recovering, spell::package};
use panicle_image::Arch;
use panicle_report::{
    Evidence, Frame, FrameKind, Goroutine, GoroutineCluster, Map, Panic, PanicKind, PanicLink, Process, Race,
    Thread,
};

use crate::{
    function::{self, Owner},
    ours::Ours,
};

/// What the facts were read from. Text does not name the types of panic values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A memory image with its executable.
    Memory,
    /// What the runtime printed.
    Text,
}

/// Everything that is known when the verdict is decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// Where the panic and the goroutines are from.
    pub(crate) origin: Origin,
    /// The process.
    pub(crate) process: &'a Process,
    /// What ended it, as the runtime tells.
    pub(crate) panic: Option<&'a Panic>,
    /// All goroutines.
    pub(crate) goroutines: &'a [Goroutine],
    /// Threads; the first is the one that dumped the core.
    pub(crate) threads: &'a [Thread],
    /// Maps that were found in memory.
    pub(crate) maps: &'a [Map],
    /// The same goroutines, clustered.
    pub(crate) clusters: &'a [GoroutineCluster],
    /// The goroutine at fault. Where races are all there is, it is a side of one; its id is then 0.
    pub(crate) crashing: Option<&'a Goroutine>,
    /// Reports of the race detector. They end no process; where there is a panic they are beside it.
    pub(crate) races: &'a [Race],
    /// Instruction bytes from the faulting instruction on, and whose they are; `None` where unknown
    /// or no fault.
    pub(crate) code_at_fault: Option<(Arch, &'a [u8])>,
    /// Lines of the runtime that belong to no panic: `unexpected fault address 0x…`.
    pub(crate) notes: &'a [String],
    /// The Go runtime was there and could be read.
    pub(crate) runtime_read: bool,
    /// Whether a Go program left the core.
    pub(crate) go: Option<bool>,
    /// There is a core, whatever could be read of it.
    pub(crate) core: bool,
    /// Functions that defer a recover on the way to the start of the goroutine at fault.
    pub(crate) recovering: &'a [Recovering],
}

/// A frame and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The goroutine.
    pub(crate) goroutine: u64,
    /// Index into its frames.
    pub(crate) index: usize,
    /// The frame.
    pub(crate) frame: &'a Frame,
}

impl Place<'_> {
    /// `goroutine 7 frame 2`.
    pub(crate) fn reference(&self) -> String {
        format!("goroutine {} frame {}", self.goroutine, self.index)
    }

    /// `store.(*DB).Put (db.go:42)`.
    pub(crate) fn describe(&self) -> String {
        describe(self.frame)
    }

    /// The frame as evidence.
    pub(crate) fn evidence(&self, text: impl Into<String>) -> Evidence {
        Evidence { kind: "frame".to_owned(), text: text.into(), reference: Some(self.reference()) }
    }
}

/// `store.(*DB).Put (db.go:42)`, without what is unknown.
pub(crate) fn describe(frame: &Frame) -> String {
    let name = function::short(&frame.function);
    let file = frame.file.as_deref().map(|f| f.rsplit('/').next().unwrap_or(f));
    match (file, frame.line) {
        (Some(file), Some(line)) => format!("{name} ({file}:{line})"),
        (Some(file), None) => format!("{name} ({file})"),
        _ => name.to_owned(),
    }
}

/// Whether a frame is of the application or of a module that it uses; [`Ours`] tells these apart. What the
/// compiler made is of neither.
pub(crate) fn in_app(frame: &Frame) -> bool {
    frame.kind == FrameKind::Go
        && function::owner(&frame.function) == Owner::App
        && !function::is_generated(frame)
}

#[cfg(test)]
impl<'a> Facts<'a> {
    /// A process of which nothing else is known.
    pub(crate) fn nothing(process: &'a Process) -> Self {
        Self {
            origin: Origin::Memory,
            process,
            panic: None,
            goroutines: &[],
            threads: &[],
            maps: &[],
            clusters: &[],
            crashing: None,
            races: &[],
            code_at_fault: None,
            notes: &[],
            runtime_read: false,
            go: None,
            core: true,
            recovering: &[],
        }
    }
}

impl<'a> Facts<'a> {
    /// The panics of the chain without a `runtime.Goexit`.
    pub(crate) fn links(&self) -> impl Iterator<Item = &'a PanicLink> {
        self.panic.into_iter().flat_map(|p| &p.chain).filter(|link| !link.goexit)
    }

    /// The panic that is the root cause, and its number among [`Self::links`].
    ///
    /// The first that nobody recovered: later ones were raised while its deferred functions ran. A
    /// recovered one does not count, except where the value raised afterwards is the same, or where
    /// the runtime raised it and its text is repeated: that is middleware which passes on or wraps
    /// what it recovered. (Go 1.25+ marks the first case itself.)
    pub(crate) fn root(&self) -> Option<(usize, &'a PanicLink)> {
        // A fatal error ends the process whatever panics were under way.
        if self.kind() != Some(PanicKind::Panic) {
            return None;
        }
        let links: Vec<_> = self.links().collect();
        let alive =
            links.iter().position(|l| !l.recovered || l.repanicked).or_else(|| links.len().checked_sub(1))?;
        let survivor = text_of(links.get(alive)?);
        let wrapped = links.iter().take(alive).position(|link| {
            let text = text_of(link);
            !text.is_empty()
                && (survivor == text || (survivor.contains(text) && is_runtime_error(link, self.origin)))
        });
        let index = wrapped.unwrap_or(alive);
        Some((index, links.get(index)?))
    }

    /// Somebody recovered the panic for good: the process went on.
    pub(crate) fn survived(&self) -> bool {
        self.kind() == Some(PanicKind::Panic)
            && self.links().next().is_some()
            && self.links().all(|link| link.recovered && !link.repanicked)
    }

    /// A goroutine whose stack was asked for while a panic was under way, by whoever recovered it, and the index of the
    /// first frame below that panic.
    pub(crate) fn logged(&self) -> Option<(&'a Goroutine, usize)> {
        let asked =
            |g: &&Goroutine| g.frames.first().is_some_and(|f| f.function.starts_with("runtime/debug."));
        let mut goroutines = self.goroutines.iter().filter(asked);
        goroutines.find_map(|goroutine| {
            let panic = goroutine.frames.iter().position(|frame| function::is_gopanic(&frame.function))?;
            Some((goroutine, panic + 1))
        })
    }

    /// The text of the root panic, if it is one that the runtime itself raised.
    ///
    /// In memory the value's type tells; text shows no type, so there its wording must do.
    pub(crate) fn runtime_error(&self) -> Option<&'a str> {
        if self.kind() != Some(PanicKind::Panic) {
            return None;
        }
        let (_, link) = self.root()?;
        let by_runtime = is_runtime_error(link, self.origin)
            && (type_of(link).is_some() || self.raised_by_runtime() != Some(false));
        by_runtime.then(|| text_of(link))
    }

    /// Whether the runtime's authorship is beyond doubt: the type is known, the runtime's own function called
    /// panic, or a signal came with it.
    pub(crate) fn runtime_error_is_certain(&self) -> bool {
        let signal = self.panic.is_some_and(|panic| panic.signal.is_some());
        self.root().is_some_and(|(_, link)| type_of(link).is_some())
            || self.raised_by_runtime() == Some(true)
            || signal
    }

    /// Whether it was a function of the runtime that called panic; `None` where the stack does not show it, as
    /// below GOTRACEBACK=system, which leaves out the runtime's frames and the innermost `panic` with them.
    fn raised_by_runtime(&self) -> Option<bool> {
        let goroutine = self.subject()?;
        let start = self.fault_start(goroutine);
        start.checked_sub(1)?;
        // The levels below leave out the runtime's frames, but for the panics further out.
        let all_shown = goroutine.frames.first().is_some_and(|f| function::is_gopanic(&f.function))
            || goroutine.frames.iter().any(|f| f.function == "runtime.goexit");
        let caller = goroutine.frames.get(start)?;
        all_shown.then_some(caller.kind == FrameKind::Runtime)
    }

    /// A stack shows that a panic or a fatal error was under way, whether or not its message is known.
    pub(crate) fn went_through_panic(&self) -> bool {
        let first = |g: &Goroutine| g.frames.first().is_some_and(|f| is_death(&f.function));
        self.origin == Origin::Text && self.goroutines.iter().any(|g| g.status == "running" && first(g))
    }

    /// The message of a `throw` or `fatal`, without `fatal error: `.
    pub(crate) fn fatal(&self) -> Option<&'a str> {
        let panic = self.panic.filter(|p| p.kind == PanicKind::Fatal)?;
        let message = panic.message.as_deref()?;
        Some(message.strip_prefix("fatal error: ").unwrap_or(message).trim())
    }

    /// How the process came to its end.
    pub(crate) fn kind(&self) -> Option<PanicKind> {
        self.panic.map(|p| p.kind)
    }

    /// The goroutine whose stack stands for the crash: the one at fault. A deadlock has none, so
    /// there it is the main goroutine, or the oldest that is left.
    pub(crate) fn subject(&self) -> Option<&'a Goroutine> {
        if self
            .fatal()
            .is_some_and(|message| message.contains("goroutines") && message.ends_with("deadlock!"))
        {
            let with_app = self.user_goroutines().filter(|g| g.frames.iter().any(in_app));
            return with_app.min_by_key(|g| g.id);
        }
        self.crashing
    }

    /// The frame that the root panic is about: the innermost of the program's own below the panic; where
    /// it has none, the innermost outside the runtime.
    pub(crate) fn place(&self) -> Option<Place<'a>> {
        let goroutine = self.subject()?;
        let start = self.fault_start(goroutine);
        let below = || goroutine.frames.iter().enumerate().skip(start);
        let ours = Ours::of(goroutine.frames.get(start..).unwrap_or(&[]));
        let (index, frame) = below()
            .find(|(_, f)| ours.has(f) && !function::stands_for_a_call(&f.function))
            .or_else(|| {
                below().find(|(_, f)| {
                    f.kind != FrameKind::Runtime && f.kind != FrameKind::Signal && !function::is_generated(f)
                })
            })
            .or_else(|| below().next())?;
        Some(Place { goroutine: goroutine.id, index, frame })
    }

    /// Where the panic was raised, if that is code that the place called: the innermost frame of a module that the
    /// program uses, or of the standard library. What the runtime does for the program counts as the program's.
    pub(crate) fn site(&self) -> Option<Place<'a>> {
        let place = self.place().filter(|place| in_app(place.frame))?;
        let goroutine = self.subject()?;
        let start = self.fault_start(goroutine);
        let mut inner = goroutine.frames.iter().enumerate().take(place.index).skip(start);
        let (index, frame) = inner.find(|(_, frame)| {
            // What sync complains of is what the program did with a lock.
            frame.kind == FrameKind::Go
                && matches!(function::owner(&frame.function), Owner::App | Owner::Std)
                && !matches!(package(&frame.function), Some("sync" | "internal/sync"))
                && !function::stands_for_a_call(&frame.function)
                && !function::is_generated(frame)
        })?;
        Some(Place { goroutine: goroutine.id, index, frame })
    }

    /// Index of the first frame below the root panic's `gopanic`.
    ///
    /// Each panic that is under way has a `gopanic` frame, the first raised outermost. A traceback
    /// at the default level leaves out the innermost one, so a missing one means the stack's top.
    pub(crate) fn fault_start(&self, goroutine: &Goroutine) -> usize {
        let Some((number, _)) = self.root() else { return 0 };
        goroutine
            .frames
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, f)| function::is_gopanic(&f.function))
            .nth(number)
            .map_or(0, |(index, _)| index + 1)
    }

    /// The frame through which the crash left the program's own code: the function that it called, of a
    /// module that it uses, the standard library or the runtime.
    pub(crate) fn callee(&self) -> Option<Place<'a>> {
        let place = self.place().filter(|p| in_app(p.frame))?;
        let goroutine = self.subject()?;
        let start = self.fault_start(goroutine);
        let inner = goroutine.frames.get(start..place.index)?;
        let at = inner.iter().rposition(|frame| !function::is_generated(frame))?;
        Some(Place { goroutine: goroutine.id, index: start + at, frame: inner.get(at)? })
    }

    /// The line that the log shows, as evidence.
    pub(crate) fn message_evidence(&self) -> Option<Evidence> {
        let panic = self.panic?;
        let kind = match panic.kind {
            PanicKind::Panic => "panic",
            PanicKind::Fatal => "fatal",
            PanicKind::Signal => "signal",
        };
        let text = match self.root() {
            Some((_, link)) if panic.kind == PanicKind::Panic => {
                format!("panic: {}", first_line(text_of(link)))
            }
            _ => first_line(panic.message.as_deref()?).to_owned(),
        };
        let reference = self.subject().map(|g| format!("goroutine {}", g.id));
        Some(Evidence { kind: kind.to_owned(), text, reference })
    }

    /// Goroutines of the program, without the runtime's own.
    pub(crate) fn user_goroutines(&self) -> impl Iterator<Item = &'a Goroutine> {
        self.goroutines.iter().filter(|g| !g.system)
    }
}

/// Functions of the runtime from which nothing comes back.
fn is_death(function: &str) -> bool {
    function::is_gopanic(function)
        || matches!(function, "runtime.throw" | "runtime.fatal" | "runtime.fatalthrow")
}

/// What a panic was called with, as printed.
pub(crate) fn text_of(link: &PanicLink) -> &str {
    link.value.as_ref().and_then(|v| v.text.as_deref()).unwrap_or("")
}

/// The dynamic type of a panic's value, where known.
pub(crate) fn type_of(link: &PanicLink) -> Option<&str> {
    link.value.as_ref().and_then(|v| v.type_name.as_deref())
}

/// The first line of a text.
pub(crate) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// Texts of runtime panics that carry no `runtime error: ` (`plainError`, and sync's strings).
const PLAIN_ERRORS: &[&str] = &[
    "assignment to entry in nil map",
    "send on closed channel",
    "close of nil channel",
    "close of closed channel",
    "interface conversion: ",
    "makechan: size out of range",
    "hash of unhashable type: ",
    "value method ",
];

fn is_runtime_error(link: &PanicLink, origin: Origin) -> bool {
    let text = text_of(link);
    match type_of(link) {
        Some(name) => {
            let name = name.trim_start_matches('*');
            name == "maps.unhashableTypeError"
                || (name.starts_with("runtime.") && !name.ends_with("PanicNilError"))
        }
        None if origin == Origin::Memory && text.is_empty() => false,
        None => {
            text.starts_with("runtime error: ") || PLAIN_ERRORS.iter().any(|plain| text.starts_with(plain))
        }
    }
}
