//! The digest of a program's code that is the same for every link of it.
//!
//! `-s -w` changes no instruction. But the go command records its flags in the executable (without
//! `-trimpath`, `-ldflags` among them), in the build information and in a string of the read-only data, and
//! what lies behind them moves. So thousands of instructions name other addresses, in Go 1.21 to 1.27
//! alike, although the function table is the same to the byte. Here such addresses count as zero.

use iced_x86::{Code, ConstantOffsets, Decoder, DecoderOptions, Instruction, OpKind};
use panicle_image::Arch;
use sha2::{Digest as _, Sha256};

/// Lower-case hexadecimal SHA-256 of `text`, which is linked at `address`, in which references to anything
/// outside of it are zero. `image` is where the program is linked: absolute addresses within count too.
pub(crate) fn digest(arch: Arch, address: u64, text: &[u8], image: (u64, u64)) -> String {
    let text = Text { address, bytes: text, image };
    let mut masked = Masked { bytes: text.bytes, done: 0, hasher: Sha256::new() };
    match arch {
        Arch::Amd64 => text.mask_amd64(&mut masked),
        Arch::Arm64 => text.mask_arm64(&mut masked),
        Arch::Other(_) => {}
    }
    masked.finish()
}

/// Feeds bytes to a hash, some of them as zeros.
struct Masked<'t> {
    bytes: &'t [u8],
    done: usize,
    hasher: Sha256,
}

impl Masked<'_> {
    /// `with` instead of the bytes at `at`. Earlier places cannot be changed any more.
    fn replace(&mut self, at: usize, with: &[u8]) {
        if let Some(before) = self.bytes.get(self.done..at)
            && at + with.len() <= self.bytes.len()
        {
            self.hasher.update(before);
            self.hasher.update(with);
            self.done = at + with.len();
        }
    }

    fn finish(mut self) -> String {
        self.hasher.update(self.bytes.get(self.done..).unwrap_or_default());
        hex::encode(self.hasher.finalize())
    }
}

struct Text<'t> {
    address: u64,
    bytes: &'t [u8],
    image: (u64, u64),
}

impl Text<'_> {
    fn contains(&self, address: u64) -> bool {
        address.checked_sub(self.address).is_some_and(|offset| offset < self.bytes.len() as u64)
    }

    /// An absolute address of something else in the program.
    fn is_elsewhere(&self, address: u64) -> bool {
        (self.image.0..self.image.1).contains(&address) && !self.contains(address)
    }

    /// One instruction after the other. Where the sweep meets bytes that are none, as between functions,
    /// it does so in every link of the program.
    fn mask_amd64(&self, masked: &mut Masked<'_>) {
        const ADDRESS: usize = 4;
        let mut decoder = Decoder::with_ip(64, self.bytes, self.address, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            let at = decoder.position();
            decoder.decode_out(&mut instruction);
            if instruction.code() == Code::INVALID {
                continue;
            }
            let constants: ConstantOffsets = decoder.get_constant_offsets(&instruction);
            if constants.displacement_size() == ADDRESS {
                let target = instruction.memory_displacement64();
                let other = if instruction.is_ip_rel_memory_operand() {
                    !self.contains(target)
                } else {
                    self.is_elsewhere(target)
                };
                if other {
                    masked.replace(at + constants.displacement_offset(), &[0; ADDRESS]);
                }
            }
            if constants.immediate_size() == ADDRESS {
                let other = if instruction.op0_kind() == OpKind::NearBranch64 {
                    !self.contains(instruction.near_branch_target())
                } else {
                    self.is_elsewhere(u64::from(instruction.immediate32()))
                };
                if other {
                    masked.replace(at + constants.immediate_offset(), &[0; ADDRESS]);
                }
            }
        }
    }

    /// `ADRP` names a page, the instruction after it the place on it (`R_ADDRARM64` of
    /// cmd/link/internal/arm64/asm.go).
    fn mask_arm64(&self, masked: &mut Masked<'_>) {
        const ADRP: (u32, u32) = (0x9f00_0000, 0x9000_0000);
        const ADD: (u32, u32) = (0xff80_0000, 0x9100_0000);
        const LOAD_STORE: (u32, u32) = (0x3b00_0000, 0x3900_0000);
        let is = |word: u32, (mask, value): (u32, u32)| word & mask == value;
        let mut page_in = None;
        let (words, _) = self.bytes.as_chunks::<4>();
        for (index, word) in words.iter().enumerate() {
            let word = u32::from_le_bytes(*word);
            let base = word >> 5 & 0x1f;
            if is(word, ADRP) {
                page_in = Some(word & 0x1f);
                masked.replace(index * 4, &(word & 0x9f00_001f).to_le_bytes());
                continue;
            }
            if page_in.take() == Some(base) && (is(word, ADD) || is(word, LOAD_STORE)) {
                masked.replace(index * 4, &(word & !0x003f_fc00).to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arch, digest};

    /// The same code between two images, with operands at the marked places.
    fn amd64(data: u32, jump: u32, absolute: u32) -> String {
        let mut code = vec![0x48, 0x8d, 0x05]; // lea rax, [rip+data]
        code.extend(data.to_le_bytes());
        code.push(0xe9); // jmp
        code.extend(jump.to_le_bytes());
        code.extend([0x48, 0xc7, 0xc0]); // mov rax, absolute
        code.extend(absolute.to_le_bytes());
        code.resize(0x100, 0xcc);
        digest(Arch::Amd64, 0x40_1000, &code, (0x40_0000, 0x60_0000))
    }

    #[test]
    fn what_lies_elsewhere_may_lie_anywhere() {
        let one = amd64(0x10_0000, 0x20, 0x51_0000);
        assert_eq!(amd64(0x10_0020, 0x20, 0x51_0020), one);
        for other in [
            // Another constant, another place in the text, a place in it that was none.
            amd64(0x10_0000, 0x20, 7),
            amd64(0x10_0000, 0x30, 0x51_0000),
            amd64(0x10, 0x20, 0x51_0000),
        ] {
            assert_ne!(other, one);
        }
        // A call of what another section has, such as a procedure linkage table.
        assert_eq!(amd64(0x10_0000, 0x1000, 1), amd64(0x10_0000, 0x1010, 1));
    }

    #[test]
    fn pages_and_places_on_them_do_not_count_on_arm64() {
        let code = |words: [u32; 3]| {
            let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
            digest(Arch::Arm64, 0x1_1000, &bytes, (0x1_0000, 0x6_0000))
        };
        // adrp x27, page; add x27, x27, place; ret
        let one = code([0x9000_001b, 0x9100_837b, 0xd65f_03c0]);
        assert_eq!(code([0xb000_003b, 0x9100_a37b, 0xd65f_03c0]), one);
        // Another register, and an addition to something else.
        assert_ne!(code([0x9000_001a, 0x9100_837b, 0xd65f_03c0]), one);
        assert_ne!(code([0x9000_001b, 0x9100_837a, 0xd65f_03c0]), one);
        assert_ne!(
            code([0xd65f_03c0, 0x9100_837b, 0x9000_001b]),
            code([0xd65f_03c0, 0x9100_a37b, 0x9000_001b])
        );
    }

    #[test]
    fn any_bytes_have_a_digest() {
        for seed in 0..200_u32 {
            let bytes: Vec<u8> =
                (0..seed * 7).map(|i| (i.wrapping_mul(2_654_435_761 + seed) >> 24) as u8).collect();
            for arch in [Arch::Amd64, Arch::Arm64, Arch::Other(8)] {
                for address in [0, 0x40_1000, u64::MAX - 5] {
                    assert_eq!(digest(arch, address, &bytes, (0, u64::MAX)).len(), 64);
                }
            }
        }
    }
}
