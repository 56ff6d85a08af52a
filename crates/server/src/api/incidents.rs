//! Incidents, and the crashes that happened meanwhile.

use axum::{Json as Answer, extract::State};
use jiff::Timestamp;
use panicle_store::{IncidentState, StoreError};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::{ProjectQuery, Seen, Target},
    extract::{LenientJson, Path, Query},
    hooks::alerts::{self, AlertmanagerWebhook},
    page::{self, Page},
    shapes::incidents::{AlertsTaken, Incident, IncidentCrash, IncidentDetails},
};

/// Crashes that the page of an incident shows.
const CRASHES: u32 = 100;

/// A webhook of Alertmanager, version 4.
///
/// Opens an incident, or joins the one with the same group labels. Crashes of the services and hosts that its alerts name,
/// from ten minutes before it began, are linked, also those that arrive later. Only those of its project. Alerts that
/// cannot be understood are in `refused`, and do not keep the others from being taken; where there are no others, it is 400.
#[utoipa::path(post, operation_id = "takeAlerts", path = "/hooks/alertmanager", tag = "hooks", params(ProjectQuery),
    request_body = AlertmanagerWebhook,
    responses((status = 200, body = AlertsTaken),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn take(
    State(state): State<AppState>,
    Target(project): Target,
    LenientJson(webhook): LenientJson<AlertmanagerWebhook>,
) -> Result<Answer<AlertsTaken>, Problem> {
    let now = Timestamp::now();
    let (group, refused) =
        alerts::read(webhook, &project, &state.alert_labels, now).map_err(Problem::bad_request)?;
    if let Some(first) = refused.first() {
        tracing::warn!(count = refused.len(), %first, "alerts are not understood");
    }
    let told = state.store.tell_alerts(&group, now).await?;
    metrics::counter!("panicle_alerts_total").increment(group.alerts.len() as u64);
    let incident = state.store.incident(&told.id).await?;
    let incident = Incident::from(incident).in_list(&state.alert_labels);
    Ok(Answer(AlertsTaken { incident, new: told.new, refused }))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    state: Option<IncidentState>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

/// List incidents, newest first.
///
/// Each with 20 labels and annotations at most.
#[utoipa::path(get, operation_id = "listIncidents", path = "/incidents", tag = "hooks", params(ListQuery, ProjectQuery),
    responses((status = 200, body = Page<Incident>),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
    Seen(project): Seen,
) -> Result<Answer<Page<Incident>>, Problem> {
    let limit = page::limit(query.limit)?;
    let before = page::id_cursor(query.cursor.as_deref())?;
    let incidents =
        state.store.incidents(project.as_deref(), query.state, before.as_deref(), limit + 1).await?;
    let in_list = |incident| Incident::from(incident).in_list(&state.alert_labels);
    let items = incidents.into_iter().map(in_list).collect();
    Ok(Answer(Page::cut(items, limit, |item: &Incident| item.id.clone())))
}

/// One incident, with its alerts and the crashes that happened meanwhile.
#[utoipa::path(get, operation_id = "getIncident", path = "/incidents/{id}", tag = "hooks", params(("id" = String, Path)),
    responses((status = 200, body = IncidentDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Answer<IncidentDetails>, Problem> {
    let incident = state.store.incident(&id).await?;
    let alerts = state.store.incident_alerts(&id).await?;
    let mut crashes = Vec::new();
    for linked in state.store.incident_crashes(&id, CRASHES).await? {
        match state.store.crash(&linked.crash).await {
            Ok(crash) => crashes.push(IncidentCrash {
                crash: crash.into(),
                reason: linked.reason,
                linked_at: linked.linked_at,
            }),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let alerts = alerts.into_iter().map(Into::into).collect();
    Ok(Answer(IncidentDetails { incident: incident.into(), alerts, crashes }))
}
