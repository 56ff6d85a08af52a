//! Questions about a process that a report does not answer in advance.

mod entries;

use panicle_report::{EvalError, EvalQuery, Evaluated, MapEntries, MapLayout, Query, QueryError};
use serde::{Serialize, Serializer};

use crate::{
    expr::{self, Scope, Value, ValueJson},
    locals::Variable,
    receiver::Receiver,
    session::{DebugInformation, Session},
    spell,
    value::{self, Context, json},
};

/// How much an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Elements of one map, slice or array, unless the question says how many; 0 for all.
    pub elements: u64,
    /// Pointers and interfaces followed, unless the question says how many.
    pub depth: u32,
    /// Bytes of one string; 0 for all.
    pub bytes: u64,
    /// Bytes of JSON in all, about; 0 for any number.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { elements: 100, depth: 3, bytes: 4096, total: 0 }
    }
}

/// An answer, which may be read while it is serialized.
pub enum Answer<'a> {
    /// What an expression is.
    Eval(Evaluation<'a>),
    /// What is in a map.
    MapEntries(MapEntries),
    /// How a map's entries lie.
    MapLayout(MapLayout),
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Eval(found) => found.serialize(serializer),
            Self::MapEntries(found) => found.serialize(serializer),
            Self::MapLayout(found) => found.serialize(serializer),
        }
    }
}

/// The value of an expression, with what is said of it.
pub struct Evaluation<'a> {
    about: Evaluated,
    value: &'a Value,
    context: &'a Context<'a>,
    limits: json::Limits,
}

impl Serialize for Evaluation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'w> {
            #[serde(flatten)]
            about: &'w Evaluated,
            value: &'w ValueJson<'w>,
            // Known once the value is written, so it comes behind it.
            #[serde(serialize_with = "expr::is_cut")]
            truncated: &'w ValueJson<'w>,
        }
        let value = self.value.json(self.context, self.limits);
        Whole { about: &self.about, value: &value, truncated: &value }.serialize(serializer)
    }
}

/// When a question needs debug information: names do, and what the runtime's type data tells does not.
pub fn debug_information(query: &Query) -> DebugInformation {
    match query {
        Query::Eval(_) => DebugInformation::Always,
        Query::MapEntries(_) | Query::MapLayout(_) => DebugInformation::ForTheLayout,
    }
}

/// Answers `query` to `take`.
pub fn answer<R>(
    session: &Session<'_>,
    query: &Query,
    limits: Limits,
    take: impl FnOnce(Answer<'_>) -> R,
) -> Result<R, QueryError> {
    match query {
        Query::Eval(query) => evaluate(session, query, limits, take),
        Query::MapEntries(query) => {
            entries::answer(session, query, limits.total).map(|found| take(Answer::MapEntries(found)))
        }
        Query::MapLayout(query) => {
            entries::layout(session, query, limits.total).map(|found| take(Answer::MapLayout(found)))
        }
    }
}

fn evaluate<R>(
    session: &Session<'_>,
    query: &EvalQuery,
    limits: Limits,
    take: impl FnOnce(Answer<'_>) -> R,
) -> Result<R, QueryError> {
    let place = Place::find(session, query.goroutine, query.frame)?;
    let context = session.context();
    let value =
        expr::evaluate(&context, &place.scope(session), &query.expression).map_err(QueryError::Expression)?;
    let usual = value::Limits::default();
    let (elements, depth) = (query.limit.unwrap_or(limits.elements), query.depth.unwrap_or(limits.depth));
    let most = if elements == 0 { u64::MAX } else { elements };
    let in_words = value::Limits { depth, elements: most.min(usual.elements), ..usual };
    let about = value.about(&context, &query.expression, in_words);
    let json = json::Limits { depth, elements, bytes: limits.bytes, total: limits.total };
    Ok(take(Answer::Eval(Evaluation { about, value: &value, context: &context, limits: json })))
}

/// The value of a key that a question gives as a literal.
fn literal(session: &Session<'_>, text: &str) -> Result<Value, EvalError> {
    expr::evaluate(&session.context(), &Scope::default(), text)
}

/// A frame that names are looked up in.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The goroutine; `None` when there is none to look at.
    pub goroutine: Option<u64>,
    /// The frame, as a report numbers them.
    pub frame: Option<u64>,
    /// Its function.
    pub function: Option<String>,
    variables: Vec<Variable>,
    receiver: Option<Receiver>,
    package: Option<String>,
}

impl Place {
    /// The frame `frame` of `goroutine`; without a goroutine that of the one at fault, without a frame the
    /// innermost of the program's own. Empty when there is none and none was asked for.
    pub fn find(
        session: &Session<'_>,
        goroutine: Option<u64>,
        frame: Option<u64>,
    ) -> Result<Self, QueryError> {
        let Some(id) = goroutine.or_else(|| session.goroutine_at_fault()) else {
            return match frame {
                Some(_) => Err(QueryError::NotFound("no goroutine is known to be at fault".to_owned())),
                None => Ok(Self::default()),
            };
        };
        let g = session.goroutine(id);
        let g = g.ok_or_else(|| QueryError::NotFound(format!("there is no goroutine {id}")))?;
        let frames = session.frames(g);
        let found = match frame {
            Some(number) => frames.get(number).map(|frame| (number, frame)),
            None => session.own_frame(g, &frames),
        };
        let Some((number, frame)) = found else {
            return match frame {
                Some(number) => Err(QueryError::NotFound(format!(
                    "goroutine {id} has no Go frame with the number {number}"
                ))),
                None => Ok(Self { goroutine: Some(id), ..Self::default() }),
            };
        };
        // A call that was inlined has the package of its own function.
        let function = frame.call().function.clone();
        Ok(Self {
            goroutine: Some(id),
            frame: Some(number),
            package: spell::package(&function).map(str::to_owned),
            variables: session.variables(g, frame),
            receiver: session.receiver(g, frame),
            function: Some(function),
        })
    }

    /// What an expression is evaluated with.
    pub fn scope<'s>(&'s self, session: &'s Session<'_>) -> Scope<'s> {
        Scope {
            variables: &self.variables,
            package: self.package.as_deref(),
            frame: self.function.as_deref(),
            receiver: self.receiver.as_ref(),
            hashes: Some(session.hashes()),
        }
    }

    /// The variables of the frame.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }
}
