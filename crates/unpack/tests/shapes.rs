//! Every way in which a file can be packed, by the programs that people pack with.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use panicle_unpack::{Kind, Limits, UnpackError, Unpacked, is_packed, unpack};

/// An ELF core's first bytes, then noise, a long hole and an end.
fn core() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0\x3e\0".to_vec();
    let mut state = 88_u64;
    while bytes.len() < 300_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend_from_slice(&(state >> 20).to_le_bytes());
    }
    bytes.resize(8 << 20, 0);
    bytes.extend_from_slice(b"the end");
    bytes
}

fn executable() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0".to_vec();
    bytes.resize(10_000, 7);
    bytes
}

const TEXT: &str = "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:5 +0x1d\n";

fn file(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// What a program writes to its standard output.
fn output(directory: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn unpacked(bytes: &[u8], limits: &Limits) -> Result<Unpacked, UnpackError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    unpack("in", &file, limits, &mut |_| tempfile::tempfile())
}

fn content(file: &File) -> Vec<u8> {
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

/// Compression programs, as they are asked to write to their standard output.
const PROGRAMS: [(&str, &[&str]); 4] =
    [("zstd", &["-q", "-c"]), ("gzip", &["-c"]), ("lz4", &["-q", "-B4", "-c"]), ("xz", &["-0", "-c"])];

fn compressed(directory: &Path, program: &str, name: &str) -> Vec<u8> {
    let options = PROGRAMS.iter().find(|known| known.0 == program).unwrap().1;
    output(directory, program, &[options, &[name]].concat())
}

#[test]
fn compressed_cores_come_out_sparse_and_digested() {
    let directory = tempfile::tempdir().unwrap();
    let core = core();
    let path = file(directory.path(), "core", &core);
    let digest = String::from_utf8(output(directory.path(), "sha256sum", &["core"])).unwrap();
    for (program, _) in PROGRAMS {
        let bytes = compressed(directory.path(), program, path.to_str().unwrap());
        assert!(is_packed(&bytes[..100]), "{program}");
        let found = unpacked(&bytes, &Limits::default()).unwrap();
        let [part] = found.parts.as_slice() else { panic!("{program}: {found:?}") };
        assert_eq!((part.kind, part.name.as_str(), found.notes.len()), (Kind::Core, "in", 0), "{program}");
        assert!(content(&part.file) == core, "{program}");
        assert_eq!(part.sha256.as_deref(), digest.split(' ').next(), "{program}");
        let disk = part.file.metadata().unwrap().blocks() * 512;
        assert!(disk < 1 << 20, "{program}: {disk} bytes on disk");
        // Streams one behind another are one file.
        let twice = [bytes.as_slice(), &bytes].concat();
        let found = unpacked(&twice, &Limits::default()).unwrap();
        assert!(content(&found.parts[0].file) == [core.as_slice(), &core].concat(), "{program}");
    }
    assert!(!is_packed(&core[..4096]) && !is_packed(TEXT.as_bytes()));
}

#[test]
fn a_stream_that_was_cut_gives_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let core = core();
    file(directory.path(), "core", &core);
    for (program, _) in PROGRAMS {
        let bytes = compressed(directory.path(), program, "core");
        let found = unpacked(&bytes[..bytes.len() * 9 / 10], &Limits::default()).unwrap();
        let start = content(&found.parts[0].file);
        assert!(start.len() > 100_000, "{program}: {} bytes", start.len());
        assert!(core.starts_with(&start), "{program}");
        // lz4's decoder does not tell a cut between two blocks from the end.
        assert!(program == "lz4" || found.notes[0].contains("ends early"), "{program}: {:?}", found.notes);
    }
}

fn bundle(directory: &Path) {
    file(directory, "core.1", &core());
    file(directory, "server", &executable());
    file(directory, "stderr.log", TEXT.as_bytes());
    file(directory, "noise", &[0xa5; 5000]);
    file(directory, "empty", b"");
}

/// Kinds and last names of what came out.
fn kinds(found: &Unpacked) -> Vec<(Kind, &str)> {
    let mut kinds: Vec<_> =
        found.parts.iter().map(|part| (part.kind, part.name.rsplit([':', '/']).next().unwrap())).collect();
    kinds.sort_by_key(|&(_, name)| name);
    kinds
}

const BUNDLED: [(Kind, &str); 3] =
    [(Kind::Core, "core.1"), (Kind::Executable, "server"), (Kind::Text, "stderr.log")];

#[test]
fn archives_give_their_members_by_content() {
    let directory = tempfile::tempdir().unwrap();
    bundle(directory.path());
    let tar = |options: &[&str]| {
        let all = [options, &["-cf", "-", "core.1", "server", "stderr.log", "noise", "empty"]].concat();
        output(directory.path(), "tar", &all)
    };
    let zip = "import sys, zipfile\nz = zipfile.ZipFile('b.zip', 'w', zipfile.ZIP_DEFLATED)\n\
               [z.write(n) for n in ['core.1', 'server', 'stderr.log', 'noise', 'empty']]";
    output(directory.path(), "python3", &["-c", zip]);
    let mut archives = vec![
        ("tar", tar(&[])),
        ("sparse tar", tar(&["--sparse"])),
        ("pax tar", tar(&["--format=pax"])),
        ("tar.zst", tar(&["--zstd"])),
        ("tar.gz", tar(&["--gzip"])),
        ("tar.xz", tar(&["--xz"])),
        ("zip", fs::read(directory.path().join("b.zip")).unwrap()),
    ];
    archives.push(("zip.gz", compressed(directory.path(), "gzip", "b.zip")));
    for (name, bytes) in &archives {
        let found = unpacked(bytes, &Limits::default()).unwrap();
        assert_eq!(kinds(&found), BUNDLED, "{name}");
        assert!(content(&found.parts[0].file) == core(), "{name}");
        assert_eq!(found.notes.len(), 2, "{name}: {:?}", found.notes);
        assert!(found.notes.iter().any(|note| note.contains("noise is of no use")), "{:?}", found.notes);
    }
}

#[test]
fn packed_members_of_archives_are_unpacked_too() {
    let directory = tempfile::tempdir().unwrap();
    bundle(directory.path());
    let packed = compressed(directory.path(), "lz4", "core.1");
    file(directory.path(), "core.1.lz4", &packed);
    output(directory.path(), "tar", &["-cf", "inner.tar", "core.1.lz4", "server", "stderr.log"]);
    let zip = "import zipfile; zipfile.ZipFile('b.zip', 'w').write('inner.tar')";
    output(directory.path(), "python3", &["-c", zip]);
    let bytes = fs::read(directory.path().join("b.zip")).unwrap();
    let found = unpacked(&bytes, &Limits::default()).unwrap();
    assert_eq!(found.parts[0].name, "in:inner.tar:core.1.lz4");
    assert_eq!(found.parts.iter().map(|part| part.kind).collect::<Vec<_>>(), BUNDLED.map(|(kind, _)| kind));
    let shallow = unpacked(&bytes, &Limits { depth: 2, ..Limits::default() });
    assert!(matches!(shallow, Err(UnpackError::TooDeep { limit: 2 })), "{shallow:?}");
}

#[test]
fn a_zip_whose_writer_was_killed_is_salvaged() {
    let directory = tempfile::tempdir().unwrap();
    bundle(directory.path());
    // The last member breaks off, and there is no central directory. To a pipe, sizes come behind
    // the data; to a file, they are put into the header when the member is whole.
    for (target, method) in
        [("sys.stdout.buffer", "ZIP_DEFLATED"), ("'b.zip'", "ZIP_DEFLATED"), ("'b.zip'", "ZIP_STORED")]
    {
        let zip = format!(
            "import sys, zipfile\nz = zipfile.ZipFile({target}, 'w', zipfile.{method})\n\
             [z.write(n) for n in ['server', 'stderr.log', 'core.1']]\nz.close()"
        );
        let mut bytes = output(directory.path(), "python3", &["-c", &zip]);
        if target == "'b.zip'" {
            bytes = fs::read(directory.path().join("b.zip")).unwrap();
        }
        for part in [60, 90] {
            let found = unpacked(&bytes[..bytes.len() * part / 100], &Limits::default()).unwrap();
            assert_eq!(kinds(&found), BUNDLED, "{target} {method}: {:?}", found.notes);
            let start = content(&found.parts[2].file);
            assert!(start.len() > 100_000 && core().starts_with(&start), "{method}: {} bytes", start.len());
            assert_eq!(content(&found.parts[1].file), TEXT.as_bytes());
        }
    }
}

#[test]
fn bombs_end_in_an_error() {
    let directory = tempfile::tempdir().unwrap();
    // A text, so that it is kept.
    file(directory.path(), "a", &vec![b'a'; 50 << 20]);
    let bomb = compressed(directory.path(), "zstd", "a");
    assert!(bomb.len() < 100_000);
    let limits = Limits { bytes: 10 << 20, disk_bytes: 5 << 20, members: 10, ..Limits::default() };
    let large = unpacked(&bomb, &limits);
    assert!(matches!(large, Err(UnpackError::TooMuchDisk { .. })), "{large:?}");
    let large = unpacked(&bomb, &Limits { disk_bytes: 1 << 30, ..limits });
    assert!(matches!(large, Err(UnpackError::TooLarge { .. })), "{large:?}");
    // The bomb in a tar, and one that is not even kept.
    file(directory.path(), "a.zst", &bomb);
    let bytes = output(directory.path(), "tar", &["-cf", "-", "a.zst"]);
    assert!(matches!(
        unpacked(&bytes, &Limits { disk_bytes: 1 << 30, ..limits }),
        Err(UnpackError::TooLarge { .. })
    ));
    file(directory.path(), "0", &vec![0; 50 << 20]);
    let bytes = output(directory.path(), "tar", &["-czf", "-", "0"]);
    assert!(matches!(unpacked(&bytes, &limits), Err(UnpackError::TooLarge { .. })));
    // A core of zeros takes no disk and has a size all the same.
    let mut zeros = core();
    zeros.resize(50 << 20, 0);
    file(directory.path(), "core", &zeros);
    let bytes = compressed(directory.path(), "zstd", "core");
    assert!(matches!(unpacked(&bytes, &limits), Err(UnpackError::TooLarge { .. })));
    assert!(unpacked(&bytes, &Limits { bytes: 60 << 20, ..limits }).is_ok());
    // Very many members.
    let zip = "import sys, zipfile\nz = zipfile.ZipFile('many.zip', 'w')\n\
               [z.writestr(str(n), 'x') for n in range(11)]\nz.close()";
    output(directory.path(), "python3", &["-c", zip]);
    let bytes = fs::read(directory.path().join("many.zip")).unwrap();
    assert!(matches!(unpacked(&bytes, &limits), Err(UnpackError::TooMany { limit: 10 })));
    let low = unpacked(&bytes, &Limits { free_bytes: u64::MAX, ..Limits::default() });
    assert!(matches!(low, Err(UnpackError::DiskLow { .. })), "{low:?}");
}

#[test]
fn what_has_nothing_of_use_says_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    file(directory.path(), "noise", &[0xa5; 5000]);
    let bytes = compressed(directory.path(), "gzip", "noise");
    let error = unpacked(&bytes, &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("in is of no use here: it is a file of an unknown kind"), "{error}");
    let error = unpacked(b"\x1f\x8b\x08 this is not gzip", &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    for magic in [&b"\x28\xb5\x2f\xfd"[..], b"\xfd7zXZ\0", b"\x04\x22\x4d\x18", b"PK\x03\x04"] {
        assert!(unpacked(&[magic, &[0x55; 300]].concat(), &Limits::default()).is_err());
    }
}

#[test]
fn any_bytes_are_survived() {
    let directory = tempfile::tempdir().unwrap();
    bundle(directory.path());
    output(directory.path(), "tar", &["-cf", "b.tar", "server", "stderr.log"]);
    let zip = "import zipfile\nz = zipfile.ZipFile('b.zip', 'w', zipfile.ZIP_DEFLATED)\n\
               [z.write(n) for n in ['server', 'stderr.log']]\nz.close()";
    output(directory.path(), "python3", &["-c", zip]);
    let mut samples: Vec<Vec<u8>> =
        PROGRAMS.iter().map(|(program, _)| compressed(directory.path(), program, "server")).collect();
    samples.push(fs::read(directory.path().join("b.tar")).unwrap());
    samples.push(fs::read(directory.path().join("b.zip")).unwrap());
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let limits = Limits { bytes: 64 << 20, members: 100, ..Limits::default() };
    for sample in &samples {
        for round in 0..200 {
            let mut bytes = sample.clone();
            for _ in 0..=round % 8 {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            if round % 3 == 0 {
                bytes.truncate(random(bytes.len()));
            }
            let _ = unpacked(&bytes, &limits);
        }
    }
}
