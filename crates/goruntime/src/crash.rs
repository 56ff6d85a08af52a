//! Who died, and what the runtime said.

mod constant;

use std::collections::HashMap;

use panicle_image::{Os, SignalInfo};
use panicle_report::{Address, Diagnostic, Panic, PanicKind, Signal, Stage};

use crate::{
    frames::Stack,
    goroutine::{G, word},
    panics::PanicReader,
    process::Process,
    signals,
    threads::{Level, Thread},
};

/// Bytes of a fatal error's message.
const LONGEST_MESSAGE: u64 = 4096;
/// Size of `runtime.printBacklog`.
const BACKLOG: u64 = 512;

/// How the process came to its end.
#[derive(Clone, Debug)]
pub enum Death {
    /// A panic that nothing recovered, on this goroutine.
    Panic {
        /// The goroutine.
        goroutine: u64,
    },
    /// `throw` or `fatal`, on this goroutine, or on the scheduler's stack.
    Fatal {
        /// The goroutine.
        goroutine: Option<u64>,
        /// What `throw` or `fatal` was called with.
        message: Option<String>,
        /// The signal on a system stack that it was called for: number, code, address, pc.
        signal: Option<[u64; 4]>,
    },
    /// A signal, which hit this goroutine or none.
    Signal {
        /// The goroutine.
        goroutine: Option<u64>,
        /// The signal.
        signal: SignalInfo,
    },
}

impl Death {
    /// The goroutine at fault, as far as the runtime knows.
    pub fn goroutine(&self) -> Option<u64> {
        match self {
            Self::Panic { goroutine } => Some(*goroutine),
            Self::Fatal { goroutine, .. } | Self::Signal { goroutine, .. } => *goroutine,
        }
    }
}

/// Finds out who died. `stacks` are the untrimmed stacks of the goroutines.
///
/// Several threads can be dying at once: the first to notice prints first and then waits for the
/// others, and the last of them ends the process. The first is the one whose text opens the log.
pub fn find(process: &Process<'_>, threads: &[Thread], goroutines: &[(G, Stack)]) -> Option<Death> {
    let by_address: HashMap<u64, &(G, Stack)> =
        goroutines.iter().map(|goroutine| (goroutine.0.address, goroutine)).collect();
    let on = |thread: &Thread| by_address.get(&thread.m?.current).copied();
    let mut deaths = threads.iter().enumerate().filter_map(|(index, thread)| {
        let current = on(thread);
        let death = by_panic(current).or_else(|| by_fatal(process, thread, current))?;
        // Waiting for the others: it has printed already.
        let printed_before =
            index != 0 && thread.levels.iter().any(|level| level.stands_in("runtime.dopanic_m"));
        Some((!printed_before, index, death))
    });
    let first = deaths.by_ref().min_by_key(|&(later, index, _)| (later, index));
    if let Some((_, _, death)) = first {
        return Some(death);
    }
    by_signal(threads, goroutines)
}

/// The goroutine's stack shows that its panic is ending the process.
fn by_panic(current: Option<&(G, Stack)>) -> Option<Death> {
    let (g, stack) = current?;
    stack.starts_within("runtime.fatalpanic", 24).then_some(Death::Panic { goroutine: g.id })
}

/// The goroutine, or the scheduler on its thread, has called `throw` or `fatal`.
fn by_fatal(process: &Process<'_>, thread: &Thread, current: Option<&(G, Stack)>) -> Option<Death> {
    let goroutine_stack = current.filter(|(_, stack)| stack.starts_within("runtime.fatalthrow", 24));
    if let Some((g, stack)) = goroutine_stack {
        let frames = stack.frames.iter().map(|frame| (frame.physical_name(), frame.physical.pc));
        let message = message(process, frames);
        return Some(Death::Fatal { goroutine: Some(g.id), message, signal: None });
    }
    let level = thread.levels.iter().find(|level| level.stands_in("runtime.fatalthrow"))?;
    let frames = level.frames.iter().map(|frame| (frame.symbols.name.as_str(), frame.pc));
    Some(Death::Fatal {
        // Its stack is whole: it was left for the scheduler's.
        goroutine: current.map(|(g, _)| g.id),
        message: message(process, frames),
        signal: thread
            .m
            .filter(|_| level.stands_in("runtime.sigpanic"))
            .and_then(|m| signal_of(process, m.g0)),
    })
}

/// The signal that `sigpanic` was called for on the stack of the `g` at an address.
fn signal_of(process: &Process<'_>, g: u64) -> Option<[u64; 4]> {
    let g = process.object("runtime.g", g).ok()?;
    let number = g.word("sig").ok().filter(|&number| number != 0)?;
    Some([number, word(&g, "sigcode0"), word(&g, "sigcode1"), word(&g, "sigpc")])
}

/// The signal that reached the runtime first. Under GOTRACEBACK=crash it then relays SIGQUIT from
/// itself to every other thread, so a signal from elsewhere is the cause.
fn by_signal(threads: &[Thread], goroutines: &[(G, Stack)]) -> Option<Death> {
    let fatal = |thread: &&Thread| thread.m.is_some_and(|m| m.throwing != 0);
    let handled = || {
        threads.iter().filter(fatal).flat_map(|thread| {
            let ours = |(level, _): &(&Level, _)| level.stands_in("runtime.sighandler");
            thread.handling().filter(ours).map(move |(_, signal)| (thread, signal))
        })
    };
    let relayed = |signal: SignalInfo| signal.number == signals::SIGQUIT && signal.code <= 0;
    let (thread, signal) = handled().find(|&(_, signal)| !relayed(signal)).or_else(|| handled().next())?;
    let m = thread.m?;
    // Called C code runs as `g0`; the runtime then blames the goroutine that called it
    // (`signal arrived during cgo execution`, runtime/signal_unix.go).
    let in_c = thread.levels.last().is_some_and(|level| level.at_work_in_c().is_some());
    let hit = if m.caught_signal == m.g0 && in_c { m.current } else { m.caught_signal };
    let goroutine = goroutines.iter().find(|(g, _)| g.address == hit && g.id != 0).map(|(g, _)| g.id);
    Some(Death::Signal { goroutine, signal })
}

/// The message of the `throw` or `fatal` among `frames`, innermost first: name and pc of each.
fn message<'f>(process: &Process<'_>, frames: impl Iterator<Item = (&'f str, u64)>) -> Option<String> {
    let mut frames = frames.skip_while(|&(name, _)| !matches!(name, "runtime.throw" | "runtime.fatal"));
    frames.next()?;
    let caller = frames.find(|&(name, _)| !matches!(name, "runtime.throw" | "runtime.fatal"));
    caller.and_then(|(_, pc)| constant_argument(process, pc)).or_else(|| printed(process))
}

/// The string constant that the call before `return_address` passes.
fn constant_argument(process: &Process<'_>, return_address: u64) -> Option<String> {
    let (data, length) = constant::argument(process.executable.arch, process.memory, return_address)?;
    (length <= LONGEST_MESSAGE).then(|| process.text(data, length, LONGEST_MESSAGE).ok()).flatten()
}

/// The last `fatal error:` line that the runtime printed, out of the ring it keeps of its output
/// until it starts dying (`recordForPanic`, runtime/print.go).
fn printed(process: &Process<'_>) -> Option<String> {
    const MARK: &str = "fatal error: ";
    let backlog = process.global("runtime.printBacklog").ok()?;
    let index = process.memory.u64(process.global("runtime.printBacklogIndex").ok()?).ok()?;
    let mut ring = [0; BACKLOG as usize];
    process.memory.read(backlog, &mut ring).ok()?;
    ring.rotate_left((index % BACKLOG) as usize);
    let text = String::from_utf8_lossy(&ring);
    let message = &text[text.rfind(MARK)? + MARK.len()..];
    let end = message.find(['\n', '\0']).unwrap_or(message.len());
    (end > 0).then(|| message[..end].to_owned())
}

/// The report's account of a death.
pub fn describe(
    reader: &PanicReader<'_, '_>,
    death: &Death,
    goroutines: &[(G, Stack)],
) -> (Panic, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let os = reader.process.executable.os;
    let dying = death.goroutine().and_then(|id| goroutines.iter().find(|(g, _)| g.id == id));
    let chain = dying.map_or_else(Vec::new, |(g, stack)| {
        let (chain, error) = reader.chain(g.panics, g.id, stack);
        diagnostics.extend(error.map(|error| {
            Diagnostic::warning(Stage::Panic, format!("The panic chain breaks off: {error}."))
                .about(format!("goroutine {}", g.id))
        }));
        chain
    });
    let panic = match death {
        Death::Panic { .. } => {
            let last = chain.iter().rev().find_map(|link| link.value.as_ref()?.text.as_deref());
            Panic {
                kind: PanicKind::Panic,
                message: last.map(|text| format!("panic: {text}")),
                signal: dying.and_then(|(g, _)| g.signal).map(|signal| fault(os, signal)),
                chain,
            }
        }
        Death::Fatal { message, signal, .. } => {
            if message.is_none() {
                let text = "The message of the fatal error is not in memory.";
                diagnostics.push(Diagnostic::warning(Stage::Panic, text));
            }
            let message = message.as_ref().map(|text| format!("fatal error: {text}"));
            let signal = signal.or_else(|| dying?.0.signal).map(|signal| fault(os, signal));
            Panic { kind: PanicKind::Fatal, message, signal, chain }
        }
        Death::Signal { signal, .. } => Panic {
            kind: PanicKind::Signal,
            chain,
            message: Some(signals::printed_name(reader.process, signal.number)),
            signal: Some(Signal {
                number: signal.number,
                name: signals::name(signal.number),
                code: Some(signal.code),
                address: signal.address.map(Address),
                sender_pid: signal.sender_pid,
            }),
        },
    };
    (panic, diagnostics)
}

/// The signal that `sigpanic` turned into a panic: number, code, address, pc.
///
/// On Windows it was an exception, and the code says how memory was accessed (exceptionhandler,
/// runtime/signal_windows.go): nothing that a signal's code could say.
fn fault(os: Os, [number, code, address, _]: [u64; 4]) -> Signal {
    let number = number as i32;
    Signal {
        number,
        name: signals::name_on(os, number),
        code: (os != Os::Windows).then_some(code as i32),
        address: Some(Address(address)),
        sender_pid: None,
    }
}
