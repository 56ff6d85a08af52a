//! What can be asked.

use crate::{
    Scheme,
    pattern::{Pattern, Piece},
};

/// A row of the table of what can be asked.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table, and says yes or no")]
pub struct Field {
    /// Its name before the colon.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What its values are.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// Name of the fact that it reads, mostly its own name.
    pub fact: &'static str,
    /// Takes a key: `label.env`.
    pub keyed: bool,
    /// Upper and lower case differ.
    pub case: bool,
    /// A word without a field is looked for in it.
    pub free: bool,
    /// The quoted text of a predicate is looked for in it.
    pub literal: bool,
    /// It stays while the crash stays the same, so that a predicate can ask for it.
    pub lasting: bool,
    /// What it is, for a person.
    pub help: &'static str,
    /// Terms that ask for it.
    pub examples: &'static [&'static str],
}

/// What a field's values are, and with it how they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word: the whole of it, or a pattern.
    Word,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Prose: any part of it, or a pattern for the whole.
    Text,
    /// A path or the name of a function: the whole of it, or its end from a `/` or `.` on, or a pattern for either.
    Path,
    /// An identifier: its beginning, or a pattern.
    Hash,
    /// A version: compared as versions, or a pattern.
    Version(Scheme),
    /// A number.
    Number,
    /// A time.
    Time,
    /// The time after which (`true`) or until which it was.
    Bound(bool),
    /// Goroutines by a word: how many have one of the values.
    Count,
    /// Goroutines by the name of a function.
    CountPath,
}

/// What a field is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The crash.
    Crash,
    /// The goroutines of the crash.
    Goroutines,
    /// The group that the crash is in.
    Group,
}

impl Kind {
    /// The kind in a word, for the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::OneOf(_) => "one-of",
            Self::Text => "text",
            Self::Path => "path",
            Self::Hash => "hash",
            Self::Version(_) => "version",
            Self::Number => "number",
            Self::Time | Self::Bound(_) => "time",
            Self::Count | Self::CountPath => "count",
        }
    }

    /// What may stand between the colon and the value, or after the value of a count.
    pub const fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Word | Self::OneOf(_) | Self::Text | Self::Path | Self::Hash => &["*", "?"],
            Self::Version(_) => &["<", "<=", ">", ">=", "..", "*", "?"],
            Self::Number | Self::Time => &["<", "<=", ">", ">=", ".."],
            Self::Bound(_) => &[],
            Self::Count | Self::CountPath => &["*", "?", "<", "<=", ">", ">=", "="],
        }
    }
}

impl Subject {
    /// The subject in a word, for the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Goroutines => "goroutines",
            Self::Group => "group",
        }
    }
}

const CLASSES: &[&str] = &[
    "nil-map-write",
    "concurrent-map-write",
    "concurrent-map-read-write",
    "concurrent-map-iteration-write",
    "nil-dereference",
    "nil-func-call",
    "index-out-of-range",
    "slice-bounds",
    "type-assertion",
    "unhashable-key",
    "close-closed-channel",
    "close-nil-channel",
    "send-closed-channel",
    "negative-waitgroup",
    "unlock-unlocked",
    "divide-by-zero",
    "makeslice",
    "out-of-memory",
    "stack-overflow",
    "deadlock",
    "goroutine-leak",
    "error-panic",
    "string-panic",
    "custom-panic",
    "checkptr",
    "unexpected-fault",
    "cgo-fault",
    "external-signal",
    "runtime-throw",
    "runtime-corruption",
    "data-race",
    "no-crash",
    "unknown",
];
const CONFIDENCES: &[&str] = &["certain", "likely", "possible", "unknown"];
const STATUSES: &[&str] =
    &["received", "waiting-for-binary", "queued", "analysing", "done", "failed", "quarantined"];
const STATES: &[&str] = &["new", "ongoing", "regressed", "resolved", "muted"];

const fn field(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    examples: &'static [&'static str],
) -> Field {
    Field {
        name,
        aliases: &[],
        kind,
        subject: Subject::Crash,
        fact: name,
        keyed: false,
        case: false,
        free: false,
        literal: false,
        lasting: true,
        help,
        examples,
    }
}

impl Field {
    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn free(self) -> Self {
        Self { free: true, ..self }
    }

    /// In the stack or the message.
    const fn printed(self) -> Self {
        Self { free: true, literal: true, ..self }
    }

    const fn case(self) -> Self {
        Self { case: true, ..self }
    }

    const fn fleeting(self) -> Self {
        Self { lasting: false, ..self }
    }

    const fn of_goroutines(self) -> Self {
        Self { subject: Subject::Goroutines, ..self }
    }

    const fn of_group(self, fact: &'static str) -> Self {
        Self { subject: Subject::Group, fact, lasting: false, ..self }
    }

    const fn reads(self, fact: &'static str) -> Self {
        Self { fact, ..self }
    }

    const fn keyed(self) -> Self {
        Self { keyed: true, ..self }
    }
}

/// The table of what can be asked.
pub static FIELDS: &[Field] = &[
    field(
        "class",
        Kind::OneOf(CLASSES),
        "Root-cause class of the verdict.",
        &["class:nil-map-write", "class:concurrent-map-*"],
    )
    .printed(),
    field(
        "title",
        Kind::Text,
        "Headline of the verdict or of the signature.",
        &["title:\"nil map\"", "title:*users*"],
    )
    .printed(),
    field(
        "message",
        Kind::Text,
        "What the panic or fatal error printed.",
        &["message:\"connection refused\""],
    )
    .printed(),
    field(
        "frame",
        Kind::Path,
        "Function on the stack of the goroutine at fault, or among the frames of the signature.",
        &["frame:main.(*Cache).Put", "frame:Put", "frame:*handler*"],
    )
    .also(&["function", "func"])
    .case()
    .printed(),
    field(
        "service",
        Kind::Word,
        "Service that crashed, as whoever sent it says.",
        &["service:auth", "service:auth-*"],
    )
    .free(),
    field("host", Kind::Word, "Host that it ran on.", &["host:node-7", "host:*.eu.example.com"])
        .also(&["hostname"])
        .free(),
    field("label", Kind::Word, "Label that was given along.", &["label.env:prod", "label.\"app id\":7"])
        .also(&["labels"])
        .keyed(),
    field("module", Kind::Path, "Path of the main module.", &["module:example.com/shop", "module:shop"]),
    field(
        "version",
        Kind::Version(Scheme::Module),
        "Version of the main module, in the order of semantic versioning.",
        &["version:v1.4.2", "version:v1.4", "version:v1.4.*", "version:>=v1.4.0-rc.1", "version:v1.2..v1.4"],
    ),
    field(
        "go",
        Kind::Version(Scheme::Go),
        "Go version, in the order of releases: go1.24rc1 is before go1.24.",
        &["go:1.24", "go:>=1.24", "go:1.22..1.23", "go:go1.24.*"],
    ),
    field(
        "revision",
        Kind::Hash,
        "Revision in version control that it was built from.",
        &["revision:3f2a9c1"],
    )
    .also(&["commit"]),
    field(
        "build",
        Kind::Hash,
        "Build ID of GNU or Go, or SHA-256 of the text, of the executable.",
        &["build:9f86d081"],
    )
    .also(&["build_id"])
    .case(),
    field(
        "executable",
        Kind::Path,
        "Path of the executable.",
        &["executable:shopd", "executable:/usr/bin/*"],
    ),
    field("arch", Kind::Word, "GOARCH of the process.", &["arch:arm64"]),
    field("os", Kind::Word, "GOOS of the process.", &["os:windows"]),
    field("signal", Kind::Word, "Signal that the process got, or died of.", &["signal:SIGSEGV"]),
    field(
        "panic",
        Kind::Path,
        "Type of a panic's value.",
        &["panic:runtime.boundsError", "panic:*net.OpError"],
    )
    .case(),
    field("confidence", Kind::OneOf(CONFIDENCES), "How sure the verdict is.", &["confidence:certain"]),
    field("fingerprint", Kind::Hash, "Fingerprint of the signature.", &["fingerprint:0f3c"]).free(),
    field("family", Kind::Hash, "Family of the signature.", &["family:77aa"]),
    field("maps", Kind::Number, "Maps that were found in memory.", &["maps:>100"]),
    field("threads", Kind::Number, "Threads of the process.", &["threads:>=200"]),
    field(
        "goroutines",
        Kind::Number,
        "Goroutines of the process.",
        &["goroutines:>10000", "goroutines:1..10"],
    )
    .of_goroutines(),
    field("clusters", Kind::Number, "Different stacks among the goroutines.", &["clusters:<5"])
        .of_goroutines(),
    field(
        "goroutines.status",
        Kind::Count,
        "Goroutines in a state, or waiting for a reason, as a traceback's header says it.",
        &[
            "goroutines.status:\"chan receive\">1000",
            "goroutines.status:running",
            "goroutines.status:sync.*>=10",
        ],
    )
    .also(&["goroutines.state", "goroutines.wait_reason"])
    .of_goroutines(),
    field(
        "goroutines.function",
        Kind::CountPath,
        "Goroutines by their innermost function outside of the runtime.",
        &["goroutines.function:net.(*conn).Read>500"],
    )
    .also(&["goroutines.frame"])
    .case()
    .of_goroutines(),
    field("id", Kind::Hash, "Identifier of the crash.", &["id:0199a1b2"]).free().fleeting(),
    field("status", Kind::OneOf(STATUSES), "Where the crash stands.", &["status:done", "-status:done"])
        .fleeting(),
    field("since", Kind::Bound(true), "It happened then or later.", &["since:24h", "since:2026-01-02"])
        .reads("seen")
        .fleeting(),
    field(
        "until",
        Kind::Bound(false),
        "It happened before then, or on that day.",
        &["until:7d", "until:2026-01-02"],
    )
    .reads("seen")
    .fleeting(),
    field(
        "seen",
        Kind::Time,
        "When it happened; when it was received, if nobody knows.",
        &["seen:2026-01-02", "seen:>=2026-01-02T15:00", "seen:2026-01-01..2026-01-31"],
    )
    .fleeting(),
    field("received", Kind::Time, "When it was received.", &["received:<2026-01-02"]).fleeting(),
    field("analysed", Kind::Time, "When its report was made.", &["analysed:>=1h"]).fleeting(),
    field("group", Kind::Hash, "Identifier of its group.", &["group:0199a1b2"]).of_group("group"),
    field("state", Kind::OneOf(STATES), "Where its group stands.", &["state:new", "-state:muted"])
        .of_group("state"),
    field("owner", Kind::Word, "Who has its group.", &["owner:ada", "-owner:*"]).case().of_group("owner"),
    field("count", Kind::Number, "Crashes of its group.", &["count:>100"]).of_group("count"),
    field("first_seen", Kind::Time, "When the first of its group was seen.", &["first_seen:>=7d"])
        .of_group("first_seen"),
    field("last_seen", Kind::Time, "When the last of its group was seen.", &["last_seen:<30d"])
        .of_group("last_seen"),
];

/// The field of this name or alias, in any case, and the key after it: `label.env` is `label` and `env`.
pub fn find(name: &str) -> Option<(&'static Field, Option<&str>)> {
    let named = |field: &&Field, name: &str| {
        field.name.eq_ignore_ascii_case(name)
            || field.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    };
    if let Some(field) = FIELDS.iter().find(|field| named(field, name)) {
        return Some((field, None));
    }
    let (before, key) = name.split_once('.')?;
    let field = FIELDS.iter().find(|field| field.keyed && named(field, before))?;
    Some((field, Some(key)))
}

/// The field that this fact is read by, `label.env` by `label`; `since` reads `seen` and is not it.
pub fn of_fact(fact: &str) -> Option<&'static Field> {
    let name = fact.split_once('.').map_or(fact, |(before, _)| before);
    FIELDS
        .iter()
        .find(|field| field.name == fact)
        .or_else(|| FIELDS.iter().find(|field| field.keyed && field.name == name))
}

/// Names that are like `name`, most alike first.
pub(crate) fn like(name: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    let all = FIELDS.iter().flat_map(|field| std::iter::once(&field.name).chain(field.aliases));
    let mut found: Vec<(usize, &str)> = all
        .map(|known| {
            let begins = known.starts_with(&name) || name.starts_with(*known);
            (if begins { 1 } else { strsim::osa_distance(&name, known) }, *known)
        })
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, known)| format!("{known}:")).collect()
}

impl Field {
    /// Values are compared in lower case.
    pub const fn folds(&self) -> bool {
        !self.case
    }

    /// The patterns of which a whole value has to match one, for a pattern as it is written; in lower case where the
    /// field is compared so.
    pub fn patterns(&self, pattern: &Pattern) -> Vec<Pattern> {
        let pattern = if self.case { pattern.clone() } else { pattern.folded() };
        let literal = pattern.as_literal().is_some();
        match self.kind {
            Kind::Text if literal => vec![pattern.between(&[Piece::Any], &[Piece::Any])],
            Kind::Hash if literal => vec![pattern.between(&[], &[Piece::Any])],
            Kind::Path | Kind::CountPath => {
                let ends = |c: char| pattern.between(&[Piece::Any, Piece::Text(c.into())], &[]);
                vec![ends('/'), ends('.'), pattern]
            }
            _ => vec![pattern],
        }
    }

    /// The same for a word without a field; in lower case, whatever the field.
    pub fn free_patterns(&self, pattern: &Pattern) -> Pattern {
        let before: &[Piece] = if self.kind == Kind::Hash { &[] } else { &[Piece::Any] };
        pattern.folded().between(before, &[Piece::Any])
    }

    /// Whether it is written like this in an answer: [`Field::name`], and `.key` if it takes one.
    pub fn spelling(&self) -> String {
        if self.keyed { format!("{}.KEY", self.name) } else { self.name.to_owned() }
    }
}
