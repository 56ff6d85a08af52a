use std::path::PathBuf;

use thiserror::Error;

/// Why something could not be sent.
#[derive(Debug, Error)]
pub enum UploadError {
    /// The server's address is none.
    #[error("{0} is no server address: it starts with http:// or https://")]
    Server(String),
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The service says no to what was sent, and would again.
    #[error("{what}: {detail}")]
    Refused {
        /// What was sent.
        what: String,
        /// The service's answer.
        detail: String,
    },
    /// The service cannot be reached, or fails.
    #[error("{server}: {detail}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What happened.
        detail: String,
    },
}
