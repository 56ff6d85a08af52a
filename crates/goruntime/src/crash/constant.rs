//! The string constant that a call passes as its only argument, from the instructions before it.

use panicle_image::{AddressSpace, Arch};

/// Address and length of the string that the call before `return_address` passes: the compiler
/// loads both right before the call.
pub(super) fn argument(arch: Arch, memory: &AddressSpace<'_>, return_address: u64) -> Option<(u64, u64)> {
    match arch {
        Arch::Amd64 => amd64(memory, return_address),
        Arch::Arm64 => arm64(memory, return_address),
        Arch::Other(_) => None,
    }
}

/// `lea` and `mov` in either order, `call`.
fn amd64(memory: &AddressSpace<'_>, return_address: u64) -> Option<(u64, u64)> {
    const LEA: usize = 7;
    const MOV: usize = 5;
    const CALL: usize = 5;
    let start = return_address.checked_sub((LEA + MOV + CALL) as u64)?;
    let mut code = [0; LEA + MOV + CALL];
    memory.read(start, &mut code).ok()?;
    let int = |at: usize| Some(i32::from_le_bytes(*code.get(at..)?.first_chunk()?));
    let lea = |at: usize| {
        let is = code.get(at..at + 3)? == [0x48, 0x8d, 0x05];
        let next = start.wrapping_add((at + LEA) as u64);
        is.then(|| int(at + 3)).flatten().map(|offset| next.wrapping_add_signed(i64::from(offset)))
    };
    let mov = |at: usize| (code.get(at) == Some(&0xbb)).then(|| int(at + 1)).flatten();
    let loads = (lea(0), mov(LEA), mov(0), lea(MOV));
    let ((Some(data), Some(length), ..) | (_, _, Some(length), Some(data))) = loads else { return None };
    (code[LEA + MOV] == 0xe8).then_some((data, u64::try_from(length).ok()?))
}

/// `adrp x0`, `add x0` and `mov x1`, before, between or after them, then `bl`.
fn arm64(memory: &AddressSpace<'_>, return_address: u64) -> Option<(u64, u64)> {
    const INSTRUCTIONS: usize = 4;
    let start = return_address.checked_sub(INSTRUCTIONS as u64 * 4)?;
    let mut code = [0; INSTRUCTIONS * 4];
    memory.read(start, &mut code).ok()?;
    let word = |index: usize| Some(u32::from_le_bytes(*code.get(index * 4..)?.first_chunk()?));
    let (mut page, mut data, mut length) = (None, None, None);
    for index in 0..INSTRUCTIONS - 1 {
        let instruction = word(index)?;
        let pc = start.wrapping_add(index as u64 * 4);
        if let Some(base) = adrp_x0(instruction, pc) {
            page = Some(base);
        } else if let Some(offset) = add_x0(instruction) {
            data = Some(page?.checked_add(offset)?);
        } else {
            length = Some(mov_x1(instruction)?);
        }
    }
    let calls = word(INSTRUCTIONS - 1)? & 0xfc00_0000 == 0x9400_0000;
    calls.then(|| data.zip(length)).flatten()
}

/// `adrp x0, page`: the page's address.
fn adrp_x0(instruction: u32, pc: u64) -> Option<u64> {
    let immediate = i64::from(((instruction >> 5) & 0x7_ffff) << 2 | (instruction >> 29) & 3);
    // 21 bits with a sign.
    let pages = (immediate << 43) >> 43;
    (instruction & 0x9f00_001f == 0x9000_0000).then(|| (pc & !0xfff).wrapping_add_signed(pages << 12))
}

/// `add x0, x0, #immediate`.
fn add_x0(instruction: u32) -> Option<u64> {
    (instruction & 0xffc0_03ff == 0x9100_0000).then(|| u64::from(instruction >> 10 & 0xfff))
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
