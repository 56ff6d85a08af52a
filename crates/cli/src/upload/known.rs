//! Whether the service has an executable, or a debug file, of a build already.

use std::{path::Path, sync::atomic::AtomicBool, time::Duration};

use panicle_collect::{Client, Stored, UploadError};
use panicle_report::{Binary, DwarfPresence};
use panicle_sandbox::{Answer, Identity, Input, Job, Limits, Role, Task};
use serde_json::Value;

use crate::service::sandbox;

/// What the service has of the same build that is as good as this file; `None` also when it does not say, since
/// sending it is never wrong.
pub(super) fn known(client: &Client, path: &Path) -> Result<Option<Stored>, UploadError> {
    let Some(ours) = identity(path) else { return Ok(None) };
    let ids = &ours.build_ids;
    let Some(id) = [&ids.gnu, &ids.go].into_iter().flatten().find(|id| !id.is_empty()) else {
        return Ok(None);
    };
    match client.get("binaries", &[("build_id", id), ("limit", "100")]) {
        Ok(answer) => Ok(among(&answer, &ours, id, path)),
        // A token for sending cores need not allow it.
        Err(UploadError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn among(answer: &Value, ours: &Binary, id: &str, path: &Path) -> Option<Stored> {
    let found = answer["items"].as_array()?.iter().find(|theirs| is_as_good(theirs, ours))?;
    Some(Stored {
        id: found["id"].as_str()?.to_owned(),
        kind: "binary".to_owned(),
        name: path.file_name()?.to_string_lossy().into_owned(),
        size_bytes: found["size_bytes"].as_u64()?,
        new: false,
        build_id: Some(id.to_owned()),
    })
}

/// Whether what the service has makes this file superfluous: it is of the same build, has the same code if this one
/// has any, and has debug information and symbols if this one has.
fn is_as_good(theirs: &Value, ours: &Binary) -> bool {
    let of = |name: &str| theirs["build_ids"][name].as_str();
    let ids = &ours.build_ids;
    // Older services do not choose by build, and answer all that they have.
    let same_build = [(of("gnu"), &ids.gnu), (of("go"), &ids.go)];
    let same_build = same_build.map(|(theirs, ours)| theirs.zip(ours.as_deref()).map(|(a, b)| a == b));
    if !same_build.contains(&Some(true)) || same_build.contains(&Some(false)) {
        return false;
    }
    let full = theirs["dwarf"] == "full";
    match &ids.text_sha256 {
        // A debug file: there is no code in it.
        None => ours.dwarf == DwarfPresence::Full && full,
        Some(code) => {
            of("text_sha256") == Some(code)
                && (full || ours.dwarf != DwarfPresence::Full)
                && (theirs["stripped"] == false || ours.stripped)
        }
    }
}

/// What a child reads out of an executable: this process talks to the service and parses nothing.
fn identity(path: &Path) -> Option<Binary> {
    let input = Input { role: Role::Binary, name: None, path: path.canonicalize().ok()?, sha256: None };
    let limits = Limits { wall: Duration::from_mins(1), cpu_seconds: 60, ..Limits::default() };
    let job = Job { task: Task::Identify, inputs: vec![input], limits, scratch: None };
    let mut found = None;
    let ended = sandbox().run(&job, &AtomicBool::new(false), |answer| {
        if let Answer::Identity(Identity::Binary(binary)) = answer {
            found = Some(binary);
        }
        Ok(())
    });
    ended.ok().and(found)
}

#[cfg(test)]
mod tests {
    use panicle_report::{Binary, BinaryMatch, BuildIds, DwarfPresence};
    use serde_json::json;

    use super::is_as_good;

    fn ours(code: Option<&str>, dwarf: DwarfPresence, stripped: bool) -> Binary {
        let build_ids = BuildIds {
            gnu: Some("ab".to_owned()),
            go: Some("x/y".to_owned()),
            text_sha256: code.map(str::to_owned),
        };
        let matched = BinaryMatch::None;
        Binary { build_ids, dwarf, stripped, matched, ..serde_json::from_value(json!({
            "path": null, "go_version": null, "module": null, "module_version": null, "vcs_revision": null,
            "build_ids": {}, "dwarf": "none", "stripped": false, "match": "none", "debug_file": null
        })).unwrap() }
    }

    #[test]
    fn what_is_there_has_to_be_as_good() {
        let theirs = |gnu: &str, code: Option<&str>, dwarf: &str, stripped: bool| json!({ "build_ids": { "gnu": gnu, "go": "x/y", "text_sha256": code }, "dwarf": dwarf, "stripped": stripped });
        let full = theirs("ab", Some("c0de"), "full", false);
        let bare = theirs("ab", Some("c0de"), "none", true);
        let debug = theirs("ab", None, "full", false);
        let whole = ours(Some("c0de"), DwarfPresence::Full, false);
        let stripped = ours(Some("c0de"), DwarfPresence::None, true);
        let debug_file = ours(None, DwarfPresence::Full, false);
        assert!(is_as_good(&full, &whole) && is_as_good(&full, &stripped) && is_as_good(&full, &debug_file));
        assert!(is_as_good(&bare, &stripped), "the same");
        assert!(!is_as_good(&bare, &whole) && !is_as_good(&bare, &debug_file), "better ones are sent");
        assert!(is_as_good(&debug, &debug_file) && !is_as_good(&debug, &stripped), "no code is there");
        assert!(!is_as_good(&theirs("cd", Some("c0de"), "full", false), &whole), "another build");
        assert!(!is_as_good(&theirs("ab", Some("other"), "full", false), &whole), "other code");
        assert!(!is_as_good(&json!({ "build_ids": {}, "identified": false }), &whole), "not looked at yet");
    }
}
