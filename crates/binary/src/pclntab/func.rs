use super::{
    InlineFrames, Pclntab, PclntabVersion,
    header::u32_at,
    pcvalue::{PcValue, PcValues},
};

/// `abi.PCDATA_StackMapIndex`.
const PCDATA_STACK_MAP_INDEX: usize = 1;
/// `abi.PCDATA_InlTreeIndex`.
const PCDATA_INLINE_TREE_INDEX: usize = 2;
/// `abi.PCDATA_ArgLiveIndex`.
const PCDATA_ARG_LIVE_INDEX: usize = 3;
/// `abi.FUNCDATA_LocalsPointerMaps`.
const FUNCDATA_LOCALS_POINTER_MAPS: usize = 1;
/// `abi.FUNCDATA_StackObjects`.
const FUNCDATA_STACK_OBJECTS: usize = 2;
/// `abi.FUNCDATA_InlTree`.
const FUNCDATA_INLINE_TREE: usize = 3;
/// `abi.FUNCDATA_ArgInfo`.
const FUNCDATA_ARG_INFO: usize = 5;
/// `abi.FUNCDATA_ArgLiveInfo`.
const FUNCDATA_ARG_LIVE_INFO: usize = 6;

/// `abi.FuncFlag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuncFlags(u8);

impl FuncFlags {
    /// The outermost function of a stack (`goexit`, `mstart`): unwinding ends here by design.
    pub fn top_frame(self) -> bool {
        self.0 & 1 != 0
    }

    /// Writes the stack pointer in a way its tables cannot tell: unwinding past it is unreliable.
    pub fn writes_sp(self) -> bool {
        self.0 & 2 != 0
    }

    /// Written in assembly.
    pub fn assembly(self) -> bool {
        self.0 & 4 != 0
    }
}

/// One function of a [`Pclntab`] (`runtime._func`).
#[derive(Clone, Copy, Debug)]
pub struct Function<'t, 'a> {
    table: &'t Pclntab<'a>,
    record: &'a [u8],
    entry: u64,
    end: u64,
}

impl<'t, 'a> Function<'t, 'a> {
    pub(super) fn read(table: &'t Pclntab<'a>, index: usize) -> Option<Self> {
        let start = table.entry_offset(index)?;
        let end = table.entry_offset(index + 1)?;
        let record = u32_at(table.functions, index.checked_mul(8)?.checked_add(4)?)?;
        Some(Self {
            table,
            record: table.functions.get(record as usize..)?,
            entry: table.text_start.checked_add(u64::from(start))?,
            end: table.text_start.checked_add(u64::from(end))?,
        })
    }

    /// First address.
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// First address past it.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Its name as the table spells it: `main.F[go.shape.int]`.
    pub fn name(&self) -> Option<&'a str> {
        self.table.name_at(self.word(1)? as i32)
    }

    /// Bytes of stack-passed arguments and results; `None` for assembly that does not say.
    pub fn args_size(&self) -> Option<u32> {
        self.word(2).and_then(|size| i32::try_from(size).ok()).map(|size| size as u32)
    }

    /// The line of its declaration; unknown before Go 1.20.
    pub fn start_line(&self) -> Option<u32> {
        (self.table.version >= PclntabVersion::Go120).then(|| self.word(9)).flatten()
    }

    /// Whether it has a frame layout at all; foreign functions in the text have none.
    pub fn has_frame_info(&self) -> bool {
        self.word(4).is_some_and(|table| table != 0)
    }

    /// Its flags.
    pub fn flags(&self) -> FuncFlags {
        FuncFlags(self.record.get(self.fixed_size() - 3).copied().unwrap_or(0))
    }

    /// Bytes between the stack pointer at `pc` and the return address (amd64) or the caller's
    /// stack pointer (arm64).
    pub fn stack_delta(&self, pc: u64) -> Option<i32> {
        self.pc_values(self.word(4)?)?.at(pc)
    }

    /// File and line of `pc`.
    pub fn file_line(&self, pc: u64) -> Option<(&'a str, u32)> {
        let file = self.pc_values(self.word(5)?)?.at(pc)?;
        let line = self.pc_values(self.word(6)?)?.at(pc)?;
        Some((self.table.file_at(self.word(8)?, file)?, u32::try_from(line).ok()?))
    }

    /// The functions inlined at `pc`, innermost first, and last the function itself.
    pub fn frames(&self, pc: u64) -> InlineFrames<'t, 'a> {
        InlineFrames::new(*self, pc)
    }

    /// How the runtime prints the arguments: the byte code of `cmd/compile`'s emitArgInfo.
    pub fn arg_info(&self) -> Option<&'a [u8]> {
        self.func_data(FUNCDATA_ARG_INFO)
    }

    /// Which register arguments are live in their spill slots: a table, and the offset into it at
    /// `pc` (not positive when everything is live).
    pub fn arg_live_info(&self, pc: u64) -> Option<(&'a [u8], i32)> {
        let table = self.func_data(FUNCDATA_ARG_LIVE_INFO)?;
        Some((table, self.pc_data(PCDATA_ARG_LIVE_INDEX, pc).unwrap_or(-1)))
    }

    /// Whether a pointer that somebody still needs lies `below` bytes under the top of the frame's variables
    /// (`varp`) while the function is in the call at `pc`, in a variable whose address nobody has: the collector's
    /// map of the frame says so, and its list of variables with addresses does not
    /// (`getStackMap`, runtime/stkframe.go).
    pub fn has_private_pointer(&self, pc: u64, below: u64) -> bool {
        self.is_live_pointer(pc, below).unwrap_or(false) && self.is_in_no_object(below).unwrap_or(false)
    }

    /// `runtime.stackmap`: how many bitmaps there are, how many bits each has, the bitmaps.
    fn is_live_pointer(&self, pc: u64, below: u64) -> Option<bool> {
        let index = usize::try_from(self.pc_data(PCDATA_STACK_MAP_INDEX, pc)?).ok()?;
        let maps = self.func_data(FUNCDATA_LOCALS_POINTER_MAPS)?;
        let (count, bits) = (u32_at(maps, 0)? as usize, u64::from(u32_at(maps, 4)?));
        // The bits are of the words upwards from the lowest variable.
        let from_top = below.checked_div(8).filter(|_| below.is_multiple_of(8))?;
        let bit = usize::try_from(bits.checked_sub(from_top).filter(|_| from_top > 0)?).ok()?;
        let size = usize::try_from(bits.div_ceil(8)).ok()?;
        let map = maps.get(8_usize.checked_add(index.checked_mul(size)?)?..).filter(|_| index < count)?;
        Some(map.get(..size)?.get(bit / 8)? & (1 << (bit % 8)) != 0)
    }

    /// `runtime.stackObjectRecord`: offset, negative from the top of the variables down, size, and two more.
    fn is_in_no_object(&self, below: u64) -> Option<bool> {
        const MOST_OBJECTS: usize = 4096;
        let at = i64::try_from(below).ok()?.checked_neg()?;
        let Some(objects) = self.func_data(FUNCDATA_STACK_OBJECTS) else { return Some(true) };
        let count = u32_at(objects, 0)? as usize;
        if count > MOST_OBJECTS {
            return None;
        }
        for index in 0..count {
            let record = 8 + index * 16;
            let offset = i64::from(u32_at(objects, record)?.cast_signed());
            let size = i64::from(u32_at(objects, record + 4)?.cast_signed());
            if offset - 7 <= at && at < offset + size {
                return Some(false);
            }
        }
        Some(true)
    }

    pub(super) fn table(&self) -> &'t Pclntab<'a> {
        self.table
    }

    pub(super) fn inline_index(&self, pc: u64) -> Option<usize> {
        self.pc_data(PCDATA_INLINE_TREE_INDEX, pc).and_then(|index| usize::try_from(index).ok())
    }

    pub(super) fn inline_tree(&self) -> Option<&'a [u8]> {
        self.func_data(FUNCDATA_INLINE_TREE)
    }

    fn pc_data(&self, index: usize, pc: u64) -> Option<i32> {
        if index >= self.pc_data_count()? {
            return None;
        }
        let table = u32_at(self.record, self.fixed_size() + index * 4)?;
        // Offset 0 says that there is no table.
        if table == 0 { None } else { self.pc_values(table)?.at(pc) }
    }

    fn func_data(&self, index: usize) -> Option<&'a [u8]> {
        if index >= usize::from(*self.record.get(self.fixed_size() - 1)?) {
            return None;
        }
        let offset = u32_at(self.record, self.fixed_size() + (self.pc_data_count()? + index) * 4)?;
        if offset == u32::MAX { None } else { self.table.func_data.get(offset as usize..) }
    }

    fn pc_data_count(&self) -> Option<usize> {
        // More than a handful is corruption; the bound keeps offsets from overflowing.
        self.word(7).map(|count| count as usize).filter(|&count| count < 256)
    }

    fn pc_values(&self, offset: u32) -> Option<PcValues<'a>> {
        let table = self.table.pc_tables.get(offset as usize..)?;
        (offset != 0).then(|| PcValues::new(table, self.entry, self.end, self.table.quantum))
    }

    /// All steps of the frame size: `(pc from which, bytes)`.
    pub fn stack_deltas(&self) -> impl Iterator<Item = (u64, i32)> + use<'a> {
        self.word(4)
            .and_then(|offset| self.pc_values(offset))
            .into_iter()
            .flatten()
            .map(|PcValue { start, value, .. }| (start, value))
    }

    fn word(&self, index: usize) -> Option<u32> {
        u32_at(self.record, index * 4)
    }

    /// Size of `_func` before its variable tail. Go 1.20 added the start line.
    fn fixed_size(&self) -> usize {
        match self.table.version {
            PclntabVersion::Go118 => 40,
            PclntabVersion::Go120 => 44,
        }
    }
}
