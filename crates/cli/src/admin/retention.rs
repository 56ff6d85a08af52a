//! `panicle admin retention`.

use clap::Args;
use serde_json::{Value, json};

use super::{Service, failure};
use crate::{
    exit::{Done, Failure},
    render::escape,
};

/// Arguments of `panicle admin retention`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Full cores to keep of each group, the newest; `default` goes back to what the workers were started with.
    #[arg(long, value_name = "N", value_parser = keep)]
    keep_cores: Option<Keep>,
    /// The same for the crashes of one service; `default` goes back to what holds for all.
    #[arg(long = "service-cores", value_name = "SERVICE=N", value_parser = of_service)]
    services: Vec<(String, Keep)>,
    #[command(flatten)]
    service: Service,
}

/// How many.
#[derive(Clone, Copy, Debug)]
enum Keep {
    Default,
    Newest(u32),
}

fn keep(text: &str) -> Result<Keep, String> {
    match (text, text.parse()) {
        ("default", _) => Ok(Keep::Default),
        (_, Ok(number @ 1..)) => Ok(Keep::Newest(number)),
        _ => Err("1 or more, or default".to_owned()),
    }
}

fn of_service(text: &str) -> Result<(String, Keep), String> {
    let (service, number) = text.rsplit_once('=').ok_or("it is written SERVICE=N")?;
    Ok((service.to_owned(), keep(number)?))
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let client = arguments.service.client()?;
    let mut answered = client.ask("retention").map_err(failure)?;
    if arguments.keep_cores.is_some() || !arguments.services.is_empty() {
        let mut policy = answered.value;
        match arguments.keep_cores {
            Some(Keep::Newest(number)) => policy["keep_cores"] = json!(number),
            Some(Keep::Default) => policy["keep_cores"] = Value::Null,
            None => {}
        }
        for (service, keep) in &arguments.services {
            let Some(services) = policy["services"].as_object_mut() else {
                return Err(Failure::Input("retention: an answer without services".to_owned()));
            };
            match keep {
                Keep::Newest(number) => drop(services.insert(service.clone(), json!(number))),
                Keep::Default => drop(services.remove(service)),
            }
        }
        let etag = answered.etag.as_deref();
        answered = client.send("PUT", "retention", &policy, etag).map_err(failure)?;
    }
    arguments.service.print(&answered.value, print)?;
    Ok(Done::Done)
}

fn print(policy: &Value) {
    let all = policy["keep_cores"].as_u64().map_or_else(
        || "as the workers were started, all unless told otherwise".to_owned(),
        |number| format!("the newest {number}"),
    );
    println!("full cores kept of each group: {all}");
    for (service, number) in policy["services"].as_object().into_iter().flatten() {
        println!("  of service {}: the newest {number}", escape(service));
    }
}
