use std::{fs, os::unix::fs::MetadataExt};

use crate::{
    LocalCache,
    store::tests::{Place, contract, put},
};

contract! {
    fn a_sparse_file_has_the_blobs_bytes_and_takes_little_room(place) {
        let store = place.store();
        let mut bytes = vec![0; 9 << 20];
        bytes[5] = 1;
        bytes[(4 << 20) + 17] = 2;
        *bytes.last_mut().unwrap() = 3;
        let digest = put(&store, &bytes);

        let cache = LocalCache::open(store, place.root().join("cache"), 1 << 30).unwrap();
        let file = cache.materialise(&digest, |_| ()).unwrap();
        assert!(fs::read(file.path()).unwrap() == bytes);
        assert!(fs::metadata(file.path()).unwrap().blocks() * 512 < 64 << 10);
    }

    fn what_is_in_use_stays_and_what_is_not_goes(place) {
        let store = place.store();
        let one = put(&store, &vec![1; 100_000]);
        let two = put(&store, &vec![2; 100_000]);
        let cache = LocalCache::open(store, place.root().join("cache"), 150_000).unwrap();

        let first = cache.materialise(&one, |_| ()).unwrap();
        let second = cache.materialise(&two, |_| ()).unwrap();
        let (first_path, second_path) = (first.path().to_owned(), second.path().to_owned());
        assert!(first_path.exists() && second_path.exists());
        drop(first);
        assert!(!first_path.exists() && second_path.exists());
        drop(second);
        assert!(second_path.exists());
        assert_eq!(fs::read(cache.materialise(&one, |_| ()).unwrap().path()).unwrap(), vec![1; 100_000]);
    }
}
