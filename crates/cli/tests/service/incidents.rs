//! Webhooks of Alertmanager, as it sends them, and the crashes that happened meanwhile.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::start;
use crate::harness::{Server, id, text};

/// An alert of the service `auth` that began so long ago, as version 4 of the webhook has it.
pub(crate) fn webhook(status: &str, minutes_ago: i64, labels: &Value) -> Value {
    let begun = Timestamp::now() - SignedDuration::from_mins(minutes_ago);
    let begun = begun.round(jiff::Unit::Second).unwrap();
    let ended =
        if status == "resolved" { Timestamp::now().to_string() } else { "0001-01-01T00:00:00Z".to_owned() };
    json!({
        "version": "4", "groupKey": "{}:{alertname=\"Restarts\"}", "truncatedAlerts": 0, "status": status,
        "receiver": "panicle", "groupLabels": { "alertname": "Restarts" }, "commonLabels": labels,
        "commonAnnotations": { "summary": "auth restarts" }, "externalURL": "http://alertmanager:9093",
        "alerts": [{ "status": status, "labels": labels, "annotations": {}, "startsAt": begun.to_string(), "endsAt": ended,
            "generatorURL": "http://prometheus:9090/graph", "fingerprint": "c4ca4238a0b92382" }],
    })
}

fn tell(server: &Server, webhook: &Value) -> Value {
    server.post("/api/v1/hooks/alertmanager", webhook).expect(200)
}

fn crash(server: &Server, number: u32, service: &str, minutes_ago: i64, labels: &Value) -> String {
    let evidence = server.put_stream("text", text(number).as_bytes());
    let at = Timestamp::now() - SignedDuration::from_mins(minutes_ago);
    server.crash(
        &json!({ "texts": [evidence], "service": service, "occurred_at": at.to_string(), "labels": labels }),
    )
}

fn linked(server: &Server, incident: &str) -> Vec<String> {
    let incident = server.get(&format!("/api/v1/incidents/{incident}")).expect(200);
    let mut crashes: Vec<String> =
        incident["crashes"].as_array().unwrap().iter().map(|linked| id(&linked["crash"])).collect();
    crashes.sort();
    crashes
}

#[test]
fn crashes_before_and_after_an_alert_are_linked_and_it_is_said_why() {
    let server = start(&[]);
    let labels = json!({ "alertname": "Restarts", "job": "shop/auth", "namespace": "prod" });
    let before = crash(&server, 1, "auth", 25, &json!({ "namespace": "prod" }));
    let others = [
        crash(&server, 2, "auth", 60, &json!({})),
        crash(&server, 3, "cart", 25, &json!({})),
        crash(&server, 4, "auth", 25, &json!({ "namespace": "test" })),
    ];
    let alerts = webhook("firing", 20, &labels);
    let told = tell(&server, &alerts);
    assert_eq!((&told["new"], &told["incident"]["state"]), (&json!(true), &json!("open")));
    assert_eq!(
        (&told["incident"]["title"], &told["incident"]["crash_count"]),
        (&json!("auth restarts"), &json!(1))
    );
    let incident = id(&told["incident"]);
    // Alertmanager repeats itself, and there are two of them.
    let again = tell(&server, &alerts);
    assert_eq!((&again["new"], id(&again["incident"])), (&json!(false), incident.clone()));

    let after = crash(&server, 5, "auth", 3, &json!({}));
    let mut expected = vec![before.clone(), after];
    expected.sort();
    assert_eq!(linked(&server, &incident), expected);
    let done = server.wait(&before, &["done", "failed"]);
    let reference = &done["incidents"][0];
    assert_eq!((id(reference), &reference["state"]), (incident.clone(), &json!("open")));
    let reason = reference["reason"].as_str().unwrap();
    assert!(
        reason.contains("service auth is the label job") && reason.contains("minutes before"),
        "{reason}"
    );
    let group = server.get(&format!("/api/v1/groups/{}", done["group_id"].as_str().unwrap())).expect(200);
    assert_eq!(id(&group["incidents"][0]), incident);
    for other in others {
        let crash = server.get(&format!("/api/v1/crashes/{other}")).expect(200);
        assert_eq!(crash["incidents"], json!([]), "{crash:#}");
    }
}

#[test]
fn an_incident_is_over_once_and_the_next_one_is_another() {
    let server = start(&["--workers", "0"]);
    let labels = json!({ "alertname": "Restarts", "service": "auth" });
    let mut firing = webhook("firing", 50, &labels);
    let incident = id(&tell(&server, &firing)["incident"]);
    let mut resolved = firing.clone();
    resolved["status"] = json!("resolved");
    resolved["alerts"][0]["status"] = json!("resolved");
    let ended = Timestamp::now() - SignedDuration::from_mins(40);
    resolved["alerts"][0]["endsAt"] = json!(ended.to_string());
    let over = tell(&server, &resolved);
    assert_eq!((id(&over["incident"]), &over["incident"]["state"]), (incident.clone(), &json!("resolved")));
    assert!(over["incident"]["ends_at"].is_string());
    // What comes late opens nothing.
    let late = tell(&server, &firing);
    assert_eq!((id(&late["incident"]), &late["incident"]["state"]), (incident.clone(), &json!("resolved")));
    crash(&server, 1, "auth", 10, &json!({}));
    assert!(linked(&server, &incident).is_empty());
    let within = crash(&server, 2, "auth", 45, &json!({}));
    assert_eq!(linked(&server, &incident), [within]);

    // Begun again at once, it is the same; much later it is another one.
    firing["alerts"][0]["startsAt"] = json!((ended + SignedDuration::from_mins(5)).to_string());
    let flapped = tell(&server, &firing);
    assert_eq!((id(&flapped["incident"]), &flapped["incident"]["state"]), (incident.clone(), &json!("open")));
    assert_eq!(flapped["incident"]["alert_count"], 2);
    firing["alerts"][0]["status"] = json!("resolved");
    firing["alerts"][0]["endsAt"] = json!((ended + SignedDuration::from_mins(6)).to_string());
    firing["status"] = json!("resolved");
    assert_eq!(tell(&server, &firing)["incident"]["state"], "resolved");
    let next = tell(&server, &webhook("firing", 1, &labels));
    assert_eq!(next["new"], true);
    let open = server.get("/api/v1/incidents?state=open").expect(200);
    assert_eq!((open["items"].as_array().unwrap().len(), id(&open["items"][0])), (1, id(&next["incident"])));
    assert_eq!(server.get("/api/v1/incidents").expect(200)["items"].as_array().unwrap().len(), 2);
}

#[test]
fn which_labels_name_services_can_be_said() {
    let server = start(&["--workers", "0", "--alert-service-labels", "team_service, other"]);
    let by = |label: &str, number: u32| {
        let mut labels = json!({ "alertname": label });
        labels[label] = json!("auth");
        let mut alerts = webhook("firing", 5, &labels);
        alerts["groupLabels"] = json!({ "alertname": label });
        alerts["alerts"][0]["fingerprint"] = json!(format!("{number}"));
        let incident = id(&tell(&server, &alerts)["incident"]);
        crash(&server, number, "auth", 1, &json!({}));
        linked(&server, &incident).len()
    };
    assert_eq!(by("job", 1), 0);
    assert_eq!(by("team_service", 2), 2);
    for wrong in [json!({}), json!({ "version": "3" }), json!([])] {
        assert_eq!(server.post("/api/v1/hooks/alertmanager", &wrong).problem(400), "bad-request");
    }
    let mut alerts = webhook("firing", 5, &json!({}));
    alerts["version"] = json!("3");
    assert_eq!(server.post("/api/v1/hooks/alertmanager", &alerts).problem(400), "bad-request");
}

#[test]
fn one_wrong_alert_of_a_request_is_said_and_the_others_are_taken() {
    let server = start(&["--workers", "0"]);
    let mut alerts = webhook("firing", 5, &json!({ "alertname": "A", "service": "auth" }));
    let good = alerts["alerts"][0].clone();
    let mut wrong = good.clone();
    wrong["startsAt"] = json!("yesterday");
    alerts["alerts"] = json!([wrong, good]);
    let told = tell(&server, &alerts);
    assert_eq!(
        (&told["incident"]["alert_count"], &told["refused"][0]["place"]),
        (&json!(1), &json!("/alerts/0"))
    );
    alerts["alerts"] = json!([wrong]);
    assert_eq!(server.post("/api/v1/hooks/alertmanager", &alerts).problem(400), "bad-request");
}

#[test]
fn a_list_has_some_of_hundreds_of_labels_and_the_incident_has_all() {
    let server = start(&["--workers", "0"]);
    let mut labels = json!({ "alertname": "A", "service": "auth" });
    for number in 0..250 {
        labels[format!("a{number:03}")] = json!("x".repeat(1000));
    }
    let mut alerts = webhook("firing", 5, &labels);
    for number in 0..30 {
        alerts["commonAnnotations"][format!("a{number:03}")] = json!("y");
    }
    let alert = alerts["alerts"][0].clone();
    alerts["alerts"] = (0..300)
        .map(|number| {
            let mut alert = alert.clone();
            alert["fingerprint"] = json!(format!("{number}"));
            alert["labels"] = json!({ "instance": format!("web-{number}:9090") });
            alert
        })
        .collect();
    let incident = id(&tell(&server, &alerts)["incident"]);
    let listed = server.get("/api/v1/incidents").expect(200)["items"][0].clone();
    let all = server.get(&format!("/api/v1/incidents/{incident}")).expect(200);
    let count = |incident: &Value, what: &str| incident[what].as_object().unwrap().len();
    assert_eq!((count(&listed, "labels"), count(&listed, "annotations")), (20, 20));
    assert_eq!((count(&all, "labels"), count(&all, "annotations")), (252, 31));
    for incident in [&listed, &all] {
        assert_eq!((&incident["label_count"], &incident["annotation_count"]), (&json!(252), &json!(31)));
        assert_eq!(incident["labels"]["service"], "auth");
        assert_eq!(incident["annotations"]["summary"], "auth restarts");
    }
    assert_eq!(listed["labels"]["a000"].as_str().unwrap().chars().count(), 501);
    // Its service is not forgotten over its hosts.
    let crash = crash(&server, 1, "auth", 1, &json!({}));
    assert_eq!(linked(&server, &incident), [crash]);
}
