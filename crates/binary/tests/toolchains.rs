//! Executables of every supported toolchain, against what its own tools say of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use goblin::elf::Elf;
use panicle_binary::{Executable, build_info::BuildInfo, identify, matching};
use panicle_fixtures::{Fixture, all, cache_root};
use panicle_image::{Core, mmap};
use panicle_report::{BinaryMatch, DwarfPresence};

fn versions() -> BTreeSet<String> {
    all().into_iter().map(|fixture| fixture.go_version).collect()
}

fn map(path: &Path) -> mmap::Mapped {
    mmap::map(&File::open(path).expect("a file")).expect("a mapping")
}

/// Runs the go command of a toolchain; what it printed.
fn go(version: &str, directory: &Path, arguments: &[&str]) -> String {
    let root = cache_root().expect("a cache");
    let output = Command::new(root.join("toolchains").join(version).join("go/bin/go"))
        .args(arguments)
        .current_dir(directory)
        .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off"), ("CGO_ENABLED", "0")])
        .env("GOCACHE", root.join("go-build"))
        .output()
        .expect("the go command");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Builds a small program with these flags.
fn build(version: &str, directory: &Path, flags: &[&str]) -> PathBuf {
    fs::write(directory.join("go.mod"), "module example.com/small\n\ngo 1.21\n").expect("written");
    fs::write(directory.join("main.go"), "package main\n\nvar v string\n\nfunc main() { println(v) }\n")
        .expect("written");
    let path = directory.join(format!("small{}", flags.join("").replace(['/', ' ', '"'], "_")));
    go(version, directory, &[&["build", "-o", path.to_str().expect("a path")], flags].concat());
    path
}

/// What `go version -m` prints of the unquoted settings, path and modules.
fn described(info: &BuildInfo) -> BTreeSet<String> {
    let mut lines: BTreeSet<String> =
        info.settings.iter().map(|(key, value)| format!("build\t{key}={value}")).collect();
    lines.extend(info.path.iter().map(|path| format!("path\t{path}")));
    let main = info.main.iter().map(|module| ("mod", module));
    for (word, module) in main.chain(info.dependencies.iter().map(|module| ("dep", module))) {
        let column = |text: &Option<String>| text.clone().unwrap_or_default();
        lines.insert(format!(
            "{word}\t{}\t{}\t{}",
            module.path,
            column(&module.version),
            column(&module.sum)
        ));
    }
    lines
}

#[test]
fn identities_are_those_that_the_go_command_prints() {
    for fixture in all().iter().filter(|fixture| fixture.program == "busy") {
        let at = fixture.binary.display();
        let bytes = map(&fixture.binary);
        let (executable, diagnostics) = Executable::parse(&bytes).unwrap();
        assert_eq!(diagnostics, [], "{at}");
        let path = fixture.binary.to_str().unwrap();
        let id = go(&fixture.go_version, &fixture.directory, &["tool", "buildid", path]);
        assert_eq!(executable.build_ids.go.as_deref(), Some(id.trim()), "{at}");
        let printed = go(&fixture.go_version, &fixture.directory, &["version", "-m", path]);
        let mut lines = printed.lines();
        let info = executable.build_info.as_ref().unwrap();
        assert!(lines.next().unwrap().ends_with(&format!(" {}", info.go_version)), "{at}");
        assert_eq!(info.go_version, format!("go{}", fixture.go_version), "{at}");
        let printed: BTreeSet<String> =
            lines.map(|line| line.trim_start().replace('"', "").replace("-N\\u0020-l", "-N -l")).collect();
        assert_eq!(described(info), printed, "{at}");
        assert_eq!(executable.position_independent, fixture.variant == "pie", "{at}");
    }
}

#[test]
fn a_second_parser_sees_the_same() {
    for fixture in all().iter().filter(|fixture| ["busy", "calls"].contains(&fixture.program.as_str())) {
        let at = fixture.binary.display();
        let bytes = map(&fixture.binary);
        let (executable, _) = Executable::parse(&bytes).unwrap();
        let elf = Elf::parse(&bytes).unwrap();
        assert_eq!(executable.entry, elf.entry, "{at}");
        let loads = elf.program_headers.iter().filter(|header| header.p_type == 1);
        let theirs: Vec<_> = loads
            .map(|h| (h.p_vaddr, h.p_memsz, h.p_offset, h.p_filesz, h.is_write(), h.is_executable()))
            .collect();
        let ours: Vec<_> = executable
            .load_segments
            .iter()
            .map(|s| {
                (s.address, s.memory_size, s.file_offset, s.bytes.len() as u64, s.writable, s.executable)
            })
            .collect();
        assert_eq!(ours, theirs, "{at}");
        let mut sections = 0;
        for header in &elf.section_headers {
            let name = elf.shdr_strtab.get_at(header.sh_name).unwrap();
            // NOBITS has no bytes, COMPRESSED others.
            if name.is_empty() || header.sh_type == 8 || header.sh_flags & 0x800 != 0 {
                continue;
            }
            let ours = executable.section(name).unwrap();
            assert_eq!(ours.address, header.sh_addr, "{at} {name}");
            assert_eq!(&*ours.data, &bytes[header.file_range().unwrap()], "{at} {name}");
            sections += 1;
        }
        assert!(sections > 10, "{at}: {sections} sections");
        let mut theirs: BTreeMap<&str, u64> = BTreeMap::new();
        for symbol in elf.syms.iter().filter(|symbol| symbol.st_shndx != 0) {
            theirs.insert(elf.strtab.get_at(symbol.st_name).unwrap(), symbol.st_value);
        }
        assert!(theirs.len() > 1000, "{at}");
        for (name, address) in theirs {
            assert_eq!(executable.symbol(name).map(|symbol| symbol.address), Some(address), "{at} {name}");
        }
        for symbol in elf.syms.iter().filter(|symbol| symbol.is_function() && symbol.st_size > 0) {
            let (_, found) = executable.symbol_at(symbol.st_value + symbol.st_size - 1).unwrap();
            assert_eq!((found.address, found.size), (symbol.st_value, symbol.st_size), "{at}");
        }
    }
}

#[test]
fn every_core_knows_its_executable_and_no_other() {
    let fixtures = all();
    let running = |fixture: &Fixture, executable: &Path| {
        let (core, file) = (map(&fixture.core), map(executable));
        let (core, _) = Core::parse(&core).unwrap();
        let (executable, _) = Executable::parse(&file).unwrap();
        let memory = core.memory();
        let ids = matching::running_build_ids(&core, &memory);
        let same = ids.go == executable.build_ids.go && ids.gnu == executable.build_ids.gnu;
        (matching::compare(&core, &memory, &executable), same)
    };
    for (index, fixture) in fixtures.iter().enumerate() {
        assert_eq!(
            running(fixture, &fixture.binary),
            (BinaryMatch::BuildId, true),
            "{}",
            fixture.core.display()
        );
        // Another program: other links of the same one are twins.
        let others = fixtures.iter().cycle().skip(index);
        let other = others.take(fixtures.len()).find(|other| other.program != fixture.program).unwrap();
        assert_eq!(
            running(fixture, &other.binary),
            (BinaryMatch::Mismatch, false),
            "{} with {}",
            fixture.core.display(),
            other.binary.display()
        );
    }
}

#[test]
fn builds_that_hide_who_they_are() {
    let directory = tempfile::tempdir().unwrap();
    for version in versions() {
        let file = map(&build(&version, directory.path(), &["-trimpath", "-ldflags=-s -w -X main.v=a\"b"]));
        let (stripped, _) = Executable::parse(&file).unwrap();
        assert!(stripped.stripped && stripped.dwarf == DwarfPresence::None, "{version}");
        assert!(stripped.pclntab().is_some() && stripped.is_go(), "{version}");
        let info = stripped.build_info.unwrap();
        // With -trimpath the go command leaves the linker's flags out.
        assert_eq!(info.settings.get("-trimpath").map(String::as_str), Some("true"), "{version}");

        let file = map(&build(&version, directory.path(), &["-ldflags=-X main.v=a -buildid=redacted"]));
        let (redacted, _) = Executable::parse(&file).unwrap();
        assert_eq!(redacted.build_ids.go.as_deref(), Some("redacted"), "{version}");
        assert_eq!(matching::compare_ids(&redacted.build_ids, &redacted.build_ids), None, "{version}");
        assert!(!redacted.stripped && redacted.dwarf == DwarfPresence::Full, "{version}");
        let info = redacted.build_info.as_ref().unwrap();
        assert_eq!(info.settings["-ldflags"], "-X main.v=a -buildid=redacted", "{version}");
        // Compressed by the linker; the first unit begins with its length.
        let debug = redacted.section(".debug_info").unwrap().data;
        let length = u32::from_le_bytes(*debug.first_chunk().unwrap()) as usize;
        assert!(length > 11 && length < debug.len(), "{version}: {length} of {}", debug.len());
    }
}

#[test]
fn kinds_are_told_by_their_first_bytes() {
    let fixtures = all();
    let fixture = &fixtures[0];
    let head = |path: &Path| map(path)[..4096].to_vec();
    assert_eq!(identify::identify(&head(&fixture.core)), identify::Kind::Core);
    assert_eq!(identify::identify(&head(&fixture.binary)), identify::Kind::Executable);
    for fixture in &fixtures {
        let stderr = map(&fixture.stderr);
        let kind = identify::identify(stderr.get(..4096).unwrap_or(&stderr));
        assert_eq!(kind, identify::Kind::Text, "{}", fixture.stderr.display());
    }
}
