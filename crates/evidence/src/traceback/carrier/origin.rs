//! What a carrier says of the process whose lines it carries: when they were written, by which process, where.
//!
//! Formats: RFC 3164 and 5424 of syslog; `journalctl -o short`, `short-iso`, `short-unix`, `short-full` and `json`
//! (systemd.journal-fields(7)); docker's json-file; CRI; compose; `kubectl logs --prefix`; records and prefixes of
//! loggers (slog, zap, zerolog, logrus, Go's `log`). Times without a year or a zone are not times of anything: they
//! are said to be there and not read.

mod record;
mod time;

use jiff::Timestamp;

use super::{json, prefix};
use time::Written;

/// Prefixes that are stacked at most.
const MAX_PREFIXES: usize = 6;
/// Longest name of a host or a container.
const MAX_NAME: usize = 255;

/// Where a crash in a text comes from and when its lines were written, as far as what carries them says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// When the line in which it begins was written.
    pub time: Option<Timestamp>,
    /// What is written where that time should be, if it tells none: why it does not.
    pub no_time: Option<String>,
    /// Number of the process, as its host counts them.
    pub pid: Option<i32>,
    /// The host.
    pub hostname: Option<String>,
    /// The container, by name or id.
    pub container: Option<String>,
    /// The pod.
    pub pod: Option<String>,
}

impl Origin {
    /// What a line of a log says, from all that stands before what it carries.
    pub(in super::super) fn of(line: &[u8]) -> Self {
        let mut origin = Self::default();
        let rest = origin.prefixes(line);
        if json::is_object(rest) {
            record::read(rest, &mut origin);
        } else if let Some(text) = time::logfmt(rest) {
            origin.written(time::text(text));
        }
        origin
    }

    fn prefixes<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        let mut timed = false;
        for _ in 0..MAX_PREFIXES {
            if let Some(length) = prefix::priority(rest) {
                rest = &rest[length..];
                if let Some(after) = rest.strip_prefix(b"1 ") {
                    return self.rfc5424(after);
                }
            } else if let Some((written, length)) = time::leading(rest, timed) {
                timed = true;
                self.written(written);
                rest = trim(&rest[length..]);
                for stream in [&b"stderr F "[..], b"stdout F ", b"stderr P ", b"stdout P "] {
                    rest = rest.strip_prefix(stream).unwrap_or(rest);
                }
            } else if let Some((unit, length)) = timed.then(|| unit(rest)).flatten() {
                // What a container's log driver writes for the container has the driver's number.
                self.hostname = self.hostname.take().or(unit.host);
                self.pid = self.pid.or(unit.pid);
                rest = &rest[length..];
            } else if let Some((name, length)) = prefix::bracketed(rest) {
                let mut parts = name.strip_prefix(b"[pod/").unwrap_or(name).split(|&b| b == b'/');
                self.pod = parts.next().and_then(self::name);
                self.container = parts.next().and_then(self::name);
                rest = &rest[length..];
            } else if let Some((name, length)) = prefix::compose(rest) {
                self.container = self::name(name);
                rest = &rest[length..];
            } else {
                break;
            }
        }
        rest
    }

    /// `TIME HOST APP PROCID MSGID SD MSG`, RFC 5424 section 6.
    fn rfc5424<'a>(&mut self, line: &'a [u8]) -> &'a [u8] {
        let mut words = line.splitn(7, |&b| b == b' ');
        let mut next = || words.next().filter(|word| *word != b"-");
        if let Some(time) = next() {
            self.written(time::text(time));
        }
        self.hostname = next().and_then(name);
        let _application = next();
        self.pid = next().and_then(pid);
        let (_message_id, _data) = (next(), next());
        words.next().unwrap_or_default()
    }

    /// Takes a time, unless one is known.
    fn written(&mut self, written: Written) {
        match written {
            Written::At(time) if self.time.is_none() => {
                self.time = Some(time);
                self.no_time = None;
            }
            Written::Nothing(why) if self.time.is_none() && self.no_time.is_none() => {
                self.no_time = Some(why);
            }
            Written::At(_) | Written::Nothing(_) => {}
        }
    }
}

/// Who wrote a line of a journal.
struct Unit {
    host: Option<String>,
    pid: Option<i32>,
}

/// `host web[77]: `, which follows a time.
fn unit(line: &[u8]) -> Option<(Unit, usize)> {
    let window = &line[..line.len().min(2 * MAX_NAME)];
    let end = memchr::memmem::find(window, b"]:")?;
    let open = memchr::memrchr(b'[', &window[..end])?;
    let number = pid(&window[open + 1..end])?;
    let mut words = window[..open].split(|&b| b == b' ');
    let (host, program) = (words.next()?, words.next()?);
    if words.next().is_some() || program.is_empty() {
        return None;
    }
    let length = end + 2;
    let length = length + usize::from(line.get(length) == Some(&b' '));
    // `docker`, `containerd` and the like write for others; so does `logger`.
    let own = !matches!(program, b"dockerd" | b"docker" | b"podman" | b"conmon" | b"containerd" | b"logger");
    Some((Unit { host: name(host), pid: Some(number).filter(|_| own) }, length))
}

fn trim(line: &[u8]) -> &[u8] {
    line.strip_prefix(b" ").unwrap_or(line)
}

/// A number that a process can have.
fn pid(text: &[u8]) -> Option<i32> {
    i32::try_from(crate::scan::decimal(text)?).ok().filter(|pid| *pid > 0)
}

/// A name that a host or a container can have.
fn name(text: &[u8]) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= MAX_NAME && text.iter().all(u8::is_ascii_graphic);
    let text = std::str::from_utf8(text).ok()?;
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
