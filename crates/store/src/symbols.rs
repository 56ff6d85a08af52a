//! Executables and debug files by build ID, as debuginfod asks for them.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use panicle_report::BuildIds;

use crate::{
    JobKind, Lease, NotAWord, Store, StoreError,
    jobs::{Priority, complete, enqueue},
};

/// A file that came to its end is not asked for again before this has passed.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// What of a program is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artifact {
    /// A file with debug information.
    DebugInfo,
    /// A file with the program's instructions.
    Executable,
}

impl Artifact {
    /// As it is written in a debuginfod address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DebugInfo => "debuginfo",
            Self::Executable => "executable",
        }
    }
}

/// A file of a program, as debuginfod addresses it: `<build id>/<artifact>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolRequest {
    /// In lower case hexadecimal.
    pub build_id: String,
    /// What of it.
    pub artifact: Artifact,
}

impl SymbolRequest {
    /// The file of the program with these identities: by its GNU build ID, else by the bytes of its Go build ID;
    /// `None` when it has neither.
    pub fn of(ids: &BuildIds, artifact: Artifact) -> Option<Self> {
        let build_id = ids.gnu.clone().or_else(|| Some(hex::encode(ids.go.as_ref()?)))?;
        Some(Self { build_id, artifact })
    }
}

impl fmt::Display for SymbolRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.build_id, self.artifact.as_str())
    }
}

impl FromStr for SymbolRequest {
    type Err = NotAWord;

    fn from_str(text: &str) -> Result<Self, NotAWord> {
        let (build_id, artifact) = text.split_once('/').ok_or_else(|| NotAWord(text.to_owned()))?;
        let artifact =
            [Artifact::DebugInfo, Artifact::Executable].into_iter().find(|one| one.as_str() == artifact);
        let artifact = artifact.ok_or_else(|| NotAWord(text.to_owned()))?;
        Ok(Self { build_id: build_id.to_owned(), artifact })
    }
}

/// The Go build ID that these hexadecimal digits are the characters of.
pub(crate) fn go_build_id(build_id: &str) -> Option<String> {
    let id = hex::decode(build_id).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
    // Base64 and slashes (cmd/go/internal/work/buildid.go); PostgreSQL fails where zeros are asked for.
    id.bytes().all(|byte| byte.is_ascii_graphic()).then_some(id)
}

/// A file that has the build ID that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolFile {
    /// SHA-256 in hexadecimal.
    pub id: String,
    /// File name as it was given first.
    pub name: Option<String>,
    /// Raw size.
    pub size_bytes: u64,
}

impl Store {
    /// The stored file of a program that suits best: for debug information a debug file before a whole executable,
    /// since it is smaller; of several the newest. `build_id` is a GNU build ID in hexadecimal, or a Go build ID as
    /// its characters' bytes in hexadecimal.
    pub async fn symbol_file(
        &self,
        build_id: &str,
        artifact: Artifact,
    ) -> Result<Option<SymbolFile>, StoreError> {
        // A file without instructions has no digest of them.
        let rows: Vec<(String, Option<String>, i64)> = query!(self, db => sqlx::query_as(
            "SELECT n.id, b.name, b.size_bytes FROM binaries n JOIN blobs b ON b.id = n.id \
             WHERE (n.gnu_build_id = $1 OR n.go_build_id = $2) AND b.deleted_at IS NULL \
             AND (($3 AND n.dwarf = 'full') OR (NOT $3 AND n.text_sha256 IS NOT NULL)) \
             ORDER BY CASE WHEN $3 AND n.text_sha256 IS NULL THEN 0 ELSE 1 END, n.received_at DESC, n.id LIMIT 1")
            .bind(build_id)
            .bind(go_build_id(build_id))
            .bind(artifact == Artifact::DebugInfo)
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().next().map(|(id, name, size)| SymbolFile { id, name, size_bytes: size as u64 }))
    }

    /// Has other servers asked for a file. A request that is queued already stays where it is: until it is due
    /// again, it is known that nobody has the file. One that runs may have found that nobody wants the file, and is
    /// made once more.
    pub async fn want_symbols(&self, request: &SymbolRequest, now: Timestamp) -> Result<(), StoreError> {
        let request = request.to_string();
        transaction!(self, tx => {
            let known: Option<(String, i64)> = first!(
                tx,
                // Locks the row, if there is one.
                "UPDATE jobs SET wanted = wanted WHERE kind = $1 AND subject = $2 RETURNING state, run_after",
                JobKind::Fetch.as_str(),
                &request
            );
            let asked_lately = known.is_some_and(|(state, run_after)| match state.as_str() {
                "queued" => true,
                "running" => false,
                _ => run_after >= (now - ASK_AGAIN).as_microsecond(),
            });
            if !asked_lately {
                enqueue(tx, JobKind::Fetch, &request, now.as_microsecond(), Priority::Elsewhere).await?;
            }
        });
        self.announce_work();
        Ok(())
    }

    /// Whether there is a crash that the file would help.
    pub async fn symbols_wanted(&self, request: &SymbolRequest) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = query!(self, db => sqlx::query_as(
            "SELECT CAST(1 AS BIGINT) FROM crashes WHERE (gnu_build_id = $1 OR go_build_id = $2) \
             AND (($3 AND missing_debug) OR (NOT $3 AND status = 'waiting-for-binary')) LIMIT 1")
            .bind(&request.build_id)
            .bind(go_build_id(&request.build_id))
            .bind(request.artifact == Artifact::DebugInfo)
            .fetch_optional(db)
            .await)?;
        Ok(row.is_some())
    }

    /// Ends a request. With `found`, also for those who asked while it ran: once the file is identified, all whom it
    /// helps are analysed again.
    pub async fn finish_fetch(&self, lease: &Lease, found: bool) -> Result<(), StoreError> {
        transaction!(self, tx => {
            if found {
                exec!(
                    tx,
                    "UPDATE jobs SET claimed = wanted WHERE id = $1 AND lease_token = $2",
                    &lease.job,
                    &lease.token
                );
            }
            complete(tx, lease).await?;
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use panicle_report::BuildIds;

    use super::{Artifact, SymbolRequest};

    #[test]
    fn a_request_is_written_and_read_the_same() {
        let ids = |gnu: Option<&str>| BuildIds {
            gnu: gnu.map(str::to_owned),
            go: Some("a/b".to_owned()),
            text_sha256: None,
        };
        let gnu = SymbolRequest::of(&ids(Some("ab12")), Artifact::Executable).unwrap();
        let go = SymbolRequest::of(&ids(None), Artifact::DebugInfo).unwrap();
        assert_eq!(
            (gnu.to_string().as_str(), go.to_string().as_str()),
            ("ab12/executable", "612f62/debuginfo")
        );
        assert_eq!((gnu.to_string().parse(), go.to_string().parse()), (Ok(gnu), Ok(go)));
        assert_eq!(SymbolRequest::of(&BuildIds::default(), Artifact::Executable), None);
        assert!("ab12".parse::<SymbolRequest>().is_err() && "ab12/source".parse::<SymbolRequest>().is_err());
    }
}
