//! `unlock-unlocked`: `fatal` of sync's mutexes (sync/mutex.go, rwmutex.go; from Go 1.24 also
//! internal/sync/mutex.go). Not a panic: it cannot be recovered.

use panicle_report::VerdictClass;

use super::{
    capture,
    finding::{Finding, in_place},
};
use crate::facts::Facts;

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let what = match facts.fatal()? {
        "sync: unlock of unlocked mutex" => "Unlock of a sync.Mutex",
        "sync: Unlock of unlocked RWMutex" => "Unlock of a sync.RWMutex",
        "sync: RUnlock of unlocked RWMutex" => "RUnlock of a sync.RWMutex",
        _ => return None,
    };
    Some(
        Finding::new(facts, VerdictClass::UnlockUnlocked, format!("{what} that was not locked"))
            .summary(format!(
                "A lock was released{} that nobody held. Either one path releases it twice (an explicit Unlock besides \
                 a deferred one), or the lock was copied after locking and the copy is released.",
                in_place(facts)
            ))
            .fix("Lock, then defer the unlock in the next line, and nowhere else.")
            .fix("Never copy a struct that holds a lock: pass pointers (go vet's copylocks finds copies).")
            .example(include_str!("examples/unlock_unlocked.go"))
            .capture("go vet -copylocks ./...")
            .capture(capture::CORE),
    )
}
