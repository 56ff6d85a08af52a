//! Incidents: alerts and crashes in number, and groups.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use panicle_store::{Alert, AlertGroup, IncidentKey, IncidentState, KeyKind, Store};

use crate::support::{contract, crash, next, outcome};

fn alert(fingerprint: &str, starts_at: Timestamp, ends_at: Option<Timestamp>) -> Alert {
    Alert {
        fingerprint: fingerprint.to_owned(),
        labels: BTreeMap::from([("quoted".to_owned(), "\"a\" \u{1f980}".to_owned())]),
        annotations: BTreeMap::new(),
        starts_at,
        ends_at,
        generator_url: None,
    }
}

fn group(identity: &str, alerts: Vec<Alert>) -> AlertGroup {
    AlertGroup {
        project: "default".to_owned(),
        identity: identity.to_owned(),
        title: identity.to_owned(),
        keys: vec![IncidentKey { kind: KeyKind::Service, label: "job".to_owned(), value: "auth".to_owned() }],
        alerts,
        ..AlertGroup::default()
    }
}

contract! {
    async fn alerts_are_told_of_many_at_a_time_and_are_not_without_bound(store: Store) {
        let now = Timestamp::now();
        let since = now - SignedDuration::from_hours(1);
        let of = |from: u32, to: u32| (from..to).map(|n| alert(&format!("{n}"), since, None)).collect::<Vec<_>>();
        let tell = async |alerts: Vec<Alert>| store.tell_alerts(&group("one", alerts), now).await.unwrap();
        let mut twice = of(0, 1000);
        twice.push(alert("7", since, Some(now)));
        twice.push(alert("7", since, None));
        let first = tell(twice).await;
        assert!(first.new);
        let incident = async |id: &str| store.incident(id).await.unwrap();
        assert_eq!(incident(&first.id).await.alerts, 1000);
        let alerts = store.incident_alerts(&first.id).await.unwrap();
        assert_eq!(alerts[0].labels["quoted"], "\"a\" \u{1f980}");
        let seven = alerts.iter().find(|alert| alert.fingerprint == "7").unwrap();
        assert_eq!(seven.ends_at.unwrap().as_microsecond(), now.as_microsecond());
        for thousand in 1..6 {
            // With one that is known, so that it is the same incident.
            let mut alerts = of(thousand * 1000, (thousand + 1) * 1000 - 1);
            alerts.push(alert("0", since, None));
            assert_eq!(tell(alerts).await.id, first.id);
        }
        assert_eq!(incident(&first.id).await.alerts, 5000);
        // What is known is still changed, and what is new is of another one.
        assert_eq!(tell(vec![alert("0", since, Some(now)), alert("x", since, None)]).await.id, first.id);
        assert!(store.incident_alerts(&first.id).await.unwrap()[0].ends_at.is_some());
        let next = tell(vec![alert("x", since, None)]).await;
        assert!(next.new && next.id != first.id);
        assert_eq!(tell(vec![alert("x", since, None)]).await.id, next.id);
        assert_eq!(incident(&next.id).await.state, IncidentState::Open);
    }

    async fn incidents_of_a_group_follow_its_crashes(store: Store) {
        let now = Timestamp::now();
        let analysed = async |core: &str, service: &str| {
            let id = crash(&store, core, service).await;
            let job = next(&store).await;
            assert_eq!(job.subject, id);
            store.commit_crash(&job.lease, &id, &outcome(core)).await.unwrap();
            let group = store.crash(&id).await.unwrap().group_id.unwrap();
            (id, group)
        };
        let tell = async |identity: &str, service: &str| {
            let mut group = group(identity, vec![alert(identity, now, None)]);
            service.clone_into(&mut group.keys[0].value);
            store.tell_alerts(&group, now).await.unwrap().id
        };
        // One is there before the incidents are, and the other comes later.
        let (first, auth) = analysed("a", "auth").await;
        let mut told = Vec::new();
        for number in 0..25 {
            told.push(tell(&format!("{number}"), "auth").await);
        }
        let of_cart = tell("cart", "cart").await;
        let (second, cart) = analysed("b", "cart").await;
        assert_ne!(auth, cart);
        let of = async |group: &str| {
            let incidents = store.incidents_of_group(group).await.unwrap();
            incidents.into_iter().map(|incident| incident.id).collect::<Vec<_>>()
        };
        told.reverse();
        assert_eq!((of(&auth).await, of(&cart).await), (told[..20].to_vec(), vec![of_cart.clone()]));
        // Told of again, nothing is linked twice.
        tell("24", "auth").await;
        let linked = store.incident_crashes(&told[0], 10).await.unwrap();
        assert_eq!(linked.into_iter().map(|one| one.crash).collect::<Vec<_>>(), [first]);
        // A crash that goes to another group takes its incidents along, and back.
        store.merge_groups(&auth, std::slice::from_ref(&cart), None, None).await.unwrap();
        assert_eq!(store.crash(&second).await.unwrap().group_id.unwrap(), auth);
        let mut both = vec![of_cart.clone()];
        both.extend_from_slice(&told[..19]);
        assert_eq!((of(&auth).await, of(&cart).await), (both, vec![]));
        let history = store.group_history(&cart, None, 10).await.unwrap();
        let merged = history.iter().find(|entry| entry.action == "merged").unwrap().seq;
        store.undo(&cart, merged, None).await.unwrap();
        assert_eq!((of(&auth).await, of(&cart).await), (told[..20].to_vec(), vec![of_cart]));
    }
}
