//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the work tree.
pub(crate) fn root() -> PathBuf {
    // Compiled in: xtask is always run from the tree that it was built from.
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// Root of everything downloaded, built or recorded; created when absent.
pub(crate) fn cache() -> Result<PathBuf> {
    let root = panicle_fixtures::cache_root()?;
    std::fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
    Ok(root)
}

/// Where cargo puts what it builds (`CARGO_TARGET_DIR` and cargo's configuration count).
pub(crate) fn target() -> Result<PathBuf> {
    let mut command = crate::process::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let text = crate::process::output(&mut command)?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&text).context("cargo metadata printed something that is no JSON")?;
    let directory =
        metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(PathBuf::from(directory))
}

/// The release binary of the product.
pub(crate) fn release_binary() -> Result<PathBuf> {
    Ok(target()?.join("release").join("panicle"))
}

/// The first of `names` that is an executable file in `PATH`.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |dir| dir.join(name)))
        .find(|file| nix::unistd::access(file, nix::unistd::AccessFlags::X_OK).is_ok() && file.is_file())
}
