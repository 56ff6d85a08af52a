//! Projects: what belongs together and is seen by the same people.
//!
//! Whatever is unique within a project is stored with the project before it ([`within`]), so that one index, and one
//! look-up, serve all of them. What is of [`DEFAULT_PROJECT`] is stored as it was before there were projects, and
//! processes of that time find it.

use jiff::Timestamp;

use crate::{Store, StoreError, time, tx::Tx};

/// The project of whatever names none.
pub const DEFAULT_PROJECT: &str = "default";
/// Bytes of an identifier at most.
const MAX_ID: usize = 63;
/// Between a project and what is unique in it. No client can send it in a header, and no fingerprint has it.
const SEPARATOR: char = '\u{1f}';

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// What it is named by: `[a-z0-9][a-z0-9-]{0,62}`.
    pub id: String,
    /// For people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Requests that are taken a minute; `None` for what the server takes of anybody.
    pub requests_per_minute: Option<u32>,
    /// Bytes that are taken a day; `None` for what the server takes of anybody.
    pub upload_bytes_per_day: Option<u64>,
    /// From when on nothing new is taken in.
    pub archived_at: Option<Timestamp>,
}

/// A project to make.
#[derive(Clone, Debug, Default)]
pub struct NewProject {
    /// What it is named by.
    pub id: String,
    /// For people; the same as `id` when not given.
    pub name: Option<String>,
    /// Requests a minute.
    pub requests_per_minute: Option<u32>,
    /// Bytes a day.
    pub upload_bytes_per_day: Option<u64>,
}

/// What is to be changed about a project. A limit of `Some(None)` is that of the server again.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// For people.
    pub name: Option<String>,
    /// Requests a minute.
    pub requests_per_minute: Option<Option<u32>>,
    /// Bytes a day.
    pub upload_bytes_per_day: Option<Option<u64>>,
    /// Whether anything new is taken in.
    pub archived: Option<bool>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    created_at: i64,
    requests_per_minute: Option<i64>,
    upload_bytes_per_day: Option<i64>,
    archived_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Project, StoreError> {
        Ok(Project {
            id: self.id,
            name: self.name,
            created_at: time::read(self.created_at)?,
            requests_per_minute: self
                .requests_per_minute
                .map(|most| u32::try_from(most.max(0)).unwrap_or(u32::MAX)),
            upload_bytes_per_day: self.upload_bytes_per_day.map(|most| most.max(0) as u64),
            archived_at: time::read_optional(self.archived_at)?,
        })
    }
}

/// Whether a text can name a project.
pub fn is_project_id(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    text.len() <= MAX_ID
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || byte == b'-')
}

/// What is unique in a project, unique among all.
pub(crate) fn within(project: &str, key: &str) -> String {
    if project == DEFAULT_PROJECT { key.to_owned() } else { format!("{project}{SEPARATOR}{key}") }
}

/// What [`within`] was given.
pub(crate) fn bare(key: &str) -> &str {
    key.split_once(SEPARATOR).map_or(key, |(_, key)| key)
}

fn no_project(id: &str) -> StoreError {
    StoreError::NotFound { what: "project", id: id.to_owned() }
}

/// Refuses what no project of this name takes in.
pub(crate) async fn takes(tx: &mut Tx, project: &str) -> Result<(), StoreError> {
    let row: Option<(Option<i64>,)> = first!(tx, "SELECT archived_at FROM projects WHERE id = $1", project);
    match row {
        None => Err(no_project(project)),
        Some((Some(_),)) => Err(archived(project)),
        Some((None,)) => Ok(()),
    }
}

fn archived(project: &str) -> StoreError {
    StoreError::Invalid(format!("project {project} is archived and takes nothing in"))
}

/// The project of a group.
pub(crate) async fn of_group(tx: &mut Tx, group: &str) -> Result<String, StoreError> {
    let row: Option<(String,)> = first!(tx, "SELECT project FROM crash_groups WHERE id = $1", group);
    row.map(|row| row.0).ok_or_else(|| StoreError::NotFound { what: "group", id: group.to_owned() })
}

/// Refuses to bring together what is of two projects.
pub(crate) async fn same(tx: &mut Tx, one: &str, other: &str) -> Result<(), StoreError> {
    if of_group(tx, one).await? == of_group(tx, other).await? {
        return Ok(());
    }
    Err(StoreError::Invalid(format!("groups {one} and {other} are of two projects")))
}

/// The project of a crash; the default one where there is no such crash.
pub(crate) async fn of_crash(tx: &mut Tx, crash: &str) -> Result<String, StoreError> {
    let row: Option<(String,)> = first!(tx, "SELECT project FROM crashes WHERE id = $1", crash);
    Ok(row.map_or_else(|| DEFAULT_PROJECT.to_owned(), |row| row.0))
}

impl Store {
    /// Makes a project.
    pub async fn create_project(&self, new: &NewProject) -> Result<Project, StoreError> {
        let id = &new.id;
        if !is_project_id(id) {
            return Err(StoreError::Invalid(
                "a project is named by 1 to 63 lower case letters, digits and -, and not with a - first"
                    .to_owned(),
            ));
        }
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            "INSERT INTO projects (id, name, created_at, requests_per_minute, upload_bytes_per_day) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING RETURNING *")
            .bind(id)
            .bind(new.name.as_ref().unwrap_or(id))
            .bind(Timestamp::now().as_microsecond())
            .bind(new.requests_per_minute.map(i64::from))
            .bind(new.upload_bytes_per_day.map(whole))
            .fetch_optional(db)
            .await)?;
        row.ok_or_else(|| StoreError::Taken { what: "project", name: id.clone() })?.read()
    }

    /// Changes a project.
    pub async fn change_project(&self, id: &str, change: &ProjectChange) -> Result<Project, StoreError> {
        if id == DEFAULT_PROJECT && change.archived == Some(true) {
            return Err(StoreError::Invalid(
                "the project default cannot be archived: it takes what names no other".to_owned(),
            ));
        }
        let now = Timestamp::now().as_microsecond();
        let row: Option<Row> = query!(self, db => sqlx::query_as(
            "UPDATE projects SET name = COALESCE($2, name), \
             requests_per_minute = CASE WHEN $3 THEN $4 ELSE requests_per_minute END, \
             upload_bytes_per_day = CASE WHEN $5 THEN $6 ELSE upload_bytes_per_day END, \
             archived_at = CASE WHEN $7 THEN CASE WHEN $8 THEN COALESCE(archived_at, $9) END ELSE archived_at END \
             WHERE id = $1 RETURNING *")
            .bind(id)
            .bind(&change.name)
            .bind(change.requests_per_minute.is_some())
            .bind(change.requests_per_minute.flatten().map(i64::from))
            .bind(change.upload_bytes_per_day.is_some())
            .bind(change.upload_bytes_per_day.flatten().map(whole))
            .bind(change.archived.is_some())
            .bind(change.archived == Some(true))
            .bind(now)
            .fetch_optional(db)
            .await)?;
        row.ok_or_else(|| no_project(id))?.read()
    }

    /// Projects by identifier, those after this one.
    pub async fn projects(&self, after: Option<&str>, limit: u32) -> Result<Vec<Project>, StoreError> {
        let rows: Vec<Row> = query!(self, db => sqlx::query_as(
            "SELECT * FROM projects WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One project.
    pub async fn project(&self, id: &str) -> Result<Project, StoreError> {
        let row: Option<Row> = query!(self, db =>
            sqlx::query_as("SELECT * FROM projects WHERE id = $1").bind(id).fetch_optional(db).await)?;
        row.ok_or_else(|| no_project(id))?.read()
    }

    /// The same, if it takes anything in.
    pub async fn open_project(&self, id: &str) -> Result<Project, StoreError> {
        let project = self.project(id).await?;
        if project.archived_at.is_some() { Err(archived(id)) } else { Ok(project) }
    }

    /// Counts bytes that were sent to a project in this hour since 1970.
    pub async fn add_project_bytes(&self, project: &str, hour: i64, bytes: u64) -> Result<(), StoreError> {
        query!(self, db => sqlx::query(
            "INSERT INTO project_hours (project, hour, bytes) VALUES ($1, $2, $3) \
             ON CONFLICT (project, hour) DO UPDATE SET bytes = project_hours.bytes + $3")
            .bind(project)
            .bind(hour)
            .bind(whole(bytes))
            .execute(db)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Bytes that were sent to a project by hour, of the hours after this one, the oldest first.
    pub async fn project_hours(&self, project: &str, after: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        let rows: Vec<(i64, i64)> = query!(self, db => sqlx::query_as(
            "SELECT hour, bytes FROM project_hours WHERE project = $1 AND hour > $2 ORDER BY hour")
            .bind(project)
            .bind(after)
            .fetch_all(db)
            .await)?;
        Ok(rows.into_iter().map(|(hour, bytes)| (hour, bytes.max(0) as u64)).collect())
    }

    /// The project of a crash, if there is such a crash.
    pub async fn crash_project(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.project_of("SELECT project FROM crashes WHERE id = $1", id).await
    }

    /// The project of a group, if there is such a group.
    pub async fn group_project(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.project_of("SELECT project FROM crash_groups WHERE id = $1", id).await
    }

    /// The project of an upload in several requests, if there is such an upload.
    pub async fn upload_project(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.project_of("SELECT project FROM uploads WHERE id = $1", id).await
    }

    /// The project of an object of a bucket, if there is such an object.
    pub async fn object_project(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.project_of("SELECT project FROM objects WHERE id = $1", id).await
    }

    /// The project of an incident, if there is such an incident.
    pub async fn incident_project(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.project_of("SELECT project FROM incidents WHERE id = $1", id).await
    }

    async fn project_of(&self, select: &'static str, id: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> =
            query!(self, db => sqlx::query_as(select).bind(id).fetch_optional(db).await)?;
        Ok(row.map(|row| row.0))
    }

    /// Whether a project may name and see a piece of evidence: it was sent there, or it is an executable or debug
    /// file, which all projects share.
    pub async fn has_blob(&self, project: &str, id: &str) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = query!(self, db => sqlx::query_as(
            concat!("SELECT CAST(1 AS BIGINT) FROM blobs WHERE id = $1 AND ", has_blob!()))
            .bind(id)
            .bind(project)
            .fetch_optional(db)
            .await)?;
        Ok(row.is_some())
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{bare, is_project_id, within};

    #[test]
    fn a_project_is_named_by_a_short_plain_word() {
        for id in ["a", "shop", "0-9", &"a".repeat(63)] {
            assert!(is_project_id(id), "{id}");
        }
        for id in ["", "-a", "Shop", "a_b", "a b", "ä", "a/b", &"a".repeat(64)] {
            assert!(!is_project_id(id), "{id}");
        }
    }

    #[test]
    fn what_is_unique_in_a_project_is_unique_among_all() {
        assert_eq!(within("default", "core:1"), "core:1");
        assert_ne!(within("shop", "core:1"), within("cart", "core:1"));
        for project in ["default", "shop"] {
            assert_eq!(bare(&within(project, "a/b")), "a/b");
        }
    }
}
