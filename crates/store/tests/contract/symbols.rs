//! Files of programs by build ID, here and elsewhere.

use std::time::Duration;

use jiff::Timestamp;
use panicle_report::BuildIds;
use panicle_store::{Artifact, BinaryFacts, EvidenceKind, JobKind, Lane, Store, SymbolRequest};

use crate::support::{blob, claim, contract, crash, next, outcome};

/// A file with this GNU build ID, of which a child has found out the rest.
async fn identified(store: &Store, id: &str, dwarf: &str, text: Option<&str>) {
    blob(store, id, EvidenceKind::Binary).await;
    let build_ids = BuildIds {
        gnu: Some("ab12".to_owned()),
        go: Some("x/y".to_owned()),
        text_sha256: text.map(str::to_owned),
    };
    let facts = BinaryFacts { build_ids, dwarf: Some(dwarf.to_owned()), ..BinaryFacts::default() };
    store.commit_binary(&next(store).await.lease, id, Ok(&facts)).await.unwrap();
}

contract! {
    async fn the_file_that_suits_best_is_found(store: Store) {
        let found = async |id: &str, artifact| {
            store.symbol_file(id, artifact).await.unwrap().map(|file| file.id)
        };
        identified(&store, "shipped", "none", Some("t")).await;
        assert_eq!(found("ab12", Artifact::Executable).await.as_deref(), Some("shipped"));
        assert_eq!(found("ab12", Artifact::DebugInfo).await, None);
        identified(&store, "debug", "full", None).await;
        identified(&store, "whole", "full", Some("t")).await;
        assert_eq!(found("ab12", Artifact::DebugInfo).await.as_deref(), Some("debug"), "it is smaller");
        assert_eq!(found("ab12", Artifact::Executable).await.as_deref(), Some("whole"), "it is newer");
        assert_eq!(found("782f79", Artifact::Executable).await.as_deref(), Some("whole"), "x/y");
        assert_eq!(found("ab", Artifact::Executable).await, None);
    }

    async fn a_crash_that_comes_while_others_are_asked_is_not_forgotten(store: Store) {
        let request = SymbolRequest { build_id: "ab12".to_owned(), artifact: Artifact::Executable };
        let now = Timestamp::now();
        for (found, again) in [(false, true), (true, false)] {
            store.want_symbols(&request, now + Duration::from_hours(2)).await.unwrap();
            let job = store.claim(&claim(), now + Duration::from_hours(3)).await.unwrap().unwrap();
            // It has seen that nobody wants the file when somebody does.
            store.want_symbols(&request, now).await.unwrap();
            store.finish_fetch(&job.lease, found).await.unwrap();
            let next = store.claim(&claim(), now + Duration::from_hours(3)).await.unwrap();
            assert_eq!(next.is_some(), again);
            if let Some(job) = next {
                store.finish_fetch(&job.lease, false).await.unwrap();
            }
        }
    }

    async fn others_are_asked_once_for_what_crashes_wait_for(store: Store) {
        let id = crash(&store, "c1", "shop").await;
        let request = SymbolRequest { build_id: "ab12".to_owned(), artifact: Artifact::Executable };
        assert!(!store.symbols_wanted(&request).await.unwrap());
        let mut waiting = outcome("aa");
        waiting.analysed.build_ids.gnu = Some("ab12".to_owned());
        waiting.waits_for_binary = Some(Vec::new());
        store.commit_crash(&next(&store).await.lease, &id, &waiting).await.unwrap();
        assert!(store.symbols_wanted(&request).await.unwrap());
        let debug = SymbolRequest { artifact: Artifact::DebugInfo, ..request.clone() };
        assert!(!store.symbols_wanted(&debug).await.unwrap());

        let now = Timestamp::now();
        store.want_symbols(&request, now).await.unwrap();
        let job = next(&store).await;
        assert_eq!((job.kind, job.subject.as_str()), (JobKind::Fetch, "ab12/executable"));
        // Nobody has it: until its time comes, more crashes of the program ask nobody.
        store.retry(&job, "no server has it", now + Duration::from_hours(1), true).await.unwrap();
        store.want_symbols(&request, now).await.unwrap();
        assert!(store.claim(&claim(), now + Duration::from_mins(30)).await.unwrap().is_none());
        let later = now + Duration::from_hours(2);
        let job = store.claim(&claim(), later).await.unwrap().unwrap();
        assert_eq!(job.attempt, 1, "an answer is not a failed attempt");
        store.finish_fetch(&job.lease, false).await.unwrap();
        store.want_symbols(&request, now + Duration::from_mins(90)).await.unwrap();
        assert!(store.claim(&claim(), later).await.unwrap().is_none(), "it was answered half an hour ago");
        store.want_symbols(&request, later + Duration::from_hours(2)).await.unwrap();
        assert!(store.claim(&claim(), later + Duration::from_hours(3)).await.unwrap().is_some());
    }

    async fn who_asks_others_keeps_nobody_from_an_analysis(store: Store) {
        let now = Timestamp::now();
        let artifact = Artifact::Executable;
        for build_id in ["ab", "cd"] {
            store.want_symbols(&SymbolRequest { build_id: build_id.to_owned(), artifact }, now).await.unwrap();
        }
        let here = async || store.claim_in(Lane::Here, &claim(), Timestamp::now()).await.unwrap();
        assert!(here().await.is_none());
        let id = crash(&store, "c1", "shop").await;
        // Though it came later.
        assert_eq!(next(&store).await.subject, id);
        for build_id in ["ab", "cd"] {
            let job = store.claim_in(Lane::Elsewhere, &claim(), Timestamp::now()).await.unwrap().unwrap();
            assert_eq!((job.kind, job.subject), (JobKind::Fetch, format!("{build_id}/executable")));
        }
        assert!(here().await.is_none());
    }
}
