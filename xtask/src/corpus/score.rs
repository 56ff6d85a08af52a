//! How well the groups fit the bugs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::plan::Bugs;

/// An analysed crash whose bug is known.
#[derive(Debug, Serialize)]
pub(crate) struct Crash {
    pub(super) bug: String,
    pub(super) go: String,
    pub(super) build: String,
    pub(super) evidence: String,
    pub(super) class: String,
    pub(super) fingerprint: String,
    pub(super) family: String,
    pub(super) title: String,
    pub(super) frames: Vec<String>,
}

impl Crash {
    fn label(&self) -> String {
        format!("Go {} {}, {}", self.go, self.build, self.evidence)
    }
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Score {
    crashes: Vec<Crash>,
    /// Crashes whose class is not the bug's.
    misjudged: Vec<usize>,
}

impl Score {
    /// Compares crashes with what is known of them.
    pub(super) fn of(crashes: Vec<Crash>, bugs: &Bugs) -> Self {
        let wrong = |crash: &Crash| !bugs.allows(&crash.bug, &crash.class, crash.evidence != "core");
        let misjudged = crashes.iter().enumerate().filter(|(_, c)| wrong(c)).map(|(at, _)| at).collect();
        Self { crashes, misjudged }
    }

    /// Fingerprints of each bug with the crashes that have them.
    fn by_bug(&self) -> BTreeMap<&str, BTreeMap<&str, Vec<&Crash>>> {
        let mut bugs: BTreeMap<&str, BTreeMap<&str, Vec<&Crash>>> = BTreeMap::new();
        for crash in &self.crashes {
            bugs.entry(&crash.bug).or_default().entry(&crash.fingerprint).or_default().push(crash);
        }
        bugs
    }

    /// Fingerprints that several bugs have.
    fn shared(&self) -> Vec<(&str, BTreeSet<&str>)> {
        let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for crash in &self.crashes {
            groups.entry(&crash.fingerprint).or_default().insert(&crash.bug);
        }
        groups.into_iter().filter(|(_, bugs)| bugs.len() > 1).collect()
    }

    /// How many crashes there are, and how many of them are where they belong.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let shared = self.shared();
        let mut right = 0;
        for groups in self.by_bug().values() {
            let largest = groups.iter().max_by_key(|(_, crashes)| crashes.len());
            right += largest
                .filter(|(fingerprint, _)| !shared.iter().any(|(other, _)| other == *fingerprint))
                .map_or(0, |(_, crashes)| crashes.len());
        }
        (self.crashes.len(), right)
    }

    /// Every bug has one group, every group one bug, and every class is right.
    pub(crate) fn is_clean(&self) -> bool {
        let (all, right) = self.counts();
        all > 0 && all == right && self.misjudged.is_empty()
    }

    /// A line for each bug, and what is wrong.
    pub(crate) fn print(&self) {
        let by_bug = self.by_bug();
        println!("{:<18} {:>8} {:>7}   group", "bug", "crashes", "groups");
        for (bug, groups) in &by_bug {
            let crashes: usize = groups.values().map(Vec::len).sum();
            let largest =
                groups.values().max_by_key(|crashes| crashes.len()).and_then(|crashes| crashes.first());
            let title = largest.map_or("", |crash| &crash.title);
            println!("{bug:<18} {crashes:>8} {:>7}   {title}", groups.len());
        }
        for (bug, groups) in by_bug.iter().filter(|(_, groups)| groups.len() > 1) {
            println!("\n{bug} has {} groups:", groups.len());
            for (fingerprint, crashes) in groups {
                let Some(first) = crashes.first() else { continue };
                println!("  {fingerprint} {} {:?}", first.title, first.frames);
                for crash in crashes.iter().take(6) {
                    println!("    {}", crash.label());
                }
                if crashes.len() > 6 {
                    println!("    and {} more", crashes.len() - 6);
                }
            }
        }
        for (fingerprint, bugs) in self.shared() {
            println!("\n{fingerprint} holds several bugs: {}", Vec::from_iter(bugs).join(", "));
        }
        for crash in self.misjudged.iter().filter_map(|&at| self.crashes.get(at)) {
            println!("\n{} was taken for {}: {}", crash.bug, crash.class, crash.label());
        }
        let (all, right) = self.counts();
        println!(
            "\n{right} of {all} crashes are in the group of their bug and nothing else; {} of {all} classes are right",
            all - self.misjudged.len()
        );
    }

    /// All crashes, one JSON object a line.
    pub(super) fn lines(&self) -> Result<String> {
        let lines: Result<Vec<_>, _> = self.crashes.iter().map(serde_json::to_string).collect();
        Ok(lines?.join("\n") + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{Crash, Score};

    fn score(crashes: &[(&str, &str)]) -> Score {
        let crash = |&(bug, fingerprint): &(&str, &str)| Crash {
            bug: bug.to_owned(),
            go: String::new(),
            build: String::new(),
            evidence: "core".to_owned(),
            class: String::new(),
            fingerprint: fingerprint.to_owned(),
            family: String::new(),
            title: String::new(),
            frames: Vec::new(),
        };
        Score { crashes: crashes.iter().map(crash).collect(), misjudged: Vec::new() }
    }

    #[test]
    fn a_bug_in_two_groups_and_two_bugs_in_one_are_counted() {
        assert!(score(&[("a", "1"), ("a", "1"), ("b", "2")]).is_clean());
        assert_eq!(score(&[("a", "1"), ("a", "1"), ("a", "3"), ("b", "2")]).counts(), (4, 3));
        assert_eq!(score(&[("a", "1"), ("b", "1"), ("c", "2")]).counts(), (3, 1));
        assert!(!score(&[]).is_clean());
    }
}
