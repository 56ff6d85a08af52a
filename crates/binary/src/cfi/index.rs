//! Which entry of `.eh_frame` covers an address.

use gimli::{BaseAddresses, CieOrFde, EhFrame, UnwindSection as _};

use super::{Slice, Unwinding};

/// `DW_EH_PE_pcrel | DW_EH_PE_sdata4`, `DW_EH_PE_udata4`, `DW_EH_PE_datarel | DW_EH_PE_sdata4`: what
/// every linker writes.
const FRAMES_ENCODING: u8 = 0x1b;
const COUNT_ENCODING: u8 = 0x03;
const TABLE_ENCODING: u8 = 0x3b;
/// Version, three encodings, the section's address, the count.
const HEADER: usize = 12;
const ROW: usize = 8;

/// Entries by the first address that they cover.
pub(super) enum Index<'a> {
    /// The linker's own: pairs of 32-bit distances from the header, sorted.
    Table { rows: &'a [u8], header: u64 },
    /// Made here: addresses and offsets into `.eh_frame`, sorted.
    List(Vec<(u64, usize)>),
}

impl Index<'_> {
    /// The offset into `.eh_frame`, which was loaded at `frames`, of the entry that may cover `pc`.
    pub(super) fn offset(&self, pc: u64, frames: u64) -> Option<usize> {
        match self {
            Self::Table { rows, header } => {
                let at = |index: usize, word: usize| {
                    let distance = i32_at(rows, index * ROW + word)?;
                    Some(header.wrapping_add_signed(i64::from(distance)))
                };
                let (mut low, mut high) = (0, rows.len() / ROW);
                while low < high {
                    let middle = low.midpoint(high);
                    if at(middle, 0)? <= pc { low = middle + 1 } else { high = middle }
                }
                let entry = at(low.checked_sub(1)?, 4)?;
                usize::try_from(entry.checked_sub(frames)?).ok()
            }
            Self::List(entries) => {
                let after = entries.partition_point(|&(start, _)| start <= pc);
                entries.get(after.checked_sub(1)?).map(|&(_, offset)| offset)
            }
        }
    }
}

/// Where `.eh_frame` is, from its header at `address`.
pub(super) fn frames_address(address: u64, header: &[u8]) -> Option<u64> {
    let encoding = header.get(..2)?;
    let distance = i32_at(header, 4).filter(|_| encoding == [1, FRAMES_ENCODING])?;
    Some(address.wrapping_add(4).wrapping_add_signed(i64::from(distance)))
}

/// The linker's table, when the header has one.
pub(super) fn table(address: u64, header: &[u8]) -> Option<Index<'_>> {
    let encodings = header.get(2..4)?;
    let count = usize::try_from(i32_at(header, 8)?).ok().filter(|&count| count > 0)?;
    let rows = header.get(HEADER..HEADER.checked_add(count.checked_mul(ROW)?)?)?;
    (encodings == [COUNT_ENCODING, TABLE_ENCODING]).then_some(Index::Table { rows, header: address })
}

/// A table made by one pass over the entries; what comes after a damaged one is left out, and what there
/// is no room for.
pub(super) fn list<'a>(
    frames: &EhFrame<Slice<'a>>,
    bases: &BaseAddresses,
    unwinding: &Unwinding,
) -> Index<'a> {
    let mut found = Vec::new();
    let mut entries = frames.entries(bases);
    // Entries of one source file share one, and follow it.
    let mut latest = None;
    while let Ok(Some(entry)) = entries.next() {
        let length = match &entry {
            CieOrFde::Cie(cie) => cie.entry_len(),
            CieOrFde::Fde(partial) => partial.entry_len(),
        };
        if unwinding.read(length).and_then(|()| unwinding.index()).is_none() {
            break;
        }
        let CieOrFde::Fde(partial) = entry else { continue };
        let description = partial.parse(|frames, bases, offset| {
            if let Some((_, known)) = latest.as_ref().filter(|&&(at, _)| at == offset) {
                return Clone::clone(known);
            }
            let found = super::cie(frames, bases, offset, unwinding);
            latest = Some((offset, found.clone()));
            found
        });
        if let Ok(description) = description {
            found.push((description.initial_address(), description.offset()));
        }
    }
    found.sort_unstable();
    Index::List(found)
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
