//! Spill slots of arguments: what a traceback prints from, where DWARF has lost sight of an argument.
//!
//! Each register argument has a slot in the caller's frame. The function stores it there when it needs the
//! register; DWARF of optimised code often stops naming the argument at that point, while the byte code for
//! tracebacks (`emitArgInfo`, cmd/compile/internal/ssagen) and its table of live slots still tell.

use crate::args::{DOTS, END, END_AGGREGATE, LONGEST, Liveness, OFFSET_TOO_LARGE, START_AGGREGATE};

/// The slot of an argument that is stored in it, in bytes from the canonical frame address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where it begins.
    pub start: u64,
    /// Where its last word that is printed ends.
    pub end: u64,
}

impl Slot {
    /// Whether a value of `size` bytes can lie here. Padding at the end of a struct is not printed.
    pub(super) fn fits(self, size: u64) -> bool {
        let printed = self.end.saturating_sub(self.start);
        printed <= size && size < printed.saturating_add(8)
    }
}

/// The slots of the arguments in order, receivers first, as far as `code` names them; `None` for an argument
/// that is not stored in its slot as a whole.
pub(crate) fn argument_slots(code: &[u8], live: &Liveness<'_>) -> Vec<Option<Slot>> {
    let mut slots = Vec::new();
    let mut code = code.iter().copied().take(LONGEST);
    let mut depth = 0_u32;
    let mut current: Option<Slot> = None;
    let mut whole = true;
    let mut component = 0_u8;
    while let Some(op) = code.next() {
        match op {
            END => break,
            START_AGGREGATE => depth += 1,
            END_AGGREGATE => depth = depth.saturating_sub(1),
            // At the top it stands for all that follow, and they have no place in the list.
            DOTS if depth == 0 => break,
            DOTS | OFFSET_TOO_LARGE => whole = false,
            offset => {
                let Some(size) = code.next() else { break };
                whole &= live.is_live(offset, component);
                if live.counts(offset) {
                    component = component.wrapping_add(1);
                }
                let (start, end) = (u64::from(offset), u64::from(offset) + u64::from(size));
                let known = current.get_or_insert(Slot { start, end });
                known.start = known.start.min(start);
                known.end = known.end.max(end);
            }
        }
        if depth == 0 {
            slots.push(current.take().filter(|_| whole));
            whole = true;
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::{Slot, argument_slots};
    use crate::args::Liveness;

    #[test]
    fn follows_the_byte_code() {
        // f(int32, string, struct{ int8; [1]uint16 }, …): 4 bytes at 0, {8 at 8, 8 at 16}, {1 at 24, {2 at 26}},
        // an argument that is nested too deep, dots.
        let code = [
            0, 4, 0xfe, 8, 8, 16, 8, 0xfd, 0xfe, 24, 1, 0xfe, 26, 2, 0xfd, 0xfd, 0xfe, 0xfc, 0xfd, 0xfc, 0xff,
        ];
        let slot = |start, end| Some(Slot { start, end });
        let all = Liveness::new(None);
        assert_eq!(argument_slots(&code, &all), [slot(0, 4), slot(8, 24), slot(24, 28), None]);
        // From offset 8 on slots count; the bitmap says that the second of them, half of the string, is not live.
        let table = [8, 0b1101];
        let partly = Liveness::new(Some((&table, 1)));
        assert_eq!(argument_slots(&code, &partly), [slot(0, 4), None, slot(24, 28), None]);
        assert_eq!(argument_slots(&[0], &all), []);
        assert_eq!(argument_slots(&[0xfe, 0xfe], &all), []);
    }
}
