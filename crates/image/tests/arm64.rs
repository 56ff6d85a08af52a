//! Cores of arm64 processes: as the kernel writes them, and as qemu does.

use panicle_image::{AddressSpace, Arch, Core, Registers, SignalFrame};
use panicle_synth::{CoreFile, Memory, ThreadNotes, Writer, siginfo_fault, siginfo_sent};
use proptest::prelude::*;

const EXECFN: u64 = 31;

fn sample(writer: Writer) -> CoreFile {
    let mut first = ThreadNotes::at_arm64(4711, 0, 0, 0);
    first.registers = (0x1000..0x1000 + 34).collect();
    first.signal = 6;
    CoreFile {
        machine: 183,
        writer,
        pac_masks: (0x007f_0000_0000_0000, 0xff7f_0000_0000_0000),
        threads: vec![first, ThreadNotes::at_arm64(4712, 0x1_2344, 0x40_0001_0000, 0x1_5678)],
        ids: (4711, 17),
        names: ("server".to_owned(), "/app/server -v".to_owned()),
        auxv: vec![(3, 0x1_0040), (9, 0x8_9fd0), (EXECFN, 0x55_0000_0008)],
        files: vec![(0x1_0000, 0xa_3000, 0, "/app/server".to_owned())],
        memory: vec![
            Memory { address: 0x1_0000, size: 0x9_3000, dumped: Vec::new(), flags: 5 },
            Memory {
                address: 0x55_0000_0000,
                size: 4096,
                dumped: b"12345678/app/started\0".to_vec(),
                flags: 6,
            },
        ],
        ..CoreFile::default()
    }
}

#[test]
fn both_writers_notes_are_read() {
    for writer in [Writer::Kernel, Writer::Qemu] {
        let file = sample(writer).write();
        let (core, diagnostics) = Core::parse(&file).unwrap();
        assert_eq!((core.arch, diagnostics.len()), (Arch::Arm64, 0), "{writer:?}");
        let tids: Vec<_> = core.threads.iter().map(|thread| (thread.tid, thread.signal)).collect();
        assert_eq!(tids, [(4711, 6), (4712, 0)]);
        let registers = core.threads[0].registers;
        assert_eq!((registers.pc(), registers.sp()), (0x1000 + 32, 0x1000 + 31));
        assert_eq!((registers.frame_pointer(), registers.link_register()), (0x1000 + 29, Some(0x1000 + 30)));
        for number in 0..=32 {
            assert_eq!(registers.by_dwarf(number), Some(0x1000 + u64::from(number)));
        }
        let vectors =
            [registers.by_dwarf(64), registers.by_dwarf(95), core.threads[1].registers.by_dwarf(65)];
        match writer {
            Writer::Kernel => assert_eq!(vectors, [Some(0x5000), Some(0x5000 + 31), Some(0x5001)]),
            Writer::Qemu => assert_eq!(vectors, [None; 3]),
        }
        assert_eq!(
            (registers.by_dwarf(33), registers.by_dwarf(63), registers.by_dwarf(96)),
            (None, None, None)
        );
        assert_eq!(
            Arch::Arm64.dwarf_stack_pointer().and_then(|sp| registers.by_dwarf(sp)),
            Some(registers.sp())
        );
        assert_eq!(core.threads[1].registers.link_register(), Some(0x1_5678));
        assert_eq!((core.process.pid, core.process.name.as_deref()), (Some(4711), Some("server")));
        assert_eq!(core.auxv.entry(), Some(0x8_9fd0));
    }
}

#[test]
fn the_executable_is_the_mapped_file_or_what_was_started() {
    let path = |core: &CoreFile| Core::parse(&core.write()).unwrap().0.executable_path().map(str::to_owned);
    assert_eq!(path(&sample(Writer::Kernel)).as_deref(), Some("/app/server"));
    let mut qemu = sample(Writer::Qemu);
    assert_eq!(path(&qemu).as_deref(), Some("/app/started"));
    // Its memory was not dumped; the string does not end; it lies past the end of everything.
    for address in [0x1_0040, 0x55_0000_0020, u64::MAX] {
        qemu.auxv[2] = (EXECFN, address);
        assert_eq!(path(&qemu), None, "{address:#x}");
    }
}

#[test]
fn the_kernel_says_which_bits_sign_a_return_address() {
    let signed = 0x0025_0000_0001_5678;
    let file = sample(Writer::Kernel).write();
    assert_eq!(Core::parse(&file).unwrap().0.code_mask().map(|mask| signed & mask), Some(0x1_5678));
    let file = sample(Writer::Qemu).write();
    assert_eq!(Core::parse(&file).unwrap().0.code_mask(), None);
}

/// `struct rt_sigframe` of arch/arm64/kernel/signal.c: siginfo, then the context.
fn signal_frame(siginfo: Vec<u8>) -> Vec<u8> {
    let mut frame = siginfo;
    frame.resize(128, 0);
    // Flags, link, stack and mask of `ucontext`, aligned to 16; then the faulting address.
    frame.resize(128 + 176, 0xee);
    frame.extend(0xdead_u64.to_le_bytes());
    for register in 0x2000..0x2000 + 34_u64 {
        frame.extend(register.to_le_bytes());
    }
    frame
}

#[test]
fn vector_registers_are_among_the_records_of_the_signal_frame() {
    let mut bytes = signal_frame(siginfo_fault(11, 1, 0x18));
    // `sigcontext` goes on at a multiple of 16: a record of another kind, then that of the vectors.
    bytes.resize(128 + 176 + 288, 0);
    for word in [0x4553_5201_u32, 16, 0, 0, 0x4650_8001, 528, 7, 8] {
        bytes.extend(word.to_le_bytes());
    }
    for number in 0..32_u64 {
        bytes.extend((0x5000 + number).to_le_bytes());
        bytes.extend([0xff; 8]);
    }
    let read = |bytes: &[u8]| {
        let mut memory = AddressSpace::new();
        memory.add_layer(0x40_0000, bytes);
        let registers = SignalFrame::read(Arch::Arm64, &memory, 0x40_0000).unwrap().registers;
        (registers.pc(), registers.by_dwarf(64), registers.by_dwarf(95))
    };
    // What is missing of the 4096 bytes, or cut off, is unknown.
    assert_eq!(read(&bytes), (0x2000 + 32, None, None));
    bytes.resize(128 + 176 + 288 + 4096, 0);
    assert_eq!(read(&bytes), (0x2000 + 32, Some(0x5000), Some(0x5000 + 31)));
    bytes[128 + 176 + 288 + 4..][..4].copy_from_slice(&4090_u32.to_le_bytes());
    assert_eq!(read(&bytes), (0x2000 + 32, None, None));
}

#[test]
fn the_signal_frame_has_what_was_interrupted() {
    let bytes = signal_frame(siginfo_fault(11, 1, 0x18));
    let mut memory = AddressSpace::new();
    memory.add_layer(0x40_0000, &bytes);
    let frame = SignalFrame::read(Arch::Arm64, &memory, 0x40_0000).unwrap();
    assert_eq!((frame.signal.number, frame.signal.address), (11, Some(0x18)));
    assert_eq!((frame.registers.pc(), frame.registers.sp()), (0x2000 + 32, 0x2000 + 31));
    assert_eq!(frame.registers.link_register(), Some(0x2000 + 30));
    assert!(matches!(frame.registers, Registers::Arm64(registers) if registers.pstate == 0x2000 + 33));
    // One byte less, and a number that no signal has.
    assert_eq!(SignalFrame::read(Arch::Arm64, &memory, 0x40_0001), None);
    assert_eq!(SignalFrame::read(Arch::Other(243), &memory, 0x40_0000), None);
    let bytes = signal_frame(siginfo_sent(65, 0, 1));
    let mut memory = AddressSpace::new();
    memory.add_layer(0x40_0000, &bytes);
    assert_eq!(SignalFrame::read(Arch::Arm64, &memory, 0x40_0000), None);
}

proptest! {
    #[test]
    fn no_byte_of_the_notes_is_trusted(
        kernel: bool,
        places in prop::collection::vec((64_usize..0xb00, any::<u8>()), 1..40),
        cut in 0_usize..0x2000,
    ) {
        let mut file = sample(if kernel { Writer::Kernel } else { Writer::Qemu }).write();
        for (at, byte) in places {
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
        }
        file.truncate(file.len().saturating_sub(cut));
        if let Ok((core, _)) = Core::parse(&file) {
            prop_assert!(core.threads.len() < 100);
            let _ = (core.executable_path(), core.executable_base(), core.memory().u64(0x55_0000_0008));
        }
    }
}
