//! What a crash that is new to a group makes of the group's state.

use super::{
    counters::HOUR_MICROS,
    decision::{Decision, Standing, checked, unmute},
    events,
    history::BY_ITSELF,
    mute::{Mute, MuteUntil, Seen},
    regression::{Build, Resolution, judge},
};
use crate::{EventKind, GroupState, StoreError, tx::Tx};

#[derive(sqlx::FromRow)]
struct Row {
    seen_at: i64,
    build: Option<String>,
    module: Option<String>,
    module_version: Option<String>,
    vcs_revision: Option<String>,
}

/// Lets a group react to a crash that was counted in it.
pub(crate) async fn react(
    tx: &mut Tx,
    group: &str,
    crash: &str,
    new_group: bool,
    mute_rule: Option<&(String, MuteUntil)>,
    now: i64,
) -> Result<(), StoreError> {
    let row: Option<Row> = first!(
        tx,
        "SELECT seen_at, build, module, module_version, vcs_revision FROM crashes WHERE id = $1",
        crash
    );
    let Some(row) = row else { return Ok(()) };
    let mut decision = Decision::read(tx, group).await?;
    let standing = Standing::read(tx, group, now).await?;

    match decision.state {
        GroupState::Resolved => decision = regress(tx, group, crash, &row, decision, now).await?,
        GroupState::Muted => {
            let this_hour: Option<(i64,)> = first!(
                tx,
                "SELECT crashes FROM group_hours WHERE group_id = $1 AND hour = $2",
                group,
                row.seen_at / HOUR_MICROS
            );
            let arrived: Option<(i64,)> = first!(
                tx,
                "UPDATE crash_groups SET mute_crashes = mute_crashes + 1 WHERE id = $1 RETURNING mute_crashes",
                group
            );
            let by = decision.mute.as_ref().and_then(|mute| mute.rule.as_ref());
            let seen = Seen {
                arrived: arrived.map_or(0, |row| row.0 as u64),
                this_hour: this_hour.map_or(0, |row| row.0 as u64),
                version: row.module_version.as_deref(),
                not_of_the_rule: by.is_some() && by != mute_rule.map(|(rule, _)| rule),
                now,
            };
            if let Some(end) = decision.mute.as_ref().and_then(|mute| mute.ends(&seen)) {
                unmute(tx, group, &decision, Some(crash), now, &end).await?;
            }
            return Ok(());
        }
        GroupState::New | GroupState::Ongoing | GroupState::Regressed => {}
    }
    if let Some((rule, until)) = mute_rule
        && of_the_rule(tx, group, rule).await? == standing.crashes
    {
        mute_by_rule(tx, group, &decision, &standing, rule, until, now).await?;
        if Decision::read(tx, group).await?.state == GroupState::Muted {
            return Ok(());
        }
    }
    if new_group || (standing.crashes == 1 && !is_told_of(tx, group).await?) {
        events::emit(tx, EventKind::New, group, Some(crash), now, None).await?;
    }
    Ok(())
}

/// Whether a group was told of as a new one. One that a rule made is new with its first crash.
async fn is_told_of(tx: &mut Tx, group: &str) -> Result<bool, StoreError> {
    let told: Option<(i64,)> =
        first!(tx, "SELECT seq FROM events WHERE group_id = $1 AND kind = 'group.new' LIMIT 1", group);
    Ok(told.is_some())
}

/// Crashes of a group that a rule mutes.
pub(crate) async fn of_the_rule(tx: &mut Tx, group: &str, rule: &str) -> Result<u64, StoreError> {
    let count: Option<(i64,)> = first!(
        tx,
        "SELECT crashes FROM group_facets WHERE group_id = $1 AND facet = 'mute-rule' AND value = $2",
        group,
        rule
    );
    Ok(count.map_or(0, |row| row.0 as u64))
}

/// Mutes a group that has only crashes which a rule mutes.
pub(crate) async fn mute_by_rule(
    tx: &mut Tx,
    group: &str,
    before: &Decision,
    standing: &Standing,
    rule: &str,
    until: &MuteUntil,
    now: i64,
) -> Result<(), StoreError> {
    if matches!(before.state, GroupState::Muted | GroupState::Resolved) {
        return Ok(());
    }
    // What has ended by itself, or by a person, is not begun again.
    let ended: Option<(i64,)> = first!(
        tx,
        "SELECT seq FROM group_history WHERE group_id = $1 AND action IN ('unmuted', 'changed', 'undone') \
         AND changed_from LIKE $2 LIMIT 1",
        group,
        format!("%\"rule\":\"{rule}\"%")
    );
    if ended.is_some() {
        return Ok(());
    }
    // A rule whose time is up mutes nothing any more.
    if until.time.is_some_and(|time| time.as_microsecond() <= now) {
        return Ok(());
    }
    let mute = Mute {
        until: checked(until.clone(), standing, now)?,
        crashes_at_start: standing.crashes,
        state_before: before.state,
        rule: Some(rule.to_owned()),
    };
    let after = Decision { state: GroupState::Muted, mute: Some(mute), ..before.clone() };
    let reason = format!("rule {rule} mutes all its crashes");
    after.write(tx, group, before, now, (BY_ITSELF, "muted"), Some(&reason)).await.map(drop)
}

async fn regress(
    tx: &mut Tx,
    group: &str,
    crash: &str,
    row: &Row,
    before: Decision,
    now: i64,
) -> Result<Decision, StoreError> {
    let Some(resolved) = before.resolved.clone() else { return Ok(before) };
    let first_seen: Option<(Option<i64>,)> =
        first!(tx, "SELECT MIN(first_seen) FROM builds WHERE id = $1", &row.build);
    let named = &resolved.resolved_in;
    let fixed: Option<(Option<i64>,)> = first!(
        tx,
        // As `same_revision`: people write the beginning of one.
        "SELECT MIN(first_seen) FROM builds WHERE id = $1 OR vcs_revision = $2 \
         OR (LENGTH($2) >= 7 AND LOWER(SUBSTR(vcs_revision, 1, LENGTH($2))) = LOWER($2)) \
         OR (module_version = $3 AND module = $4)",
        &named.build,
        &named.revision,
        &named.version,
        &row.module
    );
    let resolution = Resolution {
        resolved: named.clone(),
        at: resolved.at,
        build_first_seen: fixed.and_then(|row| row.0),
    };
    let build = Build {
        id: row.build.clone(),
        version: row.module_version.clone(),
        revision: row.vcs_revision.clone(),
        first_seen: first_seen.and_then(|row| row.0),
        seen_at: row.seen_at,
    };
    let judged = judge(&resolution, &build);
    if !judged.regressed {
        return Ok(before);
    }
    let after = Decision { state: GroupState::Regressed, ..before.clone() };
    after.write(tx, group, &before, now, (BY_ITSELF, "regressed"), Some(&judged.reason)).await?;
    events::emit(tx, EventKind::Regressed, group, Some(crash), now, Some(&judged.reason)).await?;
    Ok(after)
}
