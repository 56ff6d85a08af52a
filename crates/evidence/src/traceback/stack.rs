//! The lines of one stack: frames, creator, gaps, ancestors.

use super::Limits;
use super::frame;
use super::header::Header;
use super::intern::Interner;
use super::model::{RuntimeStack, TextAncestor, TextCreatedBy, TextElided, TextFrame, TextGoroutine};
use crate::scan::{decimal, hex, lossy};

/// Notes kept of one stack.
const MAX_NOTES: usize = 32;
/// Ancestors kept of one goroutine; the runtime keeps as many as `tracebackancestors` says.
const MAX_ANCESTORS: usize = 64;
/// Bytes of names and arguments kept of one stack; a real one has some kilobytes.
const MAX_BYTES: usize = 1 << 20;

/// Whose stack it is.
pub(super) enum Owner {
    Goroutine(Box<TextGoroutine>),
    Runtime(RuntimeStack),
}

/// What the next location line belongs to.
enum Pending {
    Nothing,
    /// The last frame.
    Frame,
    /// A frame past the limit.
    Dropped,
    Creator,
}

/// A stack that is being read.
pub(super) struct Stack {
    pub(super) owner: Owner,
    pending: Pending,
    /// A line that is the name of a C function if a location with a pc follows.
    name: Option<(u64, Vec<u8>)>,
    /// A blank line came.
    closed: bool,
    /// Bytes of the lines that were taken.
    bytes: usize,
}

/// The lists that lines go to: the goroutine's own, or those of the ancestor being printed.
struct Lists<'a> {
    frames: &'a mut Vec<TextFrame>,
    elided: &'a mut Option<TextElided>,
    created_by: Option<&'a mut Option<TextCreatedBy>>,
}

impl Stack {
    pub(super) fn goroutine(
        header: Header<'_>,
        section: u32,
        text_line: u64,
        interner: &mut Interner,
    ) -> Self {
        Self::new(Owner::Goroutine(Box::new(TextGoroutine {
            section,
            text_line,
            text_last_line: text_line,
            id: header.id,
            gp: header.gp,
            m: header.m,
            mp: header.mp,
            status: interner.get(header.status),
            wait_reason: header.wait_reason.map(|r| interner.get(r)),
            wait_minutes: header.wait_minutes,
            scan: header.scan,
            leaked: header.leaked,
            durable: header.durable,
            locked_to_thread: header.locked_to_thread,
            synctest_bubble: header.synctest_bubble,
            labels: header.labels,
            ..TextGoroutine::default()
        })))
    }

    pub(super) fn runtime(section: u32, text_line: u64) -> Self {
        Self::new(Owner::Runtime(RuntimeStack { section, text_line, ..RuntimeStack::default() }))
    }

    fn new(owner: Owner) -> Self {
        Self { owner, pending: Pending::Nothing, name: None, closed: false, bytes: 0 }
    }

    /// No blank line came yet: the next line may still belong to it.
    pub(super) fn is_open(&self) -> bool {
        !self.closed
    }

    /// Takes a line if it belongs to the stack.
    pub(super) fn line(
        &mut self,
        line: &[u8],
        text_line: u64,
        limits: &Limits,
        interner: &mut Interner,
    ) -> bool {
        // It names a function only if its location is the very next line.
        let name = self.name.take();
        let taken = match line {
            [] => {
                self.closed = true;
                true
            }
            [b'\t', ..] => self.indented(line, name, limits, interner),
            _ if self.closed => false,
            [.., b')'] => self.call(line, text_line, limits, interner),
            _ => self.other(line, text_line, limits, interner),
        };
        self.bytes += line.len();
        if taken
            && !line.is_empty()
            && let Owner::Goroutine(g) = &mut self.owner
        {
            g.text_last_line = text_line;
        }
        taken
    }

    fn call(&mut self, line: &[u8], text_line: u64, limits: &Limits, interner: &mut Interner) -> bool {
        let Some((function, args)) = frame::call(line) else { return self.keep_name(line, text_line) };
        let frame = TextFrame {
            text_line,
            function: interner.get(function),
            args: Some(interner.get(args)),
            inlined: args == b"...",
            ..TextFrame::default()
        };
        self.push(frame, limits);
        true
    }

    fn push(&mut self, frame: TextFrame, limits: &Limits) {
        let full = self.bytes > MAX_BYTES;
        let lists = self.lists();
        if full || lists.frames.len() >= limits.frames {
            self.set_truncated();
            self.pending = Pending::Dropped;
        } else {
            lists.frames.push(frame);
            self.pending = Pending::Frame;
        }
    }

    /// A line that begins with a tab: the location of what came before.
    fn indented(
        &mut self,
        line: &[u8],
        name: Option<(u64, Vec<u8>)>,
        limits: &Limits,
        interner: &mut Interner,
    ) -> bool {
        if line == b"\tgoroutine running on other thread; stack unavailable" {
            if let Owner::Goroutine(g) = &mut self.owner {
                g.unavailable = true;
            }
            return !self.closed;
        }
        let Some(location) = frame::location(line) else { return false };
        let file = |interner: &mut Interner| location.file.map(|f| interner.get(f));
        // A line of somebody else's can stand between a Go frame and its location.
        if let Some((at, name)) = name
            && matches!(self.pending, Pending::Nothing)
            && location.pc.is_some()
            && !self.closed
        {
            let frame = TextFrame {
                text_line: at,
                function: interner.get(&name),
                file: file(interner),
                line: location.line,
                pc: location.pc,
                ..TextFrame::default()
            };
            self.push(frame, limits);
            self.pending = Pending::Nothing;
            return true;
        }
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => return false,
            Pending::Dropped => {}
            Pending::Frame => {
                if let Some(frame) = self.lists().frames.last_mut() {
                    frame.file = file(interner);
                    frame.line = location.line;
                    frame.entry_offset = location.entry_offset;
                    frame.fp = location.fp;
                    frame.sp = location.sp;
                    frame.pc = location.pc;
                    if location.pc.is_some() && location.fp.is_none() {
                        // A C++ name with its own parentheses: the runtime prints a Go frame's
                        // pc only together with fp and sp.
                        frame.args = None;
                    }
                }
            }
            Pending::Creator => {
                if let Some(Some(creator)) = self.lists().created_by {
                    creator.file = file(interner);
                    creator.line = location.line;
                    creator.entry_offset = location.entry_offset;
                }
            }
        }
        true
    }

    fn other(&mut self, line: &[u8], text_line: u64, limits: &Limits, interner: &mut Interner) -> bool {
        match line[0] {
            b'c' => {
                if let Some((function, goroutine)) = frame::created_by(line) {
                    let function = interner.get(function);
                    if let Some(slot) = self.lists().created_by {
                        *slot = Some(TextCreatedBy { function, goroutine, ..TextCreatedBy::default() });
                        self.pending = Pending::Creator;
                        return true;
                    }
                }
            }
            b'.' => {
                if let Some(count) = frame::elided(line) {
                    let lists = self.lists();
                    *lists.elided = Some(TextElided { after: lists.frames.len(), count });
                    return true;
                }
            }
            b'[' => {
                let id = line
                    .strip_prefix(b"[originating from goroutine ")
                    .and_then(|r| r.strip_suffix(b"]:"))
                    .and_then(decimal);
                if let (Some(goroutine), Owner::Goroutine(g)) = (id, &mut self.owner) {
                    if g.ancestors.len() < MAX_ANCESTORS {
                        g.ancestors.push(TextAncestor { goroutine, ..TextAncestor::default() });
                    } else {
                        g.truncated = true;
                    }
                    self.pending = Pending::Nothing;
                    return true;
                }
            }
            b'n' => {
                if let Some(pc) = line.strip_prefix(b"non-Go function at pc=").and_then(hex) {
                    let function = interner.get(b"non-Go function");
                    self.push(
                        TextFrame { text_line, function, pc: Some(pc), ..TextFrame::default() },
                        limits,
                    );
                    self.pending = Pending::Nothing;
                    return true;
                }
            }
            b'r' | b's' | b't' | b'0' if is_note(line) => {
                let notes = match &mut self.owner {
                    Owner::Goroutine(g) => &mut g.notes,
                    Owner::Runtime(r) => &mut r.notes,
                };
                if notes.len() < MAX_NOTES {
                    notes.push(lossy(line));
                }
                return true;
            }
            _ => {}
        }
        self.keep_name(line, text_line)
    }

    /// Remembers a line that may turn out to name a C function. It counts as not taken: alone it
    /// is nothing.
    fn keep_name(&mut self, line: &[u8], text_line: u64) -> bool {
        self.name = (line.len() <= 1024).then(|| (text_line, line.to_vec()));
        false
    }

    fn lists(&mut self) -> Lists<'_> {
        match &mut self.owner {
            Owner::Goroutine(g) => match g.ancestors.last_mut() {
                Some(a) => Lists {
                    frames: &mut a.frames,
                    elided: &mut a.elided,
                    created_by: Some(&mut a.created_by),
                },
                None => Lists {
                    frames: &mut g.frames,
                    elided: &mut g.elided,
                    created_by: Some(&mut g.created_by),
                },
            },
            Owner::Runtime(r) => Lists { frames: &mut r.frames, elided: &mut r.elided, created_by: None },
        }
    }

    pub(super) fn set_truncated(&mut self) {
        match &mut self.owner {
            Owner::Goroutine(g) => g.truncated = true,
            Owner::Runtime(r) => r.truncated = true,
        }
    }

    /// The text ends here: a frame without its location, or nothing at all below the header, is a
    /// stack that was cut.
    pub(super) fn cut(&mut self) {
        let nothing = match &self.owner {
            Owner::Goroutine(g) => g.frames.is_empty() && !g.unavailable,
            Owner::Runtime(r) => r.frames.is_empty(),
        };
        if nothing || !matches!(self.pending, Pending::Nothing) {
            self.set_truncated();
        }
    }
}

/// What the unwinder says inside of a stack when it cannot go on (traceback.go).
fn is_note(line: &[u8]) -> bool {
    line.starts_with(b"runtime: g")
        || line.starts_with(b"runtime: traceback stuck")
        || line.starts_with(b"stack: frame={sp:")
        || line.starts_with(b"traceback: unexpected SPWRITE")
        || (line.starts_with(b"0x") && line.get(18) == Some(&b':'))
}
