use proptest::prelude::*;

use super::{AddressSpace, Unmapped};

#[test]
fn the_earlier_layer_wins_and_gaps_show_the_later() {
    let mut space = AddressSpace::new();
    space.add_layers([(0x1004, &b"CORE"[..]), (0x2000, &b"top"[..])]);
    space.add_layer(0x1000, b"................");
    let mut seen = [0; 16];
    space.read(0x1000, &mut seen).unwrap();
    assert_eq!(&seen, b"....CORE........");
    assert_eq!(space.slice(0x2000, 3), Some(&b"top"[..]));
    assert_eq!(space.u8(0x1010), Err(Unmapped { address: 0x1010 }));
}

#[test]
fn a_layer_under_several_pieces_fills_every_gap() {
    let mut space = AddressSpace::new();
    space.add_layers([(2, &b"b"[..]), (4, &b"d"[..]), (9, &b"zz"[..])]);
    space.add_layers([(1, &b"12345678"[..]), (3, &b"never"[..])]);
    assert_eq!(space.bytes(1, 10, 100).unwrap().as_ref(), b"1b3d5678zz");
    assert_eq!(space.bytes(1, 1 << 60, 100), Err(Unmapped { address: 11 }));
}

#[test]
fn reads_end_where_memory_does() {
    let mut space = AddressSpace::new();
    space.add_layer(u64::MAX - 3, b"abcdef");
    assert_eq!(space.u8(u64::MAX - 1), Ok(b'c'));
    assert!(space.u64(u64::MAX - 3).is_err());
    assert_eq!(space.c_str(u64::MAX - 3, 2).unwrap(), b"ab");
    assert!(space.c_str(u64::MAX - 3, 20).is_err());
}

#[test]
fn of_two_pieces_the_first_given_stays() {
    let mut space = AddressSpace::new();
    space.add_layers([(4, &b"44"[..]), (0, &b"0000000000"[..]), (5, &b"5555"[..])]);
    assert_eq!(space.bytes(0, 10, 10).unwrap().as_ref(), b"0000440000");
    let pieces: Vec<_> = space.pieces().map(|(start, bytes)| (start, bytes.len())).collect();
    assert_eq!(pieces, [(0, 4), (4, 2), (6, 4)]);
}

proptest! {
    /// Against an array that is painted from the last layer to the first.
    #[test]
    fn layers_are_as_painted(
        calls in prop::collection::vec(prop::collection::vec((0_usize..60, 0_usize..30), 1..5), 1..5)
    ) {
        let order: Vec<_> = calls.iter().flatten().copied().collect();
        let texts: Vec<Vec<u8>> = order.iter().enumerate().map(|(i, &(_, n))| vec![i as u8; n]).collect();
        let mut painted = [None; 100];
        for (&(start, length), index) in order.iter().zip(0_u8..).collect::<Vec<_>>().into_iter().rev() {
            painted[start..start + length].fill(Some(index));
        }
        let mut space = AddressSpace::new();
        let mut texts = texts.iter();
        for call in &calls {
            space.add_layers(call.iter().zip(texts.by_ref()).map(|(&(start, _), text)| (start as u64, &text[..])));
        }
        for (address, expected) in painted.iter().enumerate() {
            prop_assert_eq!(space.u8(address as u64).ok(), *expected);
        }
        let ends: Vec<_> = space.pieces().map(|(start, bytes)| (start, start + bytes.len() as u64)).collect();
        prop_assert!(ends.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        prop_assert!(ends.len() <= 2 * order.len());
    }
}

#[test]
fn many_overlaps_cost_no_more_than_sorting() {
    let bytes = vec![7; 1 << 20];
    let mut space = AddressSpace::new();
    // Quadratic, this would take a thousand billion steps.
    space.add_layers((0..1 << 20).map(|index| (index, &bytes[..])));
    assert_eq!(space.pieces().count(), 2 * (1 << 20) - (1 << 20));
    assert!(space.contains((1 << 21) - 2) && !space.contains((1 << 21) - 1));
}
