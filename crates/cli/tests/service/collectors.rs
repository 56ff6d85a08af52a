//! Zips of core collectors on Kubernetes, whole and broken.

use std::{fs, path::Path, process::Command};

use panicle_fixtures::{Fixture, get};
use serde_json::{Value, json};

use crate::harness::Server;

const BASE: &str = "6f3c-dump-1618746959-shop-86wrh-shop-7-6";
const ID: &str = "51cd8bdaa13a65518e790d307359d33f9288fc82664879c609029b1a83862db6";

/// Writes the members as a collector does, into a file with sizes of 64 bits, in the order of the common one:
/// dump-info, core, pod, runtime and ps, then logs and images of the containers. Made with Python's zip library,
/// since the product reads with another.
const COLLECT: &str = r#"
import sys, zipfile
out, base, core, log, method, *members = sys.argv[1:]
method = {"deflated": zipfile.ZIP_DEFLATED, "stored": zipfile.ZIP_STORED}[method]
z = zipfile.ZipFile(out, "w", method, compresslevel=1)
def add(name, data):
    with z.open(base + name, "w", force_zip64=True) as member:
        member.write(data)
for pair in members:
    name, _, text = pair.partition("=")
    data = {"@core": core, "@log": log}.get(text)
    add(name, open(data, "rb").read() if data else text.encode())
z.close()
"#;

fn dump_info(path: &str) -> String {
    format!(
        "{{\"uuid\":\"6f3c\", \"dump_file\":\"{BASE}.core\", \"timestamp\": \"1618746959\",\n        \"hostname\": \"shop-86wrh\", \
         \"exe\": \"shop\", \"real_pid\": \"7\", \"signal\": \"6\", \"node_hostname\": \"node-1\", \"path\": \"{path}\" }}"
    )
}

fn cgroup() -> String {
    format!(
        "0::/kubepods.slice/kubepods-pod0c65ce05_bd3a_4db2_ad79_131186dc2086.slice/cri-containerd-{ID}.scope\n"
    )
}

fn members(dump: &str, more: &[(&str, &str)]) -> Vec<String> {
    let pod = json!({ "id": "9a", "metadata": {
        "name": "shop-86wrh", "namespace": "default", "uid": "0c65ce05-bd3a-4db2-ad79-131186dc2086" } });
    let ps = json!({ "containers": [{ "id": ID, "imageRef": "sha256:1", "labels": {
        "io.kubernetes.container.name": "app", "io.kubernetes.pod.name": "shop-86wrh" } }] });
    let mut members = vec![
        format!("-dump-info.json={dump}"),
        ".core=@core".to_owned(),
        format!("-pod-info.json={pod}"),
        "-runtime-info.json={}".to_owned(),
        format!("-ps-info.json={ps}"),
        "-0.log=@log".to_owned(),
        "-0-image-info.json={}".to_owned(),
        "-1.log=a proxy that has nothing to say\n".to_owned(),
    ];
    members.extend(more.iter().map(|(name, text)| format!("{name}={text}")));
    members
}

fn collect(directory: &Path, fixture: &Fixture, method: &str, members: &[String]) -> Vec<u8> {
    let out = directory.join("out.zip");
    let output = Command::new("python3")
        .args(["-c", COLLECT])
        .arg(&out)
        .arg(BASE)
        .args([&fixture.core, &fixture.stderr])
        .arg(method)
        .args(members)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(out).unwrap()
}

/// The crash that a zip became while its executable is missing.
fn take(server: &Server, zip: &[u8]) -> String {
    let stored = server.send("PUT", &format!("/api/v1/blobs/core?name={BASE}.zip"), &[], zip);
    server.crash(&json!({ "core": stored.json()["id"], "service": "shop" }))
}

fn report(server: &Server, crash: &str) -> Value {
    server.get(&format!("/api/v1/crashes/{crash}/report")).expect(200)
}

fn at(zip: &[u8], text: &[u8]) -> usize {
    zip.windows(text.len()).position(|window| window == text).unwrap()
}

/// Where a member's own header is.
fn header(zip: &[u8], name: &str) -> usize {
    let name = format!("{BASE}{name}");
    let headers = (0..zip.len() - 30).filter(|at| zip[*at..].starts_with(b"PK\x03\x04"));
    headers.into_iter().find(|at| zip[at + 30..].starts_with(name.as_bytes())).unwrap()
}

#[test]
fn a_zip_waits_for_its_executable_and_says_where_it_ran() {
    let fixture = get("nil-map-write", "1.26");
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&["--workers", "1"]);
    let dump = dump_info("!srv!\"shop\"!bin");
    assert!(serde_json::from_str::<Value>(&dump).is_err());
    let whole = collect(directory.path(), &fixture, "deflated", &members(&dump, &[("-cgroup", &cgroup())]));
    let crash = take(&server, &whole);
    server.wait(&crash, &["waiting-for-binary"]);
    let waiting = report(&server, &crash);
    assert_eq!(waiting["process"]["container"], "shop-86wrh/app");
    let said = waiting["diagnostics"].to_string();
    assert!(said.contains("no valid JSON") && said.contains("-1.log tells of no crash"), "{said}");
    server.put_file("binary", &fixture.binary);
    let done = server.wait(&crash, &["done", "failed", "quarantined"]);
    assert_eq!((&done["status"], &done["class"]), (&json!("done"), &json!("nil-map-write")), "{done:#}");
    let report = report(&server, &crash);
    assert_eq!(
        (&report["binary"]["match"], &report["process"]["hostname"]),
        (&json!("build-id"), &json!("shop-86wrh"))
    );
    // The log of the container that died is a text, the other and the descriptions are none.
    let texts = report["source"]["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert!(texts[0]["name"].as_str().unwrap().ends_with("-0.log"), "{texts:#?}");
}

#[test]
fn a_pod_is_not_told_by_its_hostname() {
    let fixture = get("nil-map-write", "1.26");
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&["--workers", "1"]);
    server.put_file("binary", &fixture.binary);
    let zip = collect(directory.path(), &fixture, "deflated", &members(&dump_info("!srv!shop"), &[]));
    let crash = take(&server, &zip);
    server.wait(&crash, &["done"]);
    let report = report(&server, &crash);
    assert_eq!(report["process"]["container"], Value::Null);
    assert!(
        report["diagnostics"]
            .to_string()
            .contains("names the pod shop-86wrh, which it looked up by the host's name")
    );
}

#[test]
fn zips_of_killed_collectors_are_read_as_far_as_they_go() {
    let fixture = get("nil-map-write", "1.26");
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&["--workers", "2"]);
    server.put_file("binary", &fixture.binary);
    for method in ["deflated", "stored"] {
        let members = members(&dump_info("!srv!shop"), &[]);
        let whole = collect(directory.path(), &fixture, method, &members);
        let no_list = &whole[..at(&whole, b"PK\x01\x02")];
        let crash = take(&server, no_list);
        let done = server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"]);
        assert_eq!(
            (&done["status"], &done["class"]),
            (&json!("done"), &json!("nil-map-write")),
            "{method} {done:#}"
        );
        let whole_report = report(&server, &crash);
        assert_eq!(whole_report["source"]["core"]["truncated"], Value::Null, "{method}");
        assert_eq!(whole_report["source"]["core"]["size_bytes"], fixture.core.metadata().unwrap().len());
        assert_eq!(whole_report["source"]["texts"].as_array().unwrap().len(), 1, "{method}");
        let said = whole_report["diagnostics"].to_string();
        assert!(
            said.contains("has no list of its members") && !said.contains("cut short"),
            "{method}: {said}"
        );

        // In the middle of the core: its header has no sizes yet, and nothing comes behind it.
        let (core, next) = (header(&whole, ".core"), header(&whole, "-pod-info.json"));
        let mut cut = whole[..core + (next - core) * 9 / 10].to_vec();
        let extra = core + 30 + BASE.len() + ".core".len();
        cut[core + 14..core + 18].fill(0);
        cut[extra + 4..extra + 20].fill(0);
        let crash = take(&server, &cut);
        let done = server.wait(&crash, &["done", "failed", "quarantined", "waiting-for-binary"]);
        assert_eq!(done["status"], "done", "{method} {done:#}");
        let cut_report = report(&server, &crash);
        assert!(cut_report["source"]["core"]["truncated"]["present_bytes"].is_u64(), "{method}");
        let said = cut_report["diagnostics"].to_string();
        let ends = if method == "stored" { "may be cut short" } else { "is damaged or ends early" };
        assert!(said.contains(ends), "{method}: {said}");
        assert!(
            said.contains("did not leave a readable pod-info, runtime-info, ps-info"),
            "{method}: {said}"
        );
        assert_eq!(cut_report["process"]["hostname"], "shop-86wrh", "{method}");
    }
}
