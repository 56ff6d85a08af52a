//! Which frames of a stack are of the program's own module, and which of the modules that it uses.
//!
//! By the file of a frame, because a printed text has nothing else and both must agree. The go command
//! compiles a module that was downloaded below `path@version` in its cache, with and without -trimpath
//! (`gcToolchain` in cmd/go/internal/work/gc.go writes `path@version` for folders of the cache and of
//! vendor/ alike), and a vendored one without -trimpath below `vendor/` and its import path. A module that
//! build information names and that `replace` takes from a folder of one's own counts as the program's:
//! it is worked on together with it.

use panicle_goruntime::spell::package;
use panicle_report::Frame;

use crate::facts::in_app;

/// The frames of one stack that are the program's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ours<'a> {
    /// The module that package main is of, where it was itself built out of the cache
    /// (`go install example.com/tool@v1.2.3`).
    main: Option<&'a str>,
    /// No frame is the program's own: then those of its dependencies stand for it.
    none: bool,
}

impl<'a> Ours<'a> {
    /// Looks through a stack.
    pub(crate) fn of(stack: &'a [Frame]) -> Self {
        let of_main = |frame: &&Frame| package(&frame.function) == Some("main");
        let main = stack.iter().filter(of_main).find_map(|frame| versioned_module(frame.file.as_deref()?));
        let mut ours = Self { main, none: false };
        ours.none = !stack.iter().any(|frame| ours.has(frame));
        ours
    }

    /// Whether a frame is the program's.
    pub(crate) fn has(&self, frame: &Frame) -> bool {
        in_app(frame) && (self.none || !self.is_dependency(frame))
    }

    fn is_dependency(&self, frame: &Frame) -> bool {
        let Some(file) = frame.file.as_deref() else { return false };
        match versioned_module(file) {
            Some(module) => self.main != Some(module),
            None => is_vendored(file, &frame.function),
        }
    }
}

/// `/go/pkg/mod/example.com/x@v1.2.3` of a file in there; `None` for a file that has no version in its path.
fn versioned_module(file: &str) -> Option<&str> {
    let at = file.match_indices("@v").map(|(at, _)| at).find(|at| {
        let version = file.get(at + 2..).unwrap_or_default();
        version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.')
    })?;
    let end = file.get(at..)?.find('/')? + at;
    file.get(..end)
}

/// Whether the file lies in `vendor/` and the folder of its package.
fn is_vendored(file: &str, function: &str) -> bool {
    let (Some(package), Some((folder, _))) = (package(function), file.rsplit_once('/')) else { return false };
    // The linker escapes dots of the last element.
    let package = package.replace("%2e", ".");
    folder.strip_suffix(&package).is_some_and(|before| before.ends_with("/vendor/"))
}

#[cfg(test)]
mod tests {
    use super::Ours;
    use crate::testing::frame;

    #[test]
    fn dependencies_are_told_by_their_files() {
        let stack = [
            frame(
                "example.net/yaml%2ev3.(*parser).peek",
                "/go/pkg/mod/example.net/yaml.v3@v3.0.1/parse.go",
                1,
            ),
            frame("example.net/kv.Get", "example.net/kv@v1.2.3-0.20240101000000-abcdef123456/kv.go", 1),
            frame("example.net/yaml%2ev3.Load", "/src/shop/vendor/example.net/yaml.v3/load.go", 1),
            frame("example.com/shop/vendor.Find", "/src/shop/vendor/find.go", 1),
            frame("example.com/shop/cart.Add", "/home/a@venue/shop/cart/cart.go", 1),
            frame("main.main", "/src/shop/main.go", 1),
            frame("runtime.main", "/usr/lib/go/src/runtime/proc.go", 1),
        ];
        let ours = Ours::of(&stack);
        let own: Vec<_> = stack.iter().map(|frame| ours.has(frame)).collect();
        assert_eq!(own, [false, false, false, true, true, true, false]);
    }

    #[test]
    fn a_program_may_be_built_out_of_the_cache_itself() {
        let stack = [
            frame("example.net/kv.Get", "/go/pkg/mod/example.net/kv@v1.2.3/kv.go", 1),
            frame("example.com/tool/run.Do", "/go/pkg/mod/example.com/tool@v0.3.0/run/run.go", 1),
            frame("main.main", "/go/pkg/mod/example.com/tool@v0.3.0/main.go", 1),
        ];
        let ours = Ours::of(&stack);
        assert_eq!(stack.each_ref().map(|frame| ours.has(frame)), [false, true, true]);
    }

    #[test]
    fn where_nothing_is_the_programs_its_dependencies_stand_for_it() {
        let stack = [frame("example.net/kv.(*pool).clean", "/go/pkg/mod/example.net/kv@v1.2.3/kv.go", 1)];
        assert!(Ours::of(&stack).has(&stack[0]));
    }
}
