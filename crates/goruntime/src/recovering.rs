//! Which functions on the way to a goroutine's start defer a recover.
//!
//! The compiler makes `recover()` a call of `runtime.gorecover`, in every version from 1.19 on, and a function
//! literal that is deferred a function of its own whose name begins with that of the function around it
//! (`main.run.func1`). So the code tells, without debug information: `main.run` recovers when `main.run.func1`
//! calls `runtime.gorecover`, or when it calls a function that does. That a function literal is deferred and not
//! called otherwise is not looked at: `recover` has no effect anywhere else.

use std::collections::BTreeMap;

use panicle_image::Arch;

use crate::process::Process;

/// Bytes of code that are looked through. The largest programs have a fraction of it.
const MOST_CODE: u64 = 512 << 20;
/// Functions that are told of.
const MOST_FOUND: usize = 16;

/// A function that defers a recover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovering {
    /// The function, as tracebacks spell it.
    pub function: String,
    /// What it defers: `main.run.func1`.
    pub deferred: String,
}

/// Those of `functions` that defer a recover, in their order.
pub fn find(process: &Process<'_>, functions: &[&str]) -> Vec<Recovering> {
    let arch = process.executable.arch;
    let table = process.symbolizer.pclntab();
    let Some(recover) = table.function_named("runtime.gorecover") else { return Vec::new() };
    let target = recover.entry();
    let mut left = MOST_CODE;
    // Functions that call recover, by their first address.
    let mut callers: BTreeMap<u64, &str> = BTreeMap::new();
    for function in table.functions() {
        let size = function.end().saturating_sub(function.entry());
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
        let Some(name) = function.name().filter(|name| !name.starts_with("runtime.")) else { continue };
        if calls(process, arch, function.entry(), size).any(|callee| callee == target) {
            callers.insert(function.entry(), name);
        }
    }
    if callers.is_empty() {
        return Vec::new();
    }
    let deferred_by = |name: &str| {
        let literal = callers.values().copied().find(|caller| is_literal_of(caller, name));
        literal.or_else(|| {
            let function = table.function_named(name)?;
            let size = function.end().saturating_sub(function.entry());
            calls(process, arch, function.entry(), size).find_map(|callee| callers.get(&callee).copied())
        })
    };
    functions
        .iter()
        .filter_map(|name| {
            Some(Recovering { function: (*name).to_owned(), deferred: deferred_by(name)?.to_owned() })
        })
        .take(MOST_FOUND)
        .collect()
}

/// Whether `caller` is a function literal in `name` itself: `main.run.func1`, not `main.run.func1.2`.
fn is_literal_of(caller: &str, name: &str) -> bool {
    let number = caller.strip_prefix(name).and_then(|rest| rest.strip_prefix(".func"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Link-time addresses that the instructions of a function call directly. Bytes that only look like a call give
/// addresses that no function begins at.
fn calls<'p>(process: &'p Process<'_>, arch: Arch, entry: u64, size: u64) -> impl Iterator<Item = u64> + 'p {
    let code = process.memory.rest(entry.wrapping_add(process.bias)).unwrap_or_default();
    let code = code.get(..usize::try_from(size).unwrap_or(usize::MAX).min(code.len())).unwrap_or_default();
    let step = if arch == Arch::Arm64 { 4 } else { 1 };
    (0..code.len()).step_by(step).filter_map(move |at| {
        let word =
            |from: usize| Some(i32::from_le_bytes(code.get(from..from.checked_add(4)?)?.try_into().ok()?));
        match arch {
            // CALL rel32
            Arch::Amd64 if code[at] == 0xe8 => {
                Some(entry.wrapping_add(at as u64 + 5).wrapping_add_signed(i64::from(word(at + 1)?)))
            }
            // BL imm26
            Arch::Arm64 => {
                let word = word(at)?;
                let is_call = word.cast_unsigned() >> 26 == 0b10_0101;
                is_call.then(|| entry.wrapping_add(at as u64).wrapping_add_signed(i64::from(word << 6 >> 4)))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_literal_of;

    #[test]
    fn a_literal_belongs_to_the_function_around_it() {
        assert!(is_literal_of("main.(*batch).run.func1", "main.(*batch).run"));
        assert!(!is_literal_of("main.(*batch).run.func1.2", "main.(*batch).run"));
        assert!(!is_literal_of("main.(*batch).runner.func1", "main.(*batch).run"));
        assert!(!is_literal_of("main.(*batch).run.func", "main.(*batch).run"));
    }
}
