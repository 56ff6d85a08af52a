//! What can be asked.

mod find;
mod table;

pub(crate) use find::like;
pub use find::{find, of_fact};
pub use table::FIELDS;

use crate::{
    Scheme,
    pattern::{Pattern, Piece},
};

/// A row of the table of what can be asked.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table, and says yes or no")]
pub struct Field {
    /// Its name before the colon.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What its values are.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// Name of the fact that it reads, mostly its own name.
    pub fact: &'static str,
    /// Takes a key: `label.env`.
    pub keyed: bool,
    /// Upper and lower case differ.
    pub case: bool,
    /// A word without a field is looked for in it.
    pub free: bool,
    /// The quoted text of a predicate is looked for in it.
    pub literal: bool,
    /// It stays while the crash stays the same, so that a predicate can ask for it.
    pub lasting: bool,
    /// What it is, for a person.
    pub help: &'static str,
    /// Terms that ask for it.
    pub examples: &'static [&'static str],
}

/// What a field's values are, and with it how they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word: the whole of it, or a pattern.
    Word,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Prose: any part of it, or a pattern for the whole.
    Text,
    /// A path or the name of a function: the whole of it, or its end from a `/` or `.` on, or a pattern for either.
    Path,
    /// An identifier: its beginning, or a pattern.
    Hash,
    /// A version: compared as versions, or a pattern.
    Version(Scheme),
    /// A number.
    Number,
    /// A time.
    Time,
    /// The time after which (`true`) or until which it was.
    Bound(bool),
    /// Goroutines by a word: how many have one of the values.
    Count,
    /// Goroutines by the name of a function.
    CountPath,
}

/// What a field is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The crash.
    Crash,
    /// The goroutines of the crash.
    Goroutines,
    /// The group that the crash is in.
    Group,
}

impl Kind {
    /// The kind in a word, for the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::OneOf(_) => "one-of",
            Self::Text => "text",
            Self::Path => "path",
            Self::Hash => "hash",
            Self::Version(_) => "version",
            Self::Number => "number",
            Self::Time | Self::Bound(_) => "time",
            Self::Count | Self::CountPath => "count",
        }
    }

    /// What may stand between the colon and the value, or after the value of a count.
    pub const fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Word | Self::OneOf(_) | Self::Text | Self::Path | Self::Hash => &["*", "?"],
            Self::Version(_) => &["<", "<=", ">", ">=", "..", "*", "?"],
            Self::Number | Self::Time => &["<", "<=", ">", ">=", ".."],
            Self::Bound(_) => &[],
            Self::Count | Self::CountPath => &["*", "?", "<", "<=", ">", ">=", "="],
        }
    }
}

impl Subject {
    /// The subject in a word, for the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Goroutines => "goroutines",
            Self::Group => "group",
        }
    }
}

const fn field(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    examples: &'static [&'static str],
) -> Field {
    Field {
        name,
        aliases: &[],
        kind,
        subject: Subject::Crash,
        fact: name,
        keyed: false,
        case: false,
        free: false,
        literal: false,
        lasting: true,
        help,
        examples,
    }
}

impl Field {
    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn free(self) -> Self {
        Self { free: true, ..self }
    }

    /// In the stack or the message.
    const fn printed(self) -> Self {
        Self { free: true, literal: true, ..self }
    }

    const fn case(self) -> Self {
        Self { case: true, ..self }
    }

    const fn fleeting(self) -> Self {
        Self { lasting: false, ..self }
    }

    const fn of_goroutines(self) -> Self {
        Self { subject: Subject::Goroutines, ..self }
    }

    const fn of_group(self, fact: &'static str) -> Self {
        Self { subject: Subject::Group, fact, lasting: false, ..self }
    }

    const fn reads(self, fact: &'static str) -> Self {
        Self { fact, ..self }
    }

    const fn keyed(self) -> Self {
        Self { keyed: true, ..self }
    }
}

impl Field {
    /// Values are compared in lower case.
    pub const fn folds(&self) -> bool {
        !self.case
    }

    /// The patterns of which a whole value has to match one, for a pattern as it is written; in lower case where the
    /// field is compared so.
    pub fn patterns(&self, pattern: &Pattern) -> Vec<Pattern> {
        let pattern = if self.case { pattern.clone() } else { pattern.folded() };
        let literal = pattern.as_literal().is_some();
        match self.kind {
            Kind::Text if literal => vec![pattern.between(&[Piece::Any], &[Piece::Any])],
            Kind::Hash if literal => vec![pattern.between(&[], &[Piece::Any])],
            Kind::Path | Kind::CountPath => {
                let ends = |c: char| pattern.between(&[Piece::Any, Piece::Text(c.into())], &[]);
                vec![ends('/'), ends('.'), pattern]
            }
            _ => vec![pattern],
        }
    }

    /// One goroutine has several of its values, so that the counts of two values are no sum.
    pub const fn overlaps(&self) -> bool {
        matches!(self.kind, Kind::CountPath)
    }

    /// The same for a word without a field; in lower case, whatever the field.
    pub fn free_patterns(&self, pattern: &Pattern) -> Pattern {
        let before: &[Piece] = if self.kind == Kind::Hash { &[] } else { &[Piece::Any] };
        pattern.folded().between(before, &[Piece::Any])
    }

    /// Whether it is written like this in an answer: [`Field::name`], and `.key` if it takes one.
    pub fn spelling(&self) -> String {
        if self.keyed { format!("{}.KEY", self.name) } else { self.name.to_owned() }
    }
}
