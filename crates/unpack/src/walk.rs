use std::{
    fmt::Display,
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek as _, SeekFrom},
};

use panicle_binary::identify::{Kind, identify};
use zip::ZipArchive;

use crate::{
    HEAD_BYTES, Limits, Part, UnpackError, Unpacked,
    budget::{Budget, Metered},
    layers, salvage,
    sparse::{SparseFile, fill},
};

/// What is read and written at once: a multiple of a page.
const COPY_BYTES: usize = 256 << 10;
/// Notes that are kept; an archive can give reason for thousands.
const MOST_NOTES: usize = 20;
/// A member's name is cut there.
const NAME_CHARS: usize = 200;

pub(crate) fn walk(
    name: &str,
    file: &File,
    limits: &Limits,
    create: &mut dyn FnMut(u32) -> io::Result<File>,
) -> Result<Unpacked, UnpackError> {
    let budget = Budget::new(limits.bytes);
    let mut walk = Walk {
        limits,
        budget: &budget,
        create,
        created: 0,
        members: 0,
        disk: limits.disk_bytes,
        left_out: 0,
        found: Unpacked::default(),
    };
    let mut start = file;
    start.seek(SeekFrom::Start(0))?;
    walk.stream(name, 0, &mut start, Some(file))?;
    if walk.left_out > 0 {
        walk.found.notes.push(format!("{name}: {} more such notes were left out.", walk.left_out));
    }
    Ok(walk.found)
}

struct Walk<'a> {
    limits: &'a Limits,
    budget: &'a Budget,
    create: &'a mut dyn FnMut(u32) -> io::Result<File>,
    created: u32,
    members: u32,
    disk: u64,
    left_out: u32,
    found: Unpacked,
}

impl Walk<'_> {
    /// Unpacks what `reader` gives. `whole` is the file that it reads, from its start, if it is one.
    fn stream(
        &mut self,
        name: &str,
        depth: u32,
        reader: &mut dyn Read,
        whole: Option<&File>,
    ) -> Result<(), UnpackError> {
        let mut head = vec![0; HEAD_BYTES];
        let (length, outcome) = fill(reader, &mut head);
        head.truncate(length);
        if let Err(error) = outcome {
            // What came before it counts, and what comes next will fail as well.
            self.trouble(name, error)?;
        }
        let kind = identify(&head);
        if kind.is_packed() && depth >= self.limits.depth {
            return Err(UnpackError::TooDeep { limit: self.limits.depth });
        }
        let mut reader = Cursor::new(head).chain(reader);
        match kind {
            Kind::Gzip | Kind::Zstd | Kind::Xz | Kind::Lz4 => self.compressed(name, depth, kind, &mut reader),
            Kind::Tar => self.tar(name, depth, &mut reader),
            Kind::Zip => {
                if let Some(file) = whole {
                    return self.zip(name, depth, file);
                }
                // Its list of members is at its end.
                let (file, ..) = self.copy(name, &mut reader)?;
                self.zip(name, depth, &file)
            }
            Kind::Core
            | Kind::Minidump
            | Kind::Executable
            | Kind::Pe
            | Kind::Text
            | Kind::GoTrace
            | Kind::Profile => self.keep(name, kind, &mut reader),
            Kind::Empty => self.note(format!("{name} is empty.")),
            other => self.note(format!("{name} is of no use here: it is {}.", other.describe())),
        }
    }

    fn compressed(
        &mut self,
        name: &str,
        depth: u32,
        kind: Kind,
        reader: &mut dyn Read,
    ) -> Result<(), UnpackError> {
        match layers::decoder(kind, reader) {
            Some(Ok(inner)) => {
                let mut inner = Metered { inner, budget: self.budget };
                self.stream(name, depth + 1, &mut inner, None)
            }
            Some(Err(error)) => self.trouble(name, error),
            None => Ok(()),
        }
    }

    fn tar(&mut self, name: &str, depth: u32, reader: &mut dyn Read) -> Result<(), UnpackError> {
        let mut archive = tar::Archive::new(reader);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return self.trouble(name, error),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                // Where the next one would begin is lost with it.
                Err(error) => return self.trouble(name, error),
            };
            self.count_member()?;
            let kind = entry.header().entry_type();
            if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
                continue;
            }
            let member = format!("{name}:{}", clean(&String::from_utf8_lossy(&entry.path_bytes())));
            // A sparse member is longer than what is stored of it.
            let mut entry = Metered { inner: entry, budget: self.budget };
            self.stream(&member, depth + 1, &mut entry, None)?;
        }
        Ok(())
    }

    fn zip(&mut self, name: &str, depth: u32, file: &File) -> Result<(), UnpackError> {
        let mut archive = match ZipArchive::new(BufReader::new(file)) {
            Ok(archive) => archive,
            Err(error) => {
                self.note(format!(
                    "{name} has no list of its members ({error}); they are taken one after another."
                ))?;
                return self.salvage(name, depth, file);
            }
        };
        for index in 0..archive.len() {
            self.count_member()?;
            let entry = match archive.by_index(index) {
                Ok(entry) if entry.is_file() => entry,
                Ok(_) => continue,
                Err(error) => {
                    self.trouble(name, error)?;
                    continue;
                }
            };
            let member = format!("{name}:{}", clean(&String::from_utf8_lossy(entry.name_raw())));
            let mut entry = Metered { inner: entry, budget: self.budget };
            self.stream(&member, depth + 1, &mut entry, None)?;
        }
        Ok(())
    }

    /// The members of a zip whose writer did not come to its end.
    fn salvage(&mut self, name: &str, depth: u32, file: &File) -> Result<(), UnpackError> {
        let mut at = 0;
        while let Some(member) = salvage::next(file, at)? {
            self.count_member()?;
            let name = format!("{name}:{}", clean(&member.name));
            let mut content = member.content(file)?;
            if content.cut {
                let why = "the archive's writer did not come to the end of it";
                self.note(format!("{name} may be cut short: {why}."))?;
            }
            if let Some(reader) = &mut content.reader {
                let mut reader = Metered { inner: reader, budget: self.budget };
                self.stream(&name, depth + 1, &mut reader, None)?;
                // Whatever was not wanted of it still has to be passed.
                let _ = io::copy(&mut reader, &mut io::sink());
                if self.budget.exceeded() {
                    return Err(UnpackError::TooLarge { limit: self.limits.bytes });
                }
            } else {
                self.note(format!("{name} is compressed or encrypted in a way that is not read."))?;
            }
            at = content.end();
        }
        Ok(())
    }

    fn count_member(&mut self) -> Result<(), UnpackError> {
        self.members += 1;
        let limit = self.limits.members;
        if self.members > limit { Err(UnpackError::TooMany { limit }) } else { Ok(()) }
    }

    fn keep(&mut self, name: &str, kind: Kind, reader: &mut dyn Read) -> Result<(), UnpackError> {
        let limit = self.limits.parts;
        if self.found.parts.len() >= limit as usize {
            return Err(UnpackError::TooMany { limit });
        }
        let number = self.created;
        let (file, size_bytes, sha256) = self.copy(name, reader)?;
        self.found.parts.push(Part { name: name.to_owned(), kind, size_bytes, sha256, number, file });
        Ok(())
    }

    /// Everything that `reader` has, in a file.
    fn copy(
        &mut self,
        name: &str,
        reader: &mut dyn Read,
    ) -> Result<(File, u64, Option<String>), UnpackError> {
        let file = (self.create)(self.created)?;
        self.created += 1;
        let mut disk = self.disk;
        let mut sparse = SparseFile::new(file, self.limits, &mut disk);
        let mut buffer = vec![0; COPY_BYTES];
        let outcome = loop {
            let (count, outcome) = fill(reader, &mut buffer);
            sparse.append(&buffer[..count])?;
            if outcome.is_err() || count < buffer.len() {
                break outcome;
            }
        };
        let copied = sparse.finish()?;
        self.disk = disk;
        if let Err(error) = outcome {
            self.trouble(name, error)?;
        }
        Ok(copied)
    }

    /// A stream that broke off: more than may come out ends everything, damage is noted.
    fn trouble(&mut self, name: &str, error: impl Display) -> Result<(), UnpackError> {
        if self.budget.exceeded() {
            return Err(UnpackError::TooLarge { limit: self.limits.bytes });
        }
        self.note(format!("{name} is damaged or ends early: {error}."))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the arms of a match all say how it went")]
    fn note(&mut self, text: String) -> Result<(), UnpackError> {
        if self.found.notes.len() < MOST_NOTES {
            self.found.notes.push(text);
        } else {
            self.left_out += 1;
        }
        Ok(())
    }
}

/// A member's name without what a terminal or a log would stumble over.
fn clean(name: &str) -> String {
    name.trim_start_matches("./")
        .chars()
        .filter(|character| !character.is_control())
        .take(NAME_CHARS)
        .collect()
}
