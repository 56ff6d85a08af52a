//! Which frames go into a signature.

use panicle_report::{Frame, FrameKind, SignatureStep, VerdictClass};

use super::name::normalise;
use crate::{
    facts::{Facts, in_app},
    function::{self, Owner},
};

/// Functions that go in at most, innermost first. What calls a handler twenty frames further out
/// says nothing about the bug, and a printed text of a deep stack has a hole in the middle.
const FRAMES: usize = 12;

/// Steps about frames that are written down at most.
const STEPS: usize = 200;

/// The frames of a signature, normalised, innermost first.
pub(super) fn select(
    facts: &Facts<'_>,
    class: VerdictClass,
    explain: &mut Vec<SignatureStep>,
) -> Vec<String> {
    let stack = stack(facts, class);
    let mut selection = Selection { frames: Vec::new(), explain };
    if let Some(frame) = called_std(facts, class) {
        selection.keep(frame, "the standard library's function that the application called");
    }
    for frame in stack {
        match function::owner(&frame.function) {
            _ if frame.kind == FrameKind::Cgo || frame.kind == FrameKind::Signal => {
                selection.drop(frame, "C code and signal frames are not in printed texts");
            }
            Owner::App => selection.keep(frame, "the application's"),
            Owner::Runtime => selection.drop(frame, "the runtime's"),
            Owner::Std => selection.drop(frame, "the standard library's"),
            Owner::Foreign => selection.drop(frame, "no Go function"),
        }
    }
    if selection.frames.is_empty() {
        // A goroutine of the standard library: its own functions, and who started it.
        for frame in stack.iter().filter(|f| function::owner(&f.function) == Owner::Std).take(3) {
            selection.keep(frame, "no function of the application is on the stack");
        }
        if let Some(created) = facts.subject().and_then(|g| g.created_by.as_ref()) {
            selection.keep_name(&created.function, "the function that started the goroutine");
        }
    }
    let mut frames = selection.frames;
    if class == VerdictClass::StackOverflow {
        // Which function of a cycle happened to be innermost is chance.
        sort_cycle(&mut frames, stack);
    }
    frames
}

/// The normalised name of the frame that titles and families name.
pub(super) fn place(facts: &Facts<'_>, class: VerdictClass) -> Option<String> {
    let stack = stack(facts, class);
    if class == VerdictClass::StackOverflow {
        let mut frames: Vec<_> = stack.iter().filter(|f| in_app(f)).map(|f| normalise(&f.function)).collect();
        frames.dedup();
        sort_cycle(&mut frames, stack);
        return frames.into_iter().next();
    }
    stack.iter().find(|f| in_app(f)).map(|f| normalise(&f.function))
}

/// The stack that a signature is about.
fn stack<'a>(facts: &Facts<'a>, class: VerdictClass) -> &'a [Frame] {
    if matches!(class, VerdictClass::ExternalSignal | VerdictClass::GoroutineLeak) {
        return dominant_stack(facts);
    }
    facts.subject().map_or(&[], |g| g.frames.get(facts.fault_start(g)..).unwrap_or(&[]))
}

/// The stack on which most goroutines of the application stood when a signal came, if there is one
/// that stands out. The stack that was interrupted is chance.
fn dominant_stack<'a>(facts: &Facts<'a>) -> &'a [Frame] {
    let mut of_app: Vec<_> = facts.clusters.iter().filter(|c| c.frames.iter().any(in_app)).collect();
    of_app.sort_by_key(|c| std::cmp::Reverse(c.count));
    let second = of_app.get(1).map_or(0, |c| c.count);
    match of_app.first() {
        Some(first) if first.count >= 10 && first.count >= 2 * second => &first.frames,
        _ => &[],
    }
}

/// The standard library's function that the innermost frame of the application called, if the crash
/// was in there. Its name is the library's interface and so the same in every Go version.
fn called_std<'a>(facts: &Facts<'a>, class: VerdictClass) -> Option<&'a Frame> {
    if matches!(
        class,
        VerdictClass::ExternalSignal | VerdictClass::GoroutineLeak | VerdictClass::StackOverflow
    ) {
        return None;
    }
    let callee = facts.callee()?.frame;
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
