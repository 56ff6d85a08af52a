//! Executables, and cores of them, that no linker writes by itself.

use panicle_binary::{BinaryError, Executable, matching};
use panicle_image::{Arch, Core};
use panicle_report::{BinaryMatch, BuildIds};
use panicle_synth::{
    BuildInfoForm, CoreFile, ExecutableFile, Load, Memory, SectionBytes, ThreadNotes, build_info,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const GO_ID: &str = "abcdefghijklmnopqrst/bcdefghijklmnopqrstu/cdefghijklmnopqrstuv/defghijklmnopqrstuvw";
const DATA: u64 = 0x50_0000;

const MODULES: &str = "path\texample.com/shop/cmd/server\n\
    mod\texample.com/shop\t(devel)\t\n\
    dep\tgithub.com/a/b\tv1.2.3\th1:aaa=\n\
    dep\tgithub.com/c/d\tv0.0.1\n\
    =>\t../fork\t\t\n\
    build\t-ldflags=\"-X main.version=\\\"1 2\\\"\"\n\
    build\tGOARCH=amd64\n\
    build\tvcs.revision=0123abcd\n";

fn load(section: &str, address: u64, bytes: Vec<u8>, flags: u32) -> Load {
    Load { section: section.to_owned(), address, size: bytes.len() as u64, bytes, flags }
}

fn sample() -> ExecutableFile {
    let text: Vec<u8> = (0..9000_u32).map(|index| (index * 7 / 8) as u8).collect();
    let info = build_info(BuildInfoForm::Inline, "go1.24.11", MODULES);
    let mut data = load(".go.buildinfo", DATA, info, 6);
    data.size += 0x1000;
    ExecutableFile {
        gnu_build_id: Some(vec![0xab; 20]),
        go_build_id: Some(GO_ID.to_owned()),
        loads: vec![load(".text", 0x40_1000, text, 5), data],
        symbols: vec![
            ("runtime.text".to_owned(), 0x40_1000, 0),
            ("main.main".to_owned(), 0x40_1000, 0x40),
            ("main.asm".to_owned(), 0x40_1040, 0),
            ("main.last".to_owned(), 0x40_1100, 0x20),
        ],
        ..ExecutableFile::default()
    }
}

/// A core of a process that ran `executable` at `bias`, with its first page, data and `text` bytes
/// of its text.
fn core_of(executable: &ExecutableFile, bias: u64, text: usize) -> CoreFile {
    let file = executable.write();
    let memory = |address: u64, dumped: &[u8], size: u64, flags| Memory {
        address: address + bias,
        size,
        dumped: dumped.to_vec(),
        flags,
    };
    let base = executable.base;
    let mut core = CoreFile {
        threads: vec![ThreadNotes::at(1, executable.entry + bias, 0)],
        auxv: vec![(3, base + bias + 64), (9, executable.entry + bias)],
        files: vec![(base + bias, base + bias + 4096, 0, "/app/server".to_owned())],
        memory: vec![memory(base, &file[..4096], 4096, 4)],
        ..CoreFile::default()
    };
    for load in &executable.loads {
        let dumped = if load.flags & 2 != 0 { load.bytes.len() } else { text.min(load.bytes.len()) };
        core.memory.push(memory(load.address, &load.bytes[..dumped], load.size, load.flags));
    }
    core
}

fn compare(core: &CoreFile, executable: &ExecutableFile) -> BinaryMatch {
    let (core, file) = (core.write(), executable.write());
    let (core, _) = Core::parse(&core).expect("a core");
    let (executable, _) = Executable::parse(&file).expect("an executable");
    matching::compare(&core, &core.memory(), &executable)
}

#[test]
fn everything_that_was_written_is_read() {
    let file = sample().write();
    let (executable, diagnostics) = Executable::parse(&file).unwrap();
    assert_eq!(diagnostics, []);
    assert_eq!((executable.arch, executable.entry), (Arch::Amd64, 0x40_1000));
    assert!(!executable.position_independent && !executable.stripped);
    let ids = BuildIds { gnu: Some("ab".repeat(20)), go: Some(GO_ID.to_owned()), ..BuildIds::default() };
    assert_eq!(executable.build_ids, ids);
    let (address, text) = executable.text().unwrap();
    assert_eq!((address, text), (0x40_1000, &sample().loads[0].bytes[..]));
    let mut bare = sample();
    bare.symbols.clear();
    bare.gnu_build_id = None;
    let bare = bare.write();
    assert_eq!(executable.text_sha256(), Executable::parse(&bare).unwrap().0.text_sha256());
    let data = &executable.load_segments[2];
    assert!(data.writable && !data.executable && data.memory_size > data.bytes.len() as u64);
    assert_eq!(executable.mapped(0x40_1001).unwrap()[0], text[1]);
    assert_eq!(executable.mapped(DATA + data.bytes.len() as u64), None);

    let info = executable.build_info.as_ref().unwrap();
    assert_eq!(info.go_version, "go1.24.11");
    assert_eq!(info.path.as_deref(), Some("example.com/shop/cmd/server"));
    let main = info.main.as_ref().unwrap();
    assert_eq!((main.path.as_str(), main.version.as_deref()), ("example.com/shop", Some("(devel)")));
    assert_eq!(info.dependencies[0].sum.as_deref(), Some("h1:aaa="));
    assert_eq!(info.dependencies[1].replacement.as_ref().unwrap().path, "../fork");
    assert_eq!(info.settings["-ldflags"], "-X main.version=\"1 2\"");
    assert_eq!(info.settings["vcs.revision"], "0123abcd");
}

#[test]
fn symbols_are_found_by_name_and_by_address() {
    let file = sample().write();
    let (executable, _) = Executable::parse(&file).unwrap();
    assert_eq!(executable.symbol("main.last").map(|symbol| symbol.address), Some(0x40_1100));
    assert_eq!(executable.symbol("main.none"), None);
    let at = |address| executable.symbol_at(address).map(|(name, _)| name.into_owned());
    assert_eq!(at(0x40_0fff), None);
    assert_eq!(at(0x40_103f).as_deref(), Some("main.main"));
    assert_eq!(at(0x40_10ff).as_deref(), Some("main.asm"));
    assert_eq!(at(0x40_111f).as_deref(), Some("main.last"));
    assert_eq!(at(0x40_1120), None);
}

#[test]
fn build_info_is_found_without_sections_and_behind_pointers() {
    let version = |file: &ExecutableFile| {
        let file = file.write();
        let (executable, _) = Executable::parse(&file).expect("an executable");
        executable.build_info.map(|info| (info.go_version, info.dependencies.len()))
    };
    let expected = Some(("go1.24.11".to_owned(), 2));
    assert_eq!(version(&ExecutableFile { without_sections: true, ..sample() }), expected);

    // The segment begins off the record's alignment, and with something that looks like it.
    let mut shifted = sample();
    let record = std::mem::take(&mut shifted.loads[1].bytes);
    shifted.loads[1].section.clear();
    shifted.loads[1].address = DATA + 8;
    shifted.loads[1].bytes =
        [&[0; 8], &b"\xff Go buildinf:\x08\x02no record at all"[..], &[0; 16], &record].concat();
    while shifted.loads[1].bytes.len() % 16 != (record.len() + 8) % 16 {
        let at = shifted.loads[1].bytes.len() - record.len();
        shifted.loads[1].bytes.insert(at, 0);
    }
    assert_eq!(version(&shifted), expected);

    let mut pointers = sample();
    pointers.loads[1].bytes = build_info(BuildInfoForm::Pointers(DATA), "go1.24.11", MODULES);
    assert_eq!(version(&pointers), expected);
    pointers.loads[1].bytes = build_info(BuildInfoForm::Pointers(DATA + (1 << 40)), "go1.24.11", MODULES);
    assert_eq!(version(&pointers), None);
}

#[test]
fn ids_are_found_without_sections() {
    let file = ExecutableFile { without_sections: true, ..sample() }.write();
    let (executable, _) = Executable::parse(&file).unwrap();
    assert_eq!(executable.build_ids.go.as_deref(), Some(GO_ID));
    assert_eq!(executable.build_ids.gnu, Some("ab".repeat(20)));
}

#[test]
fn sections_are_decompressed_within_bounds() {
    let text = b"debug information, which is what is compressed";
    let (a, b) = text.iter().fold((1_u32, 0_u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    let length = text.len() as u16;
    // RFC 1950 around one stored block of RFC 1951.
    let zlib = [
        &[0x78, 0x01, 0x01][..],
        &length.to_le_bytes(),
        &(!length).to_le_bytes(),
        text,
        &(b << 16 | a).to_be_bytes(),
    ]
    .concat();
    // RFC 8878: one segment of a known size, one raw block.
    let block = (u32::from(length) << 3 | 1).to_le_bytes();
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, length as u8][..], &block[..3], text].concat();
    let size = u64::from(length);
    let file = ExecutableFile {
        sections: vec![
            SectionBytes { name: ".debug_plain".to_owned(), flags: 0, bytes: text.to_vec() },
            SectionBytes::compressed(".debug_zlib", 1, size, &zlib),
            SectionBytes::compressed(".debug_zstd", 2, size, &zstd),
            SectionBytes::gnu_compressed(".zdebug_gnu", size, &zlib),
            SectionBytes::compressed(".debug_lies", 1, size + 1, &zlib),
            SectionBytes::compressed(".debug_bomb", 1, 1 << 40, &zlib),
            SectionBytes::compressed(".debug_other", 77, size, &zlib),
            SectionBytes { name: ".debug_short".to_owned(), flags: 0x800, bytes: vec![1; 5] },
        ],
        ..sample()
    }
    .write();
    let (executable, _) = Executable::parse(&file).unwrap();
    for name in [".debug_plain", ".debug_zlib", ".debug_zstd", ".debug_gnu"] {
        assert_eq!(executable.section(name).unwrap().data.as_ref(), text, "{name}");
    }
    for name in [".debug_lies", ".debug_bomb", ".debug_other", ".debug_short", ".debug_none"] {
        assert!(executable.section(name).is_none(), "{name}");
    }
}

#[test]
fn each_thing_that_is_no_executable_has_its_own_answer() {
    let refused = |bytes: &[u8]| Executable::parse(bytes).unwrap_err();
    assert_eq!(refused(b""), BinaryError::Empty);
    assert_eq!(refused(b"#!/bin/sh"), BinaryError::NotElf);
    assert_eq!(refused(&sample().write()[..60]), BinaryError::BadHeaders);
    assert_eq!(refused(&CoreFile::default().write()), BinaryError::IsACore);
    assert_eq!(refused(&ExecutableFile { kind: 1, ..sample() }.write()), BinaryError::IsAnObject);
    let mut file = sample().write();
    file[4] = 1;
    assert_eq!(refused(&file), BinaryError::UnsupportedClass);
    file[5] = 2;
    file[4] = 2;
    assert_eq!(refused(&file), BinaryError::UnsupportedEndian);
}

#[test]
fn an_executable_is_tied_to_its_core() {
    let ours = sample();
    let core = core_of(&ours, 0, 0);
    assert_eq!(compare(&core, &ours), BinaryMatch::BuildId);
    let other = ExecutableFile { go_build_id: Some(GO_ID.replace('b', "B")), ..sample() };
    assert_eq!(compare(&core, &other), BinaryMatch::Mismatch);
    let arm = ExecutableFile { machine: 183, ..sample() };
    assert_eq!(compare(&core, &arm), BinaryMatch::Mismatch);
    // Tools that edit debug information make a new GNU ID; one that is alone decides.
    let edited = ExecutableFile { gnu_build_id: Some(vec![1; 20]), ..sample() };
    assert_eq!(compare(&core, &edited), BinaryMatch::BuildId);
    let alone = ExecutableFile { go_build_id: None, ..edited };
    assert_eq!(compare(&core, &alone), BinaryMatch::Mismatch);
    let gnu = ExecutableFile { go_build_id: None, ..sample() };
    assert_eq!(compare(&core, &gnu), BinaryMatch::BuildId);
}

#[test]
fn an_id_that_every_program_shares_proves_nothing() {
    let mut derived = Sha256::digest(b"redacted").to_vec();
    derived[0] ^= 0xff;
    derived.truncate(20);
    for gnu_build_id in [None, Some(derived)] {
        let ours = ExecutableFile { go_build_id: Some("redacted".to_owned()), gnu_build_id, ..sample() };
        assert_eq!(compare(&core_of(&ours, 0, 0), &ours), BinaryMatch::None);
        assert_eq!(compare(&core_of(&ours, 0, 9000), &ours), BinaryMatch::Text);

        let mut text = ours.clone();
        text.loads[0].bytes[5000] ^= 1;
        assert_eq!(compare(&core_of(&ours, 0, 9000), &text), BinaryMatch::Mismatch);
        let mut entry = ours.clone();
        entry.entry += 16;
        assert_eq!(compare(&core_of(&ours, 0, 0), &entry), BinaryMatch::Mismatch);
        let mut larger = ours.clone();
        larger.loads[1].size += 8;
        assert_eq!(compare(&core_of(&ours, 0, 0), &larger), BinaryMatch::Mismatch);
        let mut commit = ours.clone();
        commit.loads[1].bytes =
            build_info(BuildInfoForm::Inline, "go1.24.11", &MODULES.replace("0123abcd", "4567abcd"));
        assert_eq!(compare(&core_of(&ours, 0, 0), &commit), BinaryMatch::Mismatch);
    }
}

#[test]
fn position_independent_executables_are_found_where_they_were_loaded() {
    let mut ours =
        ExecutableFile { kind: 3, base: 0, entry: 0x1000, gnu_build_id: None, go_build_id: None, ..sample() };
    ours.loads[0].address = 0x1000;
    let bias = 0x5555_5555_4000;
    let core = core_of(&ours, bias, 9000);
    assert_eq!(compare(&core, &ours), BinaryMatch::Text);
    let (core, file) = (core.write(), ours.write());
    let (core, _) = Core::parse(&core).unwrap();
    let (executable, _) = Executable::parse(&file).unwrap();
    assert_eq!(matching::load_bias(&core, &executable), Some(bias));
    let mut nearby = ours.clone();
    nearby.entry += 16;
    assert_eq!(compare(&core_of(&ours, bias, 0), &nearby), BinaryMatch::Mismatch);
}

#[test]
fn a_core_without_the_first_page_tells_no_ids() {
    let mut core = core_of(&sample(), 0, 9000);
    core.memory[0].dumped.clear();
    assert_eq!(compare(&core, &sample()), BinaryMatch::Text);
    core.auxv.clear();
    core.files.clear();
    core.memory.truncate(1);
    assert_eq!(compare(&core, &sample()), BinaryMatch::None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever is done to an executable, reading it and comparing it ends, and without a panic.
    #[test]
    fn damage_is_survived(
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 0..12),
        header_edits in prop::collection::vec((0_usize..300, any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut file = ExecutableFile {
            sections: vec![SectionBytes::compressed(".debug_info", 1, 100, &[0x78, 1, 1, 0, 0, 0xff, 0xff])],
            ..sample()
        }.write();
        for (at, byte) in edits {
            *at.get_mut(&mut file) = byte;
        }
        for (at, byte) in header_edits {
            file[at] = byte;
        }
        if cut {
            file.truncate(length.index(file.len()));
        }
        let core = core_of(&sample(), 0, 9000).write();
        let (core, _) = Core::parse(&core).unwrap();
        if let Ok((executable, _)) = Executable::parse(&file) {
            let _ = matching::compare(&core, &core.memory(), &executable);
            let _ = (executable.symbol("main.main"), executable.symbol_at(0x40_1010));
            let _ = (executable.section(".debug_info"), executable.text_sha256(), executable.pclntab());
        }
        // And as what a hostile process had in its first page.
        let mut memory = panicle_image::AddressSpace::new();
        memory.add_layer(0x40_0000, &file);
        let _ = matching::build_ids_in_memory(&memory, 0x40_0000);
    }
}
