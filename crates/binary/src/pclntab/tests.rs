use std::fs;

use panicle_fixtures::Fixture;

use super::{Pclntab, PclntabError, PclntabVersion, pcvalue::PcValues};
use crate::Executable;

fn one_of_each_toolchain() -> Vec<Fixture> {
    let versions = ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"];
    versions.map(|version| panicle_fixtures::get("nil-map-write", version)).into()
}

/// The table of an executable, with its function data, as the engine puts it together.
fn table<'a>(executable: &Executable<'a>) -> Pclntab<'a> {
    let text = executable.symbol("runtime.text").map(|symbol| symbol.address);
    // Go 1.20 put the colon there.
    let func_data = ["go:func.*", "go.func.*"].iter().find_map(|name| executable.symbol(name));
    let func_data = func_data.and_then(|symbol| executable.mapped(symbol.address));
    Pclntab::parse(executable.pclntab().unwrap().1, text)
        .unwrap()
        .with_func_data(func_data.unwrap_or_default())
}

#[test]
fn every_function_symbol_is_found_under_its_name() {
    for fixture in one_of_each_toolchain() {
        let data = fs::read(&fixture.binary).unwrap();
        let (executable, _) = Executable::parse(&data).unwrap();
        let table = table(&executable);
        let old = fixture.go_version.starts_with("1.19.");
        let version = if old { PclntabVersion::Go118 } else { PclntabVersion::Go120 };
        assert_eq!(table.version(), version);
        assert!(table.len() > 1000, "{} functions", table.len());
        for function in table.functions() {
            let name = function.name().unwrap();
            let last = table.function_at(function.end() - 1).unwrap();
            assert_eq!(last.name(), Some(name), "{}", fixture.go_version);
            // A wrapper for another ABI has its function's name, so the symbol may be of either.
            let Some(symbol) = executable.symbol(name) else { continue };
            let at_symbol = table.function_at(symbol.address).unwrap();
            assert_eq!((at_symbol.name(), at_symbol.entry()), (Some(name), symbol.address));
        }
        let main = table.function_named("main.main").unwrap();
        let (file, line) = main.file_line(main.entry()).unwrap();
        assert!(file.ends_with("main.go"), "{file}:{line}");
        assert_eq!(main.start_line(), (!old).then_some(line));
    }
}

#[test]
fn inlined_calls_end_in_the_function_itself() {
    for fixture in one_of_each_toolchain() {
        let data = fs::read(&fixture.binary).unwrap();
        let (executable, _) = Executable::parse(&data).unwrap();
        let table = table(&executable);
        let mut inlined = 0;
        for function in table.functions().take(500) {
            let frames: Vec<_> = function.frames(function.entry()).collect();
            let (last, inner) = frames.split_last().unwrap();
            assert_eq!(Some(last.name), function.name());
            assert!(!last.inlined && inner.iter().all(|frame| frame.inlined));
            for pc in function.entry()..function.end() {
                inlined += function.frames(pc).filter(|frame| frame.inlined).count();
            }
        }
        assert!(inlined > 1000, "{inlined} inlined calls in Go {}", fixture.go_version);
    }
}

#[test]
fn old_and_foreign_tables_are_named() {
    let with_magic = |magic: u32| [&magic.to_le_bytes()[..], &[0; 100]].concat();
    let parse = |bytes: &[u8]| Pclntab::parse(bytes, Some(0)).unwrap_err();
    assert_eq!(parse(&with_magic(0xffff_fffb)), PclntabError::OldVersion("1.2 to 1.15"));
    let error = parse(&with_magic(0xffff_fffa));
    assert_eq!(error, PclntabError::OldVersion("1.16 or 1.17"));
    assert_eq!(error.to_string(), "the function table has the format of Go 1.16 or 1.17, which is not read");
    assert_eq!(parse(&with_magic(7)), PclntabError::UnknownMagic(7));
    assert_eq!(parse(&with_magic(0xffff_fff1)), PclntabError::PointerSize(0));
    assert_eq!(parse(b"abc"), PclntabError::Truncated);
}

#[test]
fn a_value_table_ends_at_its_mark_and_at_damage() {
    // +1 for 4 bytes, -3 for 2, then the end.
    let runs: Vec<_> =
        PcValues::new(&[2, 4, 5, 2, 0], 100, 200, 1).map(|run| (run.start, run.value)).collect();
    assert_eq!(runs, [(100, 0), (104, -3)]);
    assert_eq!(PcValues::new(&[2, 4, 5, 2, 0], 100, 200, 1).at(105), Some(-3));
    assert_eq!(PcValues::new(&[2, 4, 5, 2, 0], 100, 200, 1).at(106), None);
    // A step of nothing, and a number that never ends.
    assert_eq!(PcValues::new(&[2, 0, 2, 0], 100, 200, 1).count(), 0);
    assert_eq!(PcValues::new(&[0x80; 64], 100, 200, 1).count(), 0);
}

/// No byte anywhere in the table makes it panic or loop.
#[test]
fn damage_is_survived() {
    let fixture = panicle_fixtures::get("nil-map-write", "1.24");
    let data = fs::read(&fixture.binary).unwrap();
    let (executable, _) = Executable::parse(&data).unwrap();
    let (_, whole) = executable.pclntab().unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..60 {
        let mut damaged = whole.to_vec();
        let near = if round % 2 == 0 { 200 } else { damaged.len() as u64 };
        for _ in 0..64 {
            let at = (random() % near) as usize;
            damaged[at] = random() as u8;
        }
        damaged.truncate((random() % damaged.len() as u64) as usize);
        let Ok(table) = Pclntab::parse(&damaged, Some(0x40_0000)) else { continue };
        let table = table.with_func_data(whole);
        for _ in 0..500 {
            let pc = 0x40_0000 + random() % 0x10_0000;
            if let Some(function) = table.function_at(pc) {
                let _ = (function.name(), function.stack_delta(pc), function.frames(pc).count());
                let _ = (function.arg_info(), function.arg_live_info(pc), function.flags());
            }
        }
    }
}
