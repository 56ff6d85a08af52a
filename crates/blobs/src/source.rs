//! Buckets of others that evidence comes from.

use std::str::FromStr;

use thiserror::Error;
use url::Url;

use crate::{BlobUrl, NotABlobUrl, S3Url};

/// A bucket, or a part of one, that evidence comes from: `NAME=s3://bucket/prefix?endpoint=…&service=…&project=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Source {
    /// What it is called here.
    pub name: String,
    /// Where it is.
    pub url: S3Url,
    /// Service of the crashes that are made of its objects.
    pub service: Option<String>,
    /// What is done with its objects.
    pub take: Take,
    /// The project that its objects are for, and whose tokens alone may tell of them; else the default one.
    pub project: Option<String>,
}

/// What is done with the objects of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Take {
    /// They are copied to where evidence is kept.
    #[default]
    Copy,
    /// They stay where they are, and are read from there.
    Reference,
}

/// The text names no source.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotASource {
    /// There is no name in front.
    #[error(
        "a source is written NAME=s3://bucket/prefix?endpoint=https://…, with a name of letters, digits, - and _"
    )]
    Name,
    /// The URL is none of an S3-compatible store.
    #[error("a source is in an s3: store")]
    NotS3,
    /// It is not said what is to be done with its objects.
    #[error("take is copy or reference")]
    Take,
    /// The URL makes no sense.
    #[error(transparent)]
    Url(#[from] NotABlobUrl),
}

impl S3Source {
    /// Whether an object is of this source.
    pub fn has(&self, bucket: &str, key: &str) -> bool {
        let prefix = self.url.prefix.as_str();
        bucket == self.url.bucket
            && (prefix.is_empty() || key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The variables that it is opened with: `AWS_*`, and over them those of `PANICLE_SOURCE_<NAME>_AWS_*`.
    pub fn environment(&self, environment: &[(String, String)]) -> Vec<(String, String)> {
        let own = format!("PANICLE_SOURCE_{}_", self.name.to_ascii_uppercase().replace('-', "_"));
        let general = environment.iter().filter(|(name, _)| name.starts_with("AWS_")).cloned();
        let special = environment.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix(&own)?.to_owned(), value.clone()))
                .filter(|(name, _)| name.starts_with("AWS_"))
        });
        general.chain(special).collect()
    }
}

impl FromStr for S3Source {
    type Err = NotASource;

    fn from_str(text: &str) -> Result<Self, NotASource> {
        let (name, url) = text.split_once('=').ok_or(NotASource::Name)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > 100 || !name.chars().all(is_name) {
            return Err(NotASource::Name);
        }
        let (mut service, mut project, mut take) = (None, None, Take::Copy);
        let mut url = Url::parse(url).map_err(|_| NotASource::NotS3)?;
        let mut rest = Vec::new();
        for (name, value) in url.query_pairs() {
            match &*name {
                "service" => service = Some(value.into_owned()).filter(|text| !text.is_empty()),
                "take" if value == "copy" => take = Take::Copy,
                "take" if value == "reference" => take = Take::Reference,
                "take" => return Err(NotASource::Take),
                "project" => project = Some(value.into_owned()).filter(|text| !text.is_empty()),
                _ => rest.push((name.into_owned(), value.into_owned())),
            }
        }
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        match url.as_str().parse()? {
            BlobUrl::S3(url) => Ok(Self { name: name.to_owned(), url, service, take, project }),
            BlobUrl::Directory(_) => Err(NotASource::NotS3),
        }
    }
}
