use super::Scheme;

fn ordered(scheme: Scheme, versions: &[&str]) {
    let keys: Vec<String> = versions.iter().map(|text| scheme.key(text).expect(text)).collect();
    for (pair, names) in keys.windows(2).zip(versions.windows(2)) {
        assert!(pair[0] < pair[1], "{names:?}: {pair:?}");
    }
}

#[test]
fn go_versions_are_in_the_order_of_releases() {
    ordered(
        Scheme::Go,
        &[
            "go1.9.7",
            "go1.19.8",
            "devel go1.24-3f4e1f2 Mon Jan 1 00:00:00 2025 +0000",
            "go1.24beta1",
            "go1.24rc1",
            "go1.24rc2",
            "go1.24rc10",
            "go1.24",
            "go1.24.1",
            "go1.24.11",
            "go1.25rc1",
            "go1.100.0",
            "go2.0.0",
        ],
    );
    let key = |text| Scheme::Go.key(text);
    assert_eq!(key("go1.24"), key("go1.24.0"));
    assert_eq!(key("go1.24.11"), key("go1.24.11 X:nocoverageredesign"));
    assert_eq!(key("go1.24.11"), key("go1.24.11-vendor.3"));
    for none in ["", "go", "go1.", "go1..2", "gccgo", "go1.2.3.4", "go1.24pre", "go1.24rc", "1.24"] {
        assert_eq!(key(none), None, "{none}");
    }
}

#[test]
fn module_versions_are_in_the_order_of_semantic_versioning() {
    ordered(
        Scheme::Module,
        &[
            "v0.0.0-20230102030405-abcdefabcdef",
            "v0.0.0-20240102030405-aaaaaaaaaaaa",
            "v0.9.0",
            "v1.0.0-alpha",
            "v1.0.0-alpha.1",
            "v1.0.0-alpha.beta",
            "v1.0.0-beta",
            "v1.0.0-beta.2",
            "v1.0.0-beta.11",
            "v1.0.0-rc.1",
            "v1.0.0",
            "v1.0.1-0.20240102030405-aaaaaaaaaaaa",
            "v1.0.1",
            "v1.4.10",
            "v1.40.0",
            "v10.0.0",
        ],
    );
    let key = |text| Scheme::Module.key(text);
    assert_eq!(key("v2.0.0+incompatible"), key("v2.0.0"));
    assert_eq!(key("(devel)"), None);
    assert_eq!(key("v1.4"), None);
}

#[test]
fn a_version_without_all_of_its_numbers_stands_for_all_that_begin_so() {
    let version = Scheme::Module.version("1.4").expect("a version");
    assert_eq!(version.text, "v1.4");
    let end = version.end().expect("many");
    let holds = |text: &str| {
        let key = Scheme::Module.key(text).expect(text);
        version.family().expect("many") <= key.as_str() && key < end
    };
    assert!(holds("v1.4.0") && holds("v1.4.12") && holds("v1.4.0-rc.1"));
    assert!(!holds("v1.5.0-rc.1") && !holds("v1.3.9") && !holds("v1.40.0"));
    assert!(Scheme::Go.version("go1.24.3").expect("a version").end().is_none());
    assert!(Scheme::Go.version("1.24rc1").expect("a version").end().is_none());
    assert!(Scheme::Go.version("gopher").is_none() && Scheme::Module.version("1.2.3.4").is_none());
}
