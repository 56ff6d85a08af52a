//! `panicle admin quarantine`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Service, failure};
use crate::{
    exit::{Done, Failure},
    render::escape,
};

/// Arguments of `panicle admin quarantine`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// List jobs that were set aside, because every attempt at them was killed or died.
    List(List),
    /// Show one of them, and the evidence that is its reproducer.
    Show(One),
    /// Queue one of them again, as if it had never been tried.
    Retry(One),
}

#[derive(Debug, Args)]
struct List {
    /// Analyses of crashes of this project alone.
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    #[command(flatten)]
    service: Service,
}

#[derive(Debug, Args)]
struct One {
    /// The job, as `list` names it.
    job: String,
    #[command(flatten)]
    service: Service,
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    match &arguments.task {
        Task::List(arguments) => list(arguments),
        Task::Show(arguments) => show(arguments),
        Task::Retry(arguments) => {
            let path = of(&arguments.job, "/retry")?;
            let sent = arguments.service.client()?.send("POST", &path, &json!({}), None);
            let was = sent.map_err(failure)?.value;
            arguments.service.print(&was, |was| println!("queued again: {}", line(was)))?;
            Ok(Done::Done)
        }
    }
}

/// The path of a job, which is a word of letters, digits and `-`.
fn of(job: &str, rest: &str) -> Result<String, Failure> {
    if job.is_empty() || !job.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Failure::Arguments(format!("{} is no identifier of a job", escape(job))));
    }
    Ok(format!("quarantine/{job}{rest}"))
}

fn list(arguments: &List) -> Result<Done, Failure> {
    let client = arguments.service.client()?;
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut parameters = vec![("limit", "500")];
        parameters.extend(arguments.project.as_deref().map(|project| ("project", project)));
        parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let mut page = client.get("quarantine", &parameters).map_err(failure)?;
        if let Value::Array(part) = page["items"].take() {
            items.extend(part);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    arguments.service.print(&json!({ "items": items }), |answer| {
        if answer["items"] == json!([]) {
            eprintln!("nothing is set aside");
        }
        for job in answer["items"].as_array().into_iter().flatten() {
            println!("{}", line(job));
        }
    })?;
    Ok(Done::Done)
}

fn show(arguments: &One) -> Result<Done, Failure> {
    let client = arguments.service.client()?;
    let mut job = client.get(&of(&arguments.job, "")?, &[]).map_err(failure)?;
    if let Some(crash) = job["crash_id"].as_str() {
        let evidence = client.get(&format!("crashes/{crash}/evidence"), &[]).map_err(failure)?;
        job["evidence"] = evidence["items"].clone();
    }
    arguments.service.print(&job, |job| {
        println!("{}", line(job));
        for piece in job["evidence"].as_array().into_iter().flatten() {
            println!(
                "  {}  {} bytes  {}  {}",
                text(&piece["kind"]),
                piece["size_bytes"],
                text(&piece["id"]),
                text(&piece["name"])
            );
        }
    })?;
    Ok(Done::Done)
}

fn line(job: &Value) -> String {
    format!(
        "{}  {} {}  {}  {} attempts  {}",
        text(&job["id"]),
        text(&job["kind"]),
        text(&job["subject"]),
        text(&job["project"]),
        job["attempts"],
        text(&job["problem"])
    )
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| "-".to_owned(), escape)
}
