//! Looking at entries for damage.

use std::cell::Cell;

use panicle_report::{MapImplementation, MapState};

use super::{
    Entry, HashFunction, Hashes, Header, MapType, SLOTS, Unreadable, entries, header, homes::Homes,
    report::Problems,
};
use crate::value::Context;

/// The largest key that is hashed.
const LARGEST_KEY: u64 = 1 << 20;
/// Keys of one map that are hashed for a report, and keys of all its maps: what takes a fraction of a second.
const KEYS_OF_ONE: u64 = 1 << 16;
const KEYS_OF_ALL: u64 = 1 << 18;
/// Bytes of keys of one map that are looked at.
const BYTES_OF_ONE: usize = 64 << 20;
/// Entries of which each is said what is wrong.
const SAID: u64 = 3;
/// Of eight slots one is taken, or there are fewer entries than are looked for.
const SLOTS_FOR_ONE: u64 = 8;

/// What came of looking at entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Entries that were looked at.
    pub entries: u64,
    /// Those that are not where their key's hash says, or have another mark; `None` where no hash function is
    /// known.
    pub misplaced: Option<u64>,
    /// Those of which key or element is not in memory.
    pub unreadable: u64,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

/// Who writes to a map. A write sets the key and the byte of its hash one after the other: most insertions set the
/// key first, those for keys of strings and integers up to Go 1.23 the byte, as `evacuate` does, and a deletion
/// clears the key before the byte (runtime/map.go, map_faststr.go; internal/runtime/maps/table.go, map.go).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writers {
    /// Goroutines that are in the middle of a write, as far as is known.
    pub at_work: u64,
    /// The runtime noticed that several goroutines were at it.
    pub noticed: bool,
}

/// Looks at headers and at entries of the maps of a report, within bounds for all of them together.
pub struct Examiner<'h> {
    hashes: &'h Hashes,
    keys_left: Cell<u64>,
}

impl<'h> Examiner<'h> {
    /// One that knows what the process hashes keys with.
    pub fn new(hashes: &'h Hashes) -> Self {
        Self { hashes, keys_left: Cell::new(KEYS_OF_ALL) }
    }

    /// What the process hashes keys with.
    pub(crate) fn hashes(&self) -> &'h Hashes {
        self.hashes
    }

    /// The header of the map of type `of` at `address`, with what is wrong with its first entries among the
    /// problems: the others are as many as take too long.
    pub fn header(
        &self,
        context: &Context<'_>,
        of: &MapType,
        address: u64,
        writers: Writers,
    ) -> Result<Header, Unreadable> {
        let mut found = header(context, of, address)?;
        let is_native = of.slots.implementation != MapImplementation::SyncMap;
        if address == 0 || found.state == MapState::Unknown || !is_native {
            return Ok(found);
        }
        let most = self.keys_left.get().min(KEYS_OF_ONE);
        if most == 0 {
            return Ok(found);
        }
        let mut walked = Walked::new(context, Some(self.hashes), of, address);
        let check = walked.check(most);
        // Many buckets without entries take time, too.
        self.keys_left.set(self.keys_left.get().saturating_sub(check.entries.max(walked.rows)));
        let at_work = writers.at_work.max((found.state == MapState::Writing).into());
        let mut problems = Problems::default();
        for problem in std::mem::take(&mut found.problems) {
            problems.add(problem);
        }
        walked.say(&check, Writers { at_work, ..writers }, &mut problems);
        found.problems = problems.sentences();
        Ok(found)
    }
}

/// Looks at the first `most` entries of the map of type `of` at `address`: counts them, reads keys and elements, and
/// compares the place of each with its key's hash.
pub fn check(context: &Context<'_>, hashes: Option<&Hashes>, of: &MapType, address: u64, most: u64) -> Check {
    let mut walked = Walked::new(context, hashes, of, address);
    let mut check = walked.check(most);
    let mut problems = Problems::default();
    walked.say(&check, Writers::default(), &mut problems);
    check.problems = problems.sentences();
    check
}

/// Compares the entries of one map with the hashes of their keys.
pub(crate) struct Prover<'c> {
    context: &'c Context<'c>,
    of: &'c MapType,
    function: HashFunction,
    homes: Homes,
}

impl<'c> Prover<'c> {
    /// `None` where no hash function is known.
    pub(crate) fn new(
        context: &'c Context<'c>,
        hashes: &Hashes,
        of: &'c MapType,
        address: u64,
    ) -> Option<Self> {
        let function = hashes.of_map(context, of, address).ok()?;
        Some(Self { context, of, function, homes: Homes::of(context, of, address)? })
    }

    /// What is wrong with the mark or the place of `entry`, in a sentence; `None` when nothing is, or when its key
    /// has no hash that stays the same.
    pub(crate) fn fault(&self, entry: &Entry) -> Option<String> {
        let mut key = vec![0; usize::try_from(self.of.key_size.min(LARGEST_KEY)).ok()?];
        self.context.memory.read(entry.key, &mut key).then_some(())?;
        let hash = self.hash(&key).filter(|hash| !self.homes.has(entry, *hash))?;
        Some(self.sentence(entry, hash))
    }

    fn hash(&self, key: &[u8]) -> Option<u64> {
        self.function.hash(self.context, key)
    }

    fn sentence(&self, entry: &Entry, hash: u64) -> String {
        let Entry { row, slot, mark, .. } = *entry;
        let (unit, byte) = match self.of.slots.implementation {
            MapImplementation::Swiss => ("group", "control byte"),
            _ => ("bucket", "tophash"),
        };
        let right = self.homes.mark(hash);
        if right != mark {
            return format!(
                "The entry in slot {slot} of {unit} {row} has {byte} {mark:#04x}, and the hash of its key gives \
                 {right:#04x}."
            );
        }
        let bucket = self.homes.bucket(entry, hash).unwrap_or(row);
        format!(
            "The entry in slot {slot} of {unit} {row} belongs into {unit} {bucket} by the hash of its key."
        )
    }
}

/// The entries of one map, being looked at.
struct Walked<'c> {
    context: &'c Context<'c>,
    of: &'c MapType,
    address: u64,
    prover: Option<Prover<'c>>,
    /// Buckets or groups that were looked at.
    rows: u64,
    /// Sentences on single entries, and on the walk.
    single: Vec<String>,
    on_the_way: Vec<String>,
}

impl<'c> Walked<'c> {
    fn new(context: &'c Context<'c>, hashes: Option<&Hashes>, of: &'c MapType, address: u64) -> Self {
        let prover = hashes.and_then(|hashes| Prover::new(context, hashes, of, address));
        Self { context, of, address, prover, rows: 0, single: Vec::new(), on_the_way: Vec::new() }
    }

    fn check(&mut self, most: u64) -> Check {
        let mut check = Check { misplaced: self.prover.as_ref().map(|_| 0), ..Check::default() };
        let bytes = (most / SLOTS).saturating_add(1).saturating_mul(SLOTS_FOR_ONE);
        let mut walk =
            entries(self.context, self.of, self.address).within(bytes.saturating_mul(self.of.slots.size));
        let mut key = vec![0; usize::try_from(self.of.key_size.min(LARGEST_KEY)).unwrap_or(0)];
        let mut last = [0];
        let before = walk.bytes_left();
        let mut bytes_left = BYTES_OF_ONE;
        while check.entries < most {
            let Some(left) = bytes_left.checked_sub(key.len()) else { break };
            let Some(entry) = walk.next() else { break };
            bytes_left = left;
            check.entries += 1;
            let last_of_elem = entry.elem.wrapping_add(self.of.elem_size.saturating_sub(1));
            let has_elem = self.of.elem_size == 0 || self.context.memory.read(last_of_elem, &mut last);
            if !self.context.memory.read(entry.key, &mut key) || !has_elem {
                check.unreadable += 1;
                continue;
            }
            let Some(prover) = &self.prover else { continue };
            if let Some(hash) = prover.hash(&key)
                && !prover.homes.has(&entry, hash)
            {
                check.misplaced = check.misplaced.map(|count| count + 1);
                if self.single.len() < SAID as usize {
                    self.single.push(prover.sentence(&entry, hash));
                }
            }
        }
        self.rows = before.saturating_sub(walk.bytes_left()) / self.of.slots.size.max(1);
        if !walk.is_cut() {
            self.on_the_way = walk.problems();
        }
        check
    }

    /// Says what is wrong. A slot for each of those who write may be half written.
    fn say(self, check: &Check, writers: Writers, problems: &mut Problems) {
        let misplaced = check.misplaced.unwrap_or(0);
        let are_written = writers.at_work > 0 || writers.noticed;
        if misplaced > writers.at_work {
            let are = if misplaced == 1 { "is" } else { "are" };
            let why = if are_written {
                "goroutines were writing to it"
            } else {
                "memory was overwritten, or goroutines wrote to it at the same time"
            };
            if !are_written {
                for problem in self.single {
                    problems.add(problem);
                }
            }
            problems.add(format!(
                "Of {} entries, {misplaced} {are} not where the hash of the key says: {why}.",
                check.entries
            ));
        }
        if check.unreadable > 0 {
            problems.add(format!("Of {} entries key or element is not in memory.", check.unreadable));
        }
        for problem in self.on_the_way {
            problems.add(problem);
        }
    }
}
