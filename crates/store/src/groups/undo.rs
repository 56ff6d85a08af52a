//! Taking back what a group's history tells, if what it changed is still as it left it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    decision::{Decision, actor, expect},
    history::{self, GroupHistory},
    merge::{By, merge, told, unmerge},
    split::unsplit,
};
use crate::{GroupDetails, Store, StoreError, tx::Tx};

impl Store {
    /// Takes a change back, if what it changed is still as it left it ([`StoreError::ChangedSince`]).
    pub async fn undo(&self, group: &str, seq: u64, by: Option<&str>) -> Result<GroupDetails, StoreError> {
        let now = Timestamp::now().as_microsecond();
        let reason = format!("takes entry {seq} back");
        let by = By { who: actor(by), now, reason: Some(&reason) };
        in_turn!(self, tx => {
            let entry = history::entry(tx, group, seq).await?;
            if let Some(by) = entry.undone_by {
                return Err(StoreError::ChangedSince(format!("it was taken back already, by entry {by}")));
            }
            let undone = undo(tx, group, &entry, by).await?;
            history::mark_undone(tx, group, seq, undone).await?;
        });
        self.group(group).await
    }
}

fn names(fields: &Map<String, Value>) -> Vec<String> {
    fields.get("groups").cloned().and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

fn into(fields: &Map<String, Value>) -> String {
    fields.get("into").and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
}

/// Takes an entry back. Answers the number of the one that says so, in the same history.
async fn undo(tx: &mut Tx, group: &str, entry: &GroupHistory, by: By<'_>) -> Result<i64, StoreError> {
    match entry.action.as_str() {
        "merged" | "moved" => {
            still_linked(tx, group, &into(&entry.to), entry).await?;
            Ok(unmerge(tx, group, &[], by).await?.0)
        }
        "merge" => {
            let mut last = 0;
            for name in names(&entry.to) {
                let link = still_linked(tx, &name, group, entry).await?;
                let (own, other) = unmerge(tx, &name, &[], by).await?;
                history::mark_undone(tx, &name, link, own).await?;
                last = other;
            }
            Ok(last)
        }
        "unmerged" => {
            let into = into(&entry.from);
            let parting = still_parted(tx, group, &into, entry).await?;
            expect(tx, &into, None).await?;
            let seq = link_again(tx, group, &into, &parting, by).await?;
            told(tx, &into, [group], by).await?;
            Ok(seq)
        }
        "unmerge" => {
            expect(tx, group, None).await?;
            let names = names(&entry.from);
            for name in &names {
                let parting = still_parted(tx, name, group, entry).await?;
                let seq = link_again(tx, name, group, &parting, by).await?;
                history::mark_undone(tx, name, parting.seq, seq).await?;
            }
            told(tx, group, &names, by).await
        }
        "split" => unsplit(tx, group, entry, &into(&entry.to), by).await,
        "signature" | "parted" => Err(StoreError::Invalid(format!(
            "{} is not taken back here; merge or split the groups instead",
            entry.action
        ))),
        _ => undecide(tx, group, entry, by).await,
    }
}

/// Gives fields the values that they had.
async fn undecide(tx: &mut Tx, group: &str, entry: &GroupHistory, by: By<'_>) -> Result<i64, StoreError> {
    expect(tx, group, None).await?;
    let before = Decision::read(tx, group).await?;
    let mut fields = before.fields()?;
    for (field, value) in &entry.to {
        if fields.get(field) != Some(value) {
            return Err(StoreError::ChangedSince(format!(
                "{field} was changed again since, so that this cannot be taken back"
            )));
        }
        let old = entry.from.get(field).cloned().unwrap_or(Value::Null);
        fields.insert(field.clone(), old);
    }
    let after: Decision = serde_json::from_value(Value::Object(fields))?;
    let written = after.write(tx, group, &before, by.now, (by.who, "undone"), by.reason).await?;
    Ok(written.unwrap_or_default())
}

/// The newest entry of a group's history that says where it is linked to. What was taken back, and what took
/// it back, is as if it had never been.
async fn newest_link(tx: &mut Tx, group: &str) -> Result<Option<GroupHistory>, StoreError> {
    let seq: Option<(i64,)> = first!(
        tx,
        "SELECT seq FROM group_history h WHERE group_id = $1 AND action IN ('merged', 'moved', 'unmerged') \
         AND undone_by IS NULL AND NOT EXISTS (SELECT 1 FROM group_history u WHERE u.group_id = h.group_id \
         AND u.undone_by = h.seq) ORDER BY seq DESC LIMIT 1",
        group
    );
    match seq {
        Some((seq,)) => history::entry(tx, group, seq as u64).await.map(Some),
        None => Ok(None),
    }
}

async fn linked_to(tx: &mut Tx, group: &str) -> Result<Option<String>, StoreError> {
    let row: Option<(Option<String>,)> =
        first!(tx, "SELECT merged_into FROM crash_groups WHERE id = $1", group);
    Ok(row.and_then(|row| row.0))
}

/// That a group's link is the one which `entry` is about, told in the group's own history or, in the same
/// moment, in that of the other group. Answers the entry's number in the group's history.
async fn still_linked(tx: &mut Tx, group: &str, into: &str, entry: &GroupHistory) -> Result<u64, StoreError> {
    let newest = newest_link(tx, group).await?;
    match newest {
        Some(link)
            if link.at == entry.at
                && link.action != "unmerged"
                && self::into(&link.to) == into
                && linked_to(tx, group).await?.as_deref() == Some(into) =>
        {
            Ok(link.seq)
        }
        _ => Err(StoreError::ChangedSince(format!("group {group} was parted or merged again since"))),
    }
}

/// That a group was not merged again since `entry` parted it. Answers the entry in the group's own history.
async fn still_parted(
    tx: &mut Tx,
    group: &str,
    from: &str,
    entry: &GroupHistory,
) -> Result<GroupHistory, StoreError> {
    let newest = newest_link(tx, group).await?;
    match newest {
        Some(parting)
            if parting.at == entry.at
                && parting.action == "unmerged"
                && into(&parting.from) == from
                && linked_to(tx, group).await?.is_none() =>
        {
            Ok(parting)
        }
        _ => Err(StoreError::ChangedSince(format!("group {group} was merged or parted again since"))),
    }
}

/// Links a group again, and lets rules have those signatures again that the parting had pinned.
async fn link_again(
    tx: &mut Tx,
    group: &str,
    into: &str,
    parting: &GroupHistory,
    by: By<'_>,
) -> Result<i64, StoreError> {
    let pinned: Vec<(i64, String)> = match parting.to.get("pinned") {
        Some(pinned) => serde_json::from_value(pinned.clone())?,
        None => Vec::new(),
    };
    for (version, fingerprint) in pinned {
        exec!(
            tx,
            "UPDATE signatures SET pinned = $4 WHERE version = $1 AND fingerprint = $2 AND group_id = $3",
            version,
            &fingerprint,
            group,
            false
        );
    }
    merge(tx, group, into, by).await
}
