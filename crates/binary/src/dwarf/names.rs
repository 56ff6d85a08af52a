//! Type names as Go's own messages spell them: package names in place of import paths.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Packages whose name is not the last element of their import path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShortNames {
    packages: HashMap<String, String>,
    /// Bytes of both.
    bytes: usize,
}

/// Bytes of packages' names that are kept. Of a thousand packages one or two are called otherwise.
const MOST_BYTES: usize = 4 << 20;

impl ShortNames {
    /// Remembers that the package at `path` calls itself `name`.
    pub(super) fn add_package(&mut self, path: &str, name: &str) {
        let last = path.rsplit('/').next().unwrap_or(path);
        let bytes = self.bytes.saturating_add(path.len() + name.len());
        if last != name && bytes <= MOST_BYTES {
            self.bytes = bytes;
            self.packages.insert(escape(path), name.to_owned());
        }
    }

    /// `name` with each import path turned into the name of the package:
    /// `*example.com/x/y.T` becomes `*y.T`, `map[string]gopkg.in/yaml%2ev2.Node` becomes
    /// `map[string]yaml.Node`. Struct tags are left as they are.
    pub fn shorten(&self, name: &str) -> String {
        let mut short = String::with_capacity(name.len());
        let mut rest = name;
        while let Some(first) = rest.chars().next() {
            if first == '"' {
                let end = quoted_len(rest);
                short.push_str(&rest[..end]);
                rest = &rest[end..];
            } else if is_path(first) {
                let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
                short.push_str(&self.shorten_word(&rest[..end]));
                rest = &rest[end..];
            } else {
                short.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        short
    }

    /// `word` is a run of characters of an import path, of which a type name may follow behind a dot.
    fn shorten_word(&self, word: &str) -> String {
        // `...T` and `<-T` may stand directly in front of a path.
        let start = word.find(|c: char| !matches!(c, '.' | '-')).unwrap_or(word.len());
        let (lead, word) = word.split_at(start);
        let last_slash = word.rfind('/').map_or(0, |slash| slash + 1);
        let Some(dot) = word[last_slash..].find('.') else { return format!("{lead}{word}") };
        let (path, symbol) = word.split_at(last_slash + dot);
        match self.packages.get(path) {
            Some(package) => format!("{lead}{package}{symbol}"),
            None => format!("{lead}{}", &word[last_slash..]),
        }
    }
}

/// Characters that an import path or a type name consists of. Anything else separates.
fn is_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '~' | '%' | '-' | '+' | '@' | '!' | '·')
}

/// Bytes of the quoted string at the start of `text`, the quotes with it.
fn quoted_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// An import path as symbol names carry it: dots of the last element, control characters, `%` and `"` as
/// `%xx` (cmd/internal/objabi/path.go).
fn escape(path: &str) -> String {
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    let mut escaped = String::with_capacity(path.len());
    for (at, byte) in path.bytes().enumerate() {
        if byte <= b' ' || (byte == b'.' && at >= last) || byte == b'%' || byte == b'"' || byte >= 0x7f {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02x}");
        } else {
            escaped.push(char::from(byte));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::ShortNames;

    #[test]
    fn spells_packages_by_name() {
        let mut names = ShortNames::default();
        names.add_package("gopkg.in/yaml.v2", "yaml");
        names.add_package("example.com/go-store", "store");
        names.add_package("fmt", "fmt");
        for (full, short) in [
            ("*example.com/x/y.T", "*y.T"),
            ("int", "int"),
            ("main.User", "main.User"),
            ("map[string]*gopkg.in/yaml%2ev2.Node", "map[string]*yaml.Node"),
            ("[]example.com/go-store.Item", "[]store.Item"),
            ("func(...example.com/a/b.T) (int, error)", "func(...b.T) (int, error)"),
            ("<-chan example.com/a/b.T", "<-chan b.T"),
            ("chan<- example.com/a/b.T", "chan<- b.T"),
            ("main.List[example.com/a/b.T,int]", "main.List[b.T,int]"),
            (r#"struct { A int "json:\"a/b.c\""; B c/d.E }"#, r#"struct { A int "json:\"a/b.c\""; B d.E }"#),
            ("", ""),
            ("\"", "\""),
        ] {
            assert_eq!(names.shorten(full), short);
        }
    }
}
