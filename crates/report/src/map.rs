use serde::{Deserialize, Serialize};

use crate::Address;

/// A map that was found in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Map {
    /// Where its header is; `0x0` for a nil map, which has none.
    pub address: Address,
    /// Its type as Go spells it: `map[string]*main.User`, `sync.Map`.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// The runtime's descriptor of the type; with the address it names the map in queries.
    pub type_address: Option<Address>,
    /// What `panicle inspect` evaluates to it in any frame: `(map[string]int)(0xc000012345)`. `None` for a nil map, and
    /// where its type goes by no name that stands for it alone.
    pub expression: Option<String>,
    /// How it is built; `None` for a nil map of a binary that does not tell.
    pub implementation: Option<MapImplementation>,
    /// Entries, as the header counts them.
    pub count: Option<u64>,
    /// Entries that what is allocated has room for.
    pub room: Option<u64>,
    /// Bytes of the header and of all buckets or tables.
    pub size_bytes: Option<u64>,
    /// What state it is in.
    pub state: MapState,
    /// Whether anything is allocated for entries; tells an empty map that was never written to from one
    /// that was emptied or made with room.
    pub allocated: Option<bool>,
    /// The header's fields.
    pub header: Option<MapHeader>,
    /// Flags that are set, by the names that the runtime gives them.
    pub flags: Vec<String>,
    /// What is wrong with it, one sentence each: counts that disagree, pointers that lead nowhere.
    pub problems: Vec<String>,
    /// Where it is held.
    pub roots: Vec<MapRoot>,
    /// Roots that were found and are not listed.
    pub roots_left_out: u64,
    /// Goroutines that were inside an operation on it: the one that noticed, then the certain ones, then by how the
    /// map is known, the surest first.
    pub users: Vec<MapUser>,
}

/// How a map is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MapImplementation {
    /// Buckets of eight with overflow chains (`runtime.hmap`, up to Go 1.23).
    Hmap,
    /// Groups of eight with control words (`internal/runtime/maps.Map`, from Go 1.24).
    Swiss,
    /// A `sync.Map`.
    SyncMap,
}

/// What state a map is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MapState {
    /// It is nil.
    Nil,
    /// It has no entries.
    Empty,
    /// It has entries, and nothing is under way.
    Normal,
    /// Its entries are moving to larger or fresh buckets.
    Growing,
    /// Somebody is writing to it, as its flag says.
    Writing,
    /// Its header cannot be read.
    Unknown,
}

impl MapState {
    /// As JSON has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Empty => "empty",
            Self::Normal => "normal",
            Self::Growing => "growing",
            Self::Writing => "writing",
            Self::Unknown => "unknown",
        }
    }
}

/// The fields of a map's header, and what follows from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum MapHeader {
    /// `runtime.hmap`.
    Hmap(HmapHeader),
    /// `internal/runtime/maps.Map`.
    Swiss(SwissHeader),
    /// `sync.Map`.
    SyncMap(SyncMapHeader),
}

/// `runtime.hmap` (runtime/map.go up to Go 1.23).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names are the runtime's")]
pub struct HmapHeader {
    pub flags: u64,
    /// The base-two logarithm of the number of buckets.
    pub b: u64,
    pub noverflow: u64,
    pub hash0: Address,
    pub buckets: Address,
    pub oldbuckets: Address,
    pub nevacuate: u64,
    pub extra: Address,
    /// Buckets, overflow buckets left aside.
    pub bucket_count: u64,
    /// Entries for each bucket on average.
    pub load_factor: f64,
    /// The growth in progress.
    pub growth: Option<HmapGrowth>,
}

/// An `hmap` whose entries are moving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HmapGrowth {
    /// To as many buckets as before, to get rid of overflow buckets.
    pub same_size: bool,
    /// Buckets that entries move out of.
    pub old_buckets: u64,
    /// Those that are done.
    pub evacuated: u64,
}

/// `internal/runtime/maps.Map` (from Go 1.24).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names are the runtime's")]
pub struct SwissHeader {
    pub used: u64,
    pub seed: Address,
    pub dir_ptr: Address,
    pub dir_len: i64,
    pub global_depth: u64,
    pub global_shift: u64,
    pub writing: u64,
    /// `None` in versions that have no such field.
    pub clear_seq: Option<u64>,
    pub tombstone_possible: Option<bool>,
    /// The directory points at one group of eight slots and there are no tables.
    pub small: bool,
    /// Its tables; a map with very many lists the first of them.
    pub tables: Vec<SwissTable>,
    /// Tables in all; `None` where the directory cannot be read.
    pub table_count: Option<u64>,
    /// Deleted slots that are not free yet, in all tables.
    pub tombstones: Option<u64>,
}

/// `internal/runtime/maps.table`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names are the runtime's")]
pub struct SwissTable {
    pub address: Address,
    /// Its first place in the directory.
    pub index: i64,
    pub used: u64,
    pub capacity: u64,
    pub growth_left: u64,
    pub local_depth: u64,
    pub groups: Address,
    /// Groups of eight slots.
    pub group_count: u64,
    /// Deleted slots that are not free yet; `None` where the groups cannot be read.
    pub tombstones: Option<u64>,
}

/// A `sync.Map`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SyncMapHeader {
    /// `read-dirty` (up to Go 1.23) or `hash-trie` (from 1.24).
    pub form: String,
    /// Entries of the read-only map; `None` for a trie.
    pub read: Option<u64>,
    /// Entries of the dirty map, when there is one.
    pub dirty: Option<u64>,
    /// The dirty map has keys that the read-only one lacks.
    pub amended: Option<bool>,
    /// Lookups that missed the read-only map since it was made.
    pub misses: Option<u64>,
}

/// Where a map is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapRoot {
    /// The goroutine whose stack holds it; `None` for a global variable.
    pub goroutine: Option<u64>,
    /// Which of its frames, counted from the innermost.
    pub frame: Option<u64>,
    /// The way to it, as an expression that evaluates to it in that frame: `c.users`, `main.sessions`. `None` where no
    /// such name is known.
    pub variable: Option<String>,
    /// The way to it as the source has it, where that is known and yet no expression gives it, because the variable
    /// that it begins with is gone by then. `None` where there is a `variable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// What sort of place that is.
    pub kind: MapRootKind,
    /// Read from the variable itself, and not found by looking for the address.
    pub certain: bool,
    /// The address of the word that holds the pointer; `None` where that is a register.
    pub slot: Option<Address>,
    /// The struct that carries it, as `*main.Server 0xc000012345`, and where it came from, as far as memory tells.
    pub owner: Option<String>,
}

impl MapRoot {
    /// What the source calls the map there, whether or not that can be asked for.
    pub fn name(&self) -> Option<&str> {
        self.variable.as_deref().or(self.called.as_deref())
    }
}

/// What sort of place holds a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MapRootKind {
    /// An argument of a frame.
    Argument,
    /// A local variable of a frame.
    Local,
    /// A package's variable.
    Global,
    /// The operand of a map operation, out of the code that called it.
    Operand,
    /// A word of a stack that equals the address.
    Stack,
    /// A register that equals the address.
    Register,
}

/// A goroutine inside an operation on a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MapUser {
    /// The goroutine.
    pub goroutine: u64,
    /// The frame of the operation, counted from the innermost.
    pub frame: u64,
    /// The function of that frame: `runtime.mapassign_faststr`.
    pub function: String,
    /// What it was doing.
    pub operation: MapOperation,
    /// The map was read from the frame's own argument or variable, and not found by scanning its stack.
    pub certain: bool,
    /// It is the goroutine that noticed the conflict and ended the process.
    pub noticed: bool,
    /// The frame that asked for the operation, counted from the innermost.
    pub caller_frame: Option<u64>,
    /// That frame, in words: `main.(*Cache).Put (cache.go:31)`.
    pub caller: Option<String>,
    /// How the map is known to be this one.
    #[serde(default)]
    pub known: MapKnown,
    /// The same in one sentence.
    pub because: String,
}

/// How the map of an operation is known, the surest way first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MapKnown {
    /// It is an argument that a frame of the operation still holds.
    Argument,
    /// It is what the caller passed, and the caller, or one of its callers, still holds it.
    Caller,
    /// Debug information says where a frame of the operation has it.
    Variable,
    /// It is what stands today where the caller read it from. Then it may have been another one.
    ReadAgain,
    /// It is the only map whose address lies in the frames of the operation.
    Scan,
    /// An iterator over it lies in the frame: the goroutine is in the body of a loop, or left it early.
    Iterator,
    /// It is not said.
    #[default]
    Unknown,
}

/// What is done to a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is its own definition")]
pub enum MapOperation {
    Read,
    Write,
    Delete,
    Iterate,
    Clear,
}
