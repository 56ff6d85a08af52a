//! Machine code as far as it moves values, the same for all architectures.

mod amd64;
mod arm64;

use panicle_image::Arch;

use super::value::Register;

/// An address in an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The register it counts from; without one it is fixed.
    pub(super) base: Option<Register>,
    /// Another register is added, whose value is not followed.
    pub(super) indexed: bool,
    /// Bytes from the base, or the fixed address itself.
    pub(super) offset: i64,
}

impl Address {
    const NOWHERE: Self = Self { base: None, indexed: true, offset: 0 };
}

/// Where an instruction takes a register's new value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Register(Register),
    Constant(u64),
    /// A register and a constant.
    Sum(Register, i64),
    /// An address behind a register, with an index.
    Indexed(Register),
    /// So many bytes of memory.
    Memory(Address, u8),
    Unknown,
}

/// A part of what an instruction does; the parts of one come one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Set(Register, Source),
    /// Writes `size` bytes: those of a register, where that is known.
    Store {
        to: Address,
        size: u32,
        from: Option<Register>,
    },
    /// Nothing is known of it: any register may have changed, and memory.
    Anything,
}

/// Where control goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Following,
    Jump(u64),
    /// There, or to the following instruction.
    Branch(u64),
    /// To a function, and then to the following instruction.
    Call(Option<u64>),
    /// To one of the addresses in a table in memory.
    Table(Address),
    /// To what a register says.
    Register(Register),
    /// Nowhere.
    End,
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes from the function's entry.
    pub(super) site: u32,
    pub(super) length: u8,
    /// Its parts, in [`Code::ops`].
    ops: (u32, u32),
    pub(super) next: Next,
}

/// The instructions of a function in order.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) steps: Vec<Step>,
    ops: Vec<Op>,
}

impl Code {
    /// Reads the code of a function that lies at `address`; `None` for an architecture that is not read.
    pub(super) fn read(arch: Arch, code: &[u8], address: u64) -> Option<Self> {
        match arch {
            Arch::Amd64 => Some(amd64::read(code, address)),
            Arch::Arm64 => Some(arm64::read(code, address)),
            Arch::Other(_) => None,
        }
    }

    /// The parts of an instruction.
    pub(super) fn ops(&self, step: &Step) -> &[Op] {
        self.ops.get(step.ops.0 as usize..step.ops.1 as usize).unwrap_or_default()
    }

    fn push(&mut self, site: usize, length: usize, ops: &[Op], next: Next) {
        let first = self.ops.len() as u32;
        self.ops.extend_from_slice(ops);
        let ops = (first, self.ops.len() as u32);
        self.steps.push(Step { site: site as u32, length: length as u8, ops, next });
    }

    /// The index of the instruction that holds the byte at `site`.
    pub(super) fn step_at(&self, site: u32) -> Option<usize> {
        let after = self.steps.partition_point(|step| step.site <= site);
        let index = after.checked_sub(1)?;
        let step = self.steps.get(index)?;
        (site - step.site < u32::from(step.length)).then_some(index)
    }
}
