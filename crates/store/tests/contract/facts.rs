//! What crashes are searched by.

use std::collections::BTreeMap;

use panicle_query::{Facts, Predicate, Query};
use panicle_store::{EvidenceKind, NewCrash, NewEvidence, Outdated, Store};

use crate::support::{contract, crash, next, outcome};

fn values(facts: &Facts, name: &str) -> Vec<String> {
    facts.values(name).map(|(value, _)| value.to_owned()).collect()
}

contract! {
    async fn facts_are_those_of_the_newest_report_and_of_who_reported_it(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let before = store.facts(&id).await.unwrap();
        assert_eq!((values(&before, "service"), values(&before, "class")), (vec!["shop".to_owned()], vec![]));

        let job = next(&store).await;
        let mut first = outcome("aa");
        first.analysed.hostname = Some("from the core".to_owned());
        first.facts.add("message", "with a zero \0 in it");
        first.facts.add("host", "from the core");
        first.facts.add_count("goroutines.status", "chan receive", u64::MAX);
        first.facts.set_number("goroutines", 12);
        store.commit_crash(&job.lease, &id, &first).await.unwrap();
        let facts = store.facts(&id).await.unwrap();
        assert_eq!(values(&facts, "message"), ["with a zero \u{fffd} in it"]);
        assert_eq!((values(&facts, "host"), facts.number("goroutines")), (vec!["from the core".to_owned()], Some(12)));
        assert_eq!(values(&facts, "status"), ["done"]);
        assert!(facts.time("seen").is_some() && facts.time("analysed").is_some());
        assert!(Predicate::parse("\"main.f\" && class:nil-map-write && service:shop").unwrap().matches(&facts));

        // More is said about the same crash, and another analysis sees other things.
        let new = NewCrash {
            evidence: vec![NewEvidence { id: "c1".to_owned(), kind: EvidenceKind::Core }],
            labels: BTreeMap::from([("env".to_owned(), "prod".to_owned()), ("a b".to_owned(), "1".to_owned())]),
            service: Some("another name is not taken".to_owned()),
            ..NewCrash::default()
        };
        assert!(!store.create_crash(&new).await.unwrap().new);
        let facts = store.facts(&id).await.unwrap();
        assert_eq!((values(&facts, "label.env"), values(&facts, "label.a b")), (vec!["prod".to_owned()], vec!["1".to_owned()]));
        assert_eq!((values(&facts, "service"), values(&facts, "class").len()), (vec!["shop".to_owned()], 1));
        store.reanalyse(&id).await.unwrap();
        let job = next(&store).await;
        store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap();
        let facts = store.facts(&id).await.unwrap();
        assert_eq!((values(&facts, "message").len(), facts.number("goroutines")), (0, None));
        assert_eq!((values(&facts, "label.env").len(), values(&facts, "host").len()), (1, 1));
    }

    async fn the_history_is_read_in_parts(store: Store) {
        let mut ids = Vec::new();
        for core in ["c1", "c2", "c3"] {
            ids.push(crash(&store, core, core).await);
        }
        let job = next(&store).await;
        store.commit_crash(&job.lease, &ids[0], &outcome("aa")).await.unwrap();
        let rule = Query::parse("service:c3 OR class:nil-map-write").unwrap();
        let (mut seen, mut claimed, mut after) = (Vec::new(), Vec::new(), None::<String>);
        loop {
            let part = store.history(after.as_deref(), 2).await.unwrap();
            let Some(last) = part.last() else { break };
            after = Some(last.crash.clone());
            for one in part {
                if rule.matches(&one.facts, jiff::Timestamp::now()) {
                    claimed.push(one.crash.clone());
                }
                assert_eq!(one.facts, store.facts(&one.crash).await.unwrap());
                assert_eq!(one.group.is_some(), one.crash == ids[0]);
                seen.push(one.crash);
            }
        }
        assert_eq!(seen, ids);
        assert_eq!(claimed, [ids[0].clone(), ids[2].clone()]);
    }

    async fn facts_are_filled_once_and_not_over_newer_ones(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let job = next(&store).await;
        assert_eq!(store.outdated_facts(10).await.unwrap(), [Outdated { crash: id.clone(), report_revision: 0 }]);
        store.commit_crash(&job.lease, &id, &outcome("aa")).await.unwrap();
        assert!(store.outdated_facts(10).await.unwrap().is_empty());
        let late = Outdated { crash: id.clone(), report_revision: 0 };
        store.fill_facts(&late, &Facts::new().with("class", "deadlock")).await.unwrap();
        assert_eq!(values(&store.facts(&id).await.unwrap(), "class"), ["nil-map-write"]);

        let id = crash(&store, "c2", "cart").await;
        let outdated = store.outdated_facts(10).await.unwrap();
        store.fill_facts(&outdated[0], &Facts::new().with("class", "deadlock")).await.unwrap();
        let facts = store.facts(&id).await.unwrap();
        assert_eq!((values(&facts, "class"), values(&facts, "service")), (vec!["deadlock".to_owned()], vec!["cart".to_owned()]));
        assert!(store.outdated_facts(10).await.unwrap().is_empty());
    }
}
