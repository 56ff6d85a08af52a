//! Short examples that do it right: `examples/*.go`, each a file of its own that a test compiles.

/// The declarations of a Go file, without its package clause and imports.
pub(super) fn shown(file: &str) -> &str {
    let start = match (file.find("\n)\n"), file.find("\nimport \"")) {
        (Some(end), _) if file.contains("\nimport (") => end + 3,
        (_, Some(import)) => {
            file.get(import + 1..).and_then(|rest| rest.find('\n')).map_or(0, |end| import + 1 + end)
        }
        _ => file.find('\n').unwrap_or(0),
    };
    file.get(start..).unwrap_or(file).trim()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn the_head_of_the_file_is_left_out() {
        for head in ["package p\n", "package p\n\nimport \"fmt\"\n", "package p\n\nimport (\n\t\"fmt\"\n)\n"]
        {
            assert_eq!(
                shown(&format!("{head}\n// It.\nfunc f() (\n) {{\n}}\n")),
                "// It.\nfunc f() (\n) {\n}"
            );
        }
    }
}
