//! The string constant that a call passes as its only argument, from the instructions before it.

use panicle_image::{AddressSpace, Arch};

use crate::code::{self, Access};

/// Address and length of the string that the call before `return_address` passes: the compiler
/// loads both right before the call, in either order.
pub(super) fn argument(arch: Arch, memory: &AddressSpace<'_>, return_address: u64) -> Option<(u64, u64)> {
    // `lea`, `mov`, `call`; `adrp`, `add`, `mov`, `bl`.
    let size = match arch {
        Arch::Amd64 => LEA + MOV + CALL,
        Arch::Arm64 => 4 * 4,
        Arch::Other(_) => return None,
    };
    let start = return_address.checked_sub(size as u64)?;
    let code = memory.bytes(start, size as u64, size as u64).ok()?;
    let length = match arch {
        Arch::Amd64 => amd64_length(&code),
        _ => arm64_length(&code),
    }?;
    let mut references = code::references(arch, &code, start).into_iter();
    let data = references.find(|reference| reference.access == Access::Address)?;
    Some((data.address, length))
}

const LEA: usize = 7;
const MOV: usize = 5;
const CALL: usize = 5;

/// `mov $length, %ebx`, before or after the `lea`.
fn amd64_length(code: &[u8]) -> Option<u64> {
    let mov = |at: usize| {
        let (opcode, rest) = code.get(at..at + MOV)?.split_first()?;
        (*opcode == 0xbb).then(|| rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))).flatten()
    };
    let length = mov(LEA).or_else(|| mov(0))?;
    (code.get(LEA + MOV) == Some(&0xe8)).then_some(u64::from(length))
}

/// `mov x1, #length`, before, between or after the others.
fn arm64_length(code: &[u8]) -> Option<u64> {
    let mut words = code.chunks_exact(4).filter_map(|word| Some(u32::from_le_bytes(*word.first_chunk()?)));
    let length = words.by_ref().take(3).filter_map(mov_x1).last();
    length.filter(|_| words.next().is_some_and(|call| call & 0xfc00_0000 == 0x9400_0000))
}

/// `mov x1, #immediate`, as `movz` or, for runs of ones, as `orr` with the zero register.
fn mov_x1(instruction: u32) -> Option<u64> {
    if instruction & 0xffe0_001f == 0xd280_0001 {
        return Some(u64::from(instruction >> 5 & 0xffff));
    }
    if instruction & 0xffc0_03ff != 0xb240_03e1 {
        return None;
    }
    let (ones, rotation) = (instruction >> 10 & 0x3f, instruction >> 16 & 0x3f);
    (ones < 63).then(|| ((2_u64 << ones) - 1).rotate_right(rotation))
}

#[cfg(test)]
mod tests {
    use panicle_image::{AddressSpace, Arch};

    use super::argument;

    #[test]
    fn finds_the_string_on_amd64() {
        // lea 0x10(%rip),%rax; mov $0x2a,%ebx; call, and the other way round.
        let lea_first = [0x48, 0x8d, 5, 0x10, 0, 0, 0, 0xbb, 0x2a, 0, 0, 0, 0xe8, 0, 0, 0, 0];
        let mov_first = [0xbb, 0x2a, 0, 0, 0, 0x48, 0x8d, 5, 0x10, 0, 0, 0, 0xe8, 0, 0, 0, 0];
        for (code, next) in [(lea_first, 7), (mov_first, 12)] {
            let mut memory = AddressSpace::new();
            memory.add_layer(0x40_1000, &code);
            let found = argument(Arch::Amd64, &memory, 0x40_1000 + code.len() as u64);
            assert_eq!(found, Some((0x40_1000 + next + 0x10, 0x2a)));
            assert_eq!(argument(Arch::Arm64, &memory, 0x40_1000 + code.len() as u64), None);
        }
    }

    #[test]
    fn finds_the_string_on_arm64() {
        // go1.27.3, runtime.makechan: adrp x0, b8000; add x0, x0, #0xeae; mov x1, #0x41; bl.
        let words = |code: &[u32]| code.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let (adrp, add, movz, bl) = (0xb000_04c0_u32, 0x913a_b800_u32, 0xd280_0821_u32, 0x9401_91ad_u32);
        // orr x1, xzr, #0x4; orr x1, xzr, #0xf.
        for (mov, length) in [(movz, 0x41), (0xb27e_03e1, 4), (0xb240_0fe1, 15)] {
            for code in [[adrp, add, mov, bl], [mov, adrp, add, bl], [adrp, mov, add, bl]] {
                let bytes = words(&code);
                let mut memory = AddressSpace::new();
                memory.add_layer(0x1_fb70, &bytes);
                assert_eq!(argument(Arch::Arm64, &memory, 0x1_fb80), Some((0xb_8eae, length)), "{code:x?}");
            }
        }
        for code in
            [[adrp, add, mov_x2(), bl], [adrp, add, movz, 0], [add, adrp, movz, bl], [adrp, movz, movz, bl]]
        {
            let bytes = words(&code);
            let mut memory = AddressSpace::new();
            memory.add_layer(0x1_fb70, &bytes);
            assert_eq!(argument(Arch::Arm64, &memory, 0x1_fb80), None, "{code:x?}");
        }
    }

    /// `mov x2, #0x41`.
    fn mov_x2() -> u32 {
        0xd280_0822
    }
}
