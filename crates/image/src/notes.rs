//! The notes of a core: threads, process, signal, auxiliary vector, mapped files.

use object::{
    LittleEndian,
    elf::{self, FileHeader64},
    read::elf::NoteIterator,
};
use panicle_report::{Diagnostic, Stage};

use crate::{
    Arch, FileMapping, SignalInfo, Thread,
    core::{Auxv, Core},
    registers::Registers,
};

/// `NT_ARM_PAC_MASK` (linux/elf.h).
const NT_ARM_PAC_MASK: elf::NoteType = elf::NoteType(0x406);

/// Reads the notes in `bytes` into `core`.
pub(crate) fn read(core: &mut Core<'_>, bytes: &[u8], align: u64) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    // Linux aligns core notes to 4 bytes whatever the header says.
    let align = if align == 8 { 8 } else { 4 };
    let Ok(mut notes) = NoteIterator::<FileHeader64<LittleEndian>>::new(LittleEndian, align, bytes) else {
        return vec![Diagnostic::warning(Stage::Image, "The core's notes cannot be read.")];
    };
    loop {
        match notes.next() {
            Ok(Some(note)) if note.name() == b"CORE" => {
                let desc = note.desc();
                match note.n_type(LittleEndian) {
                    elf::NT_PRSTATUS => core.threads.extend(thread(core.arch, desc)),
                    elf::NT_FPREGSET => {
                        // It follows the thread that it belongs to.
                        if let Some(thread) = core.threads.last_mut() {
                            thread.registers.add_vectors(desc);
                        }
                    }
                    elf::NT_PRPSINFO => process(core, desc),
                    elf::NT_AUXV => core.auxv = auxv(desc),
                    elf::NT_SIGINFO => {
                        let info = signal_info(desc);
                        core.signal = core.signal.or(info);
                        // It follows the thread that it belongs to.
                        if let Some(thread) = core.threads.last_mut() {
                            thread.siginfo = thread.siginfo.or(info);
                        }
                    }
                    elf::NT_FILE => core.files.extend(files(desc)),
                    _ => {}
                }
            }
            Ok(Some(note)) if note.name() == b"LINUX" && note.n_type(LittleEndian) == NT_ARM_PAC_MASK => {
                // `struct user_pac_mask` (asm/ptrace.h): that of data addresses, then of code.
                core.code_mask = u64_at(note.desc(), 8).map(|mask| !mask);
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) => {
                diagnostics.push(Diagnostic::warning(
                    Stage::Image,
                    "The core's notes end early; threads or mappings may be missing.",
                ));
                break;
            }
        }
    }
    diagnostics
}

/// `struct elf_prstatus` (linux/elfcore.h): siginfo 12, cursig 2 and padding, two masks, four ids,
/// four times of 16 bytes, then the registers.
fn thread(arch: Arch, desc: &[u8]) -> Option<Thread> {
    const REGISTERS: usize = 112;
    Some(Thread {
        tid: i32_at(desc, 32)?,
        registers: Registers::from_user_regs(arch, desc.get(REGISTERS..)?)?,
        signal: i32::from(i16::from_le_bytes(*desc.get(12..)?.first_chunk()?)),
        siginfo: None,
    })
}

/// `struct elf_prpsinfo`: four bytes of state, flags 8, uid 4, gid 4, four ids, name 16, arguments 80.
fn process(core: &mut Core<'_>, desc: &[u8]) {
    let text = |from: usize, size: usize| {
        let bytes = desc.get(from..from + size)?;
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(size);
        let text = String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned();
        (!text.is_empty()).then_some(text)
    };
    core.process.uid = i32_at(desc, 16).map(i32::cast_unsigned);
    core.process.gid = i32_at(desc, 20).map(i32::cast_unsigned);
    core.process.pid = i32_at(desc, 24);
    core.process.parent_pid = i32_at(desc, 28);
    core.process.name = text(40, 16);
    core.process.command_line = text(56, 80);
}

/// `NT_AUXV`, and `/proc/PID/auxv`: pairs of words up to one that begins with 0.
pub(crate) fn auxv(desc: &[u8]) -> Auxv {
    let words = desc.chunks_exact(16).filter_map(|pair| Some((u64_at(pair, 0)?, u64_at(pair, 8)?)));
    Auxv(words.take_while(|&(key, _)| key != 0).collect())
}

/// `siginfo_t`: number, errno, code, then a union by number and code (sigaction(2)).
pub(crate) fn signal_info(desc: &[u8]) -> Option<SignalInfo> {
    let (number, code) = (i32_at(desc, 0)?, i32_at(desc, 8)?);
    // SIGILL, SIGTRAP, SIGBUS, SIGFPE and SIGSEGV raised by the kernel carry an address.
    let faulted = matches!(number, 4 | 5 | 7 | 8 | 11) && code > 0 && code != 0x80;
    // SI_USER, SI_QUEUE and SI_TKILL carry the sender.
    let sent = matches!(code, 0 | -1 | -6);
    Some(SignalInfo {
        number,
        errno: i32_at(desc, 4)?,
        code,
        address: faulted.then(|| u64_at(desc, 16)).flatten(),
        sender_pid: sent.then(|| i32_at(desc, 16)).flatten(),
    })
}

/// `NT_FILE`: count, page size, then start, end and offset in pages each, then the names.
fn files(desc: &[u8]) -> Vec<FileMapping> {
    let (Some(count), Some(page)) = (u64_at(desc, 0), u64_at(desc, 8)) else { return Vec::new() };
    let entry = |index: u64, word: u64| {
        let offset = index.checked_mul(24)?.checked_add(16 + word * 8)?;
        u64_at(desc, usize::try_from(offset).ok()?)
    };
    let names = count
        .checked_mul(24)
        .and_then(|size| usize::try_from(size.checked_add(16)?).ok())
        .and_then(|start| desc.get(start..));
    let Some(names) = names else { return Vec::new() };
    names
        .split(|&byte| byte == 0)
        .zip(0..count)
        .map_while(|(name, index)| {
            Some(FileMapping {
                start: entry(index, 0)?,
                end: entry(index, 1)?,
                file_offset: entry(index, 2)?.checked_mul(page)?,
                path: String::from_utf8_lossy(name).into_owned(),
            })
        })
        .collect()
}

fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    Some(i32::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}
