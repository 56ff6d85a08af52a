//! `panicle admin project`: projects, in the database itself, as tokens are.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use panicle_store::{NewProject, Project, ProjectChange, is_project_id};
use serde_json::{Value, json};

use super::database::{Database, PAGE, all, known, name};
use crate::{
    exit::{Done, Failure},
    render::escape,
    service::{run_to_end, unreachable},
};

/// Of which what was sent is told.
const HOURS_A_DAY: i64 = 24;

/// Arguments of `panicle admin project`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make a project. It stays for good; it can be archived.
    Create(Create),
    /// List projects.
    List(Database),
    /// Change a project's name or limits.
    Set(Set),
    /// Have a project take nothing new in. What it has can still be seen.
    Archive(Archive),
}

#[derive(Debug, Args)]
struct Limits {
    /// Requests that are taken a minute; `default` for what the server is told to take.
    #[arg(long, value_name = "N", value_parser = limit)]
    requests_per_minute: Option<Limit>,
    /// Bytes that are taken a day; `default` for what the server is told to take.
    #[arg(long, value_name = "BYTES", value_parser = limit)]
    upload_bytes_per_day: Option<Limit>,
}

/// A limit, or none of its own.
#[derive(Clone, Copy, Debug)]
struct Limit(Option<u64>);

fn limit(text: &str) -> Result<Limit, String> {
    if text == "default" {
        return Ok(Limit(None));
    }
    let number = text.parse().ok().filter(|number| (1..=i64::MAX as u64).contains(number));
    number.map(|number| Limit(Some(number))).ok_or_else(|| "a whole number above 0, or default".to_owned())
}

#[expect(clippy::option_option, reason = "no limit of its own is another thing than nothing said")]
impl Limits {
    fn requests(&self) -> Option<Option<u32>> {
        let most = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        self.requests_per_minute.map(|limit| limit.0.map(most))
    }

    fn bytes(&self) -> Option<Option<u64>> {
        self.upload_bytes_per_day.map(|limit| limit.0)
    }
}

#[derive(Debug, Args)]
struct Create {
    /// What it is named by: lower case letters, digits and -.
    #[arg(value_parser = id)]
    id: String,
    /// What people call it [default: the same].
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
struct Set {
    /// The project.
    id: String,
    /// What people call it.
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
struct Archive {
    /// The project.
    id: String,
    /// Have it take in again what is sent.
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    database: Database,
}

fn id(text: &str) -> Result<String, String> {
    if is_project_id(text) {
        return Ok(text.to_owned());
    }
    Err("1 to 63 lower case letters, digits and -, and not a - first".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    run_to_end(async {
        match &arguments.task {
            Task::Create(arguments) => create(arguments).await,
            Task::List(database) => list(database).await,
            Task::Set(arguments) => {
                let change = ProjectChange {
                    name: arguments.name.clone(),
                    requests_per_minute: arguments.limits.requests(),
                    upload_bytes_per_day: arguments.limits.bytes(),
                    archived: None,
                };
                change_project(&arguments.id, &change, &arguments.database).await
            }
            Task::Archive(arguments) => {
                let change = ProjectChange { archived: Some(!arguments.undo), ..ProjectChange::default() };
                change_project(&arguments.id, &change, &arguments.database).await
            }
        }
    })
}

async fn create(arguments: &Create) -> Result<Done, Failure> {
    let new = NewProject {
        id: arguments.id.clone(),
        name: arguments.name.clone(),
        requests_per_minute: arguments.limits.requests().flatten(),
        upload_bytes_per_day: arguments.limits.bytes().flatten(),
    };
    let store = arguments.database.open(true).await?;
    let project = store.create_project(&new).await.map_err(known)?;
    store.close().await;
    arguments.database.print(&shown(&project), || line(&project))?;
    Ok(Done::Done)
}

async fn change_project(id: &str, change: &ProjectChange, database: &Database) -> Result<Done, Failure> {
    let store = database.open(false).await?;
    let project = store.change_project(id, change).await.map_err(known)?;
    store.close().await;
    database.print(&shown(&project), || line(&project))?;
    Ok(Done::Done)
}

async fn list(database: &Database) -> Result<Done, Failure> {
    let store = database.open(false).await?;
    let page = async |last: Option<&Project>| store.projects(last.map(|one| one.id.as_str()), PAGE).await;
    let projects = all(page).await.map_err(unreachable)?;
    let day_ago = Timestamp::now().as_second().div_euclid(3600) - HOURS_A_DAY;
    let mut sent = Vec::new();
    for project in &projects {
        let hours = store.project_hours(&project.id, day_ago).await.map_err(unreachable)?;
        sent.push(hours.iter().map(|(_, bytes)| bytes).sum::<u64>());
    }
    store.close().await;
    let with_sent = |(project, sent): (&Project, &u64)| {
        let mut answer = shown(project);
        answer["sent_bytes_last_day"] = json!(sent);
        answer
    };
    let answer: Vec<Value> = projects.iter().zip(&sent).map(with_sent).collect();
    database.print(&json!({ "items": answer }), || {
        for (project, sent) in projects.iter().zip(&sent) {
            line(project);
            println!("    {sent} bytes were sent in the last 24 hours");
        }
    })?;
    Ok(Done::Done)
}

fn line(project: &Project) {
    let limit = |most: Option<u64>, what: &str| {
        most.map_or_else(|| format!("{what}: as the service says"), |most| format!("{what}: {most}"))
    };
    println!(
        "{}  {}  {}  {}{}",
        project.id,
        escape(&project.name),
        limit(project.requests_per_minute.map(u64::from), "requests a minute"),
        limit(project.upload_bytes_per_day, "bytes a day"),
        if project.archived_at.is_some() { "  archived" } else { "" }
    );
}

/// As the API has it.
fn shown(project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "created_at": project.created_at,
        "requests_per_minute": project.requests_per_minute,
        "upload_bytes_per_day": project.upload_bytes_per_day,
        "archived_at": project.archived_at,
    })
}
