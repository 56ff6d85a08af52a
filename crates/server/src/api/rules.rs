//! Merge and mute rules, and grouping all history anew.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use panicle_store::RuleChange;
use serde::Deserialize;

use crate::{
    AppState, Problem,
    extract::{Json, MaybeJson, Path, Query},
    limits,
    page::Page,
    revision::{etag, if_match},
    shapes::{
        groups::Doing,
        rules::{NewRule, Plan, Queued, Regrouping, Rule, RuleHistoryEntry, RulePatch, SignatureTrial},
    },
};

fn answer(rule: panicle_store::Rule) -> Response {
    ([etag(rule.revision)], Answer(Rule::from(rule))).into_response()
}

fn new_rule(body: NewRule) -> Result<panicle_store::NewRule, Problem> {
    check(&body.predicate)?;
    limits::name("name", Some(&body.name))?;
    limits::mute(body.mute.as_ref())?;
    limits::doing(body.actor.as_deref(), body.reason.as_deref())?;
    Ok(panicle_store::NewRule {
        kind: body.kind,
        name: body.name,
        predicate: body.predicate,
        group: body.group_id,
        project: body.project,
        mute: body.mute,
    })
}

/// Says at which place a predicate is wrong; the store would only say that it is.
fn check(predicate: &str) -> Result<(), Problem> {
    panicle_query::Predicate::parse(predicate)?;
    Ok(())
}

/// All rules, the oldest first.
#[utoipa::path(get, operation_id = "listRules", path = "/rules", tag = "groups",
    responses((status = 200, body = Page<Rule>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(State(state): State<AppState>) -> Result<Answer<Page<Rule>>, Problem> {
    let rules = state.store.rules().await?;
    Ok(Answer(Page::all(rules.into_iter().map(Rule::from).collect())))
}

/// Try a rule on all history without saving it: which crashes it claims, what would go where, which groups
/// would be muted, and which crashes others have a claim to.
#[utoipa::path(post, operation_id = "previewRule", path = "/rules/preview", tag = "groups", request_body = NewRule,
    responses((status = 200, body = Plan),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn preview(
    State(state): State<AppState>,
    Json(body): Json<NewRule>,
) -> Result<Answer<Plan>, Problem> {
    let instead_of = body.instead_of.clone();
    let rule = new_rule(body)?;
    // Saving it would find that out; so does the preview.
    if let Some(group) = &rule.group {
        state.store.group(group).await?;
    }
    if let Some(id) = &instead_of {
        state.store.rule(id).await?;
    }
    Ok(Answer(state.store.preview_rule_instead_of(&rule, instead_of.as_deref()).await?.into()))
}

/// Save a rule. It is applied to each crash that arrives, and to all history by a job.
#[utoipa::path(post, operation_id = "createRule", path = "/rules", tag = "groups", request_body = NewRule,
    responses((status = 201, body = Rule),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "Another rule, or a person's decision, has a claim to some of these crashes"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Json(body): Json<NewRule>,
) -> Result<Response, Problem> {
    if body.instead_of.is_some() {
        return Err(Problem::bad_request("instead_of is for a preview; change the rule by PATCH"));
    }
    let (actor, reason) = (body.actor.clone(), body.reason.clone());
    let rule = state.store.create_rule(&new_rule(body)?, actor.as_deref(), reason.as_deref()).await?;
    let location = format!("/api/v1/rules/{}", rule.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer(rule)).into_response())
}

/// One rule. Its `ETag` can be given as `If-Match` when changing it.
#[utoipa::path(get, operation_id = "getRule", path = "/rules/{id}", tag = "groups", params(("id" = String, Path)),
    responses((status = 200, body = Rule),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(State(state): State<AppState>, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(answer(state.store.rule(&id).await?))
}

/// Change a rule, or switch it on or off, which is applied to all history.
#[utoipa::path(patch, operation_id = "changeRule", path = "/rules/{id}", tag = "groups", request_body = RulePatch,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag it was read with")),
    responses((status = 200, body = Rule),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "Another rule, or a person's decision, has a claim to some of these crashes"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<RulePatch>,
) -> Result<Response, Problem> {
    if let Some(predicate) = &body.predicate {
        check(predicate)?;
    }
    limits::name("name", body.name.as_deref())?;
    limits::mute(body.mute.as_ref())?;
    limits::doing(body.actor.as_deref(), body.reason.as_deref())?;
    let change = RuleChange {
        name: body.name,
        predicate: body.predicate,
        mute: body.mute,
        enabled: body.enabled,
        if_revision: if_match(&headers)?,
    };
    let (actor, reason) = (body.actor.as_deref(), body.reason.as_deref());
    Ok(answer(state.store.change_rule(&id, &change, actor, reason).await?))
}

/// Delete a rule. What it did is put back; its history stays.
#[utoipa::path(delete, operation_id = "deleteRule", path = "/rules/{id}", tag = "groups", request_body = Option<Doing>,
    params(("id" = String, Path)),
    responses((status = 204, description = "It is deleted"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    MaybeJson(body): MaybeJson<Doing>,
) -> Result<StatusCode, Problem> {
    limits::doing(body.actor.as_deref(), body.reason.as_deref())?;
    state.store.delete_rule(&id, body.actor.as_deref(), body.reason.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who changed what about a rule, newest first; also of one that was deleted.
#[utoipa::path(get, operation_id = "listRuleHistory", path = "/rules/{id}/history", tag = "groups",
    params(("id" = String, Path)),
    responses((status = 200, body = Page<RuleHistoryEntry>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn history(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<Page<RuleHistoryEntry>>, Problem> {
    let entries = state.store.rule_history(&id).await?;
    Ok(Answer(Page::all(entries.into_iter().map(RuleHistoryEntry::from).collect())))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegroupQuery {
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
}

/// Group all history anew, as signatures, rules and people's decisions have it now.
#[utoipa::path(post, operation_id = "regroup", path = "/regroup", tag = "groups", params(RegroupQuery),
    responses((status = 200, body = Plan, description = "With `dry_run`: what would change"),
        (status = 202, body = Regrouping, description = "It is under way"),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn regroup(
    State(state): State<AppState>,
    Query(query): Query<RegroupQuery>,
) -> Result<Response, Problem> {
    if query.dry_run {
        let plan = state.store.preview_regrouping().await?;
        return Ok(Answer(Plan::from(plan)).into_response());
    }
    let regrouping = state.store.regroup("somebody asked for it").await?;
    Ok((StatusCode::ACCEPTED, Answer(Regrouping::from(regrouping))).into_response())
}

/// How far grouping all history anew has come; null when it was never done.
#[utoipa::path(get, operation_id = "getRegrouping", path = "/regroup", tag = "groups",
    responses((status = 200, body = Option<Regrouping>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn regrouping(State(state): State<AppState>) -> Result<Answer<Option<Regrouping>>, Problem> {
    Ok(Answer(state.store.regrouping().await?.map(Regrouping::from)))
}

/// Try the signatures of this program on all history. Each crash is analysed again; nothing of it is kept but
/// its signature.
#[utoipa::path(post, operation_id = "trySignatures", path = "/signature-trial", tag = "groups",
    responses((status = 202, body = Queued),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn try_signatures(
    State(state): State<AppState>,
) -> Result<(StatusCode, Answer<Queued>), Problem> {
    let queued = state.store.try_signatures().await?;
    Ok((StatusCode::ACCEPTED, Answer(Queued { queued })))
}

/// How far the trial of signatures has come, and which crashes would go from which group to which.
#[utoipa::path(get, operation_id = "getSignatureTrial", path = "/signature-trial", tag = "groups",
    responses((status = 200, body = SignatureTrial),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn trial(State(state): State<AppState>) -> Result<Answer<SignatureTrial>, Problem> {
    Ok(Answer(state.store.signature_trial().await?.into()))
}

/// Analyse again what came out differently, so that it goes where its signature says.
#[utoipa::path(post, operation_id = "applySignatureTrial", path = "/signature-trial/apply", tag = "groups",
    responses((status = 202, body = Queued),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn apply_trial(
    State(state): State<AppState>,
) -> Result<(StatusCode, Answer<Queued>), Problem> {
    let queued = state.store.apply_trial().await?;
    Ok((StatusCode::ACCEPTED, Answer(Queued { queued })))
}
