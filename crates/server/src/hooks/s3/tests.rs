use serde_json::{Value, json};

use super::{Event, Happened, read};

fn events(text: &str) -> Vec<Event> {
    read(&serde_json::from_str(text).unwrap()).unwrap().events
}

/// Each recorded by the document that its folder's README names.
#[test]
fn every_maker_tells_the_same() {
    for (maker, text) in [
        ("aws", include_str!("events/aws.json")),
        ("minio", include_str!("events/minio.json")),
        ("ceph", include_str!("events/ceph.json")),
        ("cloudevents", include_str!("events/cloudevents.json")),
        ("eventbridge", include_str!("events/eventbridge.json")),
        ("sns", include_str!("events/sns.json")),
    ] {
        let found = events(text);
        assert_eq!(found.len(), 1, "{maker}");
        let event = &found[0];
        assert_eq!(event.happened, Happened::Created, "{maker}");
        assert_eq!((event.bucket.as_str(), event.key.as_str()), ("crashes", "in/a b+c/core.1"), "{maker}");
        assert_eq!(event.size, Some(1024), "{maker}");
        assert_eq!(event.etag.as_deref(), Some("d41d8cd98f00b204e9800998ecf8427e"), "{maker}");
        assert!(event.sequencer.is_some(), "{maker}");
    }
}

#[test]
fn removals_and_what_is_of_no_interest_are_told_apart() {
    let named = |name: &str| {
        let record =
            json!({ "eventName": name, "s3": { "bucket": { "name": "b" }, "object": { "key": "k" } } });
        events(&json!({ "Records": [record] }).to_string())[0].happened
    };
    assert_eq!(named("s3:ObjectRemoved:DeleteMarkerCreated"), Happened::Removed);
    assert_eq!(named("ObjectRemoved:Delete"), Happened::Removed);
    assert_eq!(named("ObjectCreated:CompleteMultipartUpload"), Happened::Created);
    assert_eq!(named("s3:ObjectAccessed:Get"), Happened::Other);
    assert_eq!(named("ReducedRedundancyLostObject"), Happened::Other);
}

#[test]
fn keys_are_decoded_as_far_as_they_are_encoded() {
    let key = |key: &str| {
        let record = json!({ "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" }, "object": { "key": key } } });
        let event = events(&json!({ "Records": [record] }).to_string()).remove(0);
        assert_eq!(event.raw_key, key);
        event.key
    };
    assert_eq!(key("in%2Fa+b%2Bc"), "in/a b+c");
    assert_eq!(key("f%C3%BCr%25"), "für%");
    assert_eq!(key("100%"), "100%");
    // No text: the key as it is may be the right one.
    assert_eq!(key("a+%ff"), "a+%ff");
}

#[test]
fn what_tells_of_no_object_is_said() {
    let test =
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b"}"#;
    assert_eq!(read(&serde_json::from_str(test).unwrap()).unwrap().tests, 1);
    let asked = json!({ "Type": "SubscriptionConfirmation", "TopicArn": "arn:x", "SubscribeURL": "https://sns.eu-1.amazonaws.com/?Token=t" });
    assert_eq!(
        read(&asked).unwrap().subscription,
        Some(("arn:x".to_owned(), "https://sns.eu-1.amazonaws.com/?Token=t".to_owned()))
    );
    for (address, is_one) in [
        ("https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription", true),
        ("http://sns.eu-1.amazonaws.com/", false),
        ("https://sns.eu-1.amazonaws.com.evil.example/", false),
        ("https://sns.evil.example/.amazonaws.com", false),
        ("https://sns.a.b.amazonaws.com/", false),
        ("https://sns.eu-1.amazonaws.com@evil.example/", false),
        ("https://evil@sns.eu-1.amazonaws.com/", false),
        ("https://sns.eu-1.amazonaws.com:8443/", false),
        ("https://evil.example/?sns.eu-1.amazonaws.com", false),
        ("", false),
    ] {
        let asked =
            json!({ "Type": "SubscriptionConfirmation", "TopicArn": "arn:x", "SubscribeURL": address });
        assert_eq!(read(&asked).is_ok(), is_one, "{address}");
    }
    for wrong in [
        json!({}),
        json!("text"),
        json!({ "Records": 1 }),
        json!({ "Records": [{}] }),
        json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": { "bucket": {} } }] }),
        json!({ "specversion": "1.0" }),
        json!({ "Type": "Notification", "Message": "no JSON" }),
        json!([[[[[[[[]]]]]]]]),
    ] {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
    let record = json!({ "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" }, "object": { "key": "k" } } });
    assert!(read(&json!({ "Records": vec![record.clone(); 1001] })).is_err());
    assert_eq!(read(&Value::Array(vec![json!({ "Records": [record] })])).unwrap().events.len(), 1);
}

#[test]
fn one_part_that_is_wrong_does_not_spoil_the_others() {
    let record = |key: &Value| json!({ "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" }, "object": { "key": key } } });
    let records =
        json!([record(&json!("a")), record(&json!(7)), 3, record(&json!("b\u{0}")), record(&json!("c"))]);
    let keys = |document: &Value| {
        let told = read(document).unwrap();
        let keys: Vec<String> = told.events.into_iter().map(|event| event.key).collect();
        let refused: Vec<String> = told.refused.iter().map(ToString::to_string).collect();
        (keys.join(" "), refused.join("\n"))
    };
    let (taken, refused) = keys(&json!({ "Records": records }));
    assert_eq!(taken, "a c");
    assert!(
        refused.starts_with("/Records/1: a record has no s3.object.key\n/Records/2: a record"),
        "{refused}"
    );
    assert!(refused.contains("/Records/3: a text of an event"), "{refused}");
    // Wherever they are.
    let batch = json!([{ "specversion": "1.0" }, { "Type": "Notification", "Message": json!({ "Records": records }).to_string() }]);
    let (taken, refused) = keys(&batch);
    assert_eq!(taken, "a c");
    assert!(
        refused.starts_with("/0: the CloudEvent has no data\n/1/Message/Records/1: a record"),
        "{refused}"
    );
    // Nothing else is there.
    let said = read(&json!({ "Records": [3, record(&json!(7))] })).unwrap_err();
    assert!(said.starts_with("/Records/0: a record has no eventName"), "{said}");
    assert_eq!(read(&json!({ "Records": [] })).unwrap().events, []);
    let many = json!({ "Records": vec![json!(3); 1001] });
    assert!(read(&many).unwrap_err().contains("more than 1000"));
}
