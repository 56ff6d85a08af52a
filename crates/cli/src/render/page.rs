//! Lines of at most a hundred columns.

use std::fmt::Write as _;

use textwrap::Options;

/// Columns of a line.
const WIDTH: usize = 100;

/// A text under construction.
pub(super) struct Page {
    text: String,
    colour: bool,
}

impl Page {
    pub(super) fn new(colour: bool) -> Self {
        Self { text: String::new(), colour }
    }

    /// A heading, with an empty line before it.
    pub(super) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let text = escape(text);
        for line in textwrap::wrap(&text, Options::new(WIDTH)) {
            // Writing to a String does not fail.
            let _ = if self.colour {
                writeln!(self.text, "\x1b[1m{line}\x1b[0m")
            } else {
                writeln!(self.text, "{line}")
            };
        }
    }

    /// A paragraph behind `indent` spaces.
    pub(super) fn paragraph(&mut self, indent: usize, text: &str) {
        self.item(indent, "", text);
    }

    /// A paragraph with a mark (`- `, `#2 `) before its first line.
    pub(super) fn item(&mut self, indent: usize, mark: &str, text: &str) {
        let first = format!("{}{mark}", " ".repeat(indent));
        let rest = " ".repeat(first.chars().count());
        let options = Options::new(WIDTH).initial_indent(&first).subsequent_indent(&rest);
        for line in textwrap::wrap(&escape(text), options) {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// A line that is cut, not wrapped: values read from memory can be long and say little at their
    /// end.
    pub(super) fn cut(&mut self, indent: usize, text: &str) {
        let room = WIDTH.saturating_sub(indent);
        let text = escape(text);
        let mut line: String = text.chars().take(room).collect();
        if text.chars().count() > room {
            line = text.chars().take(room.saturating_sub(1)).collect();
            line.push('…');
        }
        let _ = writeln!(self.text, "{}{line}", " ".repeat(indent));
    }

    /// A text on one line with another behind it, which stays whole where there is any room for it.
    pub(super) fn cut_before(&mut self, indent: usize, text: &str, kept: &str) {
        let kept = escape(kept);
        let room = WIDTH.saturating_sub(indent);
        let left = room.saturating_sub(kept.chars().count());
        let text = escape(text);
        if text.chars().count() <= left {
            let _ = writeln!(self.text, "{}{text}{kept}", " ".repeat(indent));
        } else if left > room / 3 {
            let text: String = text.chars().take(left - 1).collect();
            let _ = writeln!(self.text, "{}{text}…{kept}", " ".repeat(indent));
        } else {
            self.cut(indent, &format!("{text}{kept}"));
        }
    }

    /// A file and line on one line. A path that is too long is cut in its middle: where it starts tells
    /// whose code it is, and its end is what one looks for.
    pub(super) fn cut_path(&mut self, indent: usize, file: &str, line: Option<u32>) {
        let room = WIDTH.saturating_sub(indent);
        let line = line.map_or(String::new(), |line| format!(":{line}"));
        let file = shorten_path(&escape(file), room.saturating_sub(line.len()));
        let _ = writeln!(self.text, "{}{file}{line}", " ".repeat(indent));
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.text.trim_end().to_owned()
    }
}

/// A path in at most `room` letters, with an ellipsis in the place of its middle. Its last part stays
/// whole where there is room for it.
fn shorten_path(path: &str, room: usize) -> String {
    let letters: Vec<char> = path.chars().collect();
    if letters.len() <= room {
        return path.to_owned();
    }
    let kept = room.saturating_sub(1);
    let name = letters.iter().rev().take_while(|&&c| c != '/').count();
    // With the slash before it.
    let tail = (name + 1).max(kept - kept / 3).min(kept);
    let head = kept - tail;
    letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}

/// A text without anything that a terminal or reader would act on.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\t' {
            out.push_str("    ");
        } else if c.is_control() || is_invisible(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that change how others are shown: directions, joiners, line separators, marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{Page, escape};

    #[test]
    fn escapes_what_terminals_act_on() {
        assert_eq!(escape("a\x1b[31mb\r\u{202e}c\u{9b}d"), "a\\u{1b}[31mb\\u{d}\\u{202e}c\\u{9b}d");
        assert_eq!(escape("grün 世界\t."), "grün 世界    .");
    }

    #[test]
    fn wraps_and_cuts_at_a_hundred_columns() {
        let mut page = Page::new(false);
        page.item(2, "- ", &"word ".repeat(60));
        page.cut(4, &"x".repeat(300));
        page.paragraph(4, &"y".repeat(300));
        assert!(page.finish().lines().all(|line| line.chars().count() <= 100));
    }

    #[test]
    fn long_paths_keep_their_file_and_line() {
        let mut page = Page::new(false);
        let file = format!("/srv/build/{}/store/cache.go", "folder/".repeat(30));
        page.cut_path(8, &file, Some(1_234));
        page.cut_path(8, "/srv/cache.go", None);
        page.cut_before(8, &"example.com/shop.".repeat(20), "  cache.go:1234");
        let text = page.finish();
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let [long, short, function] = lines[..] else { panic!("{text}") };
        assert!(long.starts_with("/srv/build/") && long.ends_with("/store/cache.go:1234"), "{long}");
        assert_eq!(short, "/srv/cache.go");
        assert!(function.ends_with("…  cache.go:1234"), "{function}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn a_file_name_beyond_the_line_is_cut_as_well() {
        let mut page = Page::new(false);
        page.cut_path(8, &format!("/a/{}.go", "n".repeat(200)), Some(7));
        let text = page.finish();
        assert!(text.ends_with("n.go:7") && text.chars().count() == 100, "{text}");
    }
}
