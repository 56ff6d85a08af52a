use panicle_binary::Executable;
use panicle_image::Core;
use rayon::prelude::*;

use super::RULES;
use crate::resolve;

#[test]
fn variables_are_where_the_symbols_say() {
    let mut fixtures = panicle_fixtures::all();
    fixtures.extend(panicle_fixtures::matrix().into_iter().filter(|fixture| fixture.variant == "default"));
    let wrong: Vec<String> = fixtures
        .par_iter()
        .flat_map_iter(|fixture| {
            let core = std::fs::read(&fixture.core).unwrap();
            let core = Core::parse(&core).unwrap().0;
            let binary = std::fs::read(&fixture.binary).unwrap();
            let executable = Executable::parse(&binary).unwrap().0;
            let (memory, bias) = resolve::memory(&core, &executable).unwrap();
            let process = resolve::resolve(&memory, bias, &executable, None).unwrap().0.process;
            let name = format!("{} {} {}", fixture.program, fixture.go_version, fixture.variant);
            RULES
                .iter()
                .filter_map(|rule| {
                    let symbol = executable.symbol(rule.name)?.address.wrapping_add(bias);
                    let found = process.global_without_symbol(rule.name);
                    (found != Some(symbol))
                        .then(|| format!("{name}: {} {found:x?}, not {symbol:x}", rule.name))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
