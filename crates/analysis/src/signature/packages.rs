//! The package that a closure was written in.
//!
//! When a function that makes a closure is inlined, the closure is named after the function that it was
//! inlined into, package and all: `main.sum.Sum.func1` for one of `example.com/shop/jobs.Sum`
//! (`closureName` in cmd/compile/internal/ir/func.go). Its file is still that of the source, and other frames
//! tell what package the files of a folder are of.

use panicle_goruntime::spell::package;
use panicle_report::{CreatedBy, Frame};

use super::name;

/// What the frames of a stack tell about folders and packages.
#[derive(Debug)]
pub(super) struct Packages<'a> {
    /// Folder and import path, each once.
    known: Vec<(&'a str, &'a str)>,
}

impl<'a> Packages<'a> {
    /// Looks through a stack and the statement that started its goroutine.
    pub(super) fn of(stack: &'a [Frame], created_by: Option<&'a CreatedBy>) -> Self {
        let places = stack.iter().map(|frame| (frame.function.as_str(), frame.file.as_deref()));
        let created = created_by.map(|created| (created.function.as_str(), created.file.as_deref()));
        let mut known = Vec::new();
        for (function, file) in places.chain(created) {
            let (Some(folder), Some(package)) = (file.and_then(folder), package(function)) else { continue };
            if name::parent_of_closure(function).is_none() && !known.contains(&(folder, package)) {
                known.push((folder, package));
            }
        }
        Self { known }
    }

    /// A function's name with the package that its file is of.
    pub(super) fn name(&self, function: &str, file: Option<&str>) -> String {
        let named = name::normalise(function);
        if !name::may_be_inlined_closure(function) {
            return named;
        }
        let (Some(real), Some(said)) = (file.and_then(|file| self.package(file)), package(function)) else {
            return named;
        };
        match function.strip_prefix(said) {
            Some(local) => name::normalise(&format!("{real}{local}")),
            None => named,
        }
    }

    fn package(&self, file: &str) -> Option<String> {
        let folder = folder(file)?;
        let same = self.known.iter().find(|(known, _)| *known == folder);
        same.map(|(_, package)| (*package).to_owned())
            .or_else(|| {
                self.known.iter().find_map(|&(known, package)| below_one_root(known, package, folder))
            })
            // -trimpath: the import path itself.
            .or_else(|| (!folder.starts_with('/') && !folder.contains('@')).then(|| folder.to_owned()))
    }
}

fn folder(file: &str) -> Option<&str> {
    file.rsplit_once('/').map(|(folder, _)| folder)
}

/// The package of `folder`, when `known` is the folder of `package` and both lie in one module.
fn below_one_root(known: &str, package: &str, folder: &str) -> Option<String> {
    let (mut root, mut module) = (known, package);
    while let (Some((above, last)), Some((path, element))) = (root.rsplit_once('/'), module.rsplit_once('/'))
    {
        if last != element {
            break;
        }
        (root, module) = (above, path);
    }
    if root == known || module.is_empty() {
        // Their names differ: it is the root of a module, or of another name than its folder.
        (root, module) = (known, package);
    }
    let inner = folder.strip_prefix(root)?.strip_prefix('/')?;
    (module != "main").then(|| format!("{module}/{inner}"))
}

#[cfg(test)]
mod tests {
    use super::Packages;
    use crate::testing::frame;

    #[test]
    fn closures_get_the_package_of_their_file() {
        let stack = [
            frame("main.sum.Sum.func1", "/src/shop/internal/jobs/jobs.go", 9),
            frame("example.com/shop/internal/cart.(*Cart).Each", "/src/shop/internal/cart/cart.go", 3),
            frame("main.sum", "/src/shop/cmd/shopd/main.go", 3),
        ];
        let packages = Packages::of(&stack, None);
        let name = |function: &str, file: &str| packages.name(function, Some(file));
        assert_eq!(
            name("main.sum.Sum.func1", "/src/shop/internal/jobs/jobs.go"),
            "example.com/shop/internal/jobs.Sum.func"
        );
        assert_eq!(
            name("main.sum.Each.func1", "/src/shop/internal/cart/more.go"),
            "example.com/shop/internal/cart.Each.func"
        );
        assert_eq!(
            name("main.sum.Sum.func1", "example.com/shop/internal/jobs/jobs.go"),
            "example.com/shop/internal/jobs.Sum.func"
        );
        // What is not known stays as it is named.
        assert_eq!(name("main.sum.Sum.func1", "/elsewhere/jobs.go"), "main.Sum.func");
        assert_eq!(name("main.sum.func1", "/src/shop/cmd/shopd/main.go"), "main.sum.func");
        assert_eq!(packages.name("main.sum.Sum.func1", None), "main.Sum.func");
    }
}
