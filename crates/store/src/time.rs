use jiff::Timestamp;

use crate::StoreError;

pub(crate) fn read(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::Stored(error.to_string()))
}

pub(crate) fn read_optional(micros: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    micros.map(read).transpose()
}
