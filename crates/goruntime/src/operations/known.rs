//! How the map of an operation is known, and where the caller had it from.

use crate::flow;

/// How the map of an operation is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Known {
    /// It is an argument that a frame of the operation still holds.
    Argument,
    /// It is what the caller passed, and the caller, or one of its callers, still holds it.
    Caller,
    /// Debug information says where a frame of the operation has it.
    Variable,
    /// It is what stands today where the caller read it from. Then it may have been another one.
    ReadAgain,
    /// It is the only map whose address lies in the frames of the operation.
    Scan,
    /// An iterator that stands at an entry of it lies in the frame: the goroutine is in the body of a loop over
    /// it, or was, and left the loop early.
    Iterator,
    /// Nothing tells.
    Nothing,
}

impl Known {
    /// One sentence, without a subject where it is known.
    pub fn because(self) -> &'static str {
        match self {
            Self::Argument => "The map is an argument that the operation's frame still holds.",
            Self::Caller => "The map is the value that the caller passed and still holds.",
            Self::Variable => "Debug information says where the operation's frame has the map.",
            Self::ReadAgain => {
                "The map is read again from where the caller had it; another one may have been put there since."
            }
            Self::Scan => "It is the only map whose address lies in the operation's frames.",
            Self::Iterator => "An iterator over the map lies in the frame; the loop may be over.",
            Self::Nothing => "The operation's frames do not tell which map it is.",
        }
    }
}

/// Where a caller had a map from, in the terms of its physical frame: a way to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Where it begins.
    pub base: OperandBase,
    /// The words that were read from memory on the way, the first one first. `c.users` of an argument `c` is
    /// one step at the field's offset; a variable of a package is one step at offset 0 from its address.
    pub steps: Vec<OperandStep>,
    /// Bytes that were added to what was read last; not 0 for the address of something in a larger thing.
    pub offset: i64,
}

/// Where an operand begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperandBase {
    /// A word of the physical function's arguments: `number` counts the words that are passed in registers for
    /// integers, receivers first. A string takes two.
    Argument {
        /// Which word.
        number: usize,
        /// What it is, where it is still known.
        value: Option<u64>,
        /// It is the very value, and was not read again from memory that may have changed.
        exact: bool,
    },
    /// A word of the arguments that are passed on the stack.
    StackArgument {
        /// Bytes from the first such argument.
        offset: i64,
        /// What it is, where it is still known.
        value: Option<u64>,
    },
    /// The closure that the physical function is; its variables lie from offset 8 on.
    Closure {
        /// The closure's address, where it is still known.
        value: Option<u64>,
    },
    /// A fixed address: that of a variable of a package.
    Global {
        /// The address at run time.
        address: u64,
    },
    /// A variable of the physical frame.
    Frame {
        /// Its address.
        address: u64,
    },
    /// What a function returned.
    Result {
        /// Which, where the code says it.
        function: Option<String>,
    },
    /// Something else: an element of an array, what depends on the way that was taken.
    Unknown,
}

/// A word that was read from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperandStep {
    /// Bytes from what was known before.
    pub offset: i64,
    /// The word's address, as far as it can be told now.
    pub address: Option<u64>,
}

impl From<flow::Operand> for Operand {
    fn from(found: flow::Operand) -> Self {
        let base = match found.base {
            flow::OperandBase::Argument { number, value, exact } => {
                OperandBase::Argument { number, value, exact }
            }
            flow::OperandBase::StackArgument { offset, value } => {
                OperandBase::StackArgument { offset, value }
            }
            flow::OperandBase::Closure { value } => OperandBase::Closure { value },
            flow::OperandBase::Fixed { address } => OperandBase::Global { address },
            flow::OperandBase::Frame { address } => OperandBase::Frame { address },
            flow::OperandBase::Result { function } => OperandBase::Result { function },
            flow::OperandBase::Unknown => OperandBase::Unknown,
        };
        let step = |step: flow::OperandStep| OperandStep { offset: step.offset, address: step.address };
        Self { base, steps: found.steps.into_iter().map(step).collect(), offset: found.offset }
    }
}
