//! Names of Go functions: whose code they are.

pub(crate) use panicle_goruntime::owner::{Owner, is_call_wrapper, owner, stands_for_a_call};

/// The function's name without its import path's directories: `store.(*DB).Get`.
pub(crate) fn short(function: &str) -> &str {
    let plain = function.split_once('[').map_or(function, |(head, _)| head);
    plain.rfind('/').and_then(|slash| function.get(slash + 1..)).unwrap_or(function)
}

/// Whether this is the runtime's entry of a panic.
pub(crate) fn is_gopanic(function: &str) -> bool {
    function == "runtime.gopanic" || function == "panic"
}

/// Whether the function reads, writes, iterates or clears a map on behalf of compiled code
/// (Go 1.21–1.23 runtime/map*.go; 1.24+ also internal/runtime/maps).
pub(crate) fn is_map_operation(function: &str) -> bool {
    const RUNTIME: &[&str] = &[
        "runtime.mapassign",
        "runtime.mapaccess",
        "runtime.mapdelete",
        "runtime.mapiter",
        "runtime.mapclear",
        "runtime.mapclone",
        "runtime.evacuate",
        "runtime.growWork",
        "runtime.hashGrow",
    ];
    RUNTIME.iter().any(|prefix| function.starts_with(prefix))
        || (function.starts_with("internal/runtime/maps.") && function != "internal/runtime/maps.fatal")
}

#[cfg(test)]
mod tests {
    use super::{is_map_operation, short};

    #[test]
    fn shortens_names() {
        assert_eq!(short("example.com/x/store.(*DB).Get"), "store.(*DB).Get");
        assert_eq!(short("main.F[example.com/y.T]"), "main.F[example.com/y.T]");
    }

    #[test]
    fn knows_map_operations() {
        assert!(is_map_operation("runtime.mapassign_faststr"));
        assert!(is_map_operation("internal/runtime/maps.(*Map).PutSlotSmallFastStr"));
        assert!(!is_map_operation("internal/runtime/maps.fatal"));
        assert!(!is_map_operation("main.mapassign"));
    }
}
