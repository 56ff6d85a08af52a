//! Counts of groups, kept with every change of a crash.
//!
//! What a crash adds to its group is read before and after the change; the difference is what changes.
//! Storing a crash takes the same time in a group of one and of a hundred thousand.

use crate::{StoreError, tx::Tx};

pub(crate) const HOUR_MICROS: i64 = 3_600_000_000;

/// The names of facets and the expressions over a row of `crashes` that they count.
macro_rules! each_facet {
    ($use:ident) => {
        $use!("service", "service");
        $use!("go-version", "go_version");
        $use!("version", "module_version");
        $use!("host", "hostname");
        $use!("build", "build");
        $use!("class", "class");
        $use!("signature", "(CAST(signature_version AS TEXT) || ':' || fingerprint)");
        $use!("mute-rule", "mute_rule_id");
    };
}

/// What one crash adds to the counts of its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    group: String,
    seen_at: i64,
    facets: Vec<(&'static str, String)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    group_id: Option<String>,
    seen_at: i64,
    service: Option<String>,
    go_version: Option<String>,
    module_version: Option<String>,
    hostname: Option<String>,
    build: Option<String>,
    class: Option<String>,
    signature_version: Option<i64>,
    fingerprint: Option<String>,
    mute_rule_id: Option<String>,
}

/// What a crash adds to its group; `None` while it is in none.
pub(crate) async fn share(tx: &mut Tx, crash: &str) -> Result<Option<Share>, StoreError> {
    let row: Option<Row> = first!(
        tx,
        "SELECT group_id, seen_at, service, go_version, module_version, hostname, build, class, \
         signature_version, fingerprint, mute_rule_id FROM crashes WHERE id = $1",
        crash
    );
    Ok(row.and_then(|row| {
        let signature = row.signature_version.zip(row.fingerprint);
        let facets = [
            ("service", row.service),
            ("go-version", row.go_version),
            ("version", row.module_version),
            ("host", row.hostname),
            ("build", row.build),
            ("class", row.class),
            ("signature", signature.map(|(version, fingerprint)| format!("{version}:{fingerprint}"))),
            ("mute-rule", row.mute_rule_id),
        ];
        let facets = facets.into_iter().filter_map(|(facet, value)| Some((facet, value?))).collect();
        Some(Share { group: row.group_id?, seen_at: row.seen_at, facets })
    }))
}

/// Counts what changed between two readings of [`share`]; the row has to be as `after` says.
pub(crate) async fn change(
    tx: &mut Tx,
    before: Option<&Share>,
    after: Option<&Share>,
) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    // First, so that a group does not pass through having no crash.
    if let Some(after) = after {
        add(tx, after).await?;
    }
    if let Some(before) = before {
        take(tx, before).await?;
    }
    Ok(())
}

async fn add(tx: &mut Tx, share: &Share) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crash_groups SET \
         first_seen = CASE WHEN crashes = 0 OR first_seen > $2 THEN $2 ELSE first_seen END, \
         last_seen = CASE WHEN crashes = 0 OR last_seen < $2 THEN $2 ELSE last_seen END, \
         crashes = crashes + 1 WHERE id = $1",
        &share.group,
        share.seen_at
    );
    exec!(
        tx,
        "INSERT INTO group_hours (group_id, hour, crashes) VALUES ($1, $2, 1) \
         ON CONFLICT (group_id, hour) DO UPDATE SET crashes = group_hours.crashes + 1",
        &share.group,
        share.seen_at / HOUR_MICROS
    );
    // All at once: others wait for their turn.
    macro_rules! insert_text {
        ($values:literal) => {
            concat!(
                "INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen) SELECT $1, ",
                $values,
                " AS v WHERE 1 = 1 ON CONFLICT (group_id, facet, value) DO UPDATE SET \
                 crashes = group_facets.crashes + 1, \
                 first_seen = CASE WHEN group_facets.first_seen > $3 THEN $3 ELSE group_facets.first_seen END, \
                 last_seen = CASE WHEN group_facets.last_seen < $3 THEN $3 ELSE group_facets.last_seen END"
            )
        };
    }
    let text = match tx {
        Tx::Sqlite(_) => {
            insert_text!("v.value ->> 0, v.value ->> 1, 1, $3, $3 FROM json_each($2)")
        }
        Tx::Postgres(_) => {
            insert_text!("v.value ->> 0, v.value ->> 1, 1, $3, $3 FROM json_array_elements(CAST($2 AS JSON))")
        }
    };
    exec!(tx, text, &share.group, serde_json::to_string(&share.facets)?, share.seen_at);
    Ok(())
}

async fn take(tx: &mut Tx, share: &Share) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crash_groups SET crashes = crashes - 1, \
         first_seen = COALESCE((SELECT MIN(seen_at) FROM crashes WHERE group_id = $1), first_seen), \
         last_seen = COALESCE((SELECT MAX(seen_at) FROM crashes WHERE group_id = $1), last_seen) WHERE id = $1",
        &share.group
    );
    exec!(
        tx,
        "UPDATE group_hours SET crashes = crashes - 1 WHERE group_id = $1 AND hour = $2",
        &share.group,
        share.seen_at / HOUR_MICROS
    );
    exec!(
        tx,
        "DELETE FROM group_hours WHERE group_id = $1 AND hour = $2 AND crashes <= 0",
        &share.group,
        share.seen_at / HOUR_MICROS
    );
    for (facet, value) in &share.facets {
        exec!(
            tx,
            "UPDATE group_facets SET crashes = crashes - 1 WHERE group_id = $1 AND facet = $2 AND value = $3",
            &share.group,
            facet,
            value
        );
        exec!(
            tx,
            "DELETE FROM group_facets WHERE group_id = $1 AND facet = $2 AND value = $3 AND crashes <= 0",
            &share.group,
            facet,
            value
        );
        bounds(tx, share, facet, value).await?;
    }
    Ok(())
}

/// Looks anew for the first and last crash with a value, if the one that left was one of them.
async fn bounds(tx: &mut Tx, share: &Share, facet: &str, value: &str) -> Result<(), StoreError> {
    macro_rules! one {
        ($name:literal, $column:literal) => {
            if facet == $name {
                exec!(
                    tx,
                    concat!(
                        "UPDATE group_facets SET first_seen = COALESCE((SELECT seen_at FROM crashes \
                         WHERE group_id = $1 AND ",
                        $column,
                        " = $3 ORDER BY seen_at LIMIT 1), first_seen), last_seen = COALESCE((SELECT seen_at \
                         FROM crashes WHERE group_id = $1 AND ",
                        $column,
                        " = $3 ORDER BY seen_at DESC LIMIT 1), last_seen) WHERE group_id = $1 AND facet = $2 \
                         AND value = $3 AND (first_seen = $4 OR last_seen = $4)"
                    ),
                    &share.group,
                    facet,
                    value,
                    share.seen_at
                );
            }
        };
    }
    each_facet!(one);
    Ok(())
}

/// Counts the values of a facet of the crashes that a condition means.
macro_rules! facet_text {
    ($name:literal, $column:literal, $which:literal) => {
        concat!(
            "INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen) SELECT group_id, '",
            $name,
            "', ",
            $column,
            ", COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes WHERE ",
            $which,
            " AND ",
            $column,
            " IS NOT NULL GROUP BY group_id, ",
            $column
        )
    };
}

/// Counts a group anew from its crashes, after many have come or gone at once.
pub(crate) async fn rebuild(tx: &mut Tx, group: &str) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crash_groups SET crashes = (SELECT COUNT(*) FROM crashes WHERE group_id = $1), \
         first_seen = COALESCE((SELECT MIN(seen_at) FROM crashes WHERE group_id = $1), first_seen), \
         last_seen = COALESCE((SELECT MAX(seen_at) FROM crashes WHERE group_id = $1), last_seen) WHERE id = $1",
        group
    );
    exec!(tx, "DELETE FROM group_hours WHERE group_id = $1", group);
    exec!(
        tx,
        "INSERT INTO group_hours (group_id, hour, crashes) SELECT group_id, seen_at / 3600000000, COUNT(*) \
         FROM crashes WHERE group_id = $1 GROUP BY group_id, seen_at / 3600000000",
        group
    );
    exec!(tx, "DELETE FROM group_facets WHERE group_id = $1", group);
    macro_rules! one {
        ($name:literal, $column:literal) => {
            exec!(tx, facet_text!($name, $column, "group_id = $1"), group);
        };
    }
    each_facet!(one);
    Ok(())
}

/// Counts all groups from their crashes, where nothing was counted yet.
#[cfg(feature = "history")]
pub(crate) async fn build_all(tx: &mut Tx) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crash_groups SET crashes = counted.crashes, first_seen = counted.first_seen, \
         last_seen = counted.last_seen FROM (SELECT group_id, COUNT(*) AS crashes, MIN(seen_at) AS first_seen, \
         MAX(seen_at) AS last_seen FROM crashes WHERE group_id IS NOT NULL GROUP BY group_id) AS counted \
         WHERE crash_groups.id = counted.group_id"
    );
    exec!(
        tx,
        "INSERT INTO group_hours (group_id, hour, crashes) SELECT group_id, seen_at / 3600000000, COUNT(*) \
         FROM crashes WHERE group_id IS NOT NULL GROUP BY group_id, seen_at / 3600000000"
    );
    macro_rules! one {
        ($name:literal, $column:literal) => {
            exec!(tx, facet_text!($name, $column, "group_id IS NOT NULL"));
        };
    }
    each_facet!(one);
    // Some databases count these while the rows are written, and others do not when many are.
    exec!(tx, "DELETE FROM group_facts");
    exec!(
        tx,
        "INSERT INTO group_facts (group_id, fact_id, crashes) SELECT c.group_id, cf.fact_id, COUNT(*) \
         FROM crash_facts cf JOIN crashes c ON c.id = cf.crash_id WHERE c.group_id IS NOT NULL \
         GROUP BY c.group_id, cf.fact_id"
    );
    Ok(())
}
