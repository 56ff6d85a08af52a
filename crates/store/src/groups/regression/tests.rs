use std::cmp::Ordering::{Equal, Greater, Less};

use super::{Build, Resolution, ResolvedIn, compare, judge};

fn in_version(version: &str) -> Resolution {
    let resolved = ResolvedIn { version: Some(version.to_owned()), ..ResolvedIn::default() };
    Resolution { resolved, at: 1000, build_first_seen: None }
}

fn of_version(version: &str) -> Build {
    // Seen first long before the resolution: only the version tells.
    Build { version: Some(version.to_owned()), first_seen: Some(1), seen_at: 2000, ..Build::default() }
}

#[test]
fn versions_are_ordered_as_go_orders_them() {
    assert_eq!(compare("v1.4.2", "v1.4.10"), Some(Less));
    assert_eq!(compare("v1.4.2+dirty", "v1.4.2"), Some(Equal));
    assert_eq!(compare("v2.0.0+incompatible", "v1.9.0"), Some(Greater));
    assert_eq!(compare("v1.4.3-0.20240102030405-abcdef012345", "v1.4.2"), Some(Greater));
    assert_eq!(compare("v1.4.3-0.20240102030405-abcdef012345", "v1.4.3"), Some(Less));
    assert_eq!(
        compare("v0.0.0-20240102030405-abcdef012345", "v0.0.0-20250102030405-0bcdef012345"),
        Some(Less)
    );
    assert_eq!(compare("v1.5.0-rc.2", "v1.5.0-rc.10"), Some(Less));
    assert_eq!(compare("(devel)", "v1.4.2"), None);
    // It may be of a commit long after v1.4.2, in a clone without tags.
    assert_eq!(compare("v0.0.0-20250102030405-0bcdef012345+dirty", "v1.4.2"), None);
    assert_eq!(compare("v1.4.3-0.20240102030405-abcdef012345", "v0.0.0-20250102030405-0bcdef012345"), None);
    assert_eq!(compare("v0.0.0-rc.1", "v0.1.0"), Some(Less));
    assert_eq!(compare("1.4.2", "v1.4.2"), None);
}

#[test]
fn an_older_version_stays_resolved_and_a_newer_one_does_not() {
    for (version, regressed) in [
        ("v1.4.1", false),
        ("v1.4.2-rc.1", false),
        ("v1.4.3-0.20240102030405-abcdef012345", true),
        ("v1.4.2", true),
        ("v1.4.2+dirty", true),
        ("v1.4.3-0.20240102030405-abcdef012345", true),
        ("v2.0.0", true),
    ] {
        let judged = judge(&in_version("v1.4.2"), &of_version(version));
        assert_eq!(judged.regressed, regressed, "{judged:?}");
        assert!(judged.reason.contains(version) && judged.reason.contains("v1.4.2"), "{judged:?}");
    }
}

#[test]
fn what_has_no_order_is_ordered_by_when_it_was_seen_first() {
    let build = |first_seen| Build { first_seen, ..of_version("(devel)") };
    let regressed = |resolution: &Resolution, build: &Build| judge(resolution, build).regressed;
    assert!(!regressed(&in_version("v1.4.2"), &build(Some(999))));
    assert!(regressed(&in_version("v1.4.2"), &build(Some(1001))));
    // The build that mends it is known: those after it are newer, whenever somebody said so.
    let known = Resolution { build_first_seen: Some(500), ..in_version("v1.4.2") };
    assert!(regressed(&known, &build(Some(501))));
    assert!(!regressed(&known, &build(Some(499))));
    // Nothing is known of the build: the time of the crash is all there is.
    assert!(regressed(&in_version("v1.4.2"), &build(None)));
    assert!(!regressed(&in_version("v1.4.2"), &Build { seen_at: 900, ..build(None) }));
}

#[test]
fn a_revision_or_build_that_was_to_mend_it_and_crashes_has_not() {
    let resolved =
        ResolvedIn { revision: Some("0123abcd".to_owned()), build: Some("b1".to_owned()), version: None };
    let resolution = Resolution { resolved, at: 1000, build_first_seen: Some(2) };
    let old = Build { first_seen: Some(1), seen_at: 2000, ..Build::default() };
    assert!(!judge(&resolution, &old).regressed);
    let revision = Build { revision: Some("0123ABCDEF0123".to_owned()), ..old.clone() };
    assert!(judge(&resolution, &revision).regressed);
    let other = Build { revision: Some("0123".to_owned()), ..old.clone() };
    assert!(!judge(&resolution, &other).regressed, "too short to say");
    assert!(judge(&resolution, &Build { id: Some("b1".to_owned()), ..old }).regressed);
}
