//! Minidumps: what Windows Error Reporting, Breakpad, Crashpad and minidump-writer leave of a process.
//!
//! The shapes of the records are those of the crate `minidump-common`. The lists are walked here and
//! not by the crate `minidump`, since that one gives up a list for one bad entry, all memory for a file
//! that was cut short, and lets each module repeat a name as long as the file.

mod linux;
mod registers;
mod streams;

use minidump_common::format::{self as md, MINIDUMP_STREAM_TYPE as Stream};
use panicle_report::{Diagnostic, Stage};
use scroll::{LE, Pread, ctx::SizeWith};

use crate::{
    Arch, Core, Format, ImageError, Os, Truncated,
    core::{Auxv, ProcessInfo},
    headers::part,
};

/// How a minidump begins.
pub(crate) const MAGIC: &[u8] = b"MDMP";
/// The same, written by a big-endian machine.
const MAGIC_BIG_ENDIAN: &[u8] = b"PMDM";
/// Streams looked at; writers have about twenty kinds.
const MOST_STREAMS: usize = 1 << 12;

/// Whether `data` begins like a minidump. A few bytes that do are a cut one.
pub(crate) fn is_minidump(data: &[u8]) -> bool {
    let head = &data[..data.len().min(MAGIC.len())];
    !head.is_empty() && (MAGIC.starts_with(head) || MAGIC_BIG_ENDIAN.starts_with(head))
}

/// The file, its directory of streams, and how far it says to reach.
struct Dump<'a> {
    data: &'a [u8],
    /// Kind, offset and size, in the file's order.
    streams: Vec<(u32, u64, u64)>,
    expected_bytes: u64,
}

impl<'a> Dump<'a> {
    /// Reads header and directory.
    fn open(data: &'a [u8]) -> Result<Self, ImageError> {
        if data.starts_with(MAGIC_BIG_ENDIAN) {
            return Err(ImageError::UnsupportedEndian);
        }
        let header: md::MINIDUMP_HEADER = record(data, 0).ok_or(ImageError::TruncatedHeaders)?;
        // The upper half is the writer's own.
        if header.version & 0xffff != md::MINIDUMP_VERSION {
            return Err(ImageError::BadHeaders);
        }
        let table = u64::from(header.stream_directory_rva);
        let entry = size::<md::MINIDUMP_DIRECTORY>();
        let mut dump = Self {
            data,
            streams: Vec::new(),
            expected_bytes: table.saturating_add(u64::from(header.stream_count).saturating_mul(entry)),
        };
        let entries = (0..u64::from(header.stream_count)).map(|index| table.saturating_add(index * entry));
        for at in entries.take(MOST_STREAMS) {
            let Some(found) = record::<md::MINIDUMP_DIRECTORY>(data, at) else { break };
            let (offset, size) = place(found.location);
            if found.stream_type != Stream::UnusedStream as u32 {
                dump.expect(offset, size);
                dump.streams.push((found.stream_type, offset, size));
            }
        }
        if dump.streams.is_empty() {
            return Err(ImageError::TruncatedHeaders);
        }
        Ok(dump)
    }

    /// Notes that the file has `size` bytes at `offset`, as it says itself.
    fn expect(&mut self, offset: u64, size: u64) {
        self.expected_bytes = self.expected_bytes.max(offset.saturating_add(size));
    }

    /// What there is of a stream. Of two of a kind the first counts.
    fn stream(&self, kind: Stream) -> Option<&'a [u8]> {
        let (_, offset, size) = self.streams.iter().find(|stream| stream.0 == kind as u32)?;
        Some(part(self.data, *offset, *size)).filter(|bytes| !bytes.is_empty())
    }

    /// The entries of a list that begins with their number: as many as are there.
    ///
    /// Some writers put four bytes between the number and the entries, to align them; then the stream
    /// is as much longer.
    fn list<T>(&self, kind: Stream) -> impl Iterator<Item = T> + use<'a, T>
    where
        T: Record<'a>,
    {
        let announced = self.streams.iter().find(|stream| stream.0 == kind as u32).map_or(0, |found| found.2);
        let bytes = self.stream(kind).unwrap_or_default();
        let count = u64::from(bytes.pread_with::<u32>(0, LE).unwrap_or_default());
        let padded = announced == count.saturating_mul(size::<T>()).saturating_add(8);
        let start = if padded { 8 } else { 4 };
        (0..count).map_while(move |index| record(bytes, start + index * size::<T>()))
    }
}

/// A record of the format.
trait Record<'a>:
    scroll::ctx::TryFromCtx<'a, scroll::Endian, [u8], Error = scroll::Error> + SizeWith<scroll::Endian>
{
}

impl<'a, T> Record<'a> for T where
    T: scroll::ctx::TryFromCtx<'a, scroll::Endian, [u8], Error = scroll::Error> + SizeWith<scroll::Endian>
{
}

/// Size of a record in the file.
fn size<'a, T: Record<'a>>() -> u64 {
    T::size_with(&LE) as u64
}

/// The record at `offset`, if all of it is there.
fn record<'a, T: Record<'a>>(data: &'a [u8], offset: u64) -> Option<T> {
    data.pread_with(usize::try_from(offset).ok()?, LE).ok()
}

/// Offset and size.
fn place(location: md::MINIDUMP_LOCATION_DESCRIPTOR) -> (u64, u64) {
    (u64::from(location.rva), u64::from(location.data_size))
}

/// Reads all but the memory, which is found in the file when it is asked for.
pub(crate) fn read(data: &[u8]) -> Result<(Core<'_>, Vec<Diagnostic>), ImageError> {
    let mut dump = Dump::open(data)?;
    let system: Option<md::MINIDUMP_SYSTEM_INFO> =
        dump.stream(Stream::SystemInfoStream).and_then(|bytes| record(bytes, 0));
    let arch = system
        .as_ref()
        .map(|system| architecture(system.processor_architecture))
        .or_else(|| streams::arch_of_contexts(&dump))
        .ok_or(ImageError::TruncatedHeaders)?;
    if !registers::is_read(arch) {
        return Err(ImageError::UnsupportedArch(arch));
    }
    let mut core = Core {
        format: Format::Minidump,
        os: os(&dump, system.as_ref()),
        arch,
        threads: streams::threads(&dump, arch),
        process: ProcessInfo::default(),
        signal: None,
        auxv: Auxv::default(),
        files: Vec::new(),
        modules: streams::modules(&dump),
        segments: streams::memory(&mut dump),
        truncated: None,
        code_mask: None,
        started_as: None,
        data,
    };
    streams::exception(&dump, &mut core);
    core.process.pid = streams::process_id(&dump);
    linux::read(&dump, &mut core);
    if core.files.is_empty() {
        core.files = core.modules.iter().map(streams::mapping).collect();
    }
    let diagnostics = diagnostics(&dump, &mut core);
    Ok((core, diagnostics))
}

/// What is missing of the file.
fn diagnostics(dump: &Dump<'_>, core: &mut Core<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let (present, expected) = (dump.data.len() as u64, dump.expected_bytes);
    if present < expected {
        core.truncated = Some(Truncated { expected_bytes: expected, present_bytes: present });
        diagnostics.push(Diagnostic::warning(
            Stage::Image,
            format!(
                "The minidump is cut short: {present} of {expected} bytes are there. What lies beyond is unknown."
            ),
        ));
    }
    if core.threads.is_empty() {
        diagnostics.push(Diagnostic::warning(Stage::Image, "The minidump has no threads."));
    }
    diagnostics
}

/// `PROCESSOR_ARCHITECTURE_*`, as ELF's machine.
fn architecture(processor: u16) -> Arch {
    use md::ProcessorArchitecture as P;
    const EM_386: u16 = 3;
    const EM_ARM: u16 = 40;
    match processor {
        p if p == P::PROCESSOR_ARCHITECTURE_AMD64 as u16 => Arch::Amd64,
        p if p == P::PROCESSOR_ARCHITECTURE_ARM64 as u16 => Arch::Arm64,
        p if p == P::PROCESSOR_ARCHITECTURE_INTEL as u16 => Arch::Other(EM_386),
        p if p == P::PROCESSOR_ARCHITECTURE_ARM as u16 => Arch::Other(EM_ARM),
        _ => Arch::Other(0),
    }
}

fn os(dump: &Dump<'_>, system: Option<&md::MINIDUMP_SYSTEM_INFO>) -> Os {
    use md::PlatformId as P;
    // winnt.h; the crate's numbers for Windows are one too high.
    const VER_PLATFORM_WIN32_NT: u32 = 2;
    match system.map(|system| system.platform_id) {
        Some(id) if id == P::Linux as u32 || id == P::Android as u32 => Os::Linux,
        Some(VER_PLATFORM_WIN32_NT) => Os::Windows,
        None if dump.stream(Stream::LinuxMaps).is_some() => Os::Linux,
        _ => Os::Other,
    }
}
