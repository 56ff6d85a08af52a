//! Whose code a function is, by its name.

use crate::spell::package;

/// First path elements of the standard library's packages, all of Go 1.21 to 1.27 (`go list std`),
/// plus `go` and `cmd` themselves and what the compiler generates (`type:.eq.main.T`).
///
/// A list, not the build info: a printed crash text has no build info, and both must agree on what
/// belongs to the application.
const STD: &[&str] = &[
    "archive",
    "bufio",
    "bytes",
    "cmd",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "type:",
    "unicode",
    "unique",
    "unsafe",
    "uuid",
    "vendor",
    "weak",
];

/// Whose code a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The runtime, and packages that only compiled code calls (`internal/runtime/maps`).
    Runtime,
    /// The rest of the standard library.
    Std,
    /// The program and the modules it uses.
    App,
    /// C, or a symbol that is no Go function.
    Foreign,
}

/// Whose code a function is, by its name alone.
pub fn owner(function: &str) -> Owner {
    let Some(package) = package(function) else { return Owner::Foreign };
    let first = package.split('/').next().unwrap_or(package);
    if first == "runtime" || package.starts_with("internal/") || first == "type:" || first == "cmd" {
        Owner::Runtime
    } else if package.starts_with("plugin/") {
        // `plugin/unnamed-<hash>`: what the go command calls the main package of a plugin that is built from files
        // (`pluginPath` in cmd/go/internal/work/gc.go).
        Owner::App
    } else if STD.binary_search(&first).is_ok() {
        Owner::Std
    } else {
        Owner::App
    }
}

/// Whether the compiler made the function to carry the arguments of a go or defer statement
/// (`closureName` in cmd/compile/internal/ir/func.go, Go 1.22+).
pub fn is_call_wrapper(function: &str) -> bool {
    let last = function.rsplit('.').next().unwrap_or(function);
    ["gowrap", "deferwrap"].iter().any(|prefix| {
        last.strip_prefix(prefix).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether the function does nothing but make a call that the program wrote: of a go or defer
/// statement, or of a C function (`main._Cfunc_inflate`, cmd/cgo).
pub fn stands_for_a_call(function: &str) -> bool {
    is_call_wrapper(function) || function.rsplit('.').next().is_some_and(|last| last.starts_with("_Cfunc_"))
}

#[cfg(test)]
mod tests {
    use super::{Owner, STD, owner};

    #[test]
    fn the_list_is_sorted_for_searching() {
        assert!(STD.is_sorted());
    }

    #[test]
    fn tells_whose_code_it_is() {
        assert_eq!(owner("runtime.gopanic"), Owner::Runtime);
        assert_eq!(owner("internal/runtime/maps.fatal"), Owner::Runtime);
        assert_eq!(owner("type:.eq.main.T"), Owner::Runtime);
        assert_eq!(owner("net/http.(*conn).serve"), Owner::Std);
        assert_eq!(owner("sync.(*Mutex).Unlock"), Owner::Std);
        assert_eq!(owner("main.main"), Owner::App);
        // A module path without a dot is legal.
        assert_eq!(owner("shop/internal/cart.(*Cart).Add"), Owner::App);
        assert_eq!(owner("plugin.open"), Owner::Std);
        assert_eq!(owner("plugin/unnamed-0f1e2d3c4b5a.(*Cart).Add"), Owner::App);
        assert_eq!(owner("runtimex.Do"), Owner::App);
        assert_eq!(owner("strlen"), Owner::Foreign);
    }
}
