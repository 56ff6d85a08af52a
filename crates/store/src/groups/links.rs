//! Merges are links from group to group: where they lead.

use std::collections::HashMap;

use crate::{Store, StoreError, tx::Tx};

/// All links that there are, for looking at many crashes.
#[derive(Debug, Default)]
pub(crate) struct Links(HashMap<String, String>);

impl Links {
    /// The group that a group's crashes are in, after all merges.
    pub(crate) fn follow(&self, mut group: String) -> String {
        for _ in 0..=self.0.len() {
            match self.0.get(&group) {
                Some(into) => group.clone_from(into),
                None => break,
            }
        }
        group
    }
}

impl Store {
    /// The links as they are now.
    pub(crate) async fn links(&self) -> Result<Links, StoreError> {
        let merged: Vec<(String, String)> = query!(self, db => sqlx::query_as(
            "SELECT id, merged_into FROM crash_groups WHERE merged_into IS NOT NULL").fetch_all(db).await)?;
        Ok(Links(merged.into_iter().collect()))
    }
}

/// The group that a group's crashes are in, after all merges, however many there are.
pub(crate) async fn follow(tx: &mut Tx, group: &str) -> Result<String, StoreError> {
    let last: Option<(String,)> = first!(
        tx,
        "WITH RECURSIVE up (id, merged_into) AS (SELECT id, merged_into FROM crash_groups WHERE id = $1 \
         UNION SELECT g.id, g.merged_into FROM crash_groups g JOIN up ON g.id = up.merged_into) \
         SELECT id FROM up WHERE merged_into IS NULL",
        group
    );
    let (last,) =
        last.ok_or_else(|| StoreError::Stored(format!("the merges of group {group} do not come to an end")))?;
    Ok(last)
}

/// Moves to `group` all crashes that belong to it or to what was merged into it, and into that.
pub(crate) async fn gather(tx: &mut Tx, group: &str) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crashes SET group_id = $1 WHERE group_id IS NOT NULL AND home_group_id IN \
         (WITH RECURSIVE below (id) AS (SELECT id FROM crash_groups WHERE id = $1 \
         UNION SELECT g.id FROM crash_groups g JOIN below ON g.merged_into = below.id) SELECT id FROM below)",
        group
    );
    Ok(())
}
