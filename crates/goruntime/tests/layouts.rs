//! The committed tables say what each toolchain's debug information says.

use std::collections::BTreeSet;

use panicle_binary::{Executable, dwarf::DwarfIndex};
use panicle_goruntime::layout::{Layout, table};
use panicle_report::LayoutSource;
use rayon::prelude::*;

#[test]
fn tables_equal_debug_information() {
    let fixtures: Vec<_> = [panicle_fixtures::all(), panicle_fixtures::matrix()]
        .concat()
        .into_iter()
        .filter(|fixture| matches!(fixture.program.as_str(), "busy" | "nil-map-write" | "struct-panic"))
        .filter(|fixture| fixture.variant == "default")
        .collect();
    let targets: BTreeSet<_> =
        fixtures.iter().map(|fixture| (fixture.go_version.as_str(), fixture.arch.name())).collect();
    assert_eq!(targets.len(), 2 * table::versions().count(), "{targets:?}");
    fixtures.par_iter().for_each(|fixture| {
        let name = format!("{} {} {}", fixture.program, fixture.go_version, fixture.variant);
        let binary = std::fs::read(&fixture.binary).unwrap();
        let executable = Executable::parse(&binary).unwrap().0;
        let version = executable.build_info.as_ref().unwrap().go_version.clone();
        let dwarf = DwarfIndex::load(|section| Some(executable.section(section)?.data)).unwrap().0;
        let from_dwarf = Layout::from_dwarf(&dwarf.unwrap(), Some(&version)).unwrap();
        let target = format!("linux/{}", executable.arch.goarch());
        let table = table::candidates(Some(&version), &target).next().unwrap();
        assert_eq!(table.source, LayoutSource::Table, "{name}");
        for (structure, expected) in from_dwarf.structures() {
            // Which descriptors are kept depends on the program.
            assert_eq!(table.structure(structure), Some(expected), "{name}: {structure}");
        }
    });
}
