use std::collections::BTreeMap;

use axum::{Json as Answer, extract::State};
use panicle_report::{
    Address, Map, MapEntries, MapEntriesQuery, MapImplementation, MapLayout, MapLayoutQuery, MapPointer,
    MapSort, MapState, Query as Question, Report,
};
use panicle_store::CrashStatus;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{eval::ask, goroutines::most_frequent};
use crate::{
    AppState, Problem,
    extract::{Path, Query},
    page,
    shapes::FacetValue,
};

/// Buckets or groups that one answer draws.
const DEFAULT_ROWS: u64 = 64;
const MAX_ROWS: u64 = 1024;
/// Entries that come along with a map.
const FIRST_ENTRIES: u64 = 50;

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Part of the type, `map[string]`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    type_name: Option<String>,
    state: Option<MapState>,
    /// A flag that is set, by its name.
    flag: Option<String>,
    /// A goroutine that holds or uses the map.
    goroutine: Option<u64>,
    /// Without it, the report's order: the verdict's maps first.
    sort: Option<Sort>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most, up to 500.
    limit: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = MapListSort)]
pub(crate) enum Sort {
    /// Most entries first.
    Count,
    /// Most bytes first.
    Size,
}

/// Part of the list of maps.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapPage {
    items: Vec<Map>,
    /// Pass it as `cursor` for the next part; null at the end.
    next_cursor: Option<String>,
    /// Maps that the report lists.
    total: u64,
    /// Those that the filters leave.
    matched: u64,
    /// Maps that were found and that the report does not list.
    left_out: u64,
    facets: MapFacets,
}

/// What can be filtered by, over all maps that the report lists, most frequent first.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapFacets {
    state: Vec<FacetValue>,
    /// Flags that are set in any.
    flag: Vec<FacetValue>,
}

/// A map with a first look at what is in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapDetails {
    map: Map,
    /// Its first entries, in the order in which they lie; null when memory cannot be asked.
    #[schema(value_type = Option<MapEntries>)]
    entries: Option<Box<RawValue>>,
    /// Its first buckets or groups; null when memory cannot be asked.
    #[schema(value_type = Option<MapLayout>)]
    layout: Option<Box<RawValue>>,
    /// Why entries or layout are null.
    unavailable: Option<Problem>,
}

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DetailsQuery {
    /// The runtime's descriptor of the map's type. It tells nil maps apart, which are all at `0x0`.
    type_address: Option<Address>,
}

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntriesQuery {
    /// The runtime's descriptor of the map's type, for a map that the report does not list.
    type_address: Option<Address>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Entries at most, up to 500.
    limit: Option<u32>,
    /// Without it, the order in which they lie.
    sort: Option<MapSort>,
    /// Only entries whose key or value, as text, contains this.
    filter: Option<String>,
    /// Only the entry of this key, a Go literal: `"k1"`, `17`.
    key: Option<String>,
}

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LayoutQuery {
    /// The runtime's descriptor of the map's type, for a map that the report does not list.
    type_address: Option<Address>,
    /// The first bucket, or group counted over all tables.
    from: Option<u64>,
    /// Buckets or groups at most, up to 1024.
    limit: Option<u64>,
    /// Say where this key belongs, a Go literal.
    key: Option<String>,
}

/// The maps that were found in memory.
#[utoipa::path(get, operation_id = "listMaps", path = "/crashes/{id}/maps", tag = "memory",
    params(("id" = String, Path), ListQuery),
    responses((status = 200, body = MapPage),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Answer<MapPage>, Problem> {
    let limit = page::limit(query.limit)? as usize;
    let offset = query.cursor.as_deref().map_or(Ok(0), str::parse);
    let offset = offset.map_err(|_| Problem::bad_request("this is no cursor that a list answered"))?;
    let crash = state.store.crash(&id).await?;
    let head = state.reports.head(&state.store, &crash).await?;
    Ok(Answer(list_maps(&head, &query, offset, limit)))
}

/// One map: its header, who holds and uses it, its first entries, and how it lies.
#[utoipa::path(get, operation_id = "getMap", path = "/crashes/{id}/maps/{address}", tag = "memory",
    params(("id" = String, Path), ("address" = String, Path, description = "Where its header is, `0x…`"),
        DetailsQuery),
    responses((status = 200, body = MapDetails),
        (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path((id, address)): Path<(String, Address)>,
    Query(query): Query<DetailsQuery>,
) -> Result<Answer<MapDetails>, Problem> {
    let crash = state.store.crash(&id).await?;
    let head = state.reports.head(&state.store, &crash).await?;
    let is_it = |map: &&Map| {
        map.address == address && query.type_address.is_none_or(|of| map.type_address == Some(of))
    };
    let map = head.maps.iter().find(is_it).cloned();
    let map =
        map.ok_or_else(|| Problem::not_found(format!("the report of crash {id} has no map at {address}")))?;
    let (entries, layout) = match pointer(&map) {
        Ok(pointer) => tokio::join!(
            ask(
                &state,
                &id,
                Question::MapEntries(entries_query(pointer, &EntriesQuery::default(), FIRST_ENTRIES))
            ),
            ask(
                &state,
                &id,
                Question::MapLayout(layout_query(pointer, &LayoutQuery::default(), DEFAULT_ROWS))
            ),
        ),
        Err(problem) => (Err(problem.clone()), Err(problem)),
    };
    let unavailable = entries.as_ref().err().or(layout.as_ref().err()).cloned();
    Ok(Answer(MapDetails { map, entries: entries.ok(), layout: layout.ok(), unavailable }))
}

/// Entries of a map: in the order in which they lie, sorted, filtered, or the one of a key.
#[utoipa::path(get, operation_id = "listMapEntries", path = "/crashes/{id}/maps/{address}/entries", tag = "memory",
    params(("id" = String, Path), ("address" = String, Path, description = "Where its header is, `0x…`"),
        EntriesQuery),
    responses((status = 200, body = MapEntries),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn entries(
    State(state): State<AppState>,
    Path((id, address)): Path<(String, Address)>,
    Query(query): Query<EntriesQuery>,
) -> Result<Answer<Box<RawValue>>, Problem> {
    let limit = page::limit(query.limit)?.into();
    let pointer = find(&state, &id, address, query.type_address).await?;
    ask(&state, &id, Question::MapEntries(entries_query(pointer, &query, limit))).await.map(Answer)
}

/// Buckets or groups of a map, and where a key belongs among them.
#[utoipa::path(get, operation_id = "getMapLayout", path = "/crashes/{id}/maps/{address}/layout", tag = "memory",
    params(("id" = String, Path), ("address" = String, Path, description = "Where its header is, `0x…`"),
        LayoutQuery),
    responses((status = 200, body = MapLayout),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn layout(
    State(state): State<AppState>,
    Path((id, address)): Path<(String, Address)>,
    Query(query): Query<LayoutQuery>,
) -> Result<Answer<Box<RawValue>>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_ROWS);
    if !(1..=MAX_ROWS).contains(&limit) {
        return Err(Problem::bad_request(format!("limit has to be from 1 to {MAX_ROWS}")));
    }
    let pointer = find(&state, &id, address, query.type_address).await?;
    ask(&state, &id, Question::MapLayout(layout_query(pointer, &query, limit))).await.map(Answer)
}

/// Which map is meant: one of the report, unless the type is given too.
async fn find(
    state: &AppState,
    id: &str,
    address: Address,
    type_address: Option<Address>,
) -> Result<MapPointer, Problem> {
    let crash = state.store.crash(id).await?;
    if let Some(type_address) = type_address {
        return Ok(MapPointer { address, type_address });
    }
    let head = state.reports.head(&state.store, &crash).await?;
    let none = || match crash.status {
        CrashStatus::WaitingForBinary => no_entries("the executable of this crash is not here yet"),
        _ => Problem::not_found(format!("the report of crash {id} has no map at {address}")),
    };
    pointer(head.maps.iter().find(|map| map.address == address).ok_or_else(none)?)
}

fn pointer(map: &Map) -> Result<MapPointer, Problem> {
    if map.address == Address(0) {
        return Err(no_entries("a nil map has no entries"));
    }
    let sync_map = (map.implementation == Some(MapImplementation::SyncMap)).then_some(Address(0));
    let type_address = map.type_address.or(sync_map);
    let type_address = type_address.ok_or_else(|| no_entries("the type of this map is not known"))?;
    Ok(MapPointer { address: map.address, type_address })
}

fn no_entries(detail: &str) -> Problem {
    Problem::new(http::StatusCode::CONFLICT, "no-memory", "There is no memory to ask", detail)
}

fn entries_query(map: MapPointer, query: &EntriesQuery, limit: u64) -> MapEntriesQuery {
    MapEntriesQuery {
        map,
        cursor: query.cursor.clone(),
        limit,
        sort: query.sort,
        filter: query.filter.clone().filter(|filter| !filter.is_empty()),
        key: query.key.clone().filter(|key| !key.is_empty()),
    }
}

fn layout_query(map: MapPointer, query: &LayoutQuery, limit: u64) -> MapLayoutQuery {
    let key = query.key.clone().filter(|key| !key.is_empty());
    MapLayoutQuery { map, from: query.from.unwrap_or(0), limit, key }
}

fn list_maps(head: &Report, query: &ListQuery, offset: usize, limit: usize) -> MapPage {
    let mut maps: Vec<&Map> = head.maps.iter().filter(|map| passes(map, query)).collect();
    // The sort is stable: among equals the report's order remains. Unknown is less than nothing.
    match query.sort {
        Some(Sort::Count) => maps.sort_by_key(|map| std::cmp::Reverse(map.count)),
        Some(Sort::Size) => maps.sort_by_key(|map| std::cmp::Reverse(map.size_bytes)),
        None => {}
    }
    let items: Vec<Map> = maps.iter().skip(offset).take(limit).map(|map| (*map).clone()).collect();
    let next = offset.saturating_add(items.len());
    MapPage {
        next_cursor: (next < maps.len() && !items.is_empty()).then(|| next.to_string()),
        items,
        total: head.maps.len() as u64,
        matched: maps.len() as u64,
        left_out: head.maps_left_out,
        facets: facets(&head.maps),
    }
}

fn facets(maps: &[Map]) -> MapFacets {
    let states = maps.iter().map(|map| map.state.as_str().to_owned());
    let flags = maps.iter().flat_map(|map| map.flags.iter().cloned());
    let counted = |values: &mut dyn Iterator<Item = String>| {
        let mut counts = BTreeMap::new();
        for value in values {
            *counts.entry(value).or_insert(0) += 1;
        }
        most_frequent(counts)
    };
    MapFacets { state: counted(&mut { states }), flag: counted(&mut { flags }) }
}

fn passes(map: &Map, query: &ListQuery) -> bool {
    let name = map.type_name.as_deref().unwrap_or_default().to_lowercase();
    let of_goroutine = |wanted: u64| {
        map.roots.iter().any(|root| root.goroutine == Some(wanted))
            || map.users.iter().any(|user| user.goroutine == wanted)
    };
    query.type_name.as_ref().is_none_or(|part| name.contains(&part.to_lowercase()))
        && query.state.is_none_or(|state| map.state == state)
        && query.flag.as_ref().is_none_or(|flag| map.flags.contains(flag))
        && query.goroutine.is_none_or(of_goroutine)
}
