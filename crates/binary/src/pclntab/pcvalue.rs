/// One run of pcs with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PcValue {
    /// First pc of the run.
    pub(super) start: u64,
    /// First pc past it.
    pub(super) end: u64,
    pub(super) value: i32,
}

/// A pc-value table: deltas of value and pc, each a varint, the value's zig-zag coded.
#[derive(Clone, Debug)]
pub(super) struct PcValues<'a> {
    rest: &'a [u8],
    pc: u64,
    end: u64,
    value: i32,
    quantum: u32,
    first: bool,
}

impl<'a> PcValues<'a> {
    pub(super) fn new(rest: &'a [u8], entry: u64, end: u64, quantum: u32) -> Self {
        Self { rest, pc: entry, end, value: -1, quantum, first: true }
    }

    /// The value that holds at `pc`.
    pub(super) fn at(self, pc: u64) -> Option<i32> {
        let mut runs = self;
        runs.find(|run| pc < run.end).filter(|run| pc >= run.start).map(|run| run.value)
    }

    fn varint(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Iterator for PcValues<'_> {
    type Item = PcValue;

    fn next(&mut self) -> Option<PcValue> {
        let coded = self.varint()?;
        // A zero value delta ends the table, except at its very start.
        if coded == 0 && !self.first {
            self.rest = &[];
            return None;
        }
        self.first = false;
        let delta = (coded >> 1) as i32 ^ -((coded & 1) as i32);
        self.value = self.value.wrapping_add(delta);
        let start = self.pc;
        let step = u64::from(self.varint()?) * u64::from(self.quantum);
        self.pc = self.pc.checked_add(step)?;
        // A run that leads nowhere, or out of the function, is corruption.
        if step == 0 || start >= self.end {
            self.rest = &[];
            return None;
        }
        Some(PcValue { start, end: self.pc, value: self.value })
    }
}
