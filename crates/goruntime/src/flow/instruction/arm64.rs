//! Instructions of arm64 (Arm Architecture Reference Manual, C4.1). The encoding is regular enough to tell for
//! every group which registers and which memory an instruction may change; those that move pointers are
//! followed. What belongs to no known group may have changed anything.

use super::{Address, Code, Next, Op, Source};
use crate::flow::value::Register;

/// The stack pointer, where register 31 is it and not zero.
const SP: Register = 31;
const LINK: Register = 30;

pub(super) fn read(code: &[u8], address: u64) -> Code {
    let mut found = Code::default();
    let mut ops = Vec::new();
    let (words, _) = code.as_chunks::<4>();
    for (index, word) in words.iter().enumerate() {
        let pc = address.wrapping_add(index as u64 * 4);
        let word = Word(u32::from_le_bytes(*word));
        ops.clear();
        let next = word.parts(pc, &mut ops);
        found.push(index * 4, 4, &ops, next);
    }
    found
}

#[derive(Clone, Copy)]
struct Word(u32);

impl Word {
    fn bits(self, low: u32, count: u32) -> u32 {
        (self.0 >> low) & ((1 << count) - 1)
    }

    fn bit(self, at: u32) -> bool {
        self.bits(at, 1) == 1
    }

    fn is(self, mask: u32, value: u32) -> bool {
        self.0 & mask == value
    }

    /// `count` bits with a sign.
    fn signed(self, low: u32, count: u32) -> i64 {
        let unused = 32 - count;
        i64::from((self.bits(low, count) << unused).cast_signed() >> unused)
    }

    /// A register where 31 is the stack pointer.
    fn register(self, low: u32) -> Register {
        self.bits(low, 5) as Register
    }

    /// A register where 31 is zero.
    fn or_zero(self, low: u32) -> Option<Register> {
        Some(self.register(low)).filter(|&register| register != 31)
    }

    /// What the instruction at `pc` does, and where control goes.
    fn parts(self, pc: u64, ops: &mut Vec<Op>) -> Next {
        match self.bits(25, 4) {
            0b1000 | 0b1001 => self.immediate(pc, ops),
            0b1010 | 0b1011 => return self.branch(pc, ops),
            0b0100 | 0b0110 | 0b1100 | 0b1110 => self.memory(pc, ops),
            0b0101 | 0b1101 => self.calculation(ops),
            // Vectors and floats. Some move to a general register.
            0b0111 | 0b1111 => set(ops, self.or_zero(0), Source::Unknown),
            // `UDF`, and what a program of Go does not have: SME, SVE.
            _ => {
                ops.push(Op::Anything);
                if self.bits(16, 16) == 0 {
                    return Next::End;
                }
            }
        }
        Next::Following
    }

    /// Data processing with an immediate.
    fn immediate(self, pc: u64, ops: &mut Vec<Op>) {
        let wide = self.bit(31);
        if self.is(0x1f00_0000, 0x1000_0000) {
            let low = i64::from(self.bits(29, 2));
            let offset = (self.signed(5, 19) << 2) | low;
            let value = if wide {
                (pc & !0xfff).wrapping_add_signed(offset << 12)
            } else {
                pc.wrapping_add_signed(offset)
            };
            return set(ops, self.or_zero(0), Source::Constant(value));
        }
        if self.is(0x1f80_0000, 0x1100_0000) {
            let flags = self.bit(29);
            let value = i64::from(self.bits(10, 12)) << if self.bit(22) { 12 } else { 0 };
            let value = if self.bit(30) { -value } else { value };
            let to = if flags { self.or_zero(0) } else { Some(self.register(0)) };
            let source = if wide { Source::Sum(self.register(5), value) } else { Source::Unknown };
            return set(ops, to, source);
        }
        if self.is(0x1f80_0000, 0x1200_0000) {
            let to = if self.bits(29, 2) == 3 { self.or_zero(0) } else { Some(self.register(0)) };
            return set(ops, to, Source::Unknown);
        }
        // `MOVZ` and `MOVN`; `MOVK` keeps a part.
        if self.is(0x1f80_0000, 0x1280_0000) && self.bits(29, 2) != 3 {
            let value = u64::from(self.bits(5, 16)) << (16 * self.bits(21, 2));
            let value = if self.bits(29, 2) == 0 { !value } else { value };
            let value = if wide { value } else { value & 0xffff_ffff };
            return set(ops, self.or_zero(0), Source::Constant(value));
        }
        set(ops, self.or_zero(0), Source::Unknown);
    }

    /// Data processing of registers.
    fn calculation(self, ops: &mut Vec<Op>) {
        // `ORR` of zero and a register: `MOV`.
        if self.is(0xffe0_ffe0, 0xaa00_03e0) {
            let source = self.or_zero(16).map_or(Source::Constant(0), Source::Register);
            return set(ops, self.or_zero(0), source);
        }
        // `ADD` of an extended register can change the stack pointer.
        let to = if self.is(0x3fe0_0000, 0x0b20_0000) { Some(self.register(0)) } else { self.or_zero(0) };
        // Of a shifted register 31 is zero, of an extended one the stack pointer.
        let base = if self.is(0xffe0_0000, 0x8b20_0000) {
            Some(self.register(5))
        } else {
            self.or_zero(5).filter(|_| self.is(0xff20_0000, 0x8b00_0000))
        };
        let source = base.map_or(Source::Unknown, Source::Indexed);
        set(ops, to, source);
    }

    fn branch(self, pc: u64, ops: &mut Vec<Op>) -> Next {
        let target = |offset: i64| pc.wrapping_add_signed(offset << 2);
        if self.is(0xfc00_0000, 0x1400_0000) {
            return Next::Jump(target(self.signed(0, 26)));
        }
        if self.is(0xfc00_0000, 0x9400_0000) {
            return Next::Call(Some(target(self.signed(0, 26))));
        }
        // `B.cond`, `CBZ`, `CBNZ`.
        if self.is(0xff00_0000, 0x5400_0000) || self.is(0x7e00_0000, 0x3400_0000) {
            return Next::Branch(target(self.signed(5, 19)));
        }
        // `TBZ`, `TBNZ`.
        if self.is(0x7e00_0000, 0x3600_0000) {
            return Next::Branch(target(self.signed(5, 14)));
        }
        // `BR`, `BLR`, `RET` and their kin that check a signature.
        if self.is(0xfe00_0000, 0xd600_0000) {
            return match self.bits(21, 4) & 7 {
                0 => Next::Register(self.register(5)),
                1 => Next::Call(None),
                _ => Next::End,
            };
        }
        // Exceptions: a system call comes back.
        if self.is(0xff00_0000, 0xd400_0000) {
            if self.is(0xffe0_001f, 0xd400_0001) {
                set(ops, Some(0), Source::Unknown);
                set(ops, Some(1), Source::Unknown);
                return Next::Following;
            }
            return Next::End;
        }
        // System instructions: `MRS` and `SYSL` set a register, `DC ZVA` writes to memory.
        if self.is(0xffc0_0000, 0xd500_0000) {
            if self.bit(21) {
                set(ops, self.or_zero(0), Source::Unknown);
            }
            if self.is(0xfff8_0000, 0xd508_0000) {
                ops.push(Op::Store { to: Address::NOWHERE, size: u32::MAX, from: None });
            }
            return Next::Following;
        }
        ops.push(Op::Anything);
        Next::End
    }

    fn at(self, offset: i64) -> Address {
        Address { base: Some(self.register(5)), indexed: false, offset }
    }

    /// Loads and stores.
    fn memory(self, pc: u64, ops: &mut Vec<Op>) {
        let vector = self.bit(26);
        // One register from near the instruction.
        if self.is(0x3b00_0000, 0x1800_0000) {
            let address = pc.wrapping_add_signed(self.signed(5, 19) << 2);
            let from = Address { base: None, indexed: false, offset: address.cast_signed() };
            let size = if self.bits(30, 2) == 1 { 8 } else { 4 };
            let signed = self.bits(30, 2) >= 2;
            let source = if signed { Source::Unknown } else { Source::Memory(from, size) };
            if !vector {
                set(ops, self.or_zero(0), source);
            }
            return;
        }
        if self.is(0x3a00_0000, 0x2800_0000) {
            return self.pair(ops);
        }
        if self.is(0x3a00_0000, 0x3800_0000) {
            return self.one(ops);
        }
        // Exclusive and ordered accesses, compare and swap.
        if self.is(0x3f00_0000, 0x0800_0000) {
            let plain = self.bit(23) && !self.bit(21);
            if plain && self.bit(22) && self.bits(30, 2) == 3 {
                return set(ops, self.or_zero(0), Source::Memory(self.at(0), 8));
            }
            if !(plain && self.bit(22)) {
                ops.push(Op::Store { to: self.at(0), size: 16, from: None });
            }
            if !plain || self.bit(22) {
                for low in [0, 10, 16] {
                    set(ops, self.or_zero(low), Source::Unknown);
                }
                set(ops, self.or_zero(16).map(|first| (first + 1).min(LINK)), Source::Unknown);
            }
            return;
        }
        // Several vectors.
        if self.is(0xbe00_0000, 0x0c00_0000) {
            if !self.bit(22) {
                ops.push(Op::Store { to: Address { indexed: true, ..self.at(0) }, size: 64, from: None });
            }
            if self.bit(23) {
                ops.push(Op::Set(self.register(5), Source::Unknown));
            }
            return;
        }
        ops.push(Op::Anything);
    }

    fn pair(self, ops: &mut Vec<Op>) {
        let (vector, load, mode) = (self.bit(26), self.bit(22), self.bits(23, 2));
        if !vector && !load && self.bits(30, 2) == 1 {
            // `STGP`, of memory with tags.
            ops.push(Op::Anything);
            return;
        }
        let scale = match (vector, self.bits(30, 2)) {
            (false, 2) => 3,
            (false, _) => 2,
            (true, size) => 2 + size.min(2),
        };
        let size = 1_u32 << scale;
        let offset = self.signed(15, 7) << scale;
        let address = match mode {
            // The base changes after the access.
            1 => self.at(0),
            _ => self.at(offset),
        };
        let second = Address { offset: address.offset + i64::from(size), ..address };
        let base = self.register(5);
        let places = [(address, self.or_zero(0)), (second, self.or_zero(10))];
        if !load {
            for (to, from) in places {
                let from = from.filter(|_| !vector && size == 8);
                ops.push(Op::Store { to, size, from });
            }
        } else if !vector {
            // Both are read before either is set; the base may be one of them.
            let early = places[0].1 == Some(base);
            for (from, to) in if early { [places[1], places[0]] } else { places } {
                let source = if size == 8 { Source::Memory(from, 8) } else { Source::Unknown };
                set(ops, to, source);
            }
        }
        if matches!(mode, 1 | 3) {
            ops.push(Op::Set(base, Source::Sum(base, offset)));
        }
    }

    fn one(self, ops: &mut Vec<Op>) {
        let vector = self.bit(26);
        let (size, operation) = (self.bits(30, 2), self.bits(22, 2));
        let scale = if vector && operation >= 2 { 4 } else { size };
        // Of general registers 0 stores, 1 loads, 2 and 3 load with a sign, or prefetch.
        let stores = if vector { operation.is_multiple_of(2) } else { operation == 0 };
        let prefetches = !vector && size == 3 && operation == 2;
        let base = self.register(5);
        let (address, writeback) = if self.bit(24) {
            (self.at(i64::from(self.bits(10, 12)) << scale), None)
        } else if self.bit(21) {
            match self.bits(10, 2) {
                // Atomic operations: they load and store.
                0 => {
                    ops.push(Op::Store { to: self.at(0), size: 16, from: None });
                    set(ops, self.or_zero(0), Source::Unknown);
                    return;
                }
                2 => (Address { indexed: true, ..self.at(0) }, None),
                // Loads with a signature.
                _ => {
                    set(ops, self.or_zero(0), Source::Unknown);
                    ops.push(Op::Set(base, Source::Unknown));
                    return;
                }
            }
        } else {
            let offset = self.signed(12, 9);
            match self.bits(10, 2) {
                1 => (self.at(0), Some(offset)),
                3 => (self.at(offset), Some(offset)),
                _ => (self.at(offset), None),
            }
        };
        if stores {
            let from = self.or_zero(0).filter(|_| !vector && size == 3);
            ops.push(Op::Store { to: address, size: 1 << scale, from });
        } else if !vector && !prefetches {
            let source = match (size, operation) {
                (3, 1) => Source::Memory(address, 8),
                (2, 1) => Source::Memory(address, 4),
                _ => Source::Unknown,
            };
            set(ops, self.or_zero(0), source);
        }
        if let Some(offset) = writeback {
            ops.push(Op::Set(base, Source::Sum(base, offset)));
        }
    }
}

/// A change of a register; none for the one that is zero.
fn set(ops: &mut Vec<Op>, to: Option<Register>, source: Source) {
    let Some(to) = to else { return };
    debug_assert!(to <= SP, "there are 32 registers");
    ops.push(Op::Set(to, source));
}
