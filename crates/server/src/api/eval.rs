use axum::{Json as Answer, extract::State};
use panicle_report::{EvalQuery, Evaluated, Query as Question};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    AppState, AskError, Problem,
    extract::{Path, Query},
};

/// Elements of one map, slice or array: without a limit in the request, and at most.
const DEFAULT_ELEMENTS: u64 = 100;
const MAX_ELEMENTS: u64 = 10_000;
/// Pointers followed one behind the other, at most.
const MAX_DEPTH: u32 = 16;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EvalParameters {
    /// A Go-like expression: `c.users["k1"].Name`.
    expr: String,
    /// In whose frame names are looked up; without it the goroutine at fault.
    goroutine: Option<u64>,
    /// Which of its frames, counted from the innermost; without it the innermost of the program's own.
    frame: Option<u64>,
    /// Elements of one map, slice or array at most, up to 10000.
    limit: Option<u64>,
    /// Pointers and interfaces followed one behind the other, up to 16.
    depth: Option<u32>,
}

/// The value of an expression.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvalAnswer {
    #[serde(flatten)]
    about: Evaluated,
    /// The value: numbers, booleans and texts as such; a struct as an object of its fields; a map as
    /// `{len, entries: [{key, value}], truncated}`; a slice as `{len, cap, elements, truncated}`.
    value: serde_json::Value,
    /// Something was left out of the value because it is too much in all.
    truncated: bool,
}

/// Evaluate a Go-like expression in a goroutine's frame.
#[utoipa::path(get, operation_id = "evaluate", path = "/crashes/{id}/eval", tag = "memory",
    params(("id" = String, Path), EvalParameters),
    responses((status = 200, body = EvalAnswer),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(parameters): Query<EvalParameters>,
) -> Result<Answer<Box<RawValue>>, Problem> {
    let limit = parameters.limit.unwrap_or(DEFAULT_ELEMENTS);
    if !(1..=MAX_ELEMENTS).contains(&limit) {
        return Err(Problem::bad_request(format!("limit has to be from 1 to {MAX_ELEMENTS}")));
    }
    if parameters.depth.is_some_and(|depth| depth > MAX_DEPTH) {
        return Err(Problem::bad_request(format!("depth has to be {MAX_DEPTH} at most")));
    }
    state.store.crash(&id).await?;
    let query = EvalQuery {
        expression: parameters.expr,
        goroutine: parameters.goroutine,
        frame: parameters.frame,
        limit: Some(limit),
        depth: parameters.depth,
    };
    ask(&state, &id, Question::Eval(query)).await.map(Answer)
}

/// The answer of whoever can read the memory of crashes.
pub(super) async fn ask(state: &AppState, crash: &str, query: Question) -> Result<Box<RawValue>, Problem> {
    let nobody = || AskError::NoMemory("this server has nobody to ask about memory".to_owned());
    let memory = state.memory.as_ref().ok_or_else(nobody)?;
    Ok(memory.ask(crash, query).await?)
}
