//! Arguments as a traceback prints them: `0x1, {0xc000012345, 0x5}, ...`.
//!
//! The compiler leaves a little byte code per function that says which words to print, and which
//! of them may be stale (`printArgs` in runtime/traceback.go, `emitArgInfo` in
//! cmd/compile/internal/ssagen). Register arguments are read from their spill slots, so a value
//! that was never spilled is marked `?`, as the runtime does.

use std::fmt::Write as _;

use crate::{
    locals::slots::{Slot, argument_slots},
    process::Process,
    unwind::PhysicalFrame,
};

pub(crate) const END: u8 = 0xff;
pub(crate) const START_AGGREGATE: u8 = 0xfe;
pub(crate) const END_AGGREGATE: u8 = 0xfd;
pub(crate) const DOTS: u8 = 0xfc;
pub(crate) const OFFSET_TOO_LARGE: u8 = 0xfb;

/// `abi.TraceArgsMaxLen` of the largest version; a longer code is damaged.
pub(crate) const LONGEST: usize = 256;

/// The arguments of a physical frame, without the parentheses; empty when the function has none or
/// does not say.
pub fn print(process: &Process<'_>, frame: &PhysicalFrame) -> String {
    let mut out = String::new();
    let linked = |pc: u64| pc.wrapping_sub(process.bias);
    let Some(function) = process.symbolizer.pclntab().function_at(linked(frame.pc)) else { return out };
    let Some(code) = function.arg_info() else { return out };
    let lookup = linked(frame.lookup_pc);
    let live_at = if process.layout.unwinder.asks_liveness_at_inlined_call() {
        function.frames(lookup).last().map_or(lookup, |outermost| outermost.pc)
    } else {
        lookup
    };
    let live = Liveness::new(function.arg_live_info(live_at));
    let mut code = code.iter().copied().take(LONGEST);
    let mut start = true;
    let mut slot = 0_u8;
    while let Some(op) = code.next() {
        let comma = if start { "" } else { ", " };
        match op {
            END => break,
            START_AGGREGATE => {
                let _ = write!(out, "{comma}{{");
                start = true;
                continue;
            }
            END_AGGREGATE => out.push('}'),
            DOTS => {
                let _ = write!(out, "{comma}...");
            }
            OFFSET_TOO_LARGE => {
                let _ = write!(out, "{comma}_");
            }
            offset => {
                let Some(size) = code.next() else { break };
                match word(process, frame.argp.wrapping_add(u64::from(offset)), size) {
                    Some(value) => {
                        let _ = write!(out, "{comma}{value:#x}");
                    }
                    // The memory is not there: unknown, not zero.
                    None => {
                        let _ = write!(out, "{comma}_");
                    }
                }
                if !live.is_live(offset, slot) {
                    out.push('?');
                }
                if live.counts(offset) {
                    slot = slot.wrapping_add(1);
                }
            }
        }
        start = false;
    }
    out
}

/// The spill slots of the arguments of a physical frame, in order.
pub(crate) fn slots(process: &Process<'_>, frame: &PhysicalFrame) -> Vec<Option<Slot>> {
    let linked = |pc: u64| pc.wrapping_sub(process.bias);
    let function = process.symbolizer.pclntab().function_at(linked(frame.pc));
    let Some((function, code)) = function.and_then(|found| Some((found, found.arg_info()?))) else {
        return Vec::new();
    };
    argument_slots(code, &Liveness::new(function.arg_live_info(linked(frame.lookup_pc))))
}

/// `size` bytes at `address`, little-endian.
fn word(process: &Process<'_>, address: u64, size: u8) -> Option<u64> {
    let mut bytes = [0; 8];
    let size = usize::from(size.min(8));
    process.memory.read(address, &mut bytes[..size]).ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// Which arguments are stored in their spill slots at one pc.
pub(crate) struct Liveness<'a> {
    table: &'a [u8],
    /// Offset of the bitmap at the pc; not positive when everything is live.
    index: i32,
    /// Slots below are always live.
    first_offset: u8,
}

impl<'a> Liveness<'a> {
    /// From what `arg_live_info` gives.
    pub(crate) fn new(info: Option<(&'a [u8], i32)>) -> Self {
        match info {
            Some((table @ [first_offset, ..], index)) => Self { table, index, first_offset: *first_offset },
            _ => Self { table: &[], index: -1, first_offset: 0xff },
        }
    }

    /// Whether a component can be missing, and has a bit in the table then.
    pub(crate) fn counts(&self, offset: u8) -> bool {
        offset >= self.first_offset
    }

    pub(crate) fn is_live(&self, offset: u8, slot: u8) -> bool {
        if self.index <= 0 || offset < self.first_offset {
            return true;
        }
        let byte = self.index as usize + usize::from(slot / 8);
        self.table.get(byte).is_none_or(|bits| bits & (1 << (slot % 8)) != 0)
    }
}
