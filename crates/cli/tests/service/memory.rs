//! Memory does not grow with evidence.

use std::{
    fs::{self, File},
    io::{self, Read},
};

use panicle_fixtures::get;
use serde_json::json;

use super::start;

const GIB: u64 = 1 << 30;

/// Bytes that do not compress.
struct Noise(u64);

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for chunk in buffer.chunks_mut(8) {
            // xorshift64
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            chunk.copy_from_slice(&self.0.to_le_bytes()[..chunk.len()]);
        }
        Ok(buffer.len())
    }
}

/// The most memory that a process ever had, in bytes.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_core_of_one_gibibyte_takes_less_than_100_mib_of_the_server() {
    let server = start(&["--workers", "1"]);
    let fixture = get("nil-map-write", "1.26");
    let core = File::open(&fixture.core).unwrap();
    let length = core.metadata().unwrap().len();
    // A real core, then memory that nobody reads: noise, and zeros as most of a core is.
    let body = core.chain(Noise(88).take(256 << 20)).chain(io::repeat(0)).take(GIB);
    assert!(length < GIB / 2);
    let core = server.put_stream("core", body);
    let uploaded = peak(server.pid());
    let binary = server.put_file("binary", &fixture.binary);
    let crash = server.crash(&json!({ "core": core, "binaries": [binary] }));
    let done = server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"]);
    assert_eq!(done["status"], "done", "{done:#}");
    let analysed = peak(server.pid());
    println!("peak after the upload {} MiB, after the analysis {} MiB", uploaded >> 20, analysed >> 20);
    assert!(analysed < 100 << 20, "{} MiB", analysed >> 20);
}
