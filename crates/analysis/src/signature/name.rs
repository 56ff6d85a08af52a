//! Functions' names without what a build changes about them.
//!
//! How the compiler names closures and their wrappers: `closureName` in cmd/compile/internal/ir/func.go
//! (Go 1.21–1.27): `outer.funcN`, nested `outer.funcN.M`, `outer.gowrapN`, `outer.deferwrapN`,
//! `outer-rangeN`; a closure that came along with an inlined function is named after the whole chain,
//! `main.main.(*T).method.func1`.

use panicle_goruntime::spell::package;

/// The name as it goes into a signature.
pub(super) fn normalise(function: &str) -> String {
    let package = package(function).unwrap_or("");
    let local = function.get(package.len()..).unwrap_or(function);
    let local = without_brackets(local);
    let local = local.strip_prefix('.').unwrap_or(&local);
    let path = normalise_path(package);
    let local = normalise_local(local);
    if path.is_empty() { local } else { format!("{path}.{local}") }
}

/// The function that a closure belongs to, as package and last name; `None` for what is no closure.
pub(super) fn parent_of_closure(function: &str) -> Option<(String, String)> {
    parent_of_normalised(&normalise(function))
}

/// The same of a name that is normalised already.
pub(super) fn parent_of_normalised(name: &str) -> Option<(String, String)> {
    Some(package_and_last(name.strip_suffix(".func")?))
}

/// Whether a closure may be named after a function that it was inlined into, and so have another's package.
/// A method of a value (`main.T.run.func1`) is spelled in the same way.
pub(super) fn may_be_inlined_closure(function: &str) -> bool {
    let local = function.get(package(function).unwrap_or("").len()..).unwrap_or(function);
    let local = without_brackets(local);
    let named = local.trim_start_matches('.').split('.').take_while(|segment| !is_closure_segment(segment));
    parent_of_closure(function).is_some() && named.count() > 1
}

/// Whether a function, not one of its closures, has that package and last name.
pub(super) fn is_same_function(function: &str, parent: &(String, String)) -> bool {
    let name = normalise(function);
    name.strip_suffix(".func").is_none() && package_and_last(&name) == *parent
}

fn package_and_last(name: &str) -> (String, String) {
    let package = package(name).unwrap_or("");
    (package.to_owned(), name.rsplit('.').next().unwrap_or(name).to_owned())
}

/// `F[...]` and `F[int]` to `F`.
fn without_brackets(name: &str) -> String {
    let mut depth = 0_usize;
    name.chars()
        .filter(|c| match c {
            '[' => {
                depth += 1;
                false
            }
            ']' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

/// Import path without vendor directory, major versions and the hash of a plugin's files.
fn normalise_path(path: &str) -> String {
    if is_unnamed_plugin(path) {
        return "plugin/unnamed".to_owned();
    }
    let path = path.rfind("/vendor/").map_or(path, |at| &path[at + "/vendor/".len()..]);
    let elements = path.split('/').enumerate();
    elements
        // The first element is a host or a module's name, never a version.
        .filter(|(at, element)| *at == 0 || !is_major_version(element))
        .map(|(_, element)| without_version(element))
        .collect::<Vec<_>>()
        .join("/")
}

/// Whether this is the main package of a plugin that was built from files: the go command names it after a hash of
/// what is in them (`pluginPath` in cmd/go/internal/work/gc.go).
fn is_unnamed_plugin(path: &str) -> bool {
    path.strip_prefix("plugin/unnamed-")
        .is_some_and(|hash| !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `v2`, `v11`.
fn is_major_version(element: &str) -> bool {
    element
        .strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// `yaml%2ev3` (the linker escapes the dot) and `yaml@v3.0.1` to `yaml`.
fn without_version(element: &str) -> &str {
    let element = element.split('@').next().unwrap_or(element);
    match element.rsplit_once("%2e") {
        Some((name, version)) if is_major_version(version) => name,
        _ => element,
    }
}

/// The name behind the package: closures as `outer.func`.
fn normalise_local(local: &str) -> String {
    let local = local.strip_suffix("-fm").unwrap_or(local);
    let local = without_range(local);
    // Closures of package variables: `glob..func1` up to Go 1.20, `init.func1` from then on.
    let local = local.strip_prefix("glob..").map_or(local.clone(), |closure| format!("init.{closure}"));
    let segments: Vec<&str> = local.split('.').collect();
    let named = segments.iter().take_while(|s| !is_closure_segment(s)).count();
    let Some(outer) = segments.get(..named) else { return local.clone() };
    if named == segments.len() {
        return local;
    }
    // `main.func1` of `func main` is not told from `T.main.func1` of an inlined one; the last named
    // function holds the closure in both.
    match outer.last() {
        Some(outer) => format!("{outer}.func"),
        None => "func".to_owned(),
    }
}

/// Removes `-rangeN` marks: the body of a range-over-func loop belongs to its function.
fn without_range(local: &str) -> String {
    let mut parts = local.split("-range");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// `func1`, `2`, `gowrap1`, `deferwrap2`.
fn is_closure_segment(segment: &str) -> bool {
    let digits = ["func", "gowrap", "deferwrap"]
        .iter()
        .find_map(|prefix| segment.strip_prefix(prefix))
        .unwrap_or(segment);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn closures_lose_their_numbers_and_where_they_were_inlined() {
        for name in ["main.serve.func1", "main.serve.func2.3", "main.main.serve.func1", "main.serve.gowrap1"]
        {
            assert_eq!(normalise(name), "main.serve.func", "{name}");
        }
        assert_eq!(normalise("main.main.(*T).run.func1"), "main.run.func");
        assert_eq!(normalise("main.(*T).run.func1"), "main.run.func");
        assert_eq!(normalise("main.serve.deferwrap1"), "main.serve.func");
        assert_eq!(normalise("main.walk-range1"), "main.walk");
        assert_eq!(normalise("main.walk.func1-range2"), "main.walk.func");
    }

    #[test]
    fn package_variables_of_function_type_have_closures_too() {
        assert_eq!(normalise("main.init.func1"), "main.init.func");
        assert_eq!(normalise("main.glob..func1"), "main.init.func");
        assert_eq!(normalise("main.init.0"), "main.init.func");
    }

    #[test]
    fn methods_and_generics() {
        assert_eq!(normalise("example.com/x/store.(*DB).Put"), "example.com/x/store.(*DB).Put");
        assert_eq!(normalise("main.(*T).run-fm"), "main.(*T).run");
        assert_eq!(normalise("main.Map[...]"), "main.Map");
        assert_eq!(normalise("main.(*List[go.shape.int]).Push"), "main.(*List).Push");
        assert_eq!(normalise("main.Map[example.com/y.T].func1"), "main.Map.func");
    }

    #[test]
    fn versions_and_vendoring() {
        assert_eq!(normalise("example.com/x/v2/store.Get"), "example.com/x/store.Get");
        assert_eq!(normalise("gopkg.in/yaml%2ev3.(*parser).peek"), "gopkg.in/yaml.(*parser).peek");
        assert_eq!(normalise("example.com/app/vendor/github.com/a/b.F"), "github.com/a/b.F");
        assert_eq!(normalise("v2/x.F"), "v2/x.F");
    }

    #[test]
    fn plugins_lose_the_hash_of_their_files() {
        for hash in ["0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c", "aabbccddeeff00112233445566778899aabbccdd"] {
            let add = format!("plugin/unnamed-{hash}.(*Cart).Add");
            assert_eq!(normalise(&add), "plugin/unnamed.(*Cart).Add");
            assert_eq!(normalise(&format!("{add}.func1")), "plugin/unnamed.Add.func");
        }
        assert_eq!(normalise("plugin/unnamed-cart.F"), "plugin/unnamed-cart.F");
    }

    #[test]
    fn odd_names_stay_what_they_are() {
        assert_eq!(normalise(""), "");
        assert_eq!(normalise("crosscall2"), "crosscall2");
        assert_eq!(normalise("main.f]["), "main.f");
    }
}
