//! The process under examination: its memory, its executable, and typed reads of the runtime's
//! structures by field name.

use std::cell::OnceCell;

use panicle_binary::{Executable, dwarf::DwarfIndex, pclntab::Pclntab};
use panicle_image::{AddressSpace, Unmapped};
use thiserror::Error;

use crate::{
    abi::FrameShape,
    globals::Globals,
    layout::{Field, Layout, StructLayout},
    symbolize::Symbolizer,
};

/// Why a structure could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The layout does not have the structure.
    #[error("the layout of {0} is unknown")]
    NoStructure(&'static str),
    /// The structure has no such field in this version.
    #[error("{0} has no field {1}")]
    NoField(&'static str, &'static str),
    /// The field is not an integer of 1, 2, 4 or 8 bytes.
    #[error("{0}.{1} is not a word")]
    NotAWord(&'static str, &'static str),
    /// A global variable's address is unknown.
    #[error("the address of {0} is unknown")]
    NoSymbol(&'static str),
    /// The memory is not there.
    #[error("the memory at {0:#x} is not in the core")]
    Unmapped(u64),
    /// A length that no process can have.
    #[error("{0} has an impossible length")]
    BadLength(&'static str),
}

impl From<Unmapped> for ReadError {
    fn from(error: Unmapped) -> Self {
        Self::Unmapped(error.address)
    }
}

/// A crashed process.
pub struct Process<'a> {
    /// Its memory: the core's, and beneath it the executable's own pages.
    pub memory: &'a AddressSpace<'a>,
    /// The executable.
    pub executable: &'a Executable<'a>,
    /// Its debug information.
    pub dwarf: Option<&'a DwarfIndex<'a>>,
    /// What the loader added to the executable's addresses.
    pub bias: u64,
    /// How stack frames look on its architecture.
    pub shape: FrameShape,
    /// Where fields are.
    pub layout: Layout,
    /// Names, files and lines of pcs.
    pub symbolizer: Symbolizer<'a>,
    /// Variables that no symbol names, once one has been asked for.
    globals: OnceCell<Globals>,
}

impl<'a> Process<'a> {
    /// Puts a process together.
    pub fn new(
        memory: &'a AddressSpace<'a>,
        executable: &'a Executable<'a>,
        dwarf: Option<&'a DwarfIndex<'a>>,
        bias: u64,
        shape: FrameShape,
        layout: Layout,
        pclntab: Pclntab<'a>,
    ) -> Self {
        let symbolizer = Symbolizer::new(pclntab, bias, layout.spelling);
        Self { memory, executable, dwarf, bias, shape, layout, symbolizer, globals: OnceCell::new() }
    }

    /// The run-time address of a global variable: `runtime.allgs`.
    pub fn global(&self, name: &'static str) -> Result<u64, ReadError> {
        self.executable
            .symbol(name)
            .map(|symbol| symbol.address)
            .or_else(|| self.dwarf?.variable(name).map(|variable| variable.address))
            .map(|address| address.wrapping_add(self.bias))
            .or_else(|| self.global_without_symbol(name))
            .ok_or(ReadError::NoSymbol(name))
    }

    /// The same, out of the code that uses the variable.
    pub fn global_without_symbol(&self, name: &str) -> Option<u64> {
        self.globals.get_or_init(|| Globals::find(self)).get(name)
    }

    /// What the process itself takes for its Go version (`runtime.buildVersion`).
    pub fn running_version(&self) -> Option<String> {
        let header = self.global("runtime.buildVersion").ok()?;
        let version = self.go_string(header, 200).ok()?;
        (version.starts_with("go1.") || version.starts_with("devel ")).then_some(version)
    }

    /// The structure `name` at `address`.
    pub fn object(&self, name: &'static str, address: u64) -> Result<Object<'_, 'a>, ReadError> {
        let layout = self.layout.structure(name).ok_or(ReadError::NoStructure(name))?;
        Ok(Object { process: self, layout, name, address })
    }

    /// A `string` header's contents, at most `max` bytes of them.
    pub fn go_string(&self, header: u64, max: u64) -> Result<String, ReadError> {
        let data = self.memory.u64(header)?;
        let length = self.memory.u64(header.wrapping_add(8))?;
        self.text(data, length, max)
    }

    /// `length` bytes of text at `data`, at most `max` of them; bytes that are no UTF-8 are
    /// replaced.
    pub fn text(&self, data: u64, length: u64, max: u64) -> Result<String, ReadError> {
        if length > 1 << 40 {
            return Err(ReadError::BadLength("a string"));
        }
        let mut bytes = vec![0; length.min(max) as usize];
        self.memory.read(data, &mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A slice header: address and length. Lengths beyond what memory can hold are refused.
    pub fn slice_header(&self, header: u64, element: u64) -> Result<(u64, u64), ReadError> {
        let data = self.memory.u64(header)?;
        let length = self.memory.u64(header.wrapping_add(8))?;
        let bytes = length.checked_mul(element.max(1));
        match bytes.filter(|&bytes| bytes < 1 << 44).and_then(|bytes| data.checked_add(bytes)) {
            Some(_) => Ok((data, length)),
            None => Err(ReadError::BadLength("a slice")),
        }
    }
}

/// A structure in memory.
#[derive(Clone, Copy)]
pub struct Object<'p, 'a> {
    process: &'p Process<'a>,
    layout: &'p StructLayout,
    name: &'static str,
    /// Where it is.
    pub address: u64,
}

impl Object<'_, '_> {
    /// Whether this version has the field, and where.
    pub fn field(&self, path: &'static str) -> Option<Field> {
        self.layout.field(path)
    }

    /// The address of a field.
    pub fn address_of(&self, path: &'static str) -> Result<u64, ReadError> {
        let field = self.field(path).ok_or(ReadError::NoField(self.name, path))?;
        Ok(self.address.wrapping_add(field.offset))
    }

    /// An unsigned integer or pointer of 1, 2, 4 or 8 bytes.
    pub fn word(&self, path: &'static str) -> Result<u64, ReadError> {
        let field = self.field(path).ok_or(ReadError::NoField(self.name, path))?;
        let address = self.address.wrapping_add(field.offset);
        let memory = self.process.memory;
        Ok(match field.size {
            1 => u64::from(memory.u8(address)?),
            2 => u64::from(memory.u16(address)?),
            4 => u64::from(memory.u32(address)?),
            8 => memory.u64(address)?,
            _ => return Err(ReadError::NotAWord(self.name, path)),
        })
    }

    /// A flag.
    pub fn flag(&self, path: &'static str) -> Result<bool, ReadError> {
        Ok(self.word(path)? != 0)
    }
}
