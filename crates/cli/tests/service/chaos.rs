//! What was acknowledged is there, whatever dies and whenever.
//!
//! The short form runs with all other tests; `cargo xtask test --chaos` runs the long one. The moments and the
//! victims are drawn from a seed that is printed; `PANICLE_CHAOS_SEED` has one drawn again.

mod cluster;
mod load;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use self::{
    cluster::{Cluster, Dice},
    load::Load,
};

/// How much there is of everything.
struct Form {
    uploads: u32,
    /// How often a process is killed from the first upload on, and as often once the last is acknowledged.
    kills: u32,
    /// How long a database or a store is away.
    away: Duration,
}

/// Set by `cargo xtask test --chaos`.
fn form() -> Form {
    if std::env::var_os("PANICLE_CHAOS").is_some() {
        Form { uploads: 200, kills: 40, away: Duration::from_secs(30) }
    } else {
        Form { uploads: 40, kills: 8, away: Duration::from_secs(4) }
    }
}

/// Kills processes at random moments while clients send, and then while workers analyse.
fn killing(cluster: &Cluster) {
    let form = form();
    let mut dice = Dice::seeded();
    let load = Load::of(form.uploads);
    let sending = AtomicBool::new(true);
    let acknowledged = thread::scope(|scope| {
        let kills = scope.spawn(|| {
            let mut kill = |count| {
                for _ in 0..count {
                    thread::sleep(dice.between(50..700));
                    cluster.kill_one(&mut dice);
                }
            };
            kill(form.kills);
            // Whatever is as long as the pauses comes to its end now, and then there is work under way.
            while sending.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(10));
            }
            kill(form.kills);
        });
        let acknowledged = load.send(cluster);
        sending.store(false, Ordering::Relaxed);
        kills.join().unwrap();
        acknowledged
    });
    // Who is set aside had bad luck three times; a person may ask again.
    let unlucky = acknowledged.end(cluster, &["done", "quarantined"]);
    eprintln!(
        "{} kills; {unlucky} of {} analyses were set aside and asked for again",
        2 * form.kills,
        form.uploads
    );
    acknowledged.end(cluster, &["done"]);
    acknowledged.check(cluster);
}

#[test]
fn nothing_is_lost_when_processes_are_killed_on_files() {
    killing(&Cluster::on_files());
}

#[test]
fn nothing_is_lost_when_processes_are_killed_on_stores() {
    killing(&Cluster::on_stores());
}

#[test]
fn nothing_is_lost_while_the_database_or_the_store_is_away() {
    let form = form();
    let cluster = Cluster::on_stores();
    let load = Load::of(form.uploads);
    let acknowledged = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(500));
            cluster.without_database(form.away);
            thread::sleep(Duration::from_secs(1));
            cluster.without_store(form.away);
        });
        load.send(&cluster)
    });
    // By itself: nobody has to ask again.
    acknowledged.end(&cluster, &["done"]);
    acknowledged.check(&cluster);
}
