//! Small pieces of code, and bytes that are none.

use panicle_image::Arch;
use proptest::prelude::*;

use super::*;

/// Follows `bytes`.
fn follow(arch: Arch, bytes: &[u8]) -> Option<Analysis> {
    Analysis::of_bytes(arch, bytes, &Convention::of(arch)?)
}

/// The state before the instruction at `site`.
fn state(arch: Arch, analysis: &Analysis, site: u32) -> Option<State> {
    let step = analysis.code.step_at(site)?;
    analysis.run_to(&Convention::of(arch)?, step, false).map(|state| state.0)
}

/// The places that hold, before the instruction at `site`, what `register` held at the entry, and whether they are
/// at risk.
fn holders(arch: Arch, bytes: &[u8], site: u32, register: Register) -> Vec<(Place, bool)> {
    let analysis = follow(arch, bytes).expect("code that can be followed");
    let state = state(arch, &analysis, site).expect("a way to there");
    let entry = analysis.values.borrow().find(Value::Entry(Place::Register(register)));
    let held = state.places().filter(|(_, value, _)| Some(*value) == entry);
    held.map(|(place, _, at_risk)| (place, at_risk)).collect()
}

const BX: Register = 3;
const NOP: u8 = 0x90;

#[test]
fn what_was_put_aside_is_known_after_a_call() {
    // mov [rsp+8], rbx; call; mov rcx, [rsp+8]; nop
    let code = [0x48, 0x89, 0x5c, 0x24, 8, 0xe8, 0, 0x10, 0, 0, 0x48, 0x8b, 0x4c, 0x24, 8, NOP];
    let kept = [(Place::Register(1), false), (Place::Slot(0), false)];
    assert_eq!(holders(Arch::Amd64, &code, 15, BX), kept);
    assert_eq!(holders(Arch::Amd64, &code, 5, BX), [(Place::Register(BX), false), (Place::Slot(0), false)]);
    // str x1, [sp, #16]; bl; ldr x3, [sp, #16]; nop
    let words: [u32; 4] = [0xf900_0be1, 0x9400_0400, 0xf940_0be3, 0xd503_201f];
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let kept = [(Place::Register(3), false), (Place::Slot(16), false)];
    assert_eq!(holders(Arch::Arm64, &code, 12, 1), kept);
}

#[test]
fn a_callee_may_write_to_what_it_has_the_address_of_and_above() {
    // sub rsp, 24; mov [rsp+16], rbx; lea rax, [rsp+8]; call; nop
    let code = |displacement| {
        let mut code = vec![0x48, 0x83, 0xec, 24, 0x48, 0x89, 0x5c, 0x24, 16];
        code.extend([0x48, 0x8d, 0x44, 0x24, displacement, 0xe8, 0, 0x10, 0, 0, NOP]);
        code
    };
    assert_eq!(holders(Arch::Amd64, &code(8), 19, BX), [(Place::Slot(-16), true)]);
    // The address of the caller's frame does not lead down to this one.
    assert_eq!(holders(Arch::Amd64, &code(40), 19, BX), [(Place::Slot(-16), false)]);
}

#[test]
fn ways_that_disagree_leave_nothing_known() {
    // mov rcx, rbx; test eax, eax; je over; mov rcx, rdi; over: nop
    let code = [0x48, 0x89, 0xd9, 0x85, 0xc0, 0x74, 3, 0x48, 0x89, 0xf9, NOP];
    assert_eq!(holders(Arch::Amd64, &code, 10, BX), [(Place::Register(BX), false)]);
    // The same with mov rcx, rbx again.
    let code = [0x48, 0x89, 0xd9, 0x85, 0xc0, 0x74, 3, 0x48, 0x89, 0xd9, NOP];
    let both = [(Place::Register(1), false), (Place::Register(BX), false)];
    assert_eq!(holders(Arch::Amd64, &code, 10, BX), both);
}

#[test]
fn what_an_instruction_left_last_time_is_not_what_it_leaves_now() {
    // again: call; nop; mov [rsp+8], rax; jmp again
    let code = [0xe8, 0, 0x10, 0, 0, NOP, 0x48, 0x89, 0x44, 0x24, 8, 0xeb, 0xf3];
    let analysis = follow(Arch::Amd64, &code).expect("code that can be followed");
    let before = state(Arch::Amd64, &analysis, 5).expect("a way to there");
    assert_ne!(Some(&before.register(0)), before.slots.get(&0).map(|held| &held.value));
    let after = state(Arch::Amd64, &analysis, 11).expect("a way to there");
    assert_eq!(Some(&after.register(0)), after.slots.get(&0).map(|held| &held.value));
}

#[test]
fn code_that_goes_nowhere_known_is_not_followed() {
    // jmp rax
    assert!(follow(Arch::Amd64, &[0xff, 0xe0]).is_none());
    // A jump into an instruction.
    assert!(follow(Arch::Amd64, &[0xeb, 1, 0x48, 0x89, 0xd9]).is_none());
    // br x3
    assert!(follow(Arch::Arm64, &0xd61f_0060_u32.to_le_bytes()).is_none());
}

proptest! {
    #[test]
    fn any_bytes_are_followed_or_not(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        arm in any::<bool>(),
    ) {
        let arch = if arm { Arch::Arm64 } else { Arch::Amd64 };
        if let Some(analysis) = follow(arch, &bytes) {
            for site in 0..bytes.len() as u32 {
                let _ = state(arch, &analysis, site);
            }
        }
    }

    /// Instructions that occur, in any order, with branches to and fro.
    #[test]
    fn any_instructions_are_followed_or_not(
        picks in proptest::collection::vec((0_usize..14, any::<i8>()), 1..120),
        arm in any::<bool>(),
    ) {
        let (arch, bytes) = if arm { (Arch::Arm64, arm64(&picks)) } else { (Arch::Amd64, amd64(&picks)) };
        if let Some(analysis) = follow(arch, &bytes) {
            for site in 0..bytes.len() as u32 {
                let _ = state(arch, &analysis, site);
            }
        }
    }
}

/// Instructions of amd64 of eight bytes each, so that branches lead to instructions.
fn amd64(picks: &[(usize, i8)]) -> Vec<u8> {
    let mut code = Vec::new();
    for (pick, number) in picks {
        let small = number.cast_unsigned() & 0x78;
        let branch = (i32::from(*number) / 4 * 8).to_le_bytes();
        let mut one: Vec<u8> = match pick {
            0 => vec![0x48, 0x89, 0x5c, 0x24, small],
            1 => vec![0x48, 0x8b, 0x4c, 0x24, small],
            2 => vec![0x48, 0x8d, 0x44, 0x24, small],
            3 => vec![0x48, 0x83, 0xec, small],
            4 => vec![0x48, 0x83, 0xc4, small],
            5 => vec![0xe8, 0, 0x10, 0, 0],
            6 => vec![0x50 | (small >> 3 & 7)],
            7 => vec![0x58 | (small >> 3 & 7)],
            8 => vec![0x48, 0x8b, 0x1c, 0xc8],
            9 => vec![0x48, 0x89, 0x18],
            10 => vec![0xff, 0x24, 0xc5, small, 0, 0x40, 0],
            11 => vec![0x0f, 0x84, branch[0], branch[1], branch[2], branch[3]],
            12 => vec![0x48, 0x8b, 0x00],
            _ => vec![0x48, 0x89, 0xc3],
        };
        one.resize(8, NOP);
        code.extend(one);
    }
    code
}

fn arm64(picks: &[(usize, i8)]) -> Vec<u8> {
    let mut code = Vec::new();
    for (pick, number) in picks {
        let small = u32::from(number.cast_unsigned());
        let word = match pick {
            0 => 0xf900_0be1 | (small << 10 & 0x7c00),
            1 => 0xf940_0be3 | (small << 10 & 0x7c00),
            2 => 0x9100_43e0 | (small << 10 & 0x7c00),
            3 => 0xd100_83ff,
            4 => 0x9100_83ff,
            5 => 0x9400_0400,
            6 => 0xa9bf_07e0,
            7 => 0xa8c1_07e0,
            8 => 0xf862_7821,
            9 => 0xf900_0001,
            10 => 0xd61f_0020,
            11 => 0x5400_0000 | ((i32::from(*number).cast_unsigned() & 0x7_ffff) << 5),
            12 => 0xf940_0000,
            _ => 0xaa01_03e0,
        };
        code.extend(word.to_le_bytes());
    }
    code
}
