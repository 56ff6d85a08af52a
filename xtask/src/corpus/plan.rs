//! Which bugs there are, and in which ways they are built.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use panicle_fixtures::Arch;
use serde::Deserialize;

/// A way to build the program, and which state of its sources.
pub(super) struct Build {
    pub(super) name: &'static str,
    pub(super) arch: Arch,
    /// Folder of the sources, below one that nobody chose.
    pub(super) folder: &'static str,
    pub(super) flags: &'static [&'static str],
    /// Version of the module that the program uses.
    pub(super) ledger: &'static str,
    pub(super) vendored: bool,
    /// Lines that every file of the program grew at its top.
    pub(super) moved: usize,
}

/// Index of the way that needs nothing.
pub(super) const PLAIN: usize = 0;
/// Index of the one that differs most from it.
pub(super) const NEXT: usize = 3;

/// All ways.
pub(super) const BUILDS: &[Build] = &[
    Build {
        name: "plain",
        arch: Arch::Amd64,
        folder: "shop",
        flags: &[],
        ledger: "v1.4.2",
        vendored: false,
        moved: 0,
    },
    Build {
        name: "noopt",
        arch: Arch::Amd64,
        folder: "src/github.com/shop",
        flags: &["-gcflags=all=-N -l"],
        ledger: "v1.4.2",
        vendored: false,
        moved: 3,
    },
    Build {
        name: "vendored",
        arch: Arch::Amd64,
        folder: "build/vendor/checkout",
        flags: &["-ldflags=-w"],
        ledger: "v1.4.2",
        vendored: true,
        moved: 0,
    },
    Build {
        name: "next",
        arch: Arch::Amd64,
        folder: "w",
        flags: &["-trimpath", "-buildmode=pie", "-ldflags=-s -w"],
        ledger: "v1.5.0",
        vendored: false,
        moved: 41,
    },
    Build {
        name: "arm64",
        arch: Arch::Arm64,
        folder: "go/shop@2024",
        flags: &["-ldflags=-s -w"],
        ledger: "v1.5.0",
        vendored: false,
        moved: 7,
    },
];

/// bugs.toml.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bugs {
    bugs: BTreeMap<String, String>,
    /// Classes that a text may have instead of one.
    text: BTreeMap<String, Vec<String>>,
}

impl Bugs {
    /// Reads the file; with names, those alone.
    pub(super) fn load(folder: &Path, only: &[String]) -> Result<Self> {
        let path = folder.join("bugs.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut bugs: Self = toml::from_str(&text).with_context(|| path.display().to_string())?;
        if let Some(unknown) = only.iter().find(|name| !bugs.bugs.contains_key(*name)) {
            bail!("there is no bug {unknown} in {}", path.display());
        }
        if !only.is_empty() {
            bugs.bugs.retain(|name, _| only.contains(name));
        }
        Ok(bugs)
    }

    /// Their names, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.bugs.keys().map(String::as_str)
    }

    /// Whether a crash of the bug may be given that class.
    pub(super) fn allows(&self, bug: &str, class: &str, text: bool) -> bool {
        let Some(expected) = self.bugs.get(bug) else { return false };
        let others = self.text.get(expected).filter(|_| text);
        expected == class || others.is_some_and(|others| others.iter().any(|other| other == class))
    }
}
