//! What is of one project is to the token of another as if it were not there.

use std::sync::Arc;

use panicle_backends::S3Server;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Server, Stores, id, panicle, text},
    hooks::{event, put, source, the_source},
    incidents::webhook,
};

fn admin(server: &Server, arguments: &[&str]) -> Value {
    let mut command = panicle();
    server.share_database(&mut command);
    command.arg("admin").args(arguments).args(["--format", "json", "--data"]).arg(server.data());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn token(server: &Server, project: Option<&str>) -> String {
    let mut arguments = vec!["token", "create", "--name", "test", "--scopes", "all"];
    arguments.extend(project.into_iter().flat_map(|project| ["--project", project]));
    admin(server, &arguments)["token"].as_str().unwrap().to_owned()
}

struct As<'a> {
    server: &'a Server,
    bearer: String,
}

impl<'a> As<'a> {
    fn new(server: &'a Server, project: Option<&str>) -> Self {
        Self { server, bearer: format!("Bearer {}", token(server, project)) }
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [
            ("authorization", self.bearer.as_str()),
            ("tus-resumable", "1.0.0"),
            ("upload-offset", "0"),
            ("upload-length", "9"),
            (
                "content-type",
                if path.contains("/uploads/") && !path.contains("/presigned") {
                    "application/offset+octet-stream"
                } else {
                    "application/json"
                },
            ),
        ];
        self.server.send(method, path, &headers, body.to_owned())
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &body.to_string())
    }

    /// A crash of a text, analysed, and its group and its text.
    fn crash(&self, text: &str, service: &str) -> [String; 3] {
        let blob = id(&self.send("PUT", "/api/v1/blobs/text?name=their-own-name.log", text).json());
        let crash = self.post("/api/v1/crashes", &json!({ "texts": [blob], "service": service }));
        let crash = id(&crash.json());
        let path = format!("/api/v1/crashes/{crash}");
        let started = std::time::Instant::now();
        loop {
            let now = self.get(&path).expect(200);
            if let (Some("done"), Some(group)) = (now["status"].as_str(), now["group_id"].as_str()) {
                return [crash, group.to_owned(), blob];
            }
            assert!(started.elapsed().as_secs() < 90, "still {now:#}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

fn two_projects() -> Server {
    in_two_projects(Server::start(&["--workers", "1"]))
}

fn with_source_on(stores: Option<Arc<Stores>>, bucket: &S3Server, more: &[&str]) -> Server {
    let (mut environment, source) = the_source(bucket);
    for name in ["_SHOPS_", "_CARTS_"] {
        let (others, _) = the_source(bucket);
        environment.extend(others.into_iter().map(|(of, value)| (of.replace("_CORES_", name), value)));
    }
    let arguments = [&["--workers", "1", "--s3-source", &source], more].concat();
    in_two_projects(Server::start_with(stores, &environment, &arguments))
}

fn in_two_projects(server: Server) -> Server {
    for project in ["shop", "cart", "idle"] {
        admin(&server, &["project", "create", project]);
    }
    server
}

#[test]
fn a_walk_through_the_whole_document_finds_nothing_of_another_project() {
    let stores = Stores::new();
    let bucket = source();
    put(&bucket, "shops/theirs.log", text(72).as_bytes());
    let shops = format!("shops={}&project=shop", bucket.url("shops"));
    let server = with_source_on(Some(Arc::clone(&stores)), &bucket, &["--s3-source", &shops]);
    let [shop, cart] = ["shop", "cart"].map(|project| As::new(&server, Some(project)));
    let [crash, group, blob] = shop.crash(&text(71), "their-own-service");
    let told =
        shop.post("/api/v1/hooks/s3", &event("ObjectCreated:Put", "shops/theirs.log", "1")).expect(200);
    let object = id(&told["objects"][0]);
    let signed = json!({ "kind": "text", "size_bytes": 5, "name": "their-own-file" });
    let signed = id(&shop.post("/api/v1/uploads/presigned", &signed).expect(201));
    let alerts = webhook("firing", 5, &json!({ "alertname": "A", "service": "their-own-service" }));
    let incident = id(&shop.post("/api/v1/hooks/alertmanager", &alerts).expect(200)["incident"]);
    let upload = shop.send("POST", "/api/v1/uploads", "");
    assert_eq!(upload.status, 201);
    let upload = upload.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let own = [&crash, &group, &blob, &upload, &object, &signed, &incident].map(String::as_str);
    let theirs =
        [&["their-own", "work71", "work72", "\"id\":\"shop\"", "project\":\"shop"], &own[..]].concat();

    let document = cart.get("/openapi.json").expect(200);
    let (mut walked, mut hidden) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            if path == "/api/v1/session" {
                continue;
            }
            walked += 1;
            let own = [
                ("/crashes/", &crash),
                ("/groups/", &group),
                ("/presigned/", &signed),
                ("/uploads/", &upload),
                ("/blobs/", &blob),
                ("/objects/", &object),
                ("/incidents/", &incident),
            ];
            let id = own.iter().find(|(part, _)| path.contains(part)).map(|(_, id)| id.as_str());
            let at = |id: &str| {
                let path = path.replace("{id}", id).replace("{gid}", "1").replace("{address}", "0x1");
                let query = if path.ends_with("/eval") { "?expr=x" } else { "?q=service:their*&key=1" };
                format!("{}{query}", path.replace("{seq}", "1"))
            };
            let ask = |id: &str| cart.send(&method, &at(id), if method == "GET" { "" } else { "{}" });
            if let Some(id) = id.filter(|_| {
                path.contains("{id}") && (&method, path.as_str()) != (&"PUT".to_owned(), "/api/v1/blobs/{id}")
            }) {
                hidden += 1;
                let nothing = id.replace(|c: char| c.is_ascii_digit(), "0").replace('a', "b");
                let (one, other) = (ask(id), ask(&nothing));
                assert_eq!((one.status, other.status), (404, 404), "{method} {path}");
                let body =
                    |answer: &Answer, id: &str| String::from_utf8_lossy(&answer.body).replace(id, "ID");
                assert_eq!(body(&one, id), body(&other, &nothing), "{method} {path} tells the two apart");
                continue;
            }
            let answer = ask("x");
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            // What was asked is said again.
            let body = body.replace("service:their*", "");
            for word in &theirs {
                assert!(!body.contains(word), "{method} {path} tells {word}: {body}");
            }
            assert_ne!(answer.status, 500, "{method} {path}: {body}");
            let named = operation["parameters"].as_array().into_iter().flatten();
            if named.clone().any(|parameter| parameter["name"] == "project") {
                for other in ["shop", "nothing"] {
                    let path = format!("{}&project={other}", at("text"));
                    let answer = cart.send(&method, &path, if method == "GET" { "" } else { "{}" });
                    assert_eq!(answer.problem(403), "other-project", "{method} {path}");
                }
            }
        }
    }
    assert!(walked > 60 && hidden > 25, "{walked} {hidden}");
    assert_eq!(cart.get("/metrics").problem(403), "one-project");
    // It all is there for those whose it is.
    assert_eq!(shop.get(&format!("/api/v1/crashes/{crash}")).expect(200)["project"], "shop");
    assert_eq!(shop.get(&format!("/api/v1/uploads/{upload}")).status, 405);
    for (path, id) in [("objects", &object), ("uploads/presigned", &signed), ("incidents", &incident)] {
        shop.get(&format!("/api/v1/{path}/{id}")).expect(200);
    }
}

#[test]
fn what_other_systems_tell_is_of_one_project() {
    let bucket = source();
    for (key, number) in [("in/a.log", 81), ("shops/b.log", 82), ("carts/c.log", 87)] {
        put(&bucket, key, text(number).as_bytes());
    }
    let [shops, carts] = ["shop", "cart"]
        .map(|project| format!("{project}s={}&project={project}", bucket.url(&format!("{project}s"))));
    let server = with_source_on(None, &bucket, &["--s3-source", &shops, "--s3-source", &carts]);
    let [shop, cart, idle] = ["shop", "cart", "idle"].map(|project| As::new(&server, Some(project)));
    let all = As::new(&server, None);
    let ask = |by: &As<'_>, key: &str, query: &str| {
        by.post(&format!("/api/v1/hooks/s3{query}"), &event("ObjectCreated:Put", key, "1"))
    };
    let ended = |by: &As<'_>, told: &Value| {
        let path = format!("/api/v1/objects/{}", id(&told["objects"][0]));
        let started = std::time::Instant::now();
        loop {
            let object = by.get(&path).expect(200);
            if object["state"] != "queued" {
                assert_eq!(object["state"], "done", "{object:#}");
                return object;
            }
            assert!(started.elapsed().as_secs() < 90, "still {object:#}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    let project = |by: &As<'_>, object: &Value| {
        by.get(&format!("/api/v1/crashes/{}", object["crash_id"].as_str().unwrap())).expect(200)["project"]
            .clone()
    };
    // What a source has is its project's, whoever tells of it: its own token, or one for all projects.
    let told = ask(&shop, "shops/b.log", "").expect(200);
    assert_eq!(project(&shop, &ended(&shop, &told)), "shop");
    let again = ask(&all, "shops/b.log", "").expect(200);
    assert_eq!(
        (&again["objects"][0]["id"], &again["objects"][0]["new"]),
        (&told["objects"][0]["id"], &json!(false))
    );
    let told = ask(&all, "carts/c.log", "").expect(200);
    assert_eq!(project(&cart, &ended(&cart, &told)), "cart");
    let told = ask(&all, "in/a.log", "").expect(200);
    assert_eq!(project(&all, &ended(&all, &told)), "default");
    // To the tokens of others it is not there: the answer is that to what is of no source.
    for (key, unknown) in [("shops/b.log", "nobody/b.log"), ("in/a.log", "nobody/a.log")] {
        let answer = |key: &str| ask(&cart, key, "").expect(200).to_string().replace(key, "KEY");
        let said = answer(key);
        assert!(said.contains("no source") && said.contains(r#""objects":[]"#), "{said}");
        assert_eq!(said, answer(unknown));
    }
    for key in ["shops/b.log", "in/a.log"] {
        assert_eq!(ask(&idle, key, "").problem(404), "not-found");
        assert_eq!(ask(&all, key, "?project=idle").problem(404), "not-found");
    }
    assert_eq!(ask(&cart, "shops/b.log", "?source=shops").problem(400), "bad-request");
    // A project that takes nothing in is no hindrance to the others in a request.
    admin(&server, &["project", "archive", "cart"]);
    let mut both = event("ObjectCreated:Put", "carts/c.log", "2");
    let more = event("ObjectCreated:Put", "shops/b.log", "1")["Records"][0].clone();
    both["Records"].as_array_mut().unwrap().push(more);
    let told = all.post("/api/v1/hooks/s3", &both).expect(200);
    assert_eq!(
        (told["objects"].as_array().unwrap().len(), &told["ignored"][0]["key"]),
        (1, &json!("carts/c.log"))
    );
    assert!(told["ignored"][0]["reason"].as_str().unwrap().contains("archived"), "{told:#}");
    assert_eq!(ask(&all, "carts/c.log", "").status, 422);
    admin(&server, &["project", "archive", "cart", "--undo"]);
    assert_eq!(ask(&cart, "shops/b.log", "?project=shop").problem(403), "other-project");
    let listed = |by: &As<'_>, path: &str| by.get(path).expect(200)["items"].as_array().unwrap().len();
    assert_eq!((listed(&shop, "/api/v1/objects"), listed(&cart, "/api/v1/objects")), (1, 1));
    assert_eq!((listed(&all, "/api/v1/objects"), listed(&all, "/api/v1/objects?project=cart")), (3, 1));

    // An incident of one project has no crashes of the other, whichever comes first.
    let crash = |by: &As<'_>, number: u32| by.crash(&text(number), "pay")[0].clone();
    let before = [crash(&shop, 83), crash(&cart, 84)];
    let alerts = webhook("firing", 5, &json!({ "alertname": "A", "service": "pay" }));
    let told = shop.post("/api/v1/hooks/alertmanager", &alerts).expect(200);
    let incident = id(&told["incident"]);
    let after = [crash(&shop, 85), crash(&cart, 86)];
    let found = shop.get(&format!("/api/v1/incidents/{incident}")).expect(200);
    let mut linked: Vec<_> =
        found["crashes"].as_array().unwrap().iter().map(|linked| id(&linked["crash"])).collect();
    linked.sort();
    assert_eq!(linked, [before[0].clone(), after[0].clone()]);
    for crash in [&before[1], &after[1]] {
        let crash = cart.get(&format!("/api/v1/crashes/{crash}")).expect(200);
        assert_eq!(crash["incidents"], json!([]));
    }
    // The same alerts, told to the other one, are another incident.
    let told = cart.post("/api/v1/hooks/alertmanager", &alerts).expect(200);
    assert_eq!((&told["new"], &told["incident"]["crash_count"]), (&json!(true), &json!(2)));
    assert_eq!((listed(&shop, "/api/v1/incidents"), listed(&all, "/api/v1/incidents")), (1, 2));
    assert_eq!(listed(&all, "/api/v1/incidents?project=cart"), 1);
}

#[test]
fn what_is_put_into_the_bucket_is_of_the_project_that_began_it() {
    let server = in_two_projects(Server::start_on(Some(Stores::new()), &["--workers", "1"]));
    let [shop, cart] = ["shop", "cart"].map(|project| As::new(&server, Some(project)));
    let bytes = text(91);
    let begin = |by: &As<'_>, name: &str| {
        let new = json!({ "kind": "text", "size_bytes": bytes.len(), "name": name });
        let upload = by.post("/api/v1/uploads/presigned", &new).expect(201);
        ureq::put(upload["url"].as_str().unwrap()).send(bytes.as_str()).unwrap();
        upload
    };
    let finish = |by: &As<'_>, upload: &Value| {
        let started = std::time::Instant::now();
        loop {
            let answer = by.post(upload["complete_url"].as_str().unwrap(), &json!({}));
            if answer.status != 202 {
                return answer.expect(201);
            }
            assert!(started.elapsed().as_secs() < 90);
        }
    };
    let theirs = begin(&shop, "theirs.log");
    assert_eq!(cart.post(theirs["complete_url"].as_str().unwrap(), &json!({})).problem(404), "not-found");
    let theirs = finish(&shop, &theirs);
    let blob = theirs["evidence"]["id"].as_str().unwrap().to_owned();
    assert_eq!(cart.get(&format!("/api/v1/blobs/{blob}")).problem(404), "not-found");
    // The same bytes of another project have the name that it gave them.
    let ours = begin(&cart, "ours.log");
    let ours = finish(&cart, &ours);
    assert_eq!((&ours["evidence"]["id"], &ours["evidence"]["name"]), (&json!(blob), &json!("ours.log")));
    assert_eq!(shop.get(&format!("/api/v1/blobs/{blob}")).expect(200)["name"], "theirs.log");
}

#[test]
fn what_a_request_names_in_its_body_is_of_the_project_too() {
    let server = two_projects();
    let [shop, cart] = ["shop", "cart"].map(|project| As::new(&server, Some(project)));
    let [crash, group, blob] = shop.crash(&text(1), "a");
    let [our_crash, our_group, our_blob] = cart.crash(&text(2), "b");
    let nothing = "0".repeat(64);
    for blob in [&blob, &nothing] {
        let new = json!({ "texts": [our_blob, blob] });
        assert_eq!(cart.post("/api/v1/crashes", &new).problem(404), "not-found");
    }
    let merge = format!("/api/v1/groups/{our_group}/merge");
    let split = format!("/api/v1/groups/{our_group}/split");
    for id in [&group, &nothing] {
        assert_eq!(cart.post(&merge, &json!({ "groups": [id] })).problem(404), "not-found");
        let into = json!({ "crashes": [our_crash], "into": id });
        assert_eq!(cart.post(&split, &into).problem(404), "not-found");
    }
    assert_eq!(cart.post(&split, &json!({ "crashes": [crash] })).problem(404), "not-found");
    let named = json!({ "texts": [our_blob], "project": "shop" });
    assert_eq!(cart.post("/api/v1/crashes", &named).problem(403), "other-project");
    for (path, body) in [
        ("/api/v1/rules", json!({ "kind": "merge", "name": "x", "predicate": "class:deadlock" })),
        ("/api/v1/tokens", json!({ "name": "x", "scopes": ["read"] })),
        ("/api/v1/projects", json!({ "id": "mine" })),
        ("/api/v1/regroup", json!({})),
    ] {
        assert_eq!(cart.post(path, &body).problem(403), "one-project", "{path}");
    }
    for list in ["crashes", "groups", "events"] {
        let found = cart.get(&format!("/api/v1/{list}?group={group}")).expect(200);
        let text = found.to_string();
        assert!(!text.contains(&group) && !text.contains(&crash), "{text}");
    }
}

#[test]
fn who_sees_all_projects_names_one() {
    let server = two_projects();
    let all = As::new(&server, None);
    let shop = As::new(&server, Some("shop"));
    // The same text of two projects is two crashes of two groups.
    let [ours, our_group, blob] = shop.crash(&text(5), "a");
    let [theirs, their_group, same] = all.crash(&text(5), "b");
    assert!(ours != theirs && our_group != their_group && blob == same);
    let count = |query: &str| {
        let lists = ["crashes", "groups"].map(|list| {
            let found = all.get(&format!("/api/v1/{list}{query}")).expect(200);
            found["items"].as_array().unwrap().len()
        });
        assert_eq!(lists[0], lists[1], "{query}");
        lists[0]
    };
    assert_eq!((count(""), count("?project=shop"), count("?project=cart")), (2, 1, 0));
    assert_eq!((count("?q=project:shop"), count("?q=-project:shop"), count("?q=project:cart")), (1, 1, 0));
    assert_eq!(all.get("/api/v1/stats").expect(200)["crashes"], 2);
    assert_eq!(all.get("/api/v1/stats?project=shop").expect(200)["crashes"], 1);
    assert_eq!(shop.get("/api/v1/stats").expect(200)["crashes"], 1);
    assert_eq!(all.get("/api/v1/groups?project=nothing").problem(404), "not-found");
    assert_eq!(all.get(&format!("/api/v1/groups/{our_group}")).expect(200)["project"], "shop");
    // Sent on behalf of one.
    let sent = all.send("PUT", "/api/v1/blobs/text?project=cart", &text(6)).expect(201);
    let new = json!({ "texts": [id(&sent)] });
    assert_eq!(all.post("/api/v1/crashes", &new).problem(404), "not-found");
    let made = all.post("/api/v1/crashes?project=cart", &new).expect(201);
    assert_eq!(made["project"], "cart");
    let named = json!({ "texts": [id(&sent)], "project": "cart" });
    assert_eq!(all.post("/api/v1/crashes", &named).expect(200)["id"], made["id"]);
    let merge = all.post(&format!("/api/v1/groups/{our_group}/merge"), &json!({ "groups": [their_group] }));
    assert_eq!(merge.problem(422), "cannot-be-done");
    // An archived project takes nothing in, and can be read.
    let archive = all.send("PATCH", "/api/v1/projects/shop", r#"{"archived": true}"#).expect(200);
    assert!(archive["archived_at"].is_string());
    assert_eq!(shop.send("PUT", "/api/v1/blobs/text", &text(7)).problem(422), "cannot-be-done");
    assert_eq!(shop.get(&format!("/api/v1/crashes/{ours}")).expect(200)["project"], "shop");
    let listed = shop.get("/api/v1/projects").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    let limited = all.send("PATCH", "/api/v1/projects/cart", r#"{"requests_per_minute": 9}"#).expect(200);
    assert_eq!((&limited["requests_per_minute"], &limited["name"]), (&json!(9), &json!("cart")));
    let free = all.send("PATCH", "/api/v1/projects/cart", r#"{"requests_per_minute": null}"#).expect(200);
    assert_eq!(free["requests_per_minute"], Value::Null);
    assert_eq!(all.post("/api/v1/projects", &json!({ "id": "cart" })).problem(409), "name-taken");
}

#[test]
fn a_day_of_a_project_is_counted_across_restarts() {
    let server = Server::start(&["--workers", "0"]);
    let set = |project: &str, limit: &[&str]| {
        admin(&server, &[&["project", "create", project], limit].concat());
    };
    set("shop", &["--upload-bytes-per-day", "2000"]);
    set("cart", &["--requests-per-minute", "3"]);
    let [shop, colleague, cart] =
        ["shop", "shop", "cart"].map(|project| As::new(&server, Some(project)).bearer);
    let all = As::new(&server, None).bearer;
    let put = |server: &Server, bearer: &str, query: &str, n: u32| {
        let body = format!("{}{}", text(n), "# padding\n".repeat(80));
        let headers = [("authorization", bearer)];
        server.send("PUT", &format!("/api/v1/blobs/text{query}"), &headers, body)
    };
    let refused = |answer: Answer| {
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((23 * 3600 - 5..=24 * 3600 + 5).contains(&wait), "{wait}");
        assert_eq!(answer.problem(429), "quota-used-up");
    };
    assert_eq!(put(&server, &shop, "", 1).status, 201);
    assert_eq!(put(&server, &colleague, "", 2).status, 201);
    refused(put(&server, &shop, "", 3));
    refused(put(&server, &all, "?project=shop", 3));
    assert_eq!(put(&server, &all, "", 3).status, 201, "to the default one");
    // A stream counts as it comes.
    let stream = |server: &Server, bearer: &str| {
        let body = text(9);
        let mut body = body.as_bytes();
        let headers = [("authorization", bearer)];
        server.send("PUT", "/api/v1/blobs/text", &headers, ureq::SendBody::from_reader(&mut body)).status
    };
    assert_eq!(stream(&server, &cart), 201);
    // What was counted is written within seconds.
    std::thread::sleep(std::time::Duration::from_secs(5));
    let server = server.kill_and_restart();
    refused(put(&server, &shop, "", 3));
    let asked: Vec<u16> =
        (0..4).map(|_| server.send("GET", "/api/v1/stats", &[("authorization", &cart)], ()).status).collect();
    assert_eq!(asked, [200, 200, 200, 429]);
    let more = json!({ "upload_bytes_per_day": 5000 }).to_string();
    let json = ("content-type", "application/json");
    server.send("PATCH", "/api/v1/projects/shop", &[("authorization", &all), json], more).expect(200);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(put(&server, &shop, "", 3).status, 201);
}
