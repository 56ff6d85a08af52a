//! Registers by their DWARF numbers, and what a call leaves of them.

use panicle_image::Arch;

/// DWARF numbers of general registers end here: 16 on x86-64, 31 on AArch64.
const COUNT: usize = 32;

/// What is known of a frame's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRegisters {
    arch: Arch,
    pc: u64,
    values: [Option<u64>; COUNT],
}

impl FrameRegisters {
    /// From the pc and what `value` knows of each register.
    pub fn new(arch: Arch, pc: u64, value: impl Fn(u16) -> Option<u64>) -> Self {
        let mut values = [None; COUNT];
        for (number, known) in (0..).zip(&mut values) {
            *known = value(number);
        }
        Self { arch, pc, values }
    }

    /// Of a frame of which nothing but the pc and perhaps the stack pointer is known.
    pub fn at(arch: Arch, pc: u64, sp: Option<u64>) -> Self {
        Self::new(arch, pc, |number| sp.filter(|_| number == stack_pointer(arch)))
    }

    /// The same with one register known.
    #[must_use]
    pub fn with(mut self, number: u16, value: u64) -> Self {
        if let Some(known) = self.values.get_mut(usize::from(number)) {
            *known = Some(value);
        }
        self
    }

    /// The same with another frame pointer.
    #[must_use]
    pub fn with_frame_pointer(self, value: Option<u64>) -> Self {
        value.map_or(self, |value| self.with(frame_pointer(self.arch), value))
    }

    /// Program counter: a return address unless the frame was interrupted.
    pub fn pc(&self) -> u64 {
        self.pc
    }

    /// Stack pointer.
    pub fn sp(&self) -> Option<u64> {
        self.get(stack_pointer(self.arch))
    }

    /// Frame pointer, which C code uses as any other register unless told otherwise.
    pub fn frame_pointer(&self) -> Option<u64> {
        self.get(frame_pointer(self.arch))
    }

    /// By DWARF number.
    pub fn get(&self, number: u16) -> Option<u64> {
        self.values.get(usize::from(number)).copied().flatten()
    }
}

/// `rsp`, `sp`.
pub(super) fn stack_pointer(arch: Arch) -> u16 {
    if arch == Arch::Amd64 { 7 } else { 31 }
}

/// `rbp`, `x29`.
fn frame_pointer(arch: Arch) -> u16 {
    if arch == Arch::Amd64 { 6 } else { 29 }
}

/// Whether a function gives the register back as it got it.
pub(super) fn is_preserved(arch: Arch, number: u16) -> bool {
    match arch {
        Arch::Amd64 => matches!(number, 3 | 6 | 12..=15),
        // The link register, because a leaf function leaves its return address there.
        _ => (19..=30).contains(&number),
    }
}
