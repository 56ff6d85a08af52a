//! Which frames go into a signature.

use panicle_report::{CreatedBy, Frame, FrameKind, SignatureStep, VerdictClass};

use super::{
    name::{self, normalise},
    packages::Packages,
    population::Population,
};
use crate::{
    facts::Facts,
    function::{self, Owner},
    ours::Ours,
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
    let subject = facts.subject();
    let stack = subject.map_or(&[][..], |g| g.frames.get(facts.fault_start(g)..).unwrap_or(&[]));
    let created_by = subject.and_then(|goroutine| goroutine.created_by.as_ref());
    let view = View::of(stack, created_by);
    let ours = view.ours;
    let mut selection = Selection { frames: Vec::new(), packages: &view.packages, explain };
    for (index, frame) in stack.iter().enumerate() {
        match function::owner(&frame.function) {
            _ if frame.kind == FrameKind::Cgo || frame.kind == FrameKind::Signal => {
                selection.drop(frame, "C code and signal frames are not in printed texts");
            }
            Owner::App | Owner::Std if function::is_generated(frame) => {
                selection.drop(frame, "the compiler's wrapper of a method, which printed texts leave out");
            }
            Owner::App if ours.has(frame) => match view.stands_for_another(index) {
                Some(rule) => selection.drop(frame, rule),
                None => selection.keep(frame, "the program's own"),
            },
            Owner::App => selection.drop(frame, "of a module that the program uses"),
            Owner::Runtime => selection.drop(frame, "the runtime's"),
            Owner::Std => selection.drop(frame, "the standard library's"),
            Owner::Foreign => selection.drop(frame, "no Go function"),
        }
    }
    let mut place = selection.frames.first().cloned();
    if place.is_some() {
        if let Some(frame) = called_library(&view, class) {
            selection.first(frame, "the function of a library that the program called");
        }
    } else {
        // A goroutine of the standard library: its own functions, and who started it.
        let of_std = |f: &&Frame| function::owner(&f.function) == Owner::Std && !function::is_generated(f);
        for frame in stack.iter().filter(of_std).take(3) {
            selection.keep(frame, "no function of the program is on the stack");
        }
        if let Some(created) = created_by {
            place = Some(normalise(&created.function));
            selection.keep_name(&created.function, "the function that started the goroutine");
        }
    }
    let mut frames = selection.frames;
    if class == VerdictClass::StackOverflow {
        frames = only_cycle(frames, &view, selection.explain);
        place = frames.first().cloned();
    }
    (frames, place)
}

/// The frames of a signature that is about all goroutines, and the place that titles name.
pub(super) fn of_population(
    population: &Population<'_>,
    explain: &mut Vec<SignatureStep>,
) -> (Vec<String>, Option<String>) {
    let packages = Packages::of(&[], None);
    let mut selection = Selection { frames: Vec::new(), packages: &packages, explain };
    if let Some(stack) = population.dominant() {
        for name in &stack.names {
            selection.keep_name(name, "on the stack that most goroutines share");
        }
        let place = selection.frames.first().cloned();
        return (selection.frames, place);
    }
    let (entries, stands_out) = population.entries();
    for name in &entries {
        selection.keep_name(name, "what the process's goroutines were started with");
    }
    // Counts differ from one run to the next; which they are does not.
    selection.frames.sort();
    let place = match entries.first() {
        Some(most) if stands_out => Some((*most).to_owned()),
        _ => selection.frames.first().cloned(),
    };
    (selection.frames, place)
}

/// The frames of a signature that is about goroutines which wait for each other, and the place that titles name.
///
/// Each stack has its share: how far out the first one goes is no reason to leave the others out.
pub(super) fn of_stuck(
    facts: &Facts<'_>,
    stuck: &[u64],
    explain: &mut Vec<SignatureStep>,
) -> (Vec<String>, Option<String>) {
    let packages = Packages::of(&[], None);
    let mut selection = Selection { frames: Vec::new(), packages: &packages, explain };
    let waits = |id: &u64| facts.goroutines.iter().find(|goroutine| goroutine.id == *id);
    let mut stacks: Vec<Vec<String>> = Vec::new();
    for stack in stuck.iter().filter_map(waits).map(super::own_functions) {
        if !stack.is_empty() && !stacks.contains(&stack) {
            stacks.push(stack);
        }
    }
    let share = (FRAMES / stacks.len().max(1)).max(1);
    for name in stacks.iter().flat_map(|stack| stack.iter().take(share)) {
        selection.keep_name(name, "on the stack of a goroutine that waits for another one");
    }
    let place = selection.frames.first().cloned();
    (selection.frames, place)
}

/// The program's functions on a stack, innermost first, normalised, each once.
pub(super) fn own_functions(stack: &[Frame], created_by: Option<&CreatedBy>) -> Vec<String> {
    let view = View::of(stack, created_by);
    let mut names: Vec<String> = Vec::new();
    for (index, frame) in stack.iter().enumerate() {
        if names.len() < FRAMES && view.ours.has(frame) && view.stands_for_another(index).is_none() {
            let name = view.name(frame);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// A stack with what is needed to judge its frames.
pub(super) struct View<'a> {
    stack: &'a [Frame],
    created_by: Option<&'a CreatedBy>,
    pub(super) ours: Ours<'a>,
    packages: Packages<'a>,
}

impl<'a> View<'a> {
    pub(super) fn of(stack: &'a [Frame], created_by: Option<&'a CreatedBy>) -> Self {
        Self { stack, created_by, ours: Ours::of(stack), packages: Packages::of(stack, created_by) }
    }

    /// The normalised name of a frame's function.
    pub(super) fn name(&self, frame: &Frame) -> String {
        self.packages.name(&frame.function, frame.file.as_deref())
    }

    /// Why the frame at `index`, one of the program, says nothing of its own, if so.
    ///
    /// The compiler wraps calls of go and defer statements that have arguments. Tracebacks at the
    /// default level leave such wrappers out, at higher levels they show them. From Go 1.22 on their
    /// names tell (`gowrap1`, `deferwrap1`); Go 1.21 names them like closures (`func1`). There they are
    /// known by where they stand, and closures that stand alike are treated alike in every version.
    pub(super) fn stands_for_another(&self, index: usize) -> Option<&'static str> {
        let frame = self.stack.get(index)?;
        let outer = self.stack.get(index + 1..).unwrap_or(&[]);
        if function::is_call_wrapper(&frame.function) {
            return Some("the compiler's wrapper of a go or defer statement");
        }
        let parent = name::parent_of_normalised(&self.name(frame))?;
        let mut near = outer.iter().take(OUTER);
        if near.any(|f| self.ours.has(f) && name::is_same_function(&f.function, &parent)) {
            return Some("a closure (or defer wrapper) of a function that is on the stack itself");
        }
        let is_base = outer.iter().all(|f| function::owner(&f.function) == Owner::Runtime);
        let at_go_statement = self.created_by.is_some_and(|created| {
            created.line.is_some() && (&created.file, created.line) == (&frame.file, frame.line)
        });
        (is_base && at_go_statement).then_some("on the line of the go statement: its wrapper in Go 1.21")
    }
}

/// The function of a library that the innermost frame of the program called, if the crash was in there. Its
/// name is the library's interface, so it is the same in every version; what that calls in turn is not.
fn called_library<'a>(view: &View<'a>, class: VerdictClass) -> Option<&'a Frame> {
    if class == VerdictClass::StackOverflow {
        return None;
    }
    let own = view.stack.iter().position(|frame| view.ours.has(frame))?;
    let callee = view.stack.get(..own)?.iter().rev().find(|frame| !function::is_generated(frame))?;
    let of_library = matches!(function::owner(&callee.function), Owner::Std | Owner::App);
    (callee.kind == FrameKind::Go && of_library).then_some(callee)
}

/// The functions that stand on the stack more than once, in order of their names: which of a cycle happened to
/// be innermost is chance, and texts of Go up to 1.20 end before the cycle's outer end.
fn only_cycle(frames: Vec<String>, view: &View<'_>, explain: &mut Vec<SignatureStep>) -> Vec<String> {
    let times = |name: &String| view.stack.iter().filter(|frame| view.name(frame) == *name).take(3).count();
    let (mut cycle, others): (Vec<_>, Vec<_>) = frames.into_iter().partition(|name| times(name) > 2);
    if cycle.is_empty() {
        return others;
    }
    cycle.sort();
    for name in others {
        explain.push(SignatureStep {
            step: "drop".to_owned(),
            input: name,
            output: None,
            rule: "no part of the cycle that overflowed the stack".to_owned(),
        });
    }
    cycle
}

/// The frames so far, and why.
struct Selection<'e> {
    frames: Vec<String>,
    packages: &'e Packages<'e>,
    explain: &'e mut Vec<SignatureStep>,
}

impl Selection<'_> {
    /// Puts a frame before the others.
    fn first(&mut self, frame: &Frame, rule: &str) {
        let name = self.packages.name(&frame.function, frame.file.as_deref());
        self.explain("keep", &frame.function, Some(name.clone()), rule);
        self.frames.insert(0, name);
    }

    fn keep(&mut self, frame: &Frame, rule: &str) {
        let name = self.packages.name(&frame.function, frame.file.as_deref());
        self.keep_as(&frame.function, name, rule);
    }

    fn keep_name(&mut self, function: &str, rule: &str) {
        self.keep_as(function, normalise(function), rule);
    }

    fn keep_as(&mut self, function: &str, name: String, rule: &str) {
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
