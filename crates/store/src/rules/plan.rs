//! What rules would do to all history.

use std::collections::{BTreeMap, HashMap};

use panicle_query::{Facts, Predicate};

use super::{Held, NewRule, Rule};
use crate::{
    DEFAULT_PROJECT, RuleKind, Store, StoreError,
    groups::{links::Links, mute::MuteUntil},
};

/// The identifier of a rule that is not saved yet.
pub(super) const CANDIDATE: &str = "";
/// Crashes at a time.
const BATCH: i64 = 500;
/// Crashes that are named where there are many.
const EXAMPLES: usize = 5;
/// Conflicts that are named; the first is enough to refuse a rule.
const MAX_CONFLICTS: usize = 20;
/// Moves and mutes that are listed, the largest first.
const MAX_ROWS: usize = 500;

/// A rule that is ready to be tried.
pub(crate) struct Compiled {
    pub(crate) id: String,
    pub(crate) kind: RuleKind,
    pub(crate) name: String,
    pub(crate) group: Option<String>,
    /// That of its group: a merge rule claims no crash of another one.
    pub(crate) project: String,
    pub(crate) mute: Option<MuteUntil>,
    /// `None` for one that cannot be read any more, which then keeps what it has and claims nothing else.
    predicate: Option<Predicate>,
}

impl Compiled {
    pub(crate) fn of(rule: Rule) -> Self {
        Self {
            predicate: Predicate::parse(&rule.predicate).ok(),
            id: rule.id,
            kind: rule.kind,
            name: rule.name,
            group: rule.group,
            project: rule.project.unwrap_or_else(|| DEFAULT_PROJECT.to_owned()),
            mute: rule.mute,
        }
    }

    pub(super) fn candidate(new: &NewRule, predicate: Predicate) -> Self {
        Self {
            id: CANDIDATE.to_owned(),
            kind: new.kind,
            name: new.name.clone(),
            group: new.group.clone(),
            project: DEFAULT_PROJECT.to_owned(),
            mute: new.mute.clone(),
            predicate: Some(predicate),
        }
    }

    /// Whether it claims a crash that these rules have so far.
    pub(super) fn claims(&self, facts: &Facts, held: &Held) -> bool {
        if self.kind == RuleKind::Merge && self.project != held.project {
            return false;
        }
        if let Some(predicate) = &self.predicate {
            return predicate.matches(facts);
        }
        let by = match self.kind {
            RuleKind::Merge => &held.rule_id,
            RuleKind::Mute => &held.mute_rule_id,
        };
        by.as_ref() == Some(&self.id)
    }
}

/// What would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Crashes of the history.
    pub looked_at: u64,
    /// Those that the rule in question claims.
    pub matched: u64,
    /// Some of those.
    pub examples: Vec<String>,
    /// Crashes that would be in another group.
    pub moves: Vec<Move>,
    /// Groups that the rule in question would mute, as far as all their crashes are its.
    pub mutes: Vec<MutedGroup>,
    /// Crashes that two have a claim to.
    pub conflicts: Vec<RuleConflict>,
}

/// Crashes that would go from one group to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where they are.
    pub from: String,
    /// Where they would be; `None` for a group that does not exist yet.
    pub to: Option<String>,
    /// How many.
    pub crashes: u64,
    /// Some of them.
    pub examples: Vec<String>,
}

/// A group with crashes that a mute rule claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutedGroup {
    /// The group.
    pub group: String,
    /// Crashes in it that the rule claims.
    pub crashes: u64,
    /// All crashes in it. It is muted when they are as many.
    pub of: u64,
}

/// A crash that two have a claim to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleConflict {
    /// The crash.
    pub crash: String,
    /// Who else claims it.
    pub reason: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    group_id: String,
    pinned_group_id: Option<String>,
    signature_version: Option<i64>,
    fingerprint: Option<String>,
    #[sqlx(flatten)]
    held: Held,
}

type Signatures = HashMap<(i64, String), (Option<String>, bool)>;

/// All that decides where a crash belongs, besides itself.
struct Context<'a> {
    rules: &'a [Compiled],
    /// The rule in question.
    about: Option<&'a str>,
    links: Links,
}

#[derive(Default)]
struct Counts {
    moves: BTreeMap<(String, Option<String>), (u64, Vec<String>)>,
    mutes: BTreeMap<String, u64>,
    sizes: BTreeMap<String, u64>,
}

impl Context<'_> {
    /// Where it belongs after all merges; `None` for a group that is yet to be made.
    fn follow(&self, group: Option<String>) -> Option<String> {
        group.map(|group| self.links.follow(group))
    }

    fn look(&self, row: Row, facts: &Facts, signatures: &Signatures, plan: &mut Plan, counts: &mut Counts) {
        plan.looked_at += 1;
        let signature = row.signature_version.zip(row.fingerprint.clone());
        let signature = signature.and_then(|key| signatures.get(&key));
        let claims: Vec<&Compiled> = self.rules.iter().filter(|rule| rule.claims(facts, &row.held)).collect();
        let is_about = |rule: &Compiled| self.about == Some(rule.id.as_str());
        let about = claims.iter().find(|rule| is_about(rule));
        if about.is_some() {
            plan.matched += 1;
            if plan.examples.len() < EXAMPLES {
                plan.examples.push(row.id.clone());
            }
        }
        let merges: Vec<&&Compiled> = claims.iter().filter(|rule| rule.kind == RuleKind::Merge).collect();
        let rule = merges.first().copied();
        let pinned = match (&row.pinned_group_id, signature) {
            (Some(group), _) | (None, Some((Some(group), true))) => Some(group.clone()),
            _ => None,
        };
        let concerned = self.about.is_none() || merges.iter().any(|rule| is_about(rule));
        if concerned && plan.conflicts.len() < MAX_CONFLICTS {
            if merges.len() > 1 {
                let named: Vec<String> = merges
                    .iter()
                    .filter(|rule| !is_about(rule))
                    .map(|rule| format!("rule {} ({})", rule.name, rule.id))
                    .collect();
                let reason = format!("{} claims it", named.join(" and "));
                plan.conflicts.push(RuleConflict { crash: row.id.clone(), reason });
            } else if let (Some(pinned), Some(rule)) = (&pinned, rule)
                && self.follow(Some(pinned.clone())) != self.follow(rule.group.clone())
            {
                let reason = format!("somebody put it into group {pinned}");
                plan.conflicts.push(RuleConflict { crash: row.id.clone(), reason });
            }
        }
        let to = match (pinned, rule) {
            (Some(pinned), _) => self.follow(Some(pinned)),
            (None, Some(rule)) => self.follow(rule.group.clone()),
            (None, None) => self.follow(signature.and_then(|(group, _)| group.clone())),
        };
        if let Some(group) = &to {
            *counts.sizes.entry(group.clone()).or_default() += 1;
            if about.is_some_and(|rule| rule.kind == RuleKind::Mute) {
                *counts.mutes.entry(group.clone()).or_default() += 1;
            }
        }
        if to.as_ref() != Some(&row.group_id) {
            let (count, examples) = counts.moves.entry((row.group_id, to)).or_default();
            *count += 1;
            if examples.len() < EXAMPLES {
                examples.push(row.id);
            }
        }
    }
}

impl Store {
    /// Looks at all history as these rules would have it; `about` is the one in question.
    pub(super) async fn plan(&self, rules: &[Compiled], about: Option<&str>) -> Result<Plan, StoreError> {
        let context = Context { rules, about, links: self.links().await? };
        let (mut plan, mut counts) = (Plan::default(), Counts::default());
        let mut after = String::new();
        loop {
            let rows: Vec<Row> = query!(self, db => sqlx::query_as(
                "SELECT id, group_id, pinned_group_id, signature_version, fingerprint, rule_id, mute_rule_id, project \
                 FROM crashes \
                 WHERE id > $1 AND group_id IS NOT NULL ORDER BY id LIMIT $2")
                .bind(&after)
                .bind(BATCH)
                .fetch_all(db)
                .await)?;
            let Some(last) = rows.last().map(|row| row.id.clone()) else { break };
            let facts: Vec<(String, String, String, i64)> = query!(self, db => sqlx::query_as(
                "SELECT cf.crash_id, f.name, f.value, cf.amount FROM crash_facts cf \
                 JOIN facts f ON f.id = cf.fact_id WHERE cf.crash_id > $1 AND cf.crash_id <= $2")
                .bind(&after)
                .bind(&last)
                .fetch_all(db)
                .await)?;
            let mut known: HashMap<String, Facts> = HashMap::new();
            for (crash, name, value, amount) in facts {
                known.entry(crash).or_default().put(&name, &value, amount as u64);
            }
            let signatures: Vec<(i64, String, Option<String>, bool)> = query!(self, db => sqlx::query_as(
                "SELECT DISTINCT s.version, s.fingerprint, s.group_id, s.pinned FROM crashes c \
                 JOIN signatures s ON s.version = c.signature_version AND s.fingerprint = c.fingerprint \
                 WHERE c.id > $1 AND c.id <= $2")
                .bind(&after)
                .bind(&last)
                .fetch_all(db)
                .await)?;
            let signatures: Signatures = signatures
                .into_iter()
                .map(|(version, fingerprint, group, pinned)| ((version, fingerprint), (group, pinned)))
                .collect();
            let nothing = Facts::new();
            for row in rows {
                let facts = known.get(&row.id).unwrap_or(&nothing);
                context.look(row, facts, &signatures, &mut plan, &mut counts);
            }
            after = last;
        }
        plan.moves = counts
            .moves
            .into_iter()
            .map(|((from, to), (crashes, examples))| Move { from, to, crashes, examples })
            .collect();
        plan.moves
            .sort_by(|one, other| other.crashes.cmp(&one.crashes).then_with(|| one.from.cmp(&other.from)));
        plan.moves.truncate(MAX_ROWS);
        plan.mutes = counts
            .mutes
            .into_iter()
            .map(|(group, crashes)| MutedGroup {
                of: counts.sizes.get(&group).copied().unwrap_or(0),
                group,
                crashes,
            })
            .collect();
        plan.mutes
            .sort_by(|one, other| other.crashes.cmp(&one.crashes).then_with(|| one.group.cmp(&other.group)));
        plan.mutes.truncate(MAX_ROWS);
        Ok(plan)
    }
}
