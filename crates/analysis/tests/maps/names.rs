//! Names of maps in reports, held to what they are when they are evaluated in the frame that they are said of.

use std::fmt::Write as _;

use panicle_analysis::{
    Inputs, expr, open,
    questions::Place,
    session::{DebugInformation, Session},
};
use panicle_fixtures::Fixture;
use panicle_report::{Map, MapRoot, Report};
use rayon::prelude::*;

use crate::common::{from_core, label, with_inputs};

/// What the report of a crash says of names, and what is wrong with it.
#[derive(Default)]
struct Checked {
    names: usize,
    casts: usize,
    titles: usize,
    misses: String,
}

/// Where the map is that `expression` gives in a frame.
fn address(session: &Session<'_>, place: &Place, expression: &str) -> Result<Option<u64>, String> {
    let context = session.context();
    let value = expr::evaluate(&context, &place.scope(session), expression).map_err(|error| error.message)?;
    Ok(value.map_address(&context))
}

fn check_root(session: &Session<'_>, map: &Map, root: &MapRoot, checked: &mut Checked) {
    let Some(name) = root.variable.as_deref() else { return };
    checked.names += 1;
    let place = match root.goroutine {
        Some(_) => Place::find(session, root.goroutine, root.frame).map_err(|error| format!("{error:?}")),
        None => Ok(Place::default()),
    };
    let found = place.and_then(|place| address(session, &place, name));
    if found != Ok(Some(map.address.0)) {
        let _ = writeln!(checked.misses, "{name} is {found:x?} and not {}: {root:?}", map.address);
    }
}

/// The title's name of the map gives it in the frame that a question is asked in by default, or else the summary
/// says in which frame it does.
fn check_title(session: &Session<'_>, report: &Report, map: &Map, checked: &mut Checked) {
    let names = map.roots.iter().filter_map(|root| root.variable.as_deref());
    let mut words = names.filter(|name| report.verdict.title.split(' ').any(|word| word == *name));
    let Some(name) = words.next() else { return };
    checked.titles += 1;
    let place = Place::find(session, None, None).map_err(|error| format!("{error:?}"));
    let here = place.and_then(|place| address(session, &place, name)) == Ok(Some(map.address.0));
    if !here && !report.verdict.summary.contains("; so called in frame ") {
        let _ = writeln!(checked.misses, "{name} of the title: {}", report.verdict.summary);
    }
}

fn check(fixture: &Fixture) -> Checked {
    let report: Report = from_core(fixture);
    let mut checked = Checked::default();
    with_inputs(fixture, |inputs: &Inputs<'_>| {
        let opened = open(inputs, DebugInformation::Always, |session, _| {
            for map in &report.maps {
                for root in &map.roots {
                    check_root(session, map, root, &mut checked);
                }
                if Some(map.address) == report.verdict.map {
                    check_title(session, &report, map, &mut checked);
                }
                let Some(cast) = map.expression.as_deref() else { continue };
                checked.casts += 1;
                let found = address(session, &Place::default(), cast);
                if found != Ok(Some(map.address.0)) {
                    let _ = writeln!(checked.misses, "{cast} is {found:x?} and not {}", map.address);
                }
            }
        });
        // Where nothing can be asked there is no map either.
        assert!(opened.is_ok() || report.maps.is_empty(), "{}", label(fixture));
    });
    if !checked.misses.is_empty() {
        checked.misses = format!("{}:\n{}", label(fixture), checked.misses);
    }
    checked
}

#[test]
fn every_name_of_a_map_evaluates_where_it_is_said_of() {
    let fixtures = [panicle_fixtures::all(), panicle_fixtures::matrix()].concat();
    let all: Vec<Checked> = fixtures.par_iter().map(check).collect();
    let misses: String = all.iter().map(|checked| checked.misses.as_str()).collect();
    assert!(misses.is_empty(), "{misses}");
    let sum = |of: fn(&Checked) -> usize| all.iter().map(of).sum::<usize>();
    let (names, casts, titles) = (sum(|one| one.names), sum(|one| one.casts), sum(|one| one.titles));
    println!("{names} names, {casts} casts and {titles} titles in {} crashes", fixtures.len());
    assert!(
        names >= 10 * fixtures.len() && casts >= fixtures.len() && titles >= 40,
        "{names} {casts} {titles}"
    );
}
