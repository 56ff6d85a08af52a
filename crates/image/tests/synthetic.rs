//! Cores that no program leaves by itself.

use panicle_image::{Arch, Core, ImageError, Thread, Unmapped};
use panicle_synth::{CoreFile, ExecutableFile, Memory, ThreadNotes, siginfo_fault, siginfo_sent};
use proptest::prelude::*;

/// Two threads, two files, four segments, one of them dumped in part.
fn sample() -> CoreFile {
    let mut first = ThreadNotes::at(4711, 0x40_1234, 0xc000_0010_0000);
    first.registers = (0x1000..0x1000 + 27).collect();
    first.signal = 11;
    CoreFile {
        threads: vec![first, ThreadNotes::at(4712, 0x40_5678, 0x7fff_0000)],
        ids: (4711, 17),
        owner: (1000, 100),
        names: ("server".to_owned(), "/app/server -listen :8080 ".to_owned()),
        siginfo: siginfo_fault(11, 1, 0xdead_beef),
        auxv: vec![(3, 0x40_0040), (9, 0x40_1000), (6, 4096)],
        files: vec![
            (0x40_0000, 0x40_1000, 0, "/app/server".to_owned()),
            (0x40_1000, 0x48_0000, 1, "/app/server".to_owned()),
            (0x7f00_0000, 0x7f00_1000, 3, "/lib/libc.so.6".to_owned()),
        ],
        memory: vec![
            Memory { address: 0x40_0000, size: 4096, dumped: vec![0x7f; 4096], flags: 4 },
            Memory { address: 0x40_1000, size: 0x7_f000, dumped: Vec::new(), flags: 5 },
            Memory { address: 0xc000_0000_0000, size: 8192, dumped: vec![1; 8192], flags: 6 },
            Memory { address: 0xc000_0000_2000, size: 8192, dumped: vec![2; 5000], flags: 6 },
        ],
        ..CoreFile::default()
    }
}

#[test]
fn everything_that_was_written_is_read() {
    let file = sample().write();
    let (core, diagnostics) = Core::parse(&file).unwrap();
    assert_eq!(diagnostics, []);
    assert_eq!((core.arch, core.truncated), (Arch::Amd64, None));
    let tids: Vec<_> = core.threads.iter().map(|thread| (thread.tid, thread.signal)).collect();
    assert_eq!(tids, [(4711, 11), (4712, 0)]);
    let registers = core.threads[0].registers;
    assert_eq!(
        (registers.pc(), registers.sp(), registers.frame_pointer()),
        (0x1000 + 16, 0x1000 + 19, 0x1000 + 4)
    );
    // rax rdx rcx rbx rsi rdi rbp rsp r8-r15 rip, by their places in user_regs_struct.
    let places = [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16];
    for (register, place) in places.into_iter().enumerate() {
        assert_eq!(registers.by_dwarf(register as u16), Some(0x1000 + place), "DWARF register {register}");
    }
    assert_eq!((registers.by_dwarf(17), registers.by_dwarf(32)), (Some(0x5000), Some(0x500f)));
    assert_eq!((registers.by_dwarf(33), core.threads[1].registers.by_dwarf(17)), (None, None));
    let process = &core.process;
    assert_eq!((process.pid, process.parent_pid), (Some(4711), Some(17)));
    assert_eq!((process.uid, process.gid), (Some(1000), Some(100)));
    assert_eq!(process.name.as_deref(), Some("server"));
    assert_eq!(process.command_line.as_deref(), Some("/app/server -listen :8080"));
    let signal = core.signal.unwrap();
    assert_eq!((signal.number, signal.code, signal.errno), (11, 1, 0));
    assert_eq!((signal.address, signal.sender_pid), (Some(0xdead_beef), None));
    assert_eq!(core.threads[0].siginfo, Some(signal));
    assert_eq!(core.threads[1].siginfo, None);
    assert_eq!((core.auxv.entry(), core.auxv.get(6), core.auxv.get(7)), (Some(0x40_1000), Some(4096), None));
    assert_eq!(core.files[2].path, "/lib/libc.so.6");
    assert_eq!(core.files[2].file_offset, 3 * 4096);
    assert_eq!(core.executable_path(), Some("/app/server"));
    assert_eq!(core.executable_base(), Some(0x40_0000));
    assert!(core.segments[1].execute && !core.segments[1].write && core.segments[1].read);
}

#[test]
fn what_was_not_dumped_is_unknown_and_not_zero() {
    let file = sample().write();
    let (core, _) = Core::parse(&file).unwrap();
    let memory = core.memory();
    assert_eq!(memory.u64(0xc000_0000_1ffc), Ok(0x0202_0202_0101_0101));
    assert_eq!(memory.u8(0xc000_0000_2000 + 4999), Ok(2));
    assert_eq!(memory.u8(0xc000_0000_2000 + 5000), Err(Unmapped { address: 0xc000_0000_2000 + 5000 }));
    assert_eq!(memory.u8(0x40_1000), Err(Unmapped { address: 0x40_1000 }));
}

#[test]
fn a_core_cut_at_any_byte_gives_what_is_there() {
    let file = sample().write();
    let whole = Core::parse(&file).unwrap().0;
    let mut threads = 0;
    // Behind the last byte of memory there is only what fills the page.
    let last = whole.segments.last().unwrap();
    for length in 0..(last.file_offset + last.file_size) as usize {
        match Core::parse(&file[..length]) {
            Ok((core, diagnostics)) => {
                let truncated = core.truncated.unwrap();
                assert_eq!(truncated.present_bytes, length as u64);
                assert!(!diagnostics.is_empty());
                assert!(core.threads.len() >= threads, "a longer core has no fewer threads");
                threads = core.threads.len();
                for (cut, whole) in core.threads.iter().zip(&whole.threads) {
                    let general =
                        |thread: &Thread| [0, 7, 16].map(|number| thread.registers.by_dwarf(number));
                    assert_eq!((cut.tid, general(cut)), (whole.tid, general(whole)));
                    // These have notes of their own.
                    assert!(cut.siginfo.is_none() || cut.siginfo == whole.siginfo);
                    let vector = cut.registers.by_dwarf(17);
                    assert!(vector.is_none() || vector == whole.registers.by_dwarf(17));
                }
            }
            Err(error) => {
                assert!(length < 20, "{length} bytes tell that it is a core, and of what machine: {error}");
                assert!(matches!(error, ImageError::Empty | ImageError::TruncatedHeaders));
            }
        }
    }
    assert_eq!(threads, 2);
}

/// The diagnostics of the sample when no more than so many of its bytes are there.
fn said_of(length: usize) -> String {
    let file = sample().write();
    let (_, diagnostics) = Core::parse(&file[..length]).expect("a core");
    diagnostics.into_iter().map(|diagnostic| diagnostic.text).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_missing_is_named() {
    let file = sample().write();
    let whole = Core::parse(&file).unwrap().0;
    let within_header = said_of(40);
    assert!(within_header.contains("ends within its headers"), "{within_header}");
    assert!(within_header.contains("40 of at least 64 bytes"), "{within_header}");
    let within_segments = said_of(64 + 2 * 56 + 1);
    assert!(within_segments.contains("2 of 5 segments are described"), "{within_segments}");
    assert!(within_segments.contains("no thread notes"), "{within_segments}");
    let within_notes = said_of(64 + 5 * 56 + 500);
    assert!(within_notes.contains("ends within its notes"), "{within_notes}");
    let third = whole.segments[2].file_offset as usize;
    let within_memory = said_of(third + 4096);
    assert!(!within_memory.contains("notes"), "{within_memory}");
    assert!(
        within_memory.contains("9096 bytes in 2 of 3 dumped segments (0xc00000001000-0xc00000003388)"),
        "{within_memory}"
    );
    assert_eq!(said_of(file.len()), "");
}

#[test]
fn memory_that_a_filter_left_out_is_told_of() {
    let mut core = sample();
    for memory in &mut core.memory {
        memory.dumped.clear();
    }
    let (_, diagnostics) = Core::parse(&core.write()).map(|(core, said)| (core.truncated, said)).unwrap();
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert!(diagnostics[0].text.contains("coredump_filter"), "{diagnostics:?}");
}

#[test]
fn more_segments_than_the_header_can_count() {
    let core = CoreFile {
        threads: vec![ThreadNotes::at(1, 2, 3)],
        memory: (0..70_000)
            .map(|index| Memory {
                address: 0x1_0000_0000 + index * 0x1_0000,
                size: 4096,
                dumped: if index % 1000 == 0 { vec![index as u8; 16] } else { Vec::new() },
                flags: 6,
            })
            .collect(),
        ..CoreFile::default()
    };
    let file = core.write();
    let (core, diagnostics) = Core::parse(&file).unwrap();
    assert_eq!((core.segments.len(), diagnostics.len()), (70_000, 0));
    assert_eq!(core.memory().u8(0x1_0000_0000 + 69_000 * 0x1_0000), Ok((69_000_u64 % 256) as u8));
    // The section header that has their number is the last thing in the file.
    let (cut, diagnostics) = Core::parse(&file[..file.len() - 1]).unwrap();
    assert_eq!((cut.segments.len(), diagnostics.len()), (70_000, 1), "{diagnostics:?}");
    assert_eq!(cut.truncated.unwrap().expected_bytes, file.len() as u64);
}

#[test]
fn few_segments_may_be_counted_the_long_way_too() {
    let file = CoreFile { extended_numbering: true, ..sample() }.write();
    assert_eq!(Core::parse(&file).unwrap().0.segments, Core::parse(&file).unwrap().0.segments);
    assert_eq!(Core::parse(&file).unwrap().0.segments.len(), 4);
}

#[test]
fn each_thing_that_is_no_core_has_its_own_answer() {
    let refused = |bytes: &[u8]| Core::parse(bytes).unwrap_err();
    assert_eq!(refused(b""), ImageError::Empty);
    assert_eq!(refused(b"panic: boom"), ImageError::NotElf);
    assert_eq!(refused(b"\x7fEL"), ImageError::TruncatedHeaders);
    assert_eq!(refused(&ExecutableFile::default().write()), ImageError::NotACore(2));
    assert_eq!(
        refused(&CoreFile { machine: 243, ..sample() }.write()),
        ImageError::UnsupportedArch(Arch::Other(243))
    );
    let changed = |at: usize, byte: u8| {
        let mut file = sample().write();
        file[at] = byte;
        refused(&file)
    };
    assert_eq!(changed(4, 1), ImageError::UnsupportedClass);
    assert_eq!(changed(5, 2), ImageError::UnsupportedEndian);
    assert_eq!(changed(54, 32), ImageError::BadHeaders);
    let sentences: std::collections::BTreeSet<String> = [
        ImageError::Empty,
        ImageError::NotElf,
        ImageError::NotACore(2),
        ImageError::NotACore(3),
        ImageError::NotACore(1),
        ImageError::UnsupportedClass,
        ImageError::UnsupportedEndian,
        ImageError::UnsupportedArch(Arch::Other(243)),
        ImageError::UnsupportedArch(Arch::Other(2)),
        ImageError::TruncatedHeaders,
        ImageError::BadHeaders,
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(sentences.len(), 11);
}

#[test]
fn debuggers_give_each_thread_its_signal() {
    let mut core = sample();
    core.threads[1].siginfo = Some(siginfo_sent(3, 0, 99));
    let file = core.write();
    let (core, _) = Core::parse(&file).unwrap();
    let info = core.threads[1].siginfo.unwrap();
    assert_eq!((info.number, info.sender_pid, info.address), (3, Some(99), None));
    assert_eq!(core.signal.unwrap().number, 11);
}

#[test]
fn one_note_segment_told_again_and_again_is_read_a_few_times() {
    let core = CoreFile {
        threads: (0..2000).map(|tid| ThreadNotes::at(tid, 0, 0)).collect(),
        memory: vec![Memory { address: 0, size: 0, dumped: Vec::new(), flags: 0 }; 60_000],
        ..CoreFile::default()
    };
    let mut file = core.write();
    // Every program header becomes the first one: the notes.
    let notes = file[64..120].to_vec();
    for index in 0..=60_000 {
        file[64 + index * 56..][..56].copy_from_slice(&notes);
    }
    let (core, diagnostics) = Core::parse(&file).unwrap();
    assert!(core.threads.len() <= 16 * 2000);
    assert!(diagnostics.iter().any(|diagnostic| diagnostic.text.contains("left out")));
}

#[test]
fn files_can_be_mapped_whatever_their_length() {
    let mut file = tempfile::tempfile().unwrap();
    assert_eq!(&*panicle_image::mmap::map(&file).unwrap(), b"");
    std::io::Write::write_all(&mut file, &sample().write()).unwrap();
    let mapped = panicle_image::mmap::map(&file).unwrap();
    assert_eq!(Core::parse(&mapped).unwrap().0.threads.len(), 2);
}

/// Memory of this process that is no page of a file, in KiB.
fn anonymous_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("Linux 4.5");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn a_large_core_costs_what_is_looked_at() {
    use std::io::{Seek as _, SeekFrom, Write as _};
    const SIZE: u64 = 64 << 30;
    let core = CoreFile {
        threads: vec![ThreadNotes::at(1, 2, 3)],
        memory: vec![Memory { address: 0xc000_0000_0000, size: SIZE, dumped: vec![1; 4096], flags: 6 }],
        ..CoreFile::default()
    };
    let mut bytes = core.write();
    let offset = bytes.len() as u64 - 4096;
    // p_filesz of the second program header.
    bytes[64 + 56 + 32..][..8].copy_from_slice(&SIZE.to_le_bytes());
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.seek(SeekFrom::Start(offset + SIZE - 1)).unwrap();
    file.write_all(&[9]).unwrap();

    let before = anonymous_memory();
    let mapped = panicle_image::mmap::map(&file).unwrap();
    let (core, diagnostics) = Core::parse(&mapped).unwrap();
    let memory = core.memory();
    assert_eq!((diagnostics.len(), core.truncated), (0, None));
    assert_eq!(memory.u8(0xc000_0000_0000 + SIZE - 1), Ok(9));
    assert_eq!(memory.slice(0xc000_0000_0000, SIZE).map(<[u8]>::len), Some(SIZE as usize));
    // Other tests run meanwhile; the core is a thousand times this.
    assert!(anonymous_memory() < before + (64 << 10));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever is done to a core, reading it and its memory ends, and without a panic.
    #[test]
    fn damage_is_survived(
        edits in prop::collection::vec((0_usize..3600, prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 0..12),
        length in 0_usize..30_000,
        probes in prop::collection::vec(any::<u64>(), 4),
    ) {
        let mut file = sample().write();
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
                let _ = memory.c_str(address, 100);
                let _ = memory.slice(address, u64::MAX);
            }
            let _ = (core.executable_path(), core.executable_base());
        }
    }
}
