//! Sends one thing after another, with a bar on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use panicle_collect::{Client, Evidence, Piped, Stored};

use super::{Arguments, Kind, failure, given::Given, known::known};
use crate::exit::Failure;

/// How long a service is waited for that has answered before.
const PATIENCE: Duration = Duration::from_mins(5);

/// Whoever sends.
pub(super) struct Sender {
    pub(super) client: Client,
    bar: ProgressBar,
    /// What a pipe is called, and how long it is.
    name: Option<String>,
    size: Option<u64>,
}

impl Sender {
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Failure> {
        // Draws on a terminal only.
        let bar = ProgressBar::hidden();
        let says = bar.clone();
        let client = Client::new(&arguments.server, arguments.token.token()?).map_err(failure)?;
        let client = match arguments.max_wait.map(Duration::from_secs) {
            // Whoever says how long means it, whether the service was ever there or not.
            Some(asked) => client.with_patience(asked).with_patience_at_first(asked),
            None => client.with_patience(PATIENCE),
        };
        let client = client
            .of_project(arguments.project.clone())
            .with_notice(move |text| says.suspend(|| eprintln!("panicle: {text}")));
        Ok(Self { client, bar, name: arguments.name.clone(), size: arguments.size })
    }

    pub(super) fn send(&self, given: Given) -> Result<Stored, Failure> {
        let Given { kind, path, piped } = given;
        let Some(mut input) = piped else {
            if kind == Kind::Binary
                && let Some(stored) = known(&self.client, &path).map_err(failure)?
            {
                return Ok(stored);
            }
            let size = path.metadata().map_or(0, |meta| meta.len());
            self.begin(&file_name(&path), Some(size));
            let stored = self.client.upload(kind.name(), &path, &mut |bytes| self.bar.set_position(bytes));
            self.bar.finish_and_clear();
            return stored.map_err(failure);
        };
        let unnamed = path.as_os_str() == "-";
        let name = self.name.clone();
        let name = name.unwrap_or_else(|| if unnamed { "stdin".to_owned() } else { file_name(&path) });
        let what = if unnamed { "standard input".to_owned() } else { path.display().to_string() };
        self.begin(&name, self.size);
        let piped = Piped {
            evidence: Evidence { kind: kind.name(), name: &name, what: &what },
            input: &mut input,
            size: self.size,
        };
        let stored = self.client.upload_piped(piped, &mut |bytes| self.bar.set_position(bytes));
        self.bar.finish_and_clear();
        stored.map_err(failure)
    }

    fn begin(&self, name: &str, size: Option<u64>) {
        self.bar.reset();
        let template = match size {
            Some(size) => {
                self.bar.set_length(size);
                "{msg} {bar:30} {bytes}/{total_bytes} {eta}"
            }
            None => "{msg} {spinner} {bytes} {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_message(name.to_owned());
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
