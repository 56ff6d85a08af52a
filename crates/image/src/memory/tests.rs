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
