use std::{io::Write, sync::atomic::Ordering};

use object_store::{ObjectStoreExt, multipart::MultipartStore, path::Path};
use panicle_backends::S3Server;
use tokio::runtime::Runtime;

use super::{S3, now};
use crate::{BlobUrl, Digest};

fn connect(runtime: &Runtime, server: &S3Server) -> S3 {
    let Ok(BlobUrl::S3(url)) = server.url("a/b").parse() else { panic!("no store") };
    runtime.block_on(S3::connect(&url, server.environment())).unwrap()
}

#[test]
fn what_broke_off_is_ended_once_it_is_old() {
    let (runtime, server) = (Runtime::new().unwrap(), S3Server::new());
    let s3 = connect(&runtime, &server);
    let inner = &s3.inner;
    let path = Path::from("a/b/blobs/00/11.zst");
    let note = Path::from("a/b/uploads/1");
    runtime.block_on(async {
        let id = inner.client.create_multipart(&path).await.unwrap();
        inner.client.put_part(&path, &id, 0, vec![1; 100].into()).await.unwrap();
        inner.client.put(&note, format!("{path}\n{id}").into()).await.unwrap();
        assert_eq!(inner.sweep(now() - 60).await.unwrap(), 0, "it may still go on");
        assert!(inner.client.head(&note).await.is_ok());
        assert_eq!(inner.sweep(now() + 60).await.unwrap(), 1);
        assert!(inner.client.head(&note).await.is_err());
        // Its parts are gone, so that it cannot come to its end any more.
        assert!(inner.client.put_part(&path, &id, 1, vec![1; 100].into()).await.is_err());
    });
}

#[test]
fn an_upload_in_parts_leaves_the_object_alone() {
    let (runtime, server) = (Runtime::new().unwrap(), S3Server::new());
    let s3 = connect(&runtime, &server);
    let mut file = tempfile::tempfile().unwrap();
    for block in 0..41_u8 {
        file.write_all(&vec![block; 1 << 20]).unwrap();
    }
    file.write_all(b"end").unwrap();
    let digest = Digest::from_bytes([7; 32]);
    assert!(s3.keep(&file, &digest).unwrap());
    assert!(!s3.keep(&file, &digest).unwrap(), "it is there already");
    let path = s3.inner.path(&digest);
    let stored = runtime.block_on(async { s3.inner.client.get(&path).await.unwrap().bytes().await.unwrap() });
    assert_eq!(stored.len(), (41 << 20) + 3);
    assert!(
        stored.chunks(1 << 20).zip(0_u8..).all(|(block, n)| n == 41 || block.iter().all(|&byte| byte == n))
    );
    assert!(stored.ends_with(b"end"));
    let notes = std::fs::read_dir(server.bucket().join("a/b/uploads")).map_or(0, Iterator::count);
    assert_eq!(notes, 0);
}

#[test]
fn the_same_object_put_by_two_at_once_is_new_for_one() {
    let (runtime, server) = (Runtime::new().unwrap(), S3Server::new());
    let s3 = connect(&runtime, &server);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"small").unwrap();
    let digest = Digest::from_bytes([8; 32]);
    // Neither saw the other's.
    assert!(s3.put(&file, 5, &s3.inner.path(&digest)).unwrap());
    assert!(!s3.put(&file, 5, &s3.inner.path(&digest)).unwrap());
    assert!(s3.inner.conditional.load(Ordering::Relaxed), "the store knows conditional writes");
}
