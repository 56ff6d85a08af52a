//! The processes of `docker-compose.yml`, with the arguments and the environment that it names, without
//! containers: on a real PostgreSQL and a real S3 server, wherever those are.

use std::{fs, path::Path, process::Command};

use panicle_backends::S3Server;
use panicle_blobs::BlobUrl;
use panicle_fixtures::get;
use serde_json::{Value, json};

use crate::harness::{Server, panicle};

fn compose() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker-compose.yml");
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// `${NAME:-default}` as it is where NAME is not set.
fn with_defaults(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once("${") {
        let (variable, after) = variable.split_once('}').unwrap();
        out += before;
        out += variable.split_once(":-").unwrap().1;
        rest = after;
    }
    out + rest
}

/// Who is behind `host:port` as a service's process sees it.
fn service_at<'a>(compose: &'a Value, from: &Value, address: &str) -> &'a str {
    let (host, port) = address.rsplit_once(':').unwrap();
    let services = compose["services"].as_object().unwrap();
    let found = services.iter().find(|(name, service)| {
        if from["network_mode"] == "host" {
            let published = service["ports"].as_array().into_iter().flatten();
            host == "127.0.0.1"
                && published.into_iter().any(|ports| text(ports).starts_with(&format!("{address}:")))
        } else {
            let inside = service["ports"].as_array().into_iter().flatten();
            host == *name && inside.into_iter().any(|ports| text(ports).ends_with(&format!(":{port}")))
        }
    });
    found.unwrap_or_else(|| panic!("nobody is at {address}")).0
}

/// A process of a service: its program, arguments and environment, and nothing else. Where others are, and
/// which folders and ports are free on this machine, is put in.
fn process(compose: &Value, name: &str, database: &str, bucket: &S3Server, data: &Path) -> Command {
    let service = &compose["services"][name];
    let mut command = panicle();
    command.env_clear();
    for argument in service["command"].as_array().unwrap() {
        let argument = text(argument).replace("/var/lib/panicle", data.to_str().unwrap());
        command.arg(argument.replace("127.0.0.1:7171", "127.0.0.1:0"));
    }
    for (variable, value) in service["environment"].as_object().unwrap() {
        let value = with_defaults(text(value));
        let value = match variable.as_str() {
            "PANICLE_DATABASE" => {
                let (credentials, place) =
                    value.strip_prefix("postgres://").and_then(|rest| rest.split_once('@')).unwrap();
                let (address, _) = place.split_once('/').unwrap();
                assert_eq!(service_at(compose, service, address), "postgres");
                let (_, here) = database.split_once('@').unwrap();
                format!("postgres://{credentials}@{here}")
            }
            "PANICLE_BLOBS" => {
                let Ok(BlobUrl::S3(url)) = value.parse() else { panic!("no store: {value}") };
                let address = url.endpoint.unwrap();
                assert_eq!(service_at(compose, service, address.strip_prefix("http://").unwrap()), "s3");
                let made = text(&compose["services"]["s3"]["entrypoint"][2]);
                assert!(made.contains(&format!("mkdir -p /data/{} ", url.bucket)), "{made}");
                value.replace(&address, &bucket.endpoint())
            }
            _ => value,
        };
        command.env(variable, value);
    }
    command
}

#[test]
fn one_api_and_two_workers_work_as_the_file_names_them() {
    let compose = compose();
    let credentials = &compose["services"]["s3"]["environment"];
    let key = |name: &str| with_defaults(text(&credentials[name]));
    let bucket = S3Server::with(&key("ROOT_ACCESS_KEY"), &key("ROOT_SECRET_KEY"));
    let database = panicle_backends::database();

    let folder = tempfile::tempdir().unwrap();
    let serve = process(&compose, "api", &database, &bucket, folder.path());
    let mut server = Server::run(serve, folder);
    let replicas = compose["services"]["worker"]["deploy"]["replicas"].as_u64().unwrap();
    assert_eq!(replicas, 2);
    let cache = tempfile::tempdir().unwrap();
    let worker = || process(&compose, "worker", &database, &bucket, cache.path());
    let mut workers: Vec<_> =
        (0..replicas).map(|_| Server::run(worker(), tempfile::tempdir().unwrap())).collect();

    let fixture = get("nil-map-write", "1.26");
    let core = server.put_file("core", &fixture.core);
    let binary = server.put_file("binary", &fixture.binary);
    let crash = server.crash(&json!({ "core": core, "binaries": [binary] }));
    let done = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!((&done["status"], &done["class"]), (&json!("done"), &json!("nil-map-write")), "{done:#}");
    let ready = server.get("/readyz").expect(200);
    assert_eq!((&ready["status"], &ready["workers"]), (&json!("ready"), &json!(2)));
    let ask = "GET /readyz HTTP/1.0";
    for service in ["api", "worker"] {
        assert!(text(&compose["services"][service]["healthcheck"]["test"][3]).contains(ask), "{service}");
    }
    for worker in &mut workers {
        assert_eq!(worker.get("/readyz").expect(200)["status"], "ready");
        worker.terminate();
    }
    server.terminate();
}

#[test]
fn the_database_has_connections_for_as_many_workers_as_the_file_proposes() {
    let compose = compose();
    let mut settings = compose["services"]["postgres"]["command"].as_array().unwrap().iter().map(text);
    let most = settings.find_map(|word| word.strip_prefix("max_connections=")).unwrap();
    // `--scale worker=8` and the API, each with a pool of 16, one of 4 for searches, and one to look whether the database is
    // there; three are PostgreSQL's own (superuser_reserved_connections).
    assert!(most.parse::<u32>().unwrap() >= 21 * 9 + 3, "{most}");
}

#[test]
fn what_somebody_sets_besides_reaches_the_api_and_the_workers() {
    let compose = compose();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker-compose.yml");
    let file = fs::read_to_string(path).unwrap();
    // Options of `serve` that have these variables, which the file names.
    let help = panicle().args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for name in [
        "PANICLE_S3_SOURCES",
        "PANICLE_REQUESTS_PER_MINUTE",
        "PANICLE_UPLOAD_BYTES_PER_DAY",
        "PANICLE_PROJECT_REQUESTS_PER_MINUTE",
        "PANICLE_PROJECT_UPLOAD_BYTES_PER_DAY",
    ] {
        assert!(help.contains(&format!("env: {name}=")) && file.contains(name), "{name}");
        for service in ["api", "worker"] {
            // What `environment` has goes before what is in the file.
            assert!(compose["services"][service]["environment"].get(name).is_none(), "{name}");
        }
    }
    let more = json!(["panicle.env"]);
    assert_eq!(
        [&compose["services"]["api"]["env_file"], &compose["services"]["worker"]["env_file"]],
        [&more; 2]
    );
}
