use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    thread::JoinHandle,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinSet};

const ACCESS_KEY: &str = "panicle-test";
const SECRET_KEY: &str = "not-a-secret-anywhere";
const BUCKET: &str = "crashes";

/// An S3 server over HTTP on a loopback address, with one bucket, on a thread of this process. It checks
/// signatures. It stops, and its bucket is gone, when this is dropped.
pub struct S3Server {
    directory: TempDir,
    address: SocketAddr,
    keys: [String; 2],
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl S3Server {
    /// Starts one with an empty bucket and credentials of its own.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[expect(clippy::new_without_default, reason = "it starts a server")]
    pub fn new() -> Self {
        Self::with(ACCESS_KEY, SECRET_KEY)
    }

    /// Starts one with an empty bucket that takes these credentials.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn with(access_key: &str, secret_key: &str) -> Self {
        let keys = [access_key.to_owned(), secret_key.to_owned()];
        let directory = tempfile::Builder::new().prefix("panicle-s3-").tempdir().unwrap();
        std::fs::create_dir(directory.path().join(BUCKET)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let running = Some(run(listener, directory.path(), &keys));
        Self { directory, address, keys, running }
    }

    /// `http://…`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of the bucket, or of a part of it, as `--blobs` takes it.
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}?endpoint={}", self.endpoint())
    }

    /// The credentials that it takes, as variables of the environment.
    pub fn environment(&self) -> [(String, String); 2] {
        let [access_key, secret_key] = self.keys.clone();
        [("AWS_ACCESS_KEY_ID".to_owned(), access_key), ("AWS_SECRET_ACCESS_KEY".to_owned(), secret_key)]
    }

    /// Where the bucket's objects lie as files.
    pub fn bucket(&self) -> std::path::PathBuf {
        self.directory.path().join(BUCKET)
    }

    /// Breaks all connections off and takes no more.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    /// Listens again where it did before it was stopped.
    ///
    /// # Panics
    ///
    /// When somebody else has taken the address meanwhile.
    pub fn start(&mut self) {
        if self.running.is_none() {
            // The standard library's listeners reuse an address whose connections are still ending.
            let listener = TcpListener::bind(self.address).unwrap();
            self.running = Some(run(listener, self.directory.path(), &self.keys));
        }
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(
    listener: TcpListener,
    directory: &Path,
    [access_key, secret_key]: &[String; 2],
) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, mut stopped) = oneshot::channel();
    let mut service = S3ServiceBuilder::new(FileSystem::new(directory).unwrap());
    service.set_auth(SimpleAuth::from_single(access_key.as_str(), secret_key.as_str()));
    let service = service.build();
    listener.set_nonblocking(true).unwrap();
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let mut connections = JoinSet::new();
        loop {
            let socket = tokio::select! {
                accepted = listener.accept() => accepted.unwrap().0,
                _ = &mut stopped => break,
            };
            let service = service.clone();
            connections.spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
            while connections.try_join_next().is_some() {}
        }
        connections.shutdown().await;
    };
    let thread = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(serve);
    });
    (stop, thread)
}
