//! The checks of the web UI; what each does is in web/package.json.

use anyhow::Result;

use super::count::{Count, count};
use crate::{process, web};

pub(super) fn install() -> Result<Count> {
    web::install()?;
    Ok(Count::NONE)
}

pub(super) fn types() -> Result<Count> {
    script("typecheck")
}

pub(super) fn lint() -> Result<Count> {
    script("lint")
}

pub(super) fn unit() -> Result<Count> {
    count(&process::tee(web::npm()?.args(["run", "test"]))?).complete()
}

pub(super) fn build() -> Result<Count> {
    web::build()?;
    Ok(Count::NONE)
}

fn script(name: &str) -> Result<Count> {
    process::run(web::npm()?.args(["run", name]))?;
    Ok(Count::NONE)
}
