//! What every memory image tells, and ELF cores as Linux writes them (`fs/binfmt_elf.c`).

use object::{LittleEndian, elf};
use panicle_report::{Diagnostic, Stage};

use crate::{
    AddressSpace, Arch, ImageError, Registers,
    headers::{self, part},
    minidump, missing, notes,
};

/// Segments read at most. Linux refuses a process more mappings than `vm.max_map_count`, 65530
/// unless somebody raised it; the largest databases ask for a few hundred thousand.
const MOST_SEGMENTS: usize = 1 << 22;
/// Note segments read at most; Linux writes one.
const MOST_NOTE_SEGMENTS: usize = 16;

/// What kind of file a memory image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An ELF core.
    ElfCore,
    /// A minidump.
    Minidump,
}

impl Format {
    /// As reports name it: `elf-core`, `minidump`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ElfCore => "elf-core",
            Self::Minidump => "minidump",
        }
    }
}

/// The operating system of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// Another, or unknown.
    Other,
}

impl Os {
    /// Go's name for it.
    pub fn goos(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::Other => "unknown",
        }
    }
}

/// An executable or library that was loaded, as minidumps list them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedModule {
    /// Where it was loaded.
    pub base: u64,
    /// How much address space it took.
    pub size: u64,
    /// The file.
    pub path: String,
    /// The GNU build ID of an ELF file; where it has none, writers put a digest of its first page of
    /// text there.
    pub build_id: Option<Vec<u8>>,
    /// `CheckSum` of a PE file's header.
    pub checksum: u32,
    /// `TimeDateStamp` of a PE file's header.
    pub time_stamp: u32,
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
    /// `si_errno`, nearly always 0.
    pub errno: i32,
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
    /// Real user id.
    pub uid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
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
    /// What came with the signal. The kernel writes it for the thread that dumped the core alone,
    /// debuggers for each.
    pub siginfo: Option<SignalInfo>,
}

/// How much of a core is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// What the headers announce.
    pub expected_bytes: u64,
    /// What there is.
    pub present_bytes: u64,
}

/// The memory image of a process: an ELF core or a minidump.
#[derive(Clone, Debug)]
pub struct Core<'a> {
    /// What kind of file it is.
    pub format: Format,
    /// Operating system.
    pub os: Os,
    /// Architecture.
    pub arch: Arch,
    /// Threads; the first is the one that dumped the core.
    pub threads: Vec<Thread>,
    /// The process.
    pub process: ProcessInfo,
    /// The signal that ended it. Of a Windows process the exception: its code as the number, and the
    /// address that was accessed or else that of the instruction. What Go's runtime ends itself with is
    /// not an error of Windows' but 2, its exit status (`dieFromException`, runtime/signal_windows.go).
    pub signal: Option<SignalInfo>,
    /// Auxiliary vector.
    pub auxv: Auxv,
    /// Mapped files.
    pub files: Vec<FileMapping>,
    /// What a minidump lists as loaded, the executable first; a core has no such list.
    pub modules: Vec<LoadedModule>,
    /// Memory segments.
    pub segments: Vec<Segment>,
    /// Set when the file ends before its headers say.
    pub truncated: Option<Truncated>,
    /// The bits of a code address that are one; the others hold its signature on arm64 processors
    /// that sign return addresses (`NT_ARM_PAC_MASK`).
    pub(crate) code_mask: Option<u64>,
    pub(crate) started_as: Option<String>,
    pub(crate) data: &'a [u8],
}

impl<'a> Core<'a> {
    /// Reads headers and notes. Whatever part of the file is there counts; what is missing is told
    /// by the diagnostics and [`Core::truncated`].
    pub fn parse(data: &'a [u8]) -> Result<(Self, Vec<Diagnostic>), ImageError> {
        if minidump::is_minidump(data) {
            return minidump::read(data);
        }
        let headers = headers::read(data)?;
        let mut diagnostics = Vec::new();
        let mut core = Self {
            format: Format::ElfCore,
            os: Os::Linux,
            arch: headers.arch,
            threads: Vec::new(),
            process: ProcessInfo::default(),
            signal: None,
            auxv: Auxv::default(),
            files: Vec::new(),
            modules: Vec::new(),
            segments: Vec::new(),
            truncated: None,
            code_mask: None,
            started_as: None,
            data,
        };
        let endian = LittleEndian;
        let mut expected = headers.expected_bytes;
        let mut cut_notes = false;
        let mut note_segments = 0;
        let mut left_out = false;
        for header in headers.segments {
            let (offset, size) = (header.p_offset.get(endian), header.p_filesz.get(endian));
            expected = expected.max(offset.saturating_add(size));
            match header.p_type.get(endian) {
                elf::PT_NOTE if note_segments < MOST_NOTE_SEGMENTS => {
                    note_segments += 1;
                    let bytes = part(data, offset, size);
                    cut_notes |= (bytes.len() as u64) < size;
                    diagnostics.extend(notes::read(&mut core, bytes, header.p_align.get(endian)));
                }
                elf::PT_LOAD if core.segments.len() < MOST_SEGMENTS => {
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
                elf::PT_NOTE | elf::PT_LOAD => left_out = true,
                _ => {}
            }
        }
        if left_out {
            diagnostics.push(Diagnostic::warning(
                Stage::Image,
                "The core announces more segments than a process can have; the rest was left out.",
            ));
        }
        let present = data.len() as u64;
        if present < expected {
            core.truncated = Some(Truncated { expected_bytes: expected, present_bytes: present });
        }
        core.started_as = core.started_as();
        let known = headers.segments.len() as u64;
        diagnostics.extend(missing::describe(&core, headers.announced, known, cut_notes));
        Ok((core, diagnostics))
    }

    /// Size of the file.
    pub fn size_bytes(&self) -> u64 {
        self.data.len() as u64
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

    /// The bits of a return address that are not of the signature that C code compiled for pointer
    /// authentication puts on it (arm64; Go's own code signs nothing). None where the kernel does not say.
    pub fn code_mask(&self) -> Option<u64> {
        self.code_mask
    }

    /// The path of the executable: the file mapped where its program headers or entry point are.
    /// Where the core lists no files, as those of qemu, the path that it was started with.
    pub fn executable_path(&self) -> Option<&str> {
        self.executable_mapping().map(|file| file.path.as_str()).or(self.started_as.as_deref())
    }

    /// The string behind `AT_EXECFN`.
    fn started_as(&self) -> Option<String> {
        const LONGEST: usize = 4096;
        let address = self.auxv.get(31)?;
        let holds = |segment: &&Segment| {
            address.checked_sub(segment.address).is_some_and(|offset| offset < segment.file_size)
        };
        let segment = self.segments.iter().find(holds)?;
        let offset = address - segment.address;
        let size = (segment.file_size - offset).min(LONGEST as u64);
        let bytes = part(self.data, segment.file_offset.checked_add(offset)?, size);
        let end = bytes.iter().position(|&byte| byte == 0)?;
        (end > 0).then(|| String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// Where the executable's first page was mapped.
    pub fn executable_base(&self) -> Option<u64> {
        let path = self.executable_path()?;
        self.files.iter().find(|file| file.path == path && file.file_offset == 0).map(|file| file.start)
    }

    /// The executable among [`Core::modules`]: writers put it first.
    pub fn executable_module(&self) -> Option<&LoadedModule> {
        self.modules.first()
    }

    fn executable_mapping(&self) -> Option<&FileMapping> {
        let module = self.executable_module().map(|module| module.base);
        [self.auxv.program_headers(), self.auxv.entry(), module]
            .into_iter()
            .flatten()
            .find_map(|address| self.files.iter().find(|file| file.start <= address && address < file.end))
    }
}
