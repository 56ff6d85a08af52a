//! A panic before `main.main`: in a package's variables or `init` functions.

use panicle_report::PanicKind;

use super::Finding;
use crate::facts::Facts;

pub(super) fn look(facts: &Facts<'_>, _: &Finding) -> Option<String> {
    if !matches!(facts.kind(), Some(PanicKind::Panic | PanicKind::Fatal)) {
        return None;
    }
    // Initialisation runs on the main goroutine; a goroutine that it starts is another matter.
    let goroutine = facts.crashing.filter(|goroutine| goroutine.id == 1)?;
    let inside = goroutine.frames.iter().any(|frame| is_init(&frame.function));
    inside.then(|| "It happened while packages were being initialised, before main.main ran.".to_owned())
}

/// `runtime.doInit1`, `main.init`, `main.init.0`; not a method or a function that is called init by chance.
fn is_init(function: &str) -> bool {
    if function == "runtime.doInit" || function == "runtime.doInit1" {
        return true;
    }
    let name = function.rsplit('/').next().unwrap_or(function);
    let mut parts = name.split('.').skip(1);
    parts.next() == Some("init")
        && parts.next().is_none_or(|number| number.chars().all(|c| c.is_ascii_digit()) && !number.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_init;

    #[test]
    fn only_the_functions_that_the_compiler_calls() {
        for init in ["main.init", "main.init.0", "example.com/x/store.init.12", "runtime.doInit1"] {
            assert!(is_init(init), "{init}");
        }
        for other in ["main.(*DB).init", "main.initialise", "main.main", "main.run.init"] {
            assert!(!is_init(other), "{other}");
        }
    }
}
