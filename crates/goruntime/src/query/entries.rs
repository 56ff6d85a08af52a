//! Entries of a map: in the order in which they lie, filtered, or the first of them by key or value.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::BinaryHeap,
    fmt::Display,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    rc::Rc,
};

use panicle_binary::dwarf::BaseKind;
use panicle_report::{
    Address, EvalError, KeyPlace, MapEntries, MapEntriesQuery, MapEntry, MapLayout, MapLayoutQuery,
    MapPointer, MapSort, MapState, QueryError,
};

use super::literal;
use crate::{
    expr::{self, Value},
    maps::{self, Entry, MapType, Prover},
    session::Session,
    value::{
        Context, Limits, Location,
        describe::{Described, Kind, describe},
        format_described,
        place::Place,
    },
};

/// Entries that one answer may have.
const MOST_ENTRIES: u64 = 10_000;
/// Bytes of a text that entries are sorted by.
const SORTED_BYTES: usize = 256;
/// Entries of which it is said that they are not where they belong.
const MOST_FAULTS: usize = 12;
/// How keys and values are written.
const WRITTEN: Limits = Limits { depth: 2, elements: 16, bytes: 200, total: 1024 };

/// Entries of the map that is asked for, in about `most` bytes; 0 for any number.
pub(super) fn answer(
    session: &Session<'_>,
    query: &MapEntriesQuery,
    most: u64,
) -> Result<MapEntries, QueryError> {
    let context = session.context();
    let of = map_type(&context, query.map)?;
    let header = maps::header(&context, &of, query.map.address.0)
        .map_err(|error| QueryError::NotFound(error.to_string()))?;
    let words = Words::new(&context, &of, query.map.address.0);
    let limit = query.limit.clamp(1, MOST_ENTRIES) as usize;
    let mut room = Room::new(most);
    let mut answer = MapEntries {
        len: header.count,
        found: None,
        matching: None,
        entries: Vec::new(),
        next_cursor: None,
        truncated: false,
        problems: header.problems,
    };
    // One slot may be half written.
    let half_written = usize::from(header.state == MapState::Writing);
    if let Some(key) = &query.key {
        let key = key_of(session, &of, key)?;
        let hashes = Some(session.hashes());
        let found = expr::map_lookup(&context, hashes, &of, query.map.address.0, &key);
        let found = found.map_err(QueryError::Expression)?;
        answer.entries.extend(found.entry.map(|entry| words.entry(entry)));
        if let Some(entry) = found.entry {
            words.look(entry);
        }
        add_problems(&mut answer, found.problems);
        add_problems(&mut answer, words.faults(half_written));
        answer.matching = Some(answer.entries.len() as u64);
        return Ok(answer);
    }
    let filter = query.filter.as_ref().map(|filter| filter.to_lowercase());
    match query.sort {
        None => in_place(&context, &of, query, filter.as_deref(), &words, limit, &mut room, &mut answer)?,
        Some(sort) => {
            sorted(&context, &of, query, sort, filter.as_deref(), &words, limit, &mut room, &mut answer)?;
        }
    }
    add_problems(&mut answer, words.faults(half_written));
    Ok(answer)
}

fn map_type(context: &Context<'_>, map: MapPointer) -> Result<MapType, QueryError> {
    if map.type_address.0 == 0 {
        return Ok(MapType::of_sync_map());
    }
    let none = || QueryError::NotFound(format!("there is no map type at {}", map.type_address));
    MapType::of_runtime(context, map.type_address.0).ok_or_else(none)
}

fn wrong_cursor() -> QueryError {
    QueryError::Parameter("this is no cursor that an answer gave".to_owned())
}

/// What tells cursors of one question from those of another: a place in one order is none in another order.
fn check_value(query: &MapEntriesQuery) -> String {
    let sort = query.sort.map(|sort| sort as u8);
    let mut hasher = DefaultHasher::new();
    (query.map.address.0, query.map.type_address.0, sort, &query.filter).hash(&mut hasher);
    format!("{:08x}", hasher.finish() as u32)
}

/// The cursor of an answer, which fits no other question.
fn sealed(query: &MapEntriesQuery, place: &impl Display) -> String {
    format!("{}-{place}", check_value(query))
}

/// The place that the question's cursor stands for.
fn unsealed(query: &MapEntriesQuery) -> Result<Option<&str>, QueryError> {
    let Some(cursor) = query.cursor.as_deref() else { return Ok(None) };
    let (check, place) = cursor.split_once('-').ok_or_else(wrong_cursor)?;
    if check == check_value(query) {
        return Ok(Some(place));
    }
    if check.len() == 8 && check.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let text = "the cursor is of a question with another map, sort or filter";
        return Err(QueryError::Parameter(text.to_owned()));
    }
    Err(wrong_cursor())
}

/// The value of a key that a question gives as a literal.
fn key_of(session: &Session<'_>, of: &MapType, text: &str) -> Result<Value, QueryError> {
    let is_text = matches!(describe(&session.context(), of.key).kind, Kind::String);
    literal(session, text).map_err(|error| {
        let message = if is_text && !text.starts_with(['"', '`']) {
            "the keys of this map are texts, and a text has to be in quotes: key=\"k1\"".to_owned()
        } else {
            error.message
        };
        QueryError::Expression(EvalError { message, ..error })
    })
}

/// Bytes of JSON that an answer may still have, about.
struct Room(u64);

impl Room {
    fn new(most: u64) -> Self {
        Self(if most == 0 { u64::MAX } else { most })
    }

    /// Takes off what an entry takes; false when there is not as much. The first one always has room.
    fn take(&mut self, entry: &MapEntry, is_first: bool) -> bool {
        // Names of fields, addresses and punctuation; texts are mostly written as they are.
        const AROUND: u64 = 100;
        let rest = self.0.checked_sub(AROUND + (entry.key.len() + entry.value.len()) as u64);
        self.0 = rest.unwrap_or(0);
        rest.is_some() || is_first
    }
}

/// Entries in the order in which they lie.
#[expect(clippy::too_many_arguments, reason = "the question, taken apart")]
fn in_place(
    context: &Context<'_>,
    of: &MapType,
    query: &MapEntriesQuery,
    filter: Option<&str>,
    words: &Words<'_>,
    limit: usize,
    room: &mut Room,
    answer: &mut MapEntries,
) -> Result<(), QueryError> {
    let mut entries = maps::entries(context, of, query.map.address.0);
    if let Some(cursor) = unsealed(query)? {
        entries = entries.starting_at(cursor.parse().map_err(|_| wrong_cursor())?);
    }
    let mut seen = 0_u64;
    loop {
        // One more than is asked for would be needed to know that there is one more, and it may be far.
        let cursor = entries.cursor();
        let Some(entry) = entries.next() else {
            if query.cursor.is_none() {
                answer.found = Some(seen);
                answer.matching = Some(answer.entries.len() as u64);
            }
            break;
        };
        if answer.entries.len() >= limit {
            answer.next_cursor = Some(sealed(query, &cursor));
            answer.truncated = true;
            break;
        }
        seen += 1;
        let written = words.entry(entry);
        if filter.is_none_or(|filter| contains(&written.key, filter) || contains(&written.value, filter)) {
            if !room.take(&written, answer.entries.is_empty()) {
                answer.next_cursor = Some(sealed(query, &cursor));
                answer.truncated = true;
                break;
            }
            words.look(entry);
            answer.entries.push(written);
        }
    }
    add_problems(answer, entries.problems());
    Ok(())
}

/// The first entries by key or value. All are looked at; no more than the answer's are kept.
#[expect(clippy::too_many_arguments, reason = "the question, taken apart")]
fn sorted(
    context: &Context<'_>,
    of: &MapType,
    query: &MapEntriesQuery,
    sort: MapSort,
    filter: Option<&str>,
    words: &Words<'_>,
    limit: usize,
    room: &mut Room,
    answer: &mut MapEntries,
) -> Result<(), QueryError> {
    let after = unsealed(query)?.map(Rank::parse).transpose()?;
    let by_key = matches!(sort, MapSort::Key | MapSort::KeyDescending);
    let descending = matches!(sort, MapSort::KeyDescending | MapSort::ValueDescending);
    let mut entries = maps::entries(context, of, query.map.address.0);
    // The worst of the best so far is on top.
    let mut best: BinaryHeap<(Placed, usize)> = BinaryHeap::new();
    let mut kept: Vec<Entry> = Vec::new();
    let (mut seen, mut matching, mut behind) = (0_u64, 0_u64, 0_u64);
    for entry in entries.by_ref() {
        let number = seen;
        seen += 1;
        if let Some(filter) = filter
            && !words.passes(entry, filter)
        {
            continue;
        }
        matching += 1;
        let (of, address) = if by_key { (&words.key, entry.key) } else { (&words.value, entry.elem) };
        let place = Placed::new(Rank { value: words.sorted_by(of, address), number }, descending);
        if after.as_ref().is_some_and(|after| place <= Placed::new(after.clone(), descending)) {
            continue;
        }
        behind += 1;
        if best.len() < limit {
            best.push((place, kept.len()));
            kept.push(entry);
        } else if let Some(mut worst) = best.peek_mut()
            && place < worst.0
        {
            kept[worst.1] = entry;
            worst.0 = place;
        }
    }
    let best = best.into_sorted_vec();
    let mut last = None;
    for (place, at) in &best {
        let entry = words.entry(kept[*at]);
        if !room.take(&entry, answer.entries.is_empty()) {
            break;
        }
        answer.entries.push(entry);
        last = Some(place);
    }
    if behind > answer.entries.len() as u64 {
        answer.next_cursor = last.map(|place| sealed(query, &place.rank()));
        answer.truncated = true;
    }
    for (_, at) in best.iter().take(answer.entries.len()) {
        words.look(kept[*at]);
    }
    answer.found = Some(seen);
    answer.matching = Some(matching);
    add_problems(answer, entries.problems());
    Ok(())
}

fn add_problems(answer: &mut MapEntries, problems: Vec<String>) {
    for problem in problems {
        if !answer.problems.contains(&problem) {
            answer.problems.push(problem);
        }
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

/// Keys and values of one map in words.
struct Words<'w> {
    context: &'w Context<'w>,
    key: Rc<Described>,
    value: Rc<Described>,
    prover: Option<Prover<'w>>,
    /// What is wrong with entries that are shown.
    faults: RefCell<Vec<String>>,
}

impl<'w> Words<'w> {
    fn new(context: &'w Context<'w>, of: &'w MapType, address: u64) -> Self {
        let described = |of| Rc::new(describe(context, of));
        Self {
            context,
            key: described(of.key),
            value: described(of.elem),
            prover: context.hashes.and_then(|hashes| Prover::new(context, hashes, of, address)),
            faults: RefCell::default(),
        }
    }

    /// Looks whether an entry that is shown is where its key's hash says.
    fn look(&self, entry: Entry) {
        let mut faults = self.faults.borrow_mut();
        if faults.len() < MOST_FAULTS {
            faults.extend(self.prover.as_ref().and_then(|prover| prover.fault(&entry)));
        }
    }

    /// What was wrong with those, when it is more than what those who write may have left.
    fn faults(&self, half_written: usize) -> Vec<String> {
        let faults = self.faults.take();
        if faults.len() > half_written { faults } else { Vec::new() }
    }

    fn text(&self, of: &Described, address: u64) -> String {
        format_described(self.context, of, &Location::Address(address), WRITTEN)
    }

    fn entry(&self, entry: Entry) -> MapEntry {
        MapEntry {
            key: self.text(&self.key, entry.key),
            value: self.text(&self.value, entry.elem),
            key_address: Address(entry.key),
            value_address: Address(entry.elem),
        }
    }

    fn passes(&self, entry: Entry, filter: &str) -> bool {
        contains(&self.text(&self.key, entry.key), filter)
            || contains(&self.text(&self.value, entry.elem), filter)
    }

    /// What a value is sorted by: numbers by size, texts by their bytes, all else by how it is written.
    fn sorted_by(&self, of: &Described, address: u64) -> SortedBy {
        let memory = self.context.memory;
        let location = Location::Address(address);
        let place = Place::new(&location);
        let size = of.size.unwrap_or(8).min(8);
        let number = || place.number(memory, size).ok();
        let shift = 64 - 8 * size.clamp(1, 8) as u32;
        let found = match of.kind {
            Kind::Base(BaseKind::Int) => {
                number().map(|n| SortedBy::Int(i128::from((n << shift) as i64 >> shift)))
            }
            Kind::Base(BaseKind::Uint | BaseKind::Bool) | Kind::Uintptr => {
                number().map(|number| SortedBy::Int(number.into()))
            }
            Kind::Base(BaseKind::Float) => number().map(|bits| {
                let float = if size == 4 { f32::from_bits(bits as u32).into() } else { f64::from_bits(bits) };
                SortedBy::Int(in_order(float))
            }),
            Kind::String => string(self.context, place).map(SortedBy::Bytes),
            _ => None,
        };
        found.unwrap_or_else(|| {
            let mut text = self.text(of, address).into_bytes();
            text.truncate(SORTED_BYTES);
            SortedBy::Bytes(text)
        })
    }
}

/// The first bytes of a string.
fn string(context: &Context<'_>, place: Place<'_>) -> Option<Vec<u8>> {
    let (data, len) = (place.word(context.memory).ok()?, place.at(8).word(context.memory).ok()?);
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(SORTED_BYTES).min(SORTED_BYTES)];
    context.memory.read(data, &mut bytes).then_some(bytes)
}

/// A number that is larger when the float is (IEEE 754-2008, totalOrder).
fn in_order(float: f64) -> i128 {
    let bits = float.to_bits() as i64;
    (if bits < 0 { bits ^ i64::MAX } else { bits }).into()
}

/// What an entry is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SortedBy {
    Int(i128),
    Bytes(Vec<u8>),
}

/// The place of an entry in a sorted map: what is equal stays in the order in which it lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    value: SortedBy,
    number: u64,
}

impl Display for Rank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            SortedBy::Int(number) => write!(f, "{}.i{number}", self.number),
            SortedBy::Bytes(bytes) => {
                write!(f, "{}.b", self.number)?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl Rank {
    fn parse(text: &str) -> Result<Self, QueryError> {
        let parsed = || {
            let (number, value) = text.split_once('.')?;
            let number = number.parse().ok()?;
            let value = match value.split_at_checked(1)? {
                ("i", number) => SortedBy::Int(number.parse().ok()?),
                ("b", hex)
                    if hex.is_ascii() && hex.len() <= 2 * SORTED_BYTES && hex.len().is_multiple_of(2) =>
                {
                    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
                    SortedBy::Bytes((0..hex.len()).step_by(2).map(byte).collect::<Option<_>>()?)
                }
                _ => return None,
            };
            Some(Self { value, number })
        };
        parsed().ok_or_else(wrong_cursor)
    }
}

/// A rank in the order of the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Placed {
    Ascending(Rank),
    Descending(Reverse<SortedBy>, u64),
}

impl Placed {
    fn new(rank: Rank, descending: bool) -> Self {
        if descending { Self::Descending(Reverse(rank.value), rank.number) } else { Self::Ascending(rank) }
    }

    fn rank(&self) -> Rank {
        match self {
            Self::Ascending(rank) => rank.clone(),
            Self::Descending(Reverse(value), number) => Rank { value: value.clone(), number: *number },
        }
    }
}

/// How the entries of a map lie, and where a key belongs among them, in about `most` bytes; 0 for any number.
pub(super) fn layout(
    session: &Session<'_>,
    query: &MapLayoutQuery,
    most: u64,
) -> Result<MapLayout, QueryError> {
    let context = session.context();
    let of = map_type(&context, query.map)?;
    let address = query.map.address.0;
    maps::header(&context, &of, address).map_err(|error| QueryError::NotFound(error.to_string()))?;
    let mut layout = maps::layout(&context, &of, address, query.from, query.limit);
    // Buckets may have long chains. Whoever pages goes on behind the last row that there is.
    let fitting = layout.rows.iter().scan(if most == 0 { u64::MAX } else { most }, |left, row| {
        const ROW: u64 = 160;
        const SLOT: u64 = 32;
        *left = left.checked_sub(ROW + SLOT * row.slots.len() as u64)?;
        Some(())
    });
    let fitting = fitting.count().max(1);
    layout.truncated = fitting < layout.rows.len();
    layout.rows.truncate(fitting);
    if let Some(text) = &query.key {
        let key = key_of(session, &of, text)?;
        let found = expr::map_lookup(&context, Some(session.hashes()), &of, address, &key);
        let found = found.map_err(QueryError::Expression)?;
        layout.key = Some(KeyPlace { key: key.text(&context, WRITTEN), ..found.place });
    }
    Ok(layout)
}
