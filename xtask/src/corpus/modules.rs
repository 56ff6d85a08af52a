//! The module that the program uses, served as a module proxy serves one: so it comes to lie in the go
//! command's cache, where a program's dependencies lie.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use zip::write::SimpleFileOptions;

use crate::paths;

/// Its path, and how proxies spell it (golang.org/x/mod/module, `EscapePath`).
const PATH: &str = "example.net/Books/ledger";
const ESCAPED: &str = "example.net/!books/ledger";

/// Versions and the folders of tests/corpus that hold them.
const VERSIONS: [(&str, &str); 2] = [("v1.4.2", "ledger"), ("v1.5.0", "ledger-next")];

/// A module proxy of files.
pub(super) struct Modules {
    proxy: PathBuf,
    /// GOPATH of all builds.
    pub(super) path: PathBuf,
}

impl Modules {
    /// Writes the proxy's files below `folder`.
    pub(super) fn prepare(folder: &Path) -> Result<Self> {
        let modules = Self { proxy: folder.join("proxy"), path: folder.join("go-path") };
        // What is in the go command's cache is never asked for again, so it goes when the sources change.
        for folder in [&modules.proxy, &modules.path] {
            if folder.exists() {
                fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
            }
        }
        let at = modules.proxy.join(ESCAPED).join("@v");
        fs::create_dir_all(&at)?;
        fs::write(at.join("list"), VERSIONS.map(|(version, _)| version).join("\n"))?;
        for (version, source) in VERSIONS {
            let source = paths::root().join("tests/corpus").join(source);
            let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2025-01-01T00:00:00Z\"}}");
            fs::write(at.join(format!("{version}.info")), info)?;
            fs::copy(source.join("go.mod"), at.join(format!("{version}.mod")))?;
            let mut zip = zip::ZipWriter::new(fs::File::create(at.join(format!("{version}.zip")))?);
            for file in ["go.mod", "ledger.go"] {
                zip.start_file(format!("{PATH}@{version}/{file}"), SimpleFileOptions::default())?;
                zip.write_all(&fs::read(source.join(file))?)?;
            }
            zip.finish()?;
        }
        Ok(modules)
    }

    /// GOPROXY.
    pub(super) fn proxy(&self) -> String {
        format!("file://{}", self.proxy.display())
    }

    /// The requirement of a version.
    pub(super) fn requirement(version: &str) -> String {
        format!("{PATH}@{version}")
    }
}
