//! Where a value is, and getting at its bytes.

/// A process' memory.
pub trait Memory {
    /// Fills `buffer` from `address` on. False when any byte of it is not there.
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool;

    /// How many bytes there are in all. Nothing that is walked over can be larger.
    fn size(&self) -> u64;

    /// The little-endian word at `address`.
    fn word(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes).then(|| u64::from_le_bytes(bytes))
    }
}

impl Memory for panicle_image::AddressSpace<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        Self::read(self, address, buffer).is_ok()
    }

    fn size(&self) -> u64 {
        self.pieces().map(|(_, bytes)| bytes.len() as u64).fold(0, u64::saturating_add)
    }
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In memory.
    Address(u64),
    /// In several parts, or in registers: its bytes, as far as they are known.
    Parts(Parts),
}

impl Location {
    /// A value that is nowhere in memory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut parts = Parts::default();
        parts.push(bytes);
        Self::Parts(parts)
    }

    /// The `size` bytes from `offset` on.
    pub(crate) fn part(&self, offset: u64, size: u64) -> Self {
        match self {
            Self::Address(address) => Self::Address(address.wrapping_add(offset)),
            Self::Parts(parts) => Self::Parts(parts.part(offset, size)),
        }
    }

    /// No byte of the value is known to be lost. Memory may still be missing from the core.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Address(_) => true,
            Self::Parts(parts) => !parts.known.contains(&false),
        }
    }
}

/// The bytes of a value that lies scattered over registers and stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    bytes: Vec<u8>,
    known: Vec<bool>,
}

impl Parts {
    /// Appends bytes that are known.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.known.resize(self.bytes.len(), true);
    }

    /// Appends `count` bytes that nobody kept.
    pub fn push_unknown(&mut self, count: usize) {
        let len = self.bytes.len().saturating_add(count);
        self.bytes.resize(len, 0);
        self.known.resize(len, false);
    }

    /// How many bytes it has, known or not.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// It has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// At least one byte is known.
    pub fn any_known(&self) -> bool {
        self.known.contains(&true)
    }

    /// The `size` bytes from `offset` on, unknown where there are none.
    fn part(&self, offset: u64, size: u64) -> Self {
        let len = self.bytes.len();
        let at = |offset: u64| usize::try_from(offset).unwrap_or(len).min(len);
        let (from, to) = (at(offset), at(offset.saturating_add(size)));
        Self { bytes: self.bytes[from..to].to_vec(), known: self.known[from..to].to_vec() }
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> bool {
        let Ok(from) = usize::try_from(offset) else { return false };
        let Some(to) = from.checked_add(buffer.len()) else { return false };
        match (self.bytes.get(from..to), self.known.get(from..to)) {
            (Some(bytes), Some(known)) if known.iter().all(|known| *known) => {
                buffer.copy_from_slice(bytes);
                true
            }
            _ => false,
        }
    }
}

/// Why bytes of a value are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// The memory is not in the core.
    #[error("<unreadable {0:#x}>")]
    Unreadable(u64),
    /// The compiler kept this part of the value nowhere.
    #[error("<not kept>")]
    NotKept,
}

/// A place within a [`Location`].
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    location: &'p Location,
    offset: u64,
}

impl<'p> Place<'p> {
    pub(crate) fn new(location: &'p Location) -> Self {
        Self { location, offset: 0 }
    }

    /// The place `offset` bytes further on.
    pub(crate) fn at(self, offset: u64) -> Self {
        Self { location: self.location, offset: self.offset.wrapping_add(offset) }
    }

    /// Its address, unless it is in registers.
    pub(crate) fn address(self) -> Option<u64> {
        match self.location {
            Location::Address(address) => Some(address.wrapping_add(self.offset)),
            Location::Parts(_) => None,
        }
    }

    pub(crate) fn read(self, memory: &dyn Memory, buffer: &mut [u8]) -> Result<(), Gap> {
        match self.location {
            Location::Address(address) => {
                let address = address.wrapping_add(self.offset);
                if memory.read(address, buffer) { Ok(()) } else { Err(Gap::Unreadable(address)) }
            }
            Location::Parts(parts) => {
                if parts.read(self.offset, buffer) {
                    Ok(())
                } else {
                    Err(Gap::NotKept)
                }
            }
        }
    }

    /// A little-endian number of `size` bytes, at most 8.
    pub(crate) fn number(self, memory: &dyn Memory, size: u64) -> Result<u64, Gap> {
        let mut bytes = [0; 8];
        let size = usize::try_from(size).unwrap_or(8).min(8);
        self.read(memory, &mut bytes[..size])?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn word(self, memory: &dyn Memory) -> Result<u64, Gap> {
        self.number(memory, 8)
    }
}
