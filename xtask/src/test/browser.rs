//! The browser tests: a real server, real crashes, a real browser.

use anyhow::Result;

use super::count::{Count, count};
use super::tools;
use crate::{paths, process, web};

/// Runs `npm run e2e` with what its tests are promised in the environment: `PANICLE_BIN` (the
/// release binary with the UI in it), `PANICLE_FIXTURES` (the index of crashes) and
/// `PANICLE_CHROMIUM`.
pub(super) fn run() -> Result<Count> {
    let chromium = tools::chromium()?;
    let mut command = web::npm()?;
    command
        .args(["run", "e2e"])
        .env("PANICLE_BIN", paths::release_binary()?)
        .env("PANICLE_FIXTURES", panicle_fixtures::index_path(&paths::cache()?))
        .env("PANICLE_CHROMIUM", chromium);
    count(&process::tee(&mut command)?).complete()
}
