//! Cores that were cut short: the disk was full, the limit was reached, the collector was killed.
//!
//! Wherever the end is, there is an answer, and a goroutine whose stack is whole in what is left is
//! the one that the dying runtime printed.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

mod common;

use std::{collections::BTreeMap, fmt::Write as _, fs::File};

use common::{compare_headers, compare_labels, compare_stacks};
use panicle_binary::Executable;
use panicle_evidence::traceback::{self, TextGoroutine};
use panicle_fixtures::Fixture;
use panicle_goruntime::{Options, Reconstruction, reconstruct};
use panicle_image::{Core, Segment, mmap};
use rayon::prelude::*;

/// Cuts at random places of each core.
const PLACES: usize = 20;

/// splitmix64: the same places in every run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Where `core` is cut: anywhere in the file, and as often within what was dumped of the Go heap,
/// where goroutines and their stacks are.
fn places(core: &Core<'_>, seed: u64) -> Vec<u64> {
    let mut state = seed;
    // The heap grows by 4 MiB at a time (`heapArenaBytes`, `sysHugePage`; its base is random from Go
    // 1.26 on).
    let heap = |segment: &&Segment| segment.write && segment.address.is_multiple_of(4 << 20);
    let heap: Vec<_> = core.segments.iter().filter(heap).collect();
    let start = heap.iter().map(|segment| segment.file_offset).min().unwrap();
    let end = heap.iter().map(|segment| segment.file_offset + segment.file_size).max().unwrap();
    let anywhere = (0..PLACES / 2).map(|_| 20 + random(&mut state) % (core.size_bytes() - 20));
    let mut places: Vec<u64> = anywhere.collect();
    places.extend((PLACES / 2..PLACES).map(|_| start + random(&mut state) % (end - start)));
    places
}

#[test]
fn what_is_left_of_a_core_agrees_with_the_oracle() {
    let programs = ["order-service", "concurrent-map-writes", "waits"];
    let versions = ["1.21", "1.24", "1.27"];
    let fixtures: Vec<Fixture> = programs
        .iter()
        .flat_map(|program| versions.map(|version| panicle_fixtures::get(program, version)))
        .collect();
    let outcomes: Vec<(usize, String)> = fixtures.par_iter().map(check).collect();
    let misses: String = outcomes.iter().map(|(_, misses)| misses.as_str()).collect();
    assert!(misses.is_empty(), "{misses}");
    let stacks: usize = outcomes.iter().map(|(stacks, _)| stacks).sum();
    println!("{stacks} whole stacks in {} cut cores", fixtures.len() * PLACES);
    assert!(stacks > fixtures.len() * PLACES, "{stacks} stacks: too few to prove anything");
}

fn check(fixture: &Fixture) -> (usize, String) {
    let text = std::fs::read(&fixture.stderr).unwrap();
    let (crashes, _) = traceback::parse(&text);
    let printed: BTreeMap<u64, &TextGoroutine> = crashes[0]
        .goroutines
        .iter()
        .filter(|theirs| !theirs.is_system_stack() && !theirs.unavailable)
        .map(|theirs| (theirs.id, theirs))
        .collect();
    let bytes = mmap::map(&File::open(&fixture.core).unwrap()).unwrap();
    let binary = mmap::map(&File::open(&fixture.binary).unwrap()).unwrap();
    let (binary, _) = Executable::parse(&binary).unwrap();
    let (whole, _) = Core::parse(&bytes).unwrap();
    let (mut stacks, mut all) = (0, String::new());
    for length in places(&whole, bytes.len() as u64) {
        let (core, said) = Core::parse(&bytes[..length as usize]).unwrap();
        assert_eq!(core.truncated.unwrap().present_bytes, length);
        assert!(said.iter().any(|diagnostic| diagnostic.text.contains("cut short")));
        let (found, said) = reconstruct(&core, &binary, &Options::default());
        let lacks = found.goroutines.len() < printed.len() || found.goroutines.iter().any(|g| g.truncated);
        assert!(!lacks || !said.is_empty(), "{length} of {}: nothing is said", fixture.core.display());
        let mut misses = String::new();
        stacks += compare(&mut misses, &found, &printed);
        if !misses.is_empty() {
            let _ = writeln!(all, "{} cut to {length} bytes:\n{misses}", fixture.core.display());
        }
    }
    (stacks, all)
}

/// How many whole stacks were compared.
fn compare(misses: &mut String, found: &Reconstruction, printed: &BTreeMap<u64, &TextGoroutine>) -> usize {
    let mut stacks = 0;
    for ours in found.goroutines.iter().filter(|ours| !ours.truncated || ours.elided.is_some()) {
        let Some(theirs) = printed.get(&ours.id) else { continue };
        stacks += 1;
        compare_headers(misses, ours, theirs);
        // They lie elsewhere in memory.
        if !ours.labels.is_empty() {
            compare_labels(misses, ours, theirs);
        }
        compare_stacks(misses, ours, theirs);
    }
    stacks
}
