//! Goroutines counted by state and stack.

use std::hash::Hasher as _;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::MAX_RAN;
use crate::traceback::model::{TextCluster, TextGoroutine};

/// Clusters of one crash. A real program has hundreds at most.
const MAX_CLUSTERS: usize = 5000;
/// Bytes of the stacks of all clusters of one crash.
const MAX_BYTES: usize = 8 << 20;
/// Ids that a cluster names.
const EXAMPLES: usize = 10;

/// All goroutines of one crash.
#[derive(Default)]
pub(super) struct Clusters {
    pub(super) list: Vec<TextCluster>,
    pub(super) unclustered: u64,
    /// Clusters by the hash of state and stack.
    by_hash: FxHashMap<u64, usize>,
    bytes: usize,
    /// Goroutines that were running when they were printed: the cluster they are in.
    ran: FxHashMap<u64, Option<usize>>,
}

impl Clusters {
    /// How many goroutines were counted.
    pub(super) fn goroutines(&self) -> u64 {
        self.list.iter().map(|c| c.count).sum::<u64>() + self.unclustered
    }

    /// Counts a goroutine. Answers how many of its cluster there are now; `None` where it is in none, or
    /// was counted before.
    pub(super) fn add(&mut self, goroutine: &TextGoroutine) -> Option<u64> {
        // A thread that ran is told to print its own stack later, under GOTRACEBACK=crash: the dying one
        // could only say that it was running. All else was printed in full before.
        if let Some(&before) = self.ran.get(&goroutine.id) {
            let better = match before {
                Some(at) => self.list[at].first.frames.len() < goroutine.frames.len(),
                None => false,
            };
            if !better {
                return None;
            }
            if let Some(at) = before {
                let cluster = &mut self.list[at];
                cluster.count = cluster.count.saturating_sub(1);
                cluster.example_ids.retain(|id| *id != goroutine.id);
            }
        } else if goroutine.section > 0 {
            return None;
        }
        let at = self.place(goroutine);
        if &*goroutine.status == "running"
            && (self.ran.len() < MAX_RAN || self.ran.contains_key(&goroutine.id))
        {
            self.ran.insert(goroutine.id, at);
        }
        let Some(at) = at else {
            self.unclustered += 1;
            return None;
        };
        let cluster = &mut self.list[at];
        cluster.count += 1;
        if cluster.example_ids.len() < EXAMPLES
            || cluster.example_ids.last().is_some_and(|id| *id > goroutine.id)
        {
            let at = cluster.example_ids.partition_point(|id| *id < goroutine.id);
            cluster.example_ids.insert(at, goroutine.id);
            cluster.example_ids.truncate(EXAMPLES);
        }
        if let Some(minutes) = goroutine.wait_minutes {
            let (low, high) = cluster.wait_minutes.unwrap_or((minutes, minutes));
            cluster.wait_minutes = Some((low.min(minutes), high.max(minutes)));
        }
        Some(cluster.count)
    }

    /// The cluster of a goroutine, made if there is room.
    fn place(&mut self, goroutine: &TextGoroutine) -> Option<usize> {
        let mut hash = hash(goroutine);
        // Stacks that have one hash and differ stand one after another.
        for _ in 0..8 {
            match self.by_hash.get(&hash) {
                Some(&at) if alike(&self.list[at].first, goroutine) => return Some(at),
                Some(_) => hash = hash.wrapping_add(1),
                None => {
                    let bytes = super::weight(goroutine);
                    if self.list.len() >= MAX_CLUSTERS || self.bytes + bytes > MAX_BYTES {
                        return None;
                    }
                    self.bytes += bytes;
                    self.by_hash.insert(hash, self.list.len());
                    self.list.push(TextCluster { first: goroutine.clone(), ..TextCluster::default() });
                    return Some(self.list.len() - 1);
                }
            }
        }
        None
    }
}

fn hash(goroutine: &TextGoroutine) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(goroutine.status.as_bytes());
    hasher.write(goroutine.wait_reason.as_deref().unwrap_or("-").as_bytes());
    for frame in &goroutine.frames {
        hasher.write(frame.function.as_bytes());
        hasher.write_u32(frame.line.unwrap_or(0));
    }
    hasher.finish()
}

/// One state and one stack.
fn alike(a: &TextGoroutine, b: &TextGoroutine) -> bool {
    fn same(a: &Arc<str>, b: &Arc<str>) -> bool {
        Arc::ptr_eq(a, b) || a == b
    }
    same(&a.status, &b.status)
        && a.wait_reason == b.wait_reason
        && a.frames.len() == b.frames.len()
        && a.frames
            .iter()
            .zip(&b.frames)
            .all(|(a, b)| a.line.unwrap_or(0) == b.line.unwrap_or(0) && same(&a.function, &b.function))
}
