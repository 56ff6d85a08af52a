use super::{Function, PclntabVersion, header::u32_at};

/// One logical call at a pc: an inlined function, or at last the function itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlineFrame<'a> {
    /// As the table spells it.
    pub name: &'a str,
    /// File of the position within this call; unknown in a damaged table.
    pub file: Option<&'a str>,
    /// Line of the position within this call.
    pub line: Option<u32>,
    /// Line of the function's declaration; unknown before Go 1.20.
    pub start_line: Option<u32>,
    /// Inlined into the next frame.
    pub inlined: bool,
    /// The pc that file and line are of: the one asked for, or that of the call outwards.
    pub pc: u64,
}

/// Iterates over the calls at a pc, innermost first (`runtime.inlineUnwinder`).
#[derive(Clone, Debug)]
pub struct InlineFrames<'t, 'a> {
    function: Function<'t, 'a>,
    pc: Option<u64>,
    /// Calls that may still come: a damaged tree could go round in circles.
    left: u32,
}

/// The compiler's own bound on inlining depth is far below.
const DEEPEST: u32 = 256;

impl<'t, 'a> InlineFrames<'t, 'a> {
    pub(super) fn new(function: Function<'t, 'a>, pc: u64) -> Self {
        Self { function, pc: Some(pc), left: DEEPEST }
    }

    /// The inlined call that holds `pc`: its name, declaration line and the pc of the call.
    fn inlined_at(&self, pc: u64) -> Option<(&'a str, Option<u32>, u64)> {
        let index = self.function.inline_index(pc)?;
        let tree = self.function.inline_tree()?;
        let table = self.function.table();
        // struct inlinedCall, runtime/symtabinl.go.
        let (size, name, parent, start_line) = match table.version() {
            PclntabVersion::Go118 => (20, 12, 16, None),
            PclntabVersion::Go120 => (16, 4, 8, Some(12)),
        };
        let at = |offset: usize| u32_at(tree, index.checked_mul(size)?.checked_add(offset)?);
        let name = table.name_at(at(name)? as i32)?;
        let parent = self.function.entry().checked_add(u64::from(at(parent)?))?;
        Some((name, start_line.and_then(at), parent))
    }
}

impl<'a> Iterator for InlineFrames<'_, 'a> {
    type Item = InlineFrame<'a>;

    fn next(&mut self) -> Option<InlineFrame<'a>> {
        let pc = self.pc.take()?;
        let (file, line) = self.function.file_line(pc).unzip();
        self.left = self.left.checked_sub(1)?;
        match self.inlined_at(pc) {
            Some((name, start_line, parent)) => {
                self.pc = Some(parent);
                Some(InlineFrame { name, file, line, start_line, inlined: true, pc })
            }
            None => Some(InlineFrame {
                name: self.function.name()?,
                file,
                line,
                start_line: self.function.start_line(),
                inlined: false,
                pc,
            }),
        }
    }
}
