use std::{
    io::{Read, Write},
    net::TcpListener,
    str::FromStr,
    sync::atomic::Ordering,
    time::Duration,
};

use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, sleep};

use super::{Reach, place};
use crate::StoreError;

/// The way to something that listens there, as if it had been found.
fn way_to(address: &str) -> Reach {
    let options = PgConnectOptions::from_str(&format!("postgres://me:secret@{address}/db")).unwrap();
    let place = place(&options);
    Reach { options, place, since: Instant::now(), heard: 0.into(), away: false.into(), looked: None.into() }
}

async fn nothing_comes(reach: &Reach) -> StoreError {
    reach.during(std::future::pending::<Result<(), StoreError>>()).await.unwrap_err()
}

#[tokio::test]
async fn who_waits_for_a_database_that_is_away_is_told_why_and_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let reach = way_to(&address);
    let started = Instant::now();
    let error = nothing_comes(&reach).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let text = error.to_string();
    assert!(text.contains(&address) && text.to_lowercase().contains("connection refused"), "{text}");
    assert!(error.is_outage() && !text.contains("secret") && !format!("{reach:?}").contains("secret"));
    // From now on it is known.
    let started = Instant::now();
    nothing_comes(&reach).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn silence_counts_when_nobody_hears_from_it() {
    // Whoever connects waits for an answer that does not come.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let reach = way_to(&address);
    let started = Instant::now();
    let text = nothing_comes(&reach).await.to_string();
    assert!(text.contains(&address) && text.contains("no answer within 2 s"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());

    // The same where others get their answers: it is busy, and what waits for it goes on waiting.
    let reach = way_to(&address);
    let work = async {
        sleep(Duration::from_secs(7)).await;
        Ok::<_, StoreError>("done")
    };
    let others = async {
        loop {
            sleep(Duration::from_millis(200)).await;
            reach.during(async { Ok::<_, StoreError>(()) }).await.unwrap();
        }
    };
    let done = tokio::select! {
        done = reach.during(work) => done.unwrap(),
        () = others => unreachable!(),
    };
    assert_eq!(done, "done");
}

#[tokio::test]
async fn connections_that_do_are_used_where_no_new_one_is_let_in() {
    // Refuses the password of whoever connects, as PostgreSQL does (ErrorResponse), without TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, mut bytes) = (connection.unwrap(), [0; 1024]);
            // An SSLRequest has eight bytes.
            if connection.read(&mut bytes).is_ok_and(|length| length == 8) {
                let _ = connection.write_all(b"N");
                let _ = connection.read(&mut bytes);
            }
            let fields = b"SFATAL\0VFATAL\0C28P01\0Mthe password is wrong\0\0";
            let mut answer = vec![b'E'];
            answer.extend((fields.len() as u32 + 4).to_be_bytes());
            answer.extend(fields);
            let _ = connection.write_all(&answer);
        }
    });
    let reach = way_to(&address);
    let text = nothing_comes(&reach).await.to_string();
    assert!(text.contains("the password is wrong"), "{text}");
    assert!(reach.away.load(Ordering::Relaxed));
    // Somebody's connection answers: others wait for theirs again.
    let others = async {
        loop {
            reach.during(async { Ok::<_, StoreError>(()) }).await.unwrap();
            sleep(Duration::from_millis(200)).await;
        }
    };
    let work = async {
        sleep(Duration::from_millis(50)).await;
        let slow = async {
            sleep(Duration::from_secs(5)).await;
            Ok::<_, StoreError>(())
        };
        reach.during(slow).await
    };
    tokio::select! {
        done = work => done.unwrap(),
        () = others => unreachable!(),
    }
}

#[test]
fn places_are_named_without_who_asks() {
    let place = |url: &str| place(&PgConnectOptions::from_str(url).unwrap());
    assert_eq!(place("postgres://me:secret@db.example/panicle?sslmode=disable"), "db.example:5432");
    assert_eq!(place("postgres://me:secret@[::1]:7/panicle"), "[::1]:7");
    assert_eq!(place("postgres://me@%2Frun%2Fpg/panicle"), "/run/pg/.s.PGSQL.5432");
}
