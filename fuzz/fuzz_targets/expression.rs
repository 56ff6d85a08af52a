//! Expressions: any text, over memory in which everything can be read and nothing makes sense, never panics and
//! never takes long.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_goruntime::{
    expr::{Scope, evaluate},
    layout::table,
    value::{Context, Limits, Memory},
};

/// Memory that says something of its own at each address.
struct Anything;

impl Memory for Anything {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        for (at, byte) in (0_u64..).zip(buffer) {
            *byte = address.wrapping_add(at).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7];
        }
        true
    }

    fn size(&self) -> u64 {
        1 << 20
    }
}

fuzz_target!(|text: &str| {
    let Some(layout) = table::candidates(None, "linux/amd64").next() else { return };
    let symbol = |_| None;
    let context =
        Context { memory: &Anything, dwarf: None, layout: &layout, types: None, bias: 0, hashes: None, symbol: &symbol };
    let scope = Scope { package: Some("main"), ..Scope::default() };
    match evaluate(&context, &scope, text) {
        Ok(value) => assert!(!value.text(&context, Limits::default()).is_empty()),
        Err(error) => assert!(error.position.is_some_and(|at| at <= text.len() as u64)),
    }
});
