//! Room on the disk for what is announced: refused before the disk is full, and not in the middle.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::BlobError;

/// What is announced to this process and has not yet come, in bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    announced: Arc<Mutex<u64>>,
}

/// Room that is kept free for an upload, until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    room: Room,
    /// What has not come.
    left: u64,
}

impl Room {
    /// Keeps so many bytes of the disk with `directory`, unless that leaves less than `least` beside what others have
    /// announced. None are kept for an upload of unknown size, for which there has to be some room.
    pub(crate) fn reserve(&self, directory: &Path, least: u64, bytes: u64) -> Result<Reservation, BlobError> {
        // Looked and taken in one, so that two do not get the same room.
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let free = free(directory)?;
        let wanted = announced.saturating_add(bytes);
        if free < least.saturating_add(wanted) {
            return Err(BlobError::DiskLow { free, announced: wanted });
        }
        *announced = wanted;
        Ok(Reservation { room: self.clone(), left: bytes })
    }
}

impl Reservation {
    /// So many bytes more have come, and what they take shows on the disk.
    pub fn came(&mut self, bytes: u64) {
        let bytes = bytes.min(self.left);
        self.left -= bytes;
        let mut announced = self.room.announced.lock().unwrap_or_else(PoisonError::into_inner);
        *announced = announced.saturating_sub(bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.came(self.left);
    }
}

/// Bytes that are free on the disk with a directory.
pub(crate) fn free(directory: &Path) -> Result<u64, BlobError> {
    let stat = rustix::fs::statvfs(directory)
        .map_err(|error| BlobError::io("asking for the free space")(error.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use crate::{BlobError, BlobStore, Limits};

    use super::free;

    #[test]
    fn what_is_announced_is_kept_free_until_it_came_or_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        // Others write to this disk, too: everything here is far from what they write meanwhile.
        let part = free(directory.path()).unwrap() / 8;
        let store =
            BlobStore::open(directory.path(), Limits { min_free_bytes: part, ..Limits::default() }).unwrap();
        let refused = |bytes: u64| {
            let outcome = store.reserve(Some(bytes));
            matches!(outcome, Err(BlobError::DiskLow { announced, .. }) if announced >= bytes)
        };
        assert!(refused(8 * part), "more than the disk has");
        assert!(refused(u64::MAX));
        let mut one = store.reserve(Some(4 * part)).unwrap();
        assert!(refused(4 * part), "others have announced as much");
        // Copies of the store are of the same disk.
        let two = store.clone().reserve(Some(2 * part)).unwrap();
        assert!(refused(2 * part));
        drop(two);
        one.came(3 * part);
        let three = store.reserve(Some(4 * part)).unwrap();
        one.came(u64::MAX);
        drop((one, three));
        drop(store.reserve(Some(6 * part)).unwrap());
    }

    #[test]
    fn an_upload_keeps_room_for_what_has_not_come_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let part = free(directory.path()).unwrap() / 8;
        let store =
            BlobStore::open(directory.path(), Limits { min_free_bytes: part, ..Limits::default() }).unwrap();
        let mut ingest = store.begin_announced(Some(5 * part)).unwrap();
        ingest.write(b"the beginning").unwrap();
        assert!(store.begin_announced(Some(4 * part)).is_err());
        // One that takes little, or does not say what it takes, goes beside it.
        assert!(store.begin().is_ok() && store.begin_piece().is_ok());
        ingest.finish(None).unwrap();
        assert!(store.begin_announced(Some(4 * part)).is_ok());
    }
}
