use std::{
    cell::Cell,
    io::{self, Read},
};

/// How much may come out of decoders. Shared by all layers, because a bomb is often several small
/// ones in one another.
pub(crate) struct Budget {
    left: Cell<u64>,
    exceeded: Cell<bool>,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self { left: Cell::new(bytes), exceeded: Cell::new(false) }
    }

    /// Whether more was wanted. The error that told so may have been wrapped or swallowed on its way
    /// out of a decoder.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.get()
    }

    /// Takes `bytes` out; `false` when there are not so many.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let left = self.left.get().checked_sub(bytes);
        self.exceeded.set(self.exceeded.get() || left.is_none());
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// A decoder that is held to a budget.
pub(crate) struct Metered<'b, R> {
    pub(crate) inner: R,
    pub(crate) budget: &'b Budget,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if self.budget.take(count as u64) { Ok(count) } else { Err(io::Error::other("too much comes out")) }
    }
}
