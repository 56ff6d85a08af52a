//! Joining the core and the text of one crash that arrived as two crashes.
//!
//! They are one when they agree in what neither could have by chance: the goroutine at fault with its number,
//! functions and lines; every other goroutine that both have; the process or the host, of which none may differ;
//! and the time. A program
//! that dies of one bug again and again has the same numbers and stacks each time, so that these alone never
//! suffice; nor does a process number of 1, which every container has.

mod part;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    JobKind, Store, StoreError, facts,
    groups::counters,
    jobs::{Priority, enqueue},
    occurred, time,
    tx::Tx,
};

/// Seconds between two times of a crash that were both given, where the process is known.
const WINDOW_GIVEN: i64 = 60;
/// Seconds between them where only the host is known: a container is not started again so soon.
const WINDOW_HOST: i64 = 5;
/// Seconds between two crashes of one process and one host of which one or both are known only by when they were
/// received. Without the host, a number says too little for so long: numbers are used again, and many hosts
/// have the same.
const WINDOW_RECEIVED: i64 = 600;
/// Halves that are looked at. With more there is no telling whether another one would fit, so none is taken.
const MAX_CANDIDATES: usize = 1000;
const MICROS: i64 = 1_000_000;

/// Which half of a crash its evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinSide {
    /// A core, and no text.
    Core,
    /// Text, and no core.
    Text,
}

impl JoinSide {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Text => "text",
        }
    }

    const fn other(self) -> &'static str {
        match self {
            Self::Core => Self::Text.as_str(),
            Self::Text => Self::Core.as_str(),
        }
    }
}

/// What a half of a crash shares with the other half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinKey {
    /// Which half it is.
    pub side: JoinSide,
    /// Digest of the goroutine at fault: its number, its functions, its lines.
    pub fault: String,
    /// Numbers of goroutines with a digest of functions and lines; of a long list, the lowest numbers.
    pub goroutines: BTreeMap<u64, String>,
}

/// A crash whose evidence was added to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// The crash that was.
    pub joined: String,
    /// When.
    pub at: Timestamp,
    /// What they agreed in.
    pub reason: String,
}

#[derive(Clone, Debug, sqlx::FromRow)]
struct Half {
    id: String,
    pid: Option<i64>,
    hostname: Option<String>,
    service: Option<String>,
    occurred_at: Option<i64>,
    seen_at: i64,
}

#[derive(sqlx::FromRow)]
struct Candidate {
    #[sqlx(flatten)]
    half: Half,
    goroutines: String,
}

/// Why two halves are one crash, or `None` when they are not or when it would be a guess.
fn agree(one: &Half, other: &Half, shared: usize) -> Option<String> {
    // The first process of a container, in all of them.
    let known = |pid: Option<i64>| pid.filter(|pid| *pid > 1);
    let differ = |one: &Option<String>, other: &Option<String>| matches!((one, other), (Some(one), Some(other)) if one != other);
    if matches!((one.pid, other.pid), (Some(one), Some(other)) if one != other)
        || differ(&one.hostname, &other.hostname)
        || differ(&one.service, &other.service)
    {
        return None;
    }
    let apart = (one.seen_at - other.seen_at).abs();
    let both_given = one.occurred_at.is_some() && other.occurred_at.is_some();
    let same_process = known(one.pid).is_some() && known(one.pid) == known(other.pid);
    let same_host = one.hostname.is_some() && one.hostname == other.hostname;
    let window = match (same_process, same_host, both_given) {
        (true, true, false) => WINDOW_RECEIVED,
        (true, _, _) => WINDOW_GIVEN,
        (false, true, true) => WINDOW_HOST,
        _ => return None,
    };
    if apart > window * MICROS {
        return None;
    }
    let mut agreed = Vec::new();
    if let Some(pid) = known(one.pid).filter(|_| same_process) {
        agreed.push(format!("process {pid}"));
    }
    if let Some(host) = one.hostname.as_ref().filter(|_| same_host) {
        agreed.push(format!("host {host}"));
    }
    agreed.push(format!("{:.1} seconds between them", apart as f64 / MICROS as f64));
    agreed.push(match shared {
        1 => "the goroutine at fault, with its number, functions and lines".to_owned(),
        _ => format!("{shared} goroutines with their numbers, functions and lines"),
    });
    Some(agreed.join(", "))
}

/// How many goroutines two halves share; `None` when one of them differs.
fn shared(one: &BTreeMap<u64, String>, other: &BTreeMap<u64, String>) -> Option<usize> {
    let mut shared = 0;
    for (id, digest) in one {
        match other.get(id) {
            Some(same) if same == digest => shared += 1,
            Some(_) => return None,
            None => {}
        }
    }
    Some(shared)
}

/// Notes what a crash can be joined by, and joins it with its other half if that is here. Answers the
/// crash that was joined into another one, if one was.
pub(crate) async fn join(
    tx: &mut Tx,
    crash: &str,
    key: Option<&JoinKey>,
    now: i64,
) -> Result<Option<Join>, StoreError> {
    exec!(tx, "DELETE FROM join_keys WHERE crash_id = $1", crash);
    let Some(key) = key else { return Ok(None) };
    exec!(
        tx,
        "INSERT INTO join_keys (crash_id, side, fault, goroutines, seen_at) \
         SELECT id, $2, $3, $4, seen_at FROM crashes WHERE id = $1",
        crash,
        key.side.as_str(),
        &key.fault,
        serde_json::to_string(&key.goroutines)?
    );
    let this: Option<Half> = first!(
        tx,
        "SELECT id, pid, hostname, service, occurred_at, seen_at FROM crashes \
         WHERE id = $1 AND joined_into IS NULL",
        crash
    );
    let Some(this) = this else { return Ok(None) };
    let candidates: Vec<Candidate> = all!(
        tx,
        "SELECT c.id, c.pid, c.hostname, c.service, c.occurred_at, c.seen_at, k.goroutines \
         FROM join_keys k JOIN crashes c ON c.id = k.crash_id WHERE k.fault = $1 AND k.side = $2 \
         AND k.seen_at >= $3 AND k.seen_at <= $4 AND c.joined_into IS NULL AND c.status = 'done' \
         AND c.project = (SELECT t.project FROM crashes t WHERE t.id = $7) \
         AND (c.pid = $5 OR c.pid IS NULL OR CAST($5 AS BIGINT) IS NULL) \
         AND (c.hostname = $6 OR c.hostname IS NULL OR CAST($6 AS TEXT) IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM parted_crashes p WHERE (p.one_id = c.id AND p.other_id = $7) \
         OR (p.one_id = $7 AND p.other_id = c.id)) ORDER BY c.id LIMIT $8",
        &key.fault,
        key.side.other(),
        this.seen_at - WINDOW_RECEIVED * MICROS,
        this.seen_at + WINDOW_RECEIVED * MICROS,
        this.pid,
        &this.hostname,
        crash,
        MAX_CANDIDATES as i64 + 1
    );
    if candidates.len() > MAX_CANDIDATES {
        return Ok(None);
    }
    let mut found = Vec::new();
    for candidate in candidates {
        let goroutines = serde_json::from_str(&candidate.goroutines)?;
        let Some(shared) = shared(&key.goroutines, &goroutines).filter(|shared| *shared > 0) else {
            continue;
        };
        if let Some(reason) = agree(&this, &candidate.half, shared) {
            found.push((candidate.half, reason));
        }
    }
    // With several that fit, which one it is would be a guess.
    let [(other, reason)] = found.as_slice() else { return Ok(None) };
    // Identifiers sort by time: the link that was given out first goes on.
    let (into, joined) = if this.id < other.id { (&this, other) } else { (other, &this) };
    merge(tx, &into.id, joined, reason, now).await?;
    Ok(Some(Join { joined: joined.id.clone(), at: time::read(now)?, reason: reason.clone() }))
}

/// Gives the evidence of one crash to another one, which is analysed again with all of it.
async fn merge(tx: &mut Tx, into: &str, joined: &Half, reason: &str, now: i64) -> Result<(), StoreError> {
    let kept = part::Kept::read(tx, into, &joined.id).await?;
    let share = counters::share(tx, &joined.id).await?;
    exec!(
        tx,
        "UPDATE crashes SET joined_into = $2, group_id = NULL, home_group_id = NULL, has_core = $3, \
         missing_debug = $3 WHERE id = $1",
        &joined.id,
        into,
        false
    );
    counters::change(tx, share.as_ref(), None).await?;
    exec!(
        tx,
        "INSERT INTO crash_evidence (crash_id, blob_id, kind, origin, added_at, deleted_at, deleted_reason) \
         SELECT $2, blob_id, kind, 'joined', $3, deleted_at, deleted_reason FROM crash_evidence \
         WHERE crash_id = $1 ON CONFLICT (crash_id, blob_id, kind) DO NOTHING",
        &joined.id,
        into,
        now
    );
    let before = counters::share(tx, into).await?;
    let labels: Vec<(String,)> =
        all!(tx, "SELECT labels FROM crashes WHERE id = $1 OR id = $2 ORDER BY id DESC", into, &joined.id);
    let mut both = BTreeMap::<String, String>::new();
    for (labels,) in labels {
        both.extend(serde_json::from_str::<BTreeMap<String, String>>(&labels)?);
    }
    exec!(tx, "UPDATE crashes SET labels = $2 WHERE id = $1", into, serde_json::to_string(&both)?);
    exec!(
        tx,
        "UPDATE crashes SET pid = COALESCE(pid, $2), hostname = COALESCE(hostname, $3), \
         service = COALESCE(service, $4), occurred_at = COALESCE(occurred_at, $5), \
         occurred_found = CASE WHEN occurred_at IS NULL THEN EXISTS (SELECT 1 FROM crashes j \
         WHERE j.id = $6 AND j.occurred_found) ELSE occurred_found END, \
         seen_at = COALESCE(occurred_at, $5, seen_at), has_core = EXISTS (SELECT 1 FROM crash_evidence e \
         WHERE e.crash_id = $1 AND e.kind = 'core' AND e.deleted_at IS NULL), \
         core_deleted_at = COALESCE(core_deleted_at, (SELECT j.core_deleted_at FROM crashes j WHERE j.id = $6)) \
         WHERE id = $1",
        into,
        joined.pid,
        &joined.hostname,
        &joined.service,
        joined.occurred_at,
        &joined.id
    );
    let version: Option<(String,)> = first!(
        tx,
        "SELECT reported_version FROM crashes WHERE id = $1 AND reported_version IS NOT NULL",
        &joined.id
    );
    if let Some((version,)) = version {
        occurred::version_of(tx, into, &version).await?;
    }
    // At once, because what is gone is not analysed again.
    facts::renew_given(tx, into).await?;
    let after = counters::share(tx, into).await?;
    counters::change(tx, before.as_ref(), after.as_ref()).await?;
    for id in [into, &joined.id] {
        exec!(tx, "DELETE FROM join_keys WHERE crash_id = $1", id);
    }
    exec!(
        tx,
        "INSERT INTO crash_joins (joined_id, crash_id, at, reason, before) VALUES ($1, $2, $3, $4, $5)",
        &joined.id,
        into,
        now,
        reason,
        serde_json::to_string(&kept)?
    );
    // What is gone cannot be analysed again.
    let whole: Option<(Option<i64>,)> = first!(tx, "SELECT core_deleted_at FROM crashes WHERE id = $1", into);
    if whole.is_some_and(|row| row.0.is_none()) {
        exec!(tx, "UPDATE crashes SET status = 'queued' WHERE id = $1", into);
        enqueue(tx, JobKind::Analyse, into, now, Priority::Fresh).await?;
    }
    Ok(())
}

impl Store {
    /// Crashes whose evidence was added to this one.
    pub async fn joins(&self, crash: &str) -> Result<Vec<Join>, StoreError> {
        let rows: Vec<(String, i64, String)> = query!(self, db => sqlx::query_as(
            "SELECT joined_id, at, reason FROM crash_joins WHERE crash_id = $1 ORDER BY at, joined_id")
            .bind(crash)
            .fetch_all(db)
            .await)?;
        rows.into_iter()
            .map(|(joined, at, reason)| Ok(Join { joined, at: time::read(at)?, reason }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Half, MICROS, agree, shared};

    fn half(pid: Option<i64>, hostname: Option<&str>, seconds: i64, given: bool) -> Half {
        Half {
            id: "c".to_owned(),
            pid,
            hostname: hostname.map(str::to_owned),
            service: None,
            occurred_at: given.then_some(seconds * MICROS),
            seen_at: seconds * MICROS,
        }
    }

    #[test]
    fn a_process_a_host_and_a_time_make_one_crash_and_less_does_not() {
        let core = half(Some(4711), Some("a"), 1000, true);
        let joined = |other: &Half| agree(&core, other, 3).is_some();
        assert!(joined(&half(Some(4711), None, 1059, true)));
        assert!(joined(&half(Some(4711), Some("a"), 1500, false)), "received a while later");
        assert!(joined(&half(None, Some("a"), 1004, true)));
        assert!(!joined(&half(Some(4711), None, 1061, true)), "the number was used again");
        assert!(!joined(&half(Some(4711), None, 1061, false)), "a number that many hosts have");
        assert!(!joined(&half(Some(4711), Some("a"), 1601, false)));
        assert!(!joined(&half(Some(4711), Some("b"), 1000, true)), "another host");
        assert!(!joined(&half(Some(4712), Some("a"), 1000, true)), "another process");
        assert!(!joined(&half(None, Some("a"), 1006, true)), "the next restart");
        assert!(!joined(&half(None, Some("a"), 1001, false)), "only when it was received");
        assert!(!joined(&half(None, None, 1000, true)), "nothing but the time");
        let service = |name: &str| Half { service: Some(name.to_owned()), ..core.clone() };
        assert!(agree(&service("shop"), &service("cart"), 3).is_none());
    }

    #[test]
    fn the_first_process_of_a_container_is_no_evidence() {
        let one = half(Some(1), Some("pod"), 1000, true);
        assert!(agree(&one, &half(Some(1), Some("pod"), 1003, true), 1).is_some());
        assert!(agree(&one, &half(Some(1), Some("pod"), 1030, true), 1).is_none());
        assert!(agree(&one, &half(Some(1), None, 1000, true), 1).is_none());
    }

    #[test]
    fn a_goroutine_that_differs_parts_them() {
        let of = |pairs: &[(u64, &str)]| -> BTreeMap<u64, String> {
            pairs.iter().map(|(id, digest)| (*id, (*digest).to_owned())).collect()
        };
        let core = of(&[(1, "a"), (7, "b"), (8, "c")]);
        assert_eq!(shared(&of(&[(7, "b")]), &core), Some(1));
        assert_eq!(shared(&core, &of(&[(7, "b"), (8, "c"), (9, "d")])), Some(2));
        assert_eq!(shared(&of(&[(7, "b"), (8, "x")]), &core), None);
    }
}
