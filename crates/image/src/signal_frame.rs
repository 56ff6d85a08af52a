//! What the kernel leaves on a thread's stack when it starts a signal handler.

use crate::{AddressSpace, Amd64Registers, Arch, Arm64Registers, Registers, SignalInfo};

/// The signal that came, and what the thread was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalFrame {
    /// The registers that the signal interrupted.
    pub registers: Registers,
    /// The signal.
    pub signal: SignalInfo,
}

/// Where the parts are in `struct rt_sigframe`, from the stack pointer that the handler's caller
/// would have on.
struct Layout {
    /// The first general register.
    registers: u64,
    /// How the registers are kept there.
    read: fn(&[u8]) -> Option<Registers>,
    /// `siginfo_t`.
    signal: u64,
}

/// Size of `siginfo_t`.
const SIGINFO: usize = 128;
/// Size of the larger of the two register blocks.
const REGISTERS: usize = 34 * 8;

impl SignalFrame {
    /// Reads the frame that begins at `address`: the stack pointer with which the handler's
    /// caller would go on, so on amd64 just above the return address.
    ///
    /// `None` where the memory is missing or holds no signal frame.
    pub fn read(arch: Arch, memory: &AddressSpace<'_>, address: u64) -> Option<Self> {
        let layout = match arch {
            // `ucontext` (flags, link, stack: 40 bytes, then `sigcontext` of 256 and a mask of 8),
            // then `siginfo` (arch/x86/include/asm/sigframe.h).
            Arch::Amd64 => Layout {
                registers: 40,
                read: |bytes| Amd64Registers::from_sigcontext(bytes).map(Registers::Amd64),
                signal: 40 + 256 + 8,
            },
            // `siginfo`, then `ucontext`: flags, link, stack, a mask with room to grow, 168 bytes
            // in all, and at the next multiple of 16 `sigcontext`, which begins with the faulting
            // address (arch/arm64/kernel/signal.c, asm/ucontext.h).
            Arch::Arm64 => Layout {
                registers: 128 + 176 + 8,
                read: |bytes| Arm64Registers::from_user_regs(bytes).map(Registers::Arm64),
                signal: 0,
            },
            Arch::Other(_) => return None,
        };
        let (mut registers, mut signal) = ([0; REGISTERS], [0; SIGINFO]);
        memory.read(address.checked_add(layout.registers)?, &mut registers).ok()?;
        memory.read(address.checked_add(layout.signal)?, &mut signal).ok()?;
        let signal = SignalInfo::from_siginfo(&signal)?;
        // Signal numbers end at 64: anything else is no signal frame.
        (1..=64)
            .contains(&signal.number)
            .then(|| Some(Self { registers: (layout.read)(&registers)?, signal }))?
    }
}
