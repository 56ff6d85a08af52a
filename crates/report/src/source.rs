use serde::{Deserialize, Serialize};

use crate::Address;

/// The evidence a report was made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Source {
    /// The memory image, if there was one.
    pub core: Option<CoreSource>,
    /// Printed crash texts and goroutine dumps.
    pub texts: Vec<EvidenceSource>,
    /// Execution traces.
    pub traces: Vec<EvidenceSource>,
    /// pprof profiles.
    pub profiles: Vec<EvidenceSource>,
    /// Race detector reports.
    pub races: Vec<EvidenceSource>,
}

/// A core file or minidump.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CoreSource {
    /// `elf-core`, `minidump`.
    pub format: String,
    /// GOARCH of the process, `amd64`.
    pub arch: String,
    /// GOOS of the process, `linux`, `windows`; `unknown` for another.
    pub os: String,
    /// Size of the file.
    pub size_bytes: u64,
    /// Lower-case hexadecimal SHA-256 of the file.
    pub sha256: Option<String>,
    /// Set when the file ends before the memory its headers announce.
    pub truncated: Option<Truncated>,
}

/// How much of a core is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Truncated {
    /// Size that the program headers announce.
    pub expected_bytes: u64,
    /// Size of the file.
    pub present_bytes: u64,
}

/// A piece of evidence other than a core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EvidenceSource {
    /// File name as it was given.
    pub name: Option<String>,
    /// Size of the file.
    pub size_bytes: u64,
    /// Lower-case hexadecimal SHA-256 of the file.
    pub sha256: Option<String>,
}

/// The process that crashed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Process {
    /// Process id, in its own PID namespace where the kernel wrote that.
    pub pid: Option<i32>,
    /// Command line; the kernel keeps 80 bytes of it.
    pub command_line: Option<String>,
    /// Path of the executable.
    pub executable: Option<String>,
    /// The signal that ended the process.
    pub signal: Option<Signal>,
    /// Start time, RFC 3339 UTC.
    pub started_at: Option<String>,
    /// When it crashed, RFC 3339 UTC, as whatever carried its text says: the log's time of the line in which the
    /// crash begins.
    #[serde(default)]
    pub occurred_at: Option<String>,
    /// Host name.
    pub hostname: Option<String>,
    /// Container, by name or id; in Kubernetes as `pod/container`, or the pod.
    pub container: Option<String>,
}

/// A signal as the kernel delivered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Signal {
    /// Signal number.
    pub number: i32,
    /// `SIGABRT`.
    pub name: String,
    /// `si_code`.
    pub code: Option<i32>,
    /// Faulting address, for the signals that have one.
    pub address: Option<Address>,
    /// Process that sent it, for the signals that have one.
    pub sender_pid: Option<i32>,
}

/// Where debug information came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DwarfPresence {
    /// In the executable.
    Full,
    /// In a file of its own.
    Separate,
    /// Nowhere.
    None,
}

/// How the executable at hand was tied to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BinaryMatch {
    /// The build ID in the process' memory is the file's.
    BuildId,
    /// The file has another build ID, or none, and the same text as the process, or as the
    /// executable that has the process' build ID.
    Text,
    /// The file is not what the process ran.
    Mismatch,
    /// Nothing to compare.
    None,
}

/// The executable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Binary {
    /// Path or name it was given under.
    pub path: Option<String>,
    /// `go1.24.11`.
    pub go_version: Option<String>,
    /// The version was found in the process' memory: the executable's build information, which would
    /// say it, was removed.
    #[serde(default)]
    pub go_version_inferred: bool,
    /// Main module path.
    pub module: Option<String>,
    /// Main module version.
    pub module_version: Option<String>,
    /// `vcs.revision` of the build info.
    pub vcs_revision: Option<String>,
    /// Identities of the file.
    pub build_ids: BuildIds,
    /// Where debug information came from.
    pub dwarf: DwarfPresence,
    /// No symbol table.
    pub stripped: bool,
    /// How it was tied to the process; `text` as well where its debug information was tied to it so.
    #[serde(rename = "match")]
    pub matched: BinaryMatch,
    /// The file of its own that debug information came from.
    pub debug_file: Option<Box<DebugFile>>,
}

/// A file with an executable's debug information.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DebugFile {
    /// Path or name it was given under.
    pub path: Option<String>,
    /// Its identities.
    pub build_ids: BuildIds,
    /// How it was tied to the executable.
    #[serde(rename = "match")]
    pub matched: DebugMatch,
}

/// How a debug file was tied to an executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DebugMatch {
    /// The same build ID.
    BuildId,
    /// The name and checksum in `.gnu_debuglink`.
    DebugLink,
    /// The same text: the unstripped twin.
    Text,
}

/// The identities of an executable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BuildIds {
    /// GNU build ID, lower-case hexadecimal.
    pub gnu: Option<String>,
    /// Go build ID as `go tool buildid` prints it.
    pub go: Option<String>,
    /// SHA-256 of the text section, lower-case hexadecimal, in which the addresses of what lies
    /// outside of it count as zeros: equal for a stripped binary and its unstripped twin.
    pub text_sha256: Option<String>,
}

/// Where the offsets of the runtime's structures came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LayoutSource {
    /// The binary's own debug information.
    Dwarf,
    /// A table made from that version's toolchain.
    Table,
    /// A table of a neighbouring version, checked by invariants.
    NearestTable,
}

/// The layout used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Layout {
    /// Where it came from.
    pub source: LayoutSource,
    /// The Go version it is for.
    pub go_version: Option<String>,
}
