//! Instructions of amd64. Those that move pointers are followed; what the others change is known and counts
//! as lost.

use iced_x86::{
    Code as Form, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register as Name,
};

use super::{Address, Code, Next, Op, Source};
use crate::flow::value::Register;

const SP: Register = 4;

pub(super) fn read(code: &[u8], address: u64) -> Code {
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let mut factory = InstructionInfoFactory::new();
    let mut instruction = Instruction::default();
    let mut found = Code::default();
    let mut ops = Vec::new();
    while decoder.can_decode() {
        let site = decoder.position();
        decoder.decode_out(&mut instruction);
        ops.clear();
        let next = next(&instruction);
        if instruction.code() == Form::INVALID {
            ops.push(Op::Anything);
        } else if !matches!(next, Next::Call(_)) && !moves(&instruction, &mut ops) {
            changes(&instruction, &mut factory, &mut ops);
        }
        found.push(site, instruction.len().max(1), &ops, next);
    }
    found
}

fn next(instruction: &Instruction) -> Next {
    let target = || match instruction.op0_kind() {
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
            Some(instruction.near_branch_target())
        }
        _ => None,
    };
    match instruction.flow_control() {
        FlowControl::Next => Next::Following,
        FlowControl::UnconditionalBranch => target().map_or(Next::End, Next::Jump),
        FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend => {
            target().map_or(Next::Following, Next::Branch)
        }
        FlowControl::Call => Next::Call(target()),
        FlowControl::IndirectCall => Next::Call(None),
        FlowControl::IndirectBranch => match instruction.op0_kind() {
            OpKind::Memory => Next::Table(memory(instruction)),
            _ => register(instruction.op0_register()).map_or(Next::End, Next::Register),
        },
        // A system call comes back.
        FlowControl::Interrupt if instruction.mnemonic() != Mnemonic::Int3 => Next::Following,
        FlowControl::Return | FlowControl::Interrupt | FlowControl::Exception => Next::End,
    }
}

/// The number of a general register of 64 bits.
fn register(name: Name) -> Option<Register> {
    let number = (name as u32).checked_sub(Name::RAX as u32)?;
    (number < 16).then_some(number as Register)
}

fn memory(instruction: &Instruction) -> Address {
    if instruction.is_ip_rel_memory_operand() {
        let offset = instruction.ip_rel_memory_address().cast_signed();
        return Address { base: None, indexed: false, offset };
    }
    if instruction.segment_prefix() != Name::None {
        return Address::NOWHERE;
    }
    let offset = instruction.memory_displacement64().cast_signed();
    let (base, index) = (instruction.memory_base(), instruction.memory_index());
    match (register(base), register(index)) {
        (Some(base), index) => {
            Address { base: Some(base), indexed: index.is_some() || index_is_wide(instruction), offset }
        }
        // What is behind a fixed address with an index is an element of a table.
        (None, Some(_)) if base == Name::None => Address { base: None, indexed: true, offset },
        (None, None) if base == Name::None && index == Name::None => {
            Address { base: None, indexed: false, offset }
        }
        _ => Address::NOWHERE,
    }
}

/// The index is a vector register, or no register of 64 bits.
fn index_is_wide(instruction: &Instruction) -> bool {
    instruction.memory_index() != Name::None && register(instruction.memory_index()).is_none()
}

/// The parts of an instruction whose values are followed; false for all others.
fn moves(instruction: &Instruction, ops: &mut Vec<Op>) -> bool {
    let kinds = (instruction.op0_kind(), instruction.op1_kind());
    let (to, from) = (register(instruction.op0_register()), register(instruction.op1_register()));
    let immediate = || instruction.try_immediate(1).ok();
    match (instruction.mnemonic(), kinds) {
        (Mnemonic::Mov, (OpKind::Register, OpKind::Register)) => {
            let (Some(to), Some(from)) = (to, from) else { return false };
            ops.push(Op::Set(to, Source::Register(from)));
        }
        (Mnemonic::Mov, (OpKind::Register, OpKind::Memory)) => {
            let wide = to.map(|to| (to, 8));
            let half = || {
                let name = instruction.op0_register();
                Some((register(name.full_register()).filter(|_| name.is_gpr32())?, 4))
            };
            let Some((to, size)) = wide.or_else(half) else { return false };
            ops.push(Op::Set(to, Source::Memory(memory(instruction), size)));
        }
        (Mnemonic::Mov, (OpKind::Memory, OpKind::Register)) => {
            let Some(from) = from else { return false };
            ops.push(Op::Store { to: memory(instruction), size: 8, from: Some(from) });
        }
        (Mnemonic::Mov, (OpKind::Register, _)) => {
            let name = instruction.op0_register();
            let full = register(name.full_register()).filter(|_| name.is_gpr64() || name.is_gpr32());
            let (Some(to), Some(value)) = (full, immediate()) else { return false };
            let value = if name.is_gpr32() { value & 0xffff_ffff } else { value };
            ops.push(Op::Set(to, Source::Constant(value)));
        }
        (Mnemonic::Lea, (OpKind::Register, OpKind::Memory)) => {
            let Some(to) = to else { return false };
            let address = memory(instruction);
            let source = match address {
                Address { base: None, indexed: false, offset } => Source::Constant(offset.cast_unsigned()),
                Address { base: Some(base), indexed: false, offset } => Source::Sum(base, offset),
                Address { base: Some(base), .. } => Source::Indexed(base),
                Address { base: None, .. } => Source::Unknown,
            };
            // `lea` may take the stack pointer as its index only in theory: it cannot be encoded.
            ops.push(Op::Set(to, source));
        }
        (Mnemonic::Add | Mnemonic::Sub, (OpKind::Register, kind)) if kind != OpKind::Memory => {
            let (Some(to), Some(value)) = (to, immediate()) else { return false };
            let value = value.cast_signed();
            let value = if instruction.mnemonic() == Mnemonic::Sub { value.wrapping_neg() } else { value };
            ops.push(Op::Set(to, Source::Sum(to, value)));
        }
        (Mnemonic::Xor, (OpKind::Register, OpKind::Register))
            if instruction.op0_register() == instruction.op1_register() =>
        {
            let name = instruction.op0_register();
            let full = register(name.full_register()).filter(|_| name.is_gpr64() || name.is_gpr32());
            let Some(to) = full else { return false };
            ops.push(Op::Set(to, Source::Constant(0)));
        }
        (Mnemonic::Push, (OpKind::Register, _)) => {
            let Some(from) = to else { return false };
            ops.push(Op::Set(SP, Source::Sum(SP, -8)));
            let address = Address { base: Some(SP), indexed: false, offset: 0 };
            ops.push(Op::Store { to: address, size: 8, from: Some(from).filter(|&from| from != SP) });
        }
        (Mnemonic::Pushfq, _) => {
            ops.push(Op::Set(SP, Source::Sum(SP, -8)));
            let address = Address { base: Some(SP), indexed: false, offset: 0 };
            ops.push(Op::Store { to: address, size: 8, from: None });
        }
        (Mnemonic::Popfq, _) => ops.push(Op::Set(SP, Source::Sum(SP, 8))),
        (Mnemonic::Pop, (OpKind::Register, _)) => {
            let Some(to) = to.filter(|&to| to != SP) else { return false };
            let address = Address { base: Some(SP), indexed: false, offset: 0 };
            ops.push(Op::Set(to, Source::Memory(address, 8)));
            ops.push(Op::Set(SP, Source::Sum(SP, 8)));
        }
        _ => return false,
    }
    true
}

/// What any other instruction changes.
fn changes(instruction: &Instruction, factory: &mut InstructionInfoFactory, ops: &mut Vec<Op>) {
    let writes = |access: OpAccess| {
        matches!(
            access,
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        )
    };
    let info = factory.info(instruction);
    for used in info.used_memory().iter().filter(|used| writes(used.access())) {
        let size = used.memory_size().size();
        let plain = instruction.op_kinds().any(|kind| kind == OpKind::Memory);
        if size == 0 || !plain || instruction.has_rep_prefix() || instruction.has_repne_prefix() {
            let base = register(used.base());
            let to = Address { base, indexed: true, offset: 0 };
            ops.push(Op::Store { to, size: u32::MAX, from: None });
        } else {
            ops.push(Op::Store { to: memory(instruction), size: size as u32, from: None });
        }
    }
    for used in info.used_registers().iter().filter(|used| writes(used.access())) {
        if let Some(changed) = register(used.register().full_register()) {
            ops.push(Op::Set(changed, Source::Unknown));
        }
    }
}
