//! Notices of panics: what a program, or whoever watches it, says of a panic in JSON.
//!
//! Names are those of the common loggers and of OpenTelemetry (`exception.message`, `service.name`, …) and the Elastic
//! Common Schema (`error.stack_trace`), each with its dots in one name or as objects within each other.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::shapes::NewCrash;

/// Seconds since 1970 are far from this, milliseconds are not.
const MILLISECONDS_FROM: f64 = 1e11;

const MESSAGE: &[&str] = &[
    "panic",
    "message",
    "error",
    "msg",
    "reason",
    "panic.message",
    "panic.value",
    "exception.message",
    "error.message",
];
const STACK: &[&str] = &[
    "stack",
    "stacktrace",
    "stack_trace",
    "stackTrace",
    "traceback",
    "panic.stack",
    "exception.stacktrace",
    "error.stack_trace",
    "error.stack",
];
const PRINTED: &[&str] = &["stderr", "lines", "output", "log"];
const SERVICE: &[&str] = &["service", "service.name", "service_name", "app", "application"];
const VERSION: &[&str] = &["version", "service.version", "service_version", "release"];
const HOST: &[&str] = &["hostname", "host", "host.name", "host_name", "server_name", "instance"];
const PID: &[&str] = &["pid", "process.pid", "process_id"];
const TIME: &[&str] = &["occurred_at", "timestamp", "time", "@timestamp"];
const BUILD_ID: &[&str] =
    &["build_id", "buildId", "process.executable.build_id.gnu", "process.executable.build_id.go"];
/// Where else these may be.
const WITHIN: &[&str] = &["attributes", "resource", "resource.attributes"];

/// A panic that was told of.
#[derive(Debug)]
pub(crate) struct Notice {
    /// As Go would have printed it.
    pub(crate) text: String,
    /// What else is known.
    pub(crate) about: NewCrash,
}

/// Reads a notice; the error says what is missing or what cannot be understood.
pub(crate) fn read(document: &Value) -> Result<Notice, String> {
    if !document.is_object() {
        return Err("a notice is a JSON object".to_owned());
    }
    let printed = lines(document, PRINTED)?;
    let stack = lines(document, STACK)?;
    let message = text(document, MESSAGE)?;
    let about = NewCrash {
        service: text(document, SERVICE)?,
        version: text(document, VERSION)?,
        hostname: text(document, HOST)?,
        pid: pid(document)?,
        occurred_at: time(document)?,
        labels: labels(document)?,
        ..NewCrash::default()
    };
    let body = compose(message.as_deref(), stack.as_deref(), printed.as_deref())
        .ok_or("a notice needs a message (or panic), a stack, or lines of stderr")?;
    Ok(Notice { text: format!("{}{body}", head(&about)), about })
}

/// What tells two panics with the same words apart: the text is what a crash is known by.
fn head(about: &NewCrash) -> String {
    let known: Vec<String> = [
        about.service.as_ref().map(|service| format!("service {service}")),
        about.hostname.as_ref().map(|host| format!("host {host}")),
        about.pid.map(|pid| format!("process {pid}")),
        about.occurred_at.map(|at| at.to_string()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if known.is_empty() { String::new() } else { format!("Notice of a panic: {}\n", known.join(", ")) }
}

/// Puts the parts together so that they read as what Go prints, as far as they can, and none of them is left out.
fn compose(message: Option<&str>, stack: Option<&str>, printed: Option<&str>) -> Option<String> {
    // Whatever is in what was printed needs not be said again.
    let known = Known::of(printed.unwrap_or_default());
    let has_headline = printed.is_some_and(|printed| printed.lines().any(is_headline));
    let has_stacks = printed.is_some_and(|printed| printed.lines().any(is_header));
    // What is nothing but lines of a log says nothing of a panic.
    if message.is_none() && stack.is_none() && !has_headline && !has_stacks {
        return None;
    }
    let (mut before, mut between, mut after) = (Vec::new(), Vec::new(), Vec::new());
    // As Go prints the lines of a message (printindented, runtime/panic.go).
    let lines = |message: &str| message.trim_end().replace('\n', "\n\t");
    match message {
        // What was printed tells better what the panic was.
        Some(message) if has_headline || has_stacks => {
            let told = known.has_message(message);
            after.extend((!told).then(|| format!("The notice says: {}\n", lines(message))));
        }
        Some(message) => {
            let message = lines(message);
            between.push(if is_headline(&message) { message } else { format!("panic: {message}") });
        }
        None => {}
    }
    match stack.filter(|stack| !known.has_lines(stack.lines())) {
        Some(stack) if stack.lines().any(is_header) => between.push(ended(stack)),
        // Of which goroutine they are is unknown. Behind the message they would read as more of it.
        Some(frames) => before.push(format!("Frames without their goroutine:\n{}", ended(frames))),
        None => {}
    }
    before.extend(printed.map(ended));
    Some(ended(&[before, between, after].concat().join("\n\n")))
}

/// What was printed, and its lines, however they are indented.
struct Known<'a> {
    text: &'a str,
    lines: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, lines: text.lines().map(str::trim).collect() }
    }

    fn has_lines<'b>(&self, mut lines: impl Iterator<Item = &'b str>) -> bool {
        lines.all(|line| line.trim().is_empty() || self.lines.contains(line.trim()))
    }

    /// Its first line is somewhere between blanks, as in `panic: boom [recovered]`, and the others are lines.
    fn has_message(&self, message: &str) -> bool {
        let mut lines = message.lines();
        let first = lines.next().unwrap_or_default().trim();
        let is_blank = |next: Option<char>| next.is_none_or(char::is_whitespace);
        let is_there = self.text.match_indices(first).any(|(at, _)| {
            is_blank(self.text[..at].chars().next_back())
                && is_blank(self.text[at + first.len()..].chars().next())
        });
        is_there && self.has_lines(lines)
    }
}

/// What a panic, or an error of the runtime, begins with.
fn is_headline(line: &str) -> bool {
    ["panic: ", "fatal error: "].iter().any(|start| line.starts_with(start))
}

/// `goroutine 1 [running]:`
fn is_header(line: &str) -> bool {
    line.trim_start()
        .strip_prefix("goroutine ")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn ended(text: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    format!("{text}\n")
}

/// The first value that has one of these names.
fn find<'a>(document: &'a Value, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
    let places = std::iter::once(Some(document)).chain(WITHIN.iter().map(|place| at(document, place)));
    for place in places.flatten() {
        for name in names {
            if let Some(value) = at(place, name).filter(|value| fits(value)) {
                return Some(value);
            }
        }
    }
    None
}

/// What has this name, with its dots in one name or as objects within each other.
fn at<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    if let Some(found) = value.get(name) {
        return Some(found);
    }
    let (first, rest) = name.split_once('.')?;
    at(value.get(first)?, rest)
}

/// Objects have their parts under other names.
fn is_given(value: &Value) -> bool {
    !value.is_null() && !value.is_object()
}

fn text(document: &Value, names: &[&str]) -> Result<Option<String>, String> {
    match find(document, names, is_given) {
        None => Ok(None),
        Some(value) => match scalar(value) {
            Some(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            None => Err(format!("{} has to be a text", names[0])),
        },
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

/// A text, or a list of its lines.
fn lines(document: &Value, names: &[&str]) -> Result<Option<String>, String> {
    let wrong = || format!("{} has to be a text or a list of texts", names[0]);
    let text = match find(document, names, is_given) {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let lines: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            let lines = lines.ok_or_else(wrong)?;
            lines.iter().map(|line| line.trim_end_matches(['\n', '\r'])).collect::<Vec<_>>().join("\n")
        }
        Some(_) => return Err(wrong()),
    };
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

fn pid(document: &Value) -> Result<Option<i64>, String> {
    let Some(value) = find(document, PID, is_given) else { return Ok(None) };
    let pid = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    pid.map(Some).ok_or_else(|| "pid has to be a number".to_owned())
}

fn time(document: &Value) -> Result<Option<Timestamp>, String> {
    let wrong =
        || "occurred_at has to be a time as in RFC 3339, or seconds or milliseconds since 1970".to_owned();
    let at = match find(document, TIME, is_given) {
        None => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Number(number)) => number.as_f64().and_then(|number| {
            let seconds = if number.abs() < MILLISECONDS_FROM { number } else { number / 1000.0 };
            Timestamp::from_microsecond((seconds * 1e6) as i64).ok()
        }),
        Some(_) => None,
    };
    at.map(Some).ok_or_else(wrong)
}

fn labels(document: &Value) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    match document.get("labels").or_else(|| document.get("tags")) {
        None | Some(Value::Null) => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                let value = scalar(value).ok_or_else(|| format!("the label {name} has to be a text"))?;
                labels.insert(name.clone(), value);
            }
        }
        Some(_) => return Err("labels has to be an object of texts".to_owned()),
    }
    if let Some(build) = text(document, BUILD_ID)? {
        labels.insert("build_id".to_owned(), build);
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    const STACK: &str = "goroutine 7 [running]:\nmain.work(0x1)\n\t/src/main.go:10 +0x1d\n";

    #[test]
    fn common_shapes_become_what_go_prints() {
        let whole = format!("panic: boom\n\n{STACK}");
        let of = |value| read(&value).unwrap().text;
        assert_eq!(of(json!({ "message": "boom", "stack": STACK })), whole);
        assert_eq!(of(json!({ "panic": "boom", "stack": STACK.lines().collect::<Vec<_>>() })), whole);
        assert_eq!(of(json!({ "exception.message": "boom", "exception.stacktrace": STACK })), whole);
        assert_eq!(
            of(json!({ "attributes": { "exception": { "message": "boom", "stacktrace": STACK } } })),
            whole
        );
        assert_eq!(of(json!({ "error": { "message": "panic: boom", "stack_trace": STACK } })), whole);
        // What was printed is the better evidence, and stays as it is.
        let printed = format!("2026 starting\npanic: other\n\n{STACK}exit status 2\n");
        assert_eq!(of(json!({ "message": "other", "stack": STACK, "stderr": printed })), printed);
        assert_eq!(
            of(json!({ "message": "boom", "stderr": ["starting"], "stack": STACK })),
            format!("starting\n\n\n{whole}")
        );
        assert_eq!(of(json!({ "message": "a\nb" })), "panic: a\n\tb\n");
    }

    #[test]
    fn nothing_of_a_notice_is_left_out() {
        let of = |value| read(&value).unwrap().text;
        let printed = format!("panic: other\n\n{STACK}");
        let another = STACK.replace("goroutine 7", "goroutine 9").replace("work", "rest");
        assert_eq!(
            of(json!({ "message": "the\nb", "stack": another, "stderr": printed })),
            format!("{printed}\n\n{another}\n\nThe notice says: the\n\tb\n")
        );
        assert_eq!(of(json!({ "message": "panic: other", "stderr": printed })), printed);
        // Cut off after its first line, or a line of a log that only mentions a panic.
        assert_eq!(
            of(json!({ "message": "boom", "stack": STACK, "stderr": "panic: boom" })),
            format!("panic: boom\n\n\n{STACK}")
        );
        assert_eq!(
            of(json!({ "message": "boom", "stack": STACK, "stderr": "job 7: panic: see below" })),
            format!("job 7: panic: see below\n\n\npanic: boom\n\n{STACK}")
        );
    }

    #[test]
    fn the_goroutine_of_frames_alone_is_not_made_up() {
        let frames = "main.work(0x1)\n\t/src/main.go:10";
        let told = read(&json!({ "stack": frames })).unwrap().text;
        assert!(told.contains(frames) && !told.contains("goroutine 1"), "{told}");
        let told = read(&json!({ "message": "boom", "stack": frames })).unwrap().text;
        assert!(told.contains(frames) && told.ends_with("\npanic: boom\n"), "{told}");
    }

    #[test]
    fn what_is_known_of_the_process_is_kept() {
        let notice = read(&json!({ "message": "boom", "service": { "name": "auth", "version": "v1.2.3" }, "host": "web-1",
            "pid": "12", "timestamp": 1_700_000_000_500_u64, "labels": { "env": "prod", "shard": 3 }, "build_id": "ab" }))
        .unwrap();
        let about = notice.about;
        assert_eq!((about.service.as_deref(), about.version.as_deref()), (Some("auth"), Some("v1.2.3")));
        assert_eq!((about.hostname.as_deref(), about.pid), (Some("web-1"), Some(12)));
        assert_eq!(about.occurred_at.unwrap().to_string(), "2023-11-14T22:13:20.5Z");
        assert_eq!(about.labels["shard"], "3");
        assert_eq!(about.labels["build_id"], "ab");
        assert_eq!(
            notice.text,
            "Notice of a panic: service auth, host web-1, process 12, 2023-11-14T22:13:20.5Z\npanic: boom\n"
        );
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for (wrong, words) in [
            (json!([]), "object"),
            (json!({ "service": "auth" }), "needs a message"),
            (json!({ "stderr": ["starting"] }), "needs a message"),
            (json!({ "message": ["a"] }), "panic has to be a text"),
            (json!({ "message": "a", "stack": [1] }), "list of texts"),
            (json!({ "message": "a", "pid": "x" }), "pid"),
            (json!({ "message": "a", "occurred_at": "yesterday" }), "RFC 3339"),
            (json!({ "message": "a", "labels": { "x": {} } }), "label x"),
        ] {
            let said = read(&wrong).unwrap_err();
            assert!(said.contains(words), "{wrong}: {said}");
        }
    }
}
