//! Several processes on one PostgreSQL database, each with connections of its own.

use std::time::Duration;

use jiff::Timestamp;
use panicle_store::{Claim, CrashStatus, Store, StoreError};
use tokio::time::{sleep, timeout};

use crate::support::{claim, crash, next, outcome};

async fn two() -> (Store, Store) {
    let url = panicle_backends::database();
    // At once: the one that comes later waits for the other's migrations.
    let (one, two) = tokio::join!(Store::connect(&url), Store::connect(&url));
    (one.unwrap(), two.unwrap())
}

#[tokio::test]
async fn work_that_another_process_made_is_heard_of() {
    let (api, worker) = two().await;
    // Until it listens; connecting tells once that it does.
    timeout(Duration::from_secs(20), worker.work()).await.unwrap();
    let waiting = tokio::spawn(async move { timeout(Duration::from_secs(20), worker.work()).await });
    sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished(), "there is nothing to do yet");
    crash(&api, "c1", "shop").await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn every_job_has_one_holder_whoever_claims() {
    let (one, two) = two().await;
    for number in 0..40 {
        crash(&one, &format!("c{number}"), "shop").await;
    }
    let work = |store: Store, name: &str| {
        let claim = Claim { worker: name.to_owned(), ..claim() };
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Some(job) = store.claim(&claim, Timestamp::now()).await.unwrap() {
                assert_eq!(job.attempt, 1);
                let done = store.commit_crash(&job.lease, &job.subject, &outcome("aa")).await.unwrap();
                assert_eq!(done.status, CrashStatus::Done);
                held.push(job.subject);
            }
            held
        })
    };
    let workers =
        [work(one.clone(), "a"), work(one.clone(), "b"), work(two.clone(), "c"), work(two.clone(), "d")];
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 40);
    let groups = one.groups(&panicle_store::GroupFilter::default(), &crate::crashes::page(10)).await.unwrap();
    assert_eq!(groups[0].count, 40);
}

#[tokio::test]
async fn a_holder_whose_lease_went_to_another_process_has_no_say() {
    let (one, two) = two().await;
    let id = crash(&one, "c1", "shop").await;
    let late = next(&one).await;
    let later = Timestamp::now() + Duration::from_mins(2);
    let holder = two.claim(&claim(), later).await.unwrap().unwrap();
    assert_eq!((holder.attempt, two.oldest_due(later).await.unwrap()), (2, None));
    // Both at the same moment: only who holds it is heard.
    let outcome = outcome("aa");
    let (lost, done) = tokio::join!(
        one.commit_crash(&late.lease, &id, &outcome),
        two.commit_crash(&holder.lease, &id, &outcome)
    );
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    assert_eq!(done.unwrap().status, CrashStatus::Done);
    assert_eq!(one.crash(&id).await.unwrap().attempts, 2);
}

#[tokio::test]
async fn a_password_is_not_in_what_is_said_of_a_url() {
    let error = Store::connect("postgrse://me:secret@host/db").await.unwrap_err().to_string();
    assert!(!error.contains("secret") && error.contains("postgrse"), "{error}");
}

#[tokio::test]
async fn a_process_of_the_version_before_goes_on_and_starts_again() {
    let url = panicle_backends::database();
    let old = Store::connect(&url).await.unwrap();
    let before = crash(&old, "c1", "shop").await;
    // What the next version's start does.
    panicle_backends::ask(
        &url,
        "ALTER TABLE crashes ADD COLUMN of_next_version TEXT NOT NULL DEFAULT 'x'; \
         ALTER TABLE jobs ADD COLUMN of_next_version TEXT NOT NULL DEFAULT 'x'; \
         INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999999, 'next', true, decode('00', 'hex'), 0)",
    );
    let restarted = Store::connect(&url).await.unwrap();
    let after = crash(&restarted, "c2", "shop").await;
    for (store, id) in [(&old, before), (&restarted, after)] {
        let job = next(store).await;
        assert_eq!(job.subject, id);
        assert_eq!(
            store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap().status,
            CrashStatus::Done
        );
    }
}

#[tokio::test]
async fn what_is_called_off_while_it_is_claimed_is_not_left_under_way() {
    let (api, worker) = two().await;
    for round in 0..60 {
        let id = crash(&api, &format!("c{round}"), "shop").await;
        let claiming = tokio::spawn({
            let worker = worker.clone();
            async move { worker.claim(&claim(), Timestamp::now()).await.unwrap() }
        });
        // At another moment of the claim each time.
        sleep(Duration::from_micros(200 * round)).await;
        api.cancel_analysis(&id).await.unwrap();
        claiming.await.unwrap();
        let left = api.crash(&id).await.unwrap();
        assert_eq!(left.status, CrashStatus::Failed, "in round {round}");
    }
}

#[tokio::test]
async fn errors_of_postgresql_are_told_without_its_source() {
    let url = panicle_backends::database();
    let (server, _) = url.rsplit_once('/').unwrap();
    let error = Store::connect(&format!("{server}/no_such_database")).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("does not exist") && text.contains("s.PGSQL"), "{text}");
    assert!(!text.contains("at line") && !error.is_outage(), "{text}");
}
