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

/// Size of `siginfo_t`.
const SIGINFO: usize = 128;

/// Where the parts are in `struct rt_sigframe`, from the stack pointer that the handler's caller
/// would have on.
struct Layout {
    /// The general registers.
    registers: u64,
    /// How they are read, and the vector registers with them.
    read: fn(&AddressSpace<'_>, u64) -> Option<Registers>,
    /// `siginfo_t`.
    signal: u64,
}

impl SignalFrame {
    /// Reads the frame that begins at `address`: the stack pointer with which the handler's
    /// caller would go on, so on amd64 just above the return address.
    ///
    /// `None` where the memory is missing or holds no signal frame.
    pub fn read(arch: Arch, memory: &AddressSpace<'_>, address: u64) -> Option<Self> {
        let layout = match arch {
            // `ucontext` (flags, link, stack: 40 bytes, then `sigcontext` of 256 and a mask of 8),
            // then `siginfo` (arch/x86/include/asm/sigframe.h).
            Arch::Amd64 => Layout { registers: 40, read: amd64, signal: 40 + 256 + 8 },
            // `siginfo`, then `ucontext`: flags, link, stack, a mask with room to grow, 168 bytes
            // in all, and at the next multiple of 16 `sigcontext`, which begins with the faulting
            // address (arch/arm64/kernel/signal.c, asm/ucontext.h).
            Arch::Arm64 => Layout { registers: 128 + 176 + 8, read: arm64, signal: 0 },
            Arch::Other(_) => return None,
        };
        let mut signal = [0; SIGINFO];
        memory.read(address.checked_add(layout.signal)?, &mut signal).ok()?;
        let signal = SignalInfo::from_siginfo(&signal)?;
        // Signal numbers end at 64: anything else is no signal frame.
        (1..=64).contains(&signal.number).then_some(())?;
        Some(Self { registers: (layout.read)(memory, address.checked_add(layout.registers)?)?, signal })
    }
}

/// `struct sigcontext_64`: registers, then a pointer to what `FXSAVE` wrote.
fn amd64(memory: &AddressSpace<'_>, address: u64) -> Option<Registers> {
    const FPSTATE: usize = 23 * 8;
    let mut bytes = [0; FPSTATE + 8];
    memory.read(address, &mut bytes).ok()?;
    let mut registers = Amd64Registers::from_sigcontext(&bytes)?;
    let mut saved = [0; 512];
    let fpstate = bytes.last_chunk().map(|pointer| u64::from_le_bytes(*pointer));
    if fpstate.is_some_and(|fpstate| memory.read(fpstate, &mut saved).is_ok()) {
        registers.add_fxsave(&saved);
    }
    Some(Registers::Amd64(registers))
}

/// `struct sigcontext` past its first word: registers, then at the next multiple of 16 records of
/// 4096 bytes in all, each with magic number and size in front, `struct fpsimd_context` among them.
fn arm64(memory: &AddressSpace<'_>, address: u64) -> Option<Registers> {
    const REGISTERS: usize = 34 * 8;
    const RECORDS: usize = REGISTERS + 8;
    const FPSIMD_MAGIC: u32 = 0x4650_8001;
    // Magic number and size, status and control.
    const FPSIMD_HEAD: usize = 16;
    let mut bytes = [0; RECORDS + 4096];
    memory.read(address, &mut bytes[..REGISTERS]).ok()?;
    let mut registers = Arm64Registers::from_user_regs(&bytes)?;
    // The kernel always leaves room for all of them; a core may end within it.
    if memory.read(address, &mut bytes).is_ok() {
        let mut rest = &bytes[RECORDS..];
        while let Some((head, _)) = rest.split_first_chunk::<8>() {
            let (magic, size) =
                (u64::from_le_bytes(*head) as u32, (u64::from_le_bytes(*head) >> 32) as usize);
            if magic == 0 {
                break;
            }
            if magic == FPSIMD_MAGIC {
                registers.add_fpsimd(rest.get(FPSIMD_HEAD..).unwrap_or_default());
            }
            // A record is never empty.
            rest = rest.get(size.max(8)..).unwrap_or_default();
        }
    }
    Some(Registers::Arm64(registers))
}
