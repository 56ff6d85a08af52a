//! `memhash`: the hash of a run of memory, by rounds of AES or by multiplication.

use aes::{
    Block,
    hazmat::{cipher_round, inv_mix_columns},
};

use crate::layout::Hashing;

/// The constants that Go up to 1.22 has in place of all keys but the first (`m1` to `m4`, runtime/hash64.go).
const CONSTANTS: [u64; 4] =
    [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3];
/// `m5`.
const LAST: u64 = 0x1d8e_4e27_c47d_124f;

/// A function that hashes memory, with the process' own random keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MemoryHash {
    /// `aeshashbody` of amd64 (runtime/asm_amd64.s, internal/runtime/maps/memhash_amd64.s).
    Amd64(Box<Schedule>),
    /// That of arm64 (runtime/asm_arm64.s, internal/runtime/maps/memhash_arm64.s).
    Arm64(Box<Schedule>, Hashing),
    /// `memhashFallback` (runtime/hash64.go, internal/runtime/maps/runtime_hash64.go).
    Multiply([u64; 4]),
}

/// `aeskeysched`.
pub(super) type Schedule = [u8; 128];

impl MemoryHash {
    /// The fallback with `hashkey`.
    pub(super) fn multiply(keys: [u64; 4], hashing: Hashing) -> Self {
        if hashing > Hashing::Constants {
            return Self::Multiply(keys);
        }
        let [first, rest @ ..] = CONSTANTS;
        Self::Multiply([keys[0] ^ first, rest[0], rest[1], rest[2]])
    }

    /// `memhash`.
    pub(super) fn bytes(&self, data: &[u8], seed: u64) -> u64 {
        match self {
            Self::Amd64(schedule) => amd64(schedule, data, seed),
            Self::Arm64(schedule, hashing) => arm64(schedule, data, seed, *hashing),
            Self::Multiply(keys) => multiply(keys, data, seed),
        }
    }

    /// `memhash32`.
    pub(super) fn four(&self, data: [u8; 4], seed: u64) -> u64 {
        let number = u64::from(u32::from_le_bytes(data));
        match self {
            Self::Amd64(schedule) => amd64_word(schedule, number, seed),
            // The seed has four bytes, and the key comes right behind.
            Self::Arm64(schedule, hashing) if *hashing < Hashing::Signatures => {
                arm64_word(schedule, 0, (seed & 0xffff_ffff) | (number << 32))
            }
            Self::Arm64(schedule, _) => arm64_word(schedule, number, seed),
            Self::Multiply(keys) => multiply_word(keys, number, 4, seed),
        }
    }

    /// `memhash64`.
    pub(super) fn eight(&self, data: [u8; 8], seed: u64) -> u64 {
        let number = u64::from_le_bytes(data);
        match self {
            Self::Amd64(schedule) => amd64_word(schedule, number, seed),
            Self::Arm64(schedule, _) => arm64_word(schedule, number, seed),
            Self::Multiply(keys) => multiply_word(keys, number, 8, seed),
        }
    }
}

fn block(bytes: &[u8]) -> u128 {
    let mut whole = [0; 16];
    whole[..bytes.len()].copy_from_slice(bytes);
    u128::from_le_bytes(whole)
}

/// Substitutes, shifts and mixes: a round without its key.
fn round(state: u128) -> u128 {
    let mut state = Block::from(state.to_le_bytes());
    cipher_round(&mut state, &Block::default());
    u128::from_le_bytes(state.into())
}

/// `AESENC state, state`.
fn scramble(state: u128) -> u128 {
    round(state) ^ state
}

fn low(state: u128) -> u64 {
    state as u64
}

fn key(schedule: &Schedule, index: usize) -> u128 {
    block(&schedule[16 * index..16 * index + 16])
}

/// How many blocks are hashed side by side, and where in `data`, which has more than 16 bytes, they are: as many
/// from the front as from the back, which may overlap.
fn blocks(data: &[u8]) -> ([u128; 8], usize) {
    let lanes = match data.len() {
        ..=32 => 2,
        33..=64 => 4,
        _ => 8,
    };
    let mut found = [0; 8];
    // From 129 bytes on the last blocks begin, and all of it follows.
    let in_front = if data.len() > 128 { 0 } else { lanes / 2 };
    for (lane, found) in found.iter_mut().enumerate().take(lanes) {
        let at = if lane < in_front { 16 * lane } else { data.len() - 16 * (lanes - lane) };
        *found = block(&data[at..at + 16]);
    }
    (found, lanes)
}

fn xor_of(lanes: &[u128]) -> u64 {
    low(lanes.iter().fold(0, |sum, lane| sum ^ lane))
}

fn amd64(schedule: &Schedule, data: &[u8], seed: u64) -> u64 {
    // The seed, and four times the length.
    let length = u128::from(data.len() as u16);
    let length = length | (length << 16) | (length << 32) | (length << 48);
    let start = u128::from(seed) | (length << 64);
    let lane_seed = |lane: usize| scramble(start ^ key(schedule, lane));
    let first = lane_seed(0);
    let thrice = |state: u128| scramble(scramble(scramble(state)));
    match data.len() {
        0 => low(scramble(first)),
        1..=16 => low(thrice(block(data) ^ first)),
        length => {
            let (mut states, lanes) = blocks(data);
            for (lane, state) in states.iter_mut().enumerate().take(lanes) {
                *state ^= if lane == 0 { first } else { lane_seed(lane) };
            }
            if length > 128 {
                for whole in data.chunks_exact(128).take((length - 1) / 128) {
                    for (state, bytes) in states.iter_mut().zip(whole.chunks_exact(16)) {
                        *state = round(scramble(*state)) ^ block(bytes);
                    }
                }
            }
            for state in &mut states[..lanes] {
                *state = thrice(*state);
            }
            xor_of(&states[..lanes])
        }
    }
}

fn amd64_word(schedule: &Schedule, number: u64, seed: u64) -> u64 {
    let mut state = u128::from(seed) | (u128::from(number) << 64);
    for index in 0..3 {
        state = round(state) ^ key(schedule, index);
    }
    low(state)
}

/// `AESE` without `AESMC` behind it.
fn last_round(state: u128) -> u128 {
    let mut state = Block::from(round(state).to_le_bytes());
    inv_mix_columns(&mut state);
    u128::from_le_bytes(state.into())
}

fn arm64(schedule: &Schedule, data: &[u8], seed: u64, hashing: Hashing) -> u64 {
    let start = u128::from(seed) | ((data.len() as u128) << 64);
    let lane_seed = |lane: usize| round(start ^ key(schedule, lane));
    let first = lane_seed(0);
    match data.len() {
        0 => low(first),
        1..=16 => {
            let twice = round(round(short_block(data) ^ first) ^ first) ^ first;
            low(if hashing == Hashing::ShortStep { last_round(twice) } else { round(twice) })
        }
        length => {
            let (mut found, lanes) = blocks(data);
            let mut seeds = [0; 8];
            for (lane, seed) in seeds.iter_mut().enumerate().take(lanes) {
                *seed = if lane == 0 { first } else { lane_seed(lane) };
            }
            if length > 128 {
                // Here the seeds are the state and the blocks the keys.
                for whole in data.chunks_exact(128).take((length - 1) / 128) {
                    for ((seed, found), bytes) in seeds.iter_mut().zip(&mut found).zip(whole.chunks_exact(16))
                    {
                        *seed = round(*seed ^ *found);
                        *found = block(bytes);
                        *seed = round(*seed ^ *found);
                    }
                }
                (found, seeds) = (seeds, found);
            }
            for (state, seed) in found.iter_mut().zip(seeds).take(lanes) {
                *state = last_round(round(round(*state ^ seed) ^ seed) ^ seed);
            }
            xor_of(&found[..lanes])
        }
    }
}

/// Up to 16 bytes as arm64 loads them: eight, four, two and one, each to a place of its own.
fn short_block(data: &[u8]) -> u128 {
    let mut whole = [0; 16];
    if data.len() == 16 {
        return block(data);
    }
    let mut rest = data;
    for (size, to) in [(8, 0), (4, 8), (2, 12), (1, 14)] {
        if data.len() & size != 0 {
            let (now, later) = rest.split_at(size);
            whole[to..to + size].copy_from_slice(now);
            rest = later;
        }
    }
    u128::from_le_bytes(whole)
}

fn arm64_word(schedule: &Schedule, number: u64, seed: u64) -> u64 {
    let key = key(schedule, 0);
    let state = u128::from(seed) | (u128::from(number) << 64);
    low(last_round(round(round(state ^ key) ^ key) ^ key))
}

fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

fn number(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(whole)
}

fn multiply(keys: &[u64; 4], data: &[u8], seed: u64) -> u64 {
    let mut seed = seed ^ keys[0];
    let length = data.len();
    let (a, b) = match length {
        0 => return seed,
        1..=3 => {
            let byte = |at: usize| u64::from(data[at]);
            (byte(0) | (byte(length / 2) << 8) | (byte(length - 1) << 16), 0)
        }
        4..=7 => (number(&data[..4]), number(&data[length - 4..])),
        8..=16 => (number(&data[..8]), number(&data[length - 8..])),
        _ => {
            let mut rest = data;
            if rest.len() > 48 {
                let (mut second, mut third) = (seed, seed);
                while rest.len() > 48 {
                    let at = |offset: usize| number(&rest[offset..offset + 8]);
                    seed = mix(at(0) ^ keys[1], at(8) ^ seed);
                    second = mix(at(16) ^ keys[2], at(24) ^ second);
                    third = mix(at(32) ^ keys[3], at(40) ^ third);
                    rest = &rest[48..];
                }
                seed ^= second ^ third;
            }
            while rest.len() > 16 {
                seed = mix(number(&rest[..8]) ^ keys[1], number(&rest[8..16]) ^ seed);
                rest = &rest[16..];
            }
            (number(&data[length - 16..length - 8]), number(&data[length - 8..]))
        }
    };
    mix(LAST ^ length as u64, mix(a ^ keys[1], b ^ seed))
}

fn multiply_word(keys: &[u64; 4], number: u64, size: u64, seed: u64) -> u64 {
    mix(LAST ^ size, mix(number ^ keys[1], number ^ seed ^ keys[0]))
}
