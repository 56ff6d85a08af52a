//! What a place holds, in symbols: two places with one value are equal at run time.

use std::collections::HashMap;

/// Number of a general register: as the instruction set counts them, 31 for the stack pointer of arm64.
pub(crate) type Register = u8;

/// Where a function keeps a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// A general register.
    Register(Register),
    /// Eight bytes of the stack, so many bytes from the canonical frame address.
    Slot(i64),
}

/// Number of a value in its [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueId(u32);

/// A value. Those that an instruction makes are told apart by its `site`, bytes from the function's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
    /// What was in a place when the function began.
    Entry(Place),
    /// A number or fixed address.
    Constant(u64),
    /// An address in the frame, so many bytes from the canonical frame address.
    Stack(i64),
    /// So many bytes behind an address.
    Sum { base: ValueId, offset: i64 },
    /// What an instruction read from memory.
    Load { site: u32, base: ValueId, offset: i64, size: u8 },
    /// What it read from somewhere behind an address.
    Element { site: u32, base: ValueId },
    /// What it read from a slot that a callee may have written to since this value was put there.
    Maybe { site: u32, of: ValueId },
    /// Something that it left in a place.
    Unknown { site: u32, place: Place },
    /// What such a value was when the instruction ran the last time, found in a place.
    Stale { site: u32, place: Place },
    /// What a place holds where several ways come together, by the offset of the block.
    Join { block: u32, place: Place },
}

/// Longest chain of loads and sums that is kept.
const DEEPEST: u8 = 16;
/// Values of one function.
const MOST_VALUES: usize = 1 << 20;

/// The values of one function.
#[derive(Debug, Default)]
pub(crate) struct Values {
    list: Vec<(Value, u8)>,
    numbers: HashMap<Value, ValueId>,
}

impl Values {
    /// The number of a value. `site` and `place` stand in for one that is too far from where it began.
    pub(crate) fn number(&mut self, value: Value, site: u32, place: Place) -> ValueId {
        let depth = Self::base(value).map_or(0, |base| self.depth(base).saturating_add(1));
        if depth > DEEPEST {
            return self.intern(Value::Unknown { site, place }, 0);
        }
        self.intern(value, depth)
    }

    /// The number of a value that is made of no other.
    pub(crate) fn leaf(&mut self, value: Value) -> ValueId {
        self.intern(value, 0)
    }

    fn intern(&mut self, value: Value, depth: u8) -> ValueId {
        if let Some(known) = self.numbers.get(&value) {
            return *known;
        }
        let id = ValueId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push((value, depth));
        self.numbers.insert(value, id);
        id
    }

    /// The number of a value, if it has one.
    pub(crate) fn find(&self, value: Value) -> Option<ValueId> {
        self.numbers.get(&value).copied()
    }

    /// The value of a number.
    pub(crate) fn get(&self, id: ValueId) -> Option<Value> {
        self.list.get(id.0 as usize).map(|known| known.0)
    }

    fn depth(&self, id: ValueId) -> u8 {
        self.list.get(id.0 as usize).map_or(u8::MAX, |known| known.1)
    }

    /// There are more than any function has.
    pub(crate) fn too_many(&self) -> bool {
        self.list.len() > MOST_VALUES
    }

    /// `offset` bytes behind `base`.
    pub(crate) fn sum(&mut self, base: ValueId, offset: i64, site: u32, place: Place) -> ValueId {
        let value = match self.get(base) {
            _ if offset == 0 => return base,
            Some(Value::Constant(value)) => Value::Constant(value.wrapping_add_signed(offset)),
            Some(Value::Stack(from)) => Value::Stack(from.wrapping_add(offset)),
            Some(Value::Sum { base, offset: first }) => {
                Value::Sum { base, offset: first.wrapping_add(offset) }
            }
            _ => Value::Sum { base, offset },
        };
        self.number(value, site, place)
    }

    /// What a value is made of.
    fn base(value: Value) -> Option<ValueId> {
        match value {
            Value::Sum { base, .. } | Value::Load { base, .. } | Value::Element { base, .. } => Some(base),
            Value::Maybe { of, .. } => Some(of),
            _ => None,
        }
    }

    /// Whether a value, or one that it is made of, is such a one.
    pub(crate) fn any(&self, id: ValueId, is: impl Fn(Value) -> bool) -> bool {
        let mut next = Some(id);
        // Each value is made of earlier ones only.
        while let Some(value) = next.and_then(|id| self.get(id)) {
            if is(value) {
                return true;
            }
            next = Self::base(value);
        }
        false
    }

    /// Whether the instruction at `site` has to do with a value.
    pub(crate) fn is_of(&self, id: ValueId, site: u32) -> bool {
        self.any(id, |value| match value {
            Value::Load { site: of, .. }
            | Value::Element { site: of, .. }
            | Value::Maybe { site: of, .. }
            | Value::Unknown { site: of, .. }
            | Value::Stale { site: of, .. } => of == site,
            _ => false,
        })
    }
}
