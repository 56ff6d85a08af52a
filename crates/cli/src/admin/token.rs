//! `panicle admin token`: tokens, in the database itself, since the first one is made before anything listens.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use panicle_store::{NewToken, Scope, Token};
use serde_json::{Value, json};

use super::database::{Database, PAGE, all, known, name};
use crate::{
    exit::{Done, Failure},
    render::escape,
    service::{run_to_end, unreachable},
};

const MAX_DAYS: u32 = 36_500;

/// Arguments of `panicle admin token`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make a token and print it, this once. From the first one on, nobody gets in without.
    Create(Create),
    /// List tokens, those that let nobody in any more among them.
    List(Database),
    /// Have a token let nobody in from now on.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct Create {
    /// Who or what it is for.
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: String,
    /// What it allows: ingest, symbols, read, memory, manage, or all of them.
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',', required = true, value_parser = scopes)]
    scopes: Vec<Scopes>,
    /// The one project that it is for [default: all that there are, and the installation].
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// Days after which it lets nobody in [default: it does not end by itself].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DAYS)))]
    days: Option<u32>,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
struct Revoke {
    /// Its id, as `list` shows it.
    id: String,
    #[command(flatten)]
    database: Database,
}

/// A word of `--scopes`.
#[derive(Clone, Copy, Debug)]
enum Scopes {
    One(Scope),
    All,
}

fn scopes(word: &str) -> Result<Scopes, String> {
    match word.trim() {
        "all" => Ok(Scopes::All),
        word => word.parse().map(Scopes::One).map_err(|_| {
            let words: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            format!("the scopes are {}, and all", words.join(", "))
        }),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    run_to_end(async {
        match &arguments.task {
            Task::Create(arguments) => create(arguments).await,
            Task::List(database) => list(database).await,
            Task::Revoke(arguments) => revoke(arguments).await,
        }
    })
}

async fn create(arguments: &Create) -> Result<Done, Failure> {
    let scopes = arguments.scopes.iter().flat_map(|scopes| match scopes {
        Scopes::One(scope) => vec![*scope],
        Scopes::All => Scope::ALL.to_vec(),
    });
    let after = |days: u32| Timestamp::now().checked_add(SignedDuration::from_hours(24 * i64::from(days)));
    let expires_at =
        arguments.days.map(after).transpose().map_err(|error| Failure::Arguments(error.to_string()))?;
    let new = NewToken {
        name: arguments.name.clone(),
        scopes: scopes.collect(),
        expires_at,
        project: arguments.project.clone(),
    };
    let store = arguments.database.open(true).await?;
    let (token, text) = store.create_token(&new).await.map_err(known)?;
    store.close().await;
    let mut answer = shown(&token);
    answer["token"] = json!(text);
    arguments.database.print(&answer, || {
        println!("{text}");
        // Apart from it, so that a script takes the token alone.
        eprintln!("token {} for {}: {}; it is not shown again", token.id, escape(&token.name), words(&token));
    })?;
    Ok(Done::Done)
}

async fn list(database: &Database) -> Result<Done, Failure> {
    let store = database.open(false).await?;
    let page = async |last: Option<&Token>| store.tokens(last.map(|token| token.id.as_str()), PAGE).await;
    let tokens = all(page).await.map_err(unreachable)?;
    store.close().await;
    let answer: Vec<Value> = tokens.iter().map(shown).collect();
    database.print(&json!({ "items": answer }), || {
        let now = Timestamp::now();
        for token in &tokens {
            let stands = match (token.revoked_at, token.is_valid(now)) {
                (Some(_), _) => "revoked",
                (None, false) => "expired",
                (None, true) => "valid",
            };
            let used =
                token.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at:.0}"));
            println!("{}  {stands:<7}  {}  {used}  {}", token.id, words(token), escape(&token.name));
        }
    })?;
    Ok(Done::Done)
}

async fn revoke(arguments: &Revoke) -> Result<Done, Failure> {
    let store = arguments.database.open(false).await?;
    let token = store.revoke_token(&arguments.id).await.map_err(known)?;
    store.close().await;
    arguments.database.print(&shown(&token), || println!("token {} is revoked", token.id))?;
    Ok(Done::Done)
}

/// As the API has it.
fn shown(token: &Token) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "project": token.project,
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    })
}

fn words(token: &Token) -> String {
    let scopes = token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
    match &token.project {
        Some(project) => format!("{scopes} in {project}"),
        None => scopes,
    }
}
