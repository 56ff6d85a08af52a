//! Objects of buckets that become evidence.

use jiff::{SignedDuration, Timestamp};
use panicle_store::{EvidenceKind, JobKind, Lane, NewIncoming, NewObject, Noted, ObjectState, Store};

use crate::support::{blob, claim, contract};

fn object(key: &str, etag: Option<&str>, sequencer: Option<&str>) -> NewObject {
    NewObject {
        source: "s".to_owned(),
        project: "default".to_owned(),
        bucket: "b".to_owned(),
        key: key.to_owned(),
        raw_key: key.to_owned(),
        etag: etag.map(str::to_owned),
        sequencer: sequencer.map(str::to_owned),
        ..NewObject::default()
    }
}

async fn job(store: &Store) -> Option<panicle_store::Job> {
    let job = store.claim_in(Lane::Elsewhere, &claim(), Timestamp::now()).await.unwrap();
    assert!(job.iter().all(|job| job.kind == JobKind::Import));
    job
}

contract! {
    async fn an_object_is_taken_over_once_however_often_it_is_told_of(store: Store) {
        let now = Timestamp::now();
        let both = [object("k", Some("1"), None), object("k", Some("2"), None)];
        let first = store.note_objects(&both, now).await.unwrap();
        assert!(first[0].new && first[1].new && first[0].id != first[1].id);
        let again = store.note_objects(&[both[1].clone(), both[0].clone()], now).await.unwrap();
        assert!(!again[0].new && again[0].id == first[1].id && again[1].id == first[0].id);

        let one = job(&store).await.unwrap();
        blob(&store, "text", EvidenceKind::Text).await;
        store.finish_object(&one.lease, &one.subject, EvidenceKind::Text, "text", None).await.unwrap();
        let other = job(&store).await.unwrap();
        store.fail(&other, "x", "it is nothing").await.unwrap();
        assert!(job(&store).await.is_none());
        let state = async |id: &str| store.object(id).await.unwrap().state;
        assert_eq!((state(&one.subject).await, state(&other.subject).await), (ObjectState::Done, ObjectState::Failed));

        // What failed is tried again when it is told of again; what is done stays.
        store.note_objects(&both, now).await.unwrap();
        assert_eq!(state(&one.subject).await, ObjectState::Done);
        assert_eq!(job(&store).await.unwrap().subject, other.subject);
        assert!(job(&store).await.is_none());
    }

    async fn what_takes_the_place_of_an_object_is_another_one_also_without_an_entity_tag(store: Store) {
        let now = Timestamp::now();
        let note = async |object: &NewObject| store.note_objects(std::slice::from_ref(object), now).await.unwrap().remove(0);
        let finish = async |blob: &str| {
            let job = job(&store).await.unwrap();
            store.finish_object(&job.lease, &job.subject, EvidenceKind::Text, blob, None).await.unwrap();
            job.subject
        };
        for blob in ["1", "2", "3"] {
            self::blob(&store, blob, EvidenceKind::Text).await;
        }
        // By the sequencers of its events.
        let first = note(&object("k", None, Some("0a"))).await;
        assert_eq!(finish("1").await, first.id);
        assert!(!note(&object("k", None, Some("0A"))).await.new);
        let second = note(&object("k", None, Some("0B"))).await;
        assert!(second.new && second.id != first.id);
        assert_eq!(finish("2").await, second.id);
        assert_eq!(store.object(&first.id).await.unwrap().blob_id.as_deref(), Some("1"));
        // Where there is none, what was taken over stays, and what is there is looked at once more.
        let plain = |size: u64| NewObject { size_bytes: Some(size), ..object("plain", None, None) };
        let first = note(&plain(1)).await;
        assert_eq!(note(&plain(1)).await, Noted { id: first.id.clone(), new: false });
        assert_eq!(finish("1").await, first.id);
        let second = note(&plain(1)).await;
        assert!(second.new && second.id != first.id);
        let third = note(&plain(2)).await;
        assert!(third.new && third.id != second.id);
        assert_eq!(store.object(&second.id).await.unwrap().size_bytes, Some(1));
    }

    async fn what_failed_is_tried_as_the_last_event_has_it(store: Store) {
        let now = Timestamp::now();
        let note = async |object: NewObject| store.note_objects(&[object], now).await.unwrap().remove(0);
        let of = |size: u64, sequencer: &str| NewObject {
            size_bytes: Some(size), ..object("k", Some("1"), Some(sequencer))
        };
        let size = async |id: &str| store.object(id).await.unwrap().size_bytes;
        let id = note(of(1, "0A")).await.id;
        let failed = job(&store).await.unwrap();
        store.refuse(&failed, "x", "it has 2 bytes, and not 1 as was said").await.unwrap();
        assert_eq!(note(of(2, "0B")).await, Noted { id: id.clone(), new: false });
        assert_eq!(size(&id).await, Some(2));
        // One that comes late says nothing of it.
        note(of(1, "0A")).await;
        assert_eq!(size(&id).await, Some(2));
        // What is told of while somebody is at it, is looked at once more.
        let under_way = job(&store).await.unwrap();
        assert_eq!(under_way.subject, id);
        note(of(3, "0C")).await;
        store.refuse(&under_way, "x", "it has 3 bytes").await.unwrap();
        assert_eq!(store.object(&id).await.unwrap().state, ObjectState::Queued);
        assert_eq!((job(&store).await.unwrap().subject, size(&id).await), (id, Some(3)));
    }

    async fn removals_count_by_their_sequencers(store: Store) {
        let now = Timestamp::now();
        let removed = async |id: &str| store.object(id).await.unwrap().removed_at.is_some();
        let note = async |object: NewObject| store.note_objects(&[object], now).await.unwrap().remove(0).id;
        let old = note(object("k", Some("1"), Some("0A"))).await;
        let new = note(object("k", Some("2"), Some("0C"))).await;
        assert_eq!(store.note_removal(&object("k", None, Some("0B")), now).await.unwrap(), 1);
        assert!(removed(&old).await && !removed(&new).await);
        // One that comes late, of what was removed before and after.
        assert!(removed(&note(object("k", Some("3"), Some("0AF"))).await).await);
        assert!(!removed(&note(object("k", Some("4"), Some("0B1"))).await).await);
        // Nobody knows which came first.
        store.note_removal(&object("plain", None, None), now).await.unwrap();
        assert!(!removed(&note(object("plain", Some("1"), None)).await).await);
    }

    async fn projects_take_the_same_object_over_each_for_itself(store: Store) {
        let now = Timestamp::now();
        let of = |project: &str| NewObject { project: project.to_owned(), ..object("k", Some("1"), Some("0A")) };
        let note = async |object: NewObject| store.note_objects(&[object], now).await.unwrap().remove(0);
        let (shop, cart) = (note(of("shop")).await, note(of("cart")).await);
        let other = note(of("default")).await;
        assert!(shop.new && cart.new && other.new && shop.id != cart.id);
        assert_eq!(note(of("cart")).await.id, cart.id);
        let listed = async |project: &str| {
            let objects = store.objects(Some(project), None, None, 10).await.unwrap();
            objects.into_iter().map(|object| object.id).collect::<Vec<_>>()
        };
        assert_eq!((listed("shop").await, listed("none").await), (vec![shop.id.clone()], vec![]));
        assert_eq!(store.objects(None, None, None, 10).await.unwrap().len(), 3);
        assert_eq!(store.object_project(&cart.id).await.unwrap().as_deref(), Some("cart"));
        assert_eq!(store.object_project("none").await.unwrap(), None);
        // What one is told of removals is not about the others' objects.
        let removal = NewObject { sequencer: Some("0B".to_owned()), ..of("shop") };
        assert_eq!(store.note_removal(&removal, now).await.unwrap(), 1);
        let removed = async |id: &str| store.object(id).await.unwrap().removed_at.is_some();
        assert!(removed(&shop.id).await && !removed(&cart.id).await && !removed(&other.id).await);
        let old = NewObject { etag: Some("0".to_owned()), sequencer: Some("09".to_owned()), ..of("cart") };
        assert!(!removed(&note(old.clone()).await.id).await);
        assert!(removed(&note(NewObject { project: "shop".to_owned(), ..old }).await.id).await);
    }

    async fn what_clients_put_into_the_bucket_is_taken_over_when_they_say_so(store: Store) {
        let now = Timestamp::now();
        let new = |id: &str| NewIncoming {
            id: id.to_owned(),
            project: "default".to_owned(),
            bucket: "b".to_owned(),
            key: format!("incoming/{id}"),
            kind: EvidenceKind::Core,
            name: None,
            size_bytes: 7,
            sha256: None,
            upload: Some(("u".to_owned(), 2)),
            expires_at: now + SignedDuration::from_hours(1),
        };
        let first = store.create_incoming(&new("1")).await.unwrap();
        assert_eq!((first.state, first.upload), (ObjectState::Open, Some(("u".to_owned(), 2))));
        store.create_incoming(&new("2")).await.unwrap();
        assert!(job(&store).await.is_none());
        store.complete_incoming("1", now).await.unwrap();
        let taken = job(&store).await.unwrap();
        store.complete_incoming("1", now).await.unwrap();
        assert!(job(&store).await.is_none());
        let later = now + SignedDuration::from_hours(2);
        let expired = async || {
            let objects = store.expired_incoming(later, 10).await.unwrap();
            objects.into_iter().map(|object| object.id).collect::<Vec<_>>()
        };
        // Not what is being taken over.
        assert_eq!(expired().await, ["2"]);
        assert!(store.expired_incoming(now, 10).await.unwrap().is_empty());
        blob(&store, "core", EvidenceKind::Core).await;
        store.finish_object(&taken.lease, "1", EvidenceKind::Core, "core", None).await.unwrap();
        assert_eq!(expired().await.len(), 2);
        assert!(!store.expire_incoming("1", later).await.unwrap() && !store.expire_incoming("2", now).await.unwrap());
        assert!(store.expire_incoming("2", later).await.unwrap());
        // It waits for its bytes to be removed, and cannot be completed meanwhile.
        store.complete_incoming("2", now).await.unwrap();
        assert!(job(&store).await.is_none());
        assert_eq!(expired().await.len(), 2);
        for id in ["1", "2"] {
            store.cleaned_incoming(id).await.unwrap();
        }
        assert!(expired().await.is_empty());
        let state = async |id: &str| store.object(id).await.unwrap().state;
        assert_eq!((state("1").await, state("2").await), (ObjectState::Done, ObjectState::Expired));
        assert!(store.objects(None, None, None, 10).await.unwrap().is_empty(), "these are of events alone");
    }

    async fn an_upload_that_fails_for_no_reason_of_its_own_is_kept_and_tried_again(store: Store) {
        let now = Timestamp::now();
        let later = now + SignedDuration::from_hours(2);
        for id in ["1", "2", "3"] {
            let new = NewIncoming {
                id: id.to_owned(),
                project: "default".to_owned(),
                bucket: "b".to_owned(),
                key: format!("incoming/{id}"),
                kind: EvidenceKind::Core,
                name: None,
                size_bytes: 7,
                sha256: None,
                upload: None,
                expires_at: now + SignedDuration::from_hours(1),
            };
            store.create_incoming(&new).await.unwrap();
        }
        let open = async |project: &str| store.open_incoming(project).await.unwrap();
        assert_eq!((open("default").await, open("other").await), (3, 0));
        // It was begun long before it was complete: it is waited for since it was.
        let completed = now + SignedDuration::from_mins(30);
        store.complete_incoming("1", completed).await.unwrap();
        assert_eq!(open("default").await, 2);
        let first = store.object("1").await.unwrap();
        assert_eq!(first.queued_at.unwrap().as_microsecond(), completed.as_microsecond());
        assert!(first.created_at < first.queued_at.unwrap());
        let claimed = async || store.claim_in(Lane::Elsewhere, &claim(), later).await.unwrap();
        let failing = claimed().await.unwrap();
        store.fail(&failing, "x", "the store is away").await.unwrap();
        store.complete_incoming("2", now).await.unwrap();
        let refused = claimed().await.unwrap();
        store.refuse(&refused, "x", "it is nothing").await.unwrap();
        store.complete_incoming("3", now).await.unwrap();
        let poison = claimed().await.unwrap();
        store.quarantine(&poison, "every attempt ended its worker").await.unwrap();
        // Only of what is nothing the bytes are of no use.
        let expired = store.expired_incoming(later, 10).await.unwrap();
        assert_eq!(expired.iter().map(|object| object.id.as_str()).collect::<Vec<_>>(), ["2"]);
        for id in ["1", "2", "3"] {
            store.complete_incoming(id, later).await.unwrap();
        }
        let again = [claimed().await.unwrap().subject, claimed().await.unwrap().subject];
        assert!(again.contains(&"1".to_owned()) && again.contains(&"3".to_owned()));
        assert!(claimed().await.is_none());
        assert_eq!(store.object("2").await.unwrap().state, ObjectState::Failed);
        assert_eq!(store.object("1").await.unwrap().queued_at.unwrap().as_microsecond(), later.as_microsecond());
    }
}
