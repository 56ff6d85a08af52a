//! The runtime's global variables in an executable without symbols.
//!
//! Functions keep their names in the function table. Those that use a variable name its address in
//! their instructions, and what lies at the address must look like the variable: a list of `m`s whose
//! schedulers point back, strings that a table of states begins with. A variable that nothing fits is
//! unknown.

use std::collections::HashMap;

use crate::{
    clock::LATEST,
    code::{self, Access, Reference},
    process::Process,
};

/// Bytes of one function that are read; the largest used here has about 8 KiB.
const MOST_CODE: u64 = 64 << 10;
/// Functions of one name that are read. There are two at most, one of which is a wrapper.
const MOST_OF_A_NAME: usize = 4;
/// Addresses that the functions of one name may refer to.
const MOST_REFERENCES: usize = 4096;
/// Elements of a list that are looked at to tell that it is one.
const SAMPLE: u64 = 64;

/// How a variable is recognised.
struct Rule {
    name: &'static str,
    /// Functions that refer to it, under the names of all versions.
    functions: &'static [&'static str],
    /// The variable's address, if `reference` leads to it. `all` are the functions' references.
    fits: fn(process: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64>,
}

const RULES: &[Rule] = &[
    Rule { name: "runtime.allgs", functions: &["runtime.allgadd"], fits: all_gs },
    Rule { name: "runtime.allm", functions: &["runtime.mcommoninit"], fits: all_ms },
    Rule { name: "runtime.allp", functions: &["runtime.procresize"], fits: all_ps },
    Rule { name: "runtime.sched", functions: &["runtime.schedinit"], fits: scheduler },
    Rule { name: "runtime.memstats", functions: &["runtime.gcTrigger.test"], fits: memory_statistics },
    Rule { name: "runtime.gStatusStrings", functions: &["runtime.goroutineheader"], fits: states },
    Rule {
        name: "runtime.waitReasonStrings",
        functions: &["runtime.goroutineheader", "runtime.waitReason.String"],
        fits: wait_reasons,
    },
    Rule {
        name: "runtime.sigtable",
        functions: &["runtime.initsig", "runtime.sighandler", "runtime.fatalsignal"],
        fits: signals,
    },
    Rule { name: "runtime.printBacklog", functions: &["runtime.recordForPanic"], fits: backlog },
    Rule { name: "runtime.printBacklogIndex", functions: &["runtime.recordForPanic"], fits: backlog_index },
    Rule {
        name: "runtime.buildVersion",
        functions: &["runtime.schedinit", "runtime.Version"],
        fits: version,
    },
    Rule { name: "runtime.aeskeysched", functions: &["runtime.memhash32"], fits: aes_keys },
    Rule { name: "runtime.useAeshash", functions: &["runtime.memhash32"], fits: only_flag },
    Rule { name: "runtime.hashkey", functions: &["runtime.memhashFallback"], fits: hash_keys },
    Rule {
        name: "internal/runtime/maps.aeskeysched",
        functions: &["internal/runtime/maps.memHash32AES"],
        fits: aes_keys,
    },
    Rule {
        name: "internal/runtime/maps.UseAeshash",
        functions: &["internal/runtime/maps.MemHash"],
        fits: only_flag,
    },
    Rule {
        name: "internal/runtime/maps.hashkey",
        functions: &["internal/runtime/maps.memHashFallback"],
        fits: hash_keys,
    },
];

/// The variables of one process.
pub(crate) struct Globals {
    addresses: HashMap<&'static str, u64>,
}

impl Globals {
    /// Looks for every variable there is a rule for.
    pub(crate) fn find(process: &Process<'_>) -> Self {
        let mut of_function: HashMap<&str, (usize, Vec<Reference>)> = HashMap::new();
        for function in process.symbolizer.pclntab().functions() {
            let wanted = |name: &&str| RULES.iter().any(|rule| rule.functions.contains(name));
            let Some(name) = function.name().filter(wanted) else { continue };
            let (seen, references) = of_function.entry(name).or_default();
            if *seen >= MOST_OF_A_NAME || references.len() >= MOST_REFERENCES {
                continue;
            }
            *seen += 1;
            let address = function.entry().wrapping_add(process.bias);
            let size = function.end().saturating_sub(function.entry()).min(MOST_CODE);
            let mut code = vec![0; size as usize];
            if process.memory.read(address, &mut code).is_ok() {
                // Assembly calls a function through a wrapper of the same name.
                references.extend(code::references(process.executable.arch, &code, address));
                references.truncate(MOST_REFERENCES);
            }
        }
        let addresses = RULES.iter().filter_map(|rule| {
            let all: Vec<Reference> = rule
                .functions
                .iter()
                .filter_map(|function| of_function.get(function))
                .flat_map(|(_, references)| references)
                .copied()
                .collect();
            let found = all.iter().find_map(|reference| (rule.fits)(process, *reference, &all))?;
            Some((rule.name, found))
        });
        Self { addresses: addresses.collect() }
    }

    /// The address of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.addresses.get(name).copied()
    }
}

/// A slice of pointers: `allgadd` also keeps its start and length apart, as `allgptr` and `allglen`.
fn all_gs(process: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64> {
    let at = reference.address;
    let (data, length) =
        process.slice_header(at, 8).ok().filter(|&(data, length)| data != 0 && length != 0)?;
    let capacity = process.memory.u64(at.checked_add(16)?).ok()?;
    let apart = |value: u64| {
        all.iter()
            .any(|other| other.address.abs_diff(at) >= 24 && process.memory.u64(other.address) == Ok(value))
    };
    (length <= capacity && apart(data) && apart(length)).then_some(at)
}

/// A list of `m`s, whose `g0` each know their `m`.
fn all_ms(process: &Process<'_>, reference: Reference, _: &[Reference]) -> Option<u64> {
    let mut next = process.memory.u64(reference.address).ok().filter(|&first| first != 0)?;
    for _ in 0..SAMPLE {
        if next == 0 {
            break;
        }
        let m = process.object("runtime.m", next).ok()?;
        let g0 = process.object("runtime.g", m.word("g0").ok()?).ok()?;
        if g0.word("m") != Ok(next) {
            return None;
        }
        next = m.word("alllink").ok()?;
    }
    Some(reference.address)
}

/// A slice of `p`s, numbered from 0 on.
fn all_ps(process: &Process<'_>, reference: Reference, _: &[Reference]) -> Option<u64> {
    let (data, length) = process.slice_header(reference.address, 8).ok()?;
    let numbered = (0..length.min(SAMPLE)).all(|index| {
        let p = data.checked_add(index * 8).and_then(|at| process.memory.u64(at).ok());
        p.and_then(|p| process.object("runtime.p", p).ok()?.word("id").ok()) == Some(index)
    });
    (length > 0 && numbered).then_some(reference.address)
}

/// The structure whose `maxmcount` and `lastpoll` are both set when the scheduler starts.
fn scheduler(process: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64> {
    let structure = process.layout.structure("runtime.schedt")?;
    let at = reference.address.checked_sub(structure.field("maxmcount")?.offset)?;
    let sched = process.object("runtime.schedt", at).ok()?;
    let last_poll = sched.address_of("lastpoll").ok()?;
    let word = |path: &'static str| sched.word(path).ok();
    let (most, made, idle) = (word("maxmcount")?, word("mnext")?, word("nmidle")?);
    // It has made at least as many threads as are idle.
    let plausible = most > 0 && made > 0 && idle <= made && word("lastpoll")? < LATEST;
    (plausible && all.iter().any(|other| other.address == last_poll)).then_some(at)
}

/// The structure whose time of the last collection, and whether there are to be any, decide on the next.
fn memory_statistics(process: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64> {
    let structure = process.layout.structure("runtime.mstats")?;
    let at = reference.address.checked_sub(structure.field("last_gc_nanotime")?.offset)?;
    let statistics = process.object("runtime.mstats", at).ok()?;
    let enabled = statistics.address_of("enablegc").ok()?;
    let plausible = statistics.word("last_gc_nanotime").ok()? < LATEST;
    (plausible && all.iter().any(|other| other.address == enabled)).then_some(at)
}

fn string_at(process: &Process<'_>, table: u64, index: u64) -> Option<String> {
    process.go_string(table.checked_add(index * 16)?, 80).ok()
}

fn states(process: &Process<'_>, reference: Reference, _: &[Reference]) -> Option<u64> {
    let at = reference.address;
    (string_at(process, at, 0)? == "idle" && string_at(process, at, 1)? == "runnable").then_some(at)
}

fn wait_reasons(process: &Process<'_>, reference: Reference, _: &[Reference]) -> Option<u64> {
    let at = reference.address;
    (string_at(process, at, 0)?.is_empty() && string_at(process, at, 1)? == "GC assist marking").then_some(at)
}

/// Entries of flags and a name; code may refer to either of the first.
fn signals(process: &Process<'_>, reference: Reference, _: &[Reference]) -> Option<u64> {
    [reference.address, reference.address.wrapping_sub(8)]
        .into_iter()
        .find(|&at| process.go_string(at.wrapping_add(8), 80).is_ok_and(|name| name == "SIGNONE: no trap"))
}

/// The ring is written and wrapped around, so its address is taken twice. That of the lock may be as well,
/// but the linker puts small variables before large ones.
fn backlog(_: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64> {
    let is_taken = |one: &Reference| one.access == Access::Address;
    let twice = |one: &&Reference| is_taken(one) && all.iter().filter(|other| other == one).count() > 1;
    let last = all.iter().filter(twice).map(|one| one.address).max()?;
    (is_taken(&reference) && reference.address == last).then_some(last)
}

fn backlog_index(process: &Process<'_>, reference: Reference, _: &[Reference]) -> Option<u64> {
    let index = process.memory.u64(reference.address).ok()?;
    (reference.access == Access::Memory(8) && index < 512).then_some(reference.address)
}

fn version(process: &Process<'_>, reference: Reference, _: &[Reference]) -> Option<u64> {
    let text = process.go_string(reference.address, 200).ok()?;
    (text.starts_with("go1.") || text.starts_with("devel ")).then_some(reference.address)
}

/// The keys for rounds of AES: 128 bytes, of which amd64 uses three times 16 here, and arm64 takes the address.
fn aes_keys(_: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64> {
    let at = reference.address;
    let uses = |offset: u64| {
        let address = at.wrapping_add(offset);
        all.iter().any(|other| other.address == address && other.access == Access::Memory(16))
    };
    let is_taken = reference.access == Access::Address && at.is_multiple_of(8);
    (is_taken || (uses(0) && uses(16) && uses(32))).then_some(at)
}

/// The only byte that is read, which is 0 or 1.
fn only_flag(process: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64> {
    let is_byte = |one: &Reference| one.access == Access::Memory(1);
    let only = all.iter().filter(|one| is_byte(one)).all(|one| one.address == reference.address);
    let value = process.memory.u8(reference.address).ok()?;
    (is_byte(&reference) && only && value <= 1).then_some(reference.address)
}

/// Four words of which each is read, or up to Go 1.22 the first alone. Nothing else is read at a fixed address.
fn hash_keys(_: &Process<'_>, reference: Reference, all: &[Reference]) -> Option<u64> {
    let at = reference.address;
    let read = |one: &Reference| match one.access {
        Access::Memory(size) => Some((one.address, one.address.wrapping_add(u64::from(size)))),
        Access::Address => None,
    };
    let reads = |offset: u64| {
        let word = at.wrapping_add(offset);
        all.iter().filter_map(read).any(|(from, to)| from <= word && word.wrapping_add(8) <= to)
    };
    let alone = || all.iter().filter_map(read).all(|(from, to)| from == at && to == at.wrapping_add(8));
    (read(&reference).is_some() && ([0, 8, 16, 24].into_iter().all(reads) || alone())).then_some(at)
}

#[cfg(test)]
mod tests;
