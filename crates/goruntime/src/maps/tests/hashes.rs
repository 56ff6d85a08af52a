//! The hash functions, proven by where real maps keep their entries.

use std::fmt::Write as _;

use panicle_fixtures::Fixture;
use rayon::prelude::*;

use super::{Printed, fixtures, name, open, printed};
use crate::{
    maps::{Hashes, MapType, entries},
    value::Context,
};

#[test]
fn every_entry_is_where_its_hash_says() {
    let fixtures = fixtures(&["maps", "maps-growing"]);
    let wrong: String = fixtures.par_iter().map(check).collect();
    let lines: Vec<&str> = wrong.lines().take(60).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.lines().count(), lines.join("\n"));
}

fn check(fixture: &Fixture) -> String {
    open(fixture, |session| {
        let context = session.context();
        let hashes = Hashes::of(session.process);
        let mut wrong = String::new();
        for map in printed(fixture, "map").iter().filter(|map| map.address != 0) {
            if let Err(why) = check_map(&context, &hashes, map) {
                let _ = writeln!(wrong, "{}: {}: {why}", name(fixture), map.name);
            }
        }
        wrong
    })
}

fn check_map(context: &Context<'_>, hashes: &Hashes, map: &Printed) -> Result<(), String> {
    let of = MapType::of_runtime(context, map.type_address).ok_or("no type")?;
    let function = hashes.of_map(context, &of, map.address)?;
    let (mut proven, mut without) = (0, 0);
    for entry in entries(context, &of, map.address) {
        let mut key = vec![0; of.key_size as usize];
        assert!(context.memory.read(entry.key, &mut key));
        match function.hash(context, &key) {
            Some(hash) if function.is_home(context, &of, map.address, &entry, hash) => proven += 1,
            Some(hash) => return Err(format!("{entry:?} has {hash:#x}")),
            None => without += 1,
        }
    }
    let is_nan = map.name.starts_with("nan/");
    let expected = if is_nan { (0, map.len) } else { (map.len, 0) };
    assert_eq!((proven, without), expected);
    if !is_nan && function.proven_by() != (map.len as usize).min(48) {
        return Err(format!("{} of {} agreed", function.proven_by(), map.len));
    }
    Ok(())
}
