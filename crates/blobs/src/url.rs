use std::{fmt, path::PathBuf};

use thiserror::Error;
use url::Url;

/// Where evidence is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobUrl {
    /// A directory: `file:///path`, `file:path` or a path.
    Directory(PathBuf),
    /// An S3-compatible store.
    S3(S3Url),
}

/// `s3://bucket/prefix?endpoint=…&public_endpoint=…&region=…&path_style=…`. Credentials are no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Url {
    /// The bucket, which has to exist.
    pub bucket: String,
    /// What the names of all objects begin with, without slashes around it; may be empty.
    pub prefix: String,
    /// `http://` or `https://`; AWS' own when not given.
    pub endpoint: Option<String>,
    /// Where clients outside reach it, if that is elsewhere. URLs are signed for this name.
    pub public_endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Whether the bucket is a part of the path instead of the host's name. By default it is where an
    /// endpoint is given.
    pub path_style: bool,
}

/// The text names no place for evidence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotABlobUrl {
    /// A scheme that is not known.
    #[error("evidence is kept in file: or s3: stores, not in {0}:")]
    Scheme(String),
    /// There is no bucket in it.
    #[error("a store is written s3://bucket/prefix?endpoint=https://…, and there is no bucket in this one")]
    NoBucket,
    /// Credentials would end up in logs and lists of processes.
    #[error(
        "credentials do not belong into the URL of a store; they are taken from AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY"
    )]
    Credentials,
    /// A parameter that is not known.
    #[error(
        "the URL of a store knows the parameters endpoint, public_endpoint, region and path_style, not {0}"
    )]
    Parameter(String),
    /// A parameter whose value makes no sense.
    #[error("the parameter {0} of the store's URL makes no sense: {1}")]
    Value(&'static str, String),
}

impl std::str::FromStr for BlobUrl {
    type Err = NotABlobUrl;

    fn from_str(text: &str) -> Result<Self, NotABlobUrl> {
        let Some((scheme, rest)) = text.split_once(':') else { return Ok(Self::Directory(text.into())) };
        match scheme {
            "file" => Ok(Self::Directory(rest.strip_prefix("//").unwrap_or(rest).into())),
            "s3" => s3(text).map(Self::S3),
            // A single letter would be a drive elsewhere, and a path with a colon in it is one.
            _ if scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                Err(NotABlobUrl::Scheme(scheme.to_owned()))
            }
            _ => Ok(Self::Directory(text.into())),
        }
    }
}

fn s3(text: &str) -> Result<S3Url, NotABlobUrl> {
    let url = Url::parse(text).map_err(|_| NotABlobUrl::NoBucket)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotABlobUrl::Credentials);
    }
    let bucket = url.host_str().filter(|host| !host.is_empty()).ok_or(NotABlobUrl::NoBucket)?.to_owned();
    let (mut endpoint, mut public_endpoint, mut region, mut path_style) = (None, None, None, None);
    for (name, value) in url.query_pairs() {
        match &*name {
            "endpoint" => endpoint = Some(self::endpoint("endpoint", &value)?),
            "public_endpoint" => public_endpoint = Some(self::endpoint("public_endpoint", &value)?),
            "region" if !value.is_empty() => region = Some(value.into_owned()),
            "region" => return Err(NotABlobUrl::Value("region", "it is empty".to_owned())),
            "path_style" => {
                path_style = Some(match &*value {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(NotABlobUrl::Value("path_style", "it is true or false".to_owned())),
                });
            }
            _ if name.contains("key") || name.contains("secret") || name.contains("token") => {
                return Err(NotABlobUrl::Credentials);
            }
            _ => return Err(NotABlobUrl::Parameter(name.into_owned())),
        }
    }
    Ok(S3Url {
        bucket,
        prefix: url.path().trim_matches('/').to_owned(),
        path_style: path_style.unwrap_or(endpoint.is_some()),
        endpoint,
        public_endpoint,
        region,
    })
}

fn endpoint(name: &'static str, text: &str) -> Result<String, NotABlobUrl> {
    let wrong = |why: &str| NotABlobUrl::Value(name, why.to_owned());
    let url = Url::parse(text).map_err(|_| wrong("it is written http://host:port or https://host"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("it is written http://host:port or https://host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotABlobUrl::Credentials);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

impl fmt::Display for BlobUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "file:{}", path.display()),
            Self::S3(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        match &self.endpoint {
            Some(endpoint) => write!(f, " at {endpoint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
