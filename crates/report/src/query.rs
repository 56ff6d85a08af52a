//! Questions about a crash's memory that a report does not answer in advance, and their answers.

use serde::{Deserialize, Serialize};

use crate::Address;

/// A question about the memory of a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// What an expression's value is.
    Eval(EvalQuery),
    /// What is in a map.
    MapEntries(MapEntriesQuery),
    /// How a map's entries lie.
    MapLayout(MapLayoutQuery),
}

/// An expression to evaluate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvalQuery {
    /// Like Go: `c.users["k1"].Name`.
    pub expression: String,
    /// In whose frame names are looked up; without it the goroutine at fault.
    pub goroutine: Option<u64>,
    /// Which of its frames, counted from the innermost; without it the innermost of the program's own.
    pub frame: Option<u64>,
    /// Elements of one map, slice or array at most; 0 for all.
    pub limit: Option<u64>,
    /// Pointers and interfaces followed one behind the other.
    pub depth: Option<u32>,
}

/// A map, by what a report says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapPointer {
    /// Where its header is.
    pub address: Address,
    /// The runtime's descriptor of its type; `0x0` stands for `sync.Map`, which may have none.
    pub type_address: Address,
}

/// Some of a map's entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapEntriesQuery {
    /// Which map.
    pub map: MapPointer,
    /// Go on where the answer with this `next_cursor` ended.
    pub cursor: Option<String>,
    /// Entries at most.
    pub limit: u64,
    /// Without it, the order in which they lie.
    pub sort: Option<MapSort>,
    /// Only entries whose key or value, as text, contains this.
    pub filter: Option<String>,
    /// Only the entry of this key, a Go literal: `"k1"`, `17`.
    pub key: Option<String>,
}

/// An order of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is its own definition")]
pub enum MapSort {
    Key,
    KeyDescending,
    Value,
    ValueDescending,
}

/// How a part of a map's entries lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapLayoutQuery {
    /// Which map.
    pub map: MapPointer,
    /// The first bucket, or group counted over all tables.
    pub from: u64,
    /// Buckets or groups at most.
    pub limit: u64,
    /// Say where this key belongs, a Go literal.
    pub key: Option<String>,
}

/// The answer to a query, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryError {
    /// The expression or key is wrong.
    Expression(EvalError),
    /// Another part of the question is, such as a cursor.
    Parameter(String),
    /// What is asked for is not there: no such goroutine, frame or map.
    NotFound(String),
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EvalError {
    /// What sort of error: `syntax`, `unknown-name`, `type`, `nil-dereference`, `out-of-range`, `no-such-key`,
    /// `unreadable`, `not-kept`, `unsupported`, `limit`.
    pub kind: String,
    /// One sentence.
    pub message: String,
    /// Byte of the expression that it is about.
    pub position: Option<u64>,
}

/// What an expression is. Its value as JSON comes beside it, as `value`: it may be larger than memory, so it is
/// written while it is read and has no shape here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Evaluated {
    /// The expression.
    pub expr: String,
    /// The type of its value as Go spells it; `None` for `nil` and for values of an unknown type.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// The runtime's descriptor of that type, where there is one; with the address of its header it names a map
    /// in other questions.
    pub type_address: Option<Address>,
    /// Where the value lies; `None` for what lies nowhere: results of operators, and what is in registers.
    pub address: Option<Address>,
    /// The value as a report writes it, cut where it is long.
    pub text: String,
}

/// Some of a map's entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapEntries {
    /// Entries in the whole map, as its header counts them.
    pub len: u64,
    /// Entries that were found in the whole map; `None` when not all were looked at.
    pub found: Option<u64>,
    /// Those that passed the filter; `None` when not all were looked at.
    pub matching: Option<u64>,
    /// The entries asked for.
    pub entries: Vec<MapEntry>,
    /// Where the next ones start; `None` at the end.
    pub next_cursor: Option<String>,
    /// There are more than were looked at.
    pub truncated: bool,
    /// What is wrong with the map, one sentence each.
    pub problems: Vec<String>,
}

/// An entry of a map; key and value are written as Go writes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapEntry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Where the key lies.
    pub key_address: Address,
    /// Where the value lies.
    pub value_address: Address,
}

/// How a part of a map's entries lies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapLayout {
    /// Buckets, or groups of all tables; old buckets come behind the new ones.
    pub total: u64,
    /// The first of those that follow.
    pub from: u64,
    /// Buckets of an `hmap`, or groups of a Swiss map.
    pub rows: Vec<MapLayoutRow>,
    /// There are fewer rows than were asked for, because their overflow chains are long: ask for those behind the last.
    #[serde(default)]
    pub truncated: bool,
    /// Where the key that was asked for belongs.
    pub key: Option<KeyPlace>,
}

/// A bucket with its overflow chain, or a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapLayoutRow {
    /// Its number among all.
    pub index: u64,
    /// Where it is.
    pub address: Address,
    /// Number of the table that a group is in; `None` for buckets and small maps.
    pub table: Option<u64>,
    /// It belongs to the buckets that entries move out of.
    pub old: bool,
    /// Its entries have moved already.
    pub evacuated: bool,
    /// Its eight slots, then those of each overflow bucket.
    pub slots: Vec<MapSlot>,
    /// Overflow buckets behind it.
    pub overflow: u64,
    /// What cannot be read or is wrong.
    pub problem: Option<String>,
}

/// A slot of a bucket or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapSlot {
    /// What is in it.
    pub state: SlotState,
    /// The byte that the map keeps of the hash: `tophash`, or the control byte.
    pub byte: u8,
}

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SlotState {
    /// Nothing, and nothing comes behind it.
    Empty,
    /// Nothing; searches go on behind it.
    Deleted,
    /// An entry.
    Full,
    /// Its entry moved.
    Evacuated,
}

/// Where a key belongs and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KeyPlace {
    /// The key as Go writes it.
    pub key: String,
    /// Its hash with the map's seed; `None` where the hash function cannot be computed.
    pub hash: Option<Address>,
    /// How the hash was computed, or why it was not.
    pub hash_function: String,
    /// The bucket or group where the search begins.
    pub home: Option<u64>,
    /// The bucket or group that has the key, and the slot in it; `None` when the map has no such key.
    pub found_in: Option<u64>,
    /// The slot of the entry in it.
    pub slot: Option<u64>,
    /// The buckets or groups that a search looks at, in order.
    pub probed: Vec<u64>,
    /// Steps from the key to its place, one sentence each.
    pub explain: Vec<String>,
}
