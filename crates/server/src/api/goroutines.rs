use std::{cmp::Ordering, collections::HashSet};

use axum::{Json as Answer, extract::State};
use panicle_report::{Goroutine, Report};
use panicle_sandbox::{GOROUTINES_IN_CHUNK, Row, Rows};
use serde::Deserialize;

use crate::{
    AppState, Problem,
    extract::{Path, Query},
    page, report_cache,
    shapes::{FacetValue, GoroutineFacets, GoroutinePage, GoroutineRow},
};

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// State word, `waiting`.
    status: Option<String>,
    /// Wait reason as the runtime prints it, `chan receive`.
    wait_reason: Option<String>,
    /// Part of a function's name, anywhere on the stack.
    function: Option<String>,
    /// A profiler label, `key=value`, or part of either.
    label: Option<String>,
    /// Signature of a cluster.
    cluster: Option<String>,
    /// Without it, the report's order: the goroutine at fault first, then by id.
    sort: Option<Sort>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Start with the goroutine of this number; the alternative to a cursor.
    offset: Option<usize>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sort {
    Id,
    Status,
    /// The longest wait first.
    Wait,
}

/// The goroutines of a crash: filtered, sorted and paged here.
#[utoipa::path(get, operation_id = "listGoroutines", path = "/crashes/{id}/goroutines", tag = "goroutines",
    params(("id" = String, Path), ListQuery),
    responses((status = 200, body = GoroutinePage),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Answer<GoroutinePage>, Problem> {
    let limit = page::limit(query.limit)? as usize;
    let offset = match (&query.cursor, query.offset) {
        (Some(cursor), None) => {
            cursor.parse().map_err(|_| Problem::bad_request("this is no cursor that a list answered"))?
        }
        (Some(_), Some(_)) => return Err(Problem::bad_request("give either cursor or offset")),
        (None, offset) => offset.unwrap_or(0),
    };
    let crash = state.store.crash(&id).await?;
    let rows = state.reports.rows(&state.store, &crash).await?;
    let head = match query.function {
        Some(_) => Some(state.reports.head(&state.store, &crash).await?),
        None => None,
    };
    let list = move || list_rows(&rows, head.as_deref(), &query, offset, limit);
    let page =
        tokio::task::spawn_blocking(list).await.map_err(|error| Problem::internal(error.to_string()))?;
    Ok(Answer(page))
}

/// One goroutine with its whole stack.
#[utoipa::path(get, operation_id = "getGoroutine", path = "/crashes/{id}/goroutines/{gid}", tag = "goroutines",
    params(("id" = String, Path), ("gid" = u64, Path)),
    responses((status = 200, body = Goroutine),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path((id, goroutine)): Path<(String, u64)>,
) -> Result<Answer<Goroutine>, Problem> {
    let crash = state.store.crash(&id).await?;
    let rows = state.reports.rows(&state.store, &crash).await?;
    let none = || Problem::not_found(format!("crash {id} has no goroutine {goroutine}"));
    let position = rows.rows.iter().position(|row| row.id == goroutine).ok_or_else(none)?;
    let mut chunk = report_cache::chunk(&state.store, &crash, position).await?;
    let at = position % GOROUTINES_IN_CHUNK;
    if at < chunk.len() { Ok(Answer(chunk.swap_remove(at))) } else { Err(none()) }
}

fn list_rows(
    rows: &Rows,
    head: Option<&Report>,
    query: &ListQuery,
    offset: usize,
    limit: usize,
) -> GoroutinePage {
    let filter = Filter::new(rows, head, query);
    let mut found: Vec<&Row> = rows.rows.iter().filter(|row| filter.passes(row)).collect();
    if let Some(sort) = query.sort {
        found.sort_by(|a, b| compare(rows, sort, a, b));
    }
    let matched = found.len();
    let items = found.into_iter().skip(offset).take(limit).map(|row| show(rows, row)).collect::<Vec<_>>();
    let next = offset + items.len();
    GoroutinePage {
        next_cursor: (next < matched && !items.is_empty()).then(|| next.to_string()),
        items,
        total: rows.rows.len() as u64,
        matched: matched as u64,
        facets: facets(rows),
    }
}

/// Filters as sets of the numbers that pass, so that a row costs a few comparisons.
struct Filter {
    status: Option<HashSet<u32>>,
    wait_reason: Option<HashSet<u32>>,
    cluster: Option<HashSet<u32>>,
    function: Option<(HashSet<u32>, HashSet<u32>)>,
    labels: Option<HashSet<u32>>,
}

impl Filter {
    fn new(rows: &Rows, head: Option<&Report>, query: &ListQuery) -> Self {
        let numbers = |passes: &dyn Fn(&str) -> bool| -> HashSet<u32> {
            (0_u32..).zip(&rows.texts).filter(|(_, text)| passes(text)).map(|(number, _)| number).collect()
        };
        let equal = |wanted: &Option<String>| wanted.as_ref().map(|wanted| numbers(&|text| text == wanted));
        let contains = |text: &str, part: &str| text.to_lowercase().contains(part);
        let function = query.function.as_ref().map(|part| {
            let part = part.to_lowercase();
            let clusters: HashSet<&str> = head
                .iter()
                .flat_map(|head| &head.goroutine_clusters)
                .filter(|cluster| cluster.frames.iter().any(|frame| contains(&frame.function, &part)))
                .map(|cluster| cluster.signature.as_str())
                .collect();
            (numbers(&|text| contains(text, &part)), numbers(&|text| clusters.contains(text)))
        });
        let labels = query.label.as_ref().map(|wanted| {
            let part = wanted.to_lowercase();
            let passes = |(name, value): (&String, &String)| match wanted.split_once('=') {
                Some((wanted_name, wanted_value)) => name == wanted_name && value == wanted_value,
                None => contains(name, &part) || contains(value, &part),
            };
            let sets = (0_u32..).zip(&rows.label_sets).filter(|(_, set)| set.iter().any(passes));
            sets.map(|(number, _)| number).collect()
        });
        Self {
            status: equal(&query.status),
            wait_reason: equal(&query.wait_reason),
            cluster: equal(&query.cluster),
            function,
            labels,
        }
    }

    fn passes(&self, row: &Row) -> bool {
        let one_of = |set: &Option<HashSet<u32>>, number: Option<u32>| {
            set.as_ref().is_none_or(|set| number.is_some_and(|number| set.contains(&number)))
        };
        one_of(&self.status, Some(row.status))
            && one_of(&self.wait_reason, row.wait_reason)
            && one_of(&self.cluster, row.cluster)
            && one_of(&self.labels, Some(row.labels))
            && self.function.as_ref().is_none_or(|(functions, clusters)| {
                row.top_function.is_some_and(|top| functions.contains(&top))
                    || row.cluster.is_some_and(|cluster| clusters.contains(&cluster))
            })
    }
}

fn compare(rows: &Rows, sort: Sort, a: &Row, b: &Row) -> Ordering {
    let text = |number: Option<u32>| number.map(|number| rows.text(number));
    let order = match sort {
        Sort::Id => Ordering::Equal,
        Sort::Status => rows
            .text(a.status)
            .cmp(rows.text(b.status))
            .then_with(|| text(a.wait_reason).cmp(&text(b.wait_reason))),
        // Unknown is less than any time.
        Sort::Wait => b.wait_seconds.unwrap_or(-1.0).total_cmp(&a.wait_seconds.unwrap_or(-1.0)),
    };
    order.then(a.id.cmp(&b.id))
}

fn show(rows: &Rows, row: &Row) -> GoroutineRow {
    let text = |number: Option<u32>| number.map(|number| rows.text(number).to_owned());
    GoroutineRow {
        id: row.id,
        status: rows.text(row.status).to_owned(),
        wait_reason: text(row.wait_reason),
        wait_seconds: row.wait_seconds,
        labels: rows.label_sets.get(row.labels as usize).cloned().unwrap_or_default(),
        thread: row.thread,
        system: row.system,
        top_function: text(row.top_function),
        top_file: text(row.top_file),
        top_line: row.top_line,
        created_by: text(row.created_by),
        cluster: text(row.cluster),
        frame_count: row.frame_count,
    }
}

fn facets(rows: &Rows) -> GoroutineFacets {
    let mut statuses = vec![0_u64; rows.texts.len()];
    let mut reasons = vec![0_u64; rows.texts.len()];
    let mut sets = vec![0_u64; rows.label_sets.len()];
    let count = |counts: &mut Vec<u64>, number: u32| {
        if let Some(count) = counts.get_mut(number as usize) {
            *count += 1;
        }
    };
    for row in &rows.rows {
        count(&mut statuses, row.status);
        count(&mut sets, row.labels);
        if let Some(reason) = row.wait_reason {
            count(&mut reasons, reason);
        }
    }
    let mut keys = std::collections::BTreeMap::new();
    for (set, count) in rows.label_sets.iter().zip(sets) {
        for key in set.keys() {
            *keys.entry(key.clone()).or_insert(0) += count;
        }
    }
    let values = |counts: Vec<u64>| most_frequent(rows.texts.iter().cloned().zip(counts));
    GoroutineFacets {
        status: values(statuses),
        wait_reason: values(reasons),
        label_keys: most_frequent(keys),
    }
}

/// Values and how often they are there, most frequent first.
pub(super) fn most_frequent(counts: impl IntoIterator<Item = (String, u64)>) -> Vec<FacetValue> {
    let mut values: Vec<FacetValue> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(value, count)| FacetValue { value, count })
        .collect();
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values
}
