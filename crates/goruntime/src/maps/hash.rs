//! The hash functions of map keys, with the random numbers that the process drew for them.
//!
//! A key's hash depends on the architecture, on whether the processor has AES instructions, on random keys that
//! the process drew when it started, on the map's own seed, and on a function that the compiler made for the key's
//! type. Which function it is, is never taken for granted: a map's own entries have to agree.

mod memory;
mod recipe;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use memory::{MemoryHash, Schedule};
use panicle_image::Arch;
use panicle_report::MapImplementation;
use recipe::{Maker, Step, steps};

use super::{Entry, MapType, entries, hmap::Hmap, homes::Homes, path::Path, swiss::Swiss};
use crate::{
    layout::Hashing,
    process::Process,
    value::{Context, rtype::TypeData},
};

/// `c0` and `c1` of runtime/alg.go, on 64 bits.
const C0: u64 = 33_054_211_828_000_289;
const C1: u64 = 23_344_194_077_549_503;
/// Entries that are held against a hash function.
const SAMPLE: usize = 48;
/// Where some do not agree, so many have to, and so many for each that does not. With a function that is not the
/// map's, one in 128 agrees.
const LEAST_AGREEING: usize = 3;
const AGREEING_FOR_EACH: usize = 4;
/// Bytes of strings and of what interfaces hold that are hashed: for the keys that are asked for, and for those that
/// a function is held against. Many keys of a hostile core may share a long string.
const BYTES_ASKED_FOR: u64 = 64 << 20;
const BYTES_OF_SAMPLE: u64 = 1 << 18;
/// Interfaces within one another.
const MOST_NESTING: u32 = 16;
/// Dynamic types whose functions are kept.
const MOST_KEPT: usize = 4096;
/// Where the variables are from Go 1.27 on, and where they were before.
const AES_KEYS: [&str; 2] = ["internal/runtime/maps.aeskeysched", "runtime.aeskeysched"];
const KEYS: [&str; 2] = ["internal/runtime/maps.hashkey", "runtime.hashkey"];
const USES_AES: [&str; 2] = ["internal/runtime/maps.UseAeshash", "runtime.useAeshash"];

/// The random keys of a process, and which functions it hashes memory with.
#[derive(Clone, Debug, Default)]
pub struct Hashes {
    /// Functions that it may be, the likeliest first.
    candidates: Vec<(MemoryHash, Hashing)>,
}

impl Hashes {
    /// Those of `process`. Without its variables there are none, and no key has a hash.
    pub fn of(process: &Process<'_>) -> Self {
        let global = |names: [&'static str; 2]| names.into_iter().find_map(|name| process.global(name).ok());
        let schedule = global(AES_KEYS).and_then(|address| {
            let mut bytes: Schedule = [0; 128];
            process.memory.read(address, &mut bytes).is_ok().then_some(bytes)
        });
        let keys = global(KEYS).and_then(|address| {
            let mut keys = [0; 4];
            for (at, key) in (0_u64..).zip(&mut keys) {
                *key = process.memory.u64(address.checked_add(at * 8)?).ok()?;
            }
            Some(keys)
        });
        let uses_aes =
            global(USES_AES).and_then(|address| process.memory.u8(address).ok()).map(|flag| flag != 0);
        let mut candidates = Vec::new();
        for hashing in process.layout.hashing {
            // Variables that were never set are zero: nothing hashes with them.
            if let Some(schedule) = schedule.filter(|keys| uses_aes != Some(false) && *keys != [0; 128]) {
                match process.executable.arch {
                    Arch::Amd64 => candidates.push((MemoryHash::Amd64(Box::new(schedule)), *hashing)),
                    Arch::Arm64 => {
                        candidates.push((MemoryHash::Arm64(Box::new(schedule), *hashing), *hashing));
                    }
                    Arch::Other(_) => {}
                }
            }
            if let Some(keys) = keys.filter(|keys| uses_aes != Some(true) && *keys != [0; 4]) {
                candidates.push((MemoryHash::multiply(keys, *hashing), *hashing));
            }
        }
        Self { candidates }
    }

    /// The hash function of the keys of the map of type `of` at `address`, proven by the map's entries as far as
    /// it has any; or why there is none.
    pub fn of_map(&self, context: &Context<'_>, of: &MapType, address: u64) -> Result<HashFunction, String> {
        if of.slots.implementation == MapImplementation::SyncMap {
            return Err("Every entry of a sync.Map is looked at.".to_owned());
        }
        let types = context.types.ok_or("The runtime's types are not known.")?;
        let key = of.key_address.ok_or("The runtime has no descriptor of the key's type.")?;
        let seed = seed(context, of, address).ok_or("The map's header is not in memory.")?;
        if self.candidates.is_empty() {
            return Err("The random keys of the process' hash functions are not known.".to_owned());
        }
        let sample = sample(context, of, address);
        let functions = self.functions(context, types, key, seed);
        let none = functions.is_empty();
        for function in functions {
            if let Some((proven_by, disproven_by)) = function.agreement(context, of, address, &sample) {
                let bytes_left = Cell::new(BYTES_ASKED_FOR);
                return Ok(HashFunction { bytes_left, proven_by, disproven_by, ..function });
            }
        }
        Err(if none {
            "How the key's type is hashed cannot be told.".to_owned()
        } else {
            "The map's entries agree with no known hash function.".to_owned()
        })
    }

    /// The functions that keys of the type at `key` may be hashed with, the likeliest first.
    fn functions(&self, context: &Context<'_>, types: &TypeData, key: u64, seed: u64) -> Vec<HashFunction> {
        let mut found: Vec<HashFunction> = Vec::new();
        for (memory_hash, hashing) in &self.candidates {
            let compiled = if *hashing == Hashing::Signatures { Maker::Signature } else { Maker::Runs };
            for maker in [compiled, Maker::Typehash] {
                let Some(steps) = steps(maker, types, context.memory, key) else { continue };
                let function = HashFunction::new(memory_hash.clone(), steps, seed);
                if !found.contains(&function) {
                    found.push(function);
                }
            }
        }
        found
    }

    /// Whether there are entries of a map of type `of` behind the header at `address`, whatever else is in that:
    /// several are marked with hashes that their keys have with its seed. What is no map has none.
    pub(crate) fn has_entries(&self, context: &Context<'_>, of: &MapType, address: u64) -> bool {
        let about = || Some((context.types?, of.key_address?, seed(context, of, address)?));
        if of.slots.implementation == MapImplementation::SyncMap {
            return false;
        }
        let (Some((types, key, seed)), Some(homes)) = (about(), Homes::of(context, of, address)) else {
            return false;
        };
        let sample = sample(context, of, address);
        self.functions(context, types, key, seed).iter().any(|function| {
            let hashes = sample.iter().filter_map(|(entry, key)| Some((entry, function.hash(context, key)?)));
            let (right, wrong): (Vec<_>, Vec<_>) =
                hashes.partition(|(entry, hash)| homes.mark(*hash) == entry.mark);
            right.len() >= LEAST_AGREEING && right.len() >= AGREEING_FOR_EACH * wrong.len()
        })
    }
}

/// The map's own seed: `hash0`, `seed`.
fn seed(context: &Context<'_>, of: &MapType, address: u64) -> Option<u64> {
    if of.slots.implementation == MapImplementation::Swiss {
        Swiss::read(context, address).map(|map| map.seed)
    } else {
        Hmap::read(context, address).map(|map| map.hash0)
    }
}

/// Some entries with the bytes of their keys.
fn sample(context: &Context<'_>, of: &MapType, address: u64) -> Vec<(Entry, Vec<u8>)> {
    let Ok(size) = usize::try_from(of.key_size) else { return Vec::new() };
    let some = entries(context, of, address).within(1 << 20).take(SAMPLE);
    some.filter_map(|entry| {
        let mut key = vec![0; size.min(1 << 20)];
        context.memory.read(entry.key, &mut key).then_some((entry, key))
    })
    .collect()
}

/// The hash function of one map's keys.
#[derive(Clone, Debug)]
pub struct HashFunction {
    memory: MemoryHash,
    steps: Vec<Step>,
    seed: u64,
    /// Bytes that may still be hashed.
    bytes_left: Cell<u64>,
    /// Entries that agree with it.
    proven_by: usize,
    /// Entries that do not: they are damaged.
    disproven_by: usize,
    /// Functions of the types that interfaces held, `None` for those that cannot be told.
    dynamic: RefCell<HashMap<u64, Option<Rc<Vec<Step>>>>>,
}

impl PartialEq for HashFunction {
    fn eq(&self, other: &Self) -> bool {
        (&self.memory, &self.steps, self.seed) == (&other.memory, &other.steps, other.seed)
    }
}

impl HashFunction {
    fn new(memory: MemoryHash, steps: Vec<Step>, seed: u64) -> Self {
        Self {
            memory,
            steps,
            seed,
            bytes_left: Cell::new(BYTES_OF_SAMPLE),
            proven_by: 0,
            disproven_by: 0,
            dynamic: RefCell::default(),
        }
    }

    /// How keys are hashed, in words.
    pub fn name(&self) -> String {
        let how = match self.memory {
            MemoryHash::Amd64(_) => "rounds of AES, as amd64 has them",
            MemoryHash::Arm64(..) => "rounds of AES, as arm64 has them",
            MemoryHash::Multiply(_) => "multiplication, since the processor has no AES instructions",
        };
        let what = match self.steps.as_slice() {
            [Step::Text { .. }] => "strhash",
            [Step::Memory { size: 4, .. }] => "memhash32",
            [Step::Memory { size: 8, .. }] => "memhash64",
            [Step::Memory { .. } | Step::Bytes { .. }] => "memhash",
            [Step::Float32 { .. }] => "f32hash",
            [Step::Float64 { .. }] => "f64hash",
            [Step::Interface { empty: true, .. }] => "nilinterhash",
            [Step::Interface { .. }] => "interhash",
            _ => "a function made for the key's type",
        };
        let proof = match self.proven_by {
            0 => "no entry proves it".to_owned(),
            1 => "one entry agrees".to_owned(),
            count => format!("{count} entries agree"),
        };
        let proof = match self.disproven_by {
            0 => proof,
            1 => format!("{proof}, and one that is damaged does not"),
            count => format!("{proof}, and {count} that are damaged do not"),
        };
        format!("{what}, by {how}; {proof}")
    }

    /// How many of the map's entries were found to agree.
    pub fn proven_by(&self) -> usize {
        self.proven_by
    }

    /// Some of the map's entries do not agree.
    pub(super) fn is_doubted(&self) -> bool {
        self.disproven_by > 0
    }

    /// The hash of the string key `text`; `None` when keys are no strings.
    pub fn text(&self, text: &[u8]) -> Option<u64> {
        matches!(self.steps.as_slice(), [Step::Text { .. }]).then(|| self.memory.bytes(text, self.seed))
    }

    /// The hash of the key whose bytes are `key`. `None` for a NaN, whose hash is drawn anew each time, and when
    /// a part of it cannot be read, or when more was hashed already than takes a moment.
    pub fn hash(&self, context: &Context<'_>, key: &[u8]) -> Option<u64> {
        self.run(context, &self.steps, key, self.seed, 0)
    }

    fn run(&self, context: &Context<'_>, steps: &[Step], key: &[u8], seed: u64, nesting: u32) -> Option<u64> {
        let mut hash = seed;
        for step in steps {
            let bytes = |at: u64, size: u64| {
                let from = usize::try_from(at).ok()?;
                key.get(from..from.checked_add(usize::try_from(size).ok()?)?)
            };
            let word = |at: u64| bytes(at, 8)?.first_chunk().map(|word| u64::from_le_bytes(*word));
            hash = match *step {
                Step::Memory { at, size: 4 } => self.memory.four(*bytes(at, 4)?.first_chunk()?, hash),
                Step::Memory { at, size: 8 } => self.memory.eight(*bytes(at, 8)?.first_chunk()?, hash),
                Step::Memory { at, size } | Step::Bytes { at, size } => {
                    self.memory.bytes(bytes(at, size)?, hash)
                }
                Step::Float32 { at } => {
                    let bytes: [u8; 4] = *bytes(at, 4)?.first_chunk()?;
                    self.float(f64::from(f32::from_le_bytes(bytes)), &bytes, hash)?
                }
                Step::Float64 { at } => {
                    let bytes: [u8; 8] = *bytes(at, 8)?.first_chunk()?;
                    self.float(f64::from_le_bytes(bytes), &bytes, hash)?
                }
                Step::Text { at } => self.text_at(context, word(at)?, word(at.checked_add(8)?)?, hash)?,
                Step::Interface { at, empty } => {
                    self.interface(context, (empty, word(at)?, word(at.checked_add(8)?)?), hash, nesting)?
                }
            };
        }
        Some(hash)
    }

    /// Takes bytes off those that may be hashed; `None` when there are not as many left.
    pub(super) fn spend(&self, bytes: u64) -> Option<()> {
        let left = self.bytes_left.get().checked_sub(bytes)?;
        self.bytes_left.set(left);
        Some(())
    }

    /// `f32hash`, `f64hash`.
    fn float(&self, value: f64, bytes: &[u8], hash: u64) -> Option<u64> {
        if value.is_nan() {
            return None;
        }
        Some(if value == 0.0 { C1.wrapping_mul(C0 ^ hash) } else { self.memory.bytes(bytes, hash) })
    }

    fn text_at(&self, context: &Context<'_>, data: u64, length: u64, hash: u64) -> Option<u64> {
        if length == 0 {
            return Some(self.memory.bytes(&[], hash));
        }
        if length > context.memory.size() {
            return None;
        }
        self.spend(length)?;
        let mut text = [0; 64];
        if let Some(text) = text.get_mut(..length as usize) {
            return context.memory.read(data, text).then(|| self.memory.bytes(text, hash));
        }
        let mut text = vec![0; length as usize];
        context.memory.read(data, &mut text).then(|| self.memory.bytes(&text, hash))
    }

    /// `interhash`, `nilinterhash`: the hash of what an interface holds, by the runtime's `typehash`.
    fn interface(
        &self,
        context: &Context<'_>,
        (empty, word, data): (bool, u64, u64),
        hash: u64,
        nesting: u32,
    ) -> Option<u64> {
        if word == 0 {
            return Some(hash);
        }
        if nesting >= MOST_NESTING {
            return None;
        }
        let types = context.types?;
        let address = if empty { word } else { types.itab_type(context.memory, word)? };
        let found = types.read(context.memory, address)?;
        let mut dynamic = self.dynamic.borrow_mut();
        if dynamic.len() >= MOST_KEPT {
            dynamic.clear();
        }
        let of_type = dynamic
            .entry(address)
            .or_insert_with(|| steps(Maker::Typehash, types, context.memory, address).map(Rc::new))
            .clone()?;
        drop(dynamic);
        let inner = if found.direct {
            self.run(context, &of_type, &data.to_le_bytes(), hash ^ C0, nesting + 1)?
        } else {
            self.spend(found.size)?;
            let size = usize::try_from(found.size).ok().filter(|size| *size <= 1 << 20)?;
            let mut value = vec![0; size];
            if !context.memory.read(data, &mut value) {
                return None;
            }
            self.run(context, &of_type, &value, hash ^ C0, nesting + 1)?
        };
        Some(C1.wrapping_mul(inner))
    }

    /// Whether the entry, of the map of type `of` at `address`, is where a search for the hash comes by.
    pub fn is_home(
        &self,
        context: &Context<'_>,
        of: &MapType,
        address: u64,
        entry: &Entry,
        hash: u64,
    ) -> bool {
        let path = Path::of(context, of, address, hash);
        path.is_some_and(|path| path.mark == entry.mark && path.rows().contains(&entry.row))
    }

    /// How many entries of `sample` agree with the function and how many do not; `None` when these are too many
    /// to be damaged ones.
    fn agreement(
        &self,
        context: &Context<'_>,
        of: &MapType,
        address: u64,
        sample: &[(Entry, Vec<u8>)],
    ) -> Option<(usize, usize)> {
        let homes = Homes::of(context, of, address)?;
        let (mut agreed, mut disagreed) = (0, 0);
        for (entry, key) in sample {
            let Some(hash) = self.hash(context, key) else { continue };
            *(if homes.has(entry, hash) { &mut agreed } else { &mut disagreed }) += 1;
        }
        let is_it = agreed >= LEAST_AGREEING && agreed >= AGREEING_FOR_EACH * disagreed;
        (disagreed == 0 || is_it).then_some((agreed, disagreed))
    }
}

/// The bits of a hash that a group keeps (`h2`).
pub(super) fn h2(hash: u64) -> u8 {
    (hash & 0x7f) as u8
}
