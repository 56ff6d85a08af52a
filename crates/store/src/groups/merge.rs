//! Putting groups together and parting them again, by a person's decision.
//!
//! A merge is a link from one group to another, so that parting them is exact: each crash knows where it
//! belongs before links are followed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    counters,
    decision::{actor, expect},
    history::{self, Entry, field},
    links::{follow, gather},
};
use crate::{GroupDetails, Store, StoreError, projects, tx::Tx};

/// Groups or crashes that one request may name.
pub(super) const MAX_NAMED: usize = 1000;

/// Who changes something, when and why.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) who: &'a str,
    pub(super) now: i64,
    pub(super) reason: Option<&'a str>,
}

impl<'a> By<'a> {
    pub(super) fn entry(
        self,
        action: &'a str,
        from: Map<String, Value>,
        to: Map<String, Value>,
    ) -> Entry<'a> {
        Entry { actor: self.who, action, from, to, reason: self.reason }
    }
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
        let by = By { who: actor(by), now: Timestamp::now().as_microsecond(), reason };
        let groups: BTreeSet<&String> = groups.iter().collect();
        if groups.is_empty() || groups.len() > MAX_NAMED || groups.iter().any(|group| *group == into) {
            return Err(StoreError::Invalid(format!(
                "name from 1 to {MAX_NAMED} groups to merge into this one, and not itself"
            )));
        }
        in_turn!(self, tx => {
            expect(tx, into, None).await?;
            for group in &groups {
                merge(tx, group, into, by).await?;
            }
            told(tx, into, &groups, by).await?;
        });
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
        let by = By { who: actor(by), now: Timestamp::now().as_microsecond(), reason };
        in_turn!(self, tx => {
            // Said in the history, so that taking it back lets rules have those again that they had before.
            let pinned: Vec<(i64, String)> = all!(
                tx,
                "UPDATE signatures SET pinned = $2 WHERE group_id = $1 AND pinned = $3 \
                 RETURNING version, fingerprint",
                group,
                true,
                false
            );
            unmerge(tx, group, &pinned, by).await?;
        });
        self.group(group).await
    }
}

/// Links one group to another and moves its crashes there. The counts of `into` and its history are left to
/// [`told`]. Answers the number of the entry in the history of `group`.
pub(super) async fn merge(tx: &mut Tx, group: &str, into: &str, by: By<'_>) -> Result<i64, StoreError> {
    expect(tx, group, None).await?;
    projects::same(tx, group, into).await?;
    exec!(tx, "UPDATE crash_groups SET merged_into = $2 WHERE id = $1", group, into);
    exec!(tx, "UPDATE crashes SET group_id = $2 WHERE group_id = $1", group, into);
    counters::rebuild(tx, group).await?;
    history::record(tx, group, by.now, by.entry("merged", Map::new(), field("into", into))).await
}

/// Says in a group's history what was merged into it, and counts that.
pub(super) async fn told(
    tx: &mut Tx,
    into: &str,
    groups: impl IntoIterator<Item = impl AsRef<str>>,
    by: By<'_>,
) -> Result<i64, StoreError> {
    counters::rebuild(tx, into).await?;
    let names: Vec<String> = groups.into_iter().map(|name| name.as_ref().to_owned()).collect();
    history::record(tx, into, by.now, by.entry("merge", Map::new(), field("groups", json!(names)))).await
}

/// Takes a link away, and takes back every crash that came by it. `pinned` are the signatures that a person
/// says with this belong to the group. Answers the numbers of the entries in the histories of the group and of
/// the one that it was merged into.
pub(super) async fn unmerge(
    tx: &mut Tx,
    group: &str,
    pinned: &[(i64, String)],
    by: By<'_>,
) -> Result<(i64, i64), StoreError> {
    let row: Option<(Option<String>,)> =
        first!(tx, "SELECT merged_into FROM crash_groups WHERE id = $1", group);
    let row = row.ok_or_else(|| StoreError::NotFound { what: "group", id: group.to_owned() })?;
    let Some(into) = row.0 else {
        return Err(StoreError::Invalid(format!("group {group} is not merged into another one")));
    };
    let held = follow(tx, group).await?;
    exec!(tx, "UPDATE crash_groups SET merged_into = NULL, moved_to = NULL WHERE id = $1", group);
    gather(tx, group).await?;
    counters::rebuild(tx, group).await?;
    counters::rebuild(tx, &held).await?;
    let to = if pinned.is_empty() { Map::new() } else { field("pinned", json!(pinned)) };
    let own = by.entry("unmerged", field("into", into.as_str()), to);
    let own = history::record(tx, group, by.now, own).await?;
    let other = by.entry("unmerge", field("groups", json!([group])), Map::new());
    Ok((own, history::record(tx, &into, by.now, other).await?))
}
