//! A database for each test, and what tests put into it.

use std::time::Duration;

use jiff::Timestamp;
use panicle_query::Facts;
use panicle_report::{BuildIds, Signature};
use panicle_store::{
    Analysed, BinaryFacts, Claim, CrashOutcome, EvidenceKind, Job, NewBlob, NewCrash, NewEvidence, Part,
    ReportPart, Store,
};

/// Makes a test of each database out of one function.
macro_rules! contract {
    ($($(#[$meta:meta])* async fn $name:ident($store:ident: Store) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                async fn check($store: Store) $body

                #[tokio::test]
                async fn sqlite() {
                    let directory = tempfile::tempdir().unwrap();
                    let url = format!("sqlite:{}", directory.path().join("test.db").display());
                    check(Store::connect(&url).await.unwrap()).await;
                }

                #[cfg(feature = "postgres-tests")]
                #[tokio::test]
                async fn postgres() {
                    check(Store::connect(&panicle_backends::database()).await.unwrap()).await;
                }
            }
        )*
    };
}
pub(crate) use contract;

pub(crate) fn claim() -> Claim {
    Claim { worker: "w".to_owned(), lease: Duration::from_mins(1), max_attempts: 3 }
}

pub(crate) async fn blob(store: &Store, id: &str, kind: EvidenceKind) -> bool {
    let blob =
        NewBlob { id: id.to_owned(), kind, name: Some(format!("{id}.x")), size_bytes: 7, stored_bytes: 5 };
    store.record_blob(&blob, panicle_store::DEFAULT_PROJECT).await.unwrap()
}

/// A crash of a core of this name, which is stored first.
pub(crate) async fn crash(store: &Store, core: &str, service: &str) -> String {
    blob(store, core, EvidenceKind::Core).await;
    let new = NewCrash {
        evidence: vec![NewEvidence { id: core.to_owned(), kind: EvidenceKind::Core }],
        service: Some(service.to_owned()),
        ..NewCrash::default()
    };
    store.create_crash(&new).await.unwrap().id
}

/// The next job.
pub(crate) async fn next(store: &Store) -> Job {
    store.claim(&claim(), Timestamp::now()).await.unwrap().expect("a job")
}

pub(crate) fn signature(fingerprint: &str) -> Signature {
    Signature {
        version: 1,
        fingerprint: fingerprint.to_owned(),
        family: "f".to_owned(),
        title: format!("100% of {fingerprint}"),
        frames: vec!["main.f".to_owned()],
        population: Vec::new(),
        explain: Vec::new(),
    }
}

pub(crate) fn outcome(fingerprint: &str) -> CrashOutcome {
    CrashOutcome {
        analysed: Analysed {
            class: "nil-map-write".to_owned(),
            title: "title".to_owned(),
            confidence: "certain".to_owned(),
            go_version: Some("go1.24.11".to_owned()),
            ..Analysed::default()
        },
        parts: vec![ReportPart { part: Part::Head, seq: 0, body: vec![1, 2, 3] }],
        facts: Facts::new().with("class", "nil-map-write").with("frame", "main.f"),
        signature: Some(signature(fingerprint)),
        matched: Vec::new(),
        waits_for_binary: None,
        wants_debug: None,
        join: None,
    }
}

pub(crate) fn waiting(gnu: &str, tried: &[&str]) -> CrashOutcome {
    let mut outcome = outcome("none");
    outcome.signature = None;
    outcome.analysed.build_ids = BuildIds { gnu: Some(gnu.to_owned()), ..BuildIds::default() };
    outcome.waits_for_binary = Some(tried.iter().map(|&id| id.to_owned()).collect());
    outcome
}

pub(crate) fn facts(gnu: &str) -> BinaryFacts {
    BinaryFacts {
        build_ids: BuildIds { gnu: Some(gnu.to_owned()), ..BuildIds::default() },
        dwarf: Some("full".to_owned()),
        stripped: Some(false),
        ..BinaryFacts::default()
    }
}
