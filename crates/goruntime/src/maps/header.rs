//! What a map's header says, and what follows from it.

mod buckets;
mod groups;

use panicle_report::{Address, Map, MapHeader, MapImplementation, MapState};

use super::{MapType, SLOTS, hmap::Hmap, report::Problems, shared, swiss::Swiss};
use crate::value::Context;

/// Slots up to which they are counted and not believed.
const SLOTS_COUNTED: u64 = 1 << 18;

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header of the map at {address:#x} is not in memory")]
pub struct Unreadable {
    /// Where it should be.
    pub address: u64,
}

/// A map's header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Where it is; 0 for a nil map.
    pub address: u64,
    /// How the map is built.
    pub implementation: MapImplementation,
    /// Entries, as the header counts them.
    pub count: u64,
    /// Slots that are allocated, overflow buckets left aside; `None` where that cannot be read.
    pub room: Option<u64>,
    /// Bytes of the header and of all buckets or tables, keys and elements behind pointers left aside.
    pub size_bytes: Option<u64>,
    /// What state it is in.
    pub state: MapState,
    /// Something is allocated for entries.
    pub allocated: bool,
    /// Its fields; `None` for a nil map.
    pub fields: Option<MapHeader>,
    /// Flags that are set.
    pub flags: Vec<String>,
    /// What is wrong with it, one sentence each.
    pub problems: Vec<String>,
}

impl Header {
    /// The header as the report has it, of a map of type `of`, without roots and users.
    pub fn into_map(self, of: &MapType) -> Map {
        Map {
            address: Address(self.address),
            type_name: Some(of.name.clone()),
            type_address: of.type_address.map(Address),
            implementation: Some(self.implementation),
            count: Some(self.count),
            room: self.room,
            size_bytes: self.size_bytes,
            state: self.state,
            allocated: Some(self.allocated),
            header: self.fields,
            flags: self.flags,
            problems: self.problems,
            roots: Vec::new(),
            roots_left_out: 0,
            expression: None,
            users: Vec::new(),
        }
    }
}

impl Unreadable {
    /// What the report has of a map of type `of` whose header is missing.
    pub fn into_map(self, of: &MapType) -> Map {
        Map {
            address: Address(self.address),
            type_name: Some(of.name.clone()),
            type_address: of.type_address.map(Address),
            implementation: Some(of.slots.implementation),
            count: None,
            room: None,
            size_bytes: None,
            state: MapState::Unknown,
            allocated: None,
            header: None,
            flags: Vec::new(),
            problems: vec!["The map's header is not in memory.".to_owned()],
            roots: Vec::new(),
            roots_left_out: 0,
            expression: None,
            users: Vec::new(),
        }
    }
}

/// The header of the map of type `of` at `address`, which is 0 for a nil map.
///
/// Slots of maps that are not large are counted, and what disagrees with the header is among the problems.
pub fn header(context: &Context<'_>, of: &MapType, address: u64) -> Result<Header, Unreadable> {
    if address == 0 {
        return Ok(Header {
            address,
            implementation: of.slots.implementation,
            count: 0,
            room: Some(0),
            size_bytes: Some(0),
            state: MapState::Nil,
            allocated: false,
            fields: None,
            flags: Vec::new(),
            problems: Vec::new(),
        });
    }
    let unreadable = Unreadable { address };
    if of.slots.implementation == MapImplementation::SyncMap {
        return shared::shared_header(context, address);
    }
    if of.slots.implementation == MapImplementation::Swiss {
        let map = Swiss::read(context, address).ok_or(unreadable)?;
        return Ok(groups::header(context, of, address, &map));
    }
    let map = Hmap::read(context, address).ok_or(unreadable)?;
    Ok(buckets::header(context, of, address, &map))
}

/// What state a map is in. `sound` says whether its fields can be those of a map; while somebody writes to it they
/// need not be.
fn state(writing: bool, sound: bool, growing: bool, count: u64) -> MapState {
    match (writing, growing, count) {
        (true, ..) => MapState::Writing,
        _ if !sound => MapState::Unknown,
        (_, true, _) => MapState::Growing,
        (.., 0) => MapState::Empty,
        _ => MapState::Normal,
    }
}

/// Compares the header's count with the entries that there are.
fn count_entries(
    context: &Context<'_>,
    of: &MapType,
    address: u64,
    count: u64,
    writing: bool,
    problems: &mut Problems,
) {
    // The slots that are counted, and as many in overflow buckets.
    let most = (SLOTS_COUNTED / SLOTS).saturating_mul(2).saturating_mul(of.slots.size);
    let mut entries = super::entries(context, of, address).within(most);
    let found = entries.by_ref().count() as u64;
    if entries.is_cut() {
        problems
            .add("It has more buckets than its header can mean; its entries were not counted.".to_owned());
        return;
    }
    // A write sets the slot first and counts it later, or the other way round.
    let off_by_writer = u64::from(writing);
    if !entries.has_gaps() && found.abs_diff(count) > off_by_writer {
        problems.add(format!("It counts {} entries, and {found} slots are full.", count.cast_signed()));
    }
    for problem in entries.problems() {
        problems.add(problem);
    }
}
