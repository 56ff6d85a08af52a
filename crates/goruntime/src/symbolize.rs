//! From a pc to what a traceback prints of it. Results are kept: ten thousand goroutines share a
//! few dozen pcs.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use panicle_binary::{
    dwarf::{LONGEST_NAME, LONGEST_PATH},
    pclntab::{FuncFlags, Pclntab},
};
use panicle_report::FrameKind;

use crate::{layout::Spelling, spell};

/// One logical call at a pc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// As a traceback spells it.
    pub function: String,
    /// Source file.
    pub file: Option<String>,
    /// Line in it.
    pub line: Option<u32>,
    /// Inlined into the next call.
    pub inlined: bool,
    /// What it belongs to.
    pub kind: FrameKind,
}

/// What is known of a pc.
#[derive(Clone, Debug)]
pub struct Symbols {
    /// The physical function's name as its table spells it.
    pub name: String,
    /// The physical function's first address, at run time.
    pub entry: u64,
    /// Its flags.
    pub flags: FuncFlags,
    /// Whether its frame size is known at all.
    pub has_frame_info: bool,
    /// Its frame size at the pc: bytes from the stack pointer to the return address.
    pub stack_delta: Option<i32>,
}

/// Answers for one executable at one load bias.
pub struct Symbolizer<'a> {
    pclntab: Pclntab<'a>,
    bias: u64,
    spelling: Spelling,
    symbols: RefCell<HashMap<u64, Option<Rc<Symbols>>>>,
    calls: RefCell<HashMap<u64, Rc<[Call]>>>,
    /// What is left of [`MOST_TEXT`].
    room: Cell<usize>,
    left_out: Cell<u64>,
}

/// Bytes of names and paths kept for all pcs together: a damaged table can give each pc hundreds of inlined
/// calls with names of any length.
const MOST_TEXT: usize = 256 << 20;
/// In place of a name that is left out.
const UNKNOWN: &str = "?";

impl<'a> Symbolizer<'a> {
    /// Answers for `pclntab` loaded `bias` bytes above its link-time addresses.
    pub fn new(pclntab: Pclntab<'a>, bias: u64, spelling: Spelling) -> Self {
        Self {
            pclntab,
            bias,
            spelling,
            symbols: RefCell::default(),
            calls: RefCell::default(),
            room: Cell::new(MOST_TEXT),
            left_out: Cell::new(0),
        }
    }

    /// The function table.
    pub fn pclntab(&self) -> &Pclntab<'a> {
        &self.pclntab
    }

    /// The function that holds `pc`.
    pub fn symbols(&self, pc: u64) -> Option<Rc<Symbols>> {
        if let Some(known) = self.symbols.borrow().get(&pc) {
            return known.clone();
        }
        let linked = pc.wrapping_sub(self.bias);
        let found = self.pclntab.function_at(linked).map(|function| {
            Rc::new(Symbols {
                name: self.kept(function.name(), LONGEST_NAME).unwrap_or_default(),
                entry: function.entry().wrapping_add(self.bias),
                flags: function.flags(),
                has_frame_info: function.has_frame_info(),
                stack_delta: function.stack_delta(linked),
            })
        });
        self.symbols.borrow_mut().insert(pc, found.clone());
        found
    }

    /// The calls at `pc`, innermost first. `pc` is that of an instruction within the call, not a
    /// return address.
    pub fn calls(&self, pc: u64) -> Rc<[Call]> {
        if let Some(known) = self.calls.borrow().get(&pc) {
            return Rc::clone(known);
        }
        let linked = pc.wrapping_sub(self.bias);
        let calls: Rc<[Call]> = self
            .pclntab
            .function_at(linked)
            .map(|function| {
                function
                    .frames(linked)
                    .map(|frame| Call {
                        function: self.called(frame.name),
                        file: self.kept(frame.file, LONGEST_PATH),
                        line: frame.line,
                        inlined: frame.inlined,
                        kind: spell::frame_kind(frame.name),
                    })
                    .collect()
            })
            .unwrap_or_default();
        self.calls.borrow_mut().insert(pc, Rc::clone(&calls));
        calls
    }

    /// `name` in a traceback's spelling, as far as there is room for it.
    fn called(&self, name: &str) -> String {
        let spelled = spell::function_name(name, self.spelling);
        self.kept(Some(&spelled), LONGEST_NAME).unwrap_or_else(|| UNKNOWN.to_owned())
    }

    /// A copy of `text`; `None` when it is longer than any of its kind, or when there are too many.
    pub(crate) fn kept(&self, text: Option<&str>, longest: usize) -> Option<String> {
        let text = text?;
        let left = self.room.get().checked_sub(text.len()).filter(|_| text.len() <= longest);
        if let Some(left) = left {
            self.room.set(left);
        } else {
            self.left_out.set(self.left_out.get().saturating_add(1));
        }
        left.map(|_| text.to_owned())
    }

    /// How many names and paths were left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.get()
    }

    /// The physical function's name in a traceback's spelling.
    pub fn function_name(&self, pc: u64) -> Option<String> {
        self.symbols(pc).map(|symbols| spell::function_name(&symbols.name, self.spelling))
    }
}
