//! What the goroutines of a process had in common when somebody looked: the signature of a hang or a leak.
//!
//! Nobody is at fault when a process is dumped from outside, and which goroutine was interrupted is chance.
//! So goroutines are put together by the program's own functions on their stacks, without lines, and the
//! shares tell: one stack that stands out is the signature, whatever was asked to dump the process and
//! however. Without one it is what the goroutines were started with.

use std::collections::BTreeMap;

use panicle_report::{GoroutineCluster, PopulationStack, SignatureStep};

use super::frames::own_functions;
use crate::facts::Facts;

/// Stacks that the report lists.
const LISTED: usize = 8;
/// Functions that goroutines were started with, in a signature.
const ENTRIES: usize = 5;

/// Goroutines of the program by stack, most first.
pub(super) struct Population<'a> {
    stacks: Vec<Stack<'a>>,
    /// Goroutines with a function of the program on their stacks.
    total: u64,
}

/// Goroutines that share a stack.
pub(super) struct Stack<'a> {
    /// The program's functions, innermost first, normalised.
    pub(super) names: Vec<String>,
    count: u64,
    /// What most of them wait for, or their state.
    state: &'a str,
    state_count: u64,
}

impl<'a> Population<'a> {
    /// Puts the goroutines of a process together.
    pub(super) fn of(facts: &Facts<'a>) -> Self {
        let mut counts: BTreeMap<Vec<String>, Stack<'a>> = BTreeMap::new();
        let mut total = 0;
        for cluster in facts.clusters {
            let names = of_cluster(facts, cluster);
            if names.is_empty() {
                continue;
            }
            total += cluster.count;
            let state = cluster.wait_reason.as_deref().unwrap_or(&cluster.status);
            let new = || Stack { names: names.clone(), count: 0, state, state_count: 0 };
            let stack = counts.entry(names.clone()).or_insert_with(new);
            stack.count += cluster.count;
            if cluster.count > stack.state_count {
                (stack.state, stack.state_count) = (state, cluster.count);
            }
        }
        let mut stacks: Vec<_> = counts.into_values().collect();
        stacks.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.names.cmp(&b.names)));
        Self { stacks, total }
    }

    /// No goroutine has a function of the program on its stack.
    pub(super) fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// The stack that so many goroutines share that it is no chance.
    pub(super) fn dominant(&self) -> Option<&Stack<'a>> {
        let count = |at: usize| self.stacks.get(at).map_or(0, |stack| stack.count);
        self.stacks.first().filter(|_| stands_out(count(0), count(1)))
    }

    /// The functions that most of the goroutines were started with, most first, and whether the first
    /// stands out.
    pub(super) fn entries(&self) -> (Vec<&str>, bool) {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for stack in &self.stacks {
            if let Some(entry) = stack.names.last() {
                *counts.entry(entry).or_default() += stack.count;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
        let count = |at: usize| counts.get(at).map_or(0, |&(_, count)| count);
        let stands_out = stands_out(count(0), count(1));
        (counts.into_iter().take(ENTRIES).map(|(name, _)| name).collect(), stands_out)
    }

    /// The largest stacks with their shares.
    pub(super) fn listed(&self) -> Vec<PopulationStack> {
        let listed = self.stacks.iter().take(LISTED).map(|stack| PopulationStack {
            share: stack.count as f64 / self.total as f64,
            count: stack.count,
            state: stack.state.to_owned(),
            frames: stack.names.clone(),
        });
        listed.collect()
    }

    /// How it was decided what the signature is made of.
    pub(super) fn explain(&self, explain: &mut Vec<SignatureStep>) {
        for stack in self.listed() {
            explain.push(SignatureStep {
                step: "population".to_owned(),
                input: format!(
                    "{} of {} goroutines ({:.1} %): {}",
                    stack.count,
                    self.total,
                    stack.share * 100.0,
                    stack.state
                ),
                output: Some(stack.frames.join(" < ")),
                rule: "goroutines whose stacks have the same functions of the program".to_owned(),
            });
        }
        let rule = match self.dominant() {
            Some(_) => "ten goroutines or more, and twice as many as the next: this stack is the signature",
            None => "no stack stands out, so what the goroutines were started with is the signature",
        };
        explain.push(SignatureStep {
            step: "population".to_owned(),
            input: format!("{} stacks", self.stacks.len()),
            output: None,
            rule: rule.to_owned(),
        });
    }
}

/// Whether the largest of several groups is so much larger than the next that it is no chance.
fn stands_out(first: u64, second: u64) -> bool {
    first >= 10 && first >= 2 * second
}

/// The program's functions on a cluster's stack, innermost first, normalised, each once.
fn of_cluster(facts: &Facts<'_>, cluster: &GoroutineCluster) -> Vec<String> {
    // Of a cluster any example will do: its goroutines stand on the same lines from the outermost on.
    let example = facts.goroutines.iter().find(|goroutine| cluster.example_ids.contains(&goroutine.id));
    own_functions(&cluster.frames, example.and_then(|goroutine| goroutine.created_by.as_ref()))
}
