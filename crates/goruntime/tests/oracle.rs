//! The oracle: what the dying runtime printed of itself under GOTRACEBACK=crash.
//!
//! For every fixture of every toolchain, architecture and way to build, the goroutines that come out of the core are those of the
//! traceback, and the other way round: state, wait reason, creator, and every frame with function,
//! arguments, file, line and pc. There is no list of known misses.
//!
//! A goroutine that ran on another thread is printed without a stack at first. Where the runtime
//! then relays SIGQUIT to that thread, the thread prints it, and that is compared.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::File,
};

use common::{compare_headers, compare_labels, compare_stacks};
use panicle_binary::Executable;
use panicle_evidence::traceback::{self, CrashText};
use panicle_fixtures::Fixture;
use panicle_goruntime::{Options, Reconstruction, reconstruct};
use panicle_image::{Core, mmap};
use panicle_report::{Goroutine, MapOperation, MapState, MapUser};
use rayon::prelude::*;

#[test]
fn the_core_tells_what_the_runtime_printed() {
    holds_for(&panicle_fixtures::all());
}

#[test]
fn binaries_as_people_ship_them_tell_what_the_runtime_printed() {
    holds_for(&panicle_fixtures::matrix());
}

fn holds_for(fixtures: &[Fixture]) {
    let outcomes: Vec<(usize, String)> = fixtures.par_iter().map(check).collect();
    let stacks: usize = outcomes.iter().map(|(stacks, _)| stacks).sum();
    let misses: String = outcomes.into_iter().map(|(_, misses)| misses).collect();
    assert!(misses.is_empty(), "{misses}");
    // Guards against a parser that finds nothing to compare.
    assert!(stacks >= fixtures.len() * 2, "{stacks} stacks in {} fixtures", fixtures.len());
}

/// How many stacks were compared, and what differs.
fn check(fixture: &Fixture) -> (usize, String) {
    let text = std::fs::read(&fixture.stderr).unwrap();
    let (crashes, _) = traceback::parse(&text);
    let found = match read(fixture) {
        Ok(found) => found,
        Err(why) => return (0, format!("{}: {why}\n", fixture.directory.display())),
    };
    let mut misses = String::new();
    let mut stacks = 0;
    let Some(crash) = crashes.first() else {
        return (0, format!("{}: no crash in its text\n", fixture.directory.display()));
    };
    if crashes.len() != 1 {
        let _ = writeln!(misses, "{} crashes in one text", crashes.len());
    }
    let ours: BTreeMap<u64, &Goroutine> = found.goroutines.iter().map(|g| (g.id, g)).collect();
    let mut printed = BTreeSet::new();
    for theirs in crash.goroutines.iter().filter(|theirs| !theirs.is_system_stack()) {
        let Some(ours) = ours.get(&theirs.id) else {
            let _ = writeln!(misses, "goroutine {} is missing", theirs.id);
            continue;
        };
        compare_headers(&mut misses, ours, theirs);
        compare_labels(&mut misses, ours, theirs);
        if !theirs.unavailable {
            stacks += 1;
            compare_stacks(&mut misses, ours, theirs);
        }
        printed.insert(theirs.id);
    }
    for id in ours.keys().filter(|id| prints_all(crash) && !printed.contains(id)) {
        let _ = writeln!(misses, "goroutine {id} is none of the runtime's");
    }
    compare_headlines(&mut misses, &found, crash);
    complain_of_no_map(&mut misses, &found);
    if !misses.is_empty() {
        misses = format!("{}:\n{misses}", fixture.directory.display());
    }
    (stacks, misses)
}

/// Nothing is wrong with a map of a whole core, unless goroutines write to it as it ends.
fn complain_of_no_map(misses: &mut String, found: &Reconstruction) {
    let writes = |user: &MapUser| {
        user.noticed || !matches!(user.operation, MapOperation::Read | MapOperation::Iterate)
    };
    for map in found.maps.iter().filter(|map| !map.users.iter().any(writes)) {
        if !map.problems.is_empty() || map.state == MapState::Unknown {
            let _ = writeln!(
                misses,
                "{} of {:?}: {:?} {:?}",
                map.address, map.type_name, map.state, map.problems
            );
        }
    }
}

fn read(fixture: &Fixture) -> Result<Reconstruction, Box<dyn std::error::Error>> {
    let core = mmap::map(&File::open(&fixture.core).unwrap()).unwrap();
    let binary = mmap::map(&File::open(&fixture.binary).unwrap()).unwrap();
    let (core, _) = Core::parse(&core)?;
    let (binary, _) = Executable::parse(&binary)?;
    Ok(reconstruct(&core, &binary, &Options::default()).0)
}

/// From Go 1.26 on the fatal errors about maps print only the goroutine that noticed.
fn prints_all(crash: &CrashText) -> bool {
    let printed = crash.goroutines.iter().filter(|goroutine| !goroutine.is_system_stack());
    printed.count() > 1
}

fn compare_headlines(misses: &mut String, found: &Reconstruction, crash: &CrashText) {
    let Some(panic) = &found.panic else {
        let _ = writeln!(misses, "no panic, fatal error or signal found");
        return;
    };
    let message = panic.message.as_deref().unwrap_or_default();
    let panics: Vec<&str> = crash.panics().map(|line| line.value.as_str()).collect();
    let chain: Vec<&str> =
        panic.chain.iter().filter_map(|link| link.value.as_ref()?.text.as_deref()).collect();
    if let Some(fatal) = crash.fatals().next() {
        if message != format!("fatal error: {fatal}") {
            let _ = writeln!(misses, "{message:?}, printed {fatal:?}");
        }
    } else if !panics.is_empty() {
        if chain != panics {
            let _ = writeln!(misses, "panics {chain:?}, printed {panics:?}");
        }
    } else if let Some(signal) = crash.signal()
        && !message.starts_with(&signal.name)
    {
        let _ = writeln!(misses, "{message:?}, printed {:?}", signal.name);
    }
}
