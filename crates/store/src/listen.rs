//! Hears of work that other processes made.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::Notify;

/// Named in `migrations/postgres/0012_announced_jobs.sql`.
const CHANNEL: &str = "panicle_jobs";
/// Pause before listening again. Whoever waits polls meanwhile.
const PAUSE: Duration = Duration::from_secs(5);

/// Wakes one that waits for `work` whenever a transaction on PostgreSQL left a job for somebody, for as long
/// as `work` and the pool are used.
pub(crate) fn listen(pool: PgPool, work: &Arc<Notify>) {
    let work = Arc::downgrade(work);
    tokio::spawn(async move {
        while !pool.is_closed() && work.strong_count() > 0 {
            // An error is the end of its connection. The next query of somebody else says so, too.
            let _ = hear(&pool, &work).await;
            tokio::time::sleep(PAUSE).await;
        }
    });
}

async fn hear(pool: &PgPool, work: &Weak<Notify>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    while let Some(waiting) = work.upgrade() {
        waiting.notify_one();
        drop(waiting);
        listener.recv().await?;
    }
    Ok(())
}
