//! Reports read back: the parts that lists are made of, a few of them kept.

use std::{
    io::Read,
    sync::{Arc, Mutex, PoisonError},
};

use panicle_report::{Goroutine, Report};
use panicle_sandbox::{GOROUTINES_IN_CHUNK, Rows};
use panicle_store::{Crash, Part, Store};
use serde::de::DeserializeOwned;

use crate::Problem;

/// What may be kept in memory, roughly.
const CACHE_BYTES: usize = 64 << 20;
/// A stored part that decompresses to more is damaged.
const MAX_PART_BYTES: u64 = 1 << 30;

/// Parsed parts of reports, most recently used ones last.
#[derive(Default)]
pub(crate) struct ReportCache {
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    crash: String,
    revision: u64,
    bytes: usize,
    value: Value,
}

#[derive(Clone)]
enum Value {
    Head(Arc<Report>),
    Rows(Arc<Rows>),
}

impl ReportCache {
    /// The report without its goroutines but the one at fault.
    pub(crate) async fn head(&self, store: &Store, crash: &Crash) -> Result<Arc<Report>, Problem> {
        let pick = |value: &Value| if let Value::Head(head) = value { Some(Arc::clone(head)) } else { None };
        if let Some(head) = self.get(crash, pick) {
            return Ok(head);
        }
        let json = json(store, crash, Part::Head, 0).await?;
        let bytes = json.len() * 2;
        let head = Arc::new(parse(json).await?);
        self.put(crash, bytes, Value::Head(Arc::clone(&head)));
        Ok(head)
    }

    /// A row for every goroutine.
    pub(crate) async fn rows(&self, store: &Store, crash: &Crash) -> Result<Arc<Rows>, Problem> {
        let pick = |value: &Value| if let Value::Rows(rows) = value { Some(Arc::clone(rows)) } else { None };
        if let Some(rows) = self.get(crash, pick) {
            return Ok(rows);
        }
        let rows: Arc<Rows> = Arc::new(parse(json(store, crash, Part::Rows, 0).await?).await?);
        self.put(crash, rows.size_bytes(), Value::Rows(Arc::clone(&rows)));
        Ok(rows)
    }

    fn get<T>(&self, crash: &Crash, pick: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|entry| {
            entry.crash == crash.id && entry.revision == crash.report_revision && pick(&entry.value).is_some()
        })?;
        let entry = entries.remove(at);
        let found = pick(&entry.value);
        entries.push(entry);
        found
    }

    fn put(&self, crash: &Crash, bytes: usize, value: Value) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Entry { crash: crash.id.clone(), revision: crash.report_revision, bytes, value });
        let mut total: usize = entries.iter().map(|entry| entry.bytes).sum();
        while total > CACHE_BYTES && entries.len() > 1 {
            total -= entries.remove(0).bytes;
        }
    }
}

/// The chunk of full goroutines that holds the row at `position`.
pub(crate) async fn chunk(store: &Store, crash: &Crash, position: usize) -> Result<Vec<Goroutine>, Problem> {
    let seq = (position / GOROUTINES_IN_CHUNK) as u32;
    parse(json(store, crash, Part::Goroutines, seq).await?).await
}

/// The JSON of a part, or the problem that there is no report.
pub(crate) async fn json(store: &Store, crash: &Crash, part: Part, seq: u32) -> Result<Vec<u8>, Problem> {
    let Some(body) = store.report_part(&crash.id, crash.report_revision, part, seq).await? else {
        let detail = if crash.report_revision > 0 {
            format!("the report of crash {} was replaced just now; ask again", crash.id)
        } else {
            format!("crash {} is {}; there is no report of it yet", crash.id, crash.status)
        };
        return Err(Problem::report_not_ready(crash.status, detail));
    };
    let decompress = move || {
        let mut json = Vec::new();
        zstd::stream::Decoder::new(body.as_slice())?.take(MAX_PART_BYTES).read_to_end(&mut json)?;
        Ok::<_, std::io::Error>(json)
    };
    tokio::task::spawn_blocking(decompress)
        .await
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(|error| unreadable(&error))
}

async fn parse<T: DeserializeOwned + Send + 'static>(json: Vec<u8>) -> Result<T, Problem> {
    tokio::task::spawn_blocking(move || serde_json::from_slice(&json))
        .await
        .map_err(|error| unreadable(&error))?
        .map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "a stored report cannot be read");
    Problem::internal("the stored report cannot be read; analysing the crash again makes a new one")
}
