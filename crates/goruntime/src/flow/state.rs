//! What all places of a function hold at one point of it.

use std::collections::{BTreeMap, HashMap};

use super::value::{Place, Register, Value, ValueId, Values};

/// General registers of either architecture.
pub(super) const REGISTERS: usize = 32;
/// Bytes of a slot.
pub(super) const SLOT: i64 = 8;
/// Slots that one instruction is taken to write to.
const MOST_WRITTEN: i64 = 64;
/// Slots that are followed at once.
const MOST_SLOTS: usize = 4096;

/// What is known of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// What was stored there.
    pub(super) value: ValueId,
    /// Since then a callee or a store through a pointer may have written there, if the address was theirs.
    pub(super) at_risk: bool,
}

/// What all places hold. A slot that is not listed holds what it held at the function's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) registers: [ValueId; REGISTERS],
    pub(super) slots: BTreeMap<i64, Held>,
    /// The lowest offset in the frame, and among the arguments above it, whose address was taken.
    escaped: [Option<i64>; 2],
    /// The lowest offsets from which on slots that are not listed are at risk.
    risk: [Option<i64>; 2],
}

/// Which of the two an offset belongs to.
fn side(offset: i64) -> usize {
    usize::from(offset >= 0)
}

/// The lower one; none counts as the highest.
fn lower(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

impl State {
    /// At the function's entry, with the stack pointer so many bytes from the canonical frame address.
    pub(super) fn entry(values: &mut Values, sp: Register, at: i64) -> Self {
        let mut registers: [ValueId; REGISTERS] =
            std::array::from_fn(|register| values.leaf(Value::Entry(Place::Register(register as Register))));
        if let Some(sp) = registers.get_mut(usize::from(sp)) {
            *sp = values.leaf(Value::Stack(at));
        }
        Self { registers, slots: BTreeMap::new(), escaped: [None; 2], risk: [None; 2] }
    }

    /// The value of a register.
    pub(super) fn register(&self, register: Register) -> ValueId {
        self.registers[usize::from(register) % REGISTERS]
    }

    pub(super) fn set(&mut self, register: Register, value: ValueId) {
        self.registers[usize::from(register) % REGISTERS] = value;
    }

    /// What is in the slot at `offset`, which is a multiple of its size.
    pub(super) fn slot(&self, offset: i64, values: &mut Values) -> Held {
        self.slots.get(&offset).copied().unwrap_or_else(|| Held {
            value: values.leaf(Value::Entry(Place::Slot(offset))),
            at_risk: self.entry_is_at_risk(offset),
        })
    }

    /// Whether a slot that is not listed is at risk.
    pub(super) fn entry_is_at_risk(&self, offset: i64) -> bool {
        self.risk[side(offset)].is_some_and(|from| from <= offset)
    }

    /// Somebody else has the address of what begins at `offset`.
    pub(super) fn escape(&mut self, offset: i64) {
        let escaped = &mut self.escaped[side(offset)];
        *escaped = lower(*escaped, Some(offset));
    }

    /// Writes to `size` bytes at `offset`: `value`, where it is known and the size that of a slot.
    pub(super) fn store(
        &mut self,
        offset: i64,
        size: u32,
        value: Option<ValueId>,
        site: u32,
        values: &mut Values,
    ) {
        let end = offset.saturating_add(i64::from(size));
        let first = offset.div_euclid(SLOT) * SLOT;
        if end.saturating_sub(first) > MOST_WRITTEN * SLOT {
            self.endanger(offset);
            return;
        }
        let mut slot = first;
        while slot < end {
            let whole = value.filter(|_| slot == offset && i64::from(size) == SLOT);
            let value =
                whole.unwrap_or_else(|| values.leaf(Value::Unknown { site, place: Place::Slot(slot) }));
            self.slots.insert(slot, Held { value, at_risk: false });
            slot += SLOT;
        }
    }

    /// What is at `offset` and behind may have been written to.
    pub(super) fn endanger(&mut self, offset: i64) {
        let end = if offset < 0 { 0 } else { i64::MAX };
        for (_, held) in self.slots.range_mut(offset..end) {
            held.at_risk = true;
        }
        let risk = &mut self.risk[side(offset)];
        *risk = lower(*risk, Some(offset));
    }

    /// The slots from `offset` to `end` may have been written to.
    pub(super) fn endanger_between(&mut self, offset: i64, end: i64) {
        if offset < end {
            for (_, held) in self.slots.range_mut(offset..end) {
                held.at_risk = true;
            }
        }
    }

    /// Whatever pointers lead to may have been written to.
    pub(super) fn endanger_escaped(&mut self) {
        for offset in self.escaped.into_iter().flatten() {
            self.endanger(offset);
        }
    }

    /// Nothing below `offset` is kept: the stack ends there.
    pub(super) fn cut(&mut self, offset: i64, site: u32, values: &mut Values) {
        for (slot, held) in self.slots.range_mut(..offset) {
            held.value = values.leaf(Value::Unknown { site, place: Place::Slot(*slot) });
        }
    }

    /// How many places are told of.
    pub(super) fn size(&self) -> usize {
        REGISTERS + self.slots.len()
    }

    /// There are more slots than any function has.
    pub(super) fn is_too_large(&self) -> bool {
        self.slots.len() > MOST_SLOTS
    }

    /// Takes the values that the instruction at `site` made when it ran the last time for others than those that
    /// it is about to make.
    pub(super) fn age(&mut self, site: u32, values: &mut Values) {
        for (register, value) in (0..).zip(&mut self.registers) {
            if values.is_of(*value, site) {
                *value = values.leaf(Value::Stale { site, place: Place::Register(register) });
            }
        }
        for (slot, held) in &mut self.slots {
            if values.is_of(held.value, site) {
                held.value = values.leaf(Value::Stale { site, place: Place::Slot(*slot) });
            }
        }
    }

    /// Every place with what it holds, registers first.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, ValueId, bool)> + '_ {
        let registers = (0..).zip(&self.registers).map(|(at, value)| (Place::Register(at), *value, false));
        let slots = self.slots.iter().map(|(at, held)| (Place::Slot(*at), held.value, held.at_risk));
        registers.chain(slots)
    }

    /// What is known where several ways come together in the block at `block`.
    ///
    /// A place that holds the same on all ways holds it here. Places that agree with one another on each way
    /// agree here, whatever it is that they hold.
    pub(super) fn join(ways: &[&Self], block: u32, values: &mut Values) -> Option<Self> {
        let (first, others) = ways.split_first()?;
        if others.is_empty() {
            return Some((*first).clone());
        }
        let mut joined = Self {
            registers: first.registers,
            slots: BTreeMap::new(),
            escaped: std::array::from_fn(|side| {
                ways.iter().fold(None, |low, way| lower(low, way.escaped[side]))
            }),
            risk: std::array::from_fn(|side| ways.iter().fold(None, |low, way| lower(low, way.risk[side]))),
        };
        let mut classes: HashMap<Vec<ValueId>, ValueId> = HashMap::new();
        let mut agree = |all: Vec<ValueId>, place: Place, values: &mut Values| {
            let one = all[0];
            let old = |value| matches!(value, Value::Join { block: of, .. } if of == block);
            if all.iter().all(|other| *other == one) && !values.any(one, old) {
                return one;
            }
            *classes.entry(all).or_insert_with(|| values.leaf(Value::Join { block, place }))
        };
        for register in 0..REGISTERS {
            let all = ways.iter().map(|way| way.registers[register]).collect();
            joined.registers[register] = agree(all, Place::Register(register as Register), values);
        }
        let mut slots: Vec<i64> = ways.iter().flat_map(|way| way.slots.keys().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let held: Vec<Held> = ways.iter().map(|way| way.slot(slot, values)).collect();
            let at_risk = held.iter().any(|held| held.at_risk);
            let all = held.iter().map(|held| held.value).collect();
            let value = agree(all, Place::Slot(slot), values);
            joined.slots.insert(slot, Held { value, at_risk });
        }
        Some(joined)
    }
}
