//! Rules and what they would do.

use jiff::Timestamp;
use panicle_store::{MuteUntil, RuleKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A rule: which crashes it claims, and what becomes of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) kind: RuleKind,
    pub(crate) name: String,
    /// In the predicate language: `class:nil-map-write && "main.(*Cache).Put"`.
    pub(crate) predicate: String,
    /// The group of what a merge rule claims.
    pub(crate) group_id: Option<String>,
    /// What ends the mutes of a mute rule.
    pub(crate) mute: Option<MuteUntil>,
    pub(crate) enabled: bool,
    /// Why the predicate cannot be read any more. The rule then keeps the crashes that it has, and claims no others.
    pub(crate) problem: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
}

impl From<panicle_store::Rule> for Rule {
    fn from(rule: panicle_store::Rule) -> Self {
        Self {
            problem: rule.problem(),
            id: rule.id,
            kind: rule.kind,
            name: rule.name,
            predicate: rule.predicate,
            group_id: rule.group,
            mute: rule.mute,
            enabled: rule.enabled,
            created_at: rule.created_at,
        }
    }
}

/// A rule to try or to save.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRule {
    pub(crate) kind: RuleKind,
    /// What people call it; the title of its group, when it makes one.
    #[serde(default)]
    pub(crate) name: String,
    /// In the predicate language: fields of the crash and quoted words of frames, title, class or message, with
    /// `&&`, `||`, `!` and parentheses.
    pub(crate) predicate: String,
    /// For a merge rule: the group for what it claims. When absent, a new one.
    pub(crate) group_id: Option<String>,
    /// For a merge rule without a group: the project of the new one. It claims crashes of that project alone. `default`
    /// when absent.
    pub(crate) project: Option<String>,
    /// For a mute rule: what ends its mutes. When absent, a person does.
    pub(crate) mute: Option<MuteUntil>,
    /// In a preview: the rule that this one would be in the place of, which then has no claim of its own.
    pub(crate) instead_of: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) actor: Option<String>,
}

/// What to change about a rule. Absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RulePatch {
    pub(crate) name: Option<String>,
    pub(crate) predicate: Option<String>,
    pub(crate) mute: Option<MuteUntil>,
    /// Switched off, a rule's work is put back.
    pub(crate) enabled: Option<bool>,
    pub(crate) reason: Option<String>,
    pub(crate) actor: Option<String>,
}

/// What would change in all history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Plan {
    /// Crashes that were looked at.
    pub(crate) looked_at: u64,
    /// Crashes that the rule claims.
    pub(crate) matched: u64,
    /// Ids of some of those.
    pub(crate) examples: Vec<String>,
    /// Crashes that would go to another group, the most first.
    pub(crate) moves: Vec<Move>,
    /// Groups with crashes that the mute rule claims.
    pub(crate) mutes: Vec<MutedGroup>,
    /// Crashes that another rule, or a person's decision, has a claim to. With one of these, a rule cannot be
    /// saved.
    pub(crate) conflicts: Vec<RuleConflict>,
}

/// Crashes that would go from one group to another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Move {
    pub(crate) from: String,
    /// Null for a group that would be made.
    pub(crate) to: Option<String>,
    pub(crate) count: u64,
    /// Ids of some of them.
    pub(crate) examples: Vec<String>,
}

/// A group with crashes that a mute rule claims.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MutedGroup {
    pub(crate) group_id: String,
    /// Crashes that the rule claims.
    pub(crate) count: u64,
    /// All its crashes. The group is muted when the rule claims all of them.
    pub(crate) of: u64,
    pub(crate) muted: bool,
}

/// A crash that two have a claim to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RuleConflict {
    pub(crate) crash_id: String,
    /// Who else has a claim to it.
    pub(crate) reason: String,
}

impl From<panicle_store::RuleConflict> for RuleConflict {
    fn from(conflict: panicle_store::RuleConflict) -> Self {
        Self { crash_id: conflict.crash, reason: conflict.reason }
    }
}

impl From<panicle_store::Move> for Move {
    fn from(step: panicle_store::Move) -> Self {
        Self { from: step.from, to: step.to, count: step.crashes, examples: step.examples }
    }
}

impl From<panicle_store::Plan> for Plan {
    fn from(plan: panicle_store::Plan) -> Self {
        let mutes = plan.mutes.into_iter().map(|mute| MutedGroup {
            muted: mute.crashes == mute.of,
            group_id: mute.group,
            count: mute.crashes,
            of: mute.of,
        });
        Self {
            looked_at: plan.looked_at,
            matched: plan.matched,
            examples: plan.examples,
            moves: plan.moves.into_iter().map(Move::from).collect(),
            mutes: mutes.collect(),
            conflicts: plan.conflicts.into_iter().map(RuleConflict::from).collect(),
        }
    }
}

/// An entry of a rule's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RuleHistoryEntry {
    /// Its number in this rule, from 1.
    pub(crate) seq: u64,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    /// `created`, `changed` or `deleted`.
    pub(crate) action: String,
    #[schema(value_type = Object)]
    pub(crate) from: Map<String, Value>,
    #[schema(value_type = Object)]
    pub(crate) to: Map<String, Value>,
    pub(crate) reason: Option<String>,
}

impl From<panicle_store::RuleHistory> for RuleHistoryEntry {
    fn from(entry: panicle_store::RuleHistory) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            from: entry.from,
            to: entry.to,
            reason: entry.reason,
        }
    }
}

/// How far grouping all history anew has come.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Regrouping {
    /// Why it is done.
    pub(crate) reason: String,
    /// Crashes that were looked at.
    pub(crate) done: u64,
    /// Crashes that there were at the beginning.
    pub(crate) total: u64,
    /// Crashes that are in another group since.
    pub(crate) moved: u64,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) started_at: Timestamp,
    /// Null while it is under way.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) finished_at: Option<Timestamp>,
    /// Why it ended before all crashes were looked at; null when it did not.
    pub(crate) error: Option<String>,
}

impl From<panicle_store::Regrouping> for Regrouping {
    fn from(regrouping: panicle_store::Regrouping) -> Self {
        Self {
            reason: regrouping.reason,
            done: regrouping.done,
            total: regrouping.total,
            moved: regrouping.moved,
            started_at: regrouping.started_at,
            finished_at: regrouping.finished_at,
            error: regrouping.error,
        }
    }
}

/// What the signatures of this program would change, as far as history was analysed for it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SignatureTrial {
    /// Crashes that it analyses: those that there were when it began.
    pub(crate) total: u64,
    /// All of them were; with a `total` of 0 there was no trial.
    pub(crate) finished: bool,
    /// Those that were.
    pub(crate) done: u64,
    /// Crashes whose core was deleted by policy; they stay where they are.
    pub(crate) without_evidence: u64,
    /// Crashes that would have another signature, also where they stay in their group.
    pub(crate) changed: u64,
    /// Crashes that would go to another group.
    pub(crate) moves: Vec<Move>,
}

impl From<panicle_store::SignatureTrial> for SignatureTrial {
    fn from(trial: panicle_store::SignatureTrial) -> Self {
        Self {
            total: trial.total,
            finished: trial.finished,
            done: trial.done,
            without_evidence: trial.without_evidence,
            changed: trial.changed,
            moves: trial.moves.into_iter().map(Move::from).collect(),
        }
    }
}

/// Crashes that are analysed again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Queued {
    pub(crate) queued: u64,
}
