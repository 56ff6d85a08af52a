//! Reading from a test runner's output how many tests it ran.
//!
//! A runner that found no tests, or skipped some, ends well; here both are failures.

use anyhow::{Result, bail};

/// Tests that were run, and that were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Passed.
    pub(crate) passed: usize,
    /// Ignored, skipped or left as a to-do.
    pub(crate) skipped: usize,
}

impl Count {
    /// For a step that is one check and no test.
    pub(crate) const NONE: Self = Self { passed: 0, skipped: 0 };

    /// Fails when nothing was run or something was not.
    pub(crate) fn complete(self) -> Result<Self> {
        if self.passed == 0 {
            bail!("no test was run, or the runner's summary was not understood");
        }
        self.unskipped()
    }

    /// Fails when something was not run.
    pub(crate) fn unskipped(self) -> Result<Self> {
        if self.skipped > 0 {
            bail!("{} tests were skipped", self.skipped);
        }
        Ok(self)
    }
}

/// Reads the summaries of nextest, libtest, vitest, node:test and Playwright.
pub(crate) fn count(output: &str) -> Count {
    let mut total = Count::default();
    for line in output.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("test result: ok.") {
            // libtest: `4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; …`
            total.add(rest, "passed", &["ignored"]);
        } else if line.starts_with("Summary [") && line.contains(" run: ") {
            // nextest: `Summary [ 0.1s] 12 tests run: 12 passed (1 slow), 2 skipped`
            let rest = line.split_once(" run: ").map_or("", |(_, rest)| rest);
            total.add(rest, "passed", &["skipped"]);
        } else if let Some(rest) = line.strip_prefix("Tests ") {
            // vitest: `Tests  12 passed | 1 skipped (13)`
            total.add(rest, "passed", &["skipped", "todo"]);
        } else if let Some(rest) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) {
            // node:test: a line each, `ℹ pass 12`
            match rest.split_once(' ').map(|(word, number)| (word, number.trim().parse::<usize>())) {
                Some(("pass", Ok(number))) => total.passed += number,
                Some(("skipped" | "todo", Ok(number))) => total.skipped += number,
                _ => {}
            }
        } else if is_playwright(line) {
            // Playwright: a line each, `12 passed (3.4s)`
            total.add(line, "passed", &["skipped", "did not run"]);
        }
    }
    total
}

impl Count {
    fn add(&mut self, text: &str, passed: &str, skipped: &[&str]) {
        self.passed += before(text, passed);
        self.skipped += skipped.iter().map(|word| before(text, word)).sum::<usize>();
    }
}

/// The number before a word.
fn before(text: &str, word: &str) -> usize {
    text.split_once(word)
        .and_then(|(head, _)| head.split_whitespace().last())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn is_playwright(line: &str) -> bool {
    let Some((number, rest)) = line.split_once(' ') else { return false };
    number.parse::<usize>().is_ok()
        && (rest == "skipped"
            || rest == "did not run"
            || (rest.starts_with("passed (") && (rest.ends_with("s)") || rest.ends_with("m)"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_all_runners_are_read() {
        let cases = [
            ("     Summary [   0.123s] 12 tests run: 12 passed (1 slow), 2 skipped", 12, 2),
            ("     Summary [   0.123s] 1 test run: 1 passed, 0 skipped", 1, 0),
            ("test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out", 4, 1),
            (" Test Files  3 passed (3)\n      Tests  11 passed | 1 skipped (12)", 11, 1),
            ("ℹ tests 7\nℹ pass 7\nℹ fail 0\nℹ skipped 0\nℹ todo 1", 7, 1),
            ("# tests 7\n# pass 6\n# skipped 1", 6, 1),
            ("  1 skipped\n  9 passed (4.2s)", 9, 1),
            ("  9 passed (1.2m)", 9, 0),
            ("nothing of the kind", 0, 0),
        ];
        for (text, passed, skipped) in cases {
            assert_eq!(count(text), Count { passed, skipped }, "{text}");
        }
    }

    #[test]
    fn no_tests_and_skipped_tests_are_failures() {
        assert!(Count::NONE.complete().is_err());
        assert!(Count { passed: 3, skipped: 1 }.complete().is_err());
        assert!(Count { passed: 3, skipped: 0 }.complete().is_ok());
    }
}
