//! Whether a crash shows that what was resolved is not.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a group was resolved in. With nothing set: in whatever is built after the resolution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ResolvedIn {
    /// A version of the main module, `v1.4.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// A VCS revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// A build ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
}

/// A resolution, with what is known of its build.
#[derive(Clone, Debug)]
pub(crate) struct Resolution {
    pub(crate) resolved: ResolvedIn,
    /// When somebody said so, in microseconds.
    pub(crate) at: i64,
    /// When the build or revision that it names was seen first, if it was.
    pub(crate) build_first_seen: Option<i64>,
}

/// What tells where a crash stands to a resolution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Build {
    pub(crate) id: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) revision: Option<String>,
    /// When this build was seen first.
    pub(crate) first_seen: Option<i64>,
    /// When the crash happened.
    pub(crate) seen_at: i64,
}

/// Why a crash does, or does not, take a resolution back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) regressed: bool,
    pub(crate) reason: String,
}

fn parse(version: &str) -> Option<semver::Version> {
    semver::Version::parse(version.strip_prefix('v')?).ok()
}

/// Whether a version can be compared with others, as `(devel)` and `1.4` cannot.
pub(crate) fn has_order(version: &str) -> bool {
    parse(version).is_some()
}

/// A pseudo-version that names no tag, `v0.0.0-20261121213000-0123456789ab` (Go's `module.PseudoVersion` without an
/// older version): the commit has no tag before it, or the clone that it was built in had none.
fn names_no_tag(version: &semver::Version) -> bool {
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    (version.major, version.minor, version.patch) == (0, 0, 0)
        && version.pre.as_str().split_once('-').is_some_and(|(time, revision)| {
            digits(time, 14)
                && revision.len() == 12
                && revision.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// Which of two versions of a module is the older one, as Go's modules order them; `None` for what
/// has no order: `(devel)`, and a pseudo-version that names no tag beside one that does.
pub(crate) fn compare(one: &str, other: &str) -> Option<Ordering> {
    if one == other {
        return Some(Ordering::Equal);
    }
    let (one, other) = (parse(one)?, parse(other)?);
    if names_no_tag(&one) != names_no_tag(&other) {
        return None;
    }
    // Build metadata, such as +dirty and +incompatible, has no part in the order.
    Some(one.cmp_precedence(&other))
}

/// Whether two spellings name one revision: one may be the beginning of the other.
fn same_revision(one: &str, other: &str) -> bool {
    let short = one.len().min(other.len());
    short >= 7 && one.as_bytes()[..short].eq_ignore_ascii_case(&other.as_bytes()[..short])
}

pub(crate) fn judge(resolution: &Resolution, build: &Build) -> Judgement {
    let said = |regressed, reason: String| Judgement { regressed, reason };
    let resolved = &resolution.resolved;
    if let (Some(fixed), Some(version)) = (&resolved.version, &build.version) {
        match compare(version, fixed) {
            Some(Ordering::Less) => {
                return said(false, format!("{version} is older than {fixed}, in which it was resolved"));
            }
            Some(Ordering::Equal) => {
                return said(true, format!("it was resolved in {fixed}, and this crash is of {version}"));
            }
            Some(Ordering::Greater) => {
                return said(true, format!("{version} is newer than {fixed}, in which it was resolved"));
            }
            None => {}
        }
    }
    if let (Some(fixed), Some(revision)) = (&resolved.revision, &build.revision)
        && same_revision(fixed, revision)
    {
        return said(
            true,
            format!("it was resolved in revision {fixed}, and this crash is of that revision"),
        );
    }
    if let (Some(fixed), Some(id)) = (&resolved.build, &build.id)
        && fixed == id
    {
        return said(true, format!("it was resolved in build {fixed}, and this crash is of that build"));
    }
    // What has no order is ordered by when it was seen first.
    let (reference, named) = match resolution.build_first_seen {
        Some(first_seen) => (first_seen, "the one in which it was resolved"),
        None => (resolution.at, "the resolution"),
    };
    match build.first_seen {
        Some(first_seen) if first_seen > reference => said(
            true,
            format!("the build of this crash was seen first at {}, after {named}", written(first_seen)),
        ),
        Some(first_seen) => said(
            false,
            format!("the build of this crash was there at {}, before {named}", written(first_seen)),
        ),
        None if build.seen_at > resolution.at => {
            said(true, "it happened after the resolution, and its build is not known".to_owned())
        }
        None => said(false, "it happened before the resolution".to_owned()),
    }
}

fn written(micros: i64) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests;
