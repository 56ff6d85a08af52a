//! The table itself, and the words of the fields that have few.

use super::{Field, Kind, field};
use crate::Scheme;

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
        "Function on the stack of a goroutine that the verdict names, or among the frames of the signature.",
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
        "Goroutines that have a function on their stacks; those of the runtime itself are left out. Of several functions, the one that most have.",
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
    field("project", Kind::Word, "What it belongs to.", &["project:shop", "-project:default"])
        .case()
        .of_group("project"),
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
