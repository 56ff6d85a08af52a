//! Parting crashes, or all of a signature, from a group. They are pinned where they go to: no later analysis
//! and no rule undoes that.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::{
    counters,
    decision::{actor, expect},
    history::{self, GroupHistory, field},
    links::follow,
    merge::{By, MAX_NAMED},
    place::{create, signature_of, stands_for},
};
use crate::{GroupDetails, Store, StoreError, projects, rules, tx::Tx};

/// What to part from a group.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// These crashes.
    pub crashes: Vec<String>,
    /// All crashes with these fingerprints, also those to come.
    pub fingerprints: Vec<String>,
    /// Into this group; a new one when not given.
    pub into: Option<String>,
    /// Title of the new group; that of the first crash's signature when not given.
    pub title: Option<String>,
    /// Who does it.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Where a crash was before a split, kept for taking it back.
#[derive(Debug, Serialize, Deserialize)]
struct CrashBefore {
    crash: String,
    pinned: Option<String>,
    home: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

/// What a signature stood for before a split. Where its crashes were, as far as that was elsewhere, is in
/// `split_crashes`: there may be any number.
#[derive(Debug, Serialize, Deserialize)]
struct SignatureBefore {
    version: i64,
    fingerprint: String,
    group: Option<String>,
    pinned: bool,
}

impl Store {
    /// Parts crashes or signatures from a group. Answers the group that they are in now.
    pub async fn split_group(&self, group: &str, split: &Split) -> Result<GroupDetails, StoreError> {
        let named = split.crashes.len() + split.fingerprints.len();
        if named == 0 || named > MAX_NAMED {
            return Err(StoreError::Invalid(format!("name from 1 to {MAX_NAMED} crashes or fingerprints")));
        }
        let by = By {
            who: actor(split.actor.as_deref()),
            now: Timestamp::now().as_microsecond(),
            reason: split.reason.as_deref(),
        };
        let into = in_turn!(self, tx => part(tx, group, split, by).await?);
        self.group(&into).await
    }
}

async fn part(tx: &mut Tx, group: &str, split: &Split, by: By<'_>) -> Result<String, StoreError> {
    expect(tx, group, None).await?;
    let (crashes, signatures) = parted(tx, group, split).await?;
    let into = match &split.into {
        Some(into) if into == group => {
            return Err(StoreError::Invalid("a group cannot be parted from itself".to_owned()));
        }
        Some(into) => {
            expect(tx, into, None).await?;
            projects::same(tx, group, into).await?;
            into.clone()
        }
        None => new_group(tx, (group, split), &crashes, &signatures, by.now).await?,
    };
    let from = Map::from_iter([
        ("crashes".to_owned(), serde_json::to_value(&crashes)?),
        ("signatures".to_owned(), serde_json::to_value(&signatures)?),
    ]);
    let seq =
        history::record(tx, group, by.now, by.entry("split", from, field("into", into.as_str()))).await?;
    let what = Map::from_iter([
        ("from".to_owned(), json!(group)),
        ("crashes".to_owned(), json!(split.crashes)),
        ("fingerprints".to_owned(), json!(split.fingerprints)),
    ]);
    history::record(tx, &into, by.now, by.entry("parted", Map::new(), what)).await?;

    let mut losers = BTreeSet::from([group.to_owned()]);
    for crash in &crashes {
        exec!(
            tx,
            "UPDATE crashes SET pinned_group_id = $2, home_group_id = $2, group_id = $2, rule_id = NULL \
             WHERE id = $1",
            &crash.crash,
            &into
        );
    }
    for signature in &signatures {
        // Whom a rule took crashes of a signature to loses them, too.
        losers.extend(take(tx, group, seq, signature, &into).await?);
    }
    losers.remove(&into);
    for loser in &losers {
        counters::rebuild(tx, loser).await?;
    }
    counters::rebuild(tx, &into).await?;
    let left: Option<(i64,)> = first!(tx, "SELECT crashes FROM crash_groups WHERE id = $1", group);
    if left.is_none_or(|row| row.0 == 0) {
        return Err(StoreError::Invalid("nothing would be left in the group".to_owned()));
    }
    Ok(into)
}

/// Moves all crashes of a signature that no person put elsewhere, and remembers those that were not where the
/// signature says. Answers the groups that have lost some.
async fn take(
    tx: &mut Tx,
    group: &str,
    seq: i64,
    signature: &SignatureBefore,
    into: &str,
) -> Result<Vec<String>, StoreError> {
    let (version, fingerprint) = (signature.version, &signature.fingerprint);
    exec!(
        tx,
        "INSERT INTO split_crashes (group_id, seq, crash_id, home_group_id, rule_id) \
         SELECT $1, $2, id, home_group_id, rule_id FROM crashes WHERE signature_version = $3 \
         AND fingerprint = $4 AND pinned_group_id IS NULL AND group_id IS NOT NULL \
         AND home_group_id IS NOT NULL AND (rule_id IS NOT NULL OR CAST($5 AS TEXT) IS NULL OR home_group_id <> $5)",
        group,
        seq,
        version,
        fingerprint,
        &signature.group
    );
    let held: Vec<(String,)> = all!(
        tx,
        "SELECT DISTINCT group_id FROM crashes WHERE signature_version = $1 AND fingerprint = $2 \
         AND pinned_group_id IS NULL AND group_id IS NOT NULL",
        version,
        fingerprint
    );
    stands_for(tx, version, fingerprint, into, true).await?;
    exec!(
        tx,
        "UPDATE crashes SET home_group_id = $3, group_id = $3, rule_id = NULL WHERE signature_version = $1 \
         AND fingerprint = $2 AND pinned_group_id IS NULL AND group_id IS NOT NULL",
        version,
        fingerprint,
        into
    );
    Ok(held.into_iter().map(|row| row.0).collect())
}

/// What a split is about, as it is now.
async fn parted(
    tx: &mut Tx,
    group: &str,
    split: &Split,
) -> Result<(Vec<CrashBefore>, Vec<SignatureBefore>), StoreError> {
    type Row = (Option<String>, Option<String>, Option<String>, Option<String>);
    let mut crashes = Vec::new();
    for crash in BTreeSet::from_iter(&split.crashes) {
        let row: Option<Row> = first!(
            tx,
            "SELECT group_id, pinned_group_id, home_group_id, rule_id FROM crashes WHERE id = $1",
            crash
        );
        match row {
            Some((Some(of), pinned, home, rule)) if of == group => {
                crashes.push(CrashBefore { crash: crash.clone(), pinned, home, rule });
            }
            Some(_) => return Err(StoreError::Invalid(format!("crash {crash} is not in this group"))),
            None => return Err(StoreError::NotFound { what: "crash", id: crash.clone() }),
        }
    }
    let mut signatures = Vec::new();
    let project = projects::of_group(tx, group).await?;
    for named in BTreeSet::from_iter(&split.fingerprints) {
        let fingerprint = &projects::within(&project, named);
        let rows: Vec<(i64, Option<String>, bool)> = all!(
            tx,
            "SELECT version, group_id, pinned FROM signatures WHERE fingerprint = $1 ORDER BY version",
            fingerprint
        );
        let before = signatures.len();
        for (version, of, pinned) in rows {
            let here: Option<(i64,)> = first!(
                tx,
                "SELECT crashes FROM group_facets WHERE group_id = $1 AND facet = 'signature' AND value = $2",
                group,
                format!("{version}:{fingerprint}")
            );
            if here.is_some() {
                let fingerprint = fingerprint.clone();
                signatures.push(SignatureBefore { version, fingerprint, group: of, pinned });
            }
        }
        if signatures.len() == before {
            return Err(StoreError::Invalid(format!("no crash of this group has the fingerprint {named}")));
        }
    }
    Ok((crashes, signatures))
}

/// The group for what is parted, looking like the first of it.
async fn new_group(
    tx: &mut Tx,
    (group, split): (&str, &Split),
    crashes: &[CrashBefore],
    signatures: &[SignatureBefore],
    now: i64,
) -> Result<String, StoreError> {
    let key: Option<(i64, String)> = match (signatures.first(), crashes.first()) {
        (Some(first), _) => Some((first.version, first.fingerprint.clone())),
        (None, Some(first)) => first!(
            tx,
            "SELECT signature_version, fingerprint FROM crashes WHERE id = $1 AND fingerprint IS NOT NULL",
            &first.crash
        ),
        (None, None) => None,
    };
    let known = match key {
        Some((version, fingerprint)) => signature_of(tx, version, &fingerprint).await?,
        None => None,
    };
    let (mut signature, class) =
        known.ok_or_else(|| StoreError::Stored("a crash in a group without its signature".to_owned()))?;
    if let Some(title) = split.title.as_deref().map(str::trim).filter(|title| !title.is_empty()) {
        title.clone_into(&mut signature.title);
    }
    let project = projects::of_group(tx, group).await?;
    create(tx, (&project, &signature), &class, "split", now, now).await
}

/// Takes a split back: all are where they were, and what has arrived since is where its signature says, or the
/// rules. Answers the number of the entry in the group's history.
pub(super) async fn unsplit(
    tx: &mut Tx,
    group: &str,
    split: &GroupHistory,
    into: &str,
    by: By<'_>,
) -> Result<i64, StoreError> {
    let read = |name: &str| split.from.get(name).cloned().unwrap_or_else(|| json!([]));
    let crashes: Vec<CrashBefore> = serde_json::from_value(read("crashes"))?;
    let signatures: Vec<SignatureBefore> = serde_json::from_value(read("signatures"))?;
    let mut touched = BTreeSet::from([group.to_owned(), follow(tx, into).await?]);
    for crash in &crashes {
        let Some(home) = &crash.home else { continue };
        let to = follow(tx, home).await?;
        let back = exec!(
            tx,
            "UPDATE crashes SET pinned_group_id = $3, home_group_id = $4, rule_id = $6, \
             group_id = CASE WHEN group_id IS NULL THEN NULL ELSE $5 END WHERE id = $1 AND pinned_group_id = $2",
            &crash.crash,
            into,
            &crash.pinned,
            home,
            &to,
            &crash.rule
        );
        if back == 0 {
            let crash = &crash.crash;
            return Err(StoreError::ChangedSince(format!("crash {crash} was put elsewhere since")));
        }
        touched.insert(to);
    }
    let mut strays = false;
    for signature in &signatures {
        strays |= give_back(tx, group, split.seq as i64, signature, into, by.now, &mut touched).await?;
    }
    for touched in touched {
        counters::rebuild(tx, &touched).await?;
    }
    if strays && !rules::enabled(tx).await?.is_empty() {
        rules::apply::request(tx, "a split was taken back", by.now).await?;
    }
    history::record(tx, group, by.now, by.entry("joined", Map::new(), field("from", into))).await
}

/// Takes back the split of one signature. Answers whether there are crashes that arrived since.
async fn give_back(
    tx: &mut Tx,
    group: &str,
    seq: i64,
    before: &SignatureBefore,
    into: &str,
    now: i64,
    touched: &mut BTreeSet<String>,
) -> Result<bool, StoreError> {
    let (version, fingerprint) = (before.version, &before.fingerprint);
    let back = exec!(
        tx,
        "UPDATE signatures SET group_id = $3, pinned = $4 WHERE version = $1 AND fingerprint = $2 \
         AND group_id = $5 AND pinned = $6",
        version,
        fingerprint,
        &before.group,
        before.pinned,
        into,
        true
    );
    if back == 0 {
        return Err(StoreError::ChangedSince(format!(
            "the variant {} was put elsewhere since",
            projects::bare(fingerprint)
        )));
    }
    let homes: Vec<(String, Option<String>, i64)> = all!(
        tx,
        "SELECT s.home_group_id, s.rule_id, COUNT(*) FROM split_crashes s JOIN crashes c ON c.id = s.crash_id \
         WHERE s.group_id = $1 AND s.seq = $2 AND c.signature_version = $3 AND c.fingerprint = $4 \
         AND c.home_group_id = $5 AND c.pinned_group_id IS NULL AND c.group_id IS NOT NULL \
         GROUP BY s.home_group_id, s.rule_id ORDER BY COUNT(*) DESC, s.home_group_id",
        group,
        seq,
        version,
        fingerprint,
        into
    );
    for (home, rule, _) in &homes {
        let to = follow(tx, home).await?;
        exec!(
            tx,
            "UPDATE crashes SET home_group_id = $6, group_id = $7, rule_id = $8 WHERE signature_version = $3 \
             AND fingerprint = $4 AND home_group_id = $5 AND pinned_group_id IS NULL AND group_id IS NOT NULL \
             AND id IN (SELECT crash_id FROM split_crashes WHERE group_id = $1 AND seq = $2 \
             AND home_group_id = $6 AND COALESCE(rule_id, '') = COALESCE($8, ''))",
            group,
            seq,
            version,
            fingerprint,
            into,
            home,
            &to,
            rule
        );
        touched.insert(to);
    }
    exec!(
        tx,
        "DELETE FROM split_crashes WHERE group_id = $1 AND seq = $2 AND crash_id IN \
         (SELECT id FROM crashes WHERE signature_version = $3 AND fingerprint = $4)",
        group,
        seq,
        version,
        fingerprint
    );
    let left: Option<(i64,)> = first!(
        tx,
        "SELECT seen_at FROM crashes WHERE signature_version = $1 AND fingerprint = $2 AND home_group_id = $3 \
         AND pinned_group_id IS NULL AND group_id IS NOT NULL LIMIT 1",
        version,
        fingerprint,
        into
    );
    if left.is_none() {
        return Ok(false);
    }
    // Those that the signature's own group had, and what has arrived since.
    let (home, rule) = match (&before.group, homes.into_iter().next()) {
        (Some(home), _) => (home.clone(), None),
        (None, Some((home, rule, _))) => (home, rule),
        (None, None) => (own_group(tx, (group, version, fingerprint), now).await?, None),
    };
    let to = follow(tx, &home).await?;
    exec!(
        tx,
        "UPDATE crashes SET home_group_id = $4, group_id = $5, rule_id = $6 WHERE signature_version = $1 \
         AND fingerprint = $2 AND home_group_id = $3 AND pinned_group_id IS NULL AND group_id IS NOT NULL",
        version,
        fingerprint,
        into,
        &home,
        &to,
        &rule
    );
    touched.insert(to);
    Ok(true)
}

/// A group for a signature that stands for none, and now for this.
async fn own_group(
    tx: &mut Tx,
    (group, version, fingerprint): (&str, i64, &str),
    now: i64,
) -> Result<String, StoreError> {
    let known = signature_of(tx, version, fingerprint).await?;
    let (signature, class) =
        known.ok_or_else(|| StoreError::Stored("a crash in a group without its signature".to_owned()))?;
    let project = projects::of_group(tx, group).await?;
    let group = create(tx, (&project, &signature), &class, "signature", now, now).await?;
    stands_for(tx, version, fingerprint, &group, false).await?;
    Ok(group)
}
