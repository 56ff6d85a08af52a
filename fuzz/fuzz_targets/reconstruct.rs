//! Whole crashes: a real core and its executable, with any words and bytes changed, give a result or
//! say what is missing; they never panic or run on.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use panicle_binary::Executable;
use panicle_fuzz::{recorded_core, recorded_executable};
use panicle_goruntime::{Options, reconstruct};
use panicle_image::Core;

/// The files, to be written to and restored, and where the core has words that are not zero.
struct Sound {
    core: Vec<u8>,
    executable: Vec<u8>,
    stripped: Vec<u8>,
    words: Vec<usize>,
}

impl Sound {
    fn new() -> Self {
        let core = recorded_core().to_vec();
        let words = (0..core.len() / 8).map(|index| index * 8);
        let words = words.filter(|&at| core[at..at + 8] != [0; 8]).collect();
        let executable = recorded_executable().to_vec();
        let mut stripped = executable.clone();
        panicle_synth::strip(&mut stripped);
        Self { core, executable, stripped, words }
    }

    /// The file that a change is for: the core, or the executable in use.
    fn file(&mut self, in_core: bool, stripped: bool) -> &mut Vec<u8> {
        match (in_core, stripped) {
            (true, _) => &mut self.core,
            (false, true) => &mut self.stripped,
            (false, false) => &mut self.executable,
        }
    }

    /// A change of a word of the core or of a byte of the executable; how to undo it.
    fn change(&mut self, stripped: bool, change: [u8; 8]) -> (bool, usize, u64) {
        let [kind, value, a, b, c, d, e, f] = change;
        let place = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        let other = usize::from(d) | usize::from(e) << 8 | usize::from(f) << 16;
        let in_core = kind & 1 == 0;
        let words = self.words.len();
        let (at, other) = if in_core {
            (self.words[place % words], self.words[other % words])
        } else {
            let length = self.executable.len() - 8;
            (place * 8 % length, other * 8 % length)
        };
        let file = self.file(in_core, stripped);
        let word = |file: &[u8], at: usize| u64::from_le_bytes(file[at..at + 8].try_into().expect("8 bytes"));
        let before = word(file, at);
        let after = match kind >> 1 & 7 {
            0 => before ^ u64::from(value) << (8 * (d & 7)),
            1 => before.wrapping_add(u64::from(value)),
            2 => before.wrapping_sub(u64::from(value) * 8),
            3 => u64::MAX - u64::from(value),
            4 => word(file, other),
            5 => u64::from(value) << (d & 63),
            6 => before & !0xffff_ffff | u64::from(u32::MAX - u32::from(value)),
            _ => u64::from(value),
        };
        file[at..at + 8].copy_from_slice(&after.to_le_bytes());
        (in_core, at, before)
    }
}

thread_local! {
    static SOUND: RefCell<Sound> = RefCell::new(Sound::new());
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, input)) = input.split_first() else { return };
    let stripped = first & 1 != 0;
    SOUND.with_borrow_mut(|sound| {
        let changes = input.chunks_exact(8).take(64);
        // A last odd byte cuts the core.
        let cut = match changes.clone().count() * 8 {
            used if used < input.len() => sound.core.len() / 256 * usize::from(input[used]),
            _ => sound.core.len(),
        };
        let undo: Vec<_> =
            changes.map(|change| sound.change(stripped, change.try_into().expect("8 bytes"))).collect();
        let executable = if stripped { &sound.stripped } else { &sound.executable };
        if let (Ok((core, _)), Ok((executable, _))) =
            (Core::parse(&sound.core[..cut]), Executable::parse(executable))
        {
            let options = Options { most_frames_with_locals: 50, ..Options::default() };
            let (found, diagnostics) = reconstruct(&core, &executable, &options);
            assert!(!found.goroutines.is_empty() || !diagnostics.is_empty());
        }
        for (in_core, at, before) in undo.into_iter().rev() {
            let file = sound.file(in_core, stripped);
            file[at..at + 8].copy_from_slice(&before.to_le_bytes());
        }
    });
});
