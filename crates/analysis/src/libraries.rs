//! Shared libraries of the process among the files that were given.

use panicle_binary::{Executable, mapped::MappedElf};
use panicle_goruntime::LibraryFile;

use crate::NamedBytes;

/// Splits `binaries` into candidates for the executable and files that, by their build ID, belong to a
/// library of `mapped`; those of `found` were looked up for one and are of no other use.
pub(crate) fn split<'i, 'a>(
    mapped: &[MappedElf],
    binaries: &'i [NamedBytes<'a>],
    found: &'i [NamedBytes<'a>],
) -> (Vec<NamedBytes<'a>>, Vec<LibraryFile<'i>>) {
    let of_library = |file: &&NamedBytes<'_>| {
        let id = Executable::parse(file.bytes).ok().and_then(|(file, _)| file.build_ids.gnu);
        id.is_some() && mapped.iter().any(|library| library.build_ids.gnu == id)
    };
    let (libraries, binaries): (Vec<_>, Vec<_>) = binaries.iter().partition(of_library);
    let files = libraries.into_iter().chain(found);
    let files = files.map(|file| LibraryFile { name: file.name.as_deref(), bytes: file.bytes });
    (binaries.into_iter().cloned().collect(), files.collect())
}
