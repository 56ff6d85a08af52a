//! One bug's death, and what is told of it by each kind of evidence.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Job, build, score::Crash};
use crate::fixtures::Ground;
use crate::process;

/// What a process left, in a folder of its own.
pub(super) struct Died<'a> {
    bug: &'a str,
    job: Job,
    binary: &'a Path,
    core: PathBuf,
    /// Names of the kinds of text, and the files.
    texts: Vec<(&'static str, PathBuf)>,
}

impl<'a> Died<'a> {
    /// Lets the program die twice: once with all that the runtime can tell, once as it does by default.
    pub(super) fn of(
        bug: &'a str,
        job: Job,
        binary: &'a Path,
        ground: &Ground,
        folder: &Path,
    ) -> Result<Self> {
        let folder = folder.join("deaths").join(bug);
        fs::create_dir_all(&folder)?;
        ground.die(job.build.arch, binary, &folder, &[bug])?;
        let full = folder.join("stderr.txt");
        let mut command = build::command(job, ground, binary, bug)?;
        let output = command.stdin(Stdio::null()).current_dir(&folder).output()?;
        let (short, log) = (folder.join("default.txt"), folder.join("service.log"));
        fs::write(&log, in_a_log(&output.stderr))?;
        fs::write(&short, output.stderr)?;
        let texts = vec![("text, all goroutines", full), ("text", short), ("log", log)];
        Ok(Self { bug, job, binary, core: folder.join("core"), texts })
    }

    /// Analyses each and deletes it.
    pub(super) fn analyse(self, panicle: &Path) -> Result<Vec<Crash>> {
        let mut analyses = Vec::new();
        let mut core = Command::new(panicle);
        core.arg("analyze").arg(&self.core).arg("--binary").arg(self.binary);
        analyses.push(("core", core));
        for (kind, text) in &self.texts {
            let mut command = Command::new(panicle);
            command.arg("analyze").arg("--text").arg(text);
            analyses.push((kind, command));
        }
        let mut crashes = Vec::new();
        for (kind, mut command) in analyses {
            command.args(["--format", "json", "--goroutines", "summary"]);
            let json = process::output(&mut command).with_context(|| format!("{} of {kind}", self.bug))?;
            let report: Value = serde_json::from_slice(&json)?;
            let text = |of: &str, name: &str| report[of][name].as_str().unwrap_or_default().to_owned();
            crashes.push(Crash {
                bug: self.bug.to_owned(),
                go: self.job.version.to_owned(),
                build: self.job.build.name.to_owned(),
                evidence: kind.to_owned(),
                class: text("verdict", "class"),
                fingerprint: text("signature", "fingerprint"),
                family: text("signature", "family"),
                title: text("signature", "title"),
                frames: serde_json::from_value(report["signature"]["frames"].clone())?,
            });
        }
        fs::remove_dir_all(self.core.parent().context("a core without a folder")?)?;
        Ok(crashes)
    }
}

/// The text as a container's log has it: each line in an envelope, among others.
fn in_a_log(stderr: &[u8]) -> Vec<u8> {
    let mut log = Vec::new();
    let mut line = |stream: &str, text: &[u8]| {
        log.extend_from_slice(b"2026-03-01T04:05:06.123456789Z ");
        log.extend_from_slice(stream.as_bytes());
        log.extend_from_slice(b" F ");
        log.extend_from_slice(text);
        log.push(b'\n');
    };
    line("stdout", b"level=info msg=\"listening\" port=8080");
    for text in stderr.split(|&byte| byte == b'\n') {
        line("stderr", text);
    }
    line("stdout", b"level=info msg=\"starting\" version=1.2.3");
    log
}
