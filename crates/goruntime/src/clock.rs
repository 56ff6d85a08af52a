//! What time it was when the process died.
//!
//! Waits are stamped with the monotonic clock (`nanotime`), and a core does not say what that clock
//! showed at its end. The latest stamp that the runtime left anywhere is no later than the end, so
//! the waits told from it are no longer than they were.

use crate::process::Process;

/// Words of the runtime that hold times: variable, structure, field.
const STAMPS: [(&str, &str, &str); 2] = [
    // The last time the network was polled, and the last garbage collection.
    ("runtime.sched", "runtime.schedt", "lastpoll"),
    ("runtime.memstats", "runtime.mstats", "last_gc_nanotime"),
];
/// `p`s are bounded by GOMAXPROCS.
const MOST_PROCESSORS: u64 = 4096;
/// When the system monitor last saw each processor do something.
const TICKS: [&str; 2] = ["sysmontick.schedwhen", "sysmontick.syscallwhen"];
/// Ten years of uptime: no stamp is later.
pub(crate) const LATEST: u64 = 10 * 365 * 86_400 * 1_000_000_000;

/// A time no later than the end of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    end: u64,
}

impl Clock {
    /// The latest of the runtime's stamps and of `waits`.
    pub(crate) fn read(process: &Process<'_>, waits: impl Iterator<Item = u64>) -> Self {
        let stamp = |(variable, structure, field): (&'static str, &'static str, &'static str)| {
            let object = process.object(structure, process.global(variable).ok()?).ok()?;
            object.word(field).ok()
        };
        let processors = process.global("runtime.allp").and_then(|allp| process.slice_header(allp, 8));
        let (data, count) = processors.unwrap_or((0, 0));
        let ticks = (0..count.min(MOST_PROCESSORS)).flat_map(|index| {
            let p = process.memory.u64(data.wrapping_add(index * 8)).ok();
            let p = p.and_then(|address| process.object("runtime.p", address).ok());
            TICKS.map(|tick| p.and_then(|p| p.word(tick).ok()).unwrap_or(0))
        });
        let stamps = STAMPS.into_iter().filter_map(stamp).chain(ticks).chain(waits);
        Self { end: stamps.filter(|&stamp| stamp < LATEST).max().unwrap_or(0) }
    }

    /// Seconds from `since` to the end at the least; unknown where nothing was stamped.
    pub(crate) fn seconds_since(self, since: u64) -> Option<f64> {
        (since != 0 && since <= self.end).then(|| (self.end - since) as f64 / 1e9)
    }
}
