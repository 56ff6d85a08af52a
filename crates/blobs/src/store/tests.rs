//! What holds of blobs wherever they are: each test runs on a directory and on a bucket.

use std::{fs, path::PathBuf};

use panicle_backends::S3Server;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{BlobError, BlobStore, BlobUrl, Digest, Limits, LocalCache};

/// A place for blobs.
pub(crate) struct Place {
    root: TempDir,
    bucket: Option<(S3Server, Runtime)>,
}

impl Place {
    pub(crate) fn local() -> Self {
        Self { root: tempfile::tempdir().unwrap(), bucket: None }
    }

    pub(crate) fn s3() -> Self {
        Self { root: tempfile::tempdir().unwrap(), bucket: Some((S3Server::new(), Runtime::new().unwrap())) }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    pub(crate) fn open(&self, limits: Limits) -> BlobStore {
        let Some((server, runtime)) = &self.bucket else {
            return BlobStore::open(self.root(), limits).unwrap();
        };
        let Ok(BlobUrl::S3(url)) = server.url("some/prefix").parse() else { panic!("no store") };
        let temporary = self.root.path().join("tmp");
        runtime.block_on(BlobStore::connect(&url, server.environment(), temporary, limits)).unwrap()
    }

    pub(crate) fn store(&self) -> BlobStore {
        self.open(Limits::default())
    }

    /// The file in which a blob lies, also with the server of the bucket.
    fn file(&self, digest: &Digest) -> PathBuf {
        let root = match &self.bucket {
            Some((server, _)) => server.bucket().join("some/prefix"),
            None => self.root(),
        };
        let name = digest.to_string();
        root.join("blobs").join(&name[..2]).join(format!("{}.zst", &name[2..]))
    }

    fn temporary(&self) -> usize {
        fs::read_dir(self.root.path().join("tmp")).unwrap().count()
    }
}

/// Makes a test of each kind of place out of one function.
macro_rules! contract {
    ($(fn $name:ident($place:ident) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                fn check($place: &Place) $body

                #[test]
                fn local() {
                    check(&Place::local());
                }

                #[test]
                fn s3() {
                    check(&Place::s3());
                }
            }
        )*
    };
}
pub(crate) use contract;

pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

pub(crate) fn put(store: &BlobStore, bytes: &[u8]) -> Digest {
    let mut ingest = store.begin().unwrap();
    for chunk in bytes.chunks(70_001) {
        ingest.write(chunk).unwrap();
    }
    ingest.finish(None).unwrap().digest
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

contract! {
    fn any_range_reads_back(place) {
        let store = place.store();
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

    // More than goes with one request, or comes with one.
    fn large_blobs_read_back(place) {
        let store = place.store();
        let mut bytes = noise(30 << 20);
        bytes[9 << 20..12 << 20].fill(0);
        let digest = put(&store, &bytes);
        assert!(read(&store, &digest, 0, u64::MAX) == bytes);
        for (start, end) in [(3_000_000, 25_000_000), (20_000_000, 20_000_001), (31_000_000, u64::MAX)] {
            let expected = &bytes[start as usize..(end as usize).min(bytes.len())];
            assert!(read(&store, &digest, start, end) == expected, "{start}..{end}");
        }
        let cache = LocalCache::open(store, place.root().join("cache"), 1 << 30).unwrap();
        assert!(fs::read(cache.materialise(&digest, |_| ()).unwrap().path()).unwrap() == bytes);
    }

    fn the_file_is_ordinary_zstd(place) {
        let store = place.store();
        let mut bytes = noise(2 << 20);
        bytes[1 << 20..].fill(0);
        bytes.extend_from_slice(b"tail");
        let digest = put(&store, &bytes);
        let file = fs::File::open(place.file(&digest)).unwrap();
        assert!(zstd::stream::decode_all(file).unwrap() == bytes);
    }

    fn the_same_bytes_are_stored_once(place) {
        let store = place.store();
        let put = || {
            let mut ingest = store.begin().unwrap();
            ingest.write(b"goroutine 1 [running]:").unwrap();
            ingest.finish(None).unwrap()
        };
        let (first, second) = (put(), put());
        assert!(first.new && !second.new);
        assert_eq!(first.digest, second.digest);
        assert_eq!(place.temporary(), 0);
    }

    fn what_was_not_finished_leaves_nothing(place) {
        let store = place.store();
        let mut ingest = store.begin().unwrap();
        ingest.write(&noise(5 << 20)).unwrap();
        assert_eq!(place.temporary(), 1);
        drop(ingest);
        assert_eq!(place.temporary(), 0);
        fs::write(store.temporary().join("left behind"), "by a killed server").unwrap();
        assert_eq!(store.sweep().unwrap(), 1);
        assert_eq!(place.temporary(), 0);
    }

    fn another_digest_than_announced_is_refused(place) {
        let store = place.store();
        let mut ingest = store.begin().unwrap();
        ingest.write(b"one").unwrap();
        let expected = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed".parse().unwrap();
        assert!(ingest.finish(Some(expected)).is_ok());
        let mut ingest = store.begin().unwrap();
        ingest.write(b"two").unwrap();
        assert!(matches!(ingest.finish(Some(expected)), Err(BlobError::DigestMismatch { .. })));
        let two = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3".parse().unwrap();
        assert!(!store.contains(&two).unwrap());
    }

    fn what_is_removed_is_gone_and_can_come_again(place) {
        let store = place.store();
        let digest = put(&store, b"some evidence");
        assert!(store.contains(&digest).unwrap());
        store.remove(&digest).unwrap();
        store.remove(&digest).unwrap();
        assert!(!store.contains(&digest).unwrap());
        assert!(matches!(store.reader(&digest), Err(BlobError::NotFound(_))));
        assert_eq!(put(&store, b"some evidence"), digest);
        assert_eq!(read(&store, &digest, 0, 100), b"some evidence");
    }

    fn limits_hold(place) {
        let store = place.open(Limits { max_blob_bytes: 10, min_free_bytes: 0 });
        let mut ingest = store.begin().unwrap();
        ingest.write(b"0123456789").unwrap();
        assert!(matches!(ingest.write(b"x"), Err(BlobError::TooLarge { limit: 10 })));
        assert!(store.check_disk().unwrap() > 0);
        store.check_store().unwrap();
        let store = place.open(Limits { max_blob_bytes: 10, min_free_bytes: u64::MAX });
        assert!(matches!(store.begin(), Err(BlobError::DiskLow { .. })));
        assert!(matches!(store.check_disk(), Err(BlobError::DiskLow { .. })));
    }

    fn damage_is_noticed(place) {
        let store = place.store();
        let digest = put(&store, &noise(100_000));
        let path = place.file(&digest);
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
}

#[test]
fn a_store_that_stops_answering_is_out_of_reach_and_comes_back_by_itself() {
    let mut place = Place::s3();
    let store = place.store();
    let bytes = noise(20 << 20);
    let mut ingest = store.begin().unwrap();
    ingest.write(&bytes).unwrap();
    let (server, _) = place.bucket.as_mut().unwrap();
    server.stop();
    let check = store.check_store();
    assert!(matches!(check, Err(BlobError::Unavailable { .. })), "{check:?}");
    // What is under way waits for it.
    let finishing = std::thread::spawn(move || ingest.finish(None).unwrap().digest);
    std::thread::sleep(std::time::Duration::from_secs(2));
    server.start();
    let digest = finishing.join().unwrap();
    store.check_store().unwrap();
    assert!(read(&store, &digest, 0, u64::MAX) == bytes);
}

#[test]
fn what_a_store_refuses_is_said() {
    let (server, runtime) = (S3Server::new(), Runtime::new().unwrap());
    let root = tempfile::tempdir().unwrap();
    let try_with = |url: &str, environment: &[(&str, &str)]| {
        let Ok(BlobUrl::S3(url)) = url.parse() else { panic!("no store: {url}") };
        let environment = environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let opened = runtime.block_on(BlobStore::connect(
            &url,
            environment.collect::<Vec<_>>(),
            root.path().join("tmp"),
            Limits::default(),
        ));
        match opened {
            Err(error @ BlobError::Refused { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let said = try_with(&server.url("x"), &[]);
    assert!(said.contains("there are no credentials"), "{said}");
    let [(id, key), (secret, _)] = server.environment();
    let said = try_with(&server.url("x"), &[(&id, &key), (&secret, "another")]);
    assert!(said.contains("AWS_SECRET_ACCESS_KEY") && !said.contains("another"), "{said}");
    let said = try_with(&server.url("x"), &[(&id, "nobody"), (&secret, "another")]);
    assert!(said.contains("AWS_ACCESS_KEY_ID"), "{said}");
    let environment = server.environment();
    let [id, secret] = environment.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    let said = try_with(&server.url("x").replace("crashes", "elsewhere"), &[id, secret]);
    assert!(said.contains("there is no such bucket"), "{said}");
}
