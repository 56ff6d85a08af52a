//! Objects of buckets that become evidence.

use std::collections::BTreeMap;

use jiff::Timestamp;
use panicle_store::{EvidenceKind, ObjectState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Evidence;

/// What became of the events of a request.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct EventsTaken {
    /// Objects that are taken over, or were before.
    pub(crate) objects: Vec<NotedObject>,
    /// Objects that are known here and were removed where they were. What was taken over stays.
    pub(crate) removed: u64,
    /// Events that nothing follows from.
    pub(crate) ignored: Vec<IgnoredEvent>,
    /// Parts of the request that cannot be understood. The others are taken.
    pub(crate) refused: Vec<Refused>,
    /// The address with which somebody confirms an SNS subscription; it is not opened by itself.
    pub(crate) confirm: Option<String>,
}

/// An object that an event told of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NotedObject {
    pub(crate) id: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// It was not known before.
    pub(crate) new: bool,
}

/// A part of a request that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Refused {
    /// Where it is in the body, as a JSON pointer.
    #[schema(example = "/Records/3")]
    pub(crate) place: String,
    pub(crate) reason: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {}", self.place, self.reason)
    }
}

/// An event that nothing follows from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IgnoredEvent {
    /// As it is called.
    pub(crate) event: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) reason: String,
}

/// An object of a bucket that an event told of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BucketObject {
    pub(crate) id: String,
    /// Name of the source, as the service was started with.
    pub(crate) source: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) state: ObjectState,
    /// Why it could not be taken over, or not yet.
    pub(crate) problem: Option<String>,
    pub(crate) kind: Option<EvidenceKind>,
    /// Id of the evidence that it became.
    pub(crate) blob_id: Option<String>,
    pub(crate) crash_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) noted_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) ended_at: Option<Timestamp>,
    /// When it was removed where it was, as an event said.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) removed_at: Option<Timestamp>,
}

impl From<panicle_store::Object> for BucketObject {
    fn from(object: panicle_store::Object) -> Self {
        Self {
            id: object.id,
            source: object.source,
            bucket: object.bucket,
            key: object.key,
            version_id: object.version_id,
            etag: object.etag,
            size_bytes: object.size_bytes,
            state: object.state,
            problem: object.problem,
            kind: object.kind,
            blob_id: object.blob_id,
            crash_id: object.crash_id,
            noted_at: object.created_at,
            ended_at: object.ended_at,
            removed_at: object.removed_at,
        }
    }
}

/// An upload straight into the bucket that evidence is in.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPresigned {
    pub(crate) kind: EvidenceKind,
    pub(crate) size_bytes: u64,
    /// In hexadecimal; checked.
    #[serde(default)]
    pub(crate) sha256: Option<String>,
    /// File name, for people.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Asks for an upload in parts of this size, 5 MiB at least. Above 64 MiB uploads are in parts anyway.
    #[serde(default)]
    pub(crate) part_size_bytes: Option<u64>,
}

/// An upload straight into the bucket that evidence is in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Presigned {
    pub(crate) id: String,
    pub(crate) state: ObjectState,
    pub(crate) kind: EvidenceKind,
    pub(crate) size_bytes: u64,
    /// The bucket that it is put into, and the key of the object: for those who put it there with credentials of
    /// their own instead of the URLs.
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// `PUT`.
    pub(crate) method: &'static str,
    /// Where the whole is put; null for an upload in parts, and where it was said before.
    pub(crate) url: Option<String>,
    /// Headers to send along.
    pub(crate) headers: BTreeMap<String, String>,
    /// Where each part is put. The `ETag` of each answer is needed to complete the upload.
    pub(crate) parts: Vec<PresignedPart>,
    /// Until when something can be put there.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
    /// What to POST to when it is there.
    pub(crate) complete_url: String,
    /// What it became.
    pub(crate) evidence: Option<Evidence>,
    /// Why it could not be taken over, or not yet.
    pub(crate) problem: Option<String>,
}

/// A part of an upload.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PresignedPart {
    /// From 1.
    pub(crate) number: u64,
    pub(crate) url: String,
    /// Where in the file it begins.
    pub(crate) offset: u64,
    pub(crate) size_bytes: u64,
}

/// That an upload is there.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CompletePresigned {
    /// All parts, of an upload in parts by the URLs.
    pub(crate) parts: Vec<PutPart>,
}

/// A part that was put.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutPart {
    pub(crate) number: u64,
    /// As the answer had it.
    pub(crate) etag: String,
}
