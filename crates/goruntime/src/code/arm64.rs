//! Go on arm64 names globals with `ADRP`, which gives the page, and the offset in it in an `ADD` or
//! in the load or store itself (Arm Architecture Reference Manual, C6.2).

use super::{Access, Reference};

/// x0 to x30.
const REGISTERS: usize = 31;

pub(super) fn references(code: &[u8], address: u64) -> Vec<Reference> {
    let mut known: [Option<u64>; REGISTERS] = [None; REGISTERS];
    let mut found = Vec::new();
    let (words, _) = code.as_chunks::<4>();
    for (index, word) in words.iter().enumerate() {
        let word = u32::from_le_bytes(*word);
        let pc = address.wrapping_add(index as u64 * 4);
        match Instruction::decode(word, pc) {
            Instruction::Page { to, page } => set(&mut known, to, Some(page)),
            Instruction::Add { to, from, offset } => {
                let sum = get(&known, from).map(|base| base.wrapping_add(offset));
                found.extend(sum.map(|address| Reference { address, access: Access::Address }));
                set(&mut known, to, sum);
            }
            Instruction::Memory { base, offset, size, loads } => {
                found.extend(get(&known, base).map(|base| Reference {
                    address: base.wrapping_add(offset),
                    access: Access::Memory(size),
                }));
                for to in loads.into_iter().flatten() {
                    set(&mut known, to, None);
                }
            }
            Instruction::Call => known = [None; REGISTERS],
            Instruction::Other { to } => set(&mut known, to, None),
            Instruction::NoResult => {}
        }
    }
    found
}

fn get(known: &[Option<u64>; REGISTERS], register: u8) -> Option<u64> {
    known.get(usize::from(register)).copied().flatten()
}

fn set(known: &mut [Option<u64>; REGISTERS], register: u8, value: Option<u64>) {
    if let Some(slot) = known.get_mut(usize::from(register)) {
        *slot = value;
    }
}

/// As much of an instruction as is needed.
enum Instruction {
    /// `ADRP`.
    Page { to: u8, page: u64 },
    /// `ADD` of a constant.
    Add { to: u8, from: u8, offset: u64 },
    /// A load or store at a constant offset, with the registers it loads.
    Memory { base: u8, offset: u64, size: u8, loads: [Option<u8>; 2] },
    /// A call, after which no register is as it was.
    Call,
    /// Leaves something else in a register.
    Other { to: u8 },
    /// Leaves all registers as they were.
    NoResult,
}

impl Instruction {
    fn decode(word: u32, pc: u64) -> Self {
        let bits = |low: u32, count: u32| (word >> low) & ((1 << count) - 1);
        let register = |low: u32| bits(low, 5) as u8;
        if word & 0x9f00_0000 == 0x9000_0000 {
            let pages = (bits(5, 19) << 2) | bits(29, 2);
            // 21 bits with a sign, in pages.
            let pages = i64::from((pages << 11).cast_signed() >> 11);
            let page = (pc & !0xfff).wrapping_add_signed(pages << 12);
            return Self::Page { to: register(0), page };
        }
        if word & 0xff80_0000 == 0x9100_0000 {
            let shift = if bits(22, 1) == 1 { 12 } else { 0 };
            return Self::Add {
                to: register(0),
                from: register(5),
                offset: u64::from(bits(10, 12)) << shift,
            };
        }
        // Load or store, unsigned offset, integer registers.
        if word & 0x3f00_0000 == 0x3900_0000 {
            let scale = bits(30, 2);
            let load = bits(22, 2) != 0;
            return Self::Memory {
                base: register(5),
                offset: u64::from(bits(10, 12)) << scale,
                size: 1 << scale,
                loads: [load.then(|| register(0)), None],
            };
        }
        // Load or store pair of 64-bit registers, signed offset.
        if word & 0xff80_0000 == 0xa900_0000 {
            let offset = i64::from((bits(15, 7) << 25).cast_signed() >> 25) * 8;
            let load = bits(22, 1) == 1;
            return Self::Memory {
                base: register(5),
                offset: offset.cast_unsigned(),
                size: 16,
                loads: [load.then(|| register(0)), load.then(|| register(10))],
            };
        }
        // Exclusive and ordered accesses: `LDAR`, `STLR`, and the loops of atomic operations.
        if word & 0x3f00_0000 == 0x0800_0000 {
            return Self::Memory {
                base: register(5),
                offset: 0,
                size: 1 << bits(30, 2),
                loads: [Some(register(0)), None],
            };
        }
        // `BL`, `BLR`.
        if word & 0xfc00_0000 == 0x9400_0000 || word & 0xffff_fc1f == 0xd63f_0000 {
            return Self::Call;
        }
        // Branches and system instructions (op0 = x101).
        if word & 0x1c00_0000 == 0x1400_0000 {
            return Self::NoResult;
        }
        Self::Other { to: register(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_offsets_are_put_together() {
        let words: [u32; 6] = [
            0xb000_0000, // adrp x0, pc+0x1000
            0x9104_0001, // add x1, x0, #0x100
            0xf940_0802, // ldr x2, [x0, #16]
            0xb900_0c23, // str w3, [x1, #12]
            0x9400_0000, // bl
            0xf940_0822, // ldr x2, [x1, #16]
        ];
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let expected = [(0x5100, Access::Address), (0x5010, Access::Memory(8)), (0x510c, Access::Memory(4))];
        let expected: Vec<_> =
            expected.into_iter().map(|(address, access)| Reference { address, access }).collect();
        assert_eq!(references(&code, 0x4000), expected);
    }

    #[test]
    fn a_register_that_was_overwritten_is_not_known_any_more() {
        // adrp x0; movz x0, #0; ldr x1, [x0]
        let words: [u32; 3] = [0xb000_0000, 0xd280_0000, 0xf940_0001];
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(references(&code, 0x4000), []);
    }
}
