use std::collections::{BTreeMap, HashMap};

use panicle_report::{Goroutine, GoroutineCluster};
use serde::{Deserialize, Serialize};

/// Full goroutines in one [`crate::Answer::Goroutines`].
pub const GOROUTINES_IN_CHUNK: usize = 256;

/// What a table shows of every goroutine, small enough to keep a hundred thousand of them: each
/// distinct text is there once, and rows name it by its number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Distinct texts.
    pub texts: Vec<String>,
    /// Distinct sets of labels.
    pub label_sets: Vec<BTreeMap<String, String>>,
    /// One for each goroutine, in the report's order.
    pub rows: Vec<Row>,
}

/// One goroutine; every `u32` that is no count is an index into [`Rows::texts`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in panicle_report::Goroutine")]
pub struct Row {
    pub id: u64,
    pub status: u32,
    pub wait_reason: Option<u32>,
    pub wait_seconds: Option<f64>,
    /// Index into [`Rows::label_sets`].
    pub labels: u32,
    pub thread: Option<i32>,
    pub system: bool,
    pub top_function: Option<u32>,
    pub top_file: Option<u32>,
    pub top_line: Option<u32>,
    pub created_by: Option<u32>,
    /// Signature of its cluster.
    pub cluster: Option<u32>,
    pub frame_count: u32,
}

#[derive(Default)]
struct Interner {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Interner {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

/// What goroutines of one cluster have in common.
type ClusterKey<'a> = (&'a str, Option<&'a str>, Vec<(&'a str, Option<u32>)>);

impl Rows {
    /// The rows of `goroutines`, each with the one of `clusters` that it belongs to.
    pub fn new(goroutines: &[Goroutine], clusters: &[GoroutineCluster]) -> Self {
        let examples: HashMap<u64, &str> = clusters
            .iter()
            .flat_map(|cluster| cluster.example_ids.iter().map(|&id| (id, cluster.signature.as_str())))
            .collect();
        // A cluster lists no more than a few of its goroutines. The others are those with the same
        // state, reason, functions and lines, so one example tells which key belongs to which cluster.
        let mut by_key: HashMap<ClusterKey<'_>, &str> = HashMap::new();
        for goroutine in goroutines {
            if let Some(&signature) = examples.get(&goroutine.id) {
                by_key.entry(cluster_key(goroutine)).or_insert(signature);
            }
        }
        let mut texts = Interner::default();
        let mut label_sets = vec![BTreeMap::new()];
        let mut label_numbers = HashMap::from([(BTreeMap::new(), 0)]);
        let rows = goroutines
            .iter()
            .map(|goroutine| {
                let labels = *label_numbers.entry(goroutine.labels.clone()).or_insert_with(|| {
                    label_sets.push(goroutine.labels.clone());
                    label_sets.len() as u32 - 1
                });
                let top = goroutine.frames.first();
                let cluster = examples
                    .get(&goroutine.id)
                    .or_else(|| by_key.get(&cluster_key(goroutine)))
                    .map(|signature| texts.number(signature));
                Row {
                    id: goroutine.id,
                    status: texts.number(&goroutine.status),
                    wait_reason: goroutine.wait_reason.as_deref().map(|reason| texts.number(reason)),
                    wait_seconds: goroutine.wait_seconds,
                    labels,
                    thread: goroutine.thread,
                    system: goroutine.system,
                    top_function: top.map(|frame| texts.number(&frame.function)),
                    top_file: top.and_then(|frame| frame.file.as_deref()).map(|file| texts.number(file)),
                    top_line: top.and_then(|frame| frame.line),
                    created_by: goroutine
                        .created_by
                        .as_ref()
                        .map(|created_by| texts.number(&created_by.function)),
                    cluster,
                    frame_count: goroutine.frames.len() as u32,
                }
            })
            .collect();
        Self { texts: texts.texts, label_sets, rows }
    }

    /// The text with this number.
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// Roughly how much memory they take.
    pub fn size_bytes(&self) -> usize {
        let labels = self.label_sets.iter().flatten().map(|(key, value)| key.len() + value.len() + 96);
        self.rows.len() * size_of::<Row>()
            + self.texts.iter().map(|text| text.len() + 24).sum::<usize>()
            + labels.sum::<usize>()
    }
}

fn cluster_key(goroutine: &Goroutine) -> ClusterKey<'_> {
    (
        &goroutine.status,
        goroutine.wait_reason.as_deref(),
        goroutine.frames.iter().map(|frame| (frame.function.as_str(), frame.line)).collect(),
    )
}

#[cfg(test)]
mod tests;
