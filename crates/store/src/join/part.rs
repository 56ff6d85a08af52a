//! Parting two crashes that were joined, by a person's decision: they are not joined again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError, facts,
    groups::{counters, decision::actor, links::follow},
    jobs::{Priority, requeue},
    tx::Tx,
};

/// What reporters said of a crash.
#[derive(Clone, Debug, Default, Serialize, Deserialize, sqlx::FromRow)]
struct Said {
    pid: Option<i64>,
    hostname: Option<String>,
    service: Option<String>,
    occurred_at: Option<i64>,
    labels: String,
}

/// What is kept of two crashes when they are joined, for parting them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Of the one that goes on.
    whole: Said,
    /// Where the other one belonged.
    home: Option<String>,
}

async fn said(tx: &mut Tx, crash: &str) -> Result<Said, StoreError> {
    let row: Option<Said> =
        first!(tx, "SELECT pid, hostname, service, occurred_at, labels FROM crashes WHERE id = $1", crash);
    row.ok_or_else(|| StoreError::NotFound { what: "crash", id: crash.to_owned() })
}

impl Kept {
    pub(super) async fn read(tx: &mut Tx, into: &str, joined: &str) -> Result<Self, StoreError> {
        let home: Option<(Option<String>,)> =
            first!(tx, "SELECT home_group_id FROM crashes WHERE id = $1", joined);
        Ok(Self { whole: said(tx, into).await?, home: home.and_then(|row| row.0) })
    }
}

impl Said {
    /// Takes away what came from `other`, and not from what was known before.
    fn without(self, other: &Self, before: &Self) -> Result<Self, StoreError> {
        fn own<T: PartialEq + Clone>(now: Option<T>, other: Option<&T>, before: Option<&T>) -> Option<T> {
            if before.is_none() && now.as_ref() == other { None } else { now }
        }
        let read = |labels: &str| serde_json::from_str::<BTreeMap<String, String>>(labels);
        let (mut labels, theirs, ours) = (read(&self.labels)?, read(&other.labels)?, read(&before.labels)?);
        labels.retain(|key, value| ours.contains_key(key) || theirs.get(key) != Some(value));
        Ok(Self {
            pid: own(self.pid, other.pid.as_ref(), before.pid.as_ref()),
            hostname: own(self.hostname, other.hostname.as_ref(), before.hostname.as_ref()),
            service: own(self.service, other.service.as_ref(), before.service.as_ref()),
            occurred_at: own(self.occurred_at, other.occurred_at.as_ref(), before.occurred_at.as_ref()),
            labels: serde_json::to_string(&labels)?,
        })
    }
}

impl Store {
    /// Parts a crash from the one that it was joined into. Both are analysed again, each with its own evidence, the
    /// parted one is in the group again that it was in, and the two are not joined again.
    pub async fn unjoin(
        &self,
        joined: &str,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now().as_microsecond();
        in_turn!(self, tx => part(tx, joined, actor(by), reason, now).await?);
        self.announce_work();
        Ok(())
    }
}

async fn part(
    tx: &mut Tx,
    joined: &str,
    who: &str,
    reason: Option<&str>,
    now: i64,
) -> Result<(), StoreError> {
    let theirs = said(tx, joined).await?;
    let join: Option<(String, Option<String>)> =
        first!(tx, "SELECT crash_id, before FROM crash_joins WHERE joined_id = $1", joined);
    let Some((into, kept)) = join else {
        return Err(StoreError::Invalid(format!("crash {joined} is not a part of another one")));
    };
    let gone: Option<(i64,)> = first!(
        tx,
        "SELECT core_deleted_at FROM crashes WHERE id = $1 AND core_deleted_at IS NOT NULL",
        &into
    );
    if gone.is_some() {
        return Err(StoreError::Invalid(
            "the core was deleted by policy, so that they cannot be analysed each for itself".to_owned(),
        ));
    }
    let kept: Option<Kept> = kept.as_deref().map(serde_json::from_str).transpose()?;

    let share = counters::share(tx, &into).await?;
    exec!(
        tx,
        "DELETE FROM crash_evidence WHERE crash_id = $1 AND origin = 'joined' \
         AND blob_id IN (SELECT blob_id FROM crash_evidence WHERE crash_id = $2)",
        &into,
        joined
    );
    if let Some(kept) = &kept {
        let own = said(tx, &into).await?.without(&theirs, &kept.whole)?;
        exec!(
            tx,
            "UPDATE crashes SET pid = $2, hostname = $3, service = $4, occurred_at = $5, \
             seen_at = COALESCE($5, received_at), labels = $6 WHERE id = $1",
            &into,
            own.pid,
            &own.hostname,
            &own.service,
            own.occurred_at,
            &own.labels
        );
    }
    has_core(tx, &into).await?;
    let after = counters::share(tx, &into).await?;
    counters::change(tx, share.as_ref(), after.as_ref()).await?;

    let home = kept.and_then(|kept| kept.home);
    let group = match &home {
        Some(home) => Some(follow(tx, home).await?),
        None => None,
    };
    exec!(
        tx,
        "UPDATE crashes SET joined_into = NULL, home_group_id = $2, group_id = $3 WHERE id = $1",
        joined,
        &home,
        &group
    );
    has_core(tx, joined).await?;
    let after = counters::share(tx, joined).await?;
    counters::change(tx, None, after.as_ref()).await?;

    exec!(tx, "DELETE FROM crash_joins WHERE joined_id = $1", joined);
    let (one, other) = if joined < into.as_str() { (joined, into.as_str()) } else { (into.as_str(), joined) };
    exec!(
        tx,
        "INSERT INTO parted_crashes (one_id, other_id, at, actor, reason) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (one_id, other_id) DO NOTHING",
        one,
        other,
        now,
        who,
        reason
    );
    for crash in [into.as_str(), joined] {
        facts::renew_given(tx, crash).await?;
        requeue(tx, crash, now, Priority::Person).await?;
    }
    Ok(())
}

async fn has_core(tx: &mut Tx, crash: &str) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crashes SET has_core = EXISTS (SELECT 1 FROM crash_evidence e WHERE e.crash_id = $1 \
         AND e.kind = 'core' AND e.deleted_at IS NULL) WHERE id = $1",
        crash
    );
    Ok(())
}
