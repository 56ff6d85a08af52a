//! What of a key is hashed, and how: the functions that the compiler makes for a type, and the runtime's
//! `typehash`.

use crate::value::{
    Memory,
    rtype::{Kind, RuntimeType, Shape, TypeData},
};

/// Steps of one function; an array takes a step for each element.
const MOST_STEPS: usize = 4096;
/// Types within one another.
const MOST_NESTING: u32 = 32;
/// The body of a loop over an array covers about so many bytes (`unrollSize`).
const UNROLLED: u64 = 32;

/// A step of a hash function, at an offset of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `memhash` of so many bytes, or `memhash32` and `memhash64` for four and eight.
    Memory { at: u64, size: u64 },
    /// `memhash`, whatever the size.
    Bytes { at: u64, size: u64 },
    /// `f32hash`.
    Float32 { at: u64 },
    /// `f64hash`.
    Float64 { at: u64 },
    /// `strhash`.
    Text { at: u64 },
    /// `interhash` or `nilinterhash`.
    Interface { at: u64, empty: bool },
}

/// Who made a hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// The compiler up to Go 1.26 (`genhash`): runs of memory within one struct.
    Runs,
    /// The compiler from Go 1.27 on (`eqSignature`): runs of memory wherever.
    Signature,
    /// The runtime's `typehash`, for what interfaces hold and for maps that reflection made.
    Typehash,
}

/// The steps by which `maker` hashes the type at `address`; `None` when it cannot be told.
pub(super) fn steps(maker: Maker, types: &TypeData, memory: &dyn Memory, address: u64) -> Option<Vec<Step>> {
    let mut builder = Builder { maker, types, memory, steps: Vec::new(), run: None, nesting: 0 };
    builder.add(address, 0)?;
    builder.flush()?;
    Some(builder.steps)
}

struct Builder<'b> {
    maker: Maker,
    types: &'b TypeData,
    memory: &'b dyn Memory,
    steps: Vec<Step>,
    /// The run of memory that has not ended yet: offset and size.
    run: Option<(u64, u64)>,
    nesting: u32,
}

impl Builder<'_> {
    fn push(&mut self, step: Step) -> Option<()> {
        if self.steps.len() >= MOST_STEPS {
            return None;
        }
        self.steps.push(step);
        Some(())
    }

    fn flush(&mut self) -> Option<()> {
        match self.run.take() {
            Some((at, size)) => self.push(Step::Memory { at, size }),
            None => Some(()),
        }
    }

    /// A step that ends a run of memory.
    fn step(&mut self, step: Step) -> Option<()> {
        self.flush()?;
        self.push(step)
    }

    fn read(&self, address: u64) -> Option<RuntimeType> {
        self.types.read(self.memory, address)
    }

    fn add(&mut self, address: u64, at: u64) -> Option<()> {
        if self.nesting >= MOST_NESTING {
            return None;
        }
        self.nesting += 1;
        let found = self.read(address)?;
        let done = self.add_type(address, &found, at);
        self.nesting -= 1;
        done
    }

    fn add_type(&mut self, address: u64, found: &RuntimeType, at: u64) -> Option<()> {
        let size = found.size;
        let composite = matches!(found.kind, Kind::Struct | Kind::Array);
        if found.regular && !(self.maker == Maker::Signature && found.kind == Kind::Struct) {
            return match (self.maker, size) {
                (Maker::Signature, _) => self.run_on(at, size),
                (Maker::Runs, 0) => Some(()),
                (Maker::Typehash, 0) => self.push(Step::Bytes { at, size }),
                _ => self.push(Step::Memory { at, size }),
            };
        }
        if !composite {
            return match found.kind {
                Kind::Float32 => self.step(Step::Float32 { at }),
                Kind::Float64 => self.step(Step::Float64 { at }),
                Kind::Complex64 => {
                    self.step(Step::Float32 { at })?;
                    self.push(Step::Float32 { at: at.checked_add(4)? })
                }
                Kind::Complex128 => {
                    self.step(Step::Float64 { at })?;
                    self.push(Step::Float64 { at: at.checked_add(8)? })
                }
                Kind::String => self.step(Step::Text { at }),
                Kind::Interface => {
                    let Shape::Interface { empty } = self.types.shape(self.memory, address, found.kind)?
                    else {
                        return None;
                    };
                    self.step(Step::Interface { at, empty })
                }
                // Functions, slices and maps are no keys; all else is regular memory.
                _ => None,
            };
        }
        match self.types.shape(self.memory, address, found.kind)? {
            Shape::Array { elem, len } => self.array(elem, len, at),
            Shape::Struct(fields) => {
                let mut at_field = 0;
                while let Some(field) = fields.get(at_field) {
                    at_field += 1;
                    if field.name == "_" {
                        continue;
                    }
                    let start = at.checked_add(field.offset)?;
                    let of_field = self.read(field.type_address)?;
                    if self.maker != Maker::Runs || !of_field.regular {
                        self.add(field.type_address, start)?;
                        continue;
                    }
                    // `Memrun`: up to a gap, or a field that is not memory.
                    let mut end = field.offset.checked_add(of_field.size)?;
                    while let Some(next) = fields.get(at_field) {
                        let of_next = self.read(next.type_address)?;
                        if end != next.offset || next.name == "_" || !of_next.regular {
                            break;
                        }
                        end = next.offset.checked_add(of_next.size)?;
                        at_field += 1;
                    }
                    self.push(Step::Bytes { at: start, size: end.checked_sub(field.offset)? })?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Memory that a signature has, as one with what came right before.
    fn run_on(&mut self, at: u64, size: u64) -> Option<()> {
        match &mut self.run {
            _ if size == 0 => {}
            Some((start, length)) if start.checked_add(*length)? == at => {
                *length = length.checked_add(size)?;
            }
            _ => {
                self.flush()?;
                self.run = Some((at, size));
            }
        }
        Some(())
    }

    fn array(&mut self, elem: u64, len: u64, at: u64) -> Option<()> {
        let size = self.read(elem)?.size;
        if len == 0 || size == 0 {
            return Some(());
        }
        let element = |index: u64| at.checked_add(index.checked_mul(size)?);
        let unrolled = (UNROLLED / size).max(1);
        let loose = len % unrolled;
        for index in 0..len {
            // A loop's body is a function of its own, over a few elements.
            let looped = self.maker == Maker::Signature && len != 1 && len - loose > unrolled;
            if looped && index >= loose && (index - loose).is_multiple_of(unrolled) {
                self.flush()?;
            }
            self.add(elem, element(index)?)?;
        }
        if self.maker == Maker::Signature && len != 1 && len - loose > unrolled {
            self.flush()?;
        }
        Some(())
    }
}
