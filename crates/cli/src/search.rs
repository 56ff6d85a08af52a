//! `panicle search`: crashes, or groups of them, by a query.

use clap::{Args, ValueEnum};
use panicle_collect::{Client, UploadError};
use panicle_query::Query;
use serde::Serialize;
use serde_json::Value;

use crate::{
    exit::{Done, Failure},
    render::escape,
    token::TokenArguments,
};

/// Items that are asked for at a time.
const PAGE: usize = 100;

/// Arguments of `panicle search`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to find: `class:nil-map-write service:auth go:>=1.24 since:24h`, or words. docs/query.md has the fields.
    #[arg(allow_hyphen_values = true)]
    query: String,
    /// The service.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7171", env = "PANICLE_SERVER")]
    server: String,
    #[command(flatten)]
    token: TokenArguments,
    /// Find groups of which one crash is meant.
    #[arg(long)]
    groups: bool,
    /// So many at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Output {
    /// The canonical spelling.
    query: String,
    items: Vec<Value>,
    /// There are more than were asked for.
    more: bool,
}

/// Runs the subcommand.
pub(crate) fn run(arguments: &Arguments) -> Result<Done, Failure> {
    let query = Query::parse(&arguments.query).map_err(|error| {
        let expected = match error.expected.as_slice() {
            [] => String::new(),
            expected => format!("\nexpected: {}", expected.join(", ")),
        };
        Failure::Arguments(format!("{error}\n{}{expected}", error.caret(&arguments.query)))
    })?;
    let client = Client::new(&arguments.server, arguments.token.token()?).map_err(failure)?;
    let path = if arguments.groups { "groups" } else { "crashes" };
    let limit = arguments.limit as usize;
    let mut output = Output { query: query.to_string(), items: Vec::new(), more: false };
    let mut cursor: Option<String> = None;
    loop {
        let size = PAGE.min(limit - output.items.len()).to_string();
        let mut parameters = vec![("q", arguments.query.as_str()), ("limit", &size)];
        parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let mut page = client.get(path, &parameters).map_err(failure)?;
        let Value::Array(items) = page["items"].take() else {
            return Err(Failure::Input(format!("{path}: an answer without items")));
        };
        let none = items.is_empty();
        output.items.extend(items);
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        output.more = cursor.is_some();
        if none || cursor.is_none() || output.items.len() >= limit {
            break;
        }
    }
    print(&output, arguments)?;
    Ok(if output.items.is_empty() { Done::NotThere } else { Done::Done })
}

fn print(output: &Output, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.format == Format::Json {
        let json = serde_json::to_string_pretty(output).map_err(|error| Failure::Input(error.to_string()))?;
        println!("{json}");
        return Ok(());
    }
    if output.items.is_empty() {
        eprintln!("nothing is found");
        return Ok(());
    }
    let columns: &[(&str, &str)] = if arguments.groups {
        &[
            ("ID", "id"),
            ("LAST SEEN", "last_seen"),
            ("COUNT", "count"),
            ("STATE", "state"),
            ("CLASS", "class"),
            ("TITLE", "title"),
        ]
    } else {
        &[
            ("ID", "id"),
            ("RECEIVED", "received_at"),
            ("STATUS", "status"),
            ("SERVICE", "service"),
            ("VERSION", "module_version"),
            ("GO", "go_version"),
            ("CLASS", "class"),
            ("TITLE", "title"),
        ]
    };
    let mut rows = vec![columns.iter().map(|(heading, _)| (*heading).to_owned()).collect::<Vec<_>>()];
    rows.extend(
        output.items.iter().map(|item| columns.iter().map(|(_, name)| cell(name, &item[*name])).collect()),
    );
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    if output.more {
        eprintln!("there are more; --limit shows them");
    }
    Ok(())
}

/// A value in a column: unknown is `-`, times to the second, and nothing that a terminal would take for a command.
fn cell(name: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let text = escape(&text);
    match text.split_once('.') {
        Some((seconds, _)) if name.ends_with("_at") || name.ends_with("_seen") => format!("{seconds}Z"),
        _ => text,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn failure(error: UploadError) -> Failure {
    match error {
        // The query is right, so what is refused is the address or the token.
        UploadError::Server(_) | UploadError::Refused { .. } => Failure::Arguments(error.to_string()),
        UploadError::File { .. } => Failure::Input(error.to_string()),
        UploadError::Unreachable { .. } => Failure::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cell;

    #[test]
    fn cells_are_short_and_harmless() {
        assert_eq!(cell("service", &json!(null)), "-");
        assert_eq!(cell("received_at", &json!("2026-01-02T03:04:05.123456Z")), "2026-01-02T03:04:05Z");
        assert_eq!(cell("module_version", &json!("v1.2.3")), "v1.2.3");
        assert_eq!(cell("title", &json!("a\u{1b}[2Jb\n")), "a\\u{1b}[2Jb\\u{a}");
        assert_eq!(cell("count", &json!(7)), "7");
    }
}
