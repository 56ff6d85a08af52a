//! What core collectors on Kubernetes write beside a core.
//!
//! Each member is a JSON document of its own, told by the end of its name; the common base name has the host's name
//! and the process in it. The shapes are those of IBM's core-dump-handler (`core-dump-composer/src/config.rs`, whose
//! dump-info is put together without escaping), and of `crictl pods`, `crictl inspectp` and `crictl ps`, which
//! it stores as they are.
//!
//! The collector finds pod and logs by the host's name, which pods can share: all pods on the host's network have
//! the same one. What a container is, is told by the process' cgroup alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use panicle_report::{Diagnostic, Stage};
use serde_json::Value;

/// Longer members are not read: they hold a few kilobytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Hexadecimal digits of a container's id (OCI runtimes take the SHA-256 form that containerd and CRI-O make).
const ID_DIGITS: usize = 64;

/// What a member is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// The process: `-dump-info.json`.
    Dump,
    /// The pod that the collector found by the host's name: `-pod-info.json`.
    Pod,
    /// The same, in detail: `-runtime-info.json`.
    Runtime,
    /// Its containers: `-ps-info.json`.
    Containers,
    /// An image: `-N-image-info.json`.
    Image,
    /// `/proc/PID/cgroup` of the process.
    Cgroup,
}

impl Member {
    /// What a file of this name is.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.rsplit([':', '/']).next().filter(|base| *base != "cgroup").unwrap_or(name);
        let ends = [
            ("-dump-info.json", Self::Dump),
            ("-pod-info.json", Self::Pod),
            ("-runtime-info.json", Self::Runtime),
            ("-ps-info.json", Self::Containers),
            ("-image-info.json", Self::Image),
            ("-cgroup", Self::Cgroup),
            (":cgroup", Self::Cgroup),
        ];
        ends.into_iter().find(|(end, _)| name.ends_with(end)).map(|(_, member)| member)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Dump => "dump-info",
            Self::Pod => "pod-info",
            Self::Runtime => "runtime-info",
            Self::Containers => "ps-info",
            Self::Image => "image-info",
            Self::Cgroup => "cgroup",
        }
    }
}

/// What they say of the process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// The name of its host as it saw it.
    pub hostname: Option<String>,
    /// Path, or name, of its executable.
    pub executable: Option<String>,
    /// When it died.
    pub occurred_at: Option<Timestamp>,
    /// `pod/container`, or what of it is known.
    pub container: Option<String>,
    /// What is broken, missing or not believed.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads them: names and content. What is no member is passed over.
pub fn read<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Collected {
    let mut collected = Collected::default();
    let mut found: BTreeMap<Member, Value> = BTreeMap::new();
    let mut cgroup = None;
    for (name, bytes) in members {
        let Some(member) = Member::of_name(name).filter(|member| !found.contains_key(member)) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)]);
        let mut say = |text: String| {
            collected.diagnostics.push(Diagnostic::warning(Stage::Evidence, text).about(name.to_owned()));
        };
        let value = match (member, serde_json::from_str::<Value>(&text)) {
            (Member::Cgroup, _) => {
                cgroup = Some(text.into_owned());
                continue;
            }
            (_, Ok(value)) => value,
            (Member::Dump, Err(error)) => {
                say(format!("It is no valid JSON ({error}); its fields were read one by one."));
                fields(&text)
            }
            (_, Err(error)) => {
                say(format!("It is no valid JSON and was not used: {error}."));
                continue;
            }
        };
        found.entry(member).or_insert(value);
    }
    if found.is_empty() && cgroup.is_none() {
        return collected;
    }
    let dump = found.get(&Member::Dump);
    let said = |name: &str| text(dump?.get(name)?);
    collected.hostname = said("hostname");
    // core(5): %E has exclamation marks in place of slashes.
    let path = said("path").map(|path| path.replace('!', "/")).filter(|path| path.starts_with('/'));
    collected.executable = path.or_else(|| said("exe"));
    collected.occurred_at =
        said("timestamp").and_then(|text| text.parse().ok()).and_then(|at| Timestamp::from_second(at).ok());
    let cgroup = cgroup.or_else(|| said("cgroup")).or_else(|| said("container_id"));
    let (container, why) = attribute(cgroup.as_deref(), &found);
    collected.container = container;
    collected.diagnostics.extend(why.map(|text| Diagnostic::info(Stage::Evidence, text)));
    let expected = [Member::Dump, Member::Pod, Member::Runtime, Member::Containers];
    let missing: Vec<&str> =
        expected.into_iter().filter(|member| !found.contains_key(member)).map(Member::word).collect();
    if !missing.is_empty() {
        let text = format!("The collector did not leave a readable {}.", missing.join(", "));
        collected.diagnostics.push(Diagnostic::warning(Stage::Evidence, text));
    }
    collected
}

/// Pod and container by the cgroup, and why not more is known.
fn attribute(cgroup: Option<&str>, found: &BTreeMap<Member, Value>) -> (Option<String>, Option<String>) {
    let pod_info = found.get(&Member::Pod);
    let named = pod_info.and_then(|pod| text(&pod["metadata"]["name"]));
    let by_hostname = |rest: &str| {
        let named = named.as_ref()?;
        Some(format!(
            "The collector names the pod {named}, which it looked up by the host's name; pods can share one. {rest}"
        ))
    };
    let Some(cgroup) = cgroup else {
        return (None, by_hostname("Without the process' cgroup it is not known which container it ran in."));
    };
    let uid = pod_uid(cgroup);
    let pod = named.clone().filter(|_| {
        let theirs = pod_info.and_then(|pod| text(&pod["metadata"]["uid"]));
        theirs.is_some() && theirs.map(|uid| uid.replace('_', "-")) == uid
    });
    let Some(id) = container_id(cgroup) else {
        let why = "The process' cgroup names no container.".to_owned();
        return (pod, Some(why));
    };
    let containers = found.get(&Member::Containers).and_then(|ps| ps["containers"].as_array());
    let Some(ours) = containers.into_iter().flatten().find(|one| one["id"] == id) else {
        let why = by_hostname("The process' cgroup names a container that is not of that pod.")
            .unwrap_or_else(|| {
                "The collector did not say which pod the process' container is of.".to_owned()
            });
        return match pod {
            Some(pod) => (Some(format!("{pod}/{id}")), None),
            None => (Some(id.to_owned()), Some(why)),
        };
    };
    let label = |name: &str| text(&ours["labels"][name]);
    let container = label("io.kubernetes.container.name").or_else(|| text(&ours["metadata"]["name"]));
    let container = container.unwrap_or_else(|| id.to_owned());
    let pod = label("io.kubernetes.pod.name").or(pod);
    (Some(pod.map_or(container.clone(), |pod| format!("{pod}/{container}"))), None)
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The id of the innermost container in a cgroup's paths: `…/cri-containerd-<id>.scope`, `…/pod<uid>/<id>`.
fn container_id(cgroup: &str) -> Option<&str> {
    let digits = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    cgroup.split(|c| !digits(c)).rfind(|run| run.len() == ID_DIGITS)
}

/// The uid of the pod in them: `kubepods-pod<uid with _>.slice`, `/kubepods/pod<uid>/`.
fn pod_uid(cgroup: &str) -> Option<String> {
    let starts = cgroup.match_indices("pod").map(|(at, word)| at + word.len());
    let uids = starts.filter_map(|at| {
        let uid = cgroup.get(at..at + 36)?.replace('_', "-");
        let shaped = uid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        shaped.then_some(uid)
    });
    uids.last()
}

/// Fields of a dump-info that is no JSON because texts in it are not escaped, or because it ends early. A text ends at
/// the quotation mark behind which another field, or the end, comes.
fn fields(text: &str) -> Value {
    const NAMES: [&str; 11] = [
        "uuid",
        "dump_file",
        "timestamp",
        "hostname",
        "exe",
        "real_pid",
        "signal",
        "node_hostname",
        "path",
        "cgroup",
        "container_id",
    ];
    let starts = NAMES.iter().filter_map(|name| {
        let quoted = format!("\"{name}\"");
        // What is in front of a field's name is the end of the one before it.
        let at = text.match_indices(&quoted).find(|(at, _)| {
            let before = text[..*at].trim_end();
            before.ends_with([',', '{'])
        });
        let (at, _) = at?;
        let rest = text[at + quoted.len()..].trim_start().strip_prefix(':')?.trim_start();
        Some((at, *name, text.len() - rest.len()))
    });
    let mut starts: Vec<(usize, &str, usize)> = starts.collect();
    starts.sort_unstable();
    let mut fields = serde_json::Map::new();
    for (index, (_, name, from)) in starts.iter().enumerate() {
        let to = starts.get(index + 1).map_or(text.len(), |next| next.0);
        let Some(value) = text.get(*from..to) else { continue };
        let Some(value) = value.trim_end().strip_prefix('"') else { continue };
        // Without an end, where it would be is not known: a quotation mark is most likely one.
        let cut = index + 1 == starts.len() && !value.ends_with('}');
        let value = if cut {
            value.split('"').next().unwrap_or_default()
        } else {
            let value = value.trim_end_matches(['}', ',']).trim_end();
            value.strip_suffix('"').unwrap_or(value)
        };
        fields.insert((*name).to_owned(), Value::String(value.to_owned()));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests;
