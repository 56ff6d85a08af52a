//! Projects.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// What belongs together and is seen by the same people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Project {
    /// What it is named by.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// Requests that are taken a minute; null for what the server is told to take.
    pub(crate) requests_per_minute: Option<u32>,
    /// Bytes that are taken a day; null for what the server is told to take.
    pub(crate) upload_bytes_per_day: Option<u64>,
    /// From when on nothing new is taken in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) archived_at: Option<Timestamp>,
}

impl From<panicle_store::Project> for Project {
    fn from(project: panicle_store::Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            created_at: project.created_at,
            requests_per_minute: project.requests_per_minute,
            upload_bytes_per_day: project.upload_bytes_per_day,
            archived_at: project.archived_at,
        }
    }
}

/// A project to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProject {
    /// 1 to 63 lower case letters, digits and `-`, and not a `-` first.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub(crate) id: String,
    /// For people; the same as `id` when not given.
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) requests_per_minute: Option<u32>,
    #[serde(default)]
    pub(crate) upload_bytes_per_day: Option<u64>,
}

/// What is to be changed about a project.
#[expect(clippy::option_option, reason = "null is another thing than nothing said")]
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProjectPatch {
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<u32>)]
    pub(crate) requests_per_minute: Option<Option<u32>>,
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<u64>)]
    pub(crate) upload_bytes_per_day: Option<Option<u64>>,
    pub(crate) archived: Option<bool>,
}

/// Tells null from what is not said.
#[expect(clippy::option_option, reason = "null is another thing than nothing said")]
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

impl From<ProjectPatch> for panicle_store::ProjectChange {
    fn from(patch: ProjectPatch) -> Self {
        Self {
            name: patch.name.map(|name| name.trim().to_owned()),
            requests_per_minute: patch.requests_per_minute,
            upload_bytes_per_day: patch.upload_bytes_per_day,
            archived: patch.archived,
        }
    }
}
