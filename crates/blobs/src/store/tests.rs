use std::fs;

use crate::{BlobError, BlobStore, Digest, Limits};

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

fn read(store: &BlobStore, digest: &Digest, start: u64, end: u64) -> Vec<u8> {
    let mut out = Vec::new();
    store
        .reader(digest)
        .unwrap()
        .read_range(start, end, |bytes| {
            out.extend_from_slice(bytes);
            true
        })
        .unwrap();
    out
}

#[test]
fn any_range_reads_back() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let mut bytes = noise((3 << 20) + 12_345);
    bytes[1 << 20..2 << 20].fill(0);
    let mut ingest = store.begin().unwrap();
    ingest.write(&bytes).unwrap();
    let stored = ingest.finish(None).unwrap();
    assert!(stored.new && stored.size_bytes == bytes.len() as u64);
    assert!(read(&store, &stored.digest, 0, u64::MAX) == bytes);
    for (start, end) in [(0, 1), (1_048_575, 1_048_577), (2_000_000, 3_100_000), (3_158_000, 9_999_999)] {
        let expected = &bytes[start..end.min(bytes.len())];
        assert!(read(&store, &stored.digest, start as u64, end as u64) == expected, "{start}..{end}");
    }
    assert!(read(&store, &stored.digest, 99_999_999, 100_000_000).is_empty());
}

#[test]
fn the_file_is_ordinary_zstd() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let mut bytes = noise(2 << 20);
    bytes[1 << 20..].fill(0);
    bytes.extend_from_slice(b"tail");
    let mut ingest = store.begin().unwrap();
    ingest.write(&bytes).unwrap();
    let digest = ingest.finish(None).unwrap().digest;
    let file = fs::File::open(store.path(&digest)).unwrap();
    assert!(zstd::stream::decode_all(file).unwrap() == bytes);
}

#[test]
fn the_same_bytes_are_stored_once() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let put = || {
        let mut ingest = store.begin().unwrap();
        ingest.write(b"goroutine 1 [running]:").unwrap();
        ingest.finish(None).unwrap()
    };
    let (first, second) = (put(), put());
    assert!(first.new && !second.new);
    assert_eq!(first.digest, second.digest);
    assert_eq!(fs::read_dir(store.temporary()).unwrap().count(), 0);
}

#[test]
fn what_was_not_finished_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let mut ingest = store.begin().unwrap();
    ingest.write(&noise(5 << 20)).unwrap();
    assert_eq!(fs::read_dir(store.temporary()).unwrap().count(), 1);
    drop(ingest);
    assert_eq!(fs::read_dir(store.temporary()).unwrap().count(), 0);
    fs::write(store.temporary().join("left behind"), "by a killed server").unwrap();
    assert_eq!(store.sweep().unwrap(), 1);
    assert_eq!(fs::read_dir(store.temporary()).unwrap().count(), 0);
}

#[test]
fn another_digest_than_announced_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let mut ingest = store.begin().unwrap();
    ingest.write(b"one").unwrap();
    let expected = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed".parse().unwrap();
    assert!(ingest.finish(Some(expected)).is_ok());
    let mut ingest = store.begin().unwrap();
    ingest.write(b"two").unwrap();
    assert!(matches!(ingest.finish(Some(expected)), Err(BlobError::DigestMismatch { .. })));
}

#[test]
fn limits_hold() {
    let root = tempfile::tempdir().unwrap();
    let small = Limits { max_blob_bytes: 10, min_free_bytes: 0 };
    let store = BlobStore::open(root.path(), small).unwrap();
    let mut ingest = store.begin().unwrap();
    ingest.write(b"0123456789").unwrap();
    assert!(matches!(ingest.write(b"x"), Err(BlobError::TooLarge { limit: 10 })));
    let full = Limits { max_blob_bytes: 10, min_free_bytes: u64::MAX };
    let store = BlobStore::open(root.path(), full).unwrap();
    assert!(matches!(store.begin(), Err(BlobError::DiskLow { .. })));
}

#[test]
fn damage_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path(), Limits::default()).unwrap();
    let mut ingest = store.begin().unwrap();
    ingest.write(&noise(100_000)).unwrap();
    let digest = ingest.finish(None).unwrap().digest;
    let path = store.path(&digest);
    let mut bytes = fs::read(&path).unwrap();
    bytes[50_000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let outcome = store.reader(&digest).unwrap().read_range(0, u64::MAX, |_| true);
    assert!(matches!(outcome, Err(BlobError::Damaged { .. })), "{outcome:?}");
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(store.reader(&digest), Err(BlobError::Damaged { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.reader(&digest), Err(BlobError::NotFound(_))));
}
