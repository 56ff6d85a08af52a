//! What is known of one crash.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Longest value that is kept, in bytes.
const MAX_VALUE: usize = 1024;

/// What is known of one crash: values by name, each with a count. Absent is unknown.
///
/// Names are those of [`Field::fact`](crate::Field::fact), `label.env` for a label. The value of a number is empty,
/// and the number its count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    values: BTreeMap<String, BTreeMap<String, u64>>,
    times: BTreeMap<String, Timestamp>,
}

/// One fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value; empty for a number.
    pub value: &'a str,
    /// How many goroutines, or the number; 1 for everything else.
    pub count: u64,
}

impl Facts {
    /// No facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a value. Longer ones are cut to 1,024 bytes; an empty one is none.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.add(name, value);
        self
    }

    /// Adds a value. Longer ones are cut to 1,024 bytes; an empty one is none.
    pub fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.values.entry(name.to_owned()).or_default().insert(cut(value).to_owned(), 1);
        }
    }

    /// Adds so many goroutines of a value.
    pub fn add_count(&mut self, name: &str, value: &str, count: u64) {
        if !value.is_empty() && count > 0 {
            let values = self.values.entry(name.to_owned()).or_default();
            let known = values.entry(cut(value).to_owned()).or_default();
            *known = known.saturating_add(count);
        }
    }

    /// Sets a number.
    pub fn set_number(&mut self, name: &str, number: u64) {
        self.values.insert(name.to_owned(), BTreeMap::from([(String::new(), number)]));
    }

    /// Sets a time.
    pub fn set_time(&mut self, name: &str, at: Timestamp) {
        self.times.insert(name.to_owned(), at);
    }

    /// Takes a fact as [`Facts::iter`] gave it.
    pub fn put(&mut self, name: &str, value: &str, count: u64) {
        self.values.entry(name.to_owned()).or_default().insert(cut(value).to_owned(), count);
    }

    /// Adds all facts of another one.
    pub fn merge(&mut self, other: Self) {
        for (name, values) in other.values {
            self.values.entry(name).or_default().extend(values);
        }
        self.times.extend(other.times);
    }

    /// Takes all facts of another one, in place of those of the same names.
    pub fn replace(&mut self, other: Self) {
        self.values.extend(other.values);
        self.times.extend(other.times);
    }

    /// All facts but times, by name and value.
    pub fn iter(&self) -> impl Iterator<Item = Fact<'_>> {
        self.values.iter().flat_map(|(name, values)| {
            values.iter().map(move |(value, count)| Fact { name, value, count: *count })
        })
    }

    /// Values of this name.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, u64)> {
        self.values.get(name).into_iter().flatten().map(|(value, count)| (value.as_str(), *count))
    }

    /// The number of this name.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.values.get(name)?.get("").copied()
    }

    /// The time of this name.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.times.get(name).copied()
    }

    /// Keeps the most frequent values of a name.
    pub(crate) fn keep_most(&mut self, name: &str, most: usize) {
        if let Some(values) = self.values.get_mut(name).filter(|values| values.len() > most) {
            let mut all: Vec<(String, u64)> = std::mem::take(values).into_iter().collect();
            all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
            values.extend(all.into_iter().take(most));
        }
    }
}

fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(MAX_VALUE)]
}
