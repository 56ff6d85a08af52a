//! How many analyses a second can be stored by several at once: crashes of a made history, each reported, claimed and
//! committed.
//!
//! ```text
//! cargo run --release -p panicle-store --example commit_speed -- postgres://… 4 400
//! ```

#![expect(clippy::unwrap_used, reason = "whoever measures wants to see what fails")]

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use panicle_store::{Claim, Store, history::Plan};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the URL of an empty database");
    let mut number = |usual| arguments.next().map_or(usual, |text| text.parse().unwrap());
    let (at_once, crashes): (u32, u32) = (number(4), number(400));
    let store = Store::connect(&url).await.unwrap();
    let plan = Plan::until_now(crashes, crashes / 20 + 1);
    let mut outcomes = HashMap::new();
    let started = Instant::now();
    for n in 0..crashes {
        let crash = plan.crash(n);
        for blob in &crash.blobs {
            store.record_blob(blob, panicle_store::DEFAULT_PROJECT).await.unwrap();
        }
        outcomes.insert(store.create_crash(&crash.new).await.unwrap().id, crash.outcome);
    }
    let reported = started.elapsed();
    let (outcomes, started) = (Arc::new(outcomes), Instant::now());
    let mut committing = JoinSet::new();
    for worker in 0..at_once {
        let (store, outcomes) = (store.clone(), outcomes.clone());
        committing.spawn(async move {
            let claim = Claim { worker: worker.to_string(), lease: Duration::from_mins(1), max_attempts: 3 };
            while let Some(job) = store.claim(&claim, Timestamp::now()).await.unwrap() {
                store.commit_crash(&job.lease, &job.subject, &outcomes[&job.subject]).await.unwrap();
            }
        });
    }
    while let Some(done) = committing.join_next().await {
        done.unwrap();
    }
    let committed = started.elapsed();
    let each = |time: Duration| f64::from(crashes) / time.as_secs_f64();
    println!("{:8.1} crashes a second reported, one after the other", each(reported));
    println!("{:8.1} analyses a second committed, {at_once} at once", each(committed));
}
