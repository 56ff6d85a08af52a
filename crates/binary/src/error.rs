use thiserror::Error;

/// Why a file cannot be read as an executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BinaryError {
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// Other magic bytes.
    #[error("the file is no executable: it begins neither like an ELF file nor like a PE file")]
    NotElf,
    /// A core was given where an executable is expected.
    #[error("the file is a core, not an executable")]
    IsACore,
    /// An object file was given where an executable is expected.
    #[error("the file is an object file, not an executable")]
    IsAnObject,
    /// 32 bits.
    #[error("the file is a 32-bit executable, which is not read")]
    UnsupportedClass,
    /// Big-endian.
    #[error("the file is a big-endian executable, which is not read")]
    UnsupportedEndian,
    /// The headers do not hold together.
    #[error("the headers cannot be read: the file is cut short or damaged")]
    BadHeaders,
}
