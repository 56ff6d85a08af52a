//! Profiler labels of a goroutine (`g.labels`).
//!
//! Up to Go 1.23 they are a `map[string]string` (`runtime/pprof.labelMap`), from 1.24 a slice of
//! pairs. Which, the layout tells: the slice came with a struct.

use std::collections::BTreeMap;

use crate::process::{Process, ReadError};

/// More labels than this on one goroutine are not read.
const MOST: u64 = 256;
/// Bytes of one key or value.
const LONGEST: u64 = 1024;
/// `bucketCnt` of runtime/map.go.
const SLOTS: u64 = 8;
/// `minTopHash`: smaller marks are for empty or evacuated slots.
const MIN_TOP_HASH: u8 = 5;

/// The labels at `address`, the value of `g.labels`.
pub(crate) fn read(process: &Process<'_>, address: u64) -> Result<BTreeMap<String, String>, ReadError> {
    if address == 0 {
        return Ok(BTreeMap::new());
    }
    if process.layout.structure("runtime/pprof.labelMap").is_some() {
        pairs(process, address)
    } else if process.layout.structure("runtime.hmap").is_some() {
        // `g.labels` points to a variable that holds the map.
        hash_map(process, process.memory.u64(address)?)
    } else {
        pairs(process, address)
    }
}

fn pair(process: &Process<'_>, key: u64, value: u64) -> Result<(String, String), ReadError> {
    Ok((process.go_string(key, LONGEST)?, process.go_string(value, LONGEST)?))
}

fn pairs(process: &Process<'_>, header: u64) -> Result<BTreeMap<String, String>, ReadError> {
    let (data, length) = process.slice_header(header, 32)?;
    (0..length.min(MOST))
        .map(|index| {
            let key = data.wrapping_add(index * 32);
            pair(process, key, key.wrapping_add(16))
        })
        .collect()
}

/// Buckets of a `map[string]string`: 8 marks, 8 keys, 8 values, the overflow bucket.
fn hash_map(process: &Process<'_>, address: u64) -> Result<BTreeMap<String, String>, ReadError> {
    const KEYS: u64 = 8;
    const VALUES: u64 = KEYS + SLOTS * 16;
    const OVERFLOW: u64 = VALUES + SLOTS * 16;
    const BUCKET: u64 = OVERFLOW + 8;
    let mut found = BTreeMap::new();
    if address == 0 {
        return Ok(found);
    }
    let map = process.object("runtime.hmap", address)?;
    let shift = map.word("B")?.min(8);
    let old = map.word("oldbuckets")?;
    let old_buckets = if old == 0 { 0 } else { (1 << shift) / 2 };
    let all = [(map.word("buckets")?, 1 << shift), (old, old_buckets)];
    let mut budget = MOST;
    for (buckets, count) in all.into_iter().filter(|all| all.0 != 0) {
        for index in 0..count {
            let mut bucket = buckets.wrapping_add(index * BUCKET);
            while bucket != 0 && budget > 0 {
                budget -= 1;
                for slot in 0..SLOTS {
                    if process.memory.u8(bucket.wrapping_add(slot))? >= MIN_TOP_HASH {
                        let at = |part: u64| bucket.wrapping_add(part + slot * 16);
                        let (key, value) = pair(process, at(KEYS), at(VALUES))?;
                        found.insert(key, value);
                    }
                }
                bucket = process.memory.u64(bucket.wrapping_add(OVERFLOW))?;
            }
        }
    }
    Ok(found)
}
