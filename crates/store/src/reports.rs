//! Reports, stored in parts so that no answer has to read a whole one.

use crate::{Store, StoreError};

/// Which part of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The report without its goroutines, but with the one at fault.
    Head,
    /// One small row for every goroutine.
    Rows,
    /// Full goroutines, a chunk per number.
    Goroutines,
}

impl Part {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Rows => "rows",
            Self::Goroutines => "goroutines",
        }
    }
}

/// A part of a report on its way in.
#[derive(Clone, Debug)]
pub struct ReportPart {
    /// Which part.
    pub part: Part,
    /// Which chunk of it, from 0.
    pub seq: u32,
    /// Compressed JSON; this crate does not look into it.
    pub body: Vec<u8>,
}

impl ReportPart {
    pub(crate) const fn name(&self) -> &'static str {
        self.part.as_str()
    }
}

impl Store {
    /// A part of a crash's report at `revision`, if that is the newest report or the one before it: parts of
    /// two analyses must not be read together, and who has begun to read one must be able to end.
    pub async fn report_part(
        &self,
        crash: &str,
        revision: u64,
        part: Part,
        seq: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Vec<u8>,)> = query!(self, db => sqlx::query_as(
            "SELECT body FROM report_parts WHERE crash_id = $1 AND part = $2 AND seq = $3 AND revision = $4")
            .bind(crash)
            .bind(part.as_str())
            .bind(i64::from(seq))
            .bind(revision as i64)
            .fetch_optional(db)
            .await)?;
        Ok(row.map(|row| row.0))
    }
}
