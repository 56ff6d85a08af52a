//! Rules: predicates that put crashes into one group, or mute the groups that have only such crashes.
//!
//! A rule is tried on all history before it is saved. When two rules would claim one crash, or a rule one
//! that a person put elsewhere, it is not saved. Later, when a crash arrives that two rules claim after all,
//! the older one has it and the crash says so.

pub(crate) mod apply;
mod edit;
mod plan;

use jiff::Timestamp;
use panicle_query::{Facts, Predicate};

use self::plan::Compiled;
pub use self::{
    apply::Regrouping,
    edit::{RuleChange, RuleHistory},
    plan::{Move, MutedGroup, Plan, RuleConflict},
};
use crate::{
    DEFAULT_PROJECT, RuleKind, Store, StoreError,
    groups::{
        decision::{Standing, checked},
        mute::MuteUntil,
        place::Claims,
    },
    time,
    tx::Tx,
};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its identifier.
    pub id: String,
    /// What it does.
    pub kind: RuleKind,
    /// What people call it.
    pub name: String,
    /// Which crashes it claims.
    pub predicate: String,
    /// The group of what it claims.
    pub group: Option<String>,
    /// The project of that group. A rule that mutes is about all of them.
    pub project: Option<String>,
    /// What ends the mutes that it makes.
    pub mute: Option<MuteUntil>,
    /// It is on.
    pub enabled: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// Counts its changes.
    pub revision: u64,
}

/// A rule on its way in.
#[derive(Clone, Debug)]
pub struct NewRule {
    /// What it does.
    pub kind: RuleKind,
    /// What people call it; the title of a new group.
    pub name: String,
    /// Which crashes it claims.
    pub predicate: String,
    /// The group of what it claims; a new one when not given.
    pub group: Option<String>,
    /// The project of the new group; the default one when not given.
    pub project: Option<String>,
    /// What ends the mutes that it makes; nothing when not given.
    pub mute: Option<MuteUntil>,
}

impl Rule {
    /// Why its predicate cannot be read, as one that was saved by another version of this program may be. It claims
    /// no crashes then beside those that it has.
    pub fn problem(&self) -> Option<String> {
        read_predicate(&self.predicate).err()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    name: String,
    predicate: String,
    group_id: Option<String>,
    project: Option<String>,
    mute: Option<String>,
    enabled: bool,
    created_at: i64,
    revision: i64,
}

impl Row {
    fn read(self) -> Result<Rule, StoreError> {
        Ok(Rule {
            kind: self.kind.parse().map_err(|_| StoreError::Stored(format!("rule kind {}", self.kind)))?,
            id: self.id,
            name: self.name,
            predicate: self.predicate,
            group: self.group_id,
            project: self.project,
            mute: self.mute.as_deref().map(serde_json::from_str).transpose()?,
            enabled: self.enabled,
            created_at: time::read(self.created_at)?,
            revision: self.revision as u64,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT rules.*, (SELECT g.project FROM crash_groups g WHERE g.id = rules.group_id) AS project FROM rules ",
            $rest
        )
    };
}

const ENABLED: &str = select!("WHERE enabled = $1 AND deleted = $2 ORDER BY created_at, id");

/// The rules that are on, the oldest first.
pub(crate) async fn enabled(tx: &mut Tx) -> Result<Vec<Compiled>, StoreError> {
    let rows: Vec<Row> = all!(tx, ENABLED, true, false);
    rows.into_iter().map(|row| row.read().map(Compiled::of)).collect()
}

/// What is known of a crash, as rules see it.
async fn facts(tx: &mut Tx, crash: &str) -> Result<Facts, StoreError> {
    let rows: Vec<(String, String, i64)> = all!(
        tx,
        "SELECT f.name, f.value, cf.amount FROM crash_facts cf JOIN facts f ON f.id = cf.fact_id \
         WHERE cf.crash_id = $1",
        crash
    );
    let mut facts = Facts::new();
    for (name, value, amount) in rows {
        facts.put(&name, &value, amount as u64);
    }
    Ok(facts)
}

/// The rules that have a crash.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(crate) struct Held {
    rule_id: Option<String>,
    mute_rule_id: Option<String>,
    project: String,
}

/// What the rules say of a crash, and what is to be said when several claim it.
pub(crate) async fn claims_of(
    tx: &mut Tx,
    rules: &[Compiled],
    crash: &str,
) -> Result<(Claims, Option<String>), StoreError> {
    if rules.is_empty() {
        return Ok((Claims::default(), None));
    }
    let held: Option<Held> =
        first!(tx, "SELECT rule_id, mute_rule_id, project FROM crashes WHERE id = $1", crash);
    Ok(claims(rules, &facts(tx, crash).await?, &held.unwrap_or_default()))
}

fn claims(rules: &[Compiled], facts: &Facts, held: &Held) -> (Claims, Option<String>) {
    let mut claims = Claims::default();
    let mut conflict = None;
    for rule in rules.iter().filter(|rule| rule.claims(facts, held)) {
        match (rule.kind, &claims.merge) {
            (RuleKind::Mute, _) => {
                claims.mutes.push((rule.id.clone(), rule.mute.clone().unwrap_or_default()));
            }
            (RuleKind::Merge, None) => {
                claims.merge = rule.group.clone().map(|group| (rule.id.clone(), group));
            }
            (RuleKind::Merge, Some((older, _))) => {
                conflict = Some(format!(
                    "rules {older} and {} both claim this crash; the older one has it",
                    rule.id
                ));
            }
        }
    }
    (claims, conflict)
}

fn read_predicate(text: &str) -> Result<Predicate, String> {
    Predicate::parse(text)
        .map_err(|error| format!("the predicate cannot be read at byte {}: {error}", error.span.start))
}

fn parsed(text: &str) -> Result<Predicate, StoreError> {
    read_predicate(text).map_err(StoreError::Invalid)
}

fn check_mute(kind: RuleKind, mute: Option<&MuteUntil>) -> Result<(), StoreError> {
    let Some(mute) = mute else { return Ok(()) };
    if kind != RuleKind::Mute {
        return Err(StoreError::Invalid("only a mute rule mutes".to_owned()));
    }
    let nothing = Standing { crashes: 0, fullest_hour: 0 };
    checked(mute.clone(), &nothing, Timestamp::now().as_microsecond()).map(drop)
}

impl Store {
    /// Rules that were not deleted, the oldest first.
    pub async fn rules(&self) -> Result<Vec<Rule>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            select!("WHERE deleted = $1 ORDER BY created_at, id"))
            .bind(false)
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One rule.
    pub async fn rule(&self, id: &str) -> Result<Rule, StoreError> {
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            select!("WHERE id = $1 AND deleted = $2"))
            .bind(id)
            .bind(false)
            .fetch_optional(db)
            .await)?;
        row.ok_or_else(|| StoreError::NotFound { what: "rule", id: id.to_owned() })?.read()
    }

    /// What a rule would do to all history, without doing it.
    pub async fn preview_rule(&self, new: &NewRule) -> Result<Plan, StoreError> {
        self.preview_rule_instead_of(new, None).await
    }

    /// The same for a rule that would be in the place of one that there is.
    pub async fn preview_rule_instead_of(
        &self,
        new: &NewRule,
        instead_of: Option<&str>,
    ) -> Result<Plan, StoreError> {
        let mut rules = self.compiled().await?;
        rules.retain(|rule| instead_of != Some(rule.id.as_str()));
        let project = match &new.group {
            Some(group) => self.group_project(group).await?,
            None => new.project.clone(),
        };
        let mut candidate = Compiled::candidate(new, parsed(&new.predicate)?);
        candidate.project = project.unwrap_or_else(|| DEFAULT_PROJECT.to_owned());
        rules.push(candidate);
        check_mute(new.kind, new.mute.as_ref())?;
        self.plan(&rules, Some(plan::CANDIDATE)).await
    }

    /// What grouping all history anew would change, without doing it.
    pub async fn preview_regrouping(&self) -> Result<Plan, StoreError> {
        let rules = self.compiled().await?;
        self.plan(&rules, None).await
    }

    async fn compiled(&self) -> Result<Vec<Compiled>, StoreError> {
        let rules = self.rules().await?;
        Ok(rules.into_iter().filter(|rule| rule.enabled).map(Compiled::of).collect())
    }
}

#[cfg(test)]
mod tests;
