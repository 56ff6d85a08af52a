//! Queries: what the database finds is what the language means.

use std::collections::BTreeMap;

use jiff::Timestamp;
use panicle_query::{Facts, Query};
use panicle_store::{
    CrashFilter, EvidenceKind, GroupChange, GroupFilter, GroupPage, GroupSort, GroupState, NewCrash,
    NewEvidence, Offer, Store, StoreError,
};

use crate::support::{blob, contract, crash, next, outcome};

/// A crash with these facts, in the group of this fingerprint.
async fn analysed(
    store: &Store,
    core: &str,
    service: &str,
    fingerprint: &str,
    more: &[(&str, &str)],
) -> String {
    blob(store, core, EvidenceKind::Core).await;
    let new = NewCrash {
        evidence: vec![NewEvidence { id: core.to_owned(), kind: EvidenceKind::Core }],
        service: Some(service.to_owned()),
        labels: BTreeMap::from([
            ("env".to_owned(), format!("{service}-env")),
            ("a b".to_owned(), "50%_\\*".to_owned()),
        ]),
        occurred_at: Some("2026-01-02T03:04:05.000006Z".parse().unwrap()),
        ..NewCrash::default()
    };
    let id = store.create_crash(&new).await.unwrap().id;
    let job = next(store).await;
    let mut done = outcome(fingerprint);
    for (name, value) in more {
        match value.parse() {
            Ok(number) if *name == "goroutines" || *name == "maps" => done.facts.set_number(name, number),
            _ => done.facts.add(name, value),
        }
    }
    if done.facts.number("goroutines").is_some() {
        done.facts.add_count("goroutines.status", "waiting", 30);
        done.facts.add_count("goroutines.status", "chan receive", 20);
        done.facts.add_count("goroutines.status", "chan send", 10);
        done.facts.add_count("goroutines.function", "net.(*conn).Read", 7);
        done.facts.add_count("goroutines.function", "net.(*netFD).Read", 8);
    }
    store.commit_crash(&job.lease, &id, &done).await.unwrap();
    id
}

async fn history(store: &Store) -> Vec<String> {
    let first = analysed(
        store,
        "c1",
        "Auth",
        "aa11",
        &[
            ("title", "100% of Writes"),
            ("fingerprint", "aa11"),
            ("frame", "example.com/shop/cache.(*Cache).Put"),
            ("frame", "main.Ü"),
            ("version", "v1.4.0-rc.1"),
            ("go", "go1.24rc1"),
            ("module", "example.com/Shop"),
            ("goroutines", "31"),
            ("message", "panic: [a-z]*? \"quoted\""),
            ("build", "GoID/abc"),
        ],
    )
    .await;
    let second = analysed(
        store,
        "c2",
        "cart",
        "aa11",
        &[
            ("title", "100_ of writes"),
            ("version", "v1.4.12"),
            ("go", "go1.24.11"),
            ("goroutines", "31000"),
            ("maps", "3"),
        ],
    )
    .await;
    let third = analysed(
        store,
        "c3",
        "auth-eu",
        "bb22",
        &[
            ("title", "ÄRGER"),
            ("fingerprint", "bb22"),
            ("version", "(devel)"),
            ("go", "go1.9.7"),
            ("frame", "main.put"),
        ],
    )
    .await;
    let waits = crash(store, "c4", "Auth").await;
    let group = store.crash(&third).await.unwrap().group_id.unwrap();
    let change = GroupChange {
        state: Some(GroupState::Muted),
        owner: Some("Änne".to_owned()),
        ..GroupChange::default()
    };
    store.change_group(&group, &change).await.unwrap();
    vec![first, second, third, waits]
}

/// All that is known of a crash and its group.
async fn whole(store: &Store, id: &str) -> Facts {
    let mut facts = store.facts(id).await.unwrap();
    if let Some(group) = store.crash(id).await.unwrap().group_id {
        let group = store.group(&group).await.unwrap().group;
        facts.add("state", group.state.as_str());
        facts.add("owner", group.owner.as_deref().unwrap_or_default());
        facts.set_number("count", group.count);
        facts.set_time("first_seen", group.first_seen);
        facts.set_time("last_seen", group.last_seen);
    }
    facts
}

async fn found(store: &Store, text: &str) -> Vec<String> {
    let filter = CrashFilter { query: Some(query(text)), ..CrashFilter::default() };
    store.crashes(&filter, 100).await.unwrap().into_iter().map(|crash| crash.id).collect()
}

async fn groups(store: &Store, text: &str) -> Vec<String> {
    let filter = GroupFilter { query: Some(query(text)), ..GroupFilter::default() };
    let page = GroupPage { sort: GroupSort::LastSeen, after: None, limit: 100 };
    let mut ids: Vec<String> =
        store.groups(&filter, &page).await.unwrap().into_iter().map(|group| group.id).collect();
    ids.sort();
    ids
}

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{error}\n{}", error.caret(text)))
}

/// What is asked in the test below, besides the examples of the table of fields.
const QUERIES: &[&str] = &[
    "",
    "class:nil-map-write",
    "class:NIL-*",
    "-class:deadlock",
    "service:auth",
    "service:AUTH*",
    "service:?art",
    "title:writes",
    "title:\"100%\"",
    "title:\"100_\"",
    "title:100?*",
    "title:ärger",
    "message:\"[a-z]*?\"",
    "message:*\\[a-z\\]\\*\\?*",
    "frame:Put",
    "frame:put",
    "frame:cache.(*Cache).Put",
    "frame:main.Ü",
    "frame:main.ü",
    "frame:*Cache*",
    "module:shop",
    "build:GoID",
    "build:goid",
    "label.env:auth-env",
    "label.\"a b\":\"50%_\\\\*\"",
    "label.env:*",
    "label.zone:*",
    "version:v1.4",
    "version:>=v1.4",
    "version:<v1.4.0",
    "version:v1.4.*",
    "version:\"(devel)\"",
    "version:*",
    "version:..v1.4",
    "go:1.24",
    "go:>=1.24",
    "go:>1.24rc1",
    "go:<1.10",
    "go:1.9..1.24",
    "goroutines:31",
    "goroutines:>31",
    "goroutines:>=0",
    "goroutines:30..40",
    "maps:<10",
    "goroutines.status:waiting",
    "goroutines.status:chan*=30",
    "goroutines.status:\"chan receive\">19",
    "goroutines.status:\"chan receive\">20",
    "goroutines.status:select=0",
    "goroutines.status:select<5",
    "goroutines.status:waiting<5",
    "-goroutines.status:select<5",
    "goroutines.function:Read>=7",
    "goroutines.function:net.*>8",
    "goroutines.function:net.*=8",
    "goroutines.function:net.*<8",
    "status:done",
    "-status:done",
    "status:que*",
    "state:new",
    "-state:new",
    "state:muted owner:änne",
    "owner:Ä*",
    "-owner:*",
    "count:2",
    "count:>2",
    "first_seen:2026-01-02",
    "-last_seen:2026-01-02",
    "group:0",
    "-group:*",
    "since:1000w",
    "since:1d",
    "seen:2026-01-02",
    "seen:2026-01-02T03:04:05.000006Z",
    "seen:<2026-01-02T03:04:05.000006Z",
    "until:2026-01-01",
    "received:>=1h",
    "analysed:>=1h",
    "-analysed:>=1h",
    "writes",
    "WRITES \"100%\"",
    "aa11",
    "a11",
    "nil-map",
    "ÄRGER",
    "cache.(*cache)",
    "writes -cart",
    "(service:auth OR service:cart) (go:1.24 OR -goroutines:>=0)",
    "-(service:auth OR state:muted)",
    "state:new OR service:auth-eu",
    "service:auth -(state:new class:nil-map-write)",
    "\"\u{0}\"",
    "class:nil-map-write goroutines.status:chan*>=20 since:1000w",
    "service:auth goroutines.status:waiting<5 -class:deadlock",
    "service:auth class:nil-map-write",
    "service:a* until:2026-01-02 seen:2026-01-01..2026-12-31",
    "service:auth OR class:deadlock",
    "state:new service:auth goroutines:>=0",
    "\"'; DROP TABLE crashes; --\"",
    "-service:auth",
    "-service:a*",
    "-version:v1.4*",
    "-version:>=v1.4",
    "-go:1.24",
    "-frame:*",
    "-frame:*ut",
    "-label.env:*",
    "-label.env:auth-env",
    "-label.zone:x",
    "-host:*",
    "-writes",
    "-cart",
    "-nil-map",
    "-goroutines.status:waiting",
    "-(service:auth go:1.24)",
    "-(service:auth OR service:cart)",
    "-(service:auth -go:1.24)",
    "-service:auth OR -go:1.24",
    "-service:auth OR version:v1.4.12 OR aa11",
    "(go:1.24 -version:v1.4.12) OR frame:put",
    "service:auth version:v1.4.12",
    "service:auth -version:v1.4.12",
    "-service:auth -version:v1.4.12",
    "state:new -service:auth",
    "since:1000w -service:auth",
    "seen:2026-01-02 -service:auth",
    "title:writes OR (status:done -service:auth)",
];

contract! {
    async fn what_is_found_is_what_the_query_means(store: Store) {
        let ids = history(&store).await;
        let examples = panicle_query::FIELDS.iter().flat_map(|field| field.examples.iter().copied());
        let mut some = 0;
        for text in QUERIES.iter().copied().chain(examples) {
            let asked = query(text);
            let (mut meant, mut meant_groups) = (Vec::new(), Vec::new());
            for id in ids.iter().rev() {
                let facts = whole(&store, id).await;
                if asked.matches(&facts, Timestamp::now()) {
                    meant.push(id.clone());
                    meant_groups.extend(facts.values("group").map(|(id, _)| id.to_owned()));
                }
            }
            meant_groups.sort();
            meant_groups.dedup();
            some += usize::from(!meant.is_empty() && meant.len() < ids.len());
            // The ways on which frequent and rare terms are looked for find the same.
            for crashes in [None, Some(0), Some(1), Some(3)] {
                let store = crashes.map_or_else(|| store.clone(), |crashes| store.clone().looking_up(crashes));
                assert_eq!(found(&store, text).await, meant, "{text}, {crashes:?}");
                assert_eq!(groups(&store, text).await, meant_groups, "groups: {text}, {crashes:?}");
            }
        }
        assert_eq!(store.miscounted_facts().await.unwrap(), 0);
        // Most of what is asked tells crashes apart.
        assert!(some > 50, "{some}");
        let id = &ids[1];
        assert!(found(&store, &id[..13]).await.contains(id));
        assert_eq!(found(&store, &format!("id:{id}")).await, std::slice::from_ref(id));
        assert_eq!(found(&store, id).await, std::slice::from_ref(id));
    }

    async fn a_query_goes_with_the_filters_and_in_pages(store: Store) {
        let ids = history(&store).await;
        let filter = CrashFilter {
            service: Some("Auth".to_owned()),
            query: Some(query("class:nil-map-write OR status:queued")),
            ..CrashFilter::default()
        };
        let list = async |before: Option<&String>| -> Vec<String> {
            let filter = CrashFilter { before: before.cloned(), ..filter.clone() };
            store.crashes(&filter, 1).await.unwrap().into_iter().map(|crash| crash.id).collect()
        };
        assert_eq!(list(None).await, std::slice::from_ref(&ids[3]));
        assert_eq!(list(Some(&ids[3])).await, std::slice::from_ref(&ids[0]));
        assert!(list(Some(&ids[0])).await.is_empty());
        let filter = GroupFilter {
            state: Some(GroupState::New),
            query: Some(query("go:1.24 since:2026-01-02")),
            ..GroupFilter::default()
        };
        let page = GroupPage { sort: GroupSort::Count, after: None, limit: 1 };
        let first = store.groups(&filter, &page).await.unwrap();
        assert_eq!(first.iter().map(|group| group.count).collect::<Vec<_>>(), [2]);
        let after = Some((first[0].sort_value(GroupSort::Count), first[0].id.clone()));
        assert!(store.groups(&filter, &GroupPage { after, ..page }).await.unwrap().is_empty());
        assert!(store.search(&query(" "), 10).await.unwrap().crashes.is_empty());
        let all = store.search(&query("class:*"), 2).await.unwrap();
        assert_eq!((all.crashes.len(), all.groups.len()), (2, 2));
    }

    async fn values_are_offered_by_how_often_they_occur(store: Store) {
        history(&store).await;
        crash(&store, "c5", "cart").await;
        crash(&store, "c6", "scar").await;
        let offer = |value: &str, crashes| Offer { value: value.to_owned(), crashes };
        assert_eq!(store.offers(None, "service", "", 10).await.unwrap(), [offer("Auth", 2), offer("cart", 2), offer("auth-eu", 1), offer("scar", 1)]);
        assert_eq!(store.offers(None, "service", "CA", 10).await.unwrap(), [offer("cart", 2), offer("scar", 1)]);
        assert_eq!(store.offers(None, "service", "a", 1).await.unwrap(), [offer("Auth", 2)]);
        assert_eq!(store.offers(None, "label.a b", "50%_\\*", 10).await.unwrap(), [offer("50%_\\*", 3)]);
        assert_eq!(store.offers(None, "label.a b", "50%%", 10).await.unwrap(), []);
        assert_eq!(store.label_keys(None, "E", 10).await.unwrap(), ["env"]);
        assert_eq!(store.label_keys(None, "", 10).await.unwrap(), ["a b", "env"]);
        assert_eq!(store.owners(None, "än", 10).await.unwrap(), [offer("Änne", 1)]);
    }

    async fn saved_queries_are_kept_by_name(store: Store) {
        let one = store.save_query("mine", "service:auth").await.unwrap();
        let two = store.save_query("a b", "class:deadlock").await.unwrap();
        assert!(matches!(store.save_query("mine", "x").await, Err(StoreError::Taken { .. })));
        let names = |list: Vec<panicle_store::SavedQuery>| list.into_iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!(names(store.saved_queries(None, 10).await.unwrap()), ["a b", "mine"]);
        assert_eq!(names(store.saved_queries(Some("a b"), 10).await.unwrap()), ["mine"]);
        let changed = store.change_saved_query(&one.id, "mine", "service:cart", Some(one.revision)).await.unwrap();
        assert_eq!((changed.query.as_str(), changed.revision), ("service:cart", 2));
        assert!(changed.created_at == one.created_at && changed.updated_at >= one.updated_at);
        let again = store.change_saved_query(&one.id, "mine", "x", Some(one.revision)).await;
        assert!(matches!(again, Err(StoreError::Conflict)));
        assert!(matches!(store.change_saved_query(&one.id, "a b", "x", None).await, Err(StoreError::Taken { .. })));
        assert!(matches!(store.change_saved_query("x", "y", "x", None).await, Err(StoreError::NotFound { .. })));
        assert!(matches!(store.delete_saved_query(&one.id, Some(1)).await, Err(StoreError::Conflict)));
        store.delete_saved_query(&one.id, Some(2)).await.unwrap();
        store.delete_saved_query(&two.id, None).await.unwrap();
        assert!(matches!(store.saved_query(&two.id).await, Err(StoreError::NotFound { .. })));
        assert!(store.saved_queries(None, 10).await.unwrap().is_empty());
    }
}

/// The words of the language are those of the store.
#[test]
fn states_are_those_that_can_be_asked_for() {
    use panicle_query::{Kind, fields};
    let words = |name: &str| match fields::find(name).unwrap().0.kind {
        Kind::OneOf(words) => words.to_vec(),
        _ => panic!("{name} has no words"),
    };
    let status = words("status");
    let statuses = panicle_store::CrashStatus::ALL.iter().map(|status| status.as_str());
    assert!(statuses.eq(status.iter().copied()));
    let state = words("state");
    assert!(GroupState::ALL.iter().all(|known| state.contains(&known.as_str())));
}
