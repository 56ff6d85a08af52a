//! Expressions over cores of real programs, whose source says what their values are.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

use panicle_binary::Executable;
use panicle_fixtures::Fixture;
use panicle_goruntime::{
    expr::{self, Scope, Value},
    session::{self, Session},
    spell,
    value::{Context, Limits, Memory, json},
};
use panicle_image::Core;
use panicle_report::EvalError;

/// The toolchains that have to work.
const VERSIONS: [&str; 8] = ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"];

mod hostile;
mod maps;
mod values;

fn with<R>(fixture: &Fixture, test: impl FnOnce(&Session<'_>) -> R) -> R {
    let core = std::fs::read(&fixture.core).unwrap();
    let binary = std::fs::read(&fixture.binary).unwrap();
    let core = Core::parse(&core).unwrap().0;
    let executable = Executable::parse(&binary).unwrap().0;
    session::open(&core, &executable, &session::Options::default(), test).unwrap()
}

/// Evaluates in a frame of the function `of`, of any goroutine.
fn in_frame<R>(session: &Session<'_>, of: &str, test: impl FnOnce(&Context<'_>, &Scope<'_>) -> R) -> R {
    for g in session.goroutines() {
        let frames = session.frames(g);
        let Some((_, frame)) = frames.iter().find(|(_, frame)| frame.call().function == of) else { continue };
        let variables = session.variables(g, frame);
        let package = spell::package(frame.physical_name());
        return test(
            &session.context(),
            &Scope {
                variables: &variables,
                package,
                frame: Some(of),
                receiver: session.receiver(g, frame).as_ref(),
                hashes: Some(session.hashes()),
            },
        );
    }
    panic!("no frame of {of}");
}

fn json_of(context: &Context<'_>, value: &Value, limits: json::Limits) -> String {
    serde_json::to_string(&value.json(context, limits)).unwrap()
}

/// The type of the value and its JSON, or the error's kind and position.
fn shown(context: &Context<'_>, scope: &Scope<'_>, expression: &str) -> String {
    match expr::evaluate(context, scope, expression) {
        Ok(value) => {
            let limits = json::Limits { depth: 1, ..json::Limits::default() };
            let of = value.type_name().unwrap_or("-").to_owned();
            let json = json_of(context, &value, limits);
            assert!(!value.text(context, Limits::default()).is_empty());
            format!("{of} {}", masked(&json))
        }
        Err(EvalError { kind, position, message }) => {
            assert!(!message.is_empty() && position.is_some());
            format!("{kind} at {}", position.unwrap())
        }
    }
}

/// `text` with addresses left out.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\"0x") {
        let end = after.find('"').unwrap();
        masked.push_str(before);
        masked.push('@');
        rest = &after[end + 1..];
    }
    masked + rest
}
