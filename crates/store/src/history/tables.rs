//! Rows on their way into their tables, many at a time: by COPY into PostgreSQL, as JSON into SQLite.

use std::fmt::Write;

use sqlx::AssertSqlSafe;

use crate::{StoreError, tx::Tx};

/// A value of a row.
#[derive(Clone, Copy)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Number(i64),
    Flag(bool),
    Bytes(&'a [u8]),
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

/// Rows of one table.
pub(super) struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    copied: bool,
    buffer: String,
}

impl Table {
    fn new(name: &'static str, columns: &'static [&'static str], copied: bool) -> Self {
        Self { name, columns, copied, buffer: String::new() }
    }

    /// Adds a row, its values in the order of the columns.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) {
        debug_assert_eq!(cells.len(), self.columns.len(), "of {}", self.name);
        if self.copied {
            for (at, cell) in cells.iter().enumerate() {
                self.buffer.push_str(if at == 0 { "" } else { "\t" });
                copied(&mut self.buffer, *cell);
            }
            self.buffer.push('\n');
        } else {
            self.buffer.push(if self.buffer.is_empty() { '[' } else { ',' });
            for (at, cell) in cells.iter().enumerate() {
                self.buffer.push(if at == 0 { '[' } else { ',' });
                json(&mut self.buffer, *cell);
            }
            self.buffer.push(']');
        }
    }

    async fn write(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut rows = std::mem::take(&mut self.buffer);
        let columns = self.columns.join(", ");
        match tx {
            Tx::Postgres(tx) => {
                let mut copy = tx.copy_in_raw(&format!("COPY {} ({columns}) FROM STDIN", self.name)).await?;
                copy.send(rows.as_bytes()).await?;
                copy.finish().await?;
            }
            Tx::Sqlite(tx) => {
                rows.push(']');
                let values: Vec<String> = self
                    .columns
                    .iter()
                    .enumerate()
                    .map(|(at, column)| match *column {
                        "body" => format!("unhex(value ->> {at})"),
                        _ => format!("value ->> {at}"),
                    })
                    .collect();
                let values = values.join(", ");
                let text =
                    format!("INSERT INTO {} ({columns}) SELECT {values} FROM json_each($1)", self.name);
                sqlx::query(AssertSqlSafe(text)).bind(rows).execute(&mut **tx).await?;
            }
        }
        Ok(())
    }
}

/// As COPY has it.
fn copied(out: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.push_str("\\N"),
        Cell::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Cell::Flag(flag) => out.push(if flag { 't' } else { 'f' }),
        Cell::Bytes(bytes) => {
            out.push_str("\\\\x");
            out.push_str(&hex::encode(bytes));
        }
        Cell::Text(text) => {
            for c in text.chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '\t' => out.push_str("\\t"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    c => out.push(c),
                }
            }
        }
    }
}

fn json(out: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.push_str("null"),
        Cell::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Cell::Flag(flag) => out.push_str(if flag { "true" } else { "false" }),
        Cell::Bytes(bytes) => {
            let _ = write!(out, "\"{}\"", hex::encode(bytes));
        }
        Cell::Text(text) => out.push_str(&serde_json::Value::from(text).to_string()),
    }
}

macro_rules! tables {
    ($($field:ident = $table:literal [$($column:literal)*],)*) => {
        /// All tables that a history is in, those that others refer to first.
        pub(super) struct Tables {
            $(pub(super) $field: Table,)*
            /// Statements that make again the indexes that would slow the writing down.
            indexes: Vec<String>,
        }

        impl Tables {
            const NAMES: &[&str] = &[$($table),*];

            /// Takes away what would be kept up with every row.
            pub(super) async fn begin(tx: &mut Tx) -> Result<Self, StoreError> {
                let copied = matches!(tx, Tx::Postgres(_));
                let indexes = take_indexes(tx, Self::NAMES).await?;
                Ok(Self { $($field: Table::new($table, &[$($column),*], copied),)* indexes })
            }

            /// Writes what was collected.
            pub(super) async fn write(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
                $(self.$field.write(tx).await?;)*
                Ok(())
            }
        }
    };
}

tables! {
    blobs = "blobs" ["id" "kind" "name" "size_bytes" "stored_bytes" "received_at"],
    senders = "blob_projects" ["blob_id" "project" "name" "received_at"],
    groups = "crash_groups" ["id" "signature_version" "fingerprint" "family" "title" "class" "state" "frames"
        "explanation" "crashes" "first_seen" "last_seen" "revision" "origin" "state_since"],
    signatures = "signatures" ["version" "fingerprint" "family" "title" "class" "frames" "explanation" "group_id" "pinned"],
    builds = "builds" ["id" "module" "module_version" "vcs_revision" "first_seen"],
    crashes = "crashes" ["id" "identity" "idempotency_key" "status" "group_id" "home_group_id" "class" "title"
        "confidence" "service" "go_version" "module" "module_version" "reported_version" "vcs_revision" "build"
        "hostname" "labels" "received_at" "occurred_at" "seen_at" "analysed_at" "attempts" "signature_version"
        "fingerprint" "family" "executable" "gnu_build_id" "go_build_id" "text_sha256" "missing_binary" "diagnostics"
        "report_revision" "pid" "facts_version" "has_core"],
    events = "events" ["seq" "kind" "group_id" "crash_id" "at"],
    evidence = "crash_evidence" ["crash_id" "blob_id" "kind" "origin" "added_at"],
    parts = "report_parts" ["crash_id" "revision" "part" "seq" "body"],
    facts = "facts" ["id" "name" "value" "folded" "ordinal"],
    crash_facts = "crash_facts" ["crash_id" "fact_id" "amount"],
    jobs = "jobs" ["id" "kind" "subject" "state" "wanted" "claimed" "attempts" "run_after" "priority"],
}

impl Tables {
    /// Makes again what [`Tables::begin`] took away.
    pub(super) async fn end(self, tx: &mut Tx) -> Result<(), StoreError> {
        for text in self.indexes {
            on!(tx, db => sqlx::query(AssertSqlSafe(text)).execute(&mut *db).await?.rows_affected());
        }
        super::go_on(tx).await
    }
}

/// Drops the indexes of tables that are no constraints, and answers the statements that make them. On PostgreSQL
/// nothing is checked or told of the rows until the transaction ends.
async fn take_indexes(tx: &mut Tx, tables: &[&str]) -> Result<Vec<String>, StoreError> {
    let found: Vec<(String, String, String)> = match tx {
        Tx::Postgres(tx) => {
            sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut **tx).await?;
            sqlx::query("SET LOCAL maintenance_work_mem = '512MB'").execute(&mut **tx).await?;
            sqlx::query_as(
                "SELECT CAST(i.tablename AS TEXT), CAST(i.indexname AS TEXT), i.indexdef FROM pg_indexes i \
                 WHERE i.schemaname = current_schema() AND NOT EXISTS (SELECT 1 FROM pg_constraint c \
                 WHERE c.conname = i.indexname)",
            )
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            sqlx::query_as(
                "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
            )
            .fetch_all(&mut **tx)
            .await?
        }
    };
    let mut indexes = Vec::new();
    for (table, name, text) in found {
        if tables.contains(&table.as_str()) {
            let drop = format!("DROP INDEX {name}");
            on!(tx, db => sqlx::query(AssertSqlSafe(drop)).execute(&mut *db).await?.rows_affected());
            indexes.push(text);
        }
    }
    Ok(indexes)
}
