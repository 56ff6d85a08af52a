//! The crash that a new user sees first.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fixtures::{self, toolchain};
use crate::paths;

/// The program: many goroutines with labels, and a nil map three calls below a worker.
pub(crate) const PROGRAM: &str = "order-service";

/// Core, executable and text in tests/recorded. (A file called `core` would be ignored by git.)
const RECORDED: [&str; 3] =
    ["order-service.core.zst", "order-service.executable.zst", "order-service.stderr.txt.zst"];

/// A file, as it is or compressed.
pub(crate) struct Part {
    path: PathBuf,
}

/// A crash to send.
pub(crate) struct Sample {
    /// What the service is called.
    pub(crate) service: &'static str,
    /// ELF core.
    pub(crate) core: Part,
    /// Executable.
    pub(crate) binary: Part,
    /// What the runtime printed.
    pub(crate) text: Part,
}

impl Part {
    /// The name that the file has, or had before it was compressed.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_suffix(".zst").unwrap_or(&name).to_owned()
    }

    /// Its (decompressed) bytes.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>> {
        let file = File::open(&self.path).with_context(|| format!("cannot open {}", self.path.display()))?;
        if self.path.extension().is_some_and(|e| e == "zst") {
            return Ok(Box::new(zstd::Decoder::new(file)?));
        }
        Ok(Box::new(file))
    }
}

/// A crash made on this machine when Go is there or can be installed, else the recorded one.
pub(crate) fn get() -> Sample {
    made().unwrap_or_else(|error| {
        eprintln!("the recorded crash is sent, since none could be made here: {error:#}");
        recorded()
    })
}

fn made() -> Result<Sample> {
    let cache = paths::cache()?;
    let newest_first = toolchain::VERSIONS.iter().rev();
    let toolchain = match newest_first.clone().find_map(|version| toolchain::find(&cache, version)) {
        Some(toolchain) => toolchain,
        None => toolchain::ensure(&cache, newest_first.clone().next().context("no version is supported")?)?,
    };
    eprintln!("building {PROGRAM} with Go {} and letting it crash", toolchain.version);
    let fixture = fixtures::make_one(&cache, PROGRAM, &toolchain)?;
    Ok(sample(fixture.core, fixture.binary, fixture.stderr))
}

/// tests/recorded; `cargo xtask fixtures --record` writes it.
pub(crate) fn recorded_folder() -> PathBuf {
    paths::root().join("tests").join("recorded").join(PROGRAM)
}

fn recorded() -> Sample {
    let [core, binary, text] = RECORDED.map(|name| recorded_folder().join(name));
    sample(core, binary, text)
}

fn sample(core: PathBuf, binary: PathBuf, text: PathBuf) -> Sample {
    Sample {
        service: PROGRAM,
        core: Part { path: core },
        binary: Part { path: binary },
        text: Part { path: text },
    }
}

/// Compresses a fixture into tests/recorded.
pub(crate) fn record(fixture: &panicle_fixtures::Fixture) -> Result<()> {
    let folder = recorded_folder();
    std::fs::create_dir_all(&folder)?;
    for (file, name) in [&fixture.core, &fixture.binary, &fixture.stderr].into_iter().zip(RECORDED) {
        compress(file, &folder.join(name))?;
    }
    Ok(())
}

fn compress(from: &Path, to: &Path) -> Result<()> {
    let mut encoder = zstd::Encoder::new(File::create(to)?, 19)?;
    encoder.include_checksum(true)?;
    std::io::copy(&mut File::open(from)?, &mut encoder)?;
    encoder.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_crash_is_whole() {
        let sample = recorded();
        for (part, magic) in
            [(sample.core, b"\x7fELF".as_slice()), (sample.binary, b"\x7fELF"), (sample.text, b"")]
        {
            let mut bytes = Vec::new();
            part.open().unwrap().read_to_end(&mut bytes).unwrap();
            assert!(bytes.starts_with(magic) && !bytes.is_empty(), "{}", part.name());
            assert!(!part.name().contains(".zst"));
        }
    }
}
