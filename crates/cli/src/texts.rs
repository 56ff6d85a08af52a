//! Texts, read piece by piece: a goroutine dump can have gigabytes.

use std::{
    fs::File,
    io::{self, Read},
};

use panicle_analysis::{ReadText, TextKind, TextReader};
use panicle_sandbox::Role;
use sha2::{Digest as _, Sha256};

/// What is read at once. It stays in the processor's cache while it is parsed.
const READ_BYTES: usize = 256 << 10;

/// Whether evidence of a role is read here.
pub(crate) fn is_text(role: Role) -> bool {
    kind(role).is_some()
}

/// What a role's evidence is read as; `None` where it is no text.
pub(crate) fn kind(role: Role) -> Option<TextKind> {
    match role {
        Role::Text => Some(TextKind::Text),
        Role::Race => Some(TextKind::Race),
        _ => None,
    }
}

/// Reads a whole file, from its start; `None` where the role is none of a text.
pub(crate) fn read(
    role: Role,
    name: Option<String>,
    mut file: &File,
    sha256: Option<String>,
) -> Option<io::Result<ReadText>> {
    let kind = kind(role)?;
    let digest = if sha256.is_some() { Digest::Known(sha256) } else { Digest::Unknown };
    let rewound = io::Seek::seek(&mut file, io::SeekFrom::Start(0));
    Some(rewound.and_then(|_| stream(kind, name, &mut file, digest)))
}

/// What is known of a text's digest.
pub(crate) enum Digest {
    /// It, or that nobody needs it.
    Known(Option<String>),
    /// It is computed on the way.
    Unknown,
}

/// Reads everything that `reader` gives.
pub(crate) fn stream(
    kind: TextKind,
    name: Option<String>,
    reader: &mut dyn Read,
    digest: Digest,
) -> io::Result<ReadText> {
    let mut text = TextReader::new(kind, name);
    let mut hash = matches!(digest, Digest::Unknown).then(Sha256::new);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = &buffer[..count];
        if let Some(hash) = &mut hash {
            hash.update(bytes);
        }
        text.push(bytes);
    }
    let digest = match digest {
        Digest::Known(digest) => digest,
        Digest::Unknown => hash.map(|hash| format!("{:x}", hash.finalize())),
    };
    Ok(text.finish(digest))
}
