//! The walk over a value.

use panicle_binary::dwarf::BaseKind;

use super::describe::{Described, Field, Kind, TypeRef, describe};
use super::place::{Gap, Location, Place};
use super::quote::is_text;
use super::scalar::{MAX_LEN, base, function, nil_or_address, quoted, string};
use super::{Context, Limits, interface, map};
use crate::maps::MapType;

/// Structs and arrays within one another, without a pointer between them.
pub(super) const MAX_NESTING: u32 = 24;
/// How the type of a value is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The reader knows the type: composite values begin with it, others don't.
    Plain,
    /// In an interface: every value says its type.
    Typed,
    /// Behind a pointer or in an array, which has just said it.
    Bare,
}

pub(super) fn format(context: &Context<'_>, of: TypeRef, location: &Location, limits: Limits) -> String {
    let mut writer = Writer::new(context, limits);
    writer.value(of, Place::new(location), Style::Plain);
    writer.finish()
}

/// The same for a type that need not be described anywhere.
pub(super) fn format_described(
    context: &Context<'_>,
    of: &Described,
    location: &Location,
    limits: Limits,
) -> String {
    let mut writer = Writer::new(context, limits);
    writer.described(of, Place::new(location), Style::Plain);
    writer.finish()
}

/// Collects the text of one value.
pub(super) struct Writer<'w> {
    pub(super) context: &'w Context<'w>,
    pub(super) limits: Limits,
    out: String,
    /// The text has been cut.
    full: bool,
    depth: u32,
    nesting: u32,
    /// Pointers being followed, so that a cycle ends.
    path: Vec<(u64, TypeRef)>,
}

impl<'w> Writer<'w> {
    pub(super) fn new(context: &'w Context<'w>, limits: Limits) -> Self {
        Self { context, limits, out: String::new(), full: false, depth: 0, nesting: 0, path: Vec::new() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Appends `text`, or the mark of omission once there is too much already.
    pub(super) fn text(&mut self, text: &str) {
        if self.full {
            return;
        }
        if self.out.len().saturating_add(text.len()) <= self.limits.total {
            self.out.push_str(text);
            return;
        }
        let room = self.limits.total.saturating_sub(self.out.len());
        let cut = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.out.push_str(&text[..cut]);
        self.out.push('…');
        self.full = true;
    }

    /// The text has been cut, and nothing more is appended.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Appends a closing bracket, which balances the text also when it has been cut.
    pub(super) fn close(&mut self, bracket: &str) {
        // Nesting and depth bound how many there can be.
        self.out.push_str(bracket);
    }

    fn gap(&mut self, gap: Gap) {
        self.text(&gap.to_string());
    }

    /// Writes the value of type `of` at `place`.
    pub(super) fn value(&mut self, of: TypeRef, place: Place<'_>, style: Style) {
        if self.full {
            return;
        }
        if self.nesting >= MAX_NESTING {
            self.text("…");
            return;
        }
        let found = describe(self.context, of);
        self.described(&found, place, style);
    }

    fn described(&mut self, of: &Described, place: Place<'_>, style: Style) {
        self.nesting += 1;
        if let Err(gap) = self.by_kind(of, place, style) {
            self.gap(gap);
        }
        self.nesting -= 1;
    }

    fn by_kind(&mut self, of: &Described, place: Place<'_>, style: Style) -> Result<(), Gap> {
        let memory = self.context.memory;
        match &of.kind {
            Kind::Base(kind) => {
                let text = base(memory, *kind, of.size.unwrap_or(0), place)?;
                self.scalar(of, &text, style);
            }
            Kind::Uintptr => {
                let text = format!("{:#x}", place.number(memory, of.size.unwrap_or(8))?);
                self.scalar(of, &text, style);
            }
            Kind::String => {
                let text = string(memory, place, self.limits.bytes)?;
                self.scalar(of, &text, style);
            }
            Kind::UnsafePointer => {
                let word = place.word(memory)?;
                self.scalar(of, &nil_or_address(word), style);
            }
            Kind::Pointer { to } => {
                let word = place.word(memory)?;
                self.pointer(of, *to, word, style);
            }
            Kind::Func => {
                let word = place.word(memory)?;
                let text = function(self.context, word)?;
                self.scalar(of, &text, style);
            }
            Kind::Struct(fields) => {
                if !self.shared_map(of, place, style) {
                    self.fields(of, fields, place, style);
                }
            }
            Kind::Array { elem, len } => self.array(of, *elem, *len, place, style),
            Kind::Slice { elem } => self.slice(of, *elem, place, style)?,
            Kind::Interface { empty } => {
                let (word, data) = (place.word(memory)?, place.at(8).word(memory)?);
                self.interface(*empty, word, data);
            }
            Kind::Map => {
                let word = place.word(memory)?;
                // Up to Go 1.23, and from 1.24.
                let (old, swiss) = ("runtime.hmap", "internal/runtime/maps.Map");
                let count = self.header(of, word, &[("len", old, "count"), ("len", swiss, "used")], style);
                if let Some((type_ref, count)) = of.type_ref.zip(count) {
                    self.entries(type_ref, word, count);
                }
            }
            Kind::Chan => {
                let word = place.word(memory)?;
                let of_chan = |label, field| (label, "runtime.hchan", field);
                self.header(of, word, &[of_chan("len", "qcount"), of_chan("cap", "dataqsiz")], style);
            }
            Kind::Unknown => {
                let at = place.address().map(|at| format!(" at {at:#x}")).unwrap_or_default();
                self.text(&format!("<unknown type{at}>"));
            }
        }
        Ok(())
    }

    /// Writes `text`, which says nothing of its type.
    fn scalar(&mut self, of: &Described, text: &str, style: Style) {
        if style == Style::Typed {
            // A pointer's type would stand in brackets in Go; without them it reads as well.
            self.text(&format!("{}({text})", of.name));
        } else {
            self.text(text);
        }
    }

    fn pointer(&mut self, of: &Described, to: Option<TypeRef>, word: u64, style: Style) {
        if word == 0 {
            self.scalar(of, "nil", style);
            return;
        }
        // Behind a pointer to a pointer the type has been said.
        let lead = if style == Style::Bare { format!("{word:#x}") } else { format!("{} {word:#x}", of.name) };
        self.text(&lead);
        let Some(to) = to else { return };
        if self.path.contains(&(word, to)) {
            self.text(" (seen above)");
            return;
        }
        if self.depth >= self.limits.depth || self.full {
            return;
        }
        let target = describe(self.context, to);
        if matches!(target.kind, Kind::Unknown) {
            return;
        }
        self.depth += 1;
        self.path.push((word, to));
        let location = Location::Address(word);
        self.text(" ");
        let bracketed = !matches!(target.kind, Kind::Struct(_) | Kind::Array { .. });
        if bracketed {
            self.text("(");
        }
        self.value(to, Place::new(&location), Style::Bare);
        if bracketed {
            self.close(")");
        }
        self.path.pop();
        self.depth -= 1;
    }

    fn fields(&mut self, of: &Described, fields: &[Field], place: Place<'_>, style: Style) {
        if style != Style::Bare {
            self.text(&of.name);
        }
        // Memory that is missing as a whole is said once and not for each field.
        if let (Some(address), Some(first)) = (place.address(), fields.first()) {
            let size = describe(self.context, first.of).size.unwrap_or(0);
            let size = usize::try_from(size.clamp(1, 8)).unwrap_or(1);
            if !self.context.memory.read(address.wrapping_add(first.offset), &mut [0; 8][..size]) {
                self.text("{");
                self.gap(Gap::Unreadable(address));
                self.close("}");
                return;
            }
        }
        self.text("{");
        for (at, field) in fields.iter().enumerate() {
            if self.full {
                break;
            }
            if at > 0 {
                self.text(", ");
            }
            if at as u64 >= self.limits.elements {
                self.text(&format!("… {} more", fields.len() - at));
                break;
            }
            self.text(&field.name);
            self.text(": ");
            self.value(field.of, place.at(field.offset), Style::Plain);
        }
        self.close("}");
    }

    fn array(&mut self, of: &Described, elem: TypeRef, len: u64, place: Place<'_>, style: Style) {
        if style != Style::Bare {
            self.text(&of.name);
        }
        self.text("{");
        self.elements(elem, len, place);
        self.close("}");
    }

    fn slice(&mut self, of: &Described, elem: TypeRef, place: Place<'_>, style: Style) -> Result<(), Gap> {
        let memory = self.context.memory;
        let data = place.word(memory)?;
        let (len, cap) = (place.at(8).word(memory), place.at(16).word(memory));
        if data == 0 && len.as_ref().is_ok_and(|len| *len == 0) {
            self.scalar(of, "nil", style);
            return Ok(());
        }
        let name = if style == Style::Bare { String::new() } else { format!("{} ", of.name) };
        let len = match len {
            Ok(len) => len,
            Err(Gap::NotKept) => {
                self.text(&format!("{name}at {data:#x}, length not kept"));
                return Ok(());
            }
            Err(gap) => return Err(gap),
        };
        // The compiler often drops the capacity alone; only a capacity that is known can contradict.
        if len > MAX_LEN || cap.as_ref().is_ok_and(|cap| *cap < len) {
            let cap = cap.map_or("not kept".to_owned(), |cap| (cap as i64).to_string());
            self.text(&format!("<bad slice: data {data:#x}, len {}, cap {cap}>", len as i64));
            return Ok(());
        }
        let cap = cap.ok().filter(|cap| *cap != len).map(|cap| format!(" cap={cap}")).unwrap_or_default();
        self.text(&format!("{name}len={len}{cap} "));
        let target = describe(self.context, elem);
        if matches!(target.kind, Kind::Base(BaseKind::Uint)) && target.size == Some(1) && len > 0 {
            let mut bytes = vec![0; usize::try_from(len.min(self.limits.bytes)).unwrap_or(0)];
            if memory.read(data, &mut bytes) && is_text(&bytes) {
                self.text(&quoted(&bytes, len));
                return Ok(());
            }
        }
        self.text("[");
        let location = Location::Address(data);
        self.elements(elem, len, Place::new(&location));
        self.close("]");
        Ok(())
    }

    fn elements(&mut self, elem: TypeRef, len: u64, place: Place<'_>) {
        let size = describe(self.context, elem).size;
        for at in 0..len {
            if self.full {
                return;
            }
            if at > 0 {
                self.text(", ");
            }
            if at >= self.limits.elements {
                self.text(&format!("… {} more", len - at));
                return;
            }
            let Some(offset) = size.and_then(|size| size.checked_mul(at)) else {
                self.text("<elements of unknown size>");
                return;
            };
            let start = place.at(offset);
            if let Some(address) = start.address()
                && size != Some(0)
                && !self.context.memory.read(address, &mut [0])
            {
                self.gap(Gap::Unreadable(address));
                return;
            }
            self.value(elem, start, Style::Bare);
        }
    }

    fn interface(&mut self, empty: bool, word: u64, data: u64) {
        let follow = self.depth < self.limits.depth;
        self.depth += 1;
        interface::write(self, empty, word, data, follow);
        self.depth -= 1;
    }

    /// Writes a `sync.Map` as a map; false when this is none.
    fn shared_map(&mut self, of: &Described, place: Place<'_>, style: Style) -> bool {
        if of.name != "sync.Map" {
            return false;
        }
        let found = of.type_ref.and_then(|of| MapType::of(self.context, of)).zip(place.address());
        let Some(((shared, address), type_ref)) = found.zip(of.type_ref) else { return false };
        if style != Style::Bare {
            self.text(&of.name);
        }
        if self.path.contains(&(address, type_ref)) {
            self.text(" (seen above)");
            return true;
        }
        if self.depth >= self.limits.depth {
            self.text("{…}");
            return true;
        }
        self.depth += 1;
        self.path.push((address, type_ref));
        map::write_shared(self, &shared, address);
        self.path.pop();
        self.depth -= 1;
        true
    }

    /// What the map at `word`, which counts `count` entries, holds.
    fn entries(&mut self, of: TypeRef, word: u64, count: u64) {
        if self.depth >= self.limits.depth || self.full || self.path.contains(&(word, of)) {
            return;
        }
        self.depth += 1;
        self.path.push((word, of));
        map::write(self, of, word, count);
        self.path.pop();
        self.depth -= 1;
    }

    /// A map or channel: its address and counters of the struct it points at. Each of `counts` is what to
    /// call it, and the structure and field that hold it where the version has them. Returns the first.
    fn header(
        &mut self,
        of: &Described,
        word: u64,
        counts: &[(&str, &str, &str)],
        style: Style,
    ) -> Option<u64> {
        if word == 0 {
            self.scalar(of, "nil", style);
            return None;
        }
        let name = if style == Style::Bare { String::new() } else { format!("{} ", of.name) };
        self.text(&format!("{name}{word:#x}"));
        let context = self.context;
        let location = Location::Address(word);
        let number = |structure: &str, field: &str| {
            let field = context.layout.structure(structure)?.field(field)?;
            Some(Place::new(&location).at(field.offset).number(context.memory, field.size))
        };
        let (mut notes, mut first) = (Vec::new(), None);
        for (label, structure, field) in counts {
            match number(structure, field) {
                Some(Ok(count)) => {
                    notes.push(format!("{label} {count}"));
                    first = first.or(Some(count));
                }
                Some(Err(_)) => {
                    self.text(" <unreadable>");
                    return None;
                }
                None => {}
            }
        }
        if matches!(of.kind, Kind::Chan)
            && let Some(Ok(closed)) = number("runtime.hchan", "closed")
            && closed != 0
        {
            notes.push("closed".to_owned());
        }
        if !notes.is_empty() {
            self.text(&format!(" ({})", notes.join(", ")));
        }
        first
    }
}
