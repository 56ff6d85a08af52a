//! The `CONTEXT` of a thread.

use minidump_common::format as md;

use super::record;
use crate::{Amd64Registers, Arch, Arm64Registers, Registers};

/// Whether contexts of `arch` are read.
pub(super) fn is_read(arch: Arch) -> bool {
    matches!(arch, Arch::Amd64 | Arch::Arm64)
}

/// The general registers of a context.
pub(super) fn read(arch: Arch, context: &[u8]) -> Option<Registers> {
    match arch {
        Arch::Amd64 => {
            let context: md::CONTEXT_AMD64 = record(context, 0)?;
            Some(Registers::Amd64(Amd64Registers {
                rax: context.rax,
                rbx: context.rbx,
                rcx: context.rcx,
                rdx: context.rdx,
                rsi: context.rsi,
                rdi: context.rdi,
                rbp: context.rbp,
                rsp: context.rsp,
                r8: context.r8,
                r9: context.r9,
                r10: context.r10,
                r11: context.r11,
                r12: context.r12,
                r13: context.r13,
                r14: context.r14,
                r15: context.r15,
                rip: context.rip,
                rflags: u64::from(context.eflags),
                // Windows keeps thread data behind gs, and no context has either base.
                fs_base: 0,
                xmm: None,
            }))
        }
        Arch::Arm64 => {
            let context: md::CONTEXT_ARM64 = record(context, 0)?;
            Some(Registers::Arm64(Arm64Registers {
                x: context.iregs,
                sp: context.sp,
                pc: context.pc,
                pstate: u64::from(context.cpsr),
                v: None,
            }))
        }
        Arch::Other(_) => None,
    }
}

/// The architecture whose contexts are so large and marked so.
pub(super) fn arch_of(context: &[u8]) -> Option<Arch> {
    let amd64: Option<md::CONTEXT_AMD64> = record(context, 0);
    let marked = |flags: u32, kind: md::ContextFlagsCpu| flags & kind.bits() == kind.bits();
    if amd64.is_some_and(|found| marked(found.context_flags, md::ContextFlagsCpu::CONTEXT_AMD64)) {
        return Some(Arch::Amd64);
    }
    let arm64: Option<md::CONTEXT_ARM64> = record(context, 0);
    arm64
        .is_some_and(|found| marked(found.context_flags, md::ContextFlagsCpu::CONTEXT_ARM64))
        .then_some(Arch::Arm64)
}
