//! The files of an analysis: opened, unpacked and sorted by what they are.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

use panicle_analysis::{Inputs, NamedBytes, ReadText, TextKind};
use panicle_image::mmap::{self, Mapped};
use panicle_report::{Diagnostic, Stage};
use panicle_sandbox::Role;
use panicle_unpack::{Limits, UnpackError};

use super::digest::sha256;
use crate::{exit::Failure, find, libraries, texts, unpacked};

/// Larger cores are digested only when somebody asks: it would take longer than the analysis.
const DIGEST_LIMIT: u64 = 4 << 30;

/// Where and how far compressed evidence is unpacked.
pub(crate) struct Unpacking {
    directory: PathBuf,
    limits: Limits,
}

impl Unpacking {
    pub(crate) fn new(directory: Option<&Path>, bytes: u64) -> Self {
        let limits = Limits::default();
        Self {
            directory: directory.map_or_else(std::env::temp_dir, Path::to_owned),
            limits: Limits { bytes, disk_bytes: limits.disk_bytes.min(bytes), ..limits },
        }
    }
}

/// A mapped file.
pub(crate) struct Input {
    name: String,
    bytes: Mapped,
    digest: Digest,
}

enum Digest {
    /// Of a file that still has to be read for it.
    Of(File),
    Known(Option<String>),
}

impl Input {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let failure = |error: io::Error| Failure::Input(format!("{}: {error}", path.display()));
        // Asked before it is opened: opening a FIFO waits for somebody to write.
        let metadata = fs::metadata(path).map_err(failure)?;
        if metadata.is_dir() {
            return Err(Failure::Input(format!("{}: is a folder", path.display())));
        }
        if !metadata.is_file() {
            let reason = "is no regular file; save it to one first";
            return Err(Failure::Input(format!("{}: {reason}", path.display())));
        }
        let file = File::open(path).map_err(failure)?;
        let bytes = mmap::map(&file).map_err(failure)?;
        Ok(Self { name: path.display().to_string(), bytes, digest: Digest::Of(file) })
    }

    /// Its path, or what it is called in an archive.
    pub(crate) fn name(&self) -> &Path {
        Path::new(&self.name)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256; `None` for a file that cannot be read any more, and for one of [`DIGEST_LIMIT`] unless
    /// it is asked for `always`.
    pub(crate) fn digest(&self, always: bool) -> Option<String> {
        match &self.digest {
            Digest::Of(file) if always || self.bytes.len() as u64 <= DIGEST_LIMIT => sha256(file).ok(),
            Digest::Of(_) => None,
            Digest::Known(digest) => digest.clone(),
        }
    }

    fn named(&self, sha256: Option<String>) -> NamedBytes<'_> {
        NamedBytes { name: Some(self.name.clone()), bytes: &self.bytes, sha256 }
    }
}

fn unread(name: &str, error: texts::Unread) -> Failure {
    Failure::Input(match error {
        texts::Unread::Io(error) => format!("{name}: {error}"),
        texts::Unread::NoText(reason) => format!("{name}: {reason}"),
    })
}

/// The files of an analysis.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) core: Option<Input>,
    pub(crate) binaries: Vec<Input>,
    /// Looked up, not given.
    pub(crate) libraries: Vec<Input>,
    /// Texts and race reports, which are read at once and not kept.
    pub(crate) texts: Vec<ReadText>,
    traces: Vec<Input>,
    profiles: Vec<Input>,
    /// Of collectors, beside cores.
    collected: Vec<Input>,
    /// What is worth knowing about how they came to be.
    pub(crate) notes: Vec<Diagnostic>,
}

impl Files {
    /// Adds a file that was given as `role`, or what is in it if it is packed.
    pub(crate) fn add(&mut self, path: &Path, role: Role, unpacking: &Unpacking) -> Result<(), Failure> {
        if let Some(kind) = texts::kind(role) {
            return self.add_text(path, role, kind, unpacking);
        }
        let input = Input::open(path)?;
        let head = input.bytes.get(..panicle_unpack::HEAD_BYTES).unwrap_or(&input.bytes);
        // Profiles are compressed by nature.
        let plain = matches!(role, Role::Profile | Role::Trace) || !panicle_unpack::is_packed(head);
        match &input.digest {
            Digest::Of(file) if !plain => self.unpack(&input.name, file, role, unpacking),
            _ => {
                self.put(input, role);
                Ok(())
            }
        }
    }

    /// Reads a text to its end: a file, a pipe, or standard input for `-`.
    fn add_text(
        &mut self,
        path: &Path,
        role: Role,
        kind: TextKind,
        unpacking: &Unpacking,
    ) -> Result<(), Failure> {
        if path == Path::new("-") {
            return self.read_text("standard input", role, kind, io::stdin().lock(), unpacking);
        }
        let failure = |error: io::Error| Failure::Input(format!("{}: {error}", path.display()));
        let metadata = fs::metadata(path).map_err(failure)?;
        if metadata.is_dir() {
            return Err(Failure::Input(format!("{}: is a folder", path.display())));
        }
        if !(metadata.is_file() || metadata.file_type().is_fifo()) {
            let reason = "is no regular file and no pipe; save it to one first";
            return Err(Failure::Input(format!("{}: {reason}", path.display())));
        }
        let file = File::open(path).map_err(failure)?;
        self.read_text(&path.display().to_string(), role, kind, file, unpacking)
    }

    fn read_text(
        &mut self,
        name: &str,
        role: Role,
        kind: TextKind,
        mut reader: impl Read,
        unpacking: &Unpacking,
    ) -> Result<(), Failure> {
        let failure = |error: io::Error| Failure::Input(format!("{name}: {error}"));
        let mut head = Vec::with_capacity(panicle_unpack::HEAD_BYTES);
        reader.by_ref().take(panicle_unpack::HEAD_BYTES as u64).read_to_end(&mut head).map_err(failure)?;
        let packed = panicle_unpack::is_packed(&head);
        let mut whole = io::Cursor::new(head).chain(reader);
        if packed {
            // It may be an archive, and those have to be read from their ends.
            let mut file = tempfile::tempfile_in(&unpacking.directory).map_err(failure)?;
            io::copy(&mut whole, &mut file).map_err(failure)?;
            return self.unpack(name, &file, role, unpacking);
        }
        let text = texts::read(kind, Some(name.to_owned()), whole, None, &unpacking.limits);
        self.texts.push(text.map_err(|error| unread(name, error))?);
        Ok(())
    }

    fn unpack(&mut self, name: &str, file: &File, role: Role, unpacking: &Unpacking) -> Result<(), Failure> {
        let refuse = |reason: String| Failure::Input(format!("{name}: {reason}"));
        let mut create = |_| tempfile::tempfile_in(&unpacking.directory);
        let found = panicle_unpack::unpack(name, file, &unpacking.limits, &mut create).map_err(|error| {
            let place = match &error {
                UnpackError::TooLarge { .. } => "; --max-unpacked-bytes allows more".to_owned(),
                UnpackError::DiskLow { .. } | UnpackError::Io(_) => {
                    format!(
                        "; it was unpacked to {}, --work-dir names another place",
                        unpacking.directory.display()
                    )
                }
                _ => String::new(),
            };
            refuse(format!("{error}{place}"))
        })?;
        let (parts, notes) = unpacked::sort(found);
        // A log can begin with a race; what is printed is used for what it holds.
        let wanted = |found: Role| {
            found == role
                || (role == Role::Core && found == Role::Text)
                || (texts::kind(role).is_some() && texts::kind(found).is_some())
        };
        if !parts.iter().any(|(role, _)| wanted(*role)) {
            let found: Vec<String> = parts
                .iter()
                .map(|(role, part)| format!("{} ({})", part.name, unpacked::word(*role)))
                .collect();
            let reason = format!("there is no {} in it, but {}", unpacked::word(role), found.join(", "));
            return Err(refuse(reason));
        }
        self.notes.extend(notes.into_iter().map(|text| Diagnostic::warning(Stage::Evidence, text)));
        for (role, part) in parts {
            let text = format!("It was unpacked from {name}.");
            self.notes.push(Diagnostic::info(Stage::Evidence, text).about(part.name.clone()));
            if let Some(kind) = texts::kind(role) {
                let (name, digest) = (Some(part.name.clone()), part.sha256.clone());
                let text = texts::read_file(kind, name, &part.file, digest, &unpacking.limits);
                self.texts.push(text.map_err(|error| unread(&part.name, error))?);
                continue;
            }
            let bytes = mmap::map(&part.file).map_err(|error| refuse(error.to_string()))?;
            // One that is too long for a digest can still be asked for it.
            let digest = part.sha256.map_or(Digest::Of(part.file), |digest| Digest::Known(Some(digest)));
            self.put(Input { name: part.name, bytes, digest }, role);
        }
        Ok(())
    }

    /// Adds the executable, its debug file and its shared libraries, as far as they are in `folders` or where
    /// the process and the system have them.
    pub(crate) fn look_up(&mut self, folders: &[PathBuf]) -> Result<(), Failure> {
        let Some(core) = &self.core else { return Ok(()) };
        let given: Vec<_> = self.binaries.iter().map(|input| (input.name(), input.bytes())).collect();
        let found = find::find(core.bytes(), &given, folders);
        let libraries = libraries::find(core.bytes(), folders);
        for path in found {
            self.binaries.push(Input::open(&path)?);
        }
        self.libraries = libraries.iter().filter_map(|path| Input::open(path).ok()).collect();
        Ok(())
    }

    fn put(&mut self, input: Input, role: Role) {
        let list = match role {
            Role::Core => {
                self.core = Some(input);
                return;
            }
            Role::Binary => &mut self.binaries,
            // Read where they are added.
            Role::Text | Role::Race => return,
            Role::Trace => &mut self.traces,
            Role::Profile => &mut self.profiles,
            Role::Collected => &mut self.collected,
        };
        list.push(input);
    }

    /// The same, of which nothing has a digest: a question needs none.
    pub(crate) fn inputs_without_digests(&self) -> Inputs<'_> {
        Inputs {
            core: self.core.as_ref().map(|core| core.named(None)),
            binaries: self.binaries.iter().map(|input| input.named(None)).collect(),
            libraries: self.libraries.iter().map(|input| input.named(None)).collect(),
            ..Inputs::default()
        }
    }

    /// For the analysis. The core is without its digest, which takes long.
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        fn all(files: &[Input]) -> Vec<NamedBytes<'_>> {
            files.iter().map(|input| input.named(input.digest(false))).collect()
        }
        Inputs {
            core: self.core.as_ref().map(|core| core.named(None)),
            binaries: all(&self.binaries),
            // What was looked up is not evidence: it needs no digest.
            libraries: self.libraries.iter().map(|input| input.named(None)).collect(),
            texts: Vec::new(),
            races: Vec::new(),
            traces: all(&self.traces),
            profiles: all(&self.profiles),
            collected: self.collected.iter().map(|input| input.named(None)).collect(),
        }
    }
}
