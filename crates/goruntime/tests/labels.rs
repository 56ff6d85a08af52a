//! Profiler labels of goroutines. Tracebacks print them from Go 1.27 on only, so that the oracle says
//! nothing of the versions that keep them in a map.

use std::collections::BTreeMap;

use panicle_binary::Executable;
use panicle_goruntime::{Options, reconstruct};
use panicle_image::Core;

#[test]
fn labels_are_read_in_every_version() {
    let odd = [("a", "1"), ("empty", ""), ("quote", r#"say "hi""#), ("req id", "a b"), ("zone", "eu:west")];
    let orders = [("route", "/orders"), ("tenant", "acme")];
    let users = [("route", "/users/{id}"), ("tenant", "acme")];
    for version in ["1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"] {
        let fixture = panicle_fixtures::get("labels", version);
        let core = std::fs::read(&fixture.core).unwrap();
        let binary = std::fs::read(&fixture.binary).unwrap();
        let (core, _) = Core::parse(&core).unwrap();
        let (executable, _) = Executable::parse(&binary).unwrap();
        let (found, diagnostics) = reconstruct(&core, &executable, &Options::default());
        assert_eq!(diagnostics, [], "Go {version}");
        let sets = found.goroutines.iter().map(|goroutine| &goroutine.labels);
        let mut sets: Vec<_> = sets.filter(|labels| !labels.is_empty()).collect();
        sets.sort();
        // A goroutine inherits the labels of the one that starts it.
        let wanted: [&[(&str, &str)]; 6] = [&odd, &orders, &orders, &users, &users, &[("svc", "pay")]];
        let wanted = wanted.map(|labels| {
            labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
        });
        assert_eq!(sets, wanted.iter().collect::<Vec<_>>(), "Go {version}");
    }
}
