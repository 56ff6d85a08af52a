//! When a crash happened, and of which version: what somebody says, else what its evidence tells.

use jiff::{SignedDuration, Timestamp};
use panicle_report::{Diagnostic, Stage};

use crate::{NewCrash, StoreError, time, tx::Tx};

/// How far a clock may be ahead of this service's. A time that is further ahead is none.
pub const MAX_CLOCK_AHEAD: SignedDuration = SignedDuration::from_hours(24);

#[derive(sqlx::FromRow)]
struct Known {
    received_at: i64,
    occurred_at: Option<i64>,
    occurred_found: bool,
}

/// Takes the time that the evidence tells, unless somebody said one. It is read anew with each analysis. The counts of
/// the group are the caller's, as with every change of a crash.
pub(crate) async fn found(
    tx: &mut Tx,
    crash: &str,
    told: Option<Timestamp>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), StoreError> {
    let known: Option<Known> =
        first!(tx, "SELECT received_at, occurred_at, occurred_found FROM crashes WHERE id = $1", crash);
    let Some(known) = known else { return Ok(()) };
    if known.occurred_at.is_some() && !known.occurred_found {
        return Ok(());
    }
    let received = time::read(known.received_at)?;
    let latest = received.checked_add(MAX_CLOCK_AHEAD).unwrap_or(Timestamp::MAX);
    let at = told.filter(|at| *at <= latest);
    if let Some(ahead) = told.filter(|_| at.is_none()) {
        diagnostics.push(Diagnostic::warning(
            Stage::Service,
            format!("The log says that this happened at {ahead}, more than a day after it was received: that is not believed."),
        ));
    }
    let at = at.map(Timestamp::as_microsecond);
    exec!(
        tx,
        "UPDATE crashes SET occurred_at = $2, occurred_found = $3, seen_at = $4 WHERE id = $1",
        crash,
        at,
        at.is_some(),
        at.unwrap_or(known.received_at)
    );
    Ok(())
}

/// Adds the time and the version that somebody says of a crash that is known. What was said first stays; what
/// was only found does not.
pub(crate) async fn said(tx: &mut Tx, crash: &str, new: &NewCrash) -> Result<(), StoreError> {
    if let Some(at) = new.occurred_at.map(Timestamp::as_microsecond) {
        exec!(
            tx,
            "UPDATE crashes SET occurred_at = $2, seen_at = $2, occurred_found = $3 WHERE id = $1 \
             AND (occurred_at IS NULL OR occurred_found)",
            crash,
            at,
            false
        );
    }
    if let Some(version) = &new.version {
        version_of(tx, crash, version).await?;
    }
    Ok(())
}

/// Says of which version a crash is, where nobody and nothing did.
pub(crate) async fn version_of(tx: &mut Tx, crash: &str, version: &str) -> Result<(), StoreError> {
    exec!(
        tx,
        "UPDATE crashes SET reported_version = COALESCE(reported_version, $2), \
         module_version = COALESCE(module_version, reported_version, $2) WHERE id = $1",
        crash,
        version
    );
    Ok(())
}
