//! Go on amd64 names globals relative to the instruction pointer.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};

use super::{Access, Reference};

pub(super) fn references(code: &[u8], address: u64) -> Vec<Reference> {
    Decoder::with_ip(64, code, address, DecoderOptions::NONE)
        .into_iter()
        .filter(Instruction::is_ip_rel_memory_operand)
        .map(|instruction| Reference {
            address: instruction.ip_rel_memory_address(),
            access: if instruction.mnemonic() == Mnemonic::Lea {
                Access::Address
            } else {
                Access::Memory(u8::try_from(instruction.memory_size().size()).unwrap_or(u8::MAX))
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_the_instructions_name() {
        // lea rax, [rip+0x10]; mov rcx, [rip+0x20]; cmp dword [rip-4], 0; mov rdx, [rax]
        let code = [
            0x48, 0x8d, 0x05, 0x10, 0, 0, 0, 0x48, 0x8b, 0x0d, 0x20, 0, 0, 0, 0x83, 0x3d, 0xfc, 0xff, 0xff,
            0xff, 0, 0x48, 0x8b, 0x10,
        ];
        let found = references(&code, 0x1000);
        let expected = [
            (0x1000 + 7 + 0x10, Access::Address),
            (0x1000 + 14 + 0x20, Access::Memory(8)),
            (0x1000 + 21 - 4, Access::Memory(4)),
        ];
        let expected: Vec<_> =
            expected.into_iter().map(|(address, access)| Reference { address, access }).collect();
        assert_eq!(found, expected);
    }
}
