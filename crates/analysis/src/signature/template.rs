//! Messages without their values, so that one bug has one message.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

/// Bytes of a message that are looked at.
const LIMIT: usize = 1024;

/// What operations on files are called in errors of package os.
macro_rules! file_verbs {
    () => {
        r"(open|openat|stat|lstat|fstat|read|write|pread|pwrite|close|seek|sync|truncate|mkdir|mkdirat|remove|rename|readdir|readdirent|readlink|link|symlink|unlink|unlinkat|rmdir|chdir|chmod|chown|lchown|chtimes|fork/exec|exec|CreateFile|GetFileAttributesEx|FindFirstFile)"
    };
}

/// Errors of the system about files, of Linux, macOS and Windows, and those of package fs.
macro_rules! system_errors {
    () => {
        r"(no such file or directory|file does not exist|file already exists|file exists|permission denied|operation not permitted|is a directory|not a directory|directory not empty|read-only file system|no space left on device|input/output error|too many open files|file name too long|text file busy|exec format error|file already closed|bad file descriptor|invalid argument|The system cannot find|Access is denied)"
    };
}

/// Every match is meant.
const fn always(_: &str) -> bool {
    true
}

/// How often a text goes from letters to digits or back.
fn changes(text: &str) -> usize {
    let bytes = text.as_bytes();
    bytes.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
}

/// A kind of values.
struct Rule {
    pattern: Regex,
    replacement: &'static str,
    /// Whether what the pattern found is meant; where the pattern alone cannot tell.
    meant: fn(&str) -> bool,
}

/// What is replaced, in this order: the specific before the general.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    PATTERNS
        .iter()
        .filter_map(|&(pattern, replacement, meant)| {
            Some(Rule { pattern: Regex::new(pattern).ok()?, replacement, meant })
        })
        .collect()
});

type Pattern = (&'static str, &'static str, fn(&str) -> bool);

const PATTERNS: [Pattern; 35] = [
    // What fmt writes for a value that does not fit its verb (Go 1.27 fmt/print.go, badVerb): the type stays.
    (r"%!([a-zA-Z]?)\(((?:EXTRA )?[^=()]+)=(?:[^()]|\([^()]*\))*\)", "%!${1}(${2}=<value>)", |found| {
        !found.contains("PANIC=")
    }),
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<uuid>", always),
    (
        r"\b\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d)?(?: [A-Z]{3,4}\b)?(?: m=[+-]\d+\.\d+)?",
        "<time>",
        always,
    ),
    // fs.PathError and os.LinkError: what was done, the path, and what came of it. A path may have blanks, and one
    // without a slash or a dot is told by an error of the system behind it.
    (
        concat!(r"(^|: )", file_verbs!(), r" (?:[a-zA-Z]:\\)?[^:]*[./\\][^:]*(: )", system_errors!()),
        "${1}${2} <path>${3}${4}",
        always,
    ),
    (
        concat!(r"(^|[\s(:])", file_verbs!(), r" [^\s:]+(: )", system_errors!()),
        "${1}${2} <path>${3}${4}",
        always,
    ),
    (r#""(?:[^"\\]|\\.)*""#, "<string>", always),
    (r"`[^`]*`", "<string>", always),
    (r"[“„][^“”]*[”“]|‘[^‘’]*’|«[^«»]*»|‹[^‹›]*›|「[^「」]*」", "<string>", always),
    (r"(^|[\s(=:,\[{])'[^']*'", "${1}<string>", always),
    (r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s,;)\]}]+", "<url>", always),
    (r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b", "<email>", always),
    // Folders may have blanks, as `Program Files` has; the last name ends before one.
    (r#"(?:\b[a-zA-Z]:|\\\\[\w.$-]+)\\(?:[^\\/:*?"<>|]+\\)*[^\s\\/:*?"<>|,;)]*"#, "<path>", always),
    (r"\b[0-9a-fA-F]{2}(?:(?::[0-9a-fA-F]{2}){5,19}|(?:-[0-9a-fA-F]{2}){5,7})\b", "<mac>", always),
    (r"\blookup [\w-]+(?:\.[\w-]+)+\.?", "lookup <host>", always),
    (
        r"\blookup [\w-]+( on \S+:\d|: no such host|: i/o timeout|: server misbehaving)",
        "lookup <host>${1}",
        always,
    ),
    (r"\[(?:[0-9a-fA-F]{0,4}:){2,}[0-9a-fA-F.]*(?:%\w+)?\](?::\d+)?", "<host>", always),
    (r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d+)?\b", "<host>", always),
    (r"\b[\w./-]+\.go:\d+\b", "<file>", always),
    (r"\b[a-zA-Z0-9](?:[\w-]*[a-zA-Z0-9])?(?:\.[\w-]+)+:\d{2,5}\b", "<host>", always),
    // `shard:12` is no host.
    (r"\b[a-zA-Z0-9](?:[\w-]*[a-zA-Z0-9])?:(?:\d{4,5}|80|443)\b", "<host>", always),
    (concat!(r"(^|[\s(:])", file_verbs!(), r" [^\s:/\\]*[./\\][^\s:]*(:)"), "${1}${2} <path>${3}", always),
    (r"(^|[\s(=:,\[{])(?:~|\.{1,2})?/[^\s:,;)\]}]+", "${1}<path>", always),
    (r"\b0[xX][0-9a-fA-F]+\b", "<addr>", always),
    // Pods of a deployment: hash of the template and a suffix, mostly in the letters and digits of
    // k8s.io/apimachinery/pkg/util/rand; of a cron job, minutes and a suffix.
    (r"([a-z0-9])-[bcdf-hj-np-tv-xz2456789]{6,10}-[a-z0-9]{5}\b", "${1}-<pod>", |found| {
        found[2..].split('-').next().is_some_and(|hash| hash.bytes().any(|b| b.is_ascii_digit()))
    }),
    (r"([a-z0-9])-\d{8,10}-[bcdf-hj-np-tv-xz2456789]{5}\b", "${1}-<pod>", always),
    // ULID: 26 characters of Crockford's base 32, the first at most 7.
    (r"\b[0-7](?:[0-9A-HJKMNP-TV-Z]{25}|[0-9a-hjkmnp-tv-z]{25})\b", "<id>", |found| changes(found) > 1),
    (r"(^|[^\w.>])[-+]?\d+(?:\.\d+)?(?:(?:ns|[µμu]s|ms|s|m|h)\d*(?:\.\d+)?)+\b", "${1}<duration>", always),
    (r"(^|[^\w.>])[-+]?\d+(?:\.\d+)? ?(?:[kKMGTPE]i?[bB]|B|[KMGTPE]i)\b", "${1}<size>", always),
    (
        r"(^|[^\w.>])[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)*(?:[eE][-+]?\d+)?i?)\b",
        "${1}<n>",
        always,
    ),
    (r"(^|[^\w.>])[-+]?(?:NaN|Inf)\b", "${1}<n>", always),
    // Hashes. `A1` and `E404` are names of something.
    (r"\b[0-9a-fA-F]{7,}\b", "<hex>", |found| changes(found) >= if found.len() < 12 { 2 } else { 1 }),
    // Random identifiers: no name goes back and forth between letters and digits like that.
    (r"\b[0-9A-Za-z]{16,}\b", "<id>", |found| changes(found) * 5 >= found.len()),
    // Identifiers of things: job-17, orders_2024.
    (r"([-_#])\d+\b", "${1}<n>", always),
    // A list is one value, however long.
    (r"\[(<\w+>)(?:(?:, ?| )<\w+>)+\]", "[${1}]", always),
    (r"\{(<\w+>)(?:(?:, ?| )<\w+>)+\}", "{${1}}", always),
];

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
    for rule in RULES.iter() {
        let replaced = rule.pattern.replace_all(&text, |found: &Captures<'_>| {
            let mut out = String::new();
            if (rule.meant)(&found[0]) {
                found.expand(rule.replacement, &mut out);
            } else {
                out.push_str(&found[0]);
            }
            out
        });
        if let Cow::Owned(changed) = replaced {
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
    use super::{PATTERNS, RULES, of};

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(RULES.len(), PATTERNS.len());
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
            ("pod web-7f9c6d5b4-x2x7k gone", "pod web-<pod> gone"),
            ("rename a.txt b c.txt: no such file or directory", "rename <path>: no such file or directory"),
            ("module v1 wants 1.2.3", "module v1 wants <n>"),
            ("shard:12 is full", "shard:<n> is full"),
        ] {
            assert_eq!(of(message), template, "{message}");
        }
    }

    #[test]
    fn values_of_one_kind_have_one_template() {
        for (one, other) in [
            ("job 01ARZ3NDEKTSV4RRFFQ69G5FAV failed", "job 01BX5ZZKBKACTAV9WEVGEMMVRZ failed"),
            ("pod web-7f9c6d5b4-x2x7k gone", "pod web-5d4f8b9c77-abcde gone"),
            ("pod db-0 gone", "pod db-11 gone"),
            ("pod sweep-28391020-x7k2p gone", "pod sweep-28391035-bbcdf gone"),
            ("no route to 00:1a:2b:3c:4d:5e", "no route to aa:bb:cc:dd:ee:ff"),
            ("no route to 00-1a-2b-3c-4d-5e", "no route to aa-bb-cc-dd-ee-ff"),
            (
                "open relative/a.txt: no such file or directory",
                "open other/b/c.txt: no such file or directory",
            ),
            ("load: open a.txt: permission denied", "load: open b.yaml: permission denied"),
            ("open a.txt: it is gone", "open b.yaml: it is gone"),
            ("stat Makefile: no such file or directory", "stat x y/z w.txt: no such file or directory"),
            ("mkdir data: file exists", "mkdir /var/lib/x y: file exists"),
            (r"bad file C:\a b\c.txt", r"bad file D:\x.txt"),
            (r"open C:\a b\c d.txt: Access is denied.", r"open D:\x.txt: Access is denied."),
            (r"bad file \\nas\share\a.txt found", r"bad file \\other\x\y z\b.txt found"),
            ("total 1,234,567 off", "total 12 off"),
            ("buffer of 10MiB full", "buffer of 3KiB full"),
            ("buffer of 10 MB full", "buffer of 512B full"),
            ("took +1.5s", "took 2h45m0.5s"),
            ("after:1m30s", "after:2µs"),
            ("ratio 1.5e-7", "ratio NaN"),
            ("ratio -Inf", "ratio +1.500000e+000"),
            ("rows [1 2 3] differ", "rows [4 5] differ"),
            ("rows [1, 2, 3] differ", "rows [7] differ"),
            ("ids []int{1, 2, 3}", "ids []int{4, 5}"),
            ("no user “anna”", "no user “bert b.”"),
            ("no user ‘anna’", "no user ‘bert b.’"),
            ("no user «anna»", "no user «bert b.»"),
            ("row %!d(string=hi)", "row %!d(string=ho (2))"),
            ("row %!(EXTRA int=1)", "row %!(EXTRA int=2)"),
            ("token 2fNx8Qw0ZrT5uYp1LkJ7aBcD3eF gone", "token 9aB8cD7eF6gH5iJ4kL3mN2oP1qR gone"),
            ("commit 9fceb02 missing", "commit a1b2c3d4e5 missing"),
        ] {
            assert_eq!(of(one), of(other), "{one}");
            assert_eq!(of(&of(one)), of(one), "{one}");
        }
    }

    #[test]
    fn words_tell_bugs_apart() {
        for (one, other) in [
            ("state A1 invalid", "state B2 invalid"),
            ("code E404", "code E500"),
            ("code E1234567", "code F7654321"),
            ("read config: broken", "read header: broken"),
            ("cannot open file a.txt: file exists", "cannot open template a.txt: file exists"),
            ("lookup key: none", "lookup name: none"),
            ("shard:12 is full", "queue:12 is full"),
            ("row %!d(string=hi)", "row %!d(bool=true)"),
            ("backup-20240102-daily failed", "backup-20240102-final failed"),
            ("pod web-7f9c6d5b4-x2x7k gone", "pod api-7f9c6d5b4-x2x7k gone"),
            ("no codec text/html", "no codec text/plain"),
            ("handleOrder2Something3Else failed", "handleOrder2Something3More failed"),
        ] {
            assert_ne!(of(one), of(other), "{one}");
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
