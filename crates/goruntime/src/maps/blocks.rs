//! What buckets and groups lie in, one block behind the other, and reading structures by field.

use crate::{
    layout::StructLayout,
    value::{Context, Memory},
};

/// Buckets or groups that lie one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where the first one is.
    pub(super) address: u64,
    /// How many there are.
    pub(super) rows: u64,
    /// The number of the first one among all of the map.
    pub(super) first: u64,
    /// The number of the table, counted as they are found.
    pub(super) table: Option<u64>,
    /// Entries move out of it.
    pub(super) old: bool,
}

/// Bytes that may still be looked at. A map has no more than there are in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget(u64);

impl Budget {
    pub(super) fn new(memory: &dyn Memory) -> Self {
        // Some more, since not all of a map need be in the core.
        Self(memory.size().saturating_mul(2).saturating_add(1 << 20))
    }

    /// The same, but no more than `bytes`.
    pub(super) fn at_most(self, bytes: u64) -> Self {
        Self(self.0.min(bytes))
    }

    /// What is left.
    pub(super) fn left(self) -> u64 {
        self.0
    }

    /// There is nothing left.
    pub(super) fn is_spent(self) -> bool {
        self.0 == 0
    }

    /// Takes `bytes` off; false when there are not so many left.
    pub(super) fn spend(&mut self, bytes: u64) -> bool {
        let rest = self.0.checked_sub(bytes);
        self.0 = rest.unwrap_or(0);
        rest.is_some()
    }
}

/// Bytes of the largest structure that is read: `hmap`, `Map`, `table`.
const LARGEST: usize = 128;

/// A structure of the runtime, read as a whole.
pub(super) struct Structure<'s> {
    layout: &'s StructLayout,
    bytes: [u8; LARGEST],
}

impl<'s> Structure<'s> {
    /// The structure `name` at `address`; `None` when the layout lacks it or its memory is missing.
    pub(super) fn read(context: &Context<'s>, name: &str, address: u64) -> Option<Self> {
        let layout = context.layout.structure(name)?;
        let mut bytes = [0; LARGEST];
        let size = usize::try_from(layout.size).ok()?;
        context.memory.read(address, bytes.get_mut(..size)?).then_some(Self { layout, bytes })
    }

    /// A number of at most eight bytes; `None` when the version has no such field.
    pub(super) fn number(&self, field: &str) -> Option<u64> {
        let field = self.layout.field(field)?;
        self.at(field.offset, field.size)
    }

    /// A number of the structure `inner` that the field `field` is.
    pub(super) fn inner(&self, field: &str, inner: &StructLayout, path: &str) -> Option<u64> {
        let (outer, field) = (self.layout.field(field)?, inner.field(path)?);
        self.at(outer.offset.checked_add(field.offset)?, field.size)
    }

    fn at(&self, offset: u64, size: u64) -> Option<u64> {
        let (from, size) = (usize::try_from(offset).ok()?, usize::try_from(size).ok()?);
        let mut word = [0; 8];
        word.get_mut(..size)?.copy_from_slice(self.bytes.get(from..from.checked_add(size)?)?);
        Some(u64::from_le_bytes(word))
    }
}
