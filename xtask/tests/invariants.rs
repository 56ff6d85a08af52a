//! The invariants of ARCHITECTURE.md, held against `cargo metadata` and the source.
//!
//! A rule that only a document knows is broken within a month. Each test here names its invariant.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping, its helpers too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// Crates that take bytes and give values, and do nothing else.
const PURE: [&str; 7] = [
    "panicle-image",
    "panicle-binary",
    "panicle-goruntime",
    "panicle-evidence",
    "panicle-report",
    "panicle-analysis",
    "panicle-query",
];

/// What each crate of ours may depend on, one way.
const MAY_DEPEND_ON: [(&str, &[&str]); 17] = [
    ("panicle-report", &[]),
    ("panicle-image", &["panicle-report"]),
    ("panicle-binary", &["panicle-image", "panicle-report"]),
    ("panicle-goruntime", &["panicle-image", "panicle-binary", "panicle-report"]),
    ("panicle-evidence", &["panicle-report"]),
    (
        "panicle-analysis",
        &["panicle-image", "panicle-binary", "panicle-goruntime", "panicle-evidence", "panicle-report"],
    ),
    ("panicle-sandbox", &["panicle-report"]),
    ("panicle-query", &["panicle-report"]),
    ("panicle-store", &["panicle-query", "panicle-report"]),
    ("panicle-blobs", &[]),
    (
        "panicle-server",
        &[
            "panicle-store",
            "panicle-blobs",
            "panicle-sandbox",
            "panicle-query",
            "panicle-report",
            "panicle-binary",
        ],
    ),
    (
        "panicle-worker",
        &["panicle-store", "panicle-blobs", "panicle-sandbox", "panicle-query", "panicle-report"],
    ),
    ("panicle-collect", &[]),
    ("panicle-fixtures", &[]),
    ("panicle-synth", &[]),
    ("panicle-backends", &[]),
    ("panicle-unpack", &["panicle-binary"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).exec().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Everything that ends up in a build of `package`, by name; development dependencies do not.
fn closure(metadata: &Metadata, package: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata.packages.iter().find(|found| found.name.as_str() == package).unwrap();
    let mut seen = BTreeSet::from([&start.id]);
    let mut open = vec![&start.id];
    while let Some(id) = open.pop() {
        for dependency in &nodes[id].deps {
            let normal = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if normal && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    metadata
        .packages
        .iter()
        .filter(|found| seen.contains(&found.id) && found.name.as_str() != package)
        .map(|found| found.name.to_string())
        .collect()
}

/// The direct dependencies of `package` that its build uses, by name.
fn direct(metadata: &Metadata, package: &str) -> BTreeSet<String> {
    let found = metadata.packages.iter().find(|found| found.name.as_str() == package).unwrap();
    let normal = found.dependencies.iter().filter(|found| found.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.clone()).collect()
}

/// Source files of a crate, without its tests: path and text. What follows `#[cfg(test)]` at the end
/// of a file is left out.
fn sources(package: &str) -> Vec<(PathBuf, String)> {
    let folder = root().join("crates").join(package.trim_start_matches("panicle-")).join("src");
    let mut found = Vec::new();
    collect(&folder, &mut found);
    assert!(!found.is_empty(), "no source in {}", folder.display());
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if matches!(name, "tests" | "testing") {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
            found.push((path, code));
        }
    }
}

/// Lines of `text` that are code, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.starts_with("//"))
}

/// Fails with every line of the crate that has one of `words`.
fn assert_free_of(package: &str, words: &[&str], allowed: impl Fn(&Path) -> bool) {
    let mut found = Vec::new();
    for (path, text) in sources(package).iter().filter(|(path, _)| !allowed(path)) {
        for (number, line) in code(text) {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{words:?} must not occur in {package}:\n{}", found.join("\n"));
}

#[test]
fn pure_crates_do_no_io_and_know_no_time() {
    let metadata = metadata();
    for package in PURE {
        let closure = closure(&metadata, package);
        for forbidden in ["tokio", "sqlx", "axum", "object_store", "ureq", "reqwest", "mio"] {
            assert!(!closure.contains(forbidden), "{package} must not depend on {forbidden}");
        }
        let words =
            ["std::fs", "std::net", "std::env", "std::process", "SystemTime", "Instant::now", "std::thread"];
        assert_free_of(package, &words, |_| false);
    }
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let allowed: BTreeMap<_, _> = MAY_DEPEND_ON.into_iter().collect();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some(allowed) = allowed.get(name) else {
            assert!(matches!(name, "panicle" | "xtask"), "{name} is not in this test's table: add it");
            continue;
        };
        for dependency in direct(&metadata, name) {
            let ours = dependency.starts_with("panicle");
            assert!(!ours || allowed.contains(&dependency.as_str()), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn the_report_is_a_leaf() {
    let metadata = metadata();
    let report = metadata.packages.iter().find(|found| found.name.as_str() == "panicle-report").unwrap();
    let required = report
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal && !dependency.optional)
        .map(|dependency| dependency.name.as_str());
    assert_eq!(required.collect::<Vec<_>>(), ["serde"]);
}

#[test]
fn only_store_names_sql_and_only_blobs_the_object_store() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let direct = direct(&metadata, name);
        assert!(name == "panicle-store" || !direct.contains("sqlx"), "{name} must not use sqlx");
        assert!(name == "panicle-blobs" || !direct.contains("object_store"), "{name}: object_store");
    }
    for package in ["panicle-server", "panicle-worker"] {
        assert_free_of(package, &["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"], |_| false);
    }
}

/// A process that holds sockets or credentials never parses foreign bytes. The server may look at
/// the first bytes of an upload to say that it is no core ([`panicle_binary::identify`]).
#[test]
fn the_service_parses_nothing() {
    let metadata = metadata();
    for package in ["panicle-server", "panicle-worker", "panicle-store", "panicle-blobs", "panicle-collect"] {
        let direct = direct(&metadata, package);
        for engine in
            ["panicle-image", "panicle-goruntime", "panicle-evidence", "panicle-analysis", "panicle-unpack"]
        {
            assert!(!direct.contains(engine), "{package} must not use {engine}");
        }
        let words = ["Executable::parse", "Core::parse", "DwarfIndex", "Pclntab"];
        assert_free_of(package, &words, |_| false);
    }
}

/// Go version differences live in the layout and in the function table's header.
#[test]
fn nothing_else_asks_for_the_go_version() {
    let comparisons = ["version >", "version <", "version ==", "minor >", "minor <", "minor ==", "minor("];
    let may = |path: &Path| {
        let text = path.to_str().unwrap();
        text.ends_with("layout.rs") || text.contains("/layout/") || text.contains("/pclntab/")
    };
    for package in ["panicle-image", "panicle-binary", "panicle-goruntime", "panicle-analysis"] {
        assert_free_of(package, &comparisons, may);
    }
}

#[test]
fn unsafe_code_is_in_one_module() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        if matches!(name, "panicle" | "xtask") {
            continue;
        }
        assert_free_of(name, &["unsafe {", "unsafe fn", "unsafe impl"], |path| {
            path.ends_with("image/src/mmap.rs")
        });
    }
    // The lint does the rest: it is `forbid` for every crate but image.
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

/// No file has what git writes where a merge was not settled.
#[test]
fn no_merge_is_left_unsettled() {
    let listed =
        std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).unwrap();
    let mut found = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let Ok(text) = fs::read_to_string(root().join(name)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
                found.push(format!("{name}:{}: {line}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
