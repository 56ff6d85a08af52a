use super::{
    super::{Spelling, Unwinder},
    *,
};

const TEXT: &str = "# a comment\ngo1.24.11\n\nruntime.g 440 linux/amd64 linux/arm64\n  goid 160 8\n\n\
                    runtime.m 10 linux/amd64\n  procid 8 8\n\nruntime.m 20 linux/arm64\n  procid 16 8\n";

#[test]
fn blocks_are_read_for_their_targets() {
    let arm = read(TEXT, "linux/arm64", LayoutSource::Table, None).unwrap();
    assert_eq!(arm.go_version.as_deref(), Some("go1.24.11"));
    assert_eq!(arm.structure("runtime.g").unwrap().field("goid"), Some(Field { offset: 160, size: 8 }));
    assert_eq!(arm.structure("runtime.m").unwrap().size, 20);
    assert_eq!(arm.structure("runtime.m").unwrap().field("procid"), Some(Field { offset: 16, size: 8 }));
    assert!(read(TEXT, "plan9/amd64", LayoutSource::Table, None).is_none());
}

#[test]
fn what_is_written_is_read_again() {
    let layouts: BTreeMap<Target, Layout> = ["linux/amd64", "linux/arm64"]
        .into_iter()
        .map(|target| (target.to_owned(), read(TEXT, target, LayoutSource::Table, None).unwrap()))
        .collect();
    let text = write("go1.24.11", &layouts);
    for (target, layout) in &layouts {
        let again = read(&text, target, LayoutSource::Table, None).unwrap();
        assert!(layout.structures().eq(again.structures()), "{target}:\n{text}");
    }
}

#[test]
fn the_own_table_comes_first_and_then_the_nearest() {
    let versions = |wanted| -> Vec<_> {
        candidates(wanted, "linux/amd64").map(|layout| layout.go_version.unwrap()).collect()
    };
    assert_eq!(versions(Some("go1.24.3"))[0], "go1.24.3");
    let minors = |wanted| -> Vec<_> { versions(wanted).iter().filter_map(|found| minor(found)).collect() };
    assert_eq!(minors(Some("go1.20.5"))[..2], [21, 19]);
    assert_eq!(minors(Some("devel go1.28-0123456"))[..2], [27, 26]);
    assert_eq!(minors(None)[0], 27);
    assert_eq!(minors(Some("devel go1.27-0123456"))[..2], [27, 26]);
    assert_eq!(minors(Some("go1.27beta1"))[..2], [27, 26]);
    assert_eq!(versions(Some("go1.27rc1"))[0], "go1.27rc1");
    assert_eq!(versions(Some("go1.24.3 X:boringcrypto"))[0], "go1.24.3 X:boringcrypto");
    assert!(
        candidates(Some("go1.20.5"), "linux/amd64").all(|layout| layout.source == LayoutSource::NearestTable)
    );
    // Fields are those of the table, what is printed of them is the version's own.
    let mut old = candidates(Some("go1.20.5"), "linux/amd64");
    assert!(old.all(|layout| layout.unwinder == Unwinder::Gentraceback));
    let mut new = candidates(Some("go1.28.1"), "linux/amd64");
    assert!(new.all(|layout| layout.spelling == Spelling::MethodBrackets));
}
