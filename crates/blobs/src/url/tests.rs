use super::{BlobUrl, NotABlobUrl, S3Url};

fn parse(text: &str) -> Result<BlobUrl, NotABlobUrl> {
    text.parse()
}

#[test]
fn directories_are_urls_or_paths() {
    for (text, path) in [
        ("file:///var/blobs", "/var/blobs"),
        ("file:blobs", "blobs"),
        ("/var/blobs", "/var/blobs"),
        ("blobs", "blobs"),
        ("./a:b", "./a:b"),
    ] {
        assert_eq!(parse(text), Ok(BlobUrl::Directory(path.into())), "{text}");
    }
}

#[test]
fn stores_are_named_with_all_that_finds_them() {
    let whole = "s3://crashes/panicle/prod/?endpoint=http%3A%2F%2Fstore%3A9000%2F&region=eu-1";
    let url = S3Url {
        bucket: "crashes".to_owned(),
        prefix: "panicle/prod".to_owned(),
        endpoint: Some("http://store:9000".to_owned()),
        public_endpoint: None,
        region: Some("eu-1".to_owned()),
        path_style: true,
    };
    assert_eq!(parse(whole), Ok(BlobUrl::S3(url.clone())));
    assert_eq!(parse(&whole.replace("%3A", ":").replace("%2F", "/")), Ok(BlobUrl::S3(url.clone())));
    assert_eq!(url.to_string(), "s3://crashes/panicle/prod at http://store:9000");
    let Ok(BlobUrl::S3(aws)) = parse("s3://crashes") else { panic!() };
    assert_eq!((aws.prefix.as_str(), aws.endpoint, aws.path_style), ("", None, false));
    let Ok(BlobUrl::S3(other)) = parse("s3://c?endpoint=https://s3.example&path_style=false") else {
        panic!()
    };
    assert!(!other.path_style);
    let two = "s3://c?endpoint=http://store:9000&public_endpoint=https://s3.example/";
    let Ok(BlobUrl::S3(two)) = parse(two) else { panic!() };
    assert_eq!(two.public_endpoint.as_deref(), Some("https://s3.example"));
}

#[test]
fn what_makes_no_sense_is_said() {
    assert_eq!(parse("gs://bucket"), Err(NotABlobUrl::Scheme("gs".to_owned())));
    assert_eq!(parse("s3:///prefix"), Err(NotABlobUrl::NoBucket));
    assert_eq!(parse("s3://id:secret@bucket"), Err(NotABlobUrl::Credentials));
    assert_eq!(parse("s3://bucket?secret_access_key=x"), Err(NotABlobUrl::Credentials));
    assert_eq!(parse("s3://bucket?endpoint=http://id:secret@host"), Err(NotABlobUrl::Credentials));
    assert_eq!(parse("s3://bucket?endpont=x"), Err(NotABlobUrl::Parameter("endpont".to_owned())));
    assert!(matches!(parse("s3://bucket?endpoint=host:9000"), Err(NotABlobUrl::Value("endpoint", _))));
    let outside = parse("s3://bucket?public_endpoint=x");
    assert!(matches!(outside, Err(NotABlobUrl::Value("public_endpoint", _))));
    assert!(matches!(parse("s3://bucket?path_style=maybe"), Err(NotABlobUrl::Value("path_style", _))));
}
