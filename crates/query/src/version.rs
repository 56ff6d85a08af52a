//! Versions, in the order of what they stand for.
//!
//! Each version has a key, a text whose order as bytes is the order of the versions, so that a database can
//! compare versions without knowing what they are. Go: `go1.24rc1 < go1.24 = go1.24.0 < go1.24.1` (Go 1.27
//! internal/gover: betas, then release candidates, then releases). Modules: semantic versioning 2.0.0, in which
//! Go's pseudo-versions are pre-releases.

use std::fmt::Write;

use crate::{Ends, Interval, Op};

/// How versions of a field are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `go1.24.11`, `go1.25rc1`, `devel go1.26-abcdef`.
    Go,
    /// `v1.4.2`, `v0.0.0-20240102030405-abcdefabcdef`, `v2.0.0+incompatible`.
    Module,
}

/// A version in a query. One without all of its numbers stands for all that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As it is written, with its prefix: `go1.24`, `v1.4`.
    pub text: String,
    key: String,
    family: Option<String>,
}

/// Sorts after everything that a key can go on with.
const END: char = '\x7f';
/// Sorts after every pre-release.
const RELEASE: char = '~';

impl Scheme {
    /// What a version begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Module => "v",
        }
    }

    /// The key of a stored version; `None` if it has no place in the order, as `(devel)`.
    pub fn key(self, text: &str) -> Option<String> {
        match self {
            Self::Go => go(text).map(|version| version.0),
            Self::Module => {
                let version = semver::Version::parse(text.strip_prefix('v')?).ok()?;
                Some(module_key(&version))
            }
        }
    }

    /// A version of a query, with or without its prefix.
    pub fn version(self, text: &str) -> Option<Version> {
        let bare = text.strip_prefix(self.prefix()).unwrap_or(text);
        let written = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let version = bare.starts_with(|c: char| c.is_ascii_digit()) && bare.chars().all(written);
        if !version || bare.contains("..") {
            return None;
        }
        let text = format!("{}{bare}", self.prefix());
        let (key, family) = match self {
            Self::Go => go(&text)?,
            Self::Module => match semver::Version::parse(bare) {
                Ok(version) => (module_key(&version), None),
                Err(_) => partial(bare)?,
            },
        };
        Some(Version { text, key, family })
    }
}

impl Version {
    /// Key of the first that it stands for in a comparison: `1.24` begins with its release.
    pub fn first(&self) -> &str {
        &self.key
    }

    /// Key of the first pre-release that begins so; for equality.
    pub fn family(&self) -> Option<&str> {
        self.family.as_deref()
    }

    /// Key past all that begin so; `None` if it is one version.
    pub fn end(&self) -> Option<String> {
        self.family.as_ref().map(|family| format!("{family}{END}"))
    }
}

/// Keys between which the versions of an interval lie, each end with whether it is itself among them.
pub(crate) fn bounds(interval: &Interval<Version>) -> Ends<String> {
    // Pre-releases of 1.24 are 1.24, and yet come before its release: `go:1.24` has them, `go:>=1.24` has not.
    if let Interval::Compare(Op::Equal, version) = interval
        && let Some(family) = version.family()
    {
        return (Some((family.to_owned(), true)), version.end().map(|end| (end, false)));
    }
    interval.bounds(|version| version.key.clone(), Version::end)
}

/// Orders as the number does: longer is larger, and of one length the text decides.
fn number(key: &mut String, digits: &str) -> Option<()> {
    let digits = digits.trim_start_matches('0');
    let length = u8::try_from(digits.len()).ok().filter(|length| *length <= 20)?;
    key.push(char::from(b'a' + length));
    key.push_str(digits);
    Some(())
}

/// A part of a version: not more than semantic versions are read with.
fn numeric(key: &mut String, digits: &str) -> Option<()> {
    digits.parse::<u64>().ok()?;
    number(key, digits)
}

/// Key and family of `go1.N[.P][rcN|betaN][-suffix][ …]`, or of `devel go1.N-…`.
fn go(text: &str) -> Option<(String, Option<String>)> {
    let (devel, text) = text.strip_prefix("devel ").map_or((false, text), |rest| (true, rest));
    let rest = text.strip_prefix("go")?;
    let rest = rest.split([' ', '-', '+']).next()?;
    let (numbers, pre) = match rest.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let mut key = String::new();
    let mut count = 0;
    for part in numbers.split('.') {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) || count == 3 {
            return None;
        }
        numeric(&mut key, part)?;
        count += 1;
    }
    let family = (count < 3 && pre.is_empty() && !devel).then(|| key.clone());
    for _ in count..3 {
        number(&mut key, "0")?;
    }
    let release_candidate = pre.strip_prefix("rc");
    match (devel, pre, release_candidate.or_else(|| pre.strip_prefix("beta"))) {
        (true, ..) => key.push('0'),
        (_, "", _) => key.push(RELEASE),
        (_, _, Some(digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            key.push(if release_candidate.is_some() { '2' } else { '1' });
            number(&mut key, digits)?;
        }
        _ => return None,
    }
    Some((key, family))
}

fn module_key(version: &semver::Version) -> String {
    let mut key = String::new();
    for part in [version.major, version.minor, version.patch] {
        // A `u64` has at most 20 digits.
        let _ = number(&mut key, &part.to_string());
    }
    if version.pre.is_empty() {
        key.push(RELEASE);
    }
    for identifier in version.pre.split('.').filter(|identifier| !identifier.is_empty()) {
        if identifier.bytes().all(|byte| byte.is_ascii_digit()) && identifier.len() <= 20 {
            key.push('0');
            let _ = number(&mut key, identifier);
        } else {
            // `!` sorts before every character of an identifier.
            let _ = write!(key, "1{identifier}!");
        }
    }
    key
}

/// Key and family of `1` and `1.4`.
fn partial(text: &str) -> Option<(String, Option<String>)> {
    let mut family = String::new();
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 2 {
        return None;
    }
    for part in &parts {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        numeric(&mut family, part)?;
    }
    let mut key = family.clone();
    for _ in parts.len()..3 {
        number(&mut key, "0")?;
    }
    key.push(RELEASE);
    Some((key, Some(family)))
}

#[cfg(test)]
mod tests;
