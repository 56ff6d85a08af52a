use std::borrow::Cow;

use super::{super::DwarfIndex, LONGEST_NAME};

const LOW: u64 = 0x1000;

/// A unit with one function named `name` at [`LOW`], which has `depth` calls inlined into one another, each
/// of a function without a name, and `nulls` null entries too many in front of it.
fn unit(name: &[u8], depth: usize, nulls: usize) -> Vec<u8> {
    // DWARF 4, abbreviations at 0, addresses of 8 bytes.
    let mut content = vec![4, 0, 0, 0, 0, 0, 8, 1];
    content.extend_from_slice(&LOW.to_le_bytes());
    content.extend_from_slice(&0x100_u64.to_le_bytes());
    content.extend(std::iter::repeat_n(0, nulls));
    content.push(2);
    content.extend_from_slice(name);
    content.push(0);
    content.extend_from_slice(&LOW.to_le_bytes());
    content.extend_from_slice(&0x100_u64.to_le_bytes());
    content.extend(std::iter::repeat_n(3, depth));
    content.extend(std::iter::repeat_n(0, depth + 2));
    let mut info = u32::try_from(content.len()).unwrap().to_le_bytes().to_vec();
    info.extend(content);
    info
}

/// The compilation unit and the subprogram with low and high pc (the latter a length), and an inlined
/// subroutine; all three have children.
const ABBREVIATIONS: &[u8] = &[
    1, 0x11, 1, 0x11, 1, 0x12, 7, 0, 0, //
    2, 0x2e, 1, 3, 8, 0x11, 1, 0x12, 7, 0, 0, //
    3, 0x1d, 1, 0, 0, 0,
];

/// Whether there are positions, and the name of the function at an address in the unit.
fn name(info: &[u8]) -> (bool, Option<String>) {
    let (index, diagnostics) = DwarfIndex::load(|section| match section {
        ".debug_info" => Some(Cow::Borrowed(info)),
        ".debug_abbrev" => Some(Cow::Borrowed(ABBREVIATIONS)),
        _ => None,
    })
    .unwrap();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let index = index.unwrap();
    let positions = index.positions();
    let call = positions.as_ref().map(|positions| positions.at(LOW + 4).pop().unwrap());
    (call.is_some(), call.and_then(|call| call.function))
}

#[test]
fn calls_nested_without_end_have_no_positions() {
    assert_eq!(name(&unit(b"parse", 100, 0)), (true, Some("parse".to_owned())));
    assert_eq!(name(&unit(b"parse", 200_000, 0)), (false, None));
    // As deep, from below the root.
    assert_eq!(name(&unit(b"parse", 200_000, 200_000)), (false, None));
}

#[test]
fn names_longer_than_any_are_left_out() {
    let long = "a".repeat(LONGEST_NAME);
    assert_eq!(name(&unit(long.as_bytes(), 0, 0)), (true, Some(long.clone())));
    let longer = long + "a";
    assert_eq!(name(&unit(longer.as_bytes(), 0, 0)), (true, None));
}
