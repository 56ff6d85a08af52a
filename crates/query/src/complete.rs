//! What could be typed at a place of an unfinished query.

use crate::{
    Field, Kind, Span,
    fields::{self, FIELDS},
};

/// What stands at a place of a text.
#[derive(Clone, Debug)]
pub struct Place {
    /// The bytes that a completion replaces.
    pub span: Span,
    /// What was typed of it so far, without an opening quote.
    pub prefix: String,
    /// What is being typed.
    pub wanted: Wanted,
}

/// What is being typed.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The name of a field, or a word.
    Field,
    /// A value of this field.
    Value {
        /// The field.
        field: &'static Field,
        /// Name of its facts: `label.env`.
        fact: String,
    },
    /// The key of a field that takes one: `label.`.
    Key(&'static Field),
    /// Nothing that is known beforehand: a number, a time.
    Nothing,
}

/// What stands before byte `at` of `text`, which need not be a query yet. A place inside of a character is the one
/// before it.
pub fn place(text: &str, at: usize) -> Place {
    let at = text.floor_char_boundary(at.min(text.len()));
    let (mut start, mut quote, mut open) = (0, None, 0_usize);
    let mut escaped = false;
    for (index, c) in text[..at].char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' if quote.is_some() => quote = None,
            '"' => quote = Some(index),
            _ if quote.is_some() => {}
            c if c.is_whitespace() => (start, open) = (index + c.len_utf8(), 0),
            '(' | '!' | '-' if index == start => start = index + 1,
            '(' => open += 1,
            ')' if open > 0 => open -= 1,
            ')' | '|' | '&' => start = index + 1,
            _ => {}
        }
    }
    let token = &text[start..at];
    let end = if quote.is_some() { at } else { at + rest_of_word(&text[at..]) };
    let nothing =
        |from: usize| Place { span: Span::new(from, end), prefix: String::new(), wanted: Wanted::Nothing };
    let Some((name, value)) = token.split_once(':') else {
        if let Some((before, key)) = token.split_once('.')
            && let Some((field, _)) = fields::find(before).filter(|(field, _)| field.keyed)
        {
            let from = start + before.len() + 1;
            let prefix = key.trim_start_matches('"').to_owned();
            return Place { span: Span::new(from, end), prefix, wanted: Wanted::Key(field) };
        }
        if token.starts_with('"') {
            return nothing(start);
        }
        return Place { span: Span::new(start, end), prefix: token.to_owned(), wanted: Wanted::Field };
    };
    let name = name.replace('"', "");
    let Some((field, key)) = fields::find(&name) else { return nothing(at) };
    let operators = value.len() - value.trim_start_matches(['<', '>', '=']).len();
    let from = at - value.len() + operators;
    let prefix = value[operators..].trim_start_matches('"').replace('\\', "");
    let closed = prefix.ends_with('"') || (quote.is_none() && value.starts_with('"'));
    let counted = matches!(field.kind, Kind::Count | Kind::CountPath) && prefix.contains(['<', '>', '=']);
    if closed || counted || matches!(field.kind, Kind::Number | Kind::Time | Kind::Bound(_)) {
        return nothing(at);
    }
    let fact = key.map_or_else(|| field.fact.to_owned(), |key| format!("{}.{key}", field.fact));
    Place { span: Span::new(from, end), prefix, wanted: Wanted::Value { field, fact } }
}

/// Bytes up to the end of the word that the place is in.
fn rest_of_word(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || matches!(c, ')' | '"' | ':' | '<' | '>' | '='))
        .unwrap_or(text.len())
}

/// Fields whose name or alias begins with `prefix`, in the order of the table.
pub fn fields_like(prefix: &str) -> Vec<&'static Field> {
    let prefix = prefix.to_ascii_lowercase();
    let begins = |name: &&str| name.starts_with(&prefix);
    FIELDS.iter().filter(|field| begins(&field.name) || field.aliases.iter().any(begins)).collect()
}

/// A value as it is written in a query: in quotes where that is needed.
pub fn spelled(value: &str) -> String {
    crate::Pattern::literal(value).to_string()
}

/// The key of a field as it is written in a query.
pub fn spelled_key(field: &'static Field, key: &str) -> String {
    let reference = crate::FieldRef { field, key: Some(key.to_owned()) };
    let whole = reference.to_string();
    whole[field.name.len() + 1..].to_owned()
}
