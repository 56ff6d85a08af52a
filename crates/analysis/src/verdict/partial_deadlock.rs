//! `deadlock` of a part of the program: locks that are waited for by those who hold them, in a process that
//! lived on (a listener, a timer) until somebody ended it or wrote its goroutines down.
//!
//! A sync.Mutex does not know its holder. But who waits for a lock tells its address (the argument of
//! `semacquire1` or `lockSlow`), and who holds a lock that is a field of something has that
//! something among the arguments of its frames as a rule. Two goroutines that each wait for a lock which lies
//! in what the other one was given are one explanation; a goroutine that waits for a lock in what a caller of
//! its own was given as well is the other. Both are likely, not certain.

use panicle_report::{Confidence, Frame, Goroutine, VerdictClass};

use super::{
    capture,
    external_signal::{Ended, ended, sender},
    finding::Finding,
    signal::describe,
};
use crate::{
    facts::{self, Facts, in_app},
    signature,
};

/// Waiting goroutines that are compared with each other.
const MOST_COMPARED: usize = 200;
/// How far behind the address that a frame was given a lock may lie: the size of a large struct.
const REACH: u64 = 4096;

/// Wait reasons of locks (runtime/runtime2.go). Go 1.19 says `semacquire` of every lock, and of WaitGroups.
const LOCKS: &[&str] = &["sync.Mutex.Lock", "sync.RWMutex"];
/// Bytes within which two addresses are of one lock: a RWMutex has a semaphore for readers and one for writers.
const OF_ONE_LOCK: u64 = 16;

/// A goroutine that waits for a lock.
struct Waiter<'a> {
    goroutine: &'a Goroutine,
    /// The lock's address.
    lock: u64,
    /// Index of the frame that takes the lock, the application's.
    frame: usize,
    /// Addresses that the frame that waits and its callers were given.
    given: Vec<(usize, u64)>,
}

pub(super) fn recognise(facts: &Facts<'_>) -> Option<Finding> {
    let ended = ended(facts)?;
    let mut waiters: Vec<_> = facts.user_goroutines().filter_map(waiter).collect();
    // Which of several is found first does not depend on the numbers of goroutines.
    waiters.sort_by_cached_key(|waiter| (signature::own_functions(waiter.goroutine), waiter.goroutine.id));
    waiters.truncate(MOST_COMPARED);
    let finding = each_others(facts, &waiters)
        .or_else(|| its_own(facts, &waiters))
        .or_else(|| as_it_seems(facts, &waiters))?;
    let mut finding = finding
        .fix("Take locks in one order everywhere: by a rank, an id or an address.")
        .fix("Let exported methods take the lock and unexported ones expect it: a method that holds the lock never calls one that takes it.")
        .fix("Hold a lock for memory only: no call of unknown code, no I/O and no channel operation under it.")
        .example(include_str!("examples/deadlock.go"))
        .capture(capture::GOROUTINES)
        .capture(capture::MUTEX_PROFILE);
    if let Ended::Signal { signal, .. } = ended {
        if let Some(signal) = signal {
            finding = finding.evidence("signal", describe(signal), None);
        }
        finding = sender(facts, signal, finding);
    }
    Some(finding)
}

/// Two goroutines, each of which waits for a lock in what the other one was given.
fn each_others(facts: &Facts<'_>, waiters: &[Waiter<'_>]) -> Option<Finding> {
    // The nearest object that was given is the one that the lock lies in.
    let pair = waiters.iter().enumerate().find_map(|(at, one)| {
        let other = waiters.iter().skip(at + 1).find(|other| {
            !same(one.lock, other.lock)
                && other.holds(one.lock, other.lock)
                && one.holds(other.lock, one.lock)
        })?;
        Some((one, other))
    })?;
    let (one, other) = pair;
    if one.may_be_held_by_another(facts, waiters) || other.may_be_held_by_another(facts, waiters) {
        return None;
    }
    Some(of_two(
        facts,
        [one, other],
        "Each was given what the other one's lock belongs to: they have taken two locks in opposite order.",
        (
            Confidence::Likely,
            "Likely: each waits for a lock that lies in what the other one was given; that the other one holds it is \
             what explains that both wait.",
        ),
    ))
}

/// Two methods, each of which waits for a lock in another value than its own, where a receiver is not in the text any
/// more: compilers forget it once its lock was taken. Nobody else is seen with one of these values.
fn as_it_seems(facts: &Facts<'_>, waiters: &[Waiter<'_>]) -> Option<Finding> {
    let may_hold = |one: &Waiter<'_>, other: &Waiter<'_>| {
        one.holds(other.lock, one.lock) || (one.has_forgotten_receiver() && one.waits_for_argument())
    };
    // Many in one method may each wait for one of many values, which somebody else has.
    let told_apart = |one: &Waiter<'_>, other: &Waiter<'_>| {
        one.method() != other.method()
            || one.holds(other.lock, one.lock)
            || other.holds(one.lock, other.lock)
            || waiters
                .iter()
                .filter(|waiter| waiter.method() == one.method())
                .all(|waiter| same(waiter.lock, one.lock) || same(waiter.lock, other.lock))
    };
    let pair = waiters.iter().enumerate().find_map(|(at, one)| {
        let other = waiters.iter().skip(at + 1).find(|other| {
            !same(one.lock, other.lock)
                && may_hold(one, other)
                && may_hold(other, one)
                && told_apart(one, other)
        })?;
        Some([one, other])
    })?;
    let elsewhere = |waiter: &Waiter<'_>| {
        waiter.may_be_held_by_another(facts, waiters) || waiter.has_colleague(facts, waiters)
    };
    if pair.into_iter().any(elsewhere) {
        return None;
    }
    Some(of_two(
        facts,
        pair,
        "Each is in a method of one value and waits for the lock of another value, and nobody else is seen with \
         these: it seems that they have taken two locks in opposite order.",
        (
            Confidence::Possible,
            "Possible: that each holds the lock that the other one waits for is not seen, since a receiver is not \
             kept; it explains that both wait.",
        ),
    ))
}

/// What is said of two goroutines that wait for each other's lock.
fn of_two(
    facts: &Facts<'_>,
    [one, other]: [&Waiter<'_>; 2],
    why: &str,
    (confidence, because): (Confidence, &str),
) -> Finding {
    let (here, there) = (one.place(), other.place());
    let mut finding = Finding::new(
        facts,
        VerdictClass::Deadlock,
        "Deadlock: two goroutines wait for each other's lock",
    )
    .sure(confidence, because)
    .raise("A second dump some minutes later raises it: both still wait in the same place.")
    .summary(format!(
        "Goroutine {} waits for the lock {:#x} in {here}, goroutine {} for the lock {:#x} in {there}. {why} \
                 Nothing but a restart ends that, and everyone who needs one of these locks waits too.",
        one.goroutine.id, one.lock, other.goroutine.id, other.lock
    ))
    .evidence("goroutines", format!("Waits for {:#x} in {here}", one.lock), Some(one.reference()))
    .evidence("goroutines", format!("Waits for {:#x} in {there}", other.lock), Some(other.reference()));
    finding.place = Some(here);
    finding.stuck = vec![one.goroutine.id, other.goroutine.id];
    finding.other_goroutines = vec![other.goroutine.id];
    finding
}

/// A goroutine that waits for a lock which a caller of its own has taken as it seems, and for which more wait.
fn its_own(facts: &Facts<'_>, waiters: &[Waiter<'_>]) -> Option<Finding> {
    let mut candidates =
        waiters.iter().filter_map(|waiter| Some((waiter, waiter.caller_of_the_same_type()?)));
    let (waiter, caller) = candidates.next()?;
    // Where several come the same way, the caller does not hold the lock.
    if candidates.any(|(other, _)| same(other.lock, waiter.lock))
        || waiter.may_be_held_by_another(facts, waiters)
    {
        return None;
    }
    let of_it = waiters.iter().filter(|other| same(other.lock, waiter.lock)).map(|other| other.goroutine.id);
    let others: Vec<u64> = of_it.filter(|id| *id != waiter.goroutine.id).take(20).collect();
    let here = waiter.place();
    let crowd = match others.len() {
        0 => String::new(),
        1 => " One more goroutine waits for it.".to_owned(),
        count => format!(" {count} more goroutines wait for it."),
    };
    let (confidence, because) = if others.is_empty() {
        (
            Confidence::Possible,
            "Possible: a caller was given what the lock belongs to; that it is the one who holds the lock is not seen.",
        )
    } else {
        (
            Confidence::Likely,
            "Likely: everyone waits for the lock, and one of those who wait has a caller which was given what the \
             lock belongs to and which is a method of the same type.",
        )
    };
    let mut finding = Finding::new(
        facts,
        VerdictClass::Deadlock,
        "Deadlock: a goroutine waits for a lock that it seems to hold",
    )
    .sure(confidence, because)
    .raise("A second dump some minutes later raises it: the same goroutine still waits in the same place.")
    .summary(format!(
        "Goroutine {} waits for the lock {:#x} in {here}, called from {}, a method of the same value. Go's \
                 locks cannot be taken twice by one goroutine.{crowd}",
        waiter.goroutine.id,
        waiter.lock,
        facts::describe(caller)
    ))
    .evidence("goroutines", format!("Waits for {:#x} in {here}", waiter.lock), Some(waiter.reference()));
    if let Some(other) = others.first() {
        finding = finding.evidence(
            "goroutines",
            format!("{} wait for the same lock", others.len()),
            Some(format!("goroutine {other}")),
        );
    }
    finding.place = Some(here);
    finding.stuck = vec![waiter.goroutine.id];
    finding.other_goroutines = others;
    Some(finding)
}

impl<'a> Waiter<'a> {
    /// A caller that was given what the lock lies in, and is a method of the type whose method waits.
    fn caller_of_the_same_type(&self) -> Option<&'a Frame> {
        let method = self.method()?;
        let mut outer = self.given.iter().filter(|(frame, _)| *frame > self.frame);
        outer.find_map(|(frame, address)| {
            let caller = self.goroutine.frames.get(*frame)?;
            (within(*address, self.lock) && receiver(caller) == Some(method)).then_some(caller)
        })
    }

    /// Whether a goroutine that does not wait for a lock was given what the lock lies in: it may hold it, and
    /// give it back.
    fn may_be_held_by_another(&self, facts: &Facts<'_>, waiters: &[Waiter<'_>]) -> bool {
        let waits = |id: u64| waiters.iter().any(|waiter| waiter.goroutine.id == id);
        facts.user_goroutines().filter(|g| !waits(g.id)).any(|goroutine| {
            let frames = goroutine.frames.iter().filter(|frame| in_app(frame));
            frames
                .take(64)
                .flat_map(words)
                .any(|address| within(address, self.lock) && address + 512 > self.lock)
        })
    }

    /// Whether it was given what `lock` lies in, and that is not what the lock it waits for lies in.
    fn holds(&self, lock: u64, waits_for: u64) -> bool {
        let nearest = |lock: u64| {
            self.given.iter().map(|(_, address)| *address).filter(|address| within(*address, lock)).max()
        };
        nearest(lock).is_some() && nearest(lock) != nearest(waits_for)
    }

    /// Whether it is in a method whose receiver the traceback does not know any more.
    fn has_forgotten_receiver(&self) -> bool {
        let frame = self.goroutine.frames.get(self.frame).filter(|_| self.method().is_some());
        let Some(frame) = frame else { return false };
        let first = frame.args.as_deref().and_then(|args| args.split(',').next());
        first.is_some_and(|word| word.trim().ends_with('?'))
    }

    /// Whether the lock lies in what the frame that waits was given.
    fn waits_for_argument(&self) -> bool {
        self.given.iter().any(|(frame, address)| *frame == self.frame && within(*address, self.lock))
    }

    /// Whether a goroutine that does not wait for a lock is in a method of the same type.
    fn has_colleague(&self, facts: &Facts<'_>, waiters: &[Waiter<'_>]) -> bool {
        let Some(method) = self.method() else { return false };
        let waits = |id: u64| waiters.iter().any(|waiter| waiter.goroutine.id == id);
        facts
            .user_goroutines()
            .filter(|goroutine| !waits(goroutine.id))
            .any(|goroutine| goroutine.frames.iter().take(64).any(|frame| receiver(frame) == Some(method)))
    }

    /// The type whose method waits.
    fn method(&self) -> Option<&'a str> {
        receiver(self.goroutine.frames.get(self.frame)?)
    }

    fn place(&self) -> String {
        self.goroutine.frames.get(self.frame).map_or_else(|| "?".to_owned(), facts::describe)
    }

    fn reference(&self) -> String {
        format!("goroutine {} frame {}", self.goroutine.id, self.frame)
    }
}

fn same(one: u64, other: u64) -> bool {
    one.abs_diff(other) < OF_ONE_LOCK
}

fn within(object: u64, lock: u64) -> bool {
    object <= lock && lock - object < REACH
}

/// Reads whom a goroutine waits for.
fn waiter(goroutine: &Goroutine) -> Option<Waiter<'_>> {
    let reason = goroutine.wait_reason.as_deref()?;
    let of_a_lock = LOCKS.iter().any(|lock| reason.starts_with(lock))
        || (reason == "semacquire" && goroutine.frames.iter().any(|frame| takes_lock(&frame.function)));
    if !of_a_lock {
        return None;
    }
    let frame = goroutine.frames.iter().position(in_app)?;
    let inner = goroutine.frames.get(..frame)?;
    // What it sleeps on is the lock's semaphore; where that frame is left out, the lock itself.
    let asleep =
        || inner.iter().find(|f| f.function == "runtime.semacquire1").and_then(|f| addresses(f).next());
    let slow = || inner.iter().rev().find(|f| takes_lock(&f.function)).and_then(|f| addresses(f).next());
    let lock = asleep().or_else(slow)?;
    let given = goroutine
        .frames
        .iter()
        .enumerate()
        .skip(frame)
        .filter(|(_, f)| in_app(f))
        .take(64)
        .flat_map(|(at, f)| addresses(f).take(8).map(move |address| (at, address)))
        .collect();
    Some(Waiter { goroutine, lock, frame, given })
}

/// Functions of sync whose first argument is the lock.
pub(super) fn takes_lock(function: &str) -> bool {
    matches!(
        function,
        "sync.(*Mutex).lockSlow"
            | "internal/sync.(*Mutex).lockSlow"
            | "sync.(*RWMutex).Lock"
            | "sync.(*RWMutex).RLock"
    )
}

/// `(*registry)` of `main.(*registry).size`, with the package.
fn receiver(frame: &Frame) -> Option<&str> {
    let end = frame.function.find(").")?;
    frame.function.get(..end)
}

/// The addresses among a frame's arguments. What the traceback marks as perhaps out of date (`?`) is none.
fn addresses(frame: &Frame) -> impl Iterator<Item = u64> {
    let args = frame.args.as_deref().unwrap_or_default();
    args.split([',', '{', '}', ' '])
        .filter_map(|word| u64::from_str_radix(word.trim().strip_prefix("0x")?, 16).ok())
        // Smaller numbers are none.
        .filter(|value| *value >= 1 << 16)
}

/// All of them, those that may be out of date too.
fn words(frame: &Frame) -> impl Iterator<Item = u64> {
    let args = frame.args.as_deref().unwrap_or_default();
    args.split([',', '{', '}', ' ', '?'])
        .filter_map(|word| u64::from_str_radix(word.trim().strip_prefix("0x")?, 16).ok())
        .filter(|value| *value >= 1 << 16)
}

#[cfg(test)]
mod tests {
    use super::{addresses, receiver, within};
    use crate::testing::frame;

    #[test]
    fn arguments_are_read_where_they_are_sure() {
        let mut of = frame("main.(*registry).add", "/src/main.go", 3);
        of.args = Some("0xc000010010, {0x4e5237?, 0x5}, {{0xc000010020}}, ...".to_owned());
        assert_eq!(addresses(&of).collect::<Vec<_>>(), [0xc0_0001_0010, 0xc0_0001_0020]);
        assert_eq!(receiver(&of), Some("main.(*registry"));
        assert!(within(0xc0_0001_0000, 0xc0_0001_0010) && !within(0xc0_0001_0020, 0xc0_0001_0010));
    }
}
