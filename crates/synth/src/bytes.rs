//! Little-endian bytes, pushed one field after the other.

#[derive(Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn half(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn word(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn long(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// `text`, cut or filled with NULs to `size` bytes.
    pub(crate) fn fixed(&mut self, text: &str, size: usize) -> &mut Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(size, 0);
        self.raw(&bytes)
    }

    pub(crate) fn align(&mut self, to: usize) -> &mut Self {
        let length = self.0.len().next_multiple_of(to);
        self.0.resize(length, 0);
        self
    }

    /// An ELF note: sizes of name and descriptor, type, then both at multiples of four.
    pub(crate) fn note(&mut self, name: &str, kind: u32, descriptor: &[u8]) -> &mut Self {
        self.word(name.len() as u32 + 1).word(descriptor.len() as u32).word(kind);
        self.raw(name.as_bytes()).raw(&[0]).align(4);
        self.raw(descriptor).align(4)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Magic, 64-bit, little-endian, version 1, System V.
    pub(crate) fn elf_identification(&mut self) -> &mut Self {
        self.raw(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0")
    }

    /// A program header.
    pub(crate) fn program_header(&mut self, header: &ProgramHeader) -> &mut Self {
        self.word(header.kind)
            .word(header.flags)
            .long(header.offset)
            .long(header.address)
            .long(header.address);
        self.long(header.file_size).long(header.memory_size).long(header.align)
    }
}

pub(crate) struct ProgramHeader {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) file_size: u64,
    pub(crate) memory_size: u64,
    pub(crate) align: u64,
}
