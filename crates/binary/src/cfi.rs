//! Call frame information (`.eh_frame`): from a frame of C code to its caller.
//!
//! gimli reads the tables; what becomes of the registers is worked out here, because a report has to
//! say whether a frame rests on such a table, and because the rules that signal trampolines and
//! realigned stacks need are expressions that read memory. Addresses are those of the process: the
//! tables are handed over with the addresses they were loaded at, and so need no load bias.
//!
//! Sources: "DWARF Debugging Information Format, Version 5", 6.4; the Linux Standard Base's chapter on
//! exception frames for `.eh_frame_hdr`; the System V ABIs of x86-64 and AArch64 for register numbers
//! and for which registers a function preserves.

mod index;
mod registers;
mod unwinding;

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

use gimli::{
    BaseAddresses, CfaRule, CommonInformationEntry, EhFrame, EhFrameOffset, EndianSlice, EvaluationResult,
    FrameDescriptionEntry, LittleEndian, Register, RegisterRule, Section as _, UnwindContext,
    UnwindExpression, UnwindSection as _, Value, Vendor,
};
use panicle_image::Arch;
use thiserror::Error;

use index::Index;
pub use registers::FrameRegisters;
pub use unwinding::Unwinding;

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Description<'a> = FrameDescriptionEntry<Slice<'a>>;
type Cie<'a> = CommonInformationEntry<Slice<'a>>;

/// Operations that one expression may execute; real ones have a dozen.
const MOST_OPERATIONS: u32 = 1000;

/// Why there is no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CfiError {
    /// No table covers the pc, or its entry is damaged.
    #[error("no call frame information covers the pc")]
    NotCovered,
    /// The table says that this is the outermost frame.
    #[error("this is the outermost frame")]
    Outermost,
    /// The rules need a register or memory that is not known.
    #[error("a register or memory that the caller is found with is not known")]
    NotKnown,
    /// The caller would stand below its callee, or where it stands itself.
    #[error("the frame's caller does not lie outwards")]
    NoProgress,
}

/// The caller of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its registers once the call has returned.
    pub registers: FrameRegisters,
    /// The frame that was left was a signal handler's trampoline: the caller was interrupted and did
    /// not call.
    pub interrupted: bool,
}

/// The call frame information of one loaded file.
pub struct CallFrames<'a> {
    frames: EhFrame<Slice<'a>>,
    bases: BaseAddresses,
    /// The linker's, or made when it is first needed.
    index: OnceCell<Index<'a>>,
    unwinding: Rc<Unwinding>,
    context: RefCell<UnwindContext<usize>>,
}

impl<'a> CallFrames<'a> {
    /// From `.eh_frame_hdr` at `address`, where its program header says it is. `bytes` answers with
    /// what memory has from an address on. `None` when either section is missing or of a form that no
    /// linker writes.
    pub fn from_header(
        unwinding: &Rc<Unwinding>,
        address: u64,
        bytes: impl Fn(u64) -> Option<&'a [u8]>,
    ) -> Option<Self> {
        let header = bytes(address)?;
        let frames_at = index::frames_address(address, header)?;
        let frames = bytes(frames_at)?;
        let bases = BaseAddresses::default().set_eh_frame_hdr(address).set_eh_frame(frames_at);
        let index = index::table(address, header).map(OnceCell::from).unwrap_or_default();
        Some(Self::new(unwinding, frames, bases, index))
    }

    /// From `.eh_frame` alone, at `address`. One pass makes the index that the linker did not, once it is
    /// needed.
    pub fn from_section(unwinding: &Rc<Unwinding>, address: u64, bytes: &'a [u8]) -> Self {
        let bases = BaseAddresses::default().set_eh_frame(address);
        Self::new(unwinding, bytes, bases, OnceCell::new())
    }

    fn new(
        unwinding: &Rc<Unwinding>,
        frames: &'a [u8],
        bases: BaseAddresses,
        index: OnceCell<Index<'a>>,
    ) -> Self {
        let (frames, unwinding) = (eh_frame(unwinding.arch, frames), Rc::clone(unwinding));
        Self { frames, bases, index, unwinding, context: RefCell::default() }
    }

    /// The caller of the frame whose registers are `registers`. `pc` is that of an instruction of the
    /// call, so one less than a return address; `memory` reads eight bytes.
    pub fn caller(
        &self,
        registers: &FrameRegisters,
        pc: u64,
        memory: &dyn Fn(u64) -> Option<u64>,
    ) -> Result<Caller, CfiError> {
        let arch = self.unwinding.arch;
        let description = self.description(pc).ok_or(CfiError::NotCovered)?;
        let mut context = self.context.borrow_mut();
        let row = description
            .unwind_info_for_address(&self.frames, &self.bases, &mut context, pc)
            .map_err(|_| CfiError::NotCovered)?;
        let encoding = description.cie().encoding();
        let evaluate = |expression: &UnwindExpression<usize>, initial: Option<u64>| {
            let expression = expression.get(&self.frames).ok()?;
            evaluate(expression.0, encoding, initial, registers, memory)
        };
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                registers.get(register.0).map(|value| value.wrapping_add_signed(*offset))
            }
            CfaRule::Expression(expression) => evaluate(expression, None),
        };
        let cfa = cfa.ok_or(CfiError::NotKnown)?;
        let value = |number: u16| match row.register(Register(number)) {
            None if number == registers::stack_pointer(arch) => Some(cfa),
            None => registers.get(number).filter(|_| registers::is_preserved(arch, number)),
            Some(RegisterRule::SameValue) => registers.get(number),
            Some(RegisterRule::Offset(offset)) => memory(cfa.wrapping_add_signed(offset)),
            Some(RegisterRule::ValOffset(offset)) => Some(cfa.wrapping_add_signed(offset)),
            Some(RegisterRule::Register(other)) => registers.get(other.0),
            Some(RegisterRule::Expression(expression)) => evaluate(&expression, Some(cfa)).and_then(memory),
            Some(RegisterRule::ValExpression(expression)) => evaluate(&expression, Some(cfa)),
            Some(_) => None,
        };
        let return_address = description.cie().return_address_register();
        let outermost = match row.register(return_address) {
            Some(RegisterRule::Undefined) => true,
            // On amd64 the column is no register that could have kept its value.
            None => arch == Arch::Amd64,
            Some(_) => false,
        };
        if outermost {
            return Err(CfiError::Outermost);
        }
        let pc = self.unwinding.plain_pc(value(return_address.0).ok_or(CfiError::NotKnown)?);
        if pc == 0 {
            return Err(CfiError::Outermost);
        }
        let interrupted = description.is_signal_trampoline();
        let caller = FrameRegisters::new(arch, pc, value);
        // A signal may have come in on another stack, and a function without a frame may have been
        // interrupted before it had one.
        let (from, to) = (registers.sp(), caller.sp().ok_or(CfiError::NotKnown)?);
        let outwards = from.is_none_or(|from| to > from || (to == from && pc != registers.pc()));
        if !interrupted && !outwards {
            return Err(CfiError::NoProgress);
        }
        Ok(Caller { registers: caller, interrupted })
    }

    fn description(&self, pc: u64) -> Option<Description<'a>> {
        let index = self.index.get_or_init(|| index::list(&self.frames, &self.bases, &self.unwinding));
        let offset = EhFrameOffset(index.offset(pc, self.bases.eh_frame.section?)?);
        let found = self.frames.partial_fde_from_offset(&self.bases, offset).ok()?;
        self.unwinding.read(found.entry_len())?;
        let found = found.parse(|frames, bases, offset| cie(frames, bases, offset, &self.unwinding));
        found.ok().filter(|description| description.contains(pc))
    }
}

/// The entry with what others have in common, when it may be read.
fn cie<'a>(
    frames: &EhFrame<Slice<'a>>,
    bases: &BaseAddresses,
    offset: EhFrameOffset,
    unwinding: &Unwinding,
) -> gimli::Result<Cie<'a>> {
    // The longer form of a length, which starts with all bits set, is too long as well.
    let length = frames.reader().slice().get(offset.0..).and_then(|entry| entry.first_chunk());
    let length = length.map(|length| u32::from_le_bytes(*length)).and_then(|length| length.try_into().ok());
    length.and_then(|length| unwinding.read(length)).ok_or(gimli::Error::NoUnwindInfoForAddress)?;
    frames.cie_from_offset(bases, offset)
}

fn eh_frame(arch: Arch, bytes: &[u8]) -> EhFrame<Slice<'_>> {
    let mut frames = EhFrame::new(bytes, LittleEndian);
    frames.set_address_size(8);
    if arch == Arch::Arm64 {
        // DW_CFA_AARCH64_negate_ra_state, in all code compiled with -mbranch-protection.
        frames.set_vendor(Vendor::AArch64);
    }
    frames
}

/// Evaluates an expression of a rule; those of registers start with the frame's address on the stack.
fn evaluate(
    expression: Slice<'_>,
    encoding: gimli::Encoding,
    initial: Option<u64>,
    registers: &FrameRegisters,
    memory: &dyn Fn(u64) -> Option<u64>,
) -> Option<u64> {
    let mut evaluation = gimli::Evaluation::new(expression, encoding);
    evaluation.set_max_iterations(MOST_OPERATIONS);
    if let Some(initial) = initial {
        evaluation.set_initial_value(initial);
    }
    let mut step = evaluation.evaluate().ok()?;
    loop {
        step = match step {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresRegister { register, .. } => {
                evaluation.resume_with_register(Value::Generic(registers.get(register.0)?)).ok()?
            }
            EvaluationResult::RequiresMemory { address, size, .. } => {
                let bits = u32::from(size.min(8)) * 8;
                let mask = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
                evaluation.resume_with_memory(Value::Generic(memory(address)? & mask)).ok()?
            }
            _ => return None,
        };
    }
    match evaluation.as_result().last()?.location {
        gimli::Location::Address { address } => Some(address),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
