//! Fills an empty database with a history of many crashes, for measurements; `cargo xtask bench --history` does so and
//! measures.
//!
//! ```text
//! cargo run --release -p panicle-store --example history -- sqlite:/tmp/many.db 200000 10000
//! ```

#![expect(clippy::unwrap_used, reason = "whoever measures wants to see what fails")]

use std::time::Instant;

use panicle_store::{Store, history::Plan};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the URL of the database");
    let mut number = |usual| arguments.next().map_or(usual, |text| text.parse().unwrap());
    let (crashes, groups) = (number(200_000), number(10_000));
    let started = Instant::now();
    let store = Store::connect(&url).await.unwrap();
    store.fill_history(&Plan::until_now(crashes, groups)).await.unwrap();
    store.close().await;
    println!("{crashes} crashes in {groups} groups, in {:.0?}", started.elapsed());
}
