//! Call frame information: any bytes as `.eh_frame`, and as its header, never panic and never loop.
#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use panicle_binary::cfi::{CallFrames, FrameRegisters, Unwinding};
use panicle_image::Arch;

/// Where the bytes are loaded.
const AT: u64 = 0x10_0000;

fuzz_target!(|input: &[u8]| {
    // Any address can be read, and says something of its own.
    let memory = |address: u64| Some(address.rotate_left(7) ^ 0x55);
    for arch in [Arch::Amd64, Arch::Arm64] {
        let unwinding = Rc::new(Unwinding::new(arch, None));
        let by_section = CallFrames::from_section(&unwinding, AT, input);
        let at = |address: u64| input.get(usize::try_from(address.checked_sub(AT)?).ok()?..);
        for frames in [Some(by_section), CallFrames::from_header(&unwinding, AT, at)].into_iter().flatten() {
            let mut registers = FrameRegisters::new(arch, AT + 4, |number| Some(AT + u64::from(number) * 64));
            for _ in 0..8 {
                let Ok(caller) = frames.caller(&registers, registers.pc(), &memory) else { break };
                registers = caller.registers;
            }
        }
    }
});
