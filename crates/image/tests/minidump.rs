//! Minidumps that no program leaves by itself, written byte by byte. Those that programs leave are the
//! subject of goruntime's tests.

use minidump::{Minidump, MinidumpMemory64List, MinidumpModuleList, MinidumpThreadList, Module as _};
use panicle_image::{Arch, Core, Format, ImageError, Os, Unmapped};
use panicle_synth::{
    ExceptionRecord, MinidumpFile, ModuleEntry, ThreadContext, amd64_context, arm64_context, elf_code_view,
};
use proptest::prelude::*;

const MAPS: &[u8] = b"00400000-00401000 r--p 00000000 fe:00 17   /app/my server\n\
    00401000-00480000 r-xp 00001000 fe:00 17   /app/my server\n\
    c000000000-c000400000 rw-p 00000000 00:00 0 \n\
    7ffc10000000-7ffc10021000 rw-p 00000000 00:00 0                          [stack]\n\
    7f0000000000-7f0000001000 r--p 00003000 fe:00 18   /lib/libc.so.6\n";
const STATUS: &[u8] = b"Name:\tmy server\nUmask:\t0022\nTgid:\t4711\nPid:\t4712\nPPid:\t17\n\
    Uid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\n";

fn context(from: u64) -> Vec<u8> {
    amd64_context(std::array::from_fn(|index| from + index as u64))
}

fn thread(tid: u32, from: u64, stack: u64) -> ThreadContext {
    ThreadContext { tid, context: context(from), stack: (stack, vec![tid as u8; 4096]) }
}

/// A Linux process of two threads, the second of which had the fault.
fn linux() -> MinidumpFile {
    let mut auxv = Vec::new();
    for word in [3_u64, 0x40_0040, 9, 0x40_1000, 0, 0] {
        auxv.extend_from_slice(&word.to_le_bytes());
    }
    MinidumpFile {
        pid: 4711,
        threads: vec![thread(4711, 0x1000, 0x7fff_0000), thread(4712, 0x2000, 0xc000_0010_0000)],
        modules: vec![
            ModuleEntry {
                base: 0x40_0000,
                size: 0x8_0000,
                name: "/app/my server".to_owned(),
                code_view: elf_code_view(&[0xab; 20]),
                ..ModuleEntry::default()
            },
            ModuleEntry {
                base: 0x7f00_0000_0000,
                size: 4096,
                name: "/lib/libc.so.6".to_owned(),
                ..ModuleEntry::default()
            },
        ],
        exception: Some(ExceptionRecord {
            tid: 4712,
            code: 11,
            flags: 1,
            address: 0xdead_beef,
            context: context(0x3000),
            ..ExceptionRecord::default()
        }),
        memory: vec![(0x40_0000, vec![0x7f; 4096]), (0xc000_0000_0000, vec![1; 8192])],
        streams: vec![
            (0x4767_0004, STATUS.to_vec()),
            (0x4767_0006, b"/app/my server\0-listen\0:8080\0".to_vec()),
            (0x4767_0008, auxv),
            (0x4767_0009, MAPS.to_vec()),
        ],
        ..MinidumpFile::default()
    }
}

/// A Windows process.
fn windows() -> MinidumpFile {
    let module = |base, size, name: &str| ModuleEntry {
        base,
        size,
        stamps: (0x1111, 0x2222),
        name: name.to_owned(),
        code_view: Vec::new(),
    };
    MinidumpFile {
        platform: 2,
        pid: 320,
        threads: vec![thread(324, 0x1000, 0x88_fc00)],
        modules: vec![
            module(0x1_4000_0000, 0x28_c000, "C:\\app\\größe.exe"),
            module(0x1_7000_0000, 0x36_1000, "C:\\windows\\system32\\ntdll.dll"),
        ],
        exception: Some(ExceptionRecord {
            tid: 324,
            code: 0xc000_0005,
            address: 0x1_4000_1234,
            parameters: vec![1, 0x18],
            ..ExceptionRecord::default()
        }),
        memory: vec![(0x1_4000_0000, vec![b'M'; 4096])],
        full: true,
        ..MinidumpFile::default()
    }
}

#[test]
fn everything_that_was_written_is_read() {
    for (full, padded) in [(false, false), (true, false), (false, true), (true, true)] {
        let file = MinidumpFile { full, padded, ..linux() }.write();
        let (core, diagnostics) = Core::parse(&file).unwrap();
        assert_eq!(diagnostics, []);
        assert_eq!((core.format, core.os, core.arch), (Format::Minidump, Os::Linux, Arch::Amd64));
        assert_eq!(core.truncated, None);
        // The one at fault comes first, with the registers at the fault.
        let tids: Vec<_> = core.threads.iter().map(|thread| (thread.tid, thread.signal)).collect();
        assert_eq!(tids, [(4712, 11), (4711, 0)]);
        let registers = core.threads[0].registers;
        assert_eq!((registers.pc(), registers.sp(), registers.frame_pointer()), (0x3010, 0x3004, 0x3005));
        // By DWARF number: rax rdx rcx rbx rsi rdi rbp rsp r8-r15 rip, by their places in CONTEXT.
        let places = [0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        for (register, place) in places.into_iter().enumerate() {
            let found = core.threads[1].registers.by_dwarf(register as u16);
            assert_eq!(found, Some(0x1000 + place), "DWARF register {register}");
        }
        let signal = core.signal.unwrap();
        assert_eq!((signal.number, signal.code, signal.address), (11, 1, Some(0xdead_beef)));
        let process = &core.process;
        assert_eq!((process.pid, process.parent_pid), (Some(4711), Some(17)));
        assert_eq!((process.uid, process.gid), (Some(1000), Some(100)));
        assert_eq!(process.name.as_deref(), Some("my server"));
        assert_eq!(process.command_line.as_deref(), Some("/app/my server -listen :8080"));
        assert_eq!(core.auxv.entry(), Some(0x40_1000));
        assert_eq!(core.files.len(), 3);
        assert_eq!((core.files[1].start, core.files[1].end), (0x40_1000, 0x48_0000));
        assert_eq!((core.files[2].file_offset, core.files[2].path.as_str()), (0x3000, "/lib/libc.so.6"));
        assert_eq!(core.executable_path(), Some("/app/my server"));
        assert_eq!(core.executable_base(), Some(0x40_0000));
        assert_eq!(core.executable_module().unwrap().build_id.as_deref(), Some(&[0xab; 20][..]));
        let memory = core.memory();
        assert_eq!(memory.u8(0x40_0fff), Ok(0x7f));
        assert_eq!(memory.u8(0xc000_0000_1fff), Ok(1));
        assert_eq!(memory.u8(0xc000_0000_2000), Err(Unmapped { address: 0xc000_0000_2000 }));
        // Stacks are memory, whether or not the list of memory has them.
        assert_eq!(memory.u8(0xc000_0010_0000), Ok(4712_u32 as u8));
    }
}

#[test]
fn windows_has_exceptions_and_modules() {
    let file = windows().write();
    let (core, diagnostics) = Core::parse(&file).unwrap();
    assert_eq!(diagnostics, []);
    assert_eq!((core.os, core.os.goos(), core.format.name()), (Os::Windows, "windows", "minidump"));
    assert_eq!(core.executable_path(), Some("C:\\app\\größe.exe"));
    assert_eq!(core.executable_base(), Some(0x1_4000_0000));
    let module = core.executable_module().unwrap();
    assert_eq!((module.checksum, module.time_stamp, module.size), (0x1111, 0x2222, 0x28_c000));
    assert_eq!(core.process.pid, Some(320));
    // The address that was used, not that of the instruction.
    let signal = core.signal.unwrap();
    assert_eq!((signal.number.cast_unsigned(), signal.address), (0xc000_0005, Some(0x18)));
    assert_eq!((core.threads[0].signal, core.threads[0].siginfo), (0, None));
}

#[test]
fn arm64_has_its_own_context() {
    let context = arm64_context(std::array::from_fn(|index| 0x100 + index as u64));
    let thread = ThreadContext { tid: 4711, context, stack: (0x7fff_0000, vec![1; 64]) };
    let mut dump = MinidumpFile { processor: 12, threads: vec![thread], exception: None, ..linux() };
    for told in [true, false] {
        let mut file = dump.write();
        if !told {
            hide_system_information(&mut file);
        }
        let (core, _) = Core::parse(&file).unwrap();
        let registers = core.threads[0].registers;
        assert_eq!(core.arch, Arch::Arm64);
        assert_eq!((registers.sp(), registers.pc()), (0x100 + 31, 0x100 + 32));
        assert_eq!((registers.frame_pointer(), registers.link_register()), (0x100 + 29, Some(0x100 + 30)));
    }
    // A context cut short is no thread.
    dump.threads[0].context.truncate(100);
    assert!(Core::parse(&dump.write()).unwrap().0.threads.is_empty());
}

/// Gives the stream a kind that nobody knows.
fn hide_system_information(file: &mut [u8]) {
    let count = u32::from_le_bytes(file[8..12].try_into().expect("four bytes")) as usize;
    let mut entries = (0..count).map(|index| 32 + index * 12);
    let system = entries.find(|&at| file[at..at + 4] == [7, 0, 0, 0]).expect("it is there");
    file[system] = 0xee;
}

#[test]
fn a_dump_of_a_living_process_has_no_signal() {
    let ended = |platform, code| {
        let mut dump = MinidumpFile { platform, ..linux() };
        dump.exception = Some(ExceptionRecord { tid: 4712, code, ..ExceptionRecord::default() });
        let file = dump.write();
        let (core, _) = Core::parse(&file).unwrap();
        // Whoever was blamed comes first all the same.
        assert_eq!((core.threads[0].tid, core.threads[0].registers.pc()), (4712, 0x2010));
        core.signal.map(|signal| signal.number)
    };
    assert_eq!(ended(0x8201, 0xffff_ffff), None);
    assert_eq!(ended(0x8201, 6), Some(6));
    assert_eq!(ended(2, 2), Some(2));
}

#[test]
fn a_dump_without_system_information_shows_its_architecture_in_its_contexts() {
    let mut file = linux().write();
    hide_system_information(&mut file);
    let (core, _) = Core::parse(&file).unwrap();
    assert_eq!((core.arch, core.os, core.threads.len()), (Arch::Amd64, Os::Linux, 2));
}

#[test]
fn a_dump_cut_at_any_byte_gives_what_is_there() {
    for dump in [linux(), MinidumpFile { full: true, ..linux() }] {
        let file = dump.write();
        let whole = Core::parse(&file).unwrap().0;
        let mut read = 0;
        for length in (0..file.len()).step_by(7) {
            match Core::parse(&file[..length]) {
                Ok((core, diagnostics)) => {
                    read += 1;
                    let truncated = core.truncated.expect("it is cut");
                    assert_eq!(truncated.present_bytes, length as u64);
                    assert!(!diagnostics.is_empty());
                    for thread in &core.threads {
                        assert!(whole.threads.iter().any(|known| known.tid == thread.tid));
                    }
                }
                Err(error) => assert!(
                    matches!(error, ImageError::Empty | ImageError::TruncatedHeaders),
                    "{length} bytes: {error}"
                ),
            }
        }
        // All but the first few, which tell neither architecture nor a single thread.
        assert!(read * 7 > file.len() * 2 / 3, "{read} of {}", file.len() / 7);
        let (core, _) = Core::parse(&file[..file.len() - 1]).unwrap();
        assert_eq!((core.threads, core.files), (whole.threads, whole.files));
        assert_eq!(core.truncated.unwrap().expected_bytes, file.len() as u64);
    }
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let refused = |bytes: &[u8]| Core::parse(bytes).unwrap_err();
    assert_eq!(refused(b"MDM"), ImageError::TruncatedHeaders);
    assert_eq!(refused(b"MDMP"), ImageError::TruncatedHeaders);
    assert_eq!(refused(b"MZ\x90\0"), ImageError::NotElf);
    let x86 = MinidumpFile { processor: 0, ..linux() }.write();
    assert_eq!(refused(&x86), ImageError::UnsupportedArch(Arch::Other(3)));
    let mut file = linux().write();
    file[..4].copy_from_slice(b"PMDM");
    assert_eq!(refused(&file), ImageError::UnsupportedEndian);
    let mut file = linux().write();
    file[4] = 0;
    assert_eq!(refused(&file), ImageError::BadHeaders);
}

#[test]
fn modules_cannot_repeat_one_long_name_for_ever() {
    // A name of a megabyte, and ten thousand modules that all have it: 10 GB, were each copied.
    let mut dump = linux();
    dump.modules = (0..10_000)
        .map(|index| ModuleEntry {
            base: index,
            size: 1,
            name: if index == 0 { "x".repeat(1 << 19) } else { String::new() },
            ..ModuleEntry::default()
        })
        .collect();
    let mut file = dump.write();
    let at = 32 + 12;
    assert_eq!(file[at..at + 4], [4, 0, 0, 0], "the second stream");
    let list = u32::from_le_bytes(file[at + 8..at + 12].try_into().unwrap()) as usize + 4;
    let name: [u8; 4] = file[list + 20..list + 24].try_into().unwrap();
    for index in 0..10_000 {
        file[list + index * 108 + 20..][..4].copy_from_slice(&name);
    }
    let (core, _) = Core::parse(&file).unwrap();
    let names: usize = core.modules.iter().map(|module| module.path.len()).sum();
    assert!(!core.modules.is_empty() && names <= file.len(), "{names} bytes of names");
}

#[test]
fn a_second_parser_sees_the_same() {
    for dump in [MinidumpFile { full: true, ..linux() }, windows()] {
        let file = dump.write();
        let (core, _) = Core::parse(&file).unwrap();
        let other = Minidump::read(&file[..]).unwrap();
        let threads = other.get_stream::<MinidumpThreadList<'_>>().unwrap();
        let mut theirs: Vec<_> = threads.threads.iter().map(|thread| thread.raw.thread_id as i32).collect();
        let mut ours: Vec<_> = core.threads.iter().map(|thread| thread.tid).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs);
        let modules = other.get_stream::<MinidumpModuleList>().unwrap();
        let theirs: Vec<_> =
            modules.iter().map(|m| (m.base_address(), m.size(), m.code_file().into_owned())).collect();
        let ours: Vec<_> = core.modules.iter().map(|m| (m.base, m.size, m.path.clone())).collect();
        assert_eq!(ours, theirs);
        let memory = core.memory();
        for range in other.get_stream::<MinidumpMemory64List<'_>>().unwrap().iter() {
            assert_eq!(memory.slice(range.base_address, range.size), Some(range.bytes));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever is done to a minidump, reading it and its memory ends, and without a panic.
    #[test]
    fn damage_is_survived(
        full in any::<bool>(),
        edits in prop::collection::vec((0_usize..1800, prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 0..12),
        length in 0_usize..30_000,
        probes in prop::collection::vec(any::<u64>(), 4),
    ) {
        let mut file = MinidumpFile { full, ..linux() }.write();
        for (at, byte) in edits {
            file[at] = byte;
        }
        file.truncate(length);
        if let Ok((core, _)) = Core::parse(&file) {
            let memory = core.memory();
            let ends = core.segments.iter().flat_map(|s| [s.address, s.address.wrapping_add(s.memory_size)]);
            for address in ends.chain(probes) {
                let read = memory.u64(address);
                prop_assert_eq!(read.is_ok(), (0..8).all(|i| address.checked_add(i).is_some_and(|a| memory.contains(a))));
                let _ = memory.bytes(address, u64::MAX, 1 << 20);
            }
            let _ = (core.executable_path(), core.executable_base());
        }
    }
}
