//! Registers of amd64.

use super::{low_halves, word_at};

/// amd64, as `struct user_regs_struct` of Linux's `asm/user_64.h` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the registers' own names")]
pub struct Amd64Registers {
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub rsp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub rflags: u64,
    pub fs_base: u64,
    /// The lowest eight bytes of `xmm0` to `xmm15`, where Go keeps floats; `None` where unknown.
    pub xmm: Option<[u64; 16]>,
}

/// Size of `struct user_regs_struct`.
const USER_REGS: usize = 27 * 8;

impl Amd64Registers {
    /// From the register block of an `NT_PRSTATUS` note.
    pub(crate) fn from_user_regs(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..USER_REGS)?;
        let word = |index: usize| word_at(bytes, index);
        Some(Self {
            r15: word(0)?,
            r14: word(1)?,
            r13: word(2)?,
            r12: word(3)?,
            rbp: word(4)?,
            rbx: word(5)?,
            r11: word(6)?,
            r10: word(7)?,
            r9: word(8)?,
            r8: word(9)?,
            rax: word(10)?,
            rcx: word(11)?,
            rdx: word(12)?,
            rsi: word(13)?,
            rdi: word(14)?,
            // 15 is orig_rax, the number of the system call.
            rip: word(16)?,
            // 17 is cs.
            rflags: word(18)?,
            rsp: word(19)?,
            // 20 is ss.
            fs_base: word(21)?,
            xmm: None,
        })
    }

    /// Adds the vector registers out of what `FXSAVE` writes: an `NT_FPREGSET` note, or what
    /// `fpstate` of a signal frame points to.
    pub(crate) fn add_fxsave(&mut self, bytes: &[u8]) {
        const XMM0: usize = 160;
        self.xmm = bytes.get(XMM0..).and_then(low_halves);
    }

    /// From the `sigcontext` that the kernel leaves on the signal stack (`asm/sigcontext.h`).
    pub fn from_sigcontext(bytes: &[u8]) -> Option<Self> {
        let word = |index: usize| word_at(bytes, index);
        Some(Self {
            r8: word(0)?,
            r9: word(1)?,
            r10: word(2)?,
            r11: word(3)?,
            r12: word(4)?,
            r13: word(5)?,
            r14: word(6)?,
            r15: word(7)?,
            rdi: word(8)?,
            rsi: word(9)?,
            rbp: word(10)?,
            rbx: word(11)?,
            rdx: word(12)?,
            rax: word(13)?,
            rcx: word(14)?,
            rsp: word(15)?,
            rip: word(16)?,
            rflags: word(17)?,
            fs_base: 0,
            xmm: None,
        })
    }

    /// By DWARF register number (System V ABI for x86-64, figure 3.36).
    pub fn by_dwarf(&self, register: u16) -> Option<u64> {
        Some(match register {
            0 => self.rax,
            1 => self.rdx,
            2 => self.rcx,
            3 => self.rbx,
            4 => self.rsi,
            5 => self.rdi,
            6 => self.rbp,
            7 => self.rsp,
            8 => self.r8,
            9 => self.r9,
            10 => self.r10,
            11 => self.r11,
            12 => self.r12,
            13 => self.r13,
            14 => self.r14,
            15 => self.r15,
            16 => self.rip,
            17..=32 => self.xmm?[usize::from(register - 17)],
            _ => return None,
        })
    }
}
