use std::{fs, os::unix::fs::MetadataExt};

use crate::{BlobStore, Digest, Limits, LocalCache};

fn put(store: &BlobStore, bytes: &[u8]) -> Digest {
    let mut ingest = store.begin().unwrap();
    for chunk in bytes.chunks(70_001) {
        ingest.write(chunk).unwrap();
    }
    ingest.finish(None).unwrap().digest
}

#[test]
fn a_sparse_file_has_the_blobs_bytes_and_takes_little_room() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let mut bytes = vec![0; 9 << 20];
    bytes[5] = 1;
    bytes[(4 << 20) + 17] = 2;
    *bytes.last_mut().unwrap() = 3;
    let digest = put(&store, &bytes);

    let cache = LocalCache::open(store, root.path().join("cache"), 1 << 30).unwrap();
    let file = cache.materialise(&digest).unwrap();
    assert!(fs::read(file.path()).unwrap() == bytes);
    assert!(fs::metadata(file.path()).unwrap().blocks() * 512 < 64 << 10);
}

#[test]
fn what_is_in_use_stays_and_what_is_not_goes() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let one = put(&store, &vec![1; 100_000]);
    let two = put(&store, &vec![2; 100_000]);
    let cache = LocalCache::open(store, root.path().join("cache"), 150_000).unwrap();

    let first = cache.materialise(&one).unwrap();
    let second = cache.materialise(&two).unwrap();
    let (first_path, second_path) = (first.path().to_owned(), second.path().to_owned());
    assert!(first_path.exists() && second_path.exists());
    drop(first);
    assert!(!first_path.exists() && second_path.exists());
    drop(second);
    assert!(second_path.exists());
    assert_eq!(fs::read(cache.materialise(&one).unwrap().path()).unwrap(), vec![1; 100_000]);
}
