//! ELF cores as Linux writes them (`fs/binfmt_elf.c`).

use object::{
    LittleEndian,
    elf::{self, FileHeader64, ProgramHeader64, SectionHeader64},
    pod,
};
use panicle_report::{Diagnostic, Stage};

use crate::{AddressSpace, ImageError, Registers, notes};

/// The architecture of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// x86-64.
    Amd64,
}

impl Arch {
    /// Go's name for it.
    pub fn goarch(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
        }
    }
}

/// A segment of the process' memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it was.
    pub address: u64,
    /// How much address space it had.
    pub memory_size: u64,
    /// Where its bytes are in the core.
    pub file_offset: u64,
    /// How many bytes were dumped: the first of it, the rest is unknown.
    pub file_size: u64,
    /// Readable.
    pub read: bool,
    /// Writable.
    pub write: bool,
    /// Executable.
    pub execute: bool,
}

/// A part of a file that was mapped (`NT_FILE`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMapping {
    /// First address.
    pub start: u64,
    /// First address past it.
    pub end: u64,
    /// Where in the file it begins.
    pub file_offset: u64,
    /// The file.
    pub path: String,
}

/// What the kernel told the process at its start (`NT_AUXV`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auxv(pub(crate) Vec<(u64, u64)>);

impl Auxv {
    /// The value of an `AT_*` entry.
    pub fn get(&self, key: u64) -> Option<u64> {
        self.0.iter().find(|entry| entry.0 == key).map(|entry| entry.1)
    }

    /// `AT_PHDR`: the executable's program headers in memory.
    pub fn program_headers(&self) -> Option<u64> {
        self.get(3)
    }

    /// `AT_ENTRY`: the executable's entry point in memory.
    pub fn entry(&self) -> Option<u64> {
        self.get(9)
    }
}

/// A signal, as `siginfo_t` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalInfo {
    /// Number.
    pub number: i32,
    /// `si_code`.
    pub code: i32,
    /// Faulting address, for the signals that have one.
    pub address: Option<u64>,
    /// The sending process, for signals that one sent.
    pub sender_pid: Option<i32>,
}

impl SignalInfo {
    /// From the bytes of a `siginfo_t`.
    pub fn from_siginfo(bytes: &[u8]) -> Option<Self> {
        notes::signal_info(bytes)
    }
}

/// `NT_PRPSINFO`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Process id.
    pub pid: Option<i32>,
    /// Parent's process id.
    pub parent_pid: Option<i32>,
    /// The first 16 bytes of the program's name.
    pub name: Option<String>,
    /// The first 80 bytes of the command line, arguments joined by spaces.
    pub command_line: Option<String>,
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// LWP id.
    pub tid: i32,
    /// Its registers.
    pub registers: Registers,
    /// The signal it was handed, 0 for none (`pr_cursig`).
    pub signal: i32,
}

/// How much of a core is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// What the headers announce.
    pub expected_bytes: u64,
    /// What there is.
    pub present_bytes: u64,
}

/// An ELF core.
#[derive(Clone, Debug)]
pub struct Core<'a> {
    /// Architecture.
    pub arch: Arch,
    /// Threads; the first is the one that dumped the core.
    pub threads: Vec<Thread>,
    /// The process.
    pub process: ProcessInfo,
    /// The signal that ended it.
    pub signal: Option<SignalInfo>,
    /// Auxiliary vector.
    pub auxv: Auxv,
    /// Mapped files.
    pub files: Vec<FileMapping>,
    /// Memory segments.
    pub segments: Vec<Segment>,
    /// Set when the file ends before its headers say.
    pub truncated: Option<Truncated>,
    data: &'a [u8],
}

impl<'a> Core<'a> {
    /// Reads headers and notes. Whatever part of the file is there counts; what is missing is told
    /// by the diagnostics and [`Core::truncated`].
    pub fn parse(data: &'a [u8]) -> Result<(Self, Vec<Diagnostic>), ImageError> {
        let headers = program_headers(data)?;
        let mut diagnostics = Vec::new();
        let mut core = Self {
            arch: Arch::Amd64,
            threads: Vec::new(),
            process: ProcessInfo::default(),
            signal: None,
            auxv: Auxv::default(),
            files: Vec::new(),
            segments: Vec::new(),
            truncated: None,
            data,
        };
        let endian = LittleEndian;
        let mut expected = 0;
        for header in headers {
            let (offset, size) = (header.p_offset.get(endian), header.p_filesz.get(endian));
            expected = expected.max(offset.saturating_add(size));
            match header.p_type.get(endian) {
                elf::PT_NOTE => {
                    let bytes = part(data, offset, size);
                    diagnostics.extend(notes::read(&mut core, bytes, header.p_align.get(endian)));
                }
                elf::PT_LOAD => {
                    let flags = header.p_flags.get(endian);
                    core.segments.push(Segment {
                        address: header.p_vaddr.get(endian),
                        memory_size: header.p_memsz.get(endian),
                        file_offset: offset,
                        file_size: size,
                        read: flags.0 & elf::PF_R.0 != 0,
                        write: flags.0 & elf::PF_W.0 != 0,
                        execute: flags.0 & elf::PF_X.0 != 0,
                    });
                }
                _ => {}
            }
        }
        let present = data.len() as u64;
        if present < expected {
            core.truncated = Some(Truncated { expected_bytes: expected, present_bytes: present });
            diagnostics.push(Diagnostic::warning(
                Stage::Image,
                format!(
                    "The core is cut short: {present} of {expected} bytes are there. Memory beyond is unknown."
                ),
            ));
        }
        if core.threads.is_empty() {
            diagnostics.push(Diagnostic::warning(Stage::Image, "The core has no thread notes."));
        }
        Ok((core, diagnostics))
    }

    /// The memory that was dumped.
    pub fn memory(&self) -> AddressSpace<'a> {
        let mut memory = AddressSpace::new();
        memory.add_layers(self.segments.iter().map(|segment| {
            let dumped = segment.file_size.min(segment.memory_size);
            (segment.address, part(self.data, segment.file_offset, dumped))
        }));
        memory
    }

    /// The path of the executable: the file mapped where its program headers or entry point are.
    pub fn executable_path(&self) -> Option<&str> {
        self.executable_mapping().map(|file| file.path.as_str())
    }

    /// Where the executable's first page was mapped.
    pub fn executable_base(&self) -> Option<u64> {
        let path = self.executable_path()?;
        self.files.iter().find(|file| file.path == path && file.file_offset == 0).map(|file| file.start)
    }

    fn executable_mapping(&self) -> Option<&FileMapping> {
        [self.auxv.program_headers(), self.auxv.entry()]
            .into_iter()
            .flatten()
            .find_map(|address| self.files.iter().find(|file| file.start <= address && address < file.end))
    }
}

/// What there is of `size` bytes at `offset`.
fn part(data: &[u8], offset: u64, size: u64) -> &[u8] {
    let length = data.len() as u64;
    let start = offset.min(length);
    let end = offset.saturating_add(size).min(length);
    &data[start as usize..end as usize]
}

fn program_headers(data: &[u8]) -> Result<&[ProgramHeader64<LittleEndian>], ImageError> {
    if data.is_empty() {
        return Err(ImageError::Empty);
    }
    if !data.starts_with(&elf::ELFMAG) {
        return Err(ImageError::NotElf);
    }
    if data.get(4).is_some_and(|&class| class != elf::ELFCLASS64.0)
        || data.get(5).is_some_and(|&order| order != elf::ELFDATA2LSB.0)
    {
        return Err(ImageError::UnsupportedClass);
    }
    let endian = LittleEndian;
    let (header, _) =
        pod::from_bytes::<FileHeader64<LittleEndian>>(data).map_err(|()| ImageError::TruncatedHeaders)?;
    let kind = header.e_type.get(endian);
    if kind != elf::ET_CORE {
        return Err(ImageError::NotACore(kind.0));
    }
    let machine = header.e_machine.get(endian);
    if machine != elf::EM_X86_64 {
        return Err(ImageError::UnsupportedMachine(machine.0));
    }
    let mut count = usize::from(header.e_phnum.get(endian));
    if count == usize::from(elf::PN_XNUM) {
        // Too many for the field: the first section header has the number (elf(5)).
        let section = part(data, header.e_shoff.get(endian), u64::MAX);
        let (section, _) = pod::from_bytes::<SectionHeader64<LittleEndian>>(section)
            .map_err(|()| ImageError::TruncatedHeaders)?;
        count = section.sh_info.get(endian) as usize;
    }
    let table = part(data, header.e_phoff.get(endian), u64::MAX);
    // As many as there are: a core cut within its headers still has the first of them.
    let count = count.min(table.len() / size_of::<ProgramHeader64<LittleEndian>>());
    let (headers, _) = pod::slice_from_bytes(table, count).map_err(|()| ImageError::TruncatedHeaders)?;
    if headers.is_empty() { Err(ImageError::TruncatedHeaders) } else { Ok(headers) }
}
