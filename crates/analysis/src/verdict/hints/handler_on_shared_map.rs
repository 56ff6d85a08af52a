//! A handler that works on a map which all requests share. A server runs each request in a goroutine of its
//! own, so a handler is concurrent without a `go` statement in sight.

use panicle_report::{Goroutine, Map, MapRootKind};

use super::{Finding, is_concurrent_map};
use crate::{
    facts::{Facts, describe, in_app},
    verdict::map_in_question as question,
};

/// Functions of servers that run a goroutine for each connection or request.
const SERVERS: &[(&str, &str)] = &[
    ("net/http.(*conn).serve", "net/http"),
    ("net/http.(*http2serverConn).runHandler", "net/http"),
    ("golang.org/x/net/http2.(*serverConn).runHandler", "net/http2"),
    ("google.golang.org/grpc.(*Server).handleStream", "gRPC"),
    ("net/rpc.(*service).call", "net/rpc"),
    ("github.com/valyala/fasthttp.(*Server).serveConn", "fasthttp"),
];

pub(super) fn look(facts: &Facts<'_>, finding: &Finding) -> Option<String> {
    if !is_concurrent_map(finding.class) {
        return None;
    }
    let goroutine = facts.crashing?;
    let (server, handler) = handler(goroutine)?;
    let map = question::of(facts).map(|(map, _)| map);
    let shared = match map {
        Some(map) => is_shared(facts, map, goroutine)?,
        // Text does not tell whose the map is.
        None => "if it is not made anew for each request, they share it".to_owned(),
    };
    Some(format!(
        "The map was in use by the handler {handler}. {server} runs every request in a goroutine of its own, and {shared}."
    ))
}

/// The server that runs the goroutine, and the outermost function of the application under it.
fn handler(goroutine: &Goroutine) -> Option<(&'static str, String)> {
    let (at, server) = goroutine.frames.iter().enumerate().find_map(|(at, frame)| {
        let known = SERVERS.iter().find(|(function, _)| frame.function.starts_with(function))?;
        Some((at, known.1))
    })?;
    let handler = goroutine.frames.get(..at)?.iter().rev().find(|frame| in_app(frame))?;
    Some((server, describe(handler)))
}

/// How requests come to share the map: a package variable, or another request that holds it as well. A map
/// that one request alone has is not shared, whatever goroutines it started.
fn is_shared(facts: &Facts<'_>, map: &Map, goroutine: &Goroutine) -> Option<String> {
    let global = map.roots.iter().find(|root| root.kind == MapRootKind::Global && root.name().is_some());
    if let Some(name) = global.and_then(|root| root.name()) {
        return Some(format!("all of them share the package variable {name}"));
    }
    let holders = map.roots.iter().filter_map(|root| root.goroutine);
    let users = map.users.iter().map(|user| user.goroutine);
    let another = holders
        .chain(users)
        .filter(|id| *id != goroutine.id)
        .find(|id| facts.goroutines.iter().any(|other| other.id == *id && handler(other).is_some()))?;
    Some(format!("goroutine {another}, another request, has this very map too"))
}
