//! What collectors write beside a core: any bytes, in any of the members, never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicle_evidence::collector::read;

const NAMES: [&str; 5] = ["a-dump-info.json", "a-pod-info.json", "a-ps-info.json", "a-runtime-info.json", "a-cgroup"];

fuzz_target!(|bytes: &[u8]| {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    read(NAMES.into_iter().zip(parts));
    read(NAMES.map(|name| (name, bytes)));
});
