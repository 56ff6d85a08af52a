//! Who gets in: with which token, to do what, how often.

use std::{path::Path, thread, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Answer, Server, core_without_go, id, panicle, text};

const SCOPES: [&str; 5] = ["ingest", "symbols", "read", "memory", "manage"];

/// A token that the command makes, and its id.
fn make(data: &Path, scopes: &str) -> (String, String) {
    let output = panicle()
        .args([
            "admin", "token", "create", "--name", "test", "--format", "json", "--scopes", scopes, "--data",
        ])
        .arg(data)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    (made["token"].as_str().unwrap().to_owned(), id(&made))
}

fn with(server: &Server, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let json = ("content-type", "application/json");
    let headers = [("authorization", bearer.as_str()), json];
    server.send(method, path, if body.is_empty() { &headers[..1] } else { &headers }, body.to_owned())
}

fn get(server: &Server, token: &str, path: &str) -> Answer {
    with(server, token, "GET", path, "")
}

#[test]
fn the_first_token_shuts_the_doors() {
    let server = Server::start(&["--workers", "0"]);
    assert_eq!(server.get("/api/v1/session").expect(200), json!({ "token_needed": false, "token": null }));
    server.get("/api/v1/crashes").expect(200);
    // Without one that is needed, any is as good as none.
    assert_eq!(get(&server, "pnc_x", "/api/v1/crashes").status, 200);
    let elsewhere = [("host", "crashes.example.net")];
    assert_eq!(server.send("GET", "/api/v1/crashes", &elsewhere, ()).problem(421), "foreign-host");

    let (token, made) = make(server.data(), "read");
    for path in [
        "/api/v1/crashes",
        "/api/v1/nothing",
        "/metrics",
        "/openapi.json",
        "/buildid/00/debuginfo",
        "/buildid/x",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"panicle\"", "{path}");
        let refused = answer.body.clone();
        assert_eq!(answer.problem(401), "token-needed", "{path}");
        // What was never a token, and what is nearly one, learn no more.
        for wrong in ["", "x", "pnc_", &token[..token.len() - 1], &token.to_uppercase(), &format!("{token}0")]
        {
            let answer = get(&server, wrong, path);
            assert!(answer.body == refused && answer.status == 401, "{path} with {wrong}");
        }
        assert_ne!(get(&server, &token, path).status, 401, "{path}");
    }
    assert_eq!(server.send("HEAD", "/api/v1/crashes", &[], ()).status, 401);
    for path in ["/healthz", "/readyz", "/", "/groups/x", "/sign-in"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.get("/api/v1/session").expect(200), json!({ "token_needed": true, "token": null }));
    let session = get(&server, &token, "/api/v1/session").expect(200);
    assert_eq!((&session["token"]["id"], &session["token"]["scopes"]), (&json!(made), &json!(["read"])));
    // A name of the host is none of a foreign site's any more.
    let bearer = format!("Bearer {token}");
    let headers = [("host", "crashes.example.net"), ("authorization", bearer.as_str())];
    server.send("GET", "/api/v1/crashes", &headers, ()).expect(200);
    assert_eq!(server.send("GET", "/api/v1/crashes", &elsewhere, ()).problem(401), "token-needed");
    assert!(!server.log().contains(&token));
}

#[test]
fn every_operation_asks_for_what_the_document_says() {
    let server = Server::start(&["--workers", "0"]);
    let document = server.get("/openapi.json").expect(200);
    let tokens = SCOPES.map(|scope| (scope, make(server.data(), scope).0));
    let mut looked_at = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path
                .replace("{id}", "x")
                .replace("{gid}", "1")
                .replace("{address}", "0x1")
                .replace("{seq}", "1");
            let method = method.to_uppercase();
            let security =
                operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} names none"));
            let named: Vec<&str> = security.iter().filter_map(|way| way["token"][0].as_str()).collect();
            looked_at += 1;
            let stranger = server.send(&method, &path, &[], ());
            if named.is_empty() {
                assert!(path == "/api/v1/session", "{method} {path} is open to anybody");
                continue;
            }
            assert_eq!(stranger.status, 401, "{method} {path}");
            for (scope, token) in &tokens {
                let answer = with(&server, token, &method, &path, "");
                let may = named.contains(scope);
                if may {
                    // The handler of blobs looks closer, at what is there.
                    assert!(
                        !matches!(answer.status, 401 | 403),
                        "{method} {path} with {scope}: {}",
                        answer.status
                    );
                } else if method == "HEAD" {
                    assert_eq!(answer.status, 403, "{method} {path} with {scope}");
                } else {
                    let detail = String::from_utf8_lossy(&answer.body).into_owned();
                    assert_eq!(answer.problem(403), "missing-scope", "{method} {path} with {scope}");
                    assert!(named.iter().all(|name| detail.contains(name)), "{detail}");
                }
            }
        }
    }
    assert!(looked_at > 50, "{looked_at}");
}

#[test]
fn uploads_in_several_requests_take_what_their_kind_takes() {
    let server = Server::start(&["--workers", "0"]);
    let [ingest, symbols] = ["ingest", "symbols"].map(|scope| make(server.data(), scope).0);
    let begin = |token: &str, kind: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("tus-resumable", "1.0.0"),
            ("upload-length", "9"),
            ("upload-metadata", kind),
        ];
        server.send("POST", "/api/v1/uploads", &headers, ()).status
    };
    // `binary`, `core`, and what its first bytes are to tell.
    let kinds = ["kind YmluYXJ5", "kind Y29yZQ==", ""];
    assert_eq!(kinds.map(|kind| begin(&ingest, kind)), [201, 201, 201]);
    assert_eq!(kinds.map(|kind| begin(&symbols, kind)), [201, 403, 403]);
}

#[test]
fn what_was_in_memory_takes_more_than_reading() {
    let server = Server::start(&["--workers", "0"]);
    let directory = tempfile::tempdir().unwrap();
    let core = server.put_file("core", &core_without_go(directory.path()));
    let log = server.put_stream("text", text(1).as_bytes());
    let binary = server.put_file("binary", Path::new("/bin/true"));
    let [ingest, symbols, read, memory, manage] = SCOPES.map(|scope| make(server.data(), scope).0);
    let status = |token: &str, id: &str| get(&server, token, &format!("/api/v1/blobs/{id}/content")).status;
    assert_eq!(
        [&ingest, &symbols, &read, &memory, &manage].map(|token| status(token, &core)),
        [403, 403, 403, 200, 403]
    );
    assert_eq!(
        [&ingest, &symbols, &read, &memory, &manage].map(|token| status(token, &log)),
        [403, 403, 200, 403, 403]
    );
    assert_eq!(
        [&ingest, &symbols, &read, &memory, &manage].map(|token| status(token, &binary)),
        [403, 200, 200, 403, 403]
    );
    let put = |token: &str, kind: &str, bytes: &[u8]| {
        let bearer = format!("Bearer {token}");
        server.send("PUT", &format!("/api/v1/blobs/{kind}"), &[("authorization", &bearer)], bytes).status
    };
    let program = std::fs::read("/bin/true").unwrap();
    assert_eq!((put(&symbols, "binary", &program), put(&symbols, "text", text(2).as_bytes())), (200, 403));
    assert_eq!((put(&ingest, "binary", &program), put(&ingest, "text", text(2).as_bytes())), (200, 201));
    assert_eq!(put(&read, "text", text(3).as_bytes()), 403);
}

#[test]
fn tokens_are_made_shown_once_and_revoked() {
    let server = Server::start(&["--workers", "0"]);
    let (all, _) = make(server.data(), "all");
    let (manage, _) = make(server.data(), "manage");
    let create =
        |token: &str, body: &Value| with(&server, token, "POST", "/api/v1/tokens", &body.to_string());
    let created = create(&all, &json!({ "name": " ci ", "scopes": ["ingest"] })).expect(201);
    let ci = created["token"].as_str().unwrap().to_owned();
    assert_eq!((&created["name"], &created["expires_at"]), (&json!("ci"), &Value::Null));
    // Nobody makes one that may do more than its own.
    assert_eq!(
        create(&manage, &json!({ "name": "x", "scopes": ["manage", "memory"] })).problem(403),
        "missing-scope"
    );
    create(&manage, &json!({ "name": "x", "scopes": ["manage"] })).expect(201);
    for wrong in [
        json!({ "name": "", "scopes": ["read"] }),
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["root"] }),
        json!({ "name": "x" }),
        json!({ "name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z" }),
    ] {
        assert_eq!(create(&all, &wrong).problem(400), "bad-request", "{wrong}");
    }
    let listed = get(&server, &all, "/api/v1/tokens");
    let said = String::from_utf8_lossy(&listed.body).into_owned();
    for token in [&all, &manage, &ci] {
        assert!(!said.contains(&token[4..]), "{said}");
    }
    assert_eq!(listed.expect(200)["items"].as_array().unwrap().len(), 4);
    let first = get(&server, &all, "/api/v1/tokens?limit=1").expect(200);
    let rest =
        get(&server, &all, &format!("/api/v1/tokens?cursor={}", first["next_cursor"].as_str().unwrap()))
            .expect(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);

    let blob = "/api/v1/blobs/0000000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(get(&server, &ci, blob).status, 404);
    let path = format!("/api/v1/tokens/{}", id(&created));
    assert!(with(&server, &all, "DELETE", &path, "").expect(200)["revoked_at"].is_string());
    assert_eq!(get(&server, &ci, blob).problem(401), "token-needed");
    assert_eq!(with(&server, &all, "DELETE", "/api/v1/tokens/x", "").problem(404), "not-found");
    // One that ends by itself.
    let end = Timestamp::now().checked_add(SignedDuration::from_secs(2)).unwrap();
    let brief = create(&all, &json!({ "name": "brief", "scopes": ["read"], "expires_at": end })).expect(201);
    let brief = brief["token"].as_str().unwrap();
    assert_eq!(get(&server, brief, "/api/v1/stats").status, 200);
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(get(&server, brief, "/api/v1/stats").status, 401);
}

#[test]
fn the_command_lists_and_revokes_in_the_database() {
    let server = Server::start(&["--workers", "0"]);
    let admin = |arguments: &[&str]| {
        panicle().args(["admin", "token"]).args(arguments).arg("--data").arg(server.data()).output().unwrap()
    };
    let made = admin(&["create", "--name", "first", "--scopes", "read,memory", "--days", "7"]);
    let token = String::from_utf8(made.stdout).unwrap();
    assert!(
        token.starts_with("pnc_") && token.ends_with('\n') && !token.trim_end().contains('\n'),
        "the token alone"
    );
    let token = token.trim();
    assert_eq!(get(&server, token, "/api/v1/stats").status, 200);
    // Its use is noted beside the request.
    thread::sleep(Duration::from_millis(500));
    let listed = admin(&["list", "--format", "json"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains(&token[4..]));
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let only = &listed["items"][0];
    assert_eq!((&only["name"], &only["scopes"]), (&json!("first"), &json!(["read", "memory"])));
    assert!(only["last_used_at"].is_string() && only["expires_at"].is_string(), "{only}");
    let revoked = admin(&["revoke", only["id"].as_str().unwrap()]);
    assert!(revoked.status.success(), "{revoked:?}");
    // That the last one is revoked opens nothing.
    assert_eq!(get(&server, token, "/api/v1/stats").status, 401);
    assert_eq!(server.get("/api/v1/stats").status, 401);
    let text = admin(&["list"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("revoked  read,memory"), "{text:?}");
    assert_eq!(admin(&["revoke", "x"]).status.code(), Some(2));
    assert_eq!(admin(&["create", "--name", "x", "--scopes", "root"]).status.code(), Some(2));
    let nowhere = tempfile::tempdir().unwrap();
    let nothing = panicle().args(["admin", "token", "list", "--data"]).arg(nowhere.path()).output().unwrap();
    assert_eq!(nothing.status.code(), Some(4));
    assert!(std::fs::read_dir(nowhere.path()).unwrap().next().is_none(), "a look makes no database");
}

#[test]
fn a_browser_signs_in_and_out() {
    let server = Server::start(&["--workers", "0"]);
    let (token, _) = make(server.data(), "read,manage");
    let path = "/api/v1/session";
    let json = ("content-type", "application/json");
    let origin = server.url.clone();
    let sign_in = |token: &str, origin: &str| {
        server.send("POST", path, &[json, ("origin", origin)], json!({ "token": token }).to_string())
    };
    assert_eq!(sign_in("pnc_wrong", &origin).problem(401), "token-needed");
    assert_eq!(sign_in(&token, "http://elsewhere.example").problem(403), "foreign-origin");
    let answer = sign_in(&token, &origin);
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    assert_eq!(answer.expect(200)["token"]["scopes"], json!(["read", "manage"]));
    let tls = origin.replace("http://", "https://");
    assert!(sign_in(&token, &tls).headers["set-cookie"].to_str().unwrap().contains("; Secure"));

    let cookie = cookie.split(';').next().unwrap();
    let send = |method: &str, path: &str, more: &[(&str, &str)], body: &str| {
        let headers: Vec<_> = [("cookie", cookie), json].into_iter().chain(more.iter().copied()).collect();
        server.send(method, path, &headers, body.to_owned())
    };
    send("GET", "/api/v1/crashes", &[], "").expect(200);
    let query = json!({ "name": "mine", "query": "x" }).to_string();
    let own = ("origin", origin.as_str());
    assert_eq!(send("POST", "/api/v1/queries", &[], &query).problem(401), "token-needed");
    assert_eq!(
        send("POST", "/api/v1/queries", &[("origin", "http://elsewhere.example")], &query).problem(403),
        "foreign-origin"
    );
    // Another port of this machine is of the same site, and not of the same origin.
    for site in ["same-site", "cross-site"] {
        assert_eq!(
            send("GET", "/api/v1/crashes", &[("sec-fetch-site", site)], "").problem(401),
            "token-needed"
        );
        assert_eq!(
            send("POST", "/api/v1/queries", &[own, ("sec-fetch-site", site)], &query).problem(403),
            "foreign-origin"
        );
    }
    send("POST", "/api/v1/queries", &[own, ("sec-fetch-site", "same-origin")], &query).expect(201);
    let answer = send("DELETE", path, &[own], "");
    assert_eq!(answer.status, 204);
    let gone = answer.headers["set-cookie"].to_str().unwrap();
    assert!(gone.starts_with("panicle_session=;") && gone.contains("Max-Age=0"), "{gone}");
}

#[test]
fn other_machines_are_served_when_there_are_tokens() {
    let data = tempfile::tempdir().unwrap();
    let serve = || {
        panicle()
            .args(["serve", "--listen", "0.0.0.0:0", "--data"])
            .arg(data.path().join("d"))
            .output()
            .unwrap()
    };
    let refused = serve();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("access tokens") && said.contains("panicle admin token create"), "{said}");
    assert!(!data.path().join("d").exists(), "nothing is made for who is refused");
    // Nor when the only one there was is revoked.
    let (_, made) = make(&data.path().join("d"), "all");
    let revoked = panicle()
        .args(["admin", "token", "revoke", &made, "--data"])
        .arg(data.path().join("d"))
        .output()
        .unwrap();
    assert!(revoked.status.success());
    assert_eq!(serve().status.code(), Some(2));

    let (token, made) = make(data.path(), "all");
    let mut command = panicle();
    command.args(["serve", "--listen", "0.0.0.0:0", "--workers", "0", "--data"]).arg(data.path());
    let server = Server::run(command, data);
    assert_eq!(server.get("/api/v1/crashes").problem(401), "token-needed");
    assert_eq!(get(&server, &token, "/api/v1/crashes").status, 200);
    with(&server, &token, "DELETE", &format!("/api/v1/tokens/{made}"), "").expect(200);
    assert_eq!(server.get("/api/v1/crashes").problem(401), "token-needed");
}

#[test]
fn commands_show_their_token_and_nobody_else() {
    let server = Server::start(&["--workers", "0"]);
    let (token, _) = make(server.data(), "ingest,read");
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("crash.log");
    std::fs::write(&log, text(1)).unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let upload = || {
        let mut command = panicle();
        command.args(["upload", "text"]).arg(&log).args(["--server", &server.url]);
        command
    };
    let refused = upload().output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("A token is needed"), "{refused:?}");
    let said = [
        upload().arg("--token-file").arg(&file).output().unwrap(),
        upload().env("PANICLE_TOKEN", &token).output().unwrap(),
        upload().args(["--token", &token]).output().unwrap(),
        panicle()
            .args(["search", "boom", "--server", &server.url, "--token-file"])
            .arg(&file)
            .output()
            .unwrap(),
        panicle()
            .args(["admin", "retention", "--server", &server.url, "--token-file"])
            .arg(&file)
            .output()
            .unwrap(),
        panicle().args(["upload", "--help"]).env("PANICLE_TOKEN", &token).output().unwrap(),
    ];
    for output in &said {
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        assert!(!format!("{output:?}").contains(&token), "{output:?}");
    }
    // It is allowed to read the policy, and not to change it.
    let changed = panicle()
        .args(["admin", "retention", "--keep-cores", "5", "--server", &server.url])
        .env("PANICLE_TOKEN", &token)
        .output()
        .unwrap();
    assert_eq!(changed.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&changed.stderr).contains("the scope manage"), "{changed:?}");
    std::fs::write(&file, "two words\n").unwrap();
    let output = upload().arg("--token-file").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!format!("{output:?}").contains("two words"), "{output:?}");
}

#[test]
fn one_token_does_not_use_up_what_is_there_for_all() {
    let server = Server::start(&["--workers", "0", "--requests-per-minute", "20"]);
    let [(busy, _), (other, _)] = ["read", "read"].map(|scope| make(server.data(), scope));
    let answers: Vec<Answer> = (0..40).map(|_| get(&server, &busy, "/api/v1/stats")).collect();
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!((20..35).contains(&taken.len()), "{}", taken.len());
    for answer in refused {
        assert!((1..=60).contains(&answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap()));
        assert_eq!(answer.problem(429), "too-many-requests");
    }
    assert_eq!(get(&server, &other, "/api/v1/stats").status, 200);
    assert_eq!(server.get("/healthz").status, 200);

    let server = Server::start(&["--workers", "0", "--upload-bytes-per-day", "1000"]);
    let (token, _) = make(server.data(), "ingest,read");
    let bearer = format!("Bearer {token}");
    let put = |bytes: Vec<u8>| server.send("PUT", "/api/v1/blobs/text", &[("authorization", &bearer)], bytes);
    let of =
        |n: u32, length: usize| format!("{}{}", text(n), "x".repeat(length - text(n).len())).into_bytes();
    put(of(1, 700)).expect(201);
    let refused = put(of(2, 700));
    let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((30_000..36_000).contains(&wait), "{wait}");
    assert_eq!(refused.problem(429), "quota-used-up");
    put(of(3, 200)).expect(201);
    // A stream of unknown length is taken to its end, and paid for afterwards.
    let stream = of(4, 5000);
    let mut stream = stream.as_slice();
    let body = ureq::SendBody::from_reader(&mut stream);
    assert_eq!(server.send("PUT", "/api/v1/blobs/text", &[("authorization", &bearer)], body).status, 201);
    assert_eq!(put(of(5, 200)).problem(429), "quota-used-up");
    assert_eq!(get(&server, &token, "/api/v1/stats").status, 200, "reading sends nothing");
}
