//! Stripped executables and what tells about them: debug files and unstripped twins, of every supported
//! toolchain and of binutils.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{Program, build, map, run, versions};
use goblin::elf::Elf;
use panicle_binary::{DebugLink, Executable, Tie, Untied, matching};
use panicle_report::DwarfPresence;

fn attach<'a>(to: &mut Executable<'a>, file: Executable<'a>, bytes: &[u8]) -> Result<Tie, Untied> {
    to.attach_debug(file, bytes).map_err(|(untied, _)| untied)
}

fn copy_of(path: &Path, suffix: &str) -> PathBuf {
    path.with_file_name(format!("{}{suffix}", path.file_name().unwrap().to_str().unwrap()))
}

/// Every way of linking that changes what is where.
const MODES: [&[&str]; 4] = [&[], &["-trimpath"], &["-buildmode=pie"], &["-gcflags=all=-N -l"]];

/// Variables of the runtime and of the program that start as zeros.
const BSS: [&str; 4] = ["runtime.allgs", "runtime.allm", "runtime.sched", "main.v"];

/// Where a section is, as another parser sees it.
fn section(file: &[u8], name: &str) -> u64 {
    let elf = Elf::parse(file).unwrap();
    let of = |header: &&goblin::elf::SectionHeader| elf.shdr_strtab.get_at(header.sh_name) == Some(name);
    elf.section_headers.iter().find(of).unwrap().sh_addr
}

#[test]
fn an_unstripped_twin_is_known_by_its_text() {
    let directory = tempfile::tempdir().unwrap();
    for version in versions() {
        for mode in MODES {
            let of =
                |program, flags: &[&str]| build(&version, directory.path(), program, &[mode, flags].concat());
            let (full, bare) = (map(&of(Program::Small, &[])), map(&of(Program::Small, &["-ldflags=-s -w"])));
            let (twin, _) = Executable::parse(&full).unwrap();
            let (mut stripped, _) = Executable::parse(&bare).unwrap();
            assert_eq!(stripped.text_sha256(), twin.text_sha256(), "{version} {mode:?}");
            assert_eq!(
                matching::compare_ids(&stripped.build_ids, &twin.build_ids),
                Some(false),
                "{version} {mode:?}"
            );

            // What the linker put into `.bss` is as far into it in every link.
            let (bss, place) = (section(&full, ".bss"), section(&bare, ".bss"));
            let here = |name| twin.symbol(name).unwrap().address - bss + place;
            let expected: Vec<_> = BSS.into_iter().map(|name| (name, here(name))).collect();
            let main = twin.symbol("main.main");
            assert_eq!(stripped.symbol("runtime.allgs"), None, "{version} {mode:?}");
            assert_eq!(attach(&mut stripped, twin, &full), Ok(Tie::Text), "{version} {mode:?}");
            assert_eq!(stripped.dwarf, DwarfPresence::Separate);
            let (dwarf, _) = stripped.load_dwarf().unwrap();
            let dwarf = dwarf.unwrap();
            assert!(dwarf.struct_layout("runtime.g").is_some(), "{version} {mode:?}");
            for (name, here) in expected {
                assert_eq!(dwarf.variable(name).unwrap().address, here, "{version} {mode:?} {name}");
                assert_eq!(stripped.symbol(name).unwrap().address, here, "{version} {mode:?} {name}");
            }
            assert_eq!(stripped.symbol("main.main"), main, "{version} {mode:?}");

            let other = map(&of(Program::Changed, &[]));
            let (other, _) = Executable::parse(&other).unwrap();
            let (mut stripped, _) = Executable::parse(&bare).unwrap();
            assert_eq!(attach(&mut stripped, other, &full), Err(Untied::TextDiffers), "{version} {mode:?}");
            assert_eq!(stripped.dwarf, DwarfPresence::None);
        }
    }
}

#[test]
fn what_binutils_split_off_is_known_by_its_id_or_checksum() {
    let directory = tempfile::tempdir().unwrap();
    for version in versions() {
        for mode in [&[][..], &["-buildmode=pie"]] {
            let full = build(&version, directory.path(), Program::Small, mode);
            let (debug, bare) = (copy_of(&full, ".debug"), copy_of(&full, ".stripped"));
            let text = |path: &Path| path.to_str().unwrap().to_owned();
            run("objcopy", &["--only-keep-debug", &text(&full), &text(&debug)]);
            run("strip", &["-o", &text(&bare), &text(&full)]);
            run("objcopy", &[&format!("--add-gnu-debuglink={}", text(&debug)), &text(&bare)]);

            let (debug_bytes, bare_bytes) = (map(&debug), map(&bare));
            let (file, _) = Executable::parse(&debug_bytes).unwrap();
            assert!(file.is_debug_only() && file.text_sha256().is_none(), "{version} {mode:?}");
            let (mut stripped, _) = Executable::parse(&bare_bytes).unwrap();
            assert!(stripped.stripped && !stripped.is_debug_only(), "{version} {mode:?}");
            assert!(stripped.is_go() && stripped.pclntab().is_some() && stripped.build_info.is_some());
            assert_eq!(stripped.build_ids, file.build_ids, "{version} {mode:?}");
            let link = stripped.debug_link().unwrap();
            let name = debug.file_name().unwrap().to_str().unwrap();
            assert_eq!(link, DebugLink { name: name.to_owned(), crc32: link.crc32 });
            assert!(link.is_of(&debug_bytes) && !link.is_of(&bare_bytes), "{version} {mode:?}");
            assert_eq!(attach(&mut stripped, file, &debug_bytes), Ok(Tie::BuildId), "{version} {mode:?}");
            let (dwarf, _) = stripped.load_dwarf().unwrap();
            let main = dwarf.unwrap().function_at(stripped.symbol("main.main").unwrap().address).unwrap();
            assert_eq!(main.name, "main.main", "{version} {mode:?}");

            // Without IDs the checksum ties them, and nothing else does.
            let ids = ["--remove-section=.note.go.buildid", "--remove-section=.note.gnu.build-id"];
            let (nameless_debug, nameless) = (copy_of(&full, ".debug0"), copy_of(&full, ".stripped0"));
            run("objcopy", &[ids[0], ids[1], &text(&debug), &text(&nameless_debug)]);
            fs::rename(&nameless_debug, &debug).unwrap();
            let added = format!("--add-gnu-debuglink={}", text(&debug));
            run("strip", &["-o", &text(&nameless), ids[0], ids[1], &text(&full)]);
            let unlinked = map(&nameless).to_vec();
            run("objcopy", &[&added, &text(&nameless)]);
            let (debug_bytes, linked) = (map(&debug), map(&nameless));
            for (bytes, expected) in
                [(&linked[..], Ok(Tie::DebugLink)), (&unlinked, Err(Untied::NothingToCompare))]
            {
                let (mut stripped, _) = Executable::parse(bytes).unwrap();
                let (file, _) = Executable::parse(&debug_bytes).unwrap();
                assert_eq!(attach(&mut stripped, file, &debug_bytes), expected, "{version} {mode:?}");
            }
        }
    }
}

/// As `sstrip` does: the section headers are gone, from the file and from its header.
fn without_sections(bytes: &[u8]) -> Vec<u8> {
    let sections = u64::from_le_bytes(*bytes[0x28..].first_chunk().unwrap()) as usize;
    let mut bytes = bytes.to_vec();
    bytes[0x28..0x30].fill(0);
    bytes[0x3a..0x40].fill(0);
    // Go's linker puts them in front, others at the end.
    if sections > bytes.len() / 2 {
        bytes.truncate(sections);
    }
    bytes
}

#[test]
fn tables_are_found_without_section_headers() {
    let directory = tempfile::tempdir().unwrap();
    for version in versions() {
        for mode in MODES {
            let bare = [mode, &["-ldflags=-s -w"]].concat();
            let whole = map(&build(&version, directory.path(), Program::Small, &bare)).to_vec();
            let cut = without_sections(&whole);
            let (whole, _) = Executable::parse(&whole).unwrap();
            let (cut, _) = Executable::parse(&cut).unwrap();
            assert!(cut.stripped && cut.is_go(), "{version} {mode:?}");
            assert_eq!(cut.build_info, whole.build_info, "{version} {mode:?}");
            assert_eq!(cut.build_ids, whole.build_ids, "{version} {mode:?}");
            let (expected, bytes) = whole.pclntab().unwrap();
            let (found, rest) = cut.pclntab().unwrap();
            assert_eq!(found, expected, "{version} {mode:?}");
            assert!(rest.starts_with(bytes), "{version} {mode:?}");
        }
    }
}
