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
                    check(Store::connect(&$crate::support::postgres::database()).await.unwrap()).await;
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
    store.record_blob(&blob).await.unwrap()
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

/// A PostgreSQL server of its own, for as long as this test program runs.
#[cfg(feature = "postgres-tests")]
pub(crate) mod postgres {
    use std::{
        fs,
        os::unix::{fs::PermissionsExt, process::CommandExt},
        path::PathBuf,
        process::{Command, Stdio},
        sync::OnceLock,
        thread,
        time::Duration,
    };

    /// `nobody`: PostgreSQL refuses to run as root.
    const NOBODY: u32 = 65534;

    struct Server {
        sockets: PathBuf,
    }

    fn command(program: &str) -> Command {
        let mut command = Command::new(program);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::inherit());
        command
    }

    fn server() -> &'static Server {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            // Left to the system's cleaning of temporary directories: statics are not dropped.
            let directory = tempfile::Builder::new().prefix("panicle-pg-").tempdir().unwrap().keep();
            fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
            let data = directory.join("data");
            let made = command("initdb")
                .args(["-A", "trust", "-U", "panicle", "--no-sync", "-D"])
                .arg(&data)
                .status();
            assert!(made.expect("initdb has to be on the path").success());
            // A shell in between ends it, and removes its data, when this program is gone.
            let watched =
                "data=$1; shift; postgres -D \"$data\" \"$@\" & read _; kill -INT $!; wait $!; rm -rf \"$data\"";
            #[expect(clippy::zombie_processes, reason = "it outlives this program by a moment")]
            let mut shell = command("sh")
                .args(["-c", watched, "sh"])
                .arg(&data)
                .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
                .arg(&directory)
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::mem::forget(shell.stdin.take());
            for _ in 0..300 {
                if Command::new("psql")
                    .args(["-U", "panicle", "-d", "postgres", "-c", "select 1", "-h"])
                    .arg(&directory)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .expect("psql has to be on the path")
                    .success()
                {
                    return Server { sockets: directory };
                }
                thread::sleep(Duration::from_millis(100));
            }
            panic!("postgres does not answer");
        })
    }

    /// What a database answers to a query of one value.
    pub(crate) fn ask(url: &str, query: &str) -> String {
        let output = Command::new("psql").args(["-Atq", "-c", query]).arg(url).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The URL of a new, empty database.
    pub(crate) fn database() -> String {
        let server = server();
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        let made = Command::new("psql")
            .args(["-q", "-U", "panicle", "-d", "postgres", "-c"])
            .arg(format!("create database {name}"))
            .arg("-h")
            .arg(&server.sockets)
            .status()
            .unwrap();
        assert!(made.success());
        let host = server.sockets.to_str().unwrap().replace('/', "%2F");
        format!("postgres://panicle@{host}/{name}")
    }
}
