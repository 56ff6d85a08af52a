//! What is wrong with a map, said a bounded number of times.

/// Sentences that are kept.
const MOST: usize = 12;

/// What is wrong with a map: sentences, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Problems {
    said: Vec<String>,
    more: u64,
}

impl Problems {
    /// Nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// How many things are wrong.
    pub(super) fn count(&self) -> u64 {
        self.said.len() as u64 + self.more
    }

    /// Keeps `problem`, unless there are many already.
    pub(super) fn add(&mut self, problem: String) {
        if self.said.contains(&problem) {
            return;
        }
        if self.said.len() < MOST {
            self.said.push(problem);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.more += other.more;
        for problem in other.said {
            self.add(problem);
        }
    }

    /// The sentences, and how many were left out.
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = self.said.clone();
        if self.more > 0 {
            all.push(format!("{} more such problems.", self.more));
        }
        all
    }
}
