//! Names of files that others chose.

/// The last component of a path or a key of a bucket, as far as it is fit to be shown.
pub(crate) fn base_name(path: &str) -> Option<String> {
    let base: String = path.rsplit('/').next()?.chars().filter(|one| !one.is_control()).take(255).collect();
    (!base.is_empty()).then_some(base)
}
