use std::fs;

use panicle_backends::S3Server;
use sha2::{Digest as _, Sha256};

use crate::{BlobError, BlobStore, BlobUrl, Bucket, Digest, Limits, LocalCache, ObjectVersion, Reference};

fn bytes() -> Vec<u8> {
    // More than one piece, and no multiple of anything.
    let mut bytes: Vec<u8> = (0..17_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    bytes[2 << 20..5 << 20].fill(0);
    bytes.truncate((17 << 20) - 77);
    bytes
}

fn read(store: &BlobStore, digest: &Digest, start: u64, end: u64) -> Result<Vec<u8>, BlobError> {
    let mut found = Vec::new();
    store.reader(digest)?.read_range(start, end, |part| {
        found.extend_from_slice(part);
        true
    })?;
    Ok(found)
}

async fn check(bucket_url: &str, server: &S3Server, store: BlobStore) {
    let BlobUrl::S3(url) = bucket_url.parse().unwrap() else { panic!("{bucket_url}") };
    let environment = server.environment().to_vec();
    let bucket = Bucket::open(&url, &environment).unwrap();
    let path = server.bucket().join("in/core");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let bytes = bytes();
    fs::write(&path, &bytes).unwrap();
    let object = bucket.object("in/core", &ObjectVersion::default()).await.unwrap();
    let reference = Reference {
        source: "s".to_owned(),
        bucket: url.bucket.clone(),
        key: "in/core".to_owned(),
        version_id: None,
        etag: object.etag().unwrap().to_owned(),
        size_bytes: object.size_bytes(),
    };
    let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
    let unknowing = store.clone();
    let store = store.with_sources(vec![("s".to_owned(), bucket)]);
    let (scratch, place) = (tempfile::tempdir().unwrap(), path.clone());
    tokio::task::spawn_blocking(move || {
        assert!(matches!(store.reader(&digest), Err(BlobError::NotFound(_))));
        store.keep_reference(&digest, &reference).unwrap();
        assert!(store.contains(&digest).unwrap());
        assert_eq!(store.reference(&digest).unwrap().as_ref(), Some(&reference));
        assert!(matches!(unknowing.reader(&digest), Err(BlobError::Refused { .. })));
        let all = bytes.len() as u64;
        assert_eq!(store.reader(&digest).unwrap().size_bytes(), all);
        for (start, end) in
            [(0, all), (0, 1), (all - 1, all), (3 << 20, 9 << 20), ((8 << 20) - 1, (8 << 20) + 1)]
        {
            assert!(
                read(&store, &digest, start, end).unwrap() == bytes[start as usize..end as usize],
                "{start}"
            );
        }
        let cache = LocalCache::open(store.clone(), scratch.path().join("cache"), 0).unwrap();
        let file = cache.materialise(&digest, |_| {}).unwrap();
        assert!(fs::read(file.path()).unwrap() == bytes);
        drop(file);

        // Of the same size, with other bytes; then gone.
        let mut other = bytes.clone();
        other[5] ^= 1;
        fs::write(&place, &other).unwrap();
        let error = read(&store, &digest, 0, 1).unwrap_err().to_string();
        assert!(error.contains("in/core") && error.contains("is not the one that was taken over"), "{error}");
        fs::remove_file(&place).unwrap();
        let error = read(&store, &digest, 0, 1).unwrap_err().to_string();
        assert!(error.contains("taken over") && error.contains("removed"), "{error}");

        // The same bytes, sent here.
        let mut ingest = store.begin().unwrap();
        ingest.write(&bytes).unwrap();
        assert_eq!(ingest.finish(None).unwrap().digest, digest);
        assert!(read(&store, &digest, 0, all).unwrap() == bytes);
        assert_eq!(store.reference(&digest).unwrap(), None);
        fs::write(&place, &bytes).unwrap();
        store.remove(&digest).unwrap();
        assert!(!store.contains(&digest).unwrap() && place.exists());
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_read_from_where_it_stayed() {
    let server = S3Server::new();
    let directory = tempfile::tempdir().unwrap();
    check(&server.url("in"), &server, BlobStore::open(directory.path(), Limits::default()).unwrap()).await;
    let BlobUrl::S3(url) = server.url("ours").parse().unwrap() else { panic!() };
    let temporary = directory.path().join("t");
    let store = BlobStore::connect(&url, server.environment(), temporary, Limits::default()).await.unwrap();
    check(&server.url("in"), &server, store).await;
}
