//! Which frames go into a signature.

use std::collections::BTreeMap;

use panicle_report::{CreatedBy, Frame, FrameKind, Goroutine, GoroutineCluster, SignatureStep, VerdictClass};

use super::name::{self, normalise};
use crate::{
    facts::{Facts, in_app},
    function::{self, Owner},
};

/// Functions that go in at most, innermost first. What calls a handler twenty frames further out
/// says nothing about the bug, and a printed text of a deep stack has a hole in the middle.
const FRAMES: usize = 12;

/// Frames outwards that are searched for the function of a closure; a text may be any depth.
const OUTER: usize = 300;

/// Steps about frames that are written down at most.
const STEPS: usize = 200;

/// The frames of a signature, normalised, innermost first, and the place that titles name.
pub(super) fn select(
    facts: &Facts<'_>,
    class: VerdictClass,
    explain: &mut Vec<SignatureStep>,
) -> (Vec<String>, Option<String>) {
    let stack = stack(facts, class);
    let created_by = creator(facts, class);
    let mut selection = Selection { frames: Vec::new(), explain };
    for (index, frame) in stack.iter().enumerate() {
        match function::owner(&frame.function) {
            _ if frame.kind == FrameKind::Cgo || frame.kind == FrameKind::Signal => {
                selection.drop(frame, "C code and signal frames are not in printed texts");
            }
            Owner::App => {
                match stands_for_another(frame, stack.get(index + 1..).unwrap_or(&[]), created_by) {
                    Some(rule) => selection.drop(frame, rule),
                    None => selection.keep(frame, "the application's"),
                }
            }
            Owner::Runtime => selection.drop(frame, "the runtime's"),
            Owner::Std => selection.drop(frame, "the standard library's"),
            Owner::Foreign => selection.drop(frame, "no Go function"),
        }
    }
    let mut place = selection.frames.first().cloned();
    if place.is_some() {
        if let Some(frame) = called_std(stack, class) {
            selection.first(frame, "the standard library's function that the application called");
        }
    } else if !is_of_signal(class) {
        // A goroutine of the standard library: its own functions, and who started it.
        for frame in stack.iter().filter(|f| function::owner(&f.function) == Owner::Std).take(3) {
            selection.keep(frame, "no function of the application is on the stack");
        }
        if let Some(created) = created_by {
            place = Some(normalise(&created.function));
            selection.keep_name(&created.function, "the function that started the goroutine");
        }
    }
    if is_of_signal(class) && selection.frames.is_empty() {
        let (entries, stands_out) = entries(facts);
        for name in &entries {
            selection.keep_name(name, "what the process's goroutines were started with");
        }
        // Counts differ from one run to the next; which they are does not.
        selection.frames.sort();
        place = match entries.first() {
            Some(most) if stands_out => Some(normalise(most)),
            _ => selection.frames.first().cloned(),
        };
    }
    let mut frames = selection.frames;
    if class == VerdictClass::StackOverflow {
        // Which function of a cycle happened to be innermost is chance.
        sort_cycle(&mut frames, stack);
        place = frames.first().cloned();
    }
    (frames, place)
}

/// Why a frame of the application says nothing of its own, if so.
///
/// The compiler wraps calls of go and defer statements that have arguments. Tracebacks at the
/// default level leave such wrappers out, at higher levels they show them. From Go 1.22 on their
/// names tell (`gowrap1`, `deferwrap1`); Go 1.21 names them like closures (`func1`). There they are
/// known by where they stand, and closures that stand alike are treated alike in every version.
fn stands_for_another(
    frame: &Frame,
    outer: &[Frame],
    created_by: Option<&CreatedBy>,
) -> Option<&'static str> {
    if function::is_call_wrapper(&frame.function) {
        return Some("the compiler's wrapper of a go or defer statement");
    }
    let parent = name::parent_of_closure(&frame.function)?;
    if outer.iter().take(OUTER).any(|f| in_app(f) && name::is_same_function(&f.function, &parent)) {
        return Some("a closure (or defer wrapper) of a function that is on the stack itself");
    }
    let is_base = outer.iter().all(|f| function::owner(&f.function) == Owner::Runtime);
    let at_go_statement = created_by.is_some_and(|created| {
        created.line.is_some() && (&created.file, created.line) == (&frame.file, frame.line)
    });
    (is_base && at_go_statement).then_some("on the line of the go statement: its wrapper in Go 1.21")
}

/// The stack that a signature is about.
fn stack<'a>(facts: &Facts<'a>, class: VerdictClass) -> &'a [Frame] {
    if is_of_signal(class) {
        return dominant(facts).map_or(&[], |cluster| &cluster.frames);
    }
    facts.subject().map_or(&[], |g| g.frames.get(facts.fault_start(g)..).unwrap_or(&[]))
}

/// Whether a signal from outside ended it: then no goroutine is at fault.
fn is_of_signal(class: VerdictClass) -> bool {
    matches!(class, VerdictClass::ExternalSignal | VerdictClass::GoroutineLeak)
}

/// The stack on which most goroutines of the application stood when a signal came, if there is one
/// that stands out. The stack that was interrupted is chance.
fn dominant<'a>(facts: &Facts<'a>) -> Option<&'a GoroutineCluster> {
    let mut of_app: Vec<_> = facts.clusters.iter().filter(|c| c.frames.iter().any(in_app)).collect();
    of_app.sort_by_key(|c| std::cmp::Reverse(c.count));
    let second = of_app.get(1).map_or(0, |c| c.count);
    of_app.first().copied().filter(|first| stands_out(first.count, second))
}

/// Whether the largest of several groups is so much larger than the next that it is no chance.
fn stands_out(first: u64, second: u64) -> bool {
    first >= 10 && first >= 2 * second
}

/// Who made the goroutine that the stack is of. Of a cluster any example will do: its goroutines
/// stand on the same lines from the outermost frame on.
fn creator<'a>(facts: &Facts<'a>, class: VerdictClass) -> Option<&'a CreatedBy> {
    let subject = if is_of_signal(class) {
        let examples = &dominant(facts)?.example_ids;
        facts.goroutines.iter().find(|goroutine| examples.contains(&goroutine.id))
    } else {
        facts.subject()
    };
    subject?.created_by.as_ref()
}

/// The functions that most of the application's goroutines were started with, most first: without a
/// stack that stands out they are what a signal's crash has in common with others of its program. Also
/// whether the first stands out.
fn entries<'a>(facts: &Facts<'a>) -> (Vec<&'a str>, bool) {
    const MOST: usize = 5;
    let entry = |goroutine: &'a Goroutine| {
        let frames = &goroutine.frames;
        let mut outermost_first = (0..frames.len()).rev();
        let index = outermost_first.find(|&index| {
            let outer = frames.get(index + 1..).unwrap_or(&[]);
            in_app(&frames[index])
                && stands_for_another(&frames[index], outer, goroutine.created_by.as_ref()).is_none()
        })?;
        Some(frames[index].function.as_str())
    };
    let mut counts: BTreeMap<String, (u64, &str)> = BTreeMap::new();
    for name in facts.goroutines.iter().filter(|goroutine| !goroutine.system).filter_map(entry) {
        counts.entry(normalise(name)).or_insert((0, name)).0 += 1;
    }
    let mut counts: Vec<_> = counts.into_values().collect();
    counts.sort_by_key(|&(count, name)| (std::cmp::Reverse(count), name));
    let count = |at: usize| counts.get(at).map_or(0, |&(count, _)| count);
    let stands_out = stands_out(count(0), count(1));
    (counts.into_iter().take(MOST).map(|(_, name)| name).collect(), stands_out)
}

/// The standard library's function that the innermost frame of the application called, if the crash
/// was in there. Its name is the library's interface and so the same in every Go version.
fn called_std(stack: &[Frame], class: VerdictClass) -> Option<&Frame> {
    if is_of_signal(class) || class == VerdictClass::StackOverflow {
        return None;
    }
    let callee = stack.get(stack.iter().position(in_app)?.checked_sub(1)?)?;
    (callee.kind == FrameKind::Go && function::owner(&callee.function) == Owner::Std).then_some(callee)
}

/// Puts the functions that stand on the stack more than once first, in order of their names.
fn sort_cycle(frames: &mut [String], stack: &[Frame]) {
    let repeated =
        |name: &String| stack.iter().filter(|f| normalise(&f.function) == *name).take(3).count() > 2;
    frames.sort_by_cached_key(|name| {
        let outside = !repeated(name);
        (outside, if outside { String::new() } else { name.clone() })
    });
}

/// The frames so far, and why.
struct Selection<'e> {
    frames: Vec<String>,
    explain: &'e mut Vec<SignatureStep>,
}

impl Selection<'_> {
    /// Puts a frame before the others.
    fn first(&mut self, frame: &Frame, rule: &str) {
        let name = normalise(&frame.function);
        self.explain("keep", &frame.function, Some(name.clone()), rule);
        self.frames.insert(0, name);
    }

    fn keep(&mut self, frame: &Frame, rule: &str) {
        self.keep_name(&frame.function, rule);
    }

    fn keep_name(&mut self, function: &str, rule: &str) {
        let name = normalise(function);
        if self.frames.contains(&name) {
            self.explain("drop", function, None, "is in already: a function counts once");
        } else if self.frames.len() >= FRAMES {
            self.explain("drop", function, None, "far from the crash: the innermost twelve count");
        } else if name == function {
            self.explain("keep", function, Some(name.clone()), rule);
            self.frames.push(name);
        } else {
            let rule = format!("{rule}; without what differs between builds");
            self.explain("normalise", function, Some(name.clone()), &rule);
            self.frames.push(name);
        }
    }

    fn drop(&mut self, frame: &Frame, rule: &str) {
        self.explain("drop", &frame.function, None, rule);
    }

    fn explain(&mut self, step: &str, input: &str, output: Option<String>, rule: &str) {
        if self.explain.len() < STEPS {
            self.explain.push(SignatureStep {
                step: step.to_owned(),
                input: input.to_owned(),
                output,
                rule: rule.to_owned(),
            });
        }
    }
}
