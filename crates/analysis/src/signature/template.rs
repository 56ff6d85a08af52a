//! Messages without their values, so that one bug has one message.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Bytes of a message that are looked at.
const LIMIT: usize = 1024;

/// What is replaced, in this order: the specific before the general.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<uuid>"),
        (r"\b\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d)?(?: [A-Z]{3,4}\b)?(?: m=[+-]\d+\.\d+)?", "<time>"),
        (r#""(?:[^"\\]|\\.)*""#, "<string>"),
        (r"`[^`]*`", "<string>"),
        (r"(^|[\s(=:,\[{])'[^']*'", "${1}<string>"),
        (r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s,;)\]}]+", "<url>"),
        (r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b", "<email>"),
        (r"\blookup \S+", "lookup <host>"),
        (r"\[(?:[0-9a-fA-F]{0,4}:){2,}[0-9a-fA-F.]*(?:%\w+)?\](?::\d+)?", "<host>"),
        (r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d+)?\b", "<host>"),
        (r"\b[\w./-]+\.go:\d+\b", "<file>"),
        (r"\b[a-zA-Z0-9](?:[\w-]*[a-zA-Z0-9])?(?:\.[\w-]+)*:\d{2,5}\b", "<host>"),
        (r"(^|[\s(=:,\[{])(?:~|\.{1,2})?/[^\s:,;)\]}]+", "${1}<path>"),
        (r"\b[a-zA-Z]:\\[^\s,;)]+", "<path>"),
        (r"\b0[xX][0-9a-fA-F]+\b", "<addr>"),
        (r"(^|[\s(=,\[{])-?\d+(?:\.\d+)?(?:(?:ns|µs|us|ms|s|m|h)\d*(?:\.\d+)?)+\b", "${1}<duration>"),
        (r"(^|[^\w.>])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b", "${1}<n>"),
        (r"\b(?:[0-9a-fA-F]*\d[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*|[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*\d[0-9a-fA-F]*)\b", "<hex>"),
        // Identifiers of things: job-17, orders_2024.
        (r"([-_#])\d+\b", "${1}<n>"),
    ]
    .into_iter()
    .filter_map(|(pattern, replacement)| Some((Regex::new(pattern).ok()?, replacement)))
    .collect()
});

/// A number of a bounds error.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"-?\d+").unwrap_or_else(|_| unreachable!("the pattern is constant and tested"))
});

/// The first line of a message as a template.
pub(super) fn of(message: &str) -> String {
    let line = message.lines().next().unwrap_or("").trim();
    let line = line.strip_prefix("runtime error: ").unwrap_or(line);
    // `[::5]` there are bounds and no address.
    if line.starts_with("slice bounds out of range [") {
        return NUMBER.replace_all(line, "<n>").into_owned();
    }
    let end = line.floor_char_boundary(LIMIT);
    let mut text = Cow::Borrowed(&line[..end]);
    for (pattern, replacement) in RULES.iter() {
        if let Cow::Owned(changed) = pattern.replace_all(&text, *replacement) {
            text = Cow::Owned(changed);
        }
    }
    runtime_wording(&text).into_owned()
}

/// One template for what is one check of the runtime with several wordings.
fn runtime_wording(text: &str) -> Cow<'_, str> {
    // A negative index has no length in its message.
    if text.starts_with("index out of range [") {
        return "index out of range".into();
    }
    // Go 1.25 and 1.26 put a colon there for lookups in an empty map.
    if let Some(type_name) = text.strip_prefix("hash of unhashable type: ") {
        return format!("hash of unhashable type {type_name}").into();
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::{RULES, of};

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(RULES.len(), 19);
    }

    #[test]
    fn replaces_values() {
        for (message, template) in [
            ("runtime error: index out of range [3] with length 3", "index out of range"),
            ("runtime error: index out of range [-1]", "index out of range"),
            (
                "runtime error: slice bounds out of range [:5] with capacity 3",
                "slice bounds out of range [:<n>] with capacity <n>",
            ),
            (
                "runtime error: slice bounds out of range [::5] with length 3",
                "slice bounds out of range [::<n>] with length <n>",
            ),
            ("runtime error: slice bounds out of range [5:3]", "slice bounds out of range [<n>:<n>]"),
            ("main.exitCode(78)", "main.exitCode(<n>)"),
            ("(*main.abort) 0xc000012345", "(*main.abort) <addr>"),
            ("open /var/lib/app/17.db: no such file or directory", "open <path>: no such file or directory"),
            (
                "dial tcp 10.0.0.7:5432: connect: connection refused",
                "dial tcp <host>: connect: connection refused",
            ),
            ("dial tcp [::1]:5432: i/o timeout", "dial tcp <host>: i/o timeout"),
            (
                "dial tcp: lookup db.internal on 10.0.0.2:53: no such host",
                "dial tcp: lookup <host> on <host>: no such host",
            ),
            ("Get \"https://a.example/x?y=1\": EOF", "Get <string>: EOF"),
            ("fetch https://a.example/x?y=1: EOF", "fetch <url> EOF"),
            ("order 3fa85f64-5717-4562-b3fc-2c963f66afa6 is gone", "order <uuid> is gone"),
            ("parse \"3:2x\": invalid", "parse <string>: invalid"),
            ("waited 1m30.5s for job-17", "waited <duration> for job-<n>"),
            ("at 2026-01-02T03:04:05.678Z: late", "at <time>: late"),
            ("since 2026-01-02 03:04:05.678 +0000 UTC m=+0.000039950 gone", "since <time> gone"),
            ("commit 9fceb02d0ae598e95dc970b74767f19372d61af8 missing", "commit <hex> missing"),
            ("ratio -1.5e3 of 7", "ratio <n> of <n>"),
        ] {
            assert_eq!(of(message), template, "{message}");
        }
    }

    #[test]
    fn leaves_words_and_types_alone() {
        for message in [
            "interface conversion: interface {} is string, not int64",
            "interface conversion: main.T1 is not main.Shape2: missing method Area",
            "assignment to entry in nil map",
            "sync: negative WaitGroup counter",
            "it can't be done, won't it",
        ] {
            assert_eq!(of(message), message);
        }
    }

    #[test]
    fn is_stable_and_bounded() {
        for message in ["job 17 of /a/b failed at 10.0.0.1:80", "x'y'z 0x1 [1:2]", ""] {
            assert_eq!(of(&of(message)), of(message));
        }
        assert!(of(&"é".repeat(10_000)).len() <= 1024);
    }
}
