//! The streams that Breakpad and its heirs copy out of `/proc` (proc(5)).

use minidump_common::format::MINIDUMP_STREAM_TYPE as Stream;

use super::Dump;
use crate::{Core, FileMapping, notes};

/// Kept of a command line.
const LONGEST_COMMAND_LINE: usize = 4096;

/// Fills in what the streams tell.
pub(super) fn read(dump: &Dump<'_>, core: &mut Core<'_>) {
    if let Some(bytes) = dump.stream(Stream::LinuxAuxv) {
        core.auxv = notes::auxv(bytes);
    }
    if let Some(bytes) = dump.stream(Stream::LinuxMaps) {
        core.files = mappings(bytes);
    }
    if let Some(bytes) = dump.stream(Stream::LinuxCmdLine) {
        let bytes = &bytes[..bytes.len().min(LONGEST_COMMAND_LINE)];
        let text = String::from_utf8_lossy(bytes).replace('\0', " ").trim_end().to_owned();
        core.process.command_line = (!text.is_empty()).then_some(text);
    }
    if let Some(bytes) = dump.stream(Stream::LinuxProcStatus) {
        status(&String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]), core);
    }
}

/// `/proc/PID/status`. The file is that of the thread at fault: `Tgid` is the process.
fn status(text: &str, core: &mut Core<'_>) {
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let first = value.split_ascii_whitespace().next().unwrap_or_default();
        let process = &mut core.process;
        match key {
            "Name" => process.name = Some(value.trim().to_owned()).filter(|name| !name.is_empty()),
            "Tgid" => process.pid = first.parse().ok().or(process.pid),
            "PPid" => process.parent_pid = first.parse().ok(),
            "Uid" => process.uid = first.parse().ok(),
            "Gid" => process.gid = first.parse().ok(),
            _ => {}
        }
    }
}

/// `/proc/PID/maps`: the lines with a file.
fn mappings(bytes: &[u8]) -> Vec<FileMapping> {
    bytes.split(|&byte| byte == b'\n').filter_map(mapping).collect()
}

/// `start-end permissions offset device inode path`.
fn mapping(line: &[u8]) -> Option<FileMapping> {
    let path = line.iter().position(|&byte| byte == b'/')?;
    let (columns, path) = line.split_at(path);
    let mut columns = std::str::from_utf8(columns).ok()?.split_ascii_whitespace();
    let (start, end) = columns.next()?.split_once('-')?;
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let file_offset = hex(columns.nth(1)?)?;
    Some(FileMapping {
        start: hex(start)?,
        end: hex(end)?,
        file_offset,
        path: String::from_utf8_lossy(path).into_owned(),
    })
}
