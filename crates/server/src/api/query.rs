//! What can be asked, and what could be typed next.

use axum::{Json as Answer, extract::State};
use panicle_query::{
    FIELDS, Field, Kind,
    complete::{self, Wanted},
};
use panicle_store::Offer;
use serde::Deserialize;

use crate::{
    AppState, Problem,
    access::{ProjectQuery, Seen},
    extract::Query,
    page::{self, Page},
    shapes::query::{Completion, CompletionItem, CompletionKind, QueryField},
};

/// Completions, unless more are asked for.
const LIMIT: u32 = 20;
/// Fields whose values are offered for a word without a field.
const OFFERED: [&str; 4] = ["class", "service", "version", "host"];
/// Values of each of them.
const OFFERED_EACH: usize = 3;
/// Projects that are looked through.
const MOST_PROJECTS: u32 = 1000;

/// What can be asked: the fields of the query language.
#[utoipa::path(get, operation_id = "listQueryFields", path = "/query/fields", tag = "search",
    responses((status = 200, body = Page<QueryField>)))]
pub(crate) async fn fields() -> Answer<Page<QueryField>> {
    Answer(Page::all(FIELDS.iter().map(QueryField::from).collect()))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompleteQuery {
    /// The query as far as it is typed; it need not be right.
    q: String,
    /// Where in it, in bytes; at its end unless given.
    at: Option<usize>,
    /// Completions at most, up to 500; 20 unless given.
    limit: Option<u32>,
}

/// What could be typed at a place: fields, and values that there are, the most frequent first.
#[utoipa::path(get, operation_id = "completeQuery", path = "/query/complete", tag = "search", params(CompleteQuery, ProjectQuery),
    responses((status = 200, body = Completion),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn complete(
    State(state): State<AppState>,
    Seen(project): Seen,
    Query(query): Query<CompleteQuery>,
) -> Result<Answer<Completion>, Problem> {
    let limit = page::limit(query.limit.or(Some(LIMIT)))? as usize;
    let project = project.as_deref();
    if query.q.len() > panicle_query::MAX_LENGTH {
        return Err(Problem::bad_request(format!("a query has at most {} bytes", panicle_query::MAX_LENGTH)));
    }
    let place = complete::place(&query.q, query.at.unwrap_or(query.q.len()));
    let prefix = place.prefix.as_str();
    let mut items = match place.wanted {
        Wanted::Nothing => Vec::new(),
        Wanted::Field => words(&state, project, prefix).await?,
        Wanted::Key(field) => {
            let keys = state.store.label_keys(project, prefix, limit).await?;
            let item = |key: &String| CompletionItem {
                text: format!("{}:", complete::spelled_key(field, key)),
                kind: CompletionKind::Key,
                help: None,
                crashes: None,
            };
            keys.iter().map(item).collect()
        }
        Wanted::Value { field, fact } => {
            let values = values(&state, project, (field, &fact), prefix, limit).await?;
            values.into_iter().map(|offer| value(complete::spelled(&offer.value), &offer)).collect()
        }
    };
    items.truncate(limit);
    Ok(Answer(Completion { position: place.span.start as u64, length: place.span.length as u64, items }))
}

/// Fields that begin so, and the terms that some values would make.
async fn words(
    state: &AppState,
    project: Option<&str>,
    prefix: &str,
) -> Result<Vec<CompletionItem>, Problem> {
    let fields = complete::fields_like(prefix).into_iter();
    let mut items: Vec<CompletionItem> = fields
        .map(|field| CompletionItem {
            text: format!("{}{}", field.name, if field.keyed { '.' } else { ':' }),
            kind: CompletionKind::Field,
            help: Some(field.help.to_owned()),
            crashes: None,
        })
        .collect();
    if !prefix.is_empty() {
        for name in OFFERED {
            for offer in state.store.offers(project, name, prefix, OFFERED_EACH).await? {
                items.push(value(format!("{name}:{}", complete::spelled(&offer.value)), &offer));
            }
        }
    }
    Ok(items)
}

fn value(text: String, offer: &Offer) -> CompletionItem {
    CompletionItem { text, kind: CompletionKind::Value, help: None, crashes: Some(offer.crashes) }
}

async fn values(
    state: &AppState,
    project: Option<&str>,
    (field, fact): (&'static Field, &str),
    prefix: &str,
    limit: usize,
) -> Result<Vec<Offer>, Problem> {
    if fact == "owner" {
        return Ok(state.store.owners(project, prefix, limit).await?);
    }
    if fact == "project" {
        return projects(state, project, prefix, limit).await;
    }
    let mut offers = state.store.offers(project, fact, prefix, limit).await?;
    if let Kind::OneOf(words) = field.kind {
        let prefix = prefix.to_lowercase();
        let others = words.iter().filter(|word| word.contains(&prefix));
        for word in others {
            if offers.iter().all(|offer| offer.value != **word) {
                offers.push(Offer { value: (*word).to_owned(), crashes: 0 });
            }
        }
    }
    Ok(offers)
}

/// Projects that begin so.
async fn projects(
    state: &AppState,
    project: Option<&str>,
    prefix: &str,
    limit: usize,
) -> Result<Vec<Offer>, Problem> {
    let known = match project {
        Some(one) => vec![state.store.project(one).await?],
        None => state.store.projects(None, MOST_PROJECTS).await?,
    };
    let named = known.into_iter().filter(|project| project.id.starts_with(prefix));
    Ok(named.map(|project| Offer { value: project.id, crashes: 0 }).take(limit).collect())
}
