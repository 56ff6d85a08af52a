use super::{Member, container_id, pod_uid, read};

const ID: &str = "51cd8bdaa13a65518e790d307359d33f9288fc82664879c609029b1a83862db6";
const OTHER: &str = "f7ca3e453aaf4b6a313f3047d5089ec3b2a14c64333f171f2b3bfed801f29665";
const POD: &str = r#"{"id": "9a", "metadata": {"name": "shop-86wrh", "uid": "0c65ce05-bd3a-4db2-ad79-131186dc2086", "namespace": "default"}}"#;

fn dump(path: &str, more: &str) -> String {
    format!(
        "{{\"uuid\":\"u\", \"dump_file\":\"u-dump-1618746959-shop-86wrh-shop-1-6.core\", \"timestamp\": \"1618746959\",\n        \
         \"hostname\": \"shop-86wrh\", \"exe\": \"shop\", \"real_pid\": \"7\", \"signal\": \"6\", \"node_hostname\": \"n1\", \"path\": \"{path}\"{more} }}"
    )
}

fn ps() -> String {
    format!(
        r#"{{"containers": [{{"id": "{OTHER}", "labels": {{"io.kubernetes.container.name": "proxy"}}}},
         {{"id": "{ID}", "metadata": {{"name": "x"}}, "labels": {{"io.kubernetes.container.name": "app",
         "io.kubernetes.pod.name": "shop-86wrh"}}}}]}}"#
    )
}

fn cgroup(id: &str) -> String {
    format!(
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0c65ce05_bd3a_4db2_ad79_131186dc2086.slice/cri-containerd-{id}.scope\n"
    )
}

#[test]
fn members_are_told_by_the_ends_of_their_names() {
    let base = "a.zip:6f-dump-1-host-exe-1-6";
    assert_eq!(Member::of_name(&format!("{base}-dump-info.json")), Some(Member::Dump));
    assert_eq!(Member::of_name(&format!("{base}-0-image-info.json")), Some(Member::Image));
    assert_eq!(Member::of_name("a.zip:cgroup"), Some(Member::Cgroup));
    // A container's first process is not the one that crashed.
    assert_eq!(Member::of_name(&format!("{base}-0-proc/cgroup")), None);
    for other in ["-0.log", ".core", ""] {
        assert_eq!(Member::of_name(&format!("{base}{other}")), None, "{other}");
    }
}

#[test]
fn a_container_is_told_by_the_cgroup() {
    assert_eq!(container_id(&cgroup(ID)), Some(ID));
    assert_eq!(container_id(&format!("12:pids:/kubepods/besteffort/podx/{ID}")), Some(ID));
    assert_eq!(container_id(&format!("/docker/{OTHER}/kubepods/podx/{ID}")), Some(ID), "the innermost");
    assert_eq!(container_id("0::/user.slice\n"), None);
    assert_eq!(container_id(&format!("0::/{ID}0")), None);
    assert_eq!(pod_uid(&cgroup(ID)).as_deref(), Some("0c65ce05-bd3a-4db2-ad79-131186dc2086"));
    assert_eq!(pod_uid("/kubepods/pod"), None);
}

#[test]
fn a_whole_bundle_says_which_container_it_was() {
    let (dump, ps, cgroup) = (dump("!app!bin!shop", ""), ps(), cgroup(ID));
    let members = [
        ("a-dump-info.json", dump.as_bytes()),
        ("a-pod-info.json", POD.as_bytes()),
        ("a-runtime-info.json", b"{}"),
        ("a-ps-info.json", ps.as_bytes()),
        ("a-cgroup", cgroup.as_bytes()),
        ("a-0.log", b"nothing"),
    ];
    let collected = read(members);
    assert_eq!(collected.container.as_deref(), Some("shop-86wrh/app"));
    assert_eq!(collected.executable.as_deref(), Some("/app/bin/shop"));
    assert_eq!(collected.hostname.as_deref(), Some("shop-86wrh"));
    assert_eq!(collected.occurred_at.unwrap().to_string(), "2021-04-18T11:55:59Z");
    assert_eq!(collected.diagnostics, []);
}

fn said(collected: &super::Collected) -> String {
    collected.diagnostics.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pod_that_was_found_by_its_hostname_is_not_believed() {
    let dump_info = dump("!shop", "");
    let ps = ps();
    let pod = [
        ("a-dump-info.json", dump_info.as_bytes()),
        ("a-pod-info.json", POD.as_bytes()),
        ("a-runtime-info.json", b"{}".as_slice()),
        ("a-ps-info.json", ps.as_bytes()),
    ];
    let collected = read(pod);
    assert_eq!(collected.container, None);
    assert!(said(&collected).contains("names the pod shop-86wrh"), "{}", said(&collected));
    // The process is of another pod, which has the same name of the host.
    let elsewhere = cgroup(&ID.replace('5', "6")).replace("0c65ce05", "0c65ce06");
    let collected = read(pod.into_iter().chain([("a-cgroup", elsewhere.as_bytes())]));
    assert_eq!(collected.container, Some(ID.replace('5', "6")));
    assert!(said(&collected).contains("not of that pod"), "{}", said(&collected));
    // Of that pod, by its uid, in a container that was not listed.
    let unlisted = cgroup(&ID.replace('5', "6"));
    let collected = read(pod.into_iter().chain([("a-cgroup", unlisted.as_bytes())]));
    assert_eq!(collected.container, Some(format!("shop-86wrh/{}", ID.replace('5', "6"))));
}

#[test]
fn a_dump_info_that_is_no_json_is_read_field_by_field() {
    for (path, shop) in [
        (r#"!srv!"quoted", dir!shop"#, r#"/srv/"quoted", dir/shop"#),
        (r"!srv!a\d!shop", r"/srv/a\d/shop"),
        ("!srv!a\nb!shop", "/srv/a\nb/shop"),
    ] {
        let broken = dump(path, &format!(", \"container_id\": \"{ID}\""));
        assert!(serde_json::from_str::<serde_json::Value>(&broken).is_err(), "{broken}");
        let ps = ps();
        let collected = read([("a-dump-info.json", broken.as_bytes()), ("a-ps-info.json", ps.as_bytes())]);
        assert_eq!(collected.executable.as_deref(), Some(shop));
        assert_eq!(collected.hostname.as_deref(), Some("shop-86wrh"));
        assert_eq!(collected.container.as_deref(), Some("shop-86wrh/app"));
        let said = said(&collected);
        assert!(said.contains("no valid JSON") && said.contains("pod-info, runtime-info"), "{said}");
    }
    let whole = dump("!app!shop", "");
    for end in 0..whole.len() {
        let collected = read([("a-dump-info.json", &whole.as_bytes()[..end])]);
        assert!(collected.hostname.is_none_or(|name| "shop-86wrh".starts_with(&name)), "{end}");
    }
    assert_eq!(read([("other.json", b"{}".as_slice())]), super::Collected::default());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(dump in ".*", pod: Vec<u8>, cgroup in "[ -~é\n]*pod[0-9a-f-é]{0,40}.*") {
        let broken = self::dump(&dump, "");
        for text in [dump.as_bytes(), broken.as_bytes()] {
            read([("a-dump-info.json", text), ("a-pod-info.json", &pod), ("a-cgroup", cgroup.as_bytes())]);
        }
    }
}
