//! Where the values of a frame are, by following its function's machine code.
//!
//! Debug information says where an argument is, as far as it goes; stripped programs have none. The code itself
//! tells: a function gets its first arguments in registers (Go's `ABIInternal`, cmd/compile/abi-internal.md), and
//! what it still needs after a call it has put on its stack before. Here a function is run in symbols, from its
//! entry over all ways to one instruction, so that at the end it is known which places hold the value that an
//! argument register began with. It is global value numbering on machine code: two places with one number are
//! equal at run time, whatever way was taken.
//!
//! What is not understood counts as lost, never as kept:
//!
//! - a call leaves nothing in registers, but for the few helpers of the runtime that say otherwise;
//! - a slot whose address was taken, or that may be an argument of the callee, is *at risk* afterwards. It is
//!   believed only where the runtime's own map of pointers says that a variable lies there whose address nobody
//!   has (`FUNCDATA_LocalsPointerMaps` without `FUNCDATA_StackObjects`);
//! - code with jumps that lead nowhere known is not analysed at all.
//!
//! Code is foreign input like everything else: instructions, values, slots and rounds are bounded.

mod analysis;
mod blocks;
mod execute;
mod instruction;
mod resolve;
mod state;
mod value;

pub(crate) use analysis::Flows;
use analysis::Point;
pub(crate) use resolve::{Found, Frames, Operand, OperandBase, OperandStep, Proof};
use value::Register;

use panicle_image::Arch;

/// The registers of Go's calling convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Convention {
    /// Those that hold the first words of arguments.
    pub(crate) arguments: &'static [Register],
    /// What a closure finds its variables with.
    pub(crate) context: Register,
    /// The stack pointer.
    pub(crate) sp: Register,
    /// The frame pointer, which holds nothing else.
    pub(crate) frame_pointer: Register,
    /// What the stack pointer is at a function's entry, from the canonical frame address.
    pub(crate) sp_at_entry: i64,
    /// From the caller's stack pointer to the first argument on the stack.
    pub(crate) before_arguments: i64,
}

impl Convention {
    /// Of an architecture; `None` where it is not known.
    pub(crate) fn of(arch: Arch) -> Option<Self> {
        match arch {
            // AX, BX, CX, DI, SI, R8 to R11; the context is DX.
            Arch::Amd64 => Some(Self {
                arguments: &[0, 3, 1, 7, 6, 8, 9, 10, 11],
                context: 2,
                sp: 4,
                frame_pointer: 5,
                sp_at_entry: -8,
                before_arguments: 0,
            }),
            Arch::Arm64 => Some(Self {
                arguments: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
                context: 26,
                sp: 31,
                frame_pointer: 29,
                sp_at_entry: 0,
                before_arguments: 8,
            }),
            Arch::Other(_) => None,
        }
    }

    /// The number of the argument that a register holds.
    pub(crate) fn argument(&self, register: Register) -> Option<usize> {
        self.arguments.iter().position(|known| *known == register)
    }
}

/// Follows `bytes` as the code of a function, to each of its instructions, for tests that give it anything: how
/// many places are known in all, `None` where it cannot be followed.
#[doc(hidden)]
pub fn follow_bytes(arch: Arch, bytes: &[u8]) -> Option<usize> {
    let convention = Convention::of(arch)?;
    let analysis = analysis::Analysis::of_bytes(arch, bytes, &convention)?;
    let states = (0..analysis.code.steps.len()).filter_map(|step| analysis.run_to(&convention, step, true));
    Some(states.map(|(before, after)| before.size() + after.map_or(0, |after| after.size())).sum())
}

#[cfg(test)]
mod tests;
