//! Shared libraries of this machine that a process had mapped, for the frames of its C code.

use std::path::{Path, PathBuf};

use panicle_analysis::{Identity, Library, identify};

use crate::find::{SYSTEM, by_build_id};

/// Files that may be libraries of the core's process, or their debug files: in `folders` by build ID and
/// by path, at the paths that the core records, and where the system keeps debug files. The analysis
/// compares build IDs, and says where a library is another build.
pub(crate) fn find(core: &[u8], folders: &[PathBuf]) -> Vec<PathBuf> {
    let Identity::Core(core) = identify(core) else { return Vec::new() };
    core.libraries
        .iter()
        .flat_map(|library| candidates(library, folders))
        .filter(|path| path.is_file())
        .collect()
}

fn candidates(library: &Library, folders: &[PathBuf]) -> Vec<PathBuf> {
    let path = Path::new(&library.path);
    // A relative path in a damaged core would lead anywhere.
    let Ok(relative) = path.strip_prefix("/") else { return Vec::new() };
    let mut found = Vec::new();
    for folder in folders.iter().map(PathBuf::as_path).chain([Path::new(SYSTEM)]) {
        found.extend(by_build_id(folder, library.build_id.as_deref()));
    }
    for folder in folders {
        found.push(folder.join(relative));
        found.extend(path.file_name().map(|name| folder.join(name)));
    }
    found.push(path.to_owned());
    found
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use panicle_analysis::Library;

    use super::candidates;

    #[test]
    fn looks_by_build_id_and_by_path() {
        let library = Library { path: "/usr/lib/libz.so.1".to_owned(), build_id: Some("abcdef".to_owned()) };
        let found = candidates(&library, &[PathBuf::from("/debug")]);
        for path in [
            "/debug/.build-id/ab/cdef",
            "/debug/.build-id/ab/cdef.debug",
            "/usr/lib/debug/.build-id/ab/cdef.debug",
            "/debug/usr/lib/libz.so.1",
            "/debug/libz.so.1",
            "/usr/lib/libz.so.1",
        ] {
            assert!(found.contains(&PathBuf::from(path)), "{path}");
        }
        let odd = Library { path: "../etc/passwd".to_owned(), build_id: None };
        assert!(candidates(&odd, &[PathBuf::from("/debug")]).is_empty());
    }
}
