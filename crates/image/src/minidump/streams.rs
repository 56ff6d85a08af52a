//! The streams that every writer knows: threads, modules, memory, exception.

use std::collections::HashSet;

use minidump_common::{
    errors::ExceptionCodeWindows as Code,
    format::{self as md, MINIDUMP_STREAM_TYPE as Stream},
};
use scroll::{LE, Pread as _};

use super::{Dump, place, record, registers, size};
use crate::{Arch, Core, FileMapping, LoadedModule, Os, Segment, SignalInfo, Thread, headers::part};

/// Threads read; more than the kernel's limit is damage.
const MOST_THREADS: usize = 1 << 22;
/// `ExceptionCodeLinux::DUMP_REQUESTED`: nobody died.
const NO_EXCEPTION: u32 = 0xffff_ffff;

/// Threads whose registers are there; the one at fault first.
pub(super) fn threads(dump: &Dump<'_>, arch: Arch) -> Vec<Thread> {
    let exception = exception_stream(dump);
    let mut threads: Vec<Thread> = dump
        .list::<md::MINIDUMP_THREAD>(Stream::ThreadListStream)
        .take(MOST_THREADS)
        .filter_map(|thread| {
            // The registers at the fault, where they are there: those of the list may have moved on into
            // the handler.
            let at_fault = exception.as_ref().filter(|exception| exception.thread_id == thread.thread_id);
            let contexts = at_fault.map(|exception| exception.thread_context).into_iter();
            let registers = contexts.chain([thread.thread_context]).find_map(|context| {
                let (offset, size) = place(context);
                registers::read(arch, part(dump.data, offset, size))
            })?;
            Some(Thread { tid: thread.thread_id.cast_signed(), registers, signal: 0, siginfo: None })
        })
        .collect();
    let first = exception.and_then(|exception| {
        threads.iter().position(|thread| thread.tid == exception.thread_id.cast_signed())
    });
    if let Some(first) = first {
        threads[..=first].rotate_right(1);
    }
    threads
}

/// The architecture that the first readable context shows.
pub(super) fn arch_of_contexts(dump: &Dump<'_>) -> Option<Arch> {
    dump.list::<md::MINIDUMP_THREAD>(Stream::ThreadListStream).take(16).find_map(|thread| {
        let (offset, size) = place(thread.thread_context);
        registers::arch_of(part(dump.data, offset, size))
    })
}

/// The modules, in the file's order: writers put the executable first. Their names together cannot be
/// longer than the file, whatever each of them says.
pub(super) fn modules(dump: &Dump<'_>) -> Vec<LoadedModule> {
    let mut names_left = dump.data.len();
    dump.list::<md::MINIDUMP_MODULE>(Stream::ModuleListStream)
        .map_while(|module| {
            let path = utf16(dump.data, u64::from(module.module_name_rva), &mut names_left)?;
            let (offset, size) = place(module.cv_record);
            Some(LoadedModule {
                base: module.base_of_image,
                size: u64::from(module.size_of_image),
                path,
                build_id: elf_build_id(part(dump.data, offset, size)),
                checksum: module.checksum,
                time_stamp: module.time_date_stamp,
            })
        })
        .collect()
}

/// A module as a mapping of its whole file.
pub(super) fn mapping(module: &LoadedModule) -> FileMapping {
    FileMapping {
        start: module.base,
        end: module.base.saturating_add(module.size),
        file_offset: 0,
        path: module.path.clone(),
    }
}

/// The build ID of a Breakpad `CV_INFO_ELF` record.
fn elf_build_id(record: &[u8]) -> Option<Vec<u8>> {
    const LONGEST: usize = 64;
    let (signature, id) = record.split_first_chunk::<4>()?;
    let known = u32::from_le_bytes(*signature) == md::CvSignature::Elf as u32;
    (known && !id.is_empty() && id.len() <= LONGEST && id.iter().any(|&byte| byte != 0)).then(|| id.to_vec())
}

/// A `MINIDUMP_STRING`: its length in bytes, then UTF-16. `None` when `left` does not allow for it.
fn utf16(data: &[u8], offset: u64, left: &mut usize) -> Option<String> {
    let Some(length) = record::<u32>(data, offset) else { return Some(String::new()) };
    let bytes = part(data, offset + 4, u64::from(length));
    *left = left.checked_sub(bytes.len())?;
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// Memory: of both kinds of lists, and the threads' stacks, which some writers list nowhere else.
pub(super) fn memory(dump: &mut Dump<'_>) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut known = HashSet::new();
    let small = dump.list::<md::MINIDUMP_MEMORY_DESCRIPTOR>(Stream::MemoryListStream);
    let stacks = dump.list::<md::MINIDUMP_THREAD>(Stream::ThreadListStream).map(|thread| thread.stack);
    for range in small.chain(stacks) {
        let (offset, size) = place(range.memory);
        if offset != 0 && size != 0 && known.insert((range.start_of_memory_range, offset)) {
            dump.expect(offset, size);
            segments.push(segment(range.start_of_memory_range, offset, size));
        }
    }
    // Full memory lies at the end of the file, range after range.
    let Some(bytes) = dump.stream(Stream::Memory64ListStream) else { return segments };
    let (Some(count), Some(mut offset)) = (record::<u64>(bytes, 0), record::<u64>(bytes, 8)) else {
        return segments;
    };
    let entry = size::<md::MINIDUMP_MEMORY_DESCRIPTOR64>();
    for index in 0..count {
        let at = index.checked_mul(entry).and_then(|at| at.checked_add(16));
        let Some(range) = at.and_then(|at| record::<md::MINIDUMP_MEMORY_DESCRIPTOR64>(bytes, at)) else {
            break;
        };
        dump.expect(offset, range.data_size);
        segments.push(segment(range.start_of_memory_range, offset, range.data_size));
        offset = offset.saturating_add(range.data_size);
    }
    segments
}

/// A range of memory. Whether it could be written to is not told; all that matters is in the file.
fn segment(address: u64, file_offset: u64, size: u64) -> Segment {
    Segment {
        address,
        memory_size: size,
        file_offset,
        file_size: size,
        read: true,
        write: true,
        execute: false,
    }
}

fn exception_stream(dump: &Dump<'_>) -> Option<md::MINIDUMP_EXCEPTION_STREAM> {
    record(dump.stream(Stream::ExceptionStream)?, 0)
}

/// What ended the process: on Linux a signal, with its code among the flags; elsewhere an exception.
pub(super) fn exception(dump: &Dump<'_>, core: &mut Core<'_>) {
    let Some(stream) = exception_stream(dump) else { return };
    let exception = &stream.exception_record;
    let signal = match core.os {
        Os::Linux if exception.exception_code == NO_EXCEPTION || exception.exception_code == 0 => return,
        Os::Linux => {
            let number = exception.exception_code.cast_signed();
            let code = exception.exception_flags.cast_signed();
            // As siginfo tells it: faults that the kernel saw have an address.
            let faulted = matches!(number, 4 | 5 | 7 | 8 | 11) && code > 0 && code != 0x80;
            let address = faulted.then_some(exception.exception_address);
            SignalInfo { number, errno: 0, code, address, sender_pid: None }
        }
        Os::Windows | Os::Other if exception.exception_code == 0 => return,
        Os::Windows | Os::Other => {
            let memory = [Code::EXCEPTION_ACCESS_VIOLATION as u32, Code::EXCEPTION_IN_PAGE_ERROR as u32];
            // Of these two the second parameter is the address that was used.
            let used = memory.contains(&exception.exception_code) && exception.number_parameters >= 2;
            let address = if used { exception.exception_information[1] } else { exception.exception_address };
            let number = exception.exception_code.cast_signed();
            SignalInfo { number, errno: 0, code: 0, address: Some(address), sender_pid: None }
        }
    };
    core.signal = Some(signal);
    // An exception is no signal that a thread could have been handed.
    if core.os != Os::Linux {
        return;
    }
    let id = stream.thread_id.cast_signed();
    if let Some(thread) = core.threads.iter_mut().find(|thread| thread.tid == id) {
        thread.signal = signal.number;
        thread.siginfo = Some(signal);
    }
}

/// `MINIDUMP_MISC_INFO`: size, flags, then the id where the first flag is set.
pub(super) fn process_id(dump: &Dump<'_>) -> Option<i32> {
    let bytes = dump.stream(Stream::MiscInfoStream)?;
    let flags: u32 = bytes.pread_with(4, LE).ok()?;
    let id: u32 = bytes.pread_with(8, LE).ok()?;
    (flags & 1 != 0).then_some(id.cast_signed())
}
