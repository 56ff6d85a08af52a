//! Marks that no slot has, and entries that no search comes by, as a walk meets them.

use panicle_report::MapImplementation;

use super::{SLOTS, hmap, report::Problems, swiss};

/// The first of several, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    first: (u64, u64, u8),
    count: u64,
}

impl Found {
    fn add(&mut self, row: u64, slot: u64, mark: u8) {
        if self.count == 0 {
            self.first = (row, slot, mark);
        }
        self.count += 1;
    }

    fn others(self) -> String {
        match self.count {
            0 | 1 => String::new(),
            2 => " There is another such slot.".to_owned(),
            count => format!(" There are {} more such slots.", count - 1),
        }
    }
}

/// What was wrong with marks.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    wrong: Found,
    hidden: Found,
    /// The bucket at hand is over, its chain too: a slot was marked so.
    over: bool,
}

impl Marks {
    /// A bucket or group begins.
    pub(super) fn begin(&mut self) {
        self.over = false;
    }

    /// Looks at the control word of a group: every byte is `ctrlEmpty`, `ctrlDeleted` or seven bits of a hash
    /// (internal/runtime/maps/group.go).
    pub(super) fn of_group(&mut self, row: u64, control: [u8; SLOTS as usize]) {
        if swiss::control_is_sound(control) {
            return;
        }
        for (slot, byte) in (0..).zip(control) {
            if !swiss::byte_is_sound(byte) {
                self.wrong.add(row, slot, byte);
            }
        }
    }

    /// Looks at the marks of a bucket whose first slot has the number `base`. Only entries that move out of a
    /// bucket are marked as moved (`evacuate`), and nothing lies behind `emptyRest`, where a search ends
    /// (runtime/map.go).
    pub(super) fn of_bucket(&mut self, row: u64, base: u64, old: bool, marks: [u8; SLOTS as usize]) {
        for (slot, mark) in (base..).zip(marks) {
            if self.over && mark != hmap::EMPTY_REST {
                self.hidden.add(row, slot, mark);
            }
            self.over |= mark == hmap::EMPTY_REST;
            if !old && hmap::is_evacuated(mark) {
                self.wrong.add(row, slot, mark);
            }
        }
    }

    /// Says what was wrong.
    pub(super) fn say(&self, implementation: MapImplementation, problems: &mut Problems) {
        if self.wrong.count > 0 {
            let (row, slot, mark) = self.wrong.first;
            let others = self.wrong.others();
            problems.add(if implementation == MapImplementation::Swiss {
                format!(
                    "Slot {slot} of group {row} has the control byte {mark:#04x}, which none has.{others}"
                )
            } else {
                format!(
                    "Slot {slot} of bucket {row} has tophash {mark:#04x}, as if its entry had moved, and is in \
                     none of the old buckets.{others}"
                )
            });
        }
        if self.hidden.count > 0 {
            let (row, slot, mark) = self.hidden.first;
            let others = self.hidden.others();
            problems.add(format!(
                "Slot {slot} of bucket {row} has tophash {mark:#04x} behind a slot with which every search \
                 ends.{others}"
            ));
        }
    }
}
