//! `panicle admin regroup`.

use std::{thread, time::Duration};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use panicle_collect::Client;
use serde_json::{Value, json};

use super::{Service, failure};
use crate::{
    exit::{Done, Failure},
    render::escape,
};

/// Between two looks at how far it has come.
const PAUSE: Duration = Duration::from_millis(300);

/// Arguments of `panicle admin regroup`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only say which crashes would go from which group to which.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    service: Service,
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let client = arguments.service.client()?;
    if arguments.dry_run {
        let plan = client.send("POST", "regroup?dry_run=true", &json!({}), None).map_err(failure)?.value;
        arguments.service.print(&plan, print_plan)?;
        return Ok(Done::Done);
    }
    let started = client.send("POST", "regroup", &json!({}), None).map_err(failure)?.value;
    let finished = follow(&client, &started)?;
    arguments.service.print(&finished, |finished| {
        if finished["error"].is_null() {
            println!(
                "looked at {} crashes; {} are in another group since",
                finished["done"], finished["moved"]
            );
        }
    })?;
    ended(&finished)
}

/// An end before the end is a failure.
fn ended(finished: &Value) -> Result<Done, Failure> {
    match finished["error"].as_str() {
        None => Ok(Done::Done),
        Some(error) => Err(Failure::Input(format!(
            "grouping history anew ended after {} of {} crashes: {}",
            finished["done"],
            finished["total"],
            escape(error)
        ))),
    }
}

/// When a grouping was asked for. As a text, 0.5 s comes after 0.51 s.
fn started_at(regrouping: &Value) -> Option<Timestamp> {
    regrouping["started_at"].as_str()?.parse().ok()
}

/// Waits until it is done, and shows on stderr how far it has come.
fn follow(client: &Client, started: &Value) -> Result<Value, Failure> {
    // Draws on a terminal only.
    let bar = ProgressBar::new(started["total"].as_u64().unwrap_or_default());
    if let Ok(style) = ProgressStyle::with_template("grouping {bar:30} {pos}/{len} {msg} {eta}") {
        bar.set_style(style);
    }
    let since = started_at(started);
    loop {
        let now = client.get("regroup", &[]).map_err(failure)?;
        // Somebody else may have asked for it meanwhile, which begins it anew.
        let ours = started_at(&now) >= since;
        if ours && !now["finished_at"].is_null() {
            bar.finish_and_clear();
            return Ok(now);
        }
        bar.set_length(now["total"].as_u64().unwrap_or_default());
        bar.set_position(now["done"].as_u64().unwrap_or_default());
        bar.set_message(format!("moved {}", now["moved"]));
        thread::sleep(PAUSE);
    }
}

fn print_plan(plan: &Value) {
    let moves = plan["moves"].as_array().map_or(&[][..], Vec::as_slice);
    let moved: u64 = moves.iter().filter_map(|step| step["count"].as_u64()).sum();
    println!("looked at {} crashes; {moved} would be in another group", plan["looked_at"]);
    for step in moves {
        let from = escape(step["from"].as_str().unwrap_or("?"));
        let to = step["to"].as_str().map_or_else(|| "a new group".to_owned(), escape);
        println!("{:>8}  {from} -> {to}", step["count"]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ended, started_at};

    #[test]
    fn times_are_compared_as_times() {
        let at = |text: &str| started_at(&json!({ "started_at": text })).unwrap();
        assert!(at("2026-01-01T00:00:00.123Z") < at("2026-01-01T00:00:00.123456Z"));
    }

    #[test]
    fn an_end_before_the_end_is_a_failure() {
        assert!(ended(&json!({ "done": 3, "total": 3, "error": null })).is_ok());
        assert!(ended(&json!({ "done": 1, "total": 3, "error": "the disk is full" })).is_err());
    }
}
