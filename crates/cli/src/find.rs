//! Executables and debug files of this machine that belong to a core.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use panicle_analysis::{Identity, debug_pointers, identify, is_debug_file_of, match_binary};
use panicle_image::mmap::{self, Mapped};
use panicle_report::BinaryMatch;

/// Where distributions put debug files.
pub(crate) const SYSTEM: &str = "/usr/lib/debug";
/// Files of one folder that are looked at, whatever they are called.
const MOST_FILES: usize = 256;

/// Looks for the executable that the process ran, unless it is among those `given`, and for its debug
/// information, unless that is there: in `folders`, where the system keeps debug files, and where the
/// process ran it. What is found is checked, and said on stderr.
pub(crate) fn find(core: &[u8], given: &[(&Path, &[u8])], folders: &[PathBuf]) -> Vec<PathBuf> {
    let Identity::Core(identity) = identify(core) else { return Vec::new() };
    let mut found = Vec::new();
    let here = given.iter().find(|(_, bytes)| match_binary(core, bytes).is_some_and(is_right));
    let recorded = identity.executable.as_deref().map(Path::new);
    let searched;
    let (path, executable): (&Path, &[u8]) = if let Some(&(path, bytes)) = here {
        (path, bytes)
    } else {
        let mut candidates = Vec::new();
        for folder in folders {
            candidates.extend(by_build_id(folder, identity.build_ids.gnu.as_deref()));
            candidates.extend(by_path(folder, recorded));
            candidates.extend(files(folder));
        }
        let with = |wanted: BinaryMatch| {
            let matches = |bytes: &[u8]| match_binary(core, bytes) == Some(wanted);
            candidates.iter().find_map(|path| open(path.clone()).filter(|(_, bytes)| matches(bytes)))
        };
        let right = with(BinaryMatch::BuildId)
            // What is where the process ran it needs no further proof. A file that is no executable was
            // given by mistake, which is for its giver to know.
            .or_else(|| {
                let mistaken = |(_, bytes): &(&Path, &[u8])| !matches!(identify(bytes), Identity::Binary(_));
                if given.iter().any(mistaken) {
                    return None;
                }
                open(recorded?.to_owned())
                    .filter(|(_, bytes)| match_binary(core, bytes).is_some_and(is_right))
            })
            .or_else(|| with(BinaryMatch::Text));
        let Some(right) = right else { return found };
        searched = right;
        let why = match match_binary(core, &searched.1) {
            Some(BinaryMatch::BuildId) => "whose build ID is that of the core",
            Some(BinaryMatch::Text) => "whose text is that of the core",
            _ => "which is where the process ran it",
        };
        eprintln!("panicle: using {}, {why}", searched.0.display());
        found.push(searched.0.clone());
        (&searched.0, &searched.1)
    };
    let pointers = debug_pointers(executable);
    if !pointers.wanted || given.iter().any(|(_, bytes)| is_debug_file_of(executable, bytes)) {
        return found;
    }
    let mut candidates = Vec::new();
    if let Some(name) = &pointers.debug_link {
        candidates.extend(by_debug_link(path, name, folders));
    }
    for folder in folders.iter().map(PathBuf::as_path).chain([Path::new(SYSTEM)]) {
        candidates.extend(by_build_id(folder, pointers.gnu_build_id.as_deref()));
    }
    for folder in folders {
        candidates.extend(by_path(folder, Some(path)));
        candidates.extend(files(folder));
    }
    let debug = candidates
        .into_iter()
        .find_map(|path| open(path).filter(|(_, bytes)| is_debug_file_of(executable, bytes)));
    if let Some((debug, _)) = debug {
        eprintln!("panicle: using {} for debug information", debug.display());
        found.push(debug);
    }
    found
}

/// Nothing speaks against it.
fn is_right(matched: BinaryMatch) -> bool {
    matched != BinaryMatch::Mismatch
}

/// Maps an ELF file; others are none of those that are looked for. A folder may hold FIFOs as well,
/// which are not opened.
fn open(path: PathBuf) -> Option<(PathBuf, Mapped)> {
    if !fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    let bytes = mmap::map(&File::open(&path).ok()?).ok()?;
    bytes.starts_with(b"\x7fELF").then_some((path, bytes))
}

/// `FOLDER/.build-id/ab/cdef…` and `….debug`, as distributions and debuggers lay them out.
pub(crate) fn by_build_id(folder: &Path, id: Option<&str>) -> Vec<PathBuf> {
    let Some((head, tail)) = id.and_then(|id| id.split_at_checked(2)).filter(|(_, tail)| !tail.is_empty())
    else {
        return Vec::new();
    };
    let folder = folder.join(".build-id").join(head);
    vec![folder.join(tail), folder.join(format!("{tail}.debug"))]
}

/// What has the name of the executable, or lies where it lies on its own machine.
fn by_path(folder: &Path, executable: Option<&Path>) -> Vec<PathBuf> {
    let Some(executable) = executable else { return Vec::new() };
    let name = executable.file_name().map(Path::new);
    let relative = [name, executable.strip_prefix("/").ok()].into_iter().flatten();
    relative
        .flat_map(|path| {
            let mut debug = path.as_os_str().to_owned();
            debug.push(".debug");
            [folder.join(path), folder.join(debug)]
        })
        .collect()
}

/// Where debuggers look for the file that `.gnu_debuglink` names ("Separate Debug Files" in gdb's
/// manual).
fn by_debug_link(executable: &Path, name: &str, folders: &[PathBuf]) -> Vec<PathBuf> {
    let executable = fs::canonicalize(executable).unwrap_or_else(|_| executable.to_owned());
    let Some(home) = executable.parent() else { return Vec::new() };
    let mut candidates = vec![home.join(name), home.join(".debug").join(name)];
    let below = home.strip_prefix("/").unwrap_or(home);
    for folder in folders.iter().map(PathBuf::as_path).chain([Path::new(SYSTEM)]) {
        candidates.push(folder.join(below).join(name));
        candidates.push(folder.join(name));
    }
    candidates
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.truncate(MOST_FILES);
    files
}
