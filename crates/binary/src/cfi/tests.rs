use std::rc::Rc;

use panicle_image::Arch;
use proptest::prelude::*;

use super::{CallFrames, CfiError, FrameRegisters, Unwinding};

/// Where the test's section is loaded.
const AT: u64 = 0x10_0000;
const CODE: u64 = 0x20_0000;

/// A CIE for x86-64 (code alignment 1, data alignment -8, return address 16, absolute addresses), and
/// one FDE for 0x100 bytes at [`CODE`] with `instructions`.
fn section(augmentation: &[u8], instructions: &[u8]) -> Vec<u8> {
    let mut cie = vec![0, 0, 0, 0, 1];
    cie.extend_from_slice(augmentation);
    cie.extend_from_slice(&[0, 1, 0x78, 16]);
    if augmentation.starts_with(b"z") {
        cie.push(0);
    }
    // CFA = rsp + 8, rip at CFA - 8.
    cie.extend_from_slice(&[0x0c, 7, 8, 0x90, 1]);
    let mut out = Vec::new();
    entry(&mut out, &cie);
    let mut fde = u32::try_from(out.len() + 4).unwrap().to_le_bytes().to_vec();
    fde.extend_from_slice(&CODE.to_le_bytes());
    fde.extend_from_slice(&0x100_u64.to_le_bytes());
    if augmentation.starts_with(b"z") {
        fde.push(0);
    }
    fde.extend_from_slice(instructions);
    entry(&mut out, &fde);
    out.extend_from_slice(&[0; 4]);
    out
}

fn entry(out: &mut Vec<u8>, content: &[u8]) {
    out.extend_from_slice(&u32::try_from(content.len()).unwrap().to_le_bytes());
    out.extend_from_slice(content);
}

/// Eight bytes at an address: the address itself, plus one.
fn memory(address: u64) -> Option<u64> {
    (0x7000..0x8000).contains(&address).then_some(address + 1)
}

fn registers() -> FrameRegisters {
    FrameRegisters::at(Arch::Amd64, CODE + 0x10, Some(0x7100)).with(3, 0x33).with(6, 0x7180).with(0, 0x99)
}

fn unwinding(arch: Arch) -> Rc<Unwinding> {
    Rc::new(Unwinding::new(arch, None))
}

fn caller(section: &[u8]) -> Result<super::Caller, CfiError> {
    CallFrames::from_section(&unwinding(Arch::Amd64), AT, section).caller(&registers(), CODE + 0x10, &memory)
}

#[test]
fn finds_the_caller_by_the_stack_pointer() {
    // From the start on: CFA = rsp + 32, rbx at CFA - 16.
    let found = caller(&section(b"", &[0x0e, 32, 0x83, 2])).unwrap();
    assert!(!found.interrupted);
    assert_eq!(found.registers.pc(), 0x7119);
    assert_eq!(found.registers.sp(), Some(0x7120));
    assert_eq!(found.registers.get(3), Some(0x7111));
    // Preserved and not mentioned; not preserved.
    assert_eq!(found.registers.frame_pointer(), Some(0x7180));
    assert_eq!(found.registers.get(0), None);
}

#[test]
fn reads_memory_in_expressions() {
    // CFA = *(rbp - 8), as GCC writes it for a function that realigned its stack.
    let found = caller(&section(b"", &[0x0f, 3, 0x76, 0x78, 0x06])).unwrap();
    assert_eq!(found.registers.sp(), Some(0x7179));
    // rip by an expression over the frame's address: *(CFA + 16).
    let found = caller(&section(b"", &[0x10, 16, 2, 0x23, 16])).unwrap();
    assert_eq!(found.registers.pc(), 0x7119);
}

#[test]
fn tells_interrupted_callers() {
    let found = caller(&section(b"zS", &[])).unwrap();
    assert!(found.interrupted);
}

#[test]
fn says_why_there_is_no_caller() {
    assert_eq!(caller(&section(b"", &[0x07, 16])), Err(CfiError::Outermost));
    // CFA = r9 + 8, which is not known.
    assert_eq!(caller(&section(b"", &[0x0c, 9, 8])), Err(CfiError::NotKnown));
    // CFA = rsp + 0: the caller would stand where the callee does, at a pc of its own.
    assert_eq!(caller(&section(b"", &[0x0c, 7, 0])).map(|found| found.registers.pc()), Ok(0x70f9));
    assert_eq!(caller(&[]), Err(CfiError::NotCovered));
    // An expression that never ends: DW_OP_skip to itself.
    assert_eq!(caller(&section(b"", &[0x0f, 3, 0x2f, 0xfd, 0xff])), Err(CfiError::NotKnown));
    let frames = section(b"", &[]);
    let frames = CallFrames::from_section(&unwinding(Arch::Amd64), AT, &frames);
    assert_eq!(frames.caller(&registers(), CODE + 0x100, &memory), Err(CfiError::NotCovered));
}

#[test]
fn knows_that_arm64_signs_return_addresses() {
    // What GCC and Clang write for `paciasp; stp x29, x30, [sp, #-16]!`: negate_ra_state, CFA = sp + 16,
    // x29 at CFA - 16, x30 at CFA - 8. The CIE is that of x86-64 but for the column, 30.
    let mut bytes = section(b"", &[0x2d, 0x0c, 31, 16, 0x9d, 2, 0x9e, 1]);
    assert_eq!(std::mem::replace(&mut bytes[12], 30), 16);
    let frames = CallFrames::from_section(&unwinding(Arch::Arm64), AT, &bytes);
    let signed = |address: u64| match address {
        0x7108 => Some(0x002a_0000_0000_0000 | CODE),
        _ => memory(address),
    };
    let registers = FrameRegisters::at(Arch::Arm64, CODE + 0x10, Some(0x7100));
    let caller = frames.caller(&registers, CODE + 0x10, &signed).unwrap();
    assert_eq!((caller.registers.pc(), caller.registers.sp()), (CODE, Some(0x7110)));
    // The kernel may say which bits the signature has.
    let told = Rc::new(Unwinding::new(Arch::Arm64, Some(!0x0020_0000_0000_0000)));
    let frames = CallFrames::from_section(&told, AT, &bytes);
    let caller = frames.caller(&registers, CODE + 0x10, &signed).unwrap();
    assert_eq!(caller.registers.pc(), 0x000a_0000_0000_0000 | CODE);
}

#[test]
fn long_programs_are_not_run() {
    let nops = |count: usize| {
        let mut program = vec![0; count];
        program.extend([0x0e, 32]);
        caller(&section(b"", &program)).map(|found| found.registers.sp())
    };
    assert_eq!(nops(60_000), Ok(Some(0x7120)));
    assert_eq!(nops(70_000), Err(CfiError::NotCovered));
}

#[test]
fn indexes_are_made_when_needed_and_share_their_room() {
    let bytes = section(b"", &[0x0e, 32]);
    let shared = unwinding(Arch::Amd64);
    // One for the CIE, one for the FDE, and one that is not enough for another file.
    shared.entries.set(3);
    let files: Vec<_> = (0..3).map(|_| CallFrames::from_section(&shared, AT, &bytes)).collect();
    assert_eq!(shared.entries.get(), 3);
    let call = |file: &CallFrames<'_>| file.caller(&registers(), CODE + 0x10, &memory).is_ok();
    assert!(call(&files[2]) && call(&files[2]));
    assert!(!call(&files[0]));
    assert_eq!(shared.entries.get(), 0);
}

#[test]
fn uses_the_linkers_table() {
    const HEADER: u64 = AT - 0x1000;
    let frames = section(b"", &[0x0e, 32]);
    let fde = 4 + u32::from_le_bytes(*frames.first_chunk().unwrap());
    let distance = |to: u64| i32::try_from(to.wrapping_sub(HEADER).cast_signed()).unwrap().to_le_bytes();
    let mut header = vec![1, 0x1b, 3, 0x3b];
    header.extend_from_slice(&i32::try_from(AT - HEADER - 4).unwrap().to_le_bytes());
    header.extend_from_slice(&1_u32.to_le_bytes());
    header.extend_from_slice(&distance(CODE));
    header.extend_from_slice(&distance(AT + u64::from(fde)));
    let bytes = |address| match address {
        HEADER => Some(header.as_slice()),
        AT => Some(frames.as_slice()),
        _ => None,
    };
    let found = CallFrames::from_header(&unwinding(Arch::Amd64), HEADER, bytes).unwrap();
    let caller = found.caller(&registers(), CODE + 0x10, &memory).unwrap();
    assert_eq!(caller.registers.sp(), Some(0x7120));
    assert_eq!(found.caller(&registers(), CODE - 1, &memory), Err(CfiError::NotCovered));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        instructions in proptest::collection::vec(any::<u8>(), 0..64),
        at in 0..100_usize,
        with in any::<u8>(),
    ) {
        let _ = caller(&noise);
        let mut damaged = section(b"zR", &instructions);
        let _ = caller(&damaged);
        let at = at % damaged.len();
        damaged[at] = with;
        let _ = caller(&damaged);
        let header = CallFrames::from_header(&unwinding(Arch::Arm64), AT, |_| Some(&noise));
        if let Some(frames) = header {
            let _ = frames.caller(&registers(), CODE, &memory);
        }
    }
}
