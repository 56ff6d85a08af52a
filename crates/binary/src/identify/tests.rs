use super::{Kind, identify};

#[test]
fn tells_kinds_apart() {
    assert_eq!(identify(b""), Kind::Empty);
    assert_eq!(identify(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0"), Kind::Core);
    assert_eq!(identify(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0"), Kind::Executable);
    assert_eq!(identify(b"\x7fELF"), Kind::OtherElf);
    assert_eq!(identify(b"go 1.23 trace\0\0\0rest"), Kind::GoTrace);
    assert_eq!(identify(b"panic: boom\n\ngoroutine 1 [running]:\n"), Kind::Text);
    assert_eq!(identify("schön\u{20ac}".as_bytes().split_last().unwrap().1), Kind::Text);
    assert_eq!(identify(b"\0\x01\x02\xff"), Kind::Unknown);
}

#[test]
fn mach_o_is_told_from_java() {
    assert_eq!(identify(b"\xcf\xfa\xed\xfe\x07\0\0\x01"), Kind::MachO);
    assert_eq!(identify(b"\xfe\xed\xfa\xcf\x01\0\0\x07"), Kind::MachO);
    assert_eq!(identify(b"\xca\xfe\xba\xbe\0\0\0\x02"), Kind::MachO);
    assert_eq!(identify(b"\xca\xfe\xba\xbe\0\0\0\x41"), Kind::Unknown);
}

#[test]
fn archives_and_compressed_files() {
    let mut tar = vec![0; 512];
    tar[..5].copy_from_slice(b"a.txt");
    tar[257..263].copy_from_slice(b"ustar\0");
    assert_eq!(identify(&tar), Kind::Tar);
    assert_eq!(identify(b"PK\x03\x04"), Kind::Zip);
    assert_eq!(identify(b"\x1f\x8b\x08"), Kind::Gzip);
    assert_eq!(identify(b"\x28\xb5\x2f\xfd"), Kind::Zstd);
    assert_eq!(identify(b"\xfd7zXZ\0"), Kind::Xz);
    assert_eq!(identify(b"\x04\x22\x4d\x18"), Kind::Lz4);
}

/// The starts of what runtime/pprof of Go 1.27.3 wrote, without the compression.
#[test]
fn profiles_are_told_from_text() {
    for start in [
        "5a040801100260010a04080110022210080118909f90022205080110e00910012a0b",
        "5a0408011002608080200a04080310040a04080510020a04080610040a04080710022216",
        "488b83b2b58aa281f5180a04080110020a040803100450ddbda10f5a04080310046080ade204221508",
    ] {
        assert_eq!(identify(&hex::decode(start).unwrap()), Kind::Profile, "{start}");
    }
    assert_eq!(identify(b"\n\ngoroutine 1 [running]:\n"), Kind::Text);
    assert_eq!(identify(b"\n\x04\x08\x01"), Kind::Unknown);
    assert_eq!(identify(b"\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Kind::Unknown);
}
