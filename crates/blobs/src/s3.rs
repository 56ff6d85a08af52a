//! Blobs in a bucket of an S3-compatible store.
//!
//! `<prefix>/blobs/ab/cdef….zst` holds them, in the same form as on a disk. An object is put there whole
//! under its final name or not at all, so that no reader ever sees a part of one, and two that put the
//! same one do no harm. The reasons are in `docs/adr`, "Evidence in an S3-compatible store".

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
    path::Path,
};
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};

use crate::{BlobError, Bucket, Digest, S3Url};

mod explain;
mod object;
mod piece;
mod upload;

pub(crate) use explain::explain;
pub(crate) use object::Object;

/// How long requests are repeated that the store does not answer, or answers with 5xx or "slow down".
const RETRY_FOR: Duration = Duration::from_mins(1);
/// How long one request may take; a part of an upload is a few MiB.
const REQUEST_TIME: Duration = Duration::from_mins(1);
/// How long requests to buckets of others are repeated: whoever reads them tries again later, and has other work.
const SOURCE_RETRY_FOR: Duration = Duration::from_secs(5);
/// How long nothing may come from them.
const SOURCE_SILENCE: Duration = Duration::from_secs(10);
const SOURCE_CONNECT: Duration = Duration::from_secs(3);
/// How long a store may take to answer when a process starts.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How often a process that waits for it says so.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// How long a store may take to answer before it counts as out of reach.
const CHECK_PATIENCE: Duration = Duration::from_secs(5);
/// Parts of uploads that are in memory at the same time, whatever the number of uploads.
const PARTS_IN_MEMORY: usize = 12;

/// A bucket.
#[derive(Clone, Debug)]
pub(crate) struct S3 {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: AmazonS3,
    /// For questions that somebody waits for: without patience.
    quick: AmazonS3,
    /// For URLs that clients outside use: it asks nobody.
    signer: AmazonS3,
    url: S3Url,
    handle: Handle,
    memory: Semaphore,
    /// The store knows `If-None-Match: *`, as far as is known.
    conditional: AtomicBool,
}

impl S3 {
    pub(crate) async fn connect(
        url: &S3Url,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, BlobError> {
        let environment: Vec<_> = environment.into_iter().collect();
        let quick = client(url, &environment, retries(Duration::ZERO), own_times())?;
        let outside =
            S3Url { endpoint: url.public_endpoint.clone().or_else(|| url.endpoint.clone()), ..url.clone() };
        let signer = client(&outside, &environment, retries(Duration::ZERO), own_times())?;
        let client = client(url, &environment, retries(RETRY_FOR), own_times())?;
        let s3 = Self {
            inner: Arc::new(Inner {
                client,
                quick,
                signer,
                url: url.clone(),
                handle: Handle::current(),
                memory: Semaphore::new(PARTS_IN_MEMORY),
                conditional: AtomicBool::new(true),
            }),
        };
        let started = Instant::now();
        let mut said: Option<Instant> = None;
        loop {
            match s3.inner.probe().await {
                Err(error @ BlobError::Unavailable { .. }) if started.elapsed() < START_PATIENCE => {
                    if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
                        said = Some(Instant::now());
                        let (waited, at_most) = (started.elapsed().as_secs(), START_PATIENCE.as_secs());
                        tracing::warn!(%error, waited, at_most, "waiting for the store of evidence");
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                outcome => return outcome.map(|()| s3),
            }
        }
    }

    /// The bucket, for what is not kept as evidence is.
    pub(crate) fn as_bucket(&self) -> Bucket {
        Bucket::of(self.inner.client.clone(), self.inner.signer.clone(), self.inner.url.clone())
    }

    /// Whether the store answers, within a few seconds.
    pub(crate) fn check(&self) -> Result<(), BlobError> {
        self.wait(self.inner.probe())
    }

    pub(crate) fn contains(&self, digest: &Digest) -> Result<bool, BlobError> {
        self.wait(self.inner.size(&self.inner.path(digest))).map(|size| size.is_some())
    }

    pub(crate) fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        self.wait(async {
            for path in [self.inner.path(digest), self.inner.reference_path(digest)] {
                match self.inner.client.delete(&path).await {
                    Ok(()) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(self.inner.explain("removing evidence", &error)),
                }
            }
            Ok(())
        })
    }

    /// Says where the bytes of a blob are.
    pub(crate) fn keep_reference(&self, digest: &Digest, text: Vec<u8>) -> Result<(), BlobError> {
        let put = self.wait(self.inner.client.put(&self.inner.reference_path(digest), text.into()));
        put.map(drop).map_err(|error| self.inner.explain("writing a reference", &error))
    }

    /// What was said of where the bytes of a blob are.
    pub(crate) fn reference(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        self.wait(async {
            match self.inner.client.get(&self.inner.reference_path(digest)).await {
                Ok(found) => found.bytes().await.map(|bytes| Some(bytes.to_vec())),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
            .map_err(|error| self.inner.explain("reading a reference", &error))
        })
    }

    pub(crate) fn object(&self, digest: &Digest) -> Result<Object, BlobError> {
        Object::open(self, digest)
    }

    /// Waits for a request, on a thread that may block.
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.inner.handle.block_on(work)
    }
}

impl Inner {
    fn root(&self) -> Path {
        Path::from(self.url.prefix.as_str())
    }

    fn path(&self, digest: &Digest) -> Path {
        let name = digest.to_string();
        let (shard, rest) = name.split_at(2);
        self.root().join("blobs").join(shard).join(format!("{rest}.zst"))
    }

    fn reference_path(&self, digest: &Digest) -> Path {
        let name = digest.to_string();
        let (shard, rest) = name.split_at(2);
        self.root().join("blobs").join(shard).join(format!("{rest}.ref"))
    }

    /// Asks for something that is not there: a store that says so is there, and so is the bucket.
    async fn probe(&self) -> Result<(), BlobError> {
        let what = "asking the store of evidence";
        let nothing = self.root().join("probe");
        // Listing tells a bucket that is not there from an object that is not.
        let asking = self.quick.list_with_delimiter(Some(&nothing));
        match timeout(CHECK_PATIENCE, asking).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.explain(what, &error)),
            Err(_) => Err(BlobError::Unavailable {
                what: what.to_owned(),
                reason: format!("{} does not answer within {} s", self.url, CHECK_PATIENCE.as_secs()),
            }),
        }
    }

    /// The size of an object, if there is one.
    async fn size(&self, path: &Path) -> Result<Option<u64>, BlobError> {
        match self.client.head(path).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.explain("looking for evidence", &error)),
        }
    }

    fn conditional(&self) -> bool {
        self.conditional.load(Ordering::Relaxed)
    }

    fn explain(&self, what: &str, error: &Error) -> BlobError {
        explain(&self.url, what, error)
    }
}

fn retries(for_time: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() },
        max_retries: if for_time == Duration::ZERO { 0 } else { 1000 },
        retry_timeout: for_time,
    }
}

/// A client for a bucket of others.
pub(crate) fn source_client(url: &S3Url, environment: &[(String, String)]) -> Result<AmazonS3, BlobError> {
    let times = ClientOptions::new()
        .with_timeout(REQUEST_TIME)
        .with_read_timeout(SOURCE_SILENCE)
        .with_connect_timeout(SOURCE_CONNECT);
    client(url, environment, retries(SOURCE_RETRY_FOR), times)
}

fn own_times() -> ClientOptions {
    ClientOptions::new().with_timeout(REQUEST_TIME).with_connect_timeout(CHECK_PATIENCE)
}

fn client(
    url: &S3Url,
    environment: &[(String, String)],
    retry: RetryConfig,
    times: ClientOptions,
) -> Result<AmazonS3, BlobError> {
    // Whoever was first has chosen the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let refused = |reason: String| BlobError::Refused { what: format!("opening {url}"), reason };
    let mut builder = AmazonS3Builder::new();
    for (name, value) in environment.iter().filter(|(name, _)| name.starts_with("AWS_")) {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(&url.bucket)
        .with_virtual_hosted_style_request(!url.path_style)
        .with_retry(retry);
    let user_agent = "panicle".parse().map_err(|_| refused("no user agent".to_owned()))?;
    let mut options = times.with_user_agent(user_agent);
    if let Some(endpoint) = &url.endpoint {
        options = options.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint);
        // Elsewhere than at AWS nobody hands out credentials to whoever asks from within.
        let given = [
            AmazonS3ConfigKey::AccessKeyId,
            AmazonS3ConfigKey::WebIdentityTokenFile,
            AmazonS3ConfigKey::ContainerCredentialsFullUri,
            AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
        ];
        if !given.iter().any(|key| builder.get_config_value(key).is_some_and(|value| !value.is_empty())) {
            let reason = "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Err(refused(reason.to_owned()));
        }
    }
    if let Some(region) = &url.region {
        builder = builder.with_region(region);
    }
    builder.with_client_options(options).build().map_err(|error| refused(error.to_string()))
}
