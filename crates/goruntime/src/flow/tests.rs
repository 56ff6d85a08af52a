//! What code says of arguments, against what the runtime keeps of them for its tracebacks.

use std::{collections::HashMap, fmt::Write as _, fs::File, rc::Rc};

use panicle_binary::Executable;
use panicle_fixtures::Fixture;
use panicle_image::{Core, mmap};
use rayon::prelude::*;

use super::{Flows, Frames, Proof};
use crate::{
    args,
    frames::Stack,
    session::{self, Session},
    threads::Thread,
    unwind::PhysicalFrame,
};

/// Functions whose arguments are no words in the registers for integers: of C, and with floats.
fn others(name: &str) -> bool {
    name.contains("._Cfunc_") || name == "runtime.(*scavengerState).sleep"
}

#[derive(Default)]
struct Counts {
    words: usize,
    exact: usize,
    again: usize,
    compared: usize,
    misses: String,
}

/// Every physical frame of every goroutine.
fn compare(session: &Session<'_>, fixture: &Fixture) -> Counts {
    let process = session.process;
    let threads: HashMap<u64, &Thread> =
        session.threads().iter().filter_map(|thread| Some((thread.m?.address, thread))).collect();
    let mut budget = session.frame_budget(session.goroutines().len());
    let flows = Flows::default();
    let mut counts = Counts::default();
    for g in session.goroutines() {
        let thread = threads.get(&g.m).copied();
        let stack: Stack = session.whole_stack(g, thread, &mut budget);
        let gap = stack.elided.map_or(stack.frames.len(), |elided| elided.after_frames as usize);
        let mut list: Vec<Rc<PhysicalFrame>> =
            stack.frames.iter().take(gap).map(|frame| Rc::clone(&frame.physical)).collect();
        list.dedup_by(|one, other| Rc::ptr_eq(one, other));
        let registers = thread.map(Thread::at_work);
        let Some(frames) = Frames::new(process, &flows, list.clone(), registers.as_ref()) else { continue };
        for (index, frame) in list.iter().enumerate() {
            let slots = args::slots(process, frame);
            for (number, slot) in slots.iter().enumerate().take(9) {
                counts.words += 1;
                let found = frames.argument(index, number);
                match found.map(|found| found.proof) {
                    Some(Proof::Exact) => counts.exact += 1,
                    Some(Proof::ReadAgain) => counts.again += 1,
                    None => {}
                }
                // The table says of an interrupted frame what is stored once its function has begun. Assembly and
                // C have their arguments on the stack.
                if frame.trap || frame.symbols.flags.assembly() || others(&frame.symbols.name) {
                    break;
                }
                let Some(slot) = slot else { break };
                // Words one behind the other, each in its register.
                if slot.start != number as u64 * 8 || slot.end != slot.start + 8 {
                    break;
                }
                let Some(found) = found.filter(|found| found.proof == Proof::Exact) else { continue };
                let Ok(kept) = process.memory.u64(frame.argp + slot.start) else { continue };
                counts.compared += 1;
                if kept != found.value {
                    let _ = writeln!(
                        counts.misses,
                        "{} {} {:?} {}: g{} {} argument {number}: {:#x} (outside {}), kept {kept:#x}",
                        fixture.program,
                        fixture.go_version,
                        fixture.arch,
                        fixture.variant,
                        g.id,
                        frame.symbols.name,
                        found.value,
                        found.outside
                    );
                }
            }
        }
    }
    counts
}

fn check(fixture: &Fixture) -> Counts {
    let core = mmap::map(&File::open(&fixture.core).expect("a core")).expect("a core to map");
    let binary = mmap::map(&File::open(&fixture.binary).expect("a binary")).expect("a binary to map");
    let (core, _) = Core::parse(&core).expect("a core to parse");
    let (executable, _) = Executable::parse(&binary).expect("a binary to parse");
    let ask = |session: &Session<'_>| compare(session, fixture);
    session::open(&core, &executable, &session::Options::default(), ask).expect("a process")
}

#[test]
fn arguments_are_what_the_runtime_keeps_of_them() {
    let mut fixtures = panicle_fixtures::all();
    fixtures.extend(panicle_fixtures::matrix());
    let all: Vec<Counts> = fixtures.par_iter().map(check).collect();
    let sum = |of: fn(&Counts) -> usize| all.iter().map(of).sum::<usize>();
    let misses: String = all.iter().map(|counts| counts.misses.as_str()).collect();
    assert!(misses.is_empty(), "{misses}");
    let (words, exact, compared) =
        (sum(|counts| counts.words), sum(|counts| counts.exact), sum(|counts| counts.compared));
    println!("{words} words, {exact} known, {} read again, {compared} compared", sum(|counts| counts.again));
    // Guards against an analysis that gives up.
    assert!(compared >= fixtures.len() * 20, "{compared} words compared in {} fixtures", fixtures.len());
    assert!(exact * 10 >= words * 6, "{exact} of {words} words known");
}
