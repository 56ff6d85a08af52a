//! Which group a crash falls into.
//!
//! In this order: where a person put it, where a rule puts it, the group of its signature. Merges are
//! followed from there. What a person decided holds when the crash is analysed again.

use panicle_report::Signature;
use serde_json::Value;

use super::{
    decision::Decision,
    history::{self, BY_ITSELF, Entry},
    links::follow,
};
use crate::{Crash, StoreError, facts::storable, projects::bare, tx::Tx};

/// How a crash is grouped before its new analysis.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(crate) struct Before {
    pub(crate) group_id: Option<String>,
    pub(crate) pinned_group_id: Option<String>,
    pub(crate) signature_version: Option<i64>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) seen_at: i64,
    pub(crate) joined_into: Option<String>,
}

/// What rules say of a crash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    /// The rule that groups it, and the group that it names.
    pub(crate) merge: Option<(String, String)>,
    /// The rules that would mute it, the oldest first.
    pub(crate) mutes: Vec<(String, super::mute::MuteUntil)>,
}

impl Claims {
    /// The rule that mutes the crash in a group: the one that mutes the group already, if it claims the crash, or
    /// else the oldest. An older rule that claims the crash, too, ends nothing.
    pub(crate) async fn mute(
        &self,
        tx: &mut Tx,
        group: &str,
    ) -> Result<Option<&(String, super::mute::MuteUntil)>, StoreError> {
        let Some(oldest) = self.mutes.first() else { return Ok(None) };
        if self.mutes.len() == 1 {
            return Ok(Some(oldest));
        }
        let mute = Decision::read(tx, group).await?.mute;
        let muting = mute.and_then(|mute| mute.rule);
        let keeps = self.mutes.iter().find(|(rule, _)| Some(rule) == muting.as_ref());
        Ok(Some(keeps.unwrap_or(oldest)))
    }
}

/// Where a crash belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Before merges are followed.
    pub(crate) home: String,
    /// After.
    pub(crate) group: String,
    /// The rule that put it there.
    pub(crate) rule: Option<String>,
    /// The group was made for this crash.
    pub(crate) new_group: bool,
}

/// The row of a signature.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct SignatureRow {
    pub(crate) group_id: Option<String>,
    pub(crate) pinned: bool,
}

pub(crate) async fn signature_row(
    tx: &mut Tx,
    version: i64,
    fingerprint: &str,
) -> Result<Option<SignatureRow>, StoreError> {
    Ok(first!(
        tx,
        "SELECT group_id, pinned FROM signatures WHERE version = $1 AND fingerprint = $2",
        version,
        fingerprint
    ))
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

/// Decides where a crash of a project belongs, and makes the group if there is none.
pub(crate) async fn place(
    tx: &mut Tx,
    before: &Before,
    (project, signature): (&str, &Signature),
    class: &str,
    claims: &Claims,
    now: i64,
) -> Result<Place, StoreError> {
    let (version, fingerprint, family) = Crash::signature_columns(signature);
    exec!(
        tx,
        "INSERT INTO signatures (version, fingerprint, family, title, class, frames, explanation, pinned) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (version, fingerprint) DO NOTHING",
        version,
        fingerprint,
        family,
        storable(&signature.title),
        class,
        serde_json::to_string(&signature.frames)?,
        serde_json::to_string(&signature.explain)?,
        false
    );
    let row = signature_row(tx, version, fingerprint).await?;
    let pinned = row.as_ref().is_some_and(|row| row.pinned);
    let known = row.and_then(|row| row.group_id);

    let (home, rule, new_group) = match (&before.pinned_group_id, &claims.merge, known) {
        (Some(pinned), _, _) => (pinned.clone(), None, false),
        (None, Some((rule, group)), _) if !pinned => (group.clone(), Some(rule.clone()), false),
        (None, _, Some(group)) => (group, None, false),
        (None, _, None) => {
            let (group, new) = group_of_signature(tx, before, (project, signature), class, now).await?;
            (group, None, new)
        }
    };
    let group = follow(tx, &home).await?;
    Ok(Place { home, group, rule, new_group })
}

/// The group for a signature that has none yet. With a new version of the signature, the group of the
/// crash's old one goes on under it; when that is taken, another one with the same decisions begins.
async fn group_of_signature(
    tx: &mut Tx,
    before: &Before,
    (project, signature): (&str, &Signature),
    class: &str,
    now: i64,
) -> Result<(String, bool), StoreError> {
    let (version, fingerprint, _) = Crash::signature_columns(signature);
    let old = match (before.signature_version, &before.fingerprint) {
        (Some(old), Some(fingerprint)) if old != version => signature_row(tx, old, fingerprint).await?,
        _ => None,
    };
    let heir_of = old.as_ref().and_then(|old| old.group_id.clone());
    let pinned = old.is_some_and(|old| old.pinned);
    let Some(old) = heir_of else {
        let id = create(tx, (project, signature), class, "signature", before.seen_at, now).await?;
        stands_for(tx, version, fingerprint, &id, false).await?;
        return Ok((id, true));
    };
    let taken: Option<(String,)> = first!(
        tx,
        "SELECT fingerprint FROM signatures WHERE group_id = $1 AND version = $2 LIMIT 1",
        &old,
        version
    );
    let id = if taken.is_none() {
        rename(tx, &old, signature, before, now).await?;
        old
    } else {
        let id = create(tx, (project, signature), class, "signature", before.seen_at, now).await?;
        let reason = format!("parted from {old} by version {version} of the signature");
        inherit(tx, &old, &id, now, &reason).await?;
        id
    };
    stands_for(tx, version, fingerprint, &id, pinned).await?;
    Ok((id, false))
}

/// Lets a signature stand for a group.
pub(crate) async fn stands_for(
    tx: &mut Tx,
    version: i64,
    fingerprint: &str,
    group: &str,
    pinned: bool,
) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE signatures SET group_id = $3, pinned = $4 WHERE version = $1 AND fingerprint = $2",
        version,
        fingerprint,
        group,
        pinned
    );
    Ok(())
}

/// Makes a group of a project that looks like this signature.
pub(crate) async fn create(
    tx: &mut Tx,
    (project, signature): (&str, &Signature),
    class: &str,
    origin: &str,
    seen_at: i64,
    now: i64,
) -> Result<String, StoreError> {
    let id = uuid::Uuid::now_v7().to_string();
    let (version, fingerprint, family) = Crash::signature_columns(signature);
    exec!(
        tx,
        "INSERT INTO crash_groups (id, signature_version, fingerprint, family, title, class, state, frames, \
         explanation, crashes, first_seen, last_seen, revision, origin, state_since, project) \
         VALUES ($1, $2, $3, $4, $5, $6, 'new', $7, $8, 0, $9, $9, 1, $10, $11, $12)",
        &id,
        version,
        fingerprint,
        family,
        storable(&signature.title),
        class,
        serde_json::to_string(&signature.frames)?,
        serde_json::to_string(&signature.explain)?,
        seen_at,
        origin,
        now,
        project
    );
    Ok(id)
}

/// A group goes on under a new version of its signature.
async fn rename(
    tx: &mut Tx,
    group: &str,
    signature: &Signature,
    before: &Before,
    now: i64,
) -> Result<(), StoreError> {
    let (version, fingerprint, family) = Crash::signature_columns(signature);
    exec!(
        tx,
        "UPDATE crash_groups SET signature_version = $2, fingerprint = $3, family = $4, title = $5, \
         frames = $6, explanation = $7 WHERE id = $1 AND origin = 'signature'",
        group,
        version,
        fingerprint,
        family,
        storable(&signature.title),
        serde_json::to_string(&signature.frames)?,
        serde_json::to_string(&signature.explain)?
    );
    let written = |version: Option<i64>, fingerprint: Option<&str>| {
        [("signature_version", Value::from(version)), ("fingerprint", Value::from(fingerprint.map(bare)))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    };
    let reason = format!("its crashes have version {version} of the signature now");
    let entry = Entry {
        actor: BY_ITSELF,
        action: "signature",
        from: written(before.signature_version, before.fingerprint.as_deref()),
        to: written(Some(version), Some(fingerprint)),
        reason: Some(&reason),
    };
    history::record(tx, group, now, entry).await.map(drop)
}

/// Gives a group the decisions of another one.
async fn inherit(tx: &mut Tx, from: &str, to: &str, now: i64, reason: &str) -> Result<(), StoreError> {
    let decisions = Decision::read(tx, from).await?;
    let before = Decision::read(tx, to).await?;
    decisions.write(tx, to, &before, now, (BY_ITSELF, "inherited"), Some(reason)).await?;
    exec!(
        tx,
        "UPDATE crash_groups SET mute_crashes = (SELECT f.mute_crashes FROM crash_groups f WHERE f.id = $2) \
         WHERE id = $1 AND mute IS NOT NULL",
        to,
        from
    );
    Ok(())
}

/// What becomes of the group that a crash has left because its analysis came out differently. When it was
/// the last one, the decisions go along to where they all went, if nobody has decided anything there. The group of
/// a rule stays what it is: it has whatever the rule claims.
pub(crate) async fn left(
    tx: &mut Tx,
    old: &str,
    new: &str,
    by_version: Option<i64>,
    now: i64,
) -> Result<(), StoreError> {
    let of_rules: Option<(String,)> = first!(
        tx,
        "SELECT id FROM crash_groups WHERE (id = $1 OR id = $2) AND origin = 'rule' LIMIT 1",
        old,
        new
    );
    if of_rules.is_some() {
        return Ok(());
    }
    if by_version.is_some() {
        exec!(
            tx,
            "UPDATE crash_groups SET moved_to = CASE WHEN moved_to IS NULL OR moved_to = $2 THEN $2 ELSE '' END \
             WHERE id = $1",
            old,
            new
        );
    }
    let row: Option<(i64, Option<String>)> =
        first!(tx, "SELECT crashes, moved_to FROM crash_groups WHERE id = $1", old);
    let Some((0, moved_to)) = row else { return Ok(()) };
    if by_version.is_some() && moved_to.as_deref() != Some(new) {
        return Ok(());
    }
    let reason = match by_version {
        Some(version) => format!("all crashes of {old} came here with version {version} of the signature"),
        None => format!("all crashes of {old} came here when they were analysed again"),
    };
    let target = Decision::read(tx, new).await?;
    if target.is_blank() {
        inherit(tx, old, new, now, &reason).await?;
    }
    if by_version.is_some() {
        exec!(tx, "UPDATE crash_groups SET merged_into = $2 WHERE id = $1", old, new);
        let entry = Entry {
            actor: BY_ITSELF,
            action: "moved",
            from: serde_json::Map::new(),
            to: history::field("into", new),
            reason: Some(&reason),
        };
        history::record(tx, old, now, entry).await?;
    }
    Ok(())
}
