//! The blocks of a function, and where its jump tables lead.

use std::collections::{BTreeSet, HashMap};

use super::{analysis::Analysis, instruction::Next};

/// Blocks of one function.
const MOST_BLOCKS: usize = 20_000;
/// Entries of one jump table.
const MOST_TARGETS: u64 = 4096;
/// Edges between the blocks of one function.
const MOST_EDGES: usize = 200_000;

/// A run of instructions without jumps in or out of its middle.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Its instructions, by index.
    pub(super) steps: (usize, usize),
    /// The blocks that it goes on with, and those it comes from, by index.
    pub(super) next: Vec<usize>,
    pub(super) before: Vec<usize>,
}

impl Analysis {
    /// Finds the blocks.
    pub(super) fn divide(&mut self, tables: &HashMap<usize, Vec<u64>>) -> Option<()> {
        let count = self.code.steps.len();
        let size = self.code.steps.last().map_or(0, |step| step.site + u32::from(step.length));
        let end = self.entry.wrapping_add(u64::from(size));
        let inside = |address: u64| (self.entry..end).contains(&address);
        let mut leaders = BTreeSet::from([0]);
        // A jump into the middle of an instruction is something that is not understood here.
        let mut lead = |address: u64| match self.step_at(address) {
            Some(step) => {
                leaders.insert(step);
                true
            }
            None => !inside(address),
        };
        for (index, step) in self.code.steps.iter().enumerate() {
            let understood = match step.next {
                Next::Jump(target) | Next::Branch(target) => lead(target),
                Next::Table(_) | Next::Register(_) => {
                    tables.get(&index).into_iter().flatten().all(|target| lead(*target))
                }
                _ => true,
            };
            if !understood {
                return None;
            }
        }
        for (index, step) in self.code.steps.iter().enumerate() {
            if !matches!(step.next, Next::Following | Next::Call(_)) || self.ends(step) {
                leaders.insert(index + 1);
            }
        }
        leaders.remove(&count);
        if leaders.len() > MOST_BLOCKS {
            return None;
        }
        let starts: Vec<usize> = leaders.into_iter().collect();
        let ends = starts.iter().skip(1).copied().chain([count]);
        self.blocks = starts
            .iter()
            .zip(ends)
            .map(|(start, end)| Block { steps: (*start, end), ..Block::default() })
            .collect();
        let block_of = |step: usize| starts.binary_search(&step).ok();
        let mut edges = Vec::new();
        for (index, block) in self.blocks.iter().enumerate() {
            let last = block.steps.1.checked_sub(1)?;
            let step = self.code.steps.get(last)?;
            let to = |address: u64| self.step_at(address).and_then(block_of);
            let following = block_of(last + 1);
            match step.next {
                Next::Jump(target) => edges.extend(to(target).map(|next| (index, next))),
                Next::Branch(target) => {
                    edges.extend(to(target).into_iter().chain(following).map(|next| (index, next)));
                }
                Next::Following => edges.extend(following.map(|next| (index, next))),
                Next::Call(_) if !self.ends(step) => {
                    edges.extend(following.map(|next| (index, next)));
                }
                Next::Table(_) | Next::Register(_) => {
                    let targets = tables.get(&last).into_iter().flatten();
                    edges.extend(targets.filter_map(|target| to(*target)).map(|next| (index, next)));
                }
                Next::Call(_) | Next::End => {}
            }
        }
        edges.sort_unstable();
        edges.dedup();
        if edges.len() > MOST_EDGES {
            return None;
        }
        for (from, to) in edges {
            self.blocks.get_mut(from)?.next.push(to);
            self.blocks.get_mut(to)?.before.push(from);
        }
        Some(())
    }

    /// The addresses in a jump table: those within the function, up to the first that is not. They may be more
    /// than the jump uses, when another table follows.
    pub(super) fn targets(&self, word: &dyn Fn(u64) -> Option<u64>, table: u64) -> Option<Vec<u64>> {
        let mut targets: Vec<u64> = (0..MOST_TARGETS)
            .map_while(|index| word(table.wrapping_add(index * 8)))
            .take_while(|target| self.step_at(*target).is_some())
            .collect();
        targets.sort_unstable();
        targets.dedup();
        (!targets.is_empty()).then_some(targets)
    }
}
