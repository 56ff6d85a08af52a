//! DWARF location expressions, evaluated by gimli with what the caller knows about a frame.

use gimli::{EndianSlice, EvaluationResult, LittleEndian, Value};

/// Operations that one expression may execute; Go's have at most a few dozen.
const MAX_OPERATIONS: u32 = 1000;

/// What an expression may ask about the frame it is evaluated in. `None` is "not known".
pub trait ExprContext {
    /// A register by its DWARF number.
    fn register(&self, number: u16) -> Option<u64>;
    /// The canonical frame address: for Go on amd64, just above the return address.
    fn cfa(&self) -> Option<u64>;
    /// What the function's `DW_AT_frame_base` gives.
    fn frame_base(&self) -> Option<u64>;
    /// `size` bytes (at most 8) of memory as a little-endian number.
    fn memory(&self, address: u64, size: u8) -> Option<u64>;
    /// Where the executable's link-time address `address` is in the process.
    fn relocate(&self, address: u64) -> u64;
}

/// A part of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its size; `None` is "all there is".
    pub size: Option<u64>,
    /// Where it is.
    pub location: PieceLocation,
}

/// Where a [`Piece`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceLocation {
    /// In memory.
    Address(u64),
    /// In a register, by its DWARF number.
    Register(u16),
    /// Nowhere, but this is its value, little-endian.
    Bytes(Vec<u8>),
    /// Nowhere: the compiler did not keep it.
    Nowhere,
}

/// Why an expression has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// It asks for a register, an address or memory that is not known.
    #[error("the location needs {0}, which is not known")]
    Needs(&'static str),
    /// It is malformed.
    #[error("the location cannot be evaluated: {0}")]
    Malformed(gimli::Error),
}

impl From<gimli::Error> for ExprError {
    fn from(error: gimli::Error) -> Self {
        Self::Malformed(error)
    }
}

/// Evaluates `expression` to the pieces of a variable, lowest bytes first.
///
/// [`ExprError::Needs`] when the context does not know something, [`ExprError::Malformed`] when it is no
/// valid expression or runs too long.
pub fn evaluate(
    expression: &[u8],
    encoding: gimli::Encoding,
    context: &dyn ExprContext,
) -> Result<Vec<Piece>, ExprError> {
    let slice = EndianSlice::new(expression, LittleEndian);
    let mut evaluation = gimli::Evaluation::new(slice, encoding);
    evaluation.set_max_iterations(MAX_OPERATIONS);
    let mut step = evaluation.evaluate()?;
    loop {
        step = match step {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresRegister { register, .. } => {
                let value = context.register(register.0).ok_or(ExprError::Needs("a register"))?;
                evaluation.resume_with_register(Value::Generic(value))?
            }
            EvaluationResult::RequiresFrameBase => {
                let base = context.frame_base().ok_or(ExprError::Needs("the frame base"))?;
                evaluation.resume_with_frame_base(base)?
            }
            EvaluationResult::RequiresCallFrameCfa => {
                let cfa = context.cfa().ok_or(ExprError::Needs("the frame's address"))?;
                evaluation.resume_with_call_frame_cfa(cfa)?
            }
            EvaluationResult::RequiresMemory { address, size, .. } => {
                let value = context.memory(address, size).ok_or(ExprError::Needs("memory"))?;
                evaluation.resume_with_memory(Value::Generic(value))?
            }
            EvaluationResult::RequiresRelocatedAddress(address) => {
                evaluation.resume_with_relocated_address(context.relocate(address))?
            }
            _ => return Err(ExprError::Needs("something that Go does not use")),
        };
    }
    let pieces = evaluation.as_result().iter().map(|piece| Piece {
        size: piece.size_in_bits.map(|bits| bits.div_ceil(8)),
        location: match piece.location {
            gimli::Location::Address { address } => PieceLocation::Address(address),
            gimli::Location::Register { register } => PieceLocation::Register(register.0),
            gimli::Location::Value { value } => {
                let number = value.to_u64(u64::MAX).unwrap_or(0);
                PieceLocation::Bytes(number.to_le_bytes().to_vec())
            }
            gimli::Location::Bytes { value } => PieceLocation::Bytes(value.slice().to_vec()),
            gimli::Location::Empty | gimli::Location::ImplicitPointer { .. } => PieceLocation::Nowhere,
        },
    });
    Ok(pieces.collect())
}
