//! The query language, as the API shows it.

use jiff::Timestamp;
use panicle_query::{Field, Kind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A field that can be asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each says yes or no about the field by itself")]
pub(crate) struct QueryField {
    /// Its name, before the colon.
    pub(crate) name: String,
    /// Other names for it.
    pub(crate) aliases: Vec<String>,
    /// What its values are: `word`, `one-of`, `text`, `path`, `hash`, `version`, `number`, `time` or `count`.
    pub(crate) kind: String,
    /// What it is about: `crash`, `goroutines` or `group`.
    pub(crate) subject: String,
    /// It takes a key: `label.env:prod`.
    pub(crate) keyed: bool,
    /// Upper and lower case differ.
    pub(crate) case_sensitive: bool,
    /// A word without a field is looked for in it.
    pub(crate) anywhere: bool,
    /// Rules can ask for it.
    pub(crate) in_rules: bool,
    /// What may stand with a value: comparisons, ranges, wildcards.
    pub(crate) operators: Vec<String>,
    /// All values, where there are few.
    pub(crate) values: Vec<String>,
    /// What it is.
    pub(crate) help: String,
    /// Terms that ask for it.
    pub(crate) examples: Vec<String>,
}

impl From<&Field> for QueryField {
    fn from(field: &Field) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let values = if let Kind::OneOf(words) = field.kind { words } else { &[] };
        Self {
            name: field.name.to_owned(),
            aliases: owned(field.aliases),
            kind: field.kind.as_str().to_owned(),
            subject: field.subject.as_str().to_owned(),
            keyed: field.keyed,
            case_sensitive: field.case,
            anywhere: field.free,
            in_rules: field.lasting,
            operators: owned(field.kind.operators()),
            values: owned(values),
            help: field.help.to_owned(),
            examples: owned(field.examples),
        }
    }
}

/// What could be typed at a place of a query.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Completion {
    /// First byte of what a completion replaces.
    pub(crate) position: u64,
    /// How many bytes it replaces.
    pub(crate) length: u64,
    /// Best first.
    pub(crate) items: Vec<CompletionItem>,
}

/// One of the things that could be typed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CompletionItem {
    /// What to put in, with the quotes that it needs.
    pub(crate) text: String,
    pub(crate) kind: CompletionKind,
    /// What a field is.
    pub(crate) help: Option<String>,
    /// Crashes with this value, counted up to 1,000; null for what is no value.
    pub(crate) crashes: Option<u64>,
}

/// What a completion is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CompletionKind {
    /// A field, up to its colon or dot.
    Field,
    /// A key of a field, up to its colon.
    Key,
    /// A value, or a whole term with one.
    Value,
}

/// A query that somebody keeps.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SavedQuery {
    pub(crate) id: String,
    /// No other one has it.
    pub(crate) name: String,
    pub(crate) query: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
}

impl From<panicle_store::SavedQuery> for SavedQuery {
    fn from(saved: panicle_store::SavedQuery) -> Self {
        Self {
            id: saved.id,
            name: saved.name,
            query: saved.query,
            created_at: saved.created_at,
            updated_at: saved.updated_at,
        }
    }
}

/// A query to keep.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSavedQuery {
    pub(crate) name: String,
    pub(crate) query: String,
}
