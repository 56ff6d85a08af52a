//! Goroutines with one stack, counted.

use std::collections::{HashMap, hash_map::Entry};

use panicle_evidence::traceback::{TextCluster, TextGoroutine};
use panicle_report::{Frame, Goroutine, GoroutineCluster};

use crate::{digest, facts};

/// How many goroutines a cluster names.
const EXAMPLES: usize = 10;

/// Clusters by state, wait reason and stack (functions and lines): largest first, then the one with
/// the lowest goroutine id. The result does not depend on the order of the goroutines.
pub(crate) fn cluster(goroutines: &[Goroutine]) -> Vec<GoroutineCluster> {
    let mut clusters: HashMap<String, GoroutineCluster> = HashMap::new();
    for goroutine in goroutines {
        let signature = signature(goroutine);
        let cluster = clusters.entry(signature).or_insert_with_key(|signature| GoroutineCluster {
            signature: signature.clone(),
            status: goroutine.status.clone(),
            wait_reason: goroutine.wait_reason.clone(),
            count: 0,
            example_ids: Vec::new(),
            min_wait_seconds: None,
            max_wait_seconds: None,
            frames: goroutine.frames.iter().map(shared).collect(),
        });
        cluster.count += 1;
        let at = cluster.example_ids.partition_point(|id| *id < goroutine.id);
        if at < EXAMPLES {
            cluster.example_ids.insert(at, goroutine.id);
            cluster.example_ids.truncate(EXAMPLES);
        }
        if let Some(seconds) = goroutine.wait_seconds {
            cluster.min_wait_seconds = Some(cluster.min_wait_seconds.map_or(seconds, |m| m.min(seconds)));
            cluster.max_wait_seconds = Some(cluster.max_wait_seconds.map_or(seconds, |m| m.max(seconds)));
        }
    }
    sorted(clusters)
}

/// Clusters that were counted while a text was read, as [`cluster`] makes them. `goroutine` translates.
pub(crate) fn of_text(
    clusters: Vec<TextCluster>,
    goroutine: impl Fn(&TextGoroutine) -> Goroutine,
) -> Vec<GoroutineCluster> {
    let mut all: HashMap<String, GoroutineCluster> = HashMap::new();
    for text in clusters.into_iter().filter(|c| c.count > 0) {
        let one = cluster(&[goroutine(&text.first)]).pop();
        let Some(mut made) = one else { continue };
        let minutes = |minutes: u64| minutes as f64 * 60.0;
        made.count = text.count;
        made.example_ids = text.example_ids;
        made.min_wait_seconds = text.wait_minutes.map(|(low, _)| minutes(low));
        made.max_wait_seconds = text.wait_minutes.map(|(_, high)| minutes(high));
        // Names that are printed in two ways are one in a report.
        match all.entry(made.signature.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(made);
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += made.count;
                known.example_ids.extend(made.example_ids);
                known.example_ids.sort_unstable();
                known.example_ids.truncate(EXAMPLES);
                known.min_wait_seconds = lesser(known.min_wait_seconds, made.min_wait_seconds);
                known.max_wait_seconds = greater(known.max_wait_seconds, made.max_wait_seconds);
            }
        }
    }
    sorted(all)
}

fn lesser(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn greater(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

fn sorted(clusters: HashMap<String, GoroutineCluster>) -> Vec<GoroutineCluster> {
    let mut clusters: Vec<_> = clusters.into_values().collect();
    clusters.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.example_ids.cmp(&b.example_ids)));
    clusters
}

/// `40 goroutines, chan receive, in leak.worker (leak.go:12)`.
pub(crate) fn describe(cluster: &GoroutineCluster) -> String {
    let state = cluster.wait_reason.as_deref().unwrap_or(&cluster.status);
    let plural = if cluster.count == 1 { "" } else { "s" };
    let place = cluster.frames.iter().find(|f| facts::in_app(f)).or_else(|| cluster.frames.first());
    let place = place.map_or(String::new(), |frame| format!(", in {}", facts::describe(frame)));
    format!("{} goroutine{plural}, {state}{place}", cluster.count)
}

fn signature(goroutine: &Goroutine) -> String {
    let lines: Vec<_> = goroutine.frames.iter().map(|f| f.line.unwrap_or(0).to_string()).collect();
    let stack =
        goroutine.frames.iter().zip(&lines).flat_map(|(f, line)| [f.function.as_str(), line.as_str()]);
    // A missing reason differs from an empty one: the digest counts parts by their lengths only.
    let reason = goroutine.wait_reason.as_deref().map_or("-", |reason| reason);
    digest::of([goroutine.status.as_str(), reason].into_iter().chain(stack))
}

/// A frame without what differs between goroutines that share it.
fn shared(frame: &Frame) -> Frame {
    Frame { pc: None, sp: None, args: None, locals: Vec::new(), ..frame.clone() }
}

#[cfg(test)]
mod tests {
    use super::{cluster, describe};
    use crate::testing::{frame, goroutine};

    #[test]
    fn counts_what_is_alike_and_keeps_the_lowest_ids() {
        let mut all: Vec<_> = (1..=30)
            .rev()
            .map(|id| goroutine(id, "waiting", Some("select"), vec![frame("main.wait", "main.go", 7)]))
            .collect();
        all.push(goroutine(99, "waiting", Some("select"), vec![frame("main.wait", "main.go", 8)]));
        let clusters = cluster(&all);
        assert_eq!(clusters.len(), 2);
        assert_eq!(clusters[0].count, 30);
        assert_eq!(clusters[0].example_ids, (1..=10).collect::<Vec<_>>());
        assert_eq!(describe(&clusters[1]), "1 goroutine, select, in main.wait (main.go:8)");
    }

    #[test]
    fn does_not_depend_on_order() {
        let mut all: Vec<_> = (1..=5)
            .map(|id| goroutine(id, "running", None, vec![frame(&format!("main.f{id}"), "main.go", 1)]))
            .collect();
        let forward = cluster(&all);
        all.reverse();
        assert_eq!(cluster(&all), forward);
    }

    #[test]
    fn keeps_the_range_of_waits() {
        let mut a = goroutine(1, "waiting", Some("IO wait"), Vec::new());
        let mut b = goroutine(2, "waiting", Some("IO wait"), Vec::new());
        a.wait_seconds = Some(60.0);
        b.wait_seconds = Some(120.0);
        let clusters = cluster(&[a, b, goroutine(3, "waiting", Some("IO wait"), Vec::new())]);
        assert_eq!((clusters[0].min_wait_seconds, clusters[0].max_wait_seconds), (Some(60.0), Some(120.0)));
    }
}
