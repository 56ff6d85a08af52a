//! Uploads that come in several requests: one writes at a time, and only what it holds counts.

use std::time::Duration;

use jiff::Timestamp;
use panicle_store::{OpenUploads, Store, StoreError, UploadPiece};

use crate::support::contract;

const ONE: OpenUploads = OpenUploads { all: 1, of_project: 1 };

fn piece(name: &str, size_bytes: u64) -> UploadPiece {
    UploadPiece { name: name.to_owned(), size_bytes }
}

contract! {
    async fn one_holds_an_upload_and_what_others_write_does_not_count(store: Store) {
        let now = Timestamp::now();
        let later = now + Duration::from_hours(1);
        let id = store.create_upload("default", "kind Y29yZQ==", None, later, ONE).await.unwrap().unwrap().id;
        assert!(store.create_upload("default", "", None, later, ONE).await.unwrap().is_none(), "one is enough");
        assert!(store.hold_upload(&id, "p/1", now, later).await.unwrap());
        assert!(!store.hold_upload(&id, "p/2", now, later).await.unwrap());
        store.append_upload(&id, "p/1", 0, &[piece("a", 3), piece("b", 4)], later).await.unwrap();
        let stale = store.append_upload(&id, "p/1", 0, &[piece("c", 3)], later).await;
        assert!(matches!(stale, Err(StoreError::LeaseLost)));
        assert!(!store.has_piece("c").await.unwrap());

        // The first was taken for dead.
        assert!(store.hold_upload(&id, "p/2", later + Duration::from_secs(1), later).await.unwrap());
        assert!(!store.extend_upload(&id, "p/1", later).await.unwrap());
        let late = store.append_upload(&id, "p/1", 7, &[piece("d", 3)], later).await;
        assert!(matches!(late, Err(StoreError::LeaseLost)));
        store.release_upload(&id, "p/1").await.unwrap();
        assert!(!store.hold_upload(&id, "p/3", now, later).await.unwrap());
        assert_eq!(store.upload(&id).await.unwrap().received_bytes, 7);
        assert_eq!(store.upload_pieces(&id).await.unwrap(), [piece("a", 3), piece("b", 4)]);

        assert_eq!(store.recover_uploads("q/").await.unwrap(), 0);
        assert_eq!(store.recover_uploads("p/").await.unwrap(), 1);
        assert!(store.hold_upload(&id, "q/1", now, later).await.unwrap());
        store.size_upload(&id, "q/1", 7).await.unwrap();
        store.finish_upload(&id, "q/1", 7, "blob", Some("crash")).await.unwrap();
        store.release_upload(&id, "q/1").await.unwrap();
        let done = store.upload(&id).await.unwrap();
        assert_eq!((done.size_bytes, done.blob_id.as_deref(), done.crash_id.as_deref()), (Some(7), Some("blob"), Some("crash")));
        assert!(store.upload_pieces(&id).await.unwrap().is_empty());

        assert!(store.create_upload("default", "", Some(9), now, ONE).await.unwrap().is_some(), "that is complete");
        assert_eq!(store.expired_uploads(later - Duration::from_secs(1)).await.unwrap().len(), 1);
        assert_eq!(store.expired_uploads(later + Duration::from_secs(1)).await.unwrap().len(), 2);
        assert!(store.hold_upload(&id, "q/2", now, later).await.unwrap());
        store.delete_upload(&id, "q/2").await.unwrap();
        assert!(matches!(store.upload(&id).await, Err(StoreError::NotFound { .. })));
    }

    async fn one_project_leaves_some_uploads_to_the_others(store: Store) {
        for project in ["shop", "cart"] {
            let new = panicle_store::NewProject { id: project.to_owned(), ..Default::default() };
            store.create_project(&new).await.unwrap();
        }
        let later = Timestamp::now() + Duration::from_hours(1);
        let open = OpenUploads { all: 3, of_project: 2 };
        let create = async |project: &str| {
            store.create_upload(project, "", None, later, open).await.unwrap().is_some()
        };
        assert!(create("shop").await && create("shop").await);
        assert!(!create("shop").await, "its share");
        assert!(create("cart").await);
        assert!(!create("cart").await, "that of all");
    }
}
