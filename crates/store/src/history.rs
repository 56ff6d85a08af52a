//! A history of many crashes, for measurements: what a service has after months, in minutes.
//!
//! [`Plan`] says of each crash what was reported and what its analysis came to, and is the same for the same numbers.
//! [`Store::fill_history`] writes the rows that storing and analysing each of them would have left, many at a time; a test
//! holds them equal to those that really storing and analysing them leaves.

mod plan;
mod tables;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

pub use self::plan::{Plan, Planned};
use self::tables::{Cell, Tables};
use crate::{
    Crash, DEFAULT_PROJECT, GroupChange, GroupState, Store, StoreError,
    crashes::identity,
    facts::{self, storable},
    groups::counters,
    jobs::Priority,
    tx::Tx,
};

/// Crashes whose rows are collected before they are written.
const AT_ONCE: u32 = 20_000;
/// Of so many groups, somebody has looked at one.
const LOOKED_AT: u32 = 20;

/// How an analysis goes on from the report of a crash: microseconds until it is received, and until it is analysed.
const RECEIVED_AFTER: i64 = 2_000_000;
const ANALYSED_AFTER: i64 = 1_500_000;

/// What is known of the history so far.
#[derive(Default)]
struct Known {
    groups: HashMap<String, String>,
    builds: HashSet<String>,
    facts: HashMap<(String, String), i64>,
    events: i64,
}

impl Store {
    /// Writes all crashes of a plan into a database that has none yet, and lets somebody decide on some of the
    /// groups.
    pub async fn fill_history(&self, plan: &Plan) -> Result<(), StoreError> {
        let mut owned = self.begin_in_turn().await?;
        let tx = &mut owned;
        let any: Option<(String,)> = first!(tx, "SELECT id FROM crashes LIMIT 1");
        if any.is_some() {
            return Err(StoreError::Invalid("there are crashes already".to_owned()));
        }
        let mut tables = Tables::begin(tx).await?;
        let mut known = Known::default();
        for n in 0..plan.crashes {
            rows(&mut tables, &mut known, plan, n)?;
            if (n + 1) % AT_ONCE == 0 {
                tables.write(tx).await?;
            }
        }
        tables.write(tx).await?;
        exec!(tx, "UPDATE turnstiles SET passes = $1 WHERE name = 'events'", known.events);
        counters::build_all(tx).await?;
        tables.end(tx).await?;
        owned.commit().await?;
        self.look_at(plan, &known).await?;
        self.settle().await
    }

    /// What people do: they take a group, resolve it, mute it.
    async fn look_at(&self, plan: &Plan, known: &Known) -> Result<(), StoreError> {
        let groups = (0..plan.groups).step_by(LOOKED_AT as usize).filter(|_| plan.groups > LOOKED_AT);
        for (n, group) in groups.enumerate() {
            let Some(id) = known.groups.get(&plan::fingerprint(u64::from(group))) else { continue };
            let change = GroupChange {
                owner: Some(format!("team-{}", n % 12)),
                state: Some([GroupState::Ongoing, GroupState::Resolved][n % 2]),
                actor: Some("somebody".to_owned()),
                ..GroupChange::default()
            };
            self.change_group(id, &change).await?;
        }
        Ok(())
    }

    /// Does at once what PostgreSQL does by itself after a while.
    async fn settle(&self) -> Result<(), StoreError> {
        if let crate::database::Pool::Postgres(db) = &self.pool {
            sqlx::query("VACUUM ANALYZE").execute(db).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Facts of groups whose number of crashes, as it is kept, is not that of the crashes.
    pub async fn miscounted_facts(&self) -> Result<u64, StoreError> {
        let (wrong,): (i64,) = query!(self, db => sqlx::query_as(
            "SELECT COUNT(*) FROM (SELECT group_id, fact_id FROM (SELECT group_id, fact_id, crashes FROM group_facts \
             UNION ALL SELECT c.group_id, cf.fact_id, -COUNT(*) FROM crash_facts cf \
             JOIN crashes c ON c.id = cf.crash_id WHERE c.group_id IS NOT NULL GROUP BY c.group_id, cf.fact_id) AS counted \
             GROUP BY group_id, fact_id HAVING SUM(crashes) <> 0 OR COUNT(*) <> 2) AS wrong")
            .fetch_one(db)
            .await)?;
        Ok(wrong as u64)
    }
}

/// The rows of one crash, and of what it is the first to have.
fn rows(tables: &mut Tables, known: &mut Known, plan: &Plan, n: u32) -> Result<(), StoreError> {
    use Cell::{Flag, Null, Number, Text};
    let Planned { seen_at, new, blobs, outcome } = plan.crash(n);
    let seen = seen_at.as_microsecond();
    let received = seen + RECEIVED_AFTER;
    let analysed_at = received + ANALYSED_AFTER;
    let id = plan::id(received, u64::from(n));
    let analysed = &outcome.analysed;
    let Some(signature) = &outcome.signature else { return Ok(()) };
    let (version, fingerprint, family) = Crash::signature_columns(signature);

    for blob in &blobs {
        tables.blobs.row(&[
            Text(&blob.id),
            Text(blob.kind.as_str()),
            blob.name.as_deref().into(),
            Number(blob.size_bytes as i64),
            Number(blob.stored_bytes as i64),
            Number(received),
        ]);
        tables.senders.row(&[
            Text(&blob.id),
            Text(DEFAULT_PROJECT),
            blob.name.as_deref().into(),
            Number(received),
        ]);
    }
    let group = if let Some(group) = known.groups.get(fingerprint) {
        group.clone()
    } else {
        let group = plan::id(analysed_at, u64::from(n) | 1 << 40);
        let (frames, explain) =
            (serde_json::to_string(&signature.frames)?, serde_json::to_string(&signature.explain)?);
        let title = storable(&signature.title);
        tables.groups.row(&[
            Text(&group),
            Number(version),
            Text(fingerprint),
            Text(family),
            Text(&title),
            Text(&analysed.class),
            Text("new"),
            Text(&frames),
            Text(&explain),
            Number(0),
            Number(seen),
            Number(seen),
            Number(1),
            Text("signature"),
            Number(analysed_at),
        ]);
        tables.signatures.row(&[
            Number(version),
            Text(fingerprint),
            Text(family),
            Text(&title),
            Text(&analysed.class),
            Text(&frames),
            Text(&explain),
            Text(&group),
            Flag(false),
        ]);
        known.events += 1;
        tables.events.row(&[
            Number(known.events),
            Text("group.new"),
            Text(&group),
            Text(&id),
            Number(analysed_at),
        ]);
        known.groups.insert(fingerprint.to_owned(), group.clone());
        group
    };
    if let Some(build) = analysed.build()
        && known.builds.insert(build.to_owned())
    {
        tables.builds.row(&[
            Text(build),
            analysed.module.as_deref().into(),
            analysed.module_version.as_deref().into(),
            analysed.vcs_revision.as_deref().into(),
            Number(seen),
        ]);
    }
    let has_core = new.evidence.iter().any(|evidence| evidence.kind == crate::EvidenceKind::Core);
    tables.crashes.row(&[
        Text(&id),
        Text(&identity(&new.evidence)),
        new.idempotency_key.as_deref().into(),
        Text("done"),
        Text(&group),
        Text(&group),
        Text(&analysed.class),
        Text(&analysed.title),
        Text(&analysed.confidence),
        new.service.as_deref().into(),
        analysed.go_version.as_deref().into(),
        analysed.module.as_deref().into(),
        analysed.module_version.as_ref().or(new.version.as_ref()).map(String::as_str).into(),
        new.version.as_deref().into(),
        analysed.vcs_revision.as_deref().into(),
        analysed.build().into(),
        new.hostname.as_ref().or(analysed.hostname.as_ref()).map(String::as_str).into(),
        Text(&serde_json::to_string(&new.labels)?),
        Number(received),
        new.occurred_at.map_or(Null, |at| Number(at.as_microsecond())),
        Number(seen),
        Number(analysed_at),
        Number(1),
        Number(version),
        Text(fingerprint),
        Text(family),
        analysed.executable.as_deref().into(),
        analysed.build_ids.gnu.as_deref().into(),
        analysed.build_ids.go.as_deref().into(),
        analysed.build_ids.text_sha256.as_deref().into(),
        Flag(false),
        Text(&serde_json::to_string(&analysed.diagnostics)?),
        Number(1),
        new.pid.or(analysed.pid).map_or(Null, Number),
        Number(facts::VERSION),
        Flag(has_core),
    ]);
    for evidence in &new.evidence {
        tables.evidence.row(&[
            Text(&id),
            Text(&evidence.id),
            Text(evidence.kind.as_str()),
            Text("named"),
            Number(received),
        ]);
    }
    for part in &outcome.parts {
        tables.parts.row(&[
            Text(&id),
            Number(1),
            Text(part.name()),
            Number(i64::from(part.seq)),
            Cell::Bytes(&part.body),
        ]);
    }
    for fact in facts::rows(&facts::of_new(outcome.facts.clone(), &new)?) {
        let next = known.facts.len() as i64 + 1;
        let number = *known.facts.entry((fact.name.to_owned(), fact.value.clone())).or_insert(next);
        if number == next {
            tables.facts.row(&[
                Number(number),
                Text(fact.name),
                Text(&fact.value),
                Text(&fact.folded()),
                fact.ordinal().as_deref().into(),
            ]);
        }
        tables.crash_facts.row(&[Text(&id), Number(number), Number(fact.amount)]);
    }
    tables.jobs.row(&[
        Text(&plan::id(received, u64::from(n) | 2 << 40)),
        Text("analyse"),
        Text(&id),
        Text("done"),
        Number(1),
        Number(1),
        Number(0),
        Number(received),
        Number(Priority::Fresh as i64),
    ]);
    Ok(())
}

/// The time of now, cut to what databases keep.
pub fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap_or_default()
}

/// Makes numbers that go on after those that were written.
async fn go_on(tx: &mut Tx) -> Result<(), StoreError> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("SELECT setval(pg_get_serial_sequence('facts', 'id'), (SELECT MAX(id) FROM facts))")
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
