//! `panicle admin reprocess`.

use clap::Args;
use panicle_collect::{Client, UploadError};
use serde_json::{Value, json};

use super::{Service, failure};
use crate::exit::{Done, Failure};

/// Crashes that one request may name.
const AT_ONCE: usize = 1000;

/// Arguments of `panicle admin reprocess`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// These crashes; without any, those of `--query` and `--project`, and without these, all.
    #[arg(value_name = "CRASH", conflicts_with_all = ["query", "project"])]
    crashes: Vec<String>,
    /// Crashes that a query means, as in a search: `service:auth class:unknown`.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Crashes of this project.
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// Queue them. Without it, they are only counted.
    #[arg(long)]
    yes: bool,
    /// Call off all that wait to be analysed again. They keep the reports that they have.
    #[arg(long, conflicts_with_all = ["crashes", "query", "project", "yes"])]
    cancel: bool,
    #[command(flatten)]
    service: Service,
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let client = arguments.service.client()?;
    if arguments.cancel {
        return cancel(&client, &arguments.service);
    }
    let requests: Vec<Value> = if arguments.crashes.is_empty() {
        vec![json!({ "q": arguments.query, "project": arguments.project })]
    } else {
        arguments.crashes.chunks(AT_ONCE).map(|crashes| json!({ "crashes": crashes })).collect()
    };
    let (mut crashes, mut without_core) = (0, 0);
    // Counted before anything is done: a query or a crash that is wrong queues nothing.
    let mut send = |request: &Value, count: bool| {
        let done = client.send("POST", "reprocess", request, None).map_err(failure)?.value;
        if count {
            crashes += done["crashes"].as_u64().unwrap_or_default();
            without_core += done["without_core"].as_u64().unwrap_or_default();
        }
        Ok::<Value, Failure>(done)
    };
    for request in &requests {
        let mut dry = request.clone();
        dry["dry_run"] = json!(true);
        send(&dry, !arguments.yes)?;
    }
    if arguments.yes {
        for request in &requests {
            let mut request = request.clone();
            loop {
                let done = send(&request, true)?;
                if done["next_cursor"].is_null() {
                    break;
                }
                request["cursor"] = done["next_cursor"].clone();
            }
        }
    }
    let answer = json!({ "crashes": crashes, "without_core": without_core, "queued": arguments.yes });
    // Of all, not of these.
    let waiting = match client.get("reprocess", &[]) {
        Ok(answer) => answer["waiting"].as_u64().unwrap_or_default(),
        // An older service does not say.
        Err(UploadError::Refused { .. }) => 0,
        Err(error) => return Err(failure(error)),
    };
    arguments.service.print(&answer, |_| {
        let end = if arguments.yes {
            "were queued, behind what arrives"
        } else {
            "would be analysed again (--yes)"
        };
        println!(
            "{crashes} crashes {end}; {without_core} are left as they are, because their core was deleted"
        );
        if waiting > 0 {
            println!("{waiting} wait to be analysed again (--cancel calls them off)");
        }
    })?;
    Ok(Done::Done)
}

fn cancel(client: &Client, service: &Service) -> Result<Done, Failure> {
    let mut called_off = 0;
    let waiting = loop {
        let done = client.send("POST", "reprocess/cancel", &json!({}), None).map_err(failure)?.value;
        let now = done["called_off"].as_u64().unwrap_or_default();
        called_off += now;
        if now == 0 || done["waiting"] == 0 {
            break done["waiting"].clone();
        }
    };
    let answer = json!({ "called_off": called_off, "waiting": waiting });
    service.print(&answer, |_| println!("{called_off} crashes were called off; {waiting} wait"))?;
    Ok(Done::Done)
}
