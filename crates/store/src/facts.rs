//! What crashes are searched by: values that are stored once, and which crash has which.

use panicle_query::{Facts, Kind, fields};

use crate::{Store, StoreError, time, tx::Tx};

/// Version of what is taken from a report. Facts of an older one are taken anew, by whoever can read reports.
pub(crate) const VERSION: i64 = 2;
/// So many goroutines, and numbers, are counted: their sums are far from what a database can hold.
const MAX_AMOUNT: u64 = 1 << 40;

/// A crash whose facts were never taken, or by an older program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// The crash.
    pub crash: String,
    /// The report that it has; 0 while it has none.
    pub report_revision: u64,
}

/// A crash of the history with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrashFacts {
    /// The crash.
    pub crash: String,
    /// Its group.
    pub group: Option<String>,
    /// Its facts.
    pub facts: Facts,
}

/// A fact as it is stored.
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: String,
    pub(crate) amount: i64,
}

impl Row<'_> {
    pub(crate) fn folded(&self) -> String {
        self.value.to_lowercase()
    }

    pub(crate) fn ordinal(&self) -> Option<String> {
        match fields::of_fact(self.name)?.kind {
            Kind::Version(scheme) => scheme.key(&self.value),
            _ => None,
        }
    }
}

/// Facts as they are stored, always in the same order, so that transactions do not wait for one another in a circle.
pub(crate) fn rows(facts: &Facts) -> impl Iterator<Item = Row<'_>> {
    facts.iter().map(|fact| Row {
        name: fact.name,
        value: storable(fact.value),
        amount: fact.count.min(MAX_AMOUNT) as i64,
    })
}

/// PostgreSQL's texts have no zero characters.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Service, host, labels and version.
type Given = (Option<String>, Option<String>, String, Option<String>);

/// Facts that somebody gave when the crash was reported.
fn given(row: Option<Given>) -> Result<Facts, StoreError> {
    let mut facts = Facts::new();
    let Some((service, hostname, labels, version)) = row else { return Ok(facts) };
    facts.add("service", service.as_deref().unwrap_or_default());
    facts.add("host", hostname.as_deref().unwrap_or_default());
    facts.add("version", version.as_deref().unwrap_or_default());
    let labels: std::collections::BTreeMap<String, String> = serde_json::from_str(&labels)?;
    for (key, value) in &labels {
        facts.add(&format!("label.{key}"), value);
    }
    Ok(facts)
}

/// The facts that somebody gave, as the row of the crash has them now; its version, unless the evidence tells it.
async fn given_now(tx: &mut Tx, crash: &str, version: bool) -> Result<Facts, StoreError> {
    given(first!(
        tx,
        "SELECT service, hostname, labels, CASE WHEN $2 THEN reported_version END FROM crashes WHERE id = $1",
        crash,
        version
    ))
}

/// A fact on its way in.
#[derive(serde::Serialize)]
struct Put<'a> {
    name: &'a str,
    value: String,
    folded: String,
    ordinal: Option<String>,
    amount: i64,
}

/// Facts out of an array of JSON, as rows `v`.
macro_rules! with_facts {
    ($tx:expr, $text:literal, $facts:expr $(, $bind:expr)*) => {
        match &mut *$tx {
            Tx::Sqlite(tx) => sqlx::query(concat!(
                "WITH v (name, value, folded, ordinal, amount) AS (SELECT value ->> 'name', value ->> 'value', \
                 value ->> 'folded', value ->> 'ordinal', value ->> 'amount' FROM json_each($1)) ",
                $text
            ))
            .bind($facts)$(.bind($bind))*
            .execute(&mut **tx)
            .await
            .map(drop)?,
            Tx::Postgres(tx) => sqlx::query(concat!(
                "WITH v AS (SELECT * FROM json_to_recordset(CAST($1 AS JSON)) AS v \
                 (name TEXT, value TEXT, folded TEXT, ordinal TEXT, amount BIGINT)) ",
                $text
            ))
            .bind($facts)$(.bind($bind))*
            .execute(&mut **tx)
            .await
            .map(drop)?,
        }
    };
}

/// Stores facts of a crash beside those that it has, all at once: a crash has dozens, and others wait for their turn.
async fn add(tx: &mut Tx, crash: &str, facts: &Facts) -> Result<(), StoreError> {
    // Two values may be one once they are stored.
    let mut puts: std::collections::BTreeMap<(&str, String), Put<'_>> = std::collections::BTreeMap::new();
    for row in rows(facts) {
        let (folded, ordinal) = (row.folded(), row.ordinal());
        let Row { name, value, amount } = row;
        puts.insert((name, value.clone()), Put { name, value, folded, ordinal, amount });
    }
    if puts.is_empty() {
        return Ok(());
    }
    let puts: Vec<&Put<'_>> = puts.values().collect();
    let puts = &serde_json::to_string(&puts)?;
    // Most values are known. One that another transaction stores meanwhile is waited for.
    with_facts!(
        tx,
        "INSERT INTO facts (name, value, folded, ordinal) SELECT v.name, v.value, v.folded, v.ordinal FROM v \
         WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.name = v.name AND f.value = v.value) \
         ON CONFLICT (name, value) DO NOTHING",
        puts
    );
    with_facts!(
        tx,
        "INSERT INTO crash_facts (crash_id, fact_id, amount) SELECT $2, f.id, v.amount FROM v \
         JOIN facts f ON f.name = v.name AND f.value = v.value WHERE 1 = 1 \
         ON CONFLICT (crash_id, fact_id) DO UPDATE SET amount = excluded.amount",
        puts,
        crash
    );
    Ok(())
}

/// Stores what somebody gave, in place of what was given before.
pub(crate) async fn renew_given(tx: &mut Tx, crash: &str) -> Result<(), StoreError> {
    exec!(
        tx,
        "DELETE FROM crash_facts WHERE crash_id = $1 AND fact_id IN (SELECT f.id FROM crash_facts cf \
         JOIN facts f ON f.id = cf.fact_id WHERE cf.crash_id = $1 \
         AND (f.name IN ('service', 'host') OR f.name LIKE 'label.%'))",
        crash
    );
    let known: Option<(String,)> = first!(
        tx,
        "SELECT f.value FROM crash_facts cf JOIN facts f ON f.id = cf.fact_id \
         WHERE cf.crash_id = $1 AND f.name = 'version' LIMIT 1",
        crash
    );
    let given = given_now(tx, crash, known.is_none()).await?;
    add(tx, crash, &given).await
}

/// What is known of a crash that was just reported: `facts` of its report, and what somebody gave.
#[cfg(feature = "history")]
pub(crate) fn of_new(mut facts: Facts, new: &crate::NewCrash) -> Result<Facts, StoreError> {
    let version = new.version.clone().filter(|_| facts.values("version").next().is_none());
    let labels = serde_json::to_string(&new.labels)?;
    facts.replace(given(Some((new.service.clone(), new.hostname.clone(), labels, version)))?);
    Ok(facts)
}

/// Stores all that is known of a crash, in place of what was known before: `facts` of its report, and what somebody
/// gave.
pub(crate) async fn renew(tx: &mut Tx, crash: &str, mut facts: Facts) -> Result<(), StoreError> {
    let version = facts.values("version").next().is_none();
    facts.replace(given_now(tx, crash, version).await?);
    exec!(tx, "DELETE FROM crash_facts WHERE crash_id = $1", crash);
    add(tx, crash, &facts).await?;
    exec!(tx, "UPDATE crashes SET facts_version = $2 WHERE id = $1", crash, VERSION);
    Ok(())
}

#[derive(sqlx::FromRow)]
struct CrashRow {
    id: String,
    project: String,
    status: String,
    group_id: Option<String>,
    seen_at: i64,
    received_at: i64,
    analysed_at: Option<i64>,
}

impl CrashRow {
    fn facts(&self) -> Result<Facts, StoreError> {
        let mut facts = Facts::new().with("id", &self.id).with("status", &self.status);
        facts.add("project", &self.project);
        facts.add("group", self.group_id.as_deref().unwrap_or_default());
        facts.set_time("seen", time::read(self.seen_at)?);
        facts.set_time("received", time::read(self.received_at)?);
        if let Some(at) = time::read_optional(self.analysed_at)? {
            facts.set_time("analysed", at);
        }
        Ok(facts)
    }
}

impl Store {
    /// What is known of a crash: of its report, of whoever reported it, and where it stands. What its group is like
    /// is not among it.
    pub async fn facts(&self, crash: &str) -> Result<Facts, StoreError> {
        let row: Option<CrashRow> = query!(self, db => sqlx::query_as(
            "SELECT id, project, status, group_id, seen_at, received_at, analysed_at FROM crashes WHERE id = $1")
            .bind(crash)
            .fetch_optional(db)
            .await)?;
        let row = row.ok_or_else(|| StoreError::NotFound { what: "crash", id: crash.to_owned() })?;
        let mut facts = row.facts()?;
        let rows: Vec<(String, String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT f.name, f.value, cf.amount FROM crash_facts cf JOIN facts f ON f.id = cf.fact_id \
             WHERE cf.crash_id = $1")
            .bind(crash)
            .fetch_all(db)
            .await)?;
        for (name, value, amount) in rows {
            facts.put(&name, &value, amount as u64);
        }
        Ok(facts)
    }

    /// Crashes received after this one, in the order in which they were received, with their facts: the history
    /// that a rule is tried on. Those without a group are among them, those that were joined into another one are not.
    pub async fn history(&self, after: Option<&str>, limit: u32) -> Result<Vec<CrashFacts>, StoreError> {
        let rows: Vec<CrashRow> = query!(self, db => sqlx::query_as(
            "SELECT id, project, status, group_id, seen_at, received_at, analysed_at FROM crashes WHERE id > $1 \
             AND joined_into IS NULL ORDER BY id LIMIT $2")
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        let Some(last) = rows.last() else { return Ok(Vec::new()) };
        let all: Vec<(String, String, String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT cf.crash_id, f.name, f.value, cf.amount FROM crash_facts cf \
             JOIN facts f ON f.id = cf.fact_id WHERE cf.crash_id > $1 AND cf.crash_id <= $2 \
             ORDER BY cf.crash_id")
            .bind(after.unwrap_or_default())
            .bind(&last.id)
            .fetch_all(db)
            .await)?;
        let mut found = rows
            .into_iter()
            .map(|row| Ok(CrashFacts { facts: row.facts()?, crash: row.id, group: row.group_id }))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let mut at = 0;
        for (crash, name, value, amount) in all {
            while found.get(at).is_some_and(|known| known.crash < crash) {
                at += 1;
            }
            if let Some(known) = found.get_mut(at).filter(|known| known.crash == crash) {
                known.facts.put(&name, &value, amount as u64);
            }
        }
        Ok(found)
    }

    /// Crashes whose facts have to be taken from their reports anew, newest first.
    pub async fn outdated_facts(&self, limit: u32) -> Result<Vec<Outdated>, StoreError> {
        let rows: Vec<(String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT id, report_revision FROM crashes WHERE facts_version < $1 ORDER BY id DESC LIMIT $2")
            .bind(VERSION)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        Ok(rows
            .into_iter()
            .map(|(crash, revision)| Outdated { crash, report_revision: revision as u64 })
            .collect())
    }

    /// Stores what a report of the history says; nothing, if the crash has another report by now.
    pub async fn fill_facts(&self, outdated: &Outdated, facts: &Facts) -> Result<(), StoreError> {
        // In turn with the commit of another report, whose facts are newer.
        in_turn!(self, tx => {
            let same: Option<(i64,)> = first!(
                tx,
                "SELECT facts_version FROM crashes WHERE id = $1 AND report_revision = $2 AND facts_version < $3",
                &outdated.crash,
                outdated.report_revision as i64,
                VERSION
            );
            if same.is_some() {
                renew(tx, &outdated.crash, facts.clone()).await?;
            }
        });
        Ok(())
    }
}
