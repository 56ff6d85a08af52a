//! Race reports: any bytes never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    panicle_evidence::race::parse(text);
});
