//! Rules are saved, changed and deleted, one after the other, and what was done is kept.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Compiled, NewRule, Rule, apply, check_mute, enabled, parsed};
use crate::{
    DEFAULT_PROJECT, RuleKind, Store, StoreError,
    groups::{
        decision::{Decision, MAX_NAME, actor, expect},
        history::field,
        mute::{Mute, MuteUntil},
    },
    projects, time,
    tx::Tx,
};

/// Rules that may be on at the same time; each is tried on every crash.
const MAX_RULES: usize = 500;

/// What people change about a rule.
#[derive(Clone, Debug, Default)]
pub struct RuleChange {
    /// New name.
    pub name: Option<String>,
    /// New predicate.
    pub predicate: Option<String>,
    /// New conditions.
    pub mute: Option<MuteUntil>,
    /// On or off.
    pub enabled: Option<bool>,
    /// Only if it still has this revision.
    pub if_revision: Option<u64>,
}

/// An entry of a rule's history.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleHistory {
    /// Numbered from 1 in each rule.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was before, by field.
    pub from: Map<String, Value>,
    /// What it was changed to, by field.
    pub to: Map<String, Value>,
    /// Why.
    pub reason: Option<String>,
}

fn check_name(name: &str) -> Result<&str, StoreError> {
    match name.trim() {
        "" => Err(StoreError::Invalid("a rule needs a name".to_owned())),
        name if name.len() > MAX_NAME => {
            Err(StoreError::Invalid(format!("a name may have {MAX_NAME} bytes")))
        }
        name => Ok(name),
    }
}

impl Store {
    /// Saves a rule and has it applied to all history, unless it is in conflict with another rule or with
    /// what a person decided ([`StoreError::Conflicts`]).
    pub async fn create_rule(
        &self,
        new: &NewRule,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Result<Rule, StoreError> {
        let name = check_name(&new.name)?;
        if new.kind == RuleKind::Mute && new.group.is_some() {
            return Err(StoreError::Invalid("only a merge rule has a group".to_owned()));
        }
        let seen = self.rules_turn().await?;
        let plan = self.preview_rule(new).await?;
        if !plan.conflicts.is_empty() {
            return Err(StoreError::Conflicts(plan.conflicts));
        }
        let now = Timestamp::now().as_microsecond();
        let id = uuid::Uuid::now_v7().to_string();
        in_turn!(self, tx => {
            take_turn(tx, seen).await?;
            if enabled(tx).await?.len() >= MAX_RULES {
                return Err(StoreError::Invalid(format!("there may be {MAX_RULES} rules")));
            }
            let group = match (new.kind, &new.group) {
                (RuleKind::Mute, _) => None,
                (RuleKind::Merge, Some(group)) => {
                    expect(tx, group, None).await?;
                    Some(group.clone())
                }
                (RuleKind::Merge, None) => {
                    let project = new.project.as_deref().unwrap_or(DEFAULT_PROJECT);
                    projects::takes(tx, project).await?;
                    Some(apply::group_of_rule(tx, (&id, project), name, &plan, now).await?)
                }
            };
            exec!(
                tx,
                "INSERT INTO rules (id, kind, name, predicate, group_id, mute, enabled, deleted, created_at, revision) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
                &id,
                new.kind.as_str(),
                name,
                &new.predicate,
                &group,
                new.mute.as_ref().map(serde_json::to_string).transpose()?,
                true,
                false,
                now
            );
            let to = field("predicate", new.predicate.as_str());
            record(tx, &id, now, (actor(by), "created"), Map::new(), to, reason).await?;
            apply::request(tx, &format!("rule {name} was saved"), now).await?;
        });
        self.announce_work();
        self.rule(&id).await
    }

    /// Changes a rule, or switches it on or off, and has that applied to all history.
    pub async fn change_rule(
        &self,
        id: &str,
        change: &RuleChange,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Result<Rule, StoreError> {
        let seen = self.rules_turn().await?;
        let before = self.rule(id).await?;
        if change.if_revision.is_some_and(|revision| revision != before.revision) {
            return Err(StoreError::Conflict);
        }
        let mut after = before.clone();
        if let Some(name) = &change.name {
            after.name = check_name(name)?.to_owned();
        }
        if let Some(predicate) = &change.predicate {
            after.predicate.clone_from(predicate);
        }
        after.mute = change.mute.clone().or(after.mute);
        after.enabled = change.enabled.unwrap_or(after.enabled);
        check_mute(after.kind, change.mute.as_ref())?;
        let claims = after.enabled && (!before.enabled || after.predicate != before.predicate);
        if claims {
            parsed(&after.predicate)?;
            let mut rules = self.compiled().await?;
            rules.retain(|rule| rule.id != id);
            rules.push(Compiled::of(after.clone()));
            let plan = self.plan(&rules, Some(id)).await?;
            if !plan.conflicts.is_empty() {
                return Err(StoreError::Conflicts(plan.conflicts));
            }
        }
        self.write_rule(&before, Some(&after), seen, by, reason).await?;
        self.rule(id).await
    }

    /// Deletes a rule; what it did is put back, and its history stays.
    pub async fn delete_rule(
        &self,
        id: &str,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let seen = self.rules_turn().await?;
        let before = self.rule(id).await?;
        self.write_rule(&before, None, seen, by, reason).await
    }

    async fn write_rule(
        &self,
        before: &Rule,
        after: Option<&Rule>,
        seen: i64,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now().as_microsecond();
        in_turn!(self, tx => {
            take_turn(tx, seen).await?;
            let (mut from, mut to) = (fields(before)?, after.map(fields).transpose()?.unwrap_or_default());
            from.retain(|name, value| to.get(name) != Some(value));
            to.retain(|name, _| from.contains_key(name));
            if from.is_empty() {
                return Ok(());
            }
            let rule = after.unwrap_or(before);
            exec!(
                tx,
                "UPDATE rules SET name = $2, predicate = $3, mute = $4, enabled = $5, deleted = $6, \
                 revision = revision + 1 WHERE id = $1",
                &rule.id,
                &rule.name,
                &rule.predicate,
                rule.mute.as_ref().map(serde_json::to_string).transpose()?,
                rule.enabled && after.is_some(),
                after.is_none()
            );
            let (who, action) = (actor(by), if after.is_some() { "changed" } else { "deleted" });
            record(tx, &rule.id, now, (who, action), from, to, reason).await?;
            let off = after.is_none_or(|after| !after.enabled || after.predicate != before.predicate);
            if before.kind == RuleKind::Mute && before.enabled && off {
                unmute_all(tx, &before.id, who, now).await?;
            }
            apply::request(tx, &format!("rule {} was {action}", rule.name), now).await?;
        });
        self.announce_work();
        Ok(())
    }

    /// Who changed what about a rule, newest first; also of one that was deleted.
    pub async fn rule_history(&self, id: &str) -> Result<Vec<RuleHistory>, StoreError> {
        type Row = (i64, i64, String, String, String, String, Option<String>);
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT seq, at, actor, action, changed_from, changed_to, reason FROM rule_history \
             WHERE rule_id = $1 ORDER BY seq DESC LIMIT 1000")
            .bind(id)
            .fetch_all(db)
            .await)?;
        if rows.is_empty() {
            return Err(StoreError::NotFound { what: "rule", id: id.to_owned() });
        }
        rows.into_iter()
            .map(|(seq, at, actor, action, from, to, reason)| {
                Ok(RuleHistory {
                    seq: seq as u64,
                    at: time::read(at)?,
                    actor,
                    action,
                    from: serde_json::from_str(&from)?,
                    to: serde_json::from_str(&to)?,
                    reason,
                })
            })
            .collect()
    }

    /// How often rules were changed.
    async fn rules_turn(&self) -> Result<i64, StoreError> {
        let row: Option<(i64,)> = query!(self, db => {
            sqlx::query_as("SELECT passes FROM turnstiles WHERE name = 'rules'").fetch_optional(db).await
        })?;
        Ok(row.map_or(0, |row| row.0))
    }
}

/// Rules are changed one after the other: what was checked against `seen` holds no more when others were.
async fn take_turn(tx: &mut Tx, seen: i64) -> Result<(), StoreError> {
    let passed =
        exec!(tx, "UPDATE turnstiles SET passes = passes + 1 WHERE name = 'rules' AND passes = $1", seen);
    if passed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

fn fields(rule: &Rule) -> Result<Map<String, Value>, StoreError> {
    Ok(Map::from_iter([
        ("name".to_owned(), Value::from(rule.name.as_str())),
        ("predicate".to_owned(), Value::from(rule.predicate.as_str())),
        ("mute".to_owned(), serde_json::to_value(&rule.mute)?),
        ("enabled".to_owned(), Value::from(rule.enabled)),
    ]))
}

async fn record(
    tx: &mut Tx,
    rule: &str,
    now: i64,
    (actor, action): (&str, &str),
    from: Map<String, Value>,
    to: Map<String, Value>,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let last: Option<(i64,)> =
        first!(tx, "SELECT COALESCE(MAX(seq), 0) FROM rule_history WHERE rule_id = $1", rule);
    let seq = last.map_or(0, |row| row.0) + 1;
    exec!(
        tx,
        "INSERT INTO rule_history (rule_id, seq, at, actor, action, changed_from, changed_to, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        rule,
        seq,
        now,
        actor,
        action,
        serde_json::to_string(&from)?,
        serde_json::to_string(&to)?,
        reason
    );
    Ok(())
}

/// Puts groups back that a rule has muted.
async fn unmute_all(tx: &mut Tx, rule: &str, who: &str, now: i64) -> Result<(), StoreError> {
    // Also those that were merged into others, which may be parted again.
    let groups: Vec<(String, String)> =
        all!(tx, "SELECT id, mute FROM crash_groups WHERE state = 'muted' AND mute IS NOT NULL ORDER BY id");
    for (group, mute) in groups {
        if serde_json::from_str::<Mute>(&mute)?.rule.as_deref() != Some(rule) {
            continue;
        }
        let before = Decision::read(tx, &group).await?;
        let Some(mute) = before.mute.as_ref().filter(|mute| mute.rule.as_deref() == Some(rule)) else {
            continue;
        };
        let after = Decision { state: mute.state_before, mute: None, ..before.clone() };
        let reason = format!("rule {rule} does not mute it any more");
        after.write(tx, &group, &before, now, (who, "rule-off"), Some(&reason)).await?;
    }
    Ok(())
}
