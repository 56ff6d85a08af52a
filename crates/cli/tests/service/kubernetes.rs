//! The processes of `deploy/kubernetes` and `deploy/kubernetes-exposed`, with the arguments and the variables that they
//! name, without a cluster.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::harness::{Server, Stores, panicle};

fn deploy() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn read(path: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(deploy().join(path)).unwrap()).unwrap()
}

/// Applies what `kubectl apply -k` does of RFC 6902 for these files.
fn patched(mut document: Value, patch: &Value) -> Value {
    for step in patch.as_array().unwrap() {
        let path = step["path"].as_str().unwrap();
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}"));
        match step["op"].as_str().unwrap() {
            "replace" => assert!(!parent[name].is_null(), "there is no {path}"),
            "add" => assert!(parent[name].is_null(), "there is {path}"),
            other => panic!("{other} is not used"),
        }
        parent[name] = step["value"].clone();
    }
    document
}

/// The process of a deployment, on real stores, where the machine has room and ports for it.
fn process(deployment: &Value, stores: &Stores) -> Server {
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let data = tempfile::tempdir().unwrap();
    let mut command = panicle();
    command.env_clear();
    stores.used_by(&mut command);
    for argument in container["args"].as_array().unwrap() {
        let argument = argument.as_str().unwrap().replace("/var/lib/panicle", data.path().to_str().unwrap());
        command.arg(argument.replace(":7171", ":0"));
    }
    Server::run(command, data)
}

#[test]
fn files_name_each_other_and_what_there_is() {
    let base = read("kubernetes/kustomization.yaml");
    for file in base["resources"].as_array().unwrap() {
        assert_eq!(
            read(&format!("kubernetes/{}", file.as_str().unwrap()))["apiVersion"].as_str().map(str::is_empty),
            Some(false)
        );
    }
    let example = fs::read_to_string(deploy().join("kubernetes/panicle.env.example")).unwrap();
    let names: Vec<_> =
        example.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert_eq!(names, ["PANICLE_DATABASE", "PANICLE_BLOBS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    for (service, pods) in [("service", "api"), ("worker-service", "worker")] {
        let service = read(&format!("kubernetes-exposed/{service}.yaml"));
        let pods = read(&format!("kubernetes/{pods}.yaml"));
        assert_eq!(service["spec"]["selector"], pods["spec"]["template"]["metadata"]["labels"]);
        assert_eq!(service["spec"]["ports"][0]["targetPort"], 7171);
    }
}

#[test]
fn only_who_has_a_token_reaches_what_the_cluster_reaches() {
    let stores = Stores::new();
    let mut inside = process(&read("kubernetes/api.yaml"), &stores);
    inside.get("/api/v1/stats").expect(200);
    inside.terminate();
    let mut worker = process(&read("kubernetes/worker.yaml"), &stores);
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let of = |file: &str| {
            read(file)["spec"]["template"]["spec"]["containers"][0][probe]["exec"]["command"].clone()
        };
        assert!(of("kubernetes/worker.yaml").is_array());
        assert_eq!(of("kubernetes/worker.yaml"), of("kubernetes/api.yaml"));
    }
    assert_eq!(worker.get("/readyz").expect(200)["status"], "ready");
    worker.terminate();

    let overlay = read("kubernetes-exposed/kustomization.yaml");
    assert_eq!(overlay["resources"][0], "../kubernetes");
    let exposed = |number: usize, file: &str| {
        let patch = &overlay["patches"][number];
        let deployment = read(&format!("kubernetes/{file}"));
        assert_eq!(patch["target"]["name"], deployment["metadata"]["name"]);
        patched(deployment, &read(&format!("kubernetes-exposed/{}", patch["path"].as_str().unwrap())))
    };
    let mut create = panicle();
    create.env_clear();
    stores.used_by(&mut create);
    let made = create.args(["admin", "token", "create", "--name", "me", "--scopes", "all"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let start = |deployment: Value| {
        let server = process(&deployment, &stores);
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let path = container[probe]["httpGet"]["path"].as_str().unwrap();
            // The kubelet asks for the address of the pod.
            assert_eq!(server.send("GET", path, &[("host", "10.1.2.3:7171")], "").status, 200, "{path}");
        }
        server
    };
    let server = start(exposed(0, "api.yaml"));
    let worker = start(exposed(1, "worker.yaml"));
    assert_eq!(server.get("/api/v1/stats").problem(401), "token-needed");
    let token = format!("Bearer {}", String::from_utf8(made.stdout).unwrap().trim());
    server.send("GET", "/api/v1/stats", &[("authorization", &token)], "").expect(200);
    assert_eq!(worker.get("/metrics").problem(401), "token-needed");
    assert_eq!(worker.send("GET", "/metrics", &[("authorization", &token)], "").status, 200);
}
