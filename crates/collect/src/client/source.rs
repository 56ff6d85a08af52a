//! What is read while it is sent.

use std::io::{self, Read};

/// The next `left` bytes of something, counted as they go. Trouble with reading is kept apart from trouble with
/// sending, which the client of HTTP does not do.
pub(super) struct Sending<'a> {
    inner: &'a mut dyn Read,
    /// Bytes that have to come; without it all that there are.
    left: Option<u64>,
    position: u64,
    progress: &'a mut dyn FnMut(u64),
    pub(super) trouble: Option<io::Error>,
}

impl<'a> Sending<'a> {
    /// `position` is how much was sent before; `progress` is told how much was sent all in all.
    pub(super) fn new(
        inner: &'a mut dyn Read,
        left: Option<u64>,
        position: u64,
        progress: &'a mut dyn FnMut(u64),
    ) -> Self {
        Self { inner, left, position, progress, trouble: None }
    }

    fn fail<T>(&mut self, error: io::Error) -> io::Result<T> {
        let again = io::Error::new(error.kind(), error.to_string());
        self.trouble = Some(error);
        Err(again)
    }
}

impl Read for Sending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self
            .left
            .map_or(buffer.len(), |left| usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        let count = match self.inner.read(&mut buffer[..most]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return self.fail(error),
        };
        if count == 0 && self.left.is_some() {
            return self
                .fail(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was sent"));
        }
        self.left = self.left.map(|left| left - count as u64);
        self.position += count as u64;
        (self.progress)(self.position);
        Ok(count)
    }
}
