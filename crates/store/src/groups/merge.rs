//! Putting groups together and parting them again, by a person's decision.
//!
//! A merge is a link from one group to another, so that parting them is exact: each crash knows where it
//! belongs before links are followed. A split moves crashes, or all of a signature, to another group and
//! pins them there; no later analysis and no rule undoes that.

use std::collections::BTreeSet;

use jiff::Timestamp;
use panicle_report::Signature;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    counters,
    decision::{actor, expect},
    history::{self, Entry, GroupHistory, field},
    place::{create, follow, stands_for},
};
use crate::{GroupDetails, Store, StoreError, tx::Tx};

/// Groups or crashes that one request may name.
const MAX_NAMED: usize = 1000;

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
}

/// What a signature stood for before a split.
#[derive(Debug, Serialize, Deserialize)]
struct SignatureBefore {
    version: i64,
    fingerprint: String,
    group: Option<String>,
    pinned: bool,
}

type SignatureColumns = (i64, String, String, String, String, String, String);

/// A signature as it is stored, and the class of its first crash.
pub(crate) async fn signature_of(
    tx: &mut Tx,
    version: i64,
    fingerprint: &str,
) -> Result<Option<(Signature, String)>, StoreError> {
    let row: Option<SignatureColumns> = first!(
        tx,
        "SELECT version, fingerprint, family, title, class, frames, explanation FROM signatures \
         WHERE version = $1 AND fingerprint = $2",
        version,
        fingerprint
    );
    row.map(|(version, fingerprint, family, title, class, frames, explain)| {
        let signature = Signature {
            version: version as u32,
            fingerprint,
            family,
            title,
            frames: serde_json::from_str(&frames)?,
            explain: serde_json::from_str(&explain)?,
            population: Vec::new(),
        };
        Ok((signature, class))
    })
    .transpose()
}

impl Store {
    /// Merges `groups` into `into`, whose state and owner stay.
    pub async fn merge_groups(
        &self,
        into: &str,
        groups: &[String],
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Result<GroupDetails, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let groups: BTreeSet<&String> = groups.iter().collect();
        if groups.is_empty() || groups.len() > MAX_NAMED || groups.iter().any(|group| *group == into) {
            return Err(StoreError::Invalid(format!(
                "name from 1 to {MAX_NAMED} groups to merge into this one, and not itself"
            )));
        }
        let mut tx = self.begin().await?;
        // In turn with analyses that are committed, which follow merges.
        on!(&mut tx, db => pass_turnstile!(db, "binaries"));
        expect(&mut tx, into, None).await?;
        for group in &groups {
            merge(&mut tx, group, into, actor(by), now, reason).await?;
        }
        counters::rebuild(&mut tx, into).await?;
        let names: Vec<&String> = groups.into_iter().collect();
        let entry = entry(actor(by), "merge", Map::new(), field("groups", json!(names)), reason);
        history::record(&mut tx, into, now, entry).await?;
        tx.commit().await?;
        self.group(into).await
    }

    /// Parts a group from the one that it was merged into. It stays parted: rules do not take its
    /// crashes any more.
    pub async fn unmerge_group(
        &self,
        group: &str,
        by: Option<&str>,
        reason: Option<&str>,
    ) -> Result<GroupDetails, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let mut tx = self.begin().await?;
        // In turn with analyses that are committed, which follow merges.
        on!(&mut tx, db => pass_turnstile!(db, "binaries"));
        unmerge(&mut tx, group, actor(by), now, reason).await?;
        exec!(&mut tx, "UPDATE signatures SET pinned = $2 WHERE group_id = $1", group, true);
        tx.commit().await?;
        self.group(group).await
    }

    /// Parts crashes or signatures from a group. Answers the group that they are in now.
    pub async fn split_group(&self, group: &str, split: &Split) -> Result<GroupDetails, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let named = split.crashes.len() + split.fingerprints.len();
        if named == 0 || named > MAX_NAMED {
            return Err(StoreError::Invalid(format!("name from 1 to {MAX_NAMED} crashes or fingerprints")));
        }
        let mut tx = self.begin().await?;
        // In turn with analyses that are committed, which follow merges.
        on!(&mut tx, db => pass_turnstile!(db, "binaries"));
        let tx_ = &mut tx;
        expect(tx_, group, None).await?;
        let (crashes, signatures) = parted(tx_, group, split).await?;
        let into = match &split.into {
            Some(into) if into == group => {
                return Err(StoreError::Invalid("a group cannot be parted from itself".to_owned()));
            }
            Some(into) => {
                expect(tx_, into, None).await?;
                into.clone()
            }
            None => new_group(tx_, split, &crashes, &signatures, now).await?,
        };
        // Whom a rule took crashes of a signature to loses them, too.
        let mut losers = BTreeSet::from([group.to_owned()]);
        for signature in &signatures {
            let held: Vec<(String,)> = all!(
                tx_,
                "SELECT DISTINCT group_id FROM crashes WHERE signature_version = $1 AND fingerprint = $2 \
                 AND pinned_group_id IS NULL AND group_id IS NOT NULL",
                signature.version,
                &signature.fingerprint
            );
            losers.extend(held.into_iter().map(|(id,)| id));
        }
        losers.remove(&into);
        for crash in &crashes {
            exec!(
                tx_,
                "UPDATE crashes SET pinned_group_id = $2, home_group_id = $2, group_id = $2, rule_id = NULL \
                 WHERE id = $1",
                &crash.crash,
                &into
            );
        }
        for signature in &signatures {
            stands_for(tx_, signature.version, &signature.fingerprint, &into, true).await?;
            exec!(
                tx_,
                "UPDATE crashes SET home_group_id = $3, group_id = $3, rule_id = NULL \
                 WHERE signature_version = $1 AND fingerprint = $2 AND pinned_group_id IS NULL \
                 AND group_id IS NOT NULL",
                signature.version,
                &signature.fingerprint,
                &into
            );
        }
        for loser in &losers {
            counters::rebuild(tx_, loser).await?;
        }
        counters::rebuild(tx_, &into).await?;
        let left: Option<(i64,)> = first!(tx_, "SELECT crashes FROM crash_groups WHERE id = $1", group);
        if left.is_none_or(|row| row.0 == 0) {
            return Err(StoreError::Invalid("nothing would be left in the group".to_owned()));
        }
        let who = actor(split.actor.as_deref());
        let from = Map::from_iter([
            ("crashes".to_owned(), serde_json::to_value(&crashes)?),
            ("signatures".to_owned(), serde_json::to_value(&signatures)?),
        ]);
        let reason = split.reason.as_deref();
        history::record(tx_, group, now, entry(who, "split", from, field("into", into.as_str()), reason))
            .await?;
        let what = Map::from_iter([
            ("from".to_owned(), json!(group)),
            ("crashes".to_owned(), json!(split.crashes)),
            ("fingerprints".to_owned(), json!(split.fingerprints)),
        ]);
        history::record(tx_, &into, now, entry(who, "parted", Map::new(), what, reason)).await?;
        tx.commit().await?;
        self.group(&into).await
    }
}

fn entry<'a>(
    actor: &'a str,
    action: &'a str,
    from: Map<String, Value>,
    to: Map<String, Value>,
    reason: Option<&'a str>,
) -> Entry<'a> {
    Entry { actor, action, from, to, reason }
}

/// What a split is about, as it is now.
async fn parted(
    tx: &mut Tx,
    group: &str,
    split: &Split,
) -> Result<(Vec<CrashBefore>, Vec<SignatureBefore>), StoreError> {
    let mut crashes = Vec::new();
    for crash in &split.crashes {
        let row: Option<(Option<String>, Option<String>, Option<String>)> =
            first!(tx, "SELECT group_id, pinned_group_id, home_group_id FROM crashes WHERE id = $1", crash);
        match row {
            Some((Some(of), pinned, home)) if of == group => {
                crashes.push(CrashBefore { crash: crash.clone(), pinned, home });
            }
            Some(_) => return Err(StoreError::Invalid(format!("crash {crash} is not in this group"))),
            None => return Err(StoreError::NotFound { what: "crash", id: crash.clone() }),
        }
    }
    let mut signatures = Vec::new();
    for fingerprint in &split.fingerprints {
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
            return Err(StoreError::Invalid(format!(
                "no crash of this group has the fingerprint {fingerprint}"
            )));
        }
    }
    Ok((crashes, signatures))
}

/// The group for what is parted, looking like the first of it.
async fn new_group(
    tx: &mut Tx,
    split: &Split,
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
    create(tx, &signature, &class, "split", now, now).await
}

/// Links one group to another and moves its crashes there. The counts of `into` are left to the caller.
async fn merge(
    tx: &mut Tx,
    group: &str,
    into: &str,
    who: &str,
    now: i64,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    expect(tx, group, None).await?;
    exec!(tx, "UPDATE crash_groups SET merged_into = $2 WHERE id = $1", group, into);
    exec!(tx, "UPDATE crashes SET group_id = $2 WHERE group_id = $1", group, into);
    counters::rebuild(tx, group).await?;
    let entry = entry(who, "merged", Map::new(), field("into", into), reason);
    history::record(tx, group, now, entry).await.map(drop)
}

/// Takes a link away, and takes back every crash that came by it.
async fn unmerge(
    tx: &mut Tx,
    group: &str,
    who: &str,
    now: i64,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let row: Option<(Option<String>,)> =
        first!(tx, "SELECT merged_into FROM crash_groups WHERE id = $1", group);
    let row = row.ok_or_else(|| StoreError::NotFound { what: "group", id: group.to_owned() })?;
    let Some(into) = row.0 else {
        return Err(StoreError::Invalid(format!("group {group} is not merged into another one")));
    };
    let held = follow(tx, group).await?;
    exec!(tx, "UPDATE crash_groups SET merged_into = NULL, moved_to = NULL WHERE id = $1", group);
    // All that were merged into it, and into those.
    let mut homes = vec![group.to_owned()];
    let mut at = 0;
    while let Some(home) = homes.get(at) {
        let below: Vec<(String,)> = all!(tx, "SELECT id FROM crash_groups WHERE merged_into = $1", home);
        exec!(
            tx,
            "UPDATE crashes SET group_id = $2 WHERE home_group_id = $1 AND group_id IS NOT NULL",
            home,
            group
        );
        homes.extend(below.into_iter().map(|row| row.0));
        at += 1;
    }
    counters::rebuild(tx, group).await?;
    counters::rebuild(tx, &held).await?;
    history::record(tx, group, now, entry(who, "unmerged", field("into", into.as_str()), Map::new(), reason))
        .await?;
    history::record(
        tx,
        &into,
        now,
        entry(who, "unmerge", field("groups", json!([group])), Map::new(), reason),
    )
    .await?;
    Ok(())
}

/// Takes a merge, an unmerge or a split back. `false`: the entry is none of these.
pub(crate) async fn undo(
    tx: &mut Tx,
    group: &str,
    entry: &GroupHistory,
    who: &str,
    now: i64,
    reason: &str,
) -> Result<bool, StoreError> {
    let names = |fields: &Map<String, Value>| -> Vec<String> {
        fields.get("groups").cloned().and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    };
    let into = |fields: &Map<String, Value>| {
        fields.get("into").and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
    };
    let reason = Some(reason);
    match entry.action.as_str() {
        "merged" | "moved" => unmerge(tx, group, who, now, reason).await?,
        "merge" => {
            for name in names(&entry.to) {
                unmerge(tx, &name, who, now, reason).await?;
            }
        }
        "unmerged" => {
            let into = into(&entry.from);
            expect(tx, &into, None).await?;
            merge(tx, group, &into, who, now, reason).await?;
            counters::rebuild(tx, &into).await?;
        }
        "unmerge" => {
            expect(tx, group, None).await?;
            for name in names(&entry.from) {
                merge(tx, &name, group, who, now, reason).await?;
            }
            counters::rebuild(tx, group).await?;
            let what = Map::from_iter([("groups".to_owned(), json!(names(&entry.from)))]);
            history::record(tx, group, now, self::entry(who, "merge", Map::new(), what, reason)).await?;
        }
        "split" => unsplit(tx, group, entry, &into(&entry.to), who, now, reason).await?,
        "signature" | "parted" => {
            return Err(StoreError::Invalid(format!(
                "{} is not taken back here; merge or split the groups instead",
                entry.action
            )));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

async fn unsplit(
    tx: &mut Tx,
    group: &str,
    split: &GroupHistory,
    into: &str,
    who: &str,
    now: i64,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let read = |name: &str| split.from.get(name).cloned().unwrap_or_else(|| json!([]));
    let crashes: Vec<CrashBefore> = serde_json::from_value(read("crashes"))?;
    let signatures: Vec<SignatureBefore> = serde_json::from_value(read("signatures"))?;
    let mut touched = BTreeSet::from([group.to_owned(), follow(tx, into).await?]);
    for crash in &crashes {
        let Some(home) = &crash.home else { continue };
        let to = follow(tx, home).await?;
        // Only what is still where the split put it.
        exec!(
            tx,
            "UPDATE crashes SET pinned_group_id = $3, home_group_id = $4, group_id = $5 \
             WHERE id = $1 AND pinned_group_id = $2 AND group_id IS NOT NULL",
            &crash.crash,
            into,
            &crash.pinned,
            home,
            &to
        );
        touched.insert(to);
    }
    for signature in &signatures {
        let Some(home) = &signature.group else { continue };
        let to = follow(tx, home).await?;
        stands_for(tx, signature.version, &signature.fingerprint, home, signature.pinned).await?;
        exec!(
            tx,
            "UPDATE crashes SET home_group_id = $4, group_id = $5 WHERE signature_version = $1 \
             AND fingerprint = $2 AND home_group_id = $3 AND pinned_group_id IS NULL AND group_id IS NOT NULL",
            signature.version,
            &signature.fingerprint,
            into,
            home,
            &to
        );
        touched.insert(to);
    }
    for touched in touched {
        counters::rebuild(tx, &touched).await?;
    }
    let entry = entry(who, "joined", Map::new(), field("from", into), reason);
    history::record(tx, group, now, entry).await.map(drop)
}
