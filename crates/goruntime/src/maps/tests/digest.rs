//! The checksums that the programs print: FNV-1a over the bytes of a key and its element.

use panicle_binary::dwarf::BaseKind;

use crate::value::{
    Context, TypeRef,
    describe::{Described, Kind, at_runtime_address, describe},
};

pub(super) struct Digest<'d> {
    context: &'d Context<'d>,
    sum: u64,
}

/// The checksum of the entry with this key and element.
pub(super) fn entry(context: &Context<'_>, key: (TypeRef, u64), elem: (TypeRef, u64)) -> u64 {
    let mut digest = Digest { context, sum: 0xcbf2_9ce4_8422_2325 };
    for (of, address) in [key, elem] {
        let size = describe(context, of).size.unwrap();
        let bytes = digest.bytes(address, size);
        digest.value(of, &bytes);
    }
    digest.sum
}

impl Digest<'_> {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.sum = (self.sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.add(&(text.len() as u64).to_le_bytes());
        self.add(text);
    }

    fn bytes(&self, address: u64, size: u64) -> Vec<u8> {
        let mut bytes = vec![0; size as usize];
        assert!(self.context.memory.read(address, &mut bytes), "no memory at {address:#x}");
        bytes
    }

    fn value(&mut self, of: TypeRef, bytes: &[u8]) {
        let context = self.context;
        let found: Described = describe(context, of);
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let mut whole = [0; 8];
        let short = bytes.len().min(8);
        whole[..short].copy_from_slice(&bytes[..short]);
        let unsigned = u64::from_le_bytes(whole);
        match found.kind {
            Kind::Base(BaseKind::Int) => {
                let shift = 64 - 8 * bytes.len() as u32;
                self.add(&(((unsigned << shift).cast_signed()) >> shift).to_le_bytes());
            }
            Kind::Base(BaseKind::Complex) if bytes.len() == 8 => {
                for half in bytes.chunks(4) {
                    let part = f32::from_le_bytes(half.try_into().unwrap());
                    self.add(&f64::from(part).to_le_bytes());
                }
            }
            Kind::Base(BaseKind::Complex) => self.add(bytes),
            Kind::Base(_)
            | Kind::Uintptr
            | Kind::Pointer { .. }
            | Kind::UnsafePointer
            | Kind::Map
            | Kind::Chan => self.add(&unsigned.to_le_bytes()),
            Kind::String => self.text(&self.bytes(word(0), word(8))),
            Kind::Struct(fields) => {
                for field in fields {
                    let size = describe(context, field.of).size.unwrap() as usize;
                    self.value(field.of, &bytes[field.offset as usize..][..size]);
                }
            }
            Kind::Array { elem, len } => {
                let size = describe(context, elem).size.unwrap() as usize;
                for at in 0..len as usize {
                    self.value(elem, &bytes[at * size..][..size]);
                }
            }
            Kind::Interface { empty } => self.interface(empty, word(0), word(8)),
            _ => panic!("no such key or element: {}", found.name),
        }
    }

    fn interface(&mut self, empty: bool, word: u64, data: u64) {
        if word == 0 {
            self.text(b"nil");
            return;
        }
        let types = self.context.types.unwrap();
        let memory = self.context.memory;
        let address = if empty { word } else { types.itab_type(memory, word).unwrap() };
        let found = types.read(memory, address).unwrap();
        self.text(found.name.as_bytes());
        let bytes = if found.direct { data.to_le_bytes().to_vec() } else { self.bytes(data, found.size) };
        self.value(at_runtime_address(self.context, address), &bytes);
    }
}
