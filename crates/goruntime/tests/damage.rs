//! A core is a stranger's memory. Words of real cores and executables are replaced by others, by
//! wild pointers and by enormous numbers; whatever comes out, nothing panics, loops or takes all
//! memory, and what is missing is said.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

use std::fs;

use panicle_binary::Executable;
use panicle_fixtures::Arch;
use panicle_goruntime::{Options, reconstruct};
use panicle_image::Core;

/// xorshift64: the same damage in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// Where the words of the dumped, written-to memory are that hold anything: offsets into the file.
fn interesting_words(bytes: &[u8]) -> Vec<usize> {
    let (core, _) = Core::parse(bytes).unwrap();
    let written = core.segments.iter().filter(|segment| segment.write);
    written
        .flat_map(|segment| {
            let start = segment.file_offset as usize;
            (start..start + segment.file_size as usize).step_by(8)
        })
        .filter(|&at| bytes.get(at..at + 8).is_some_and(|word| word != [0; 8]))
        .collect()
}

fn read(core: &[u8], binary: &[u8]) -> Option<usize> {
    let (core, _) = Core::parse(core).ok()?;
    let (binary, _) = Executable::parse(binary).ok()?;
    let (found, diagnostics) = reconstruct(&core, &binary, &Options::default());
    assert!(!found.goroutines.is_empty() || !diagnostics.is_empty(), "nothing found and nothing said");
    Some(found.goroutines.len())
}

#[test]
fn damaged_memory_gives_a_report() {
    for (program, arch) in [
        ("order-service", Arch::Amd64),
        ("concurrent-map-writes", Arch::Amd64),
        ("calls", Arch::Arm64),
        ("busy", Arch::Arm64),
    ] {
        let fixture = panicle_fixtures::get_variant(program, "1.24", arch, "default");
        let binary = fs::read(&fixture.binary).unwrap();
        let mut core = fs::read(&fixture.core).unwrap();
        let words = interesting_words(&core);
        assert!(words.len() > 5_000, "{} words", words.len());
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for round in 0..40 {
            let mut before = Vec::new();
            // A few wounds in early rounds, thousands in late ones.
            for _ in 0..(4 << (round / 5)) {
                let at = words[random.below(words.len())];
                let word: [u8; 8] = core[at..at + 8].try_into().unwrap();
                before.push((at, word));
                let other = words[random.below(words.len())];
                let new: [u8; 8] = match random.below(4) {
                    0 => u64::MAX.to_le_bytes(),
                    1 => (random.below(usize::MAX) as u64).to_le_bytes(),
                    2 => (u64::from_le_bytes(word).wrapping_add(8)).to_le_bytes(),
                    _ => core[other..other + 8].try_into().unwrap(),
                };
                core[at..at + 8].copy_from_slice(&new);
            }
            assert!(read(&core, &binary).is_some());
            for (at, word) in before.into_iter().rev() {
                core[at..at + 8].copy_from_slice(&word);
            }
        }
        assert!(read(&core, &binary).unwrap() > 4, "the core was not restored");
    }
}

#[test]
fn damaged_executables_give_a_report() {
    damage_executable("nil-map-write", Arch::Amd64);
    damage_executable("nil-dereference", Arch::Arm64);
}

fn damage_executable(program: &str, arch: Arch) {
    let fixture = panicle_fixtures::get_variant(program, "1.27", arch, "default");
    let whole = fs::read(&fixture.binary).unwrap();
    let core = fs::read(&fixture.core).unwrap();
    let mut random = Random(0x1234_5678_9abc_def1);
    for round in 0..40 {
        let mut binary = whole.clone();
        for _ in 0..(16 << (round / 5)) {
            let at = random.below(binary.len());
            binary[at] = random.below(256) as u8;
        }
        if round % 3 == 0 {
            binary.truncate(random.below(whole.len()));
        }
        // One that cannot be read at all is the caller's to tell of.
        let _ = read(&core, &binary);
    }
    assert!(read(&core, &whole).unwrap() > 4);
}
