//! The token that a command shows to a service.

use std::{fs, path::PathBuf};

use clap::Args;

use crate::exit::Failure;

/// Where the token comes from. Other users of a machine see the arguments of a process, and neither its environment nor
/// its files.
#[derive(Args)]
pub(crate) struct TokenArguments {
    /// Access token. Other users of this machine can read arguments; PANICLE_TOKEN or --token-file keep it to yourself.
    #[arg(long, value_name = "T", env = "PANICLE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// File with the access token, which is used before --token.
    #[arg(long, value_name = "FILE", env = "PANICLE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// Tokens are printed once, by whoever makes them.
impl std::fmt::Debug for TokenArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenArguments").field("token_file", &self.token_file).finish_non_exhaustive()
    }
}

impl TokenArguments {
    /// The token, if there is one.
    pub(crate) fn token(&self) -> Result<Option<String>, Failure> {
        let (text, from) = match (&self.token_file, &self.token) {
            (Some(path), _) => {
                let text = fs::read_to_string(path)
                    .map_err(|error| Failure::Arguments(format!("{}: {error}", path.display())))?;
                (text, path.display().to_string())
            }
            (None, Some(text)) => (text.clone(), "--token or PANICLE_TOKEN".to_owned()),
            (None, None) => return Ok(None),
        };
        let text = text.trim();
        // An empty variable is how scripts say that there is none.
        if text.is_empty() && self.token_file.is_none() {
            return Ok(None);
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Arguments(format!("what is in {from} is no token")));
        }
        Ok(Some(text.to_owned()))
    }
}
