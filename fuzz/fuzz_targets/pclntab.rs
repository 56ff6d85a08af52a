//! Function tables: any bytes, and a real table with any bytes changed, never panic or run on.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use panicle_binary::{Executable, pclntab::Pclntab};
use panicle_fuzz::{overwrite, recorded_executable};

/// The table's address and bytes, and those of the function data that stands in front of it.
struct Sound {
    table: Vec<u8>,
    func_data: Vec<u8>,
    text: u64,
}

fn sound() -> &'static Sound {
    static SOUND: OnceLock<Sound> = OnceLock::new();
    SOUND.get_or_init(|| {
        let (executable, _) = Executable::parse(recorded_executable()).expect("sound");
        let mapped = |name: &str| {
            let symbol = executable.symbol(name).expect("a symbol table");
            executable.mapped(symbol.address).expect("mapped").to_vec()
        };
        Sound {
            table: executable.pclntab().expect("a table").1.to_vec(),
            func_data: mapped("go:func.*"),
            text: executable.symbol("runtime.text").expect("a symbol table").address,
        }
    })
}

fuzz_target!(|input: &[u8]| {
    let Some((&kind, input)) = input.split_first() else { return };
    let sound = sound();
    let (table, func_data) = match kind % 4 {
        0 => (input.to_vec(), input.to_vec()),
        1 => (overwrite(&sound.table, input), sound.func_data.clone()),
        2 => (sound.table.clone(), overwrite(&sound.func_data, input)),
        _ => {
            // The other format of the header: records and inline trees are cut elsewhere.
            let mut table = overwrite(&sound.table, input);
            table[0] = 0xf0;
            (table, sound.func_data.clone())
        }
    };
    let Ok(table) = Pclntab::parse(&table, Some(sound.text)) else { return };
    let table = table.with_func_data(&func_data);
    let step = table.len() / 64 + 1;
    for function in table.functions().step_by(step).take(64) {
        let _ = (function.name(), function.args_size(), function.start_line(), function.flags());
        let _ = (function.has_frame_info(), function.arg_info(), function.stack_deltas().take(1000).count());
        let size = function.end().saturating_sub(function.entry());
        for pc in [0, 1, size / 2, size.wrapping_sub(1)].map(|offset| function.entry().wrapping_add(offset)) {
            let _ = (function.stack_delta(pc), function.file_line(pc), function.arg_live_info(pc));
            assert!(function.frames(pc).count() <= 1000);
            let _ = table.function_at(pc).map(|found| found.entry());
        }
    }
});
