use std::time::Duration;

use panicle_backends::S3Server;

use super::{Bucket, ObjectError, ObjectVersion};
use crate::{BlobUrl, S3Source};

fn bucket(server: &S3Server) -> Bucket {
    let Ok(BlobUrl::S3(url)) = server.url("a/b").parse() else { panic!("it is S3") };
    Bucket::open(&url, &server.environment()).unwrap()
}

#[tokio::test]
async fn an_object_is_read_as_it_was_opened_and_no_other() {
    let server = S3Server::new();
    let bucket = bucket(&server);
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|number| (number / 7) as u8).collect();
    let place = server.bucket().join("dir with blanks");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("co+re%20ü"), &bytes).unwrap();
    let key = "dir with blanks/co+re%20ü";

    let mut object = bucket.object(key, &ObjectVersion::default()).await.unwrap();
    assert_eq!(object.size_bytes(), bytes.len() as u64);
    let mut read = Vec::new();
    while let Some(piece) = object.next().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    assert!(read == bytes);
    if let Some(etag) = object.etag() {
        let same = ObjectVersion { etag: Some(etag.to_owned()), id: None };
        assert!(bucket.object(key, &same).await.is_ok());
        let other = ObjectVersion { etag: Some("0".repeat(32)), id: None };
        assert!(matches!(bucket.object(key, &other).await, Err(ObjectError::Changed { .. })));
    }
    let missing = bucket.object("nothing", &ObjectVersion::default()).await;
    assert!(matches!(missing, Err(ObjectError::NotThere { .. })));
    for key in ["", "a//b", "/a", "a/", "../a", "a/./b", "a\nb"] {
        let refused = bucket.object(key, &ObjectVersion::default()).await;
        assert!(matches!(refused, Err(ObjectError::Key(_))), "{key:?}");
    }
}

#[tokio::test]
async fn a_signed_url_names_the_part_and_nothing_secret() {
    let server = S3Server::new();
    let bucket = bucket(&server);
    let key = bucket.incoming("x");
    assert_eq!(key, "a/b/incoming/x");
    let url = bucket.signed_put(&key, Some(("up load", 7)), Duration::from_mins(1)).await.unwrap();
    assert!(url.contains("partNumber=7") && url.contains("X-Amz-Signature="), "{url}");
    assert!(!url.contains(&server.environment()[1].1));
}

#[test]
fn a_source_has_a_name_and_is_in_a_bucket() {
    let source: S3Source =
        "logs=s3://crashes/in?endpoint=http://h:1&service=auth&project=shop".parse().unwrap();
    assert_eq!((source.name.as_str(), source.service.as_deref()), ("logs", Some("auth")));
    assert_eq!(source.project.as_deref(), Some("shop"));
    assert_eq!((source.url.bucket.as_str(), source.url.prefix.as_str()), ("crashes", "in"));
    assert_eq!(source.url.endpoint.as_deref(), Some("http://h:1"));
    assert!(
        source.has("crashes", "in/a") && !source.has("crashes", "inner/a") && !source.has("other", "in/a")
    );
    let whole: S3Source = "all=s3://crashes".parse().unwrap();
    assert!(whole.has("crashes", "a"));
    for wrong in
        ["s3://b", "a b=s3://b", "=s3://b", "a=/dir", "a=s3://b?take=x", "a=s3://b?take=", "a=s3://k:s@b"]
    {
        assert!(wrong.parse::<S3Source>().is_err(), "{wrong}");
    }
    // What is for all stores, and what is for this one.
    let environment = [
        ("AWS_REGION", "r"),
        ("AWS_ACCESS_KEY_ID", "ours"),
        ("PANICLE_SOURCE_LOGS_AWS_ACCESS_KEY_ID", "theirs"),
    ];
    let environment: Vec<_> = environment.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let theirs = source.environment(&environment);
    assert_eq!(theirs.iter().rfind(|(name, _)| name == "AWS_ACCESS_KEY_ID").unwrap().1, "theirs");
}
