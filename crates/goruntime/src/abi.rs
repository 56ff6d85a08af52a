//! How the ports of Go lay their stack frames out.

use panicle_image::Arch;

/// What the unwinder asks of an architecture: `goarch.PtrSize`, `sys.MinFrameSize` and
/// `sys.StackAlign` of `runtime/traceback.go`, as the distances that come of them.
///
/// On amd64 a call pushes the return address. On arm64 it leaves it in the link register, and a
/// function that calls on keeps it at the lowest word of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameShape {
    /// Bytes that a call pushes onto the stack.
    pub pushed_by_call: u64,
    /// From the caller's stack pointer to the first argument on the stack (`sys.MinFrameSize`):
    /// the word for the caller's own return address.
    pub before_arguments: u64,
    /// Bytes that a signal handler pushes below the frame that it makes look as if it had called
    /// `sigpanic` or `asyncPreempt`; the link register is the lowest word of them.
    pub pushed_by_injection: u64,
    /// Calls leave the return address in a register (`usesLR`).
    pub link_register: bool,
}

impl FrameShape {
    /// The shape of frames on `arch`; `None` where it is not known.
    pub fn of(arch: Arch) -> Option<Self> {
        match arch {
            Arch::Amd64 => Some(Self {
                pushed_by_call: 8,
                before_arguments: 0,
                pushed_by_injection: 0,
                link_register: false,
            }),
            // `MinFrameSize` 8, `StackAlign` 16.
            Arch::Arm64 => Some(Self {
                pushed_by_call: 0,
                before_arguments: 8,
                pushed_by_injection: 16,
                link_register: true,
            }),
            Arch::Other(_) => None,
        }
    }
}
