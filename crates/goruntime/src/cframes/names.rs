//! What is at a pc of C code.

use std::{borrow::Cow, rc::Rc};

use cpp_demangle::{DemangleOptions, Symbol};
use panicle_binary::dwarf::{LONGEST_NAME, LONGEST_PATH};
use panicle_report::FrameKind;

use super::{CCode, Module, ModuleKind};
use crate::{process::Process, symbolize::Call};

/// Bytes of a C++ name; written out it may be exponentially longer than its mangled form.
const LONGEST_DEMANGLED: usize = 4096;

impl CCode<'_> {
    /// The calls at the pc of an instruction, innermost first; at least one.
    pub(crate) fn calls(&self, process: &Process<'_>, pc: u64, kind: FrameKind) -> Rc<[Call]> {
        if let Some(known) = self.calls.borrow().get(&pc) {
            return Rc::clone(known);
        }
        let calls: Rc<[Call]> = self.find(process, pc, kind).into();
        self.calls.borrow_mut().insert(pc, Rc::clone(&calls));
        calls
    }

    fn find(&self, process: &Process<'_>, pc: u64, kind: FrameKind) -> Vec<Call> {
        let plain = |function: String| Call { function, file: None, line: None, inlined: false, kind };
        let Some((_, module)) = self.module(pc) else { return vec![plain(format!("{pc:#x}"))] };
        let linked = module.mapped.bias.map(|bias| pc.wrapping_sub(bias));
        let kept = |name: &str| {
            let name =
                if name.len() <= LONGEST_NAME { Cow::Owned(demangle(name)) } else { Cow::Borrowed(name) };
            process.symbolizer.kept(Some(&name), LONGEST_NAME)
        };
        let symbol = || {
            let name = linked
                .and_then(|linked| module.symbol(linked))
                .or_else(|| linked_by_go(process, pc).map(Cow::Owned))?;
            kept(&name)
        };
        let positions = module.positions.get_or_init(|| module.dwarf?.positions());
        let calls = positions.as_ref().zip(linked).map(|(positions, linked)| positions.at(linked));
        let calls = calls.unwrap_or_default();
        let outermost = calls.len().saturating_sub(1);
        let mut found: Vec<Call> = calls
            .into_iter()
            .enumerate()
            .filter_map(|(depth, call)| {
                let name = call.function.and_then(|name| kept(&name));
                // Assembly has lines and no functions.
                let function = if depth == outermost { name.or_else(symbol)? } else { name? };
                let file = process.symbolizer.kept(call.file.as_deref(), LONGEST_PATH);
                Some(Call { function, file, line: call.line, inlined: depth != outermost, kind })
            })
            .collect();
        if found.last().is_none_or(|call| call.inlined) {
            found.push(plain(symbol().unwrap_or_else(|| module.place(pc))));
        }
        found
    }
}

impl<'c> Module<'c> {
    fn symbol(&self, linked: u64) -> Option<Cow<'c, str>> {
        self.symbols.iter().find_map(|file| Some(file.symbol_at(linked)?.0))
    }

    /// `libz.so.1+0x12f4`: what is known without symbols, and equal from run to run.
    fn place(&self, pc: u64) -> String {
        let name = match (&self.mapped.path, self.kind) {
            (Some(path), _) => path.rsplit('/').next().unwrap_or(path),
            (None, ModuleKind::Vdso) => "vdso",
            (None, ModuleKind::Executable | ModuleKind::Library) => return format!("{pc:#x}"),
        };
        self.mapped.place(pc).map_or(format!("{pc:#x}"), |place| format!("{name}+{place:#x}"))
    }
}

/// Go's table names the C functions that Go's own linker linked.
fn linked_by_go(process: &Process<'_>, pc: u64) -> Option<String> {
    let symbols = process.symbolizer.symbols(pc)?;
    (!symbols.has_frame_info && !symbols.name.is_empty()).then(|| symbols.name.clone())
}

/// C++ names as C++ spells them; others stay what they are.
fn demangle(name: &str) -> String {
    let plain = || name.to_owned();
    if !name.starts_with("_Z") || name.len() > LONGEST_DEMANGLED {
        return plain();
    }
    let Ok(symbol) = Symbol::new(name) else { return plain() };
    let mut bounded = Bounded(String::new());
    match symbol.structured_demangle(&mut bounded, &DemangleOptions::default()) {
        Ok(()) if !bounded.0.is_empty() => bounded.0,
        _ => plain(),
    }
}

struct Bounded(String);

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() + text.len() > LONGEST_DEMANGLED {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::demangle;

    #[test]
    fn writes_cpp_names_out() {
        assert_eq!(demangle("_ZN3net5Frame4readEPKci"), "net::Frame::read(char const*, int)");
        assert_eq!(demangle("_Znonsense"), "_Znonsense");
        assert_eq!(demangle("qsort"), "qsort");
    }
}
