//! Names of functions: spelled as the runtime's traceback does, and what they say of the package.

use panicle_report::FrameKind;

use crate::layout::Spelling;

/// `name` with its type arguments shortened (`funcNameForPrint`). `runtime.gopanic` stays itself,
/// where a traceback prints `panic`.
pub(crate) fn function_name(name: &str, spelling: Spelling) -> String {
    let (Some(open), Some(close)) = (name.find('['), name.rfind(']')) else { return name.to_owned() };
    if close <= open {
        return name.to_owned();
    }
    let (head, interior, tail) = (&name[..open], &name[open + 1..close], &name[close + 1..]);
    if spelling == Spelling::OneBracket || !interior.contains('[') {
        return format!("{head}[...]{tail}");
    }
    // Looks for `…]middle[…` inside, as the runtime does: the middle is the method's name.
    let mut depth = 1_i32;
    let (mut right, mut left) = (None, None);
    for (at, byte) in interior.bytes().enumerate() {
        match byte {
            b'[' => {
                depth += 1;
                if depth == 1 {
                    left = Some(at);
                    break;
                }
            }
            b']' => {
                depth -= 1;
                if depth < 0 {
                    break;
                }
                if depth == 0 {
                    right = Some(at);
                }
            }
            _ => {}
        }
    }
    match (right, left) {
        (Some(right), Some(left)) if depth == 1 && left > right => {
            format!("{head}[...]{}[...]{tail}", &interior[right + 1..left])
        }
        (None, None) if depth == 1 => format!("{head}[...]{tail}"),
        _ => name.to_owned(),
    }
}

/// What a Go function belongs to, from the package its name starts with.
pub fn frame_kind(name: &str) -> FrameKind {
    let package = package(name).unwrap_or_default();
    if package == "runtime"
        || package.starts_with("runtime/internal/")
        || package.starts_with("internal/runtime/")
    {
        FrameKind::Runtime
    } else {
        FrameKind::Go
    }
}

/// The import path of a function's package: `example.com/x/y` of `example.com/x/y.(*T).M`. Dots of
/// the last path element are escaped (`gopkg.in/yaml%2ev3`), so the first one after the last slash
/// ends the package; type arguments may hold slashes of their own. `None` for a name without a
/// package, as C functions have.
pub fn package(name: &str) -> Option<&str> {
    let plain = &name[..name.find('[').unwrap_or(name.len())];
    let start = plain.rfind('/').map_or(0, |slash| slash + 1);
    let dot = plain[start..].find('.')?;
    Some(&plain[..start + dot]).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use panicle_report::FrameKind;

    use super::{Spelling, frame_kind, function_name, package};

    #[test]
    fn shortens_type_arguments() {
        let old = |name| function_name(name, Spelling::OneBracket);
        assert_eq!(old("main.F[go.shape.int]"), "main.F[...]");
        assert_eq!(old("main.(*T[go.shape.string]).M"), "main.(*T[...]).M");
        assert_eq!(old("main.A[go.shape.int].B[go.shape.int].func1"), "main.A[...].func1");
        assert_eq!(old("runtime.gopanic"), "runtime.gopanic");
    }

    #[test]
    fn keeps_the_name_of_a_generic_method() {
        let new = |name| function_name(name, Spelling::MethodBrackets);
        assert_eq!(new("main.(*T[go.shape.int]).M[go.shape.string]"), "main.(*T[...]).M[...]");
        assert_eq!(new("main.F[main.G[int]]"), "main.F[...]");
        assert_eq!(new("main.F[go.shape.[]uint8]"), "main.F[...]");
        assert_eq!(new("main.F[]]["), "main.F[...][");
    }

    #[test]
    fn finds_the_package() {
        assert_eq!(package("example.com/x/y.(*T).M"), Some("example.com/x/y"));
        assert_eq!(package("main.main.func1"), Some("main"));
        assert_eq!(package("main.F[example.com/a/b.T]"), Some("main"));
        assert_eq!(package("gopkg.in/yaml%2ev3.(*parser).peek"), Some("gopkg.in/yaml%2ev3"));
        assert_eq!(package("_rt0_amd64_linux"), None);
        assert_eq!(package(""), None);
        assert_eq!(frame_kind("runtime/internal/atomic.(*Uint32).Load"), FrameKind::Runtime);
        assert_eq!(frame_kind("_rt0_amd64_linux"), FrameKind::Go);
        assert_eq!(frame_kind("internal/runtime/maps.(*Map).putSlotSmallFastStr"), FrameKind::Runtime);
        assert_eq!(frame_kind("runtime/pprof.Do"), FrameKind::Go);
    }
}
