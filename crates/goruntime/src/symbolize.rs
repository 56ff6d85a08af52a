//! From a pc to what a traceback prints of it. Results are kept: ten thousand goroutines share a
//! few dozen pcs.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use panicle_binary::pclntab::{FuncFlags, Pclntab};
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
}

impl<'a> Symbolizer<'a> {
    /// Answers for `pclntab` loaded `bias` bytes above its link-time addresses.
    pub fn new(pclntab: Pclntab<'a>, bias: u64, spelling: Spelling) -> Self {
        Self { pclntab, bias, spelling, symbols: RefCell::default(), calls: RefCell::default() }
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
                name: function.name().unwrap_or_default().to_owned(),
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
                        function: spell::function_name(frame.name, self.spelling),
                        file: frame.file.map(str::to_owned),
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

    /// The physical function's name in a traceback's spelling.
    pub fn function_name(&self, pc: u64) -> Option<String> {
        self.symbols(pc).map(|symbols| spell::function_name(&symbols.name, self.spelling))
    }
}
