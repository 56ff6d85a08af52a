//! The tree that a text is read into.

use jiff::Timestamp;

use crate::{
    Scheme, Span, Version,
    fields::{Field, Kind},
    pattern::Pattern,
    time::When,
    version,
};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// One condition.
    Term(Term),
    /// Not that; never of another negation.
    Not(Box<Expr>),
    /// All of these, two or more, none of them [`Expr::And`].
    And(Vec<Expr>),
    /// One of these, two or more, none of them [`Expr::Or`].
    Or(Vec<Expr>),
}

/// One condition and where it is written. Two are equal when the conditions are.
#[derive(Clone, Debug)]
pub struct Term {
    /// Where in the text.
    pub span: Span,
    /// What has to hold.
    pub condition: Condition,
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.condition == other.condition
    }
}

/// What has to hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Occurs in one of the fields with [`Field::free`], in upper or lower case.
    Anywhere(Pattern),
    /// Complete words of one of the fields with [`Field::literal`], in this case.
    Words(String),
    /// One of the field's values passes the test.
    Field(FieldRef, Test),
}

/// A field, and which one of its kind.
#[derive(Clone, Debug)]
pub struct FieldRef {
    /// Its row of the table.
    pub field: &'static Field,
    /// `env` of `label.env`.
    pub key: Option<String>,
}

impl PartialEq for FieldRef {
    fn eq(&self, other: &Self) -> bool {
        self.field.name == other.field.name && self.key == other.key
    }
}

impl FieldRef {
    /// Name of the facts that it is about: `label.env`; `seen` for `since`.
    pub fn fact(&self) -> String {
        match &self.key {
            Some(key) => format!("{}.{key}", self.field.fact),
            None => self.field.fact.to_owned(),
        }
    }

    /// The scheme of its versions.
    pub fn scheme(&self) -> Option<Scheme> {
        match self.field.kind {
            Kind::Version(scheme) => Some(scheme),
            _ => None,
        }
    }
}

/// What a value is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Has to match one of [`Field::patterns`] of this one.
    Pattern(Pattern),
    /// Has to be among these versions.
    Version(Interval<Version>),
    /// Has to be among these numbers.
    Number(Interval<u64>),
    /// Has to be among these times.
    Time(Interval<When>),
    /// So many goroutines, all values together that match one of [`Field::patterns`]; one or more by default.
    Count(Pattern, Option<Interval<u64>>),
}

/// Part of an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Interval<T> {
    /// `1.24`, `>=1.24`.
    Compare(Op, T),
    /// `1.22..1.24`, both ends included; at least one is there.
    Between(Option<T>, Option<T>),
}

/// Lower and upper end, each with whether it is itself meant; `None` where there is none.
pub type Ends<V> = (Option<(V, bool)>, Option<(V, bool)>);

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its own definition")]
pub enum Op {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Op {
    /// As it is written after the colon; nothing for equality.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl<T> Interval<T> {
    /// Lower and upper end, each with whether the end itself is meant. A value can stand for many (`1.24` for all
    /// of its patches, a day for all of its times): `first` gives its first, `end` what comes after its last, or
    /// `None` if it stands for itself alone.
    pub fn bounds<V>(&self, first: impl Fn(&T) -> V, end: impl Fn(&T) -> Option<V>) -> Ends<V> {
        let to = |value: &T| end(value).map_or_else(|| (first(value), true), |end| (end, false));
        let past = |value: &T| end(value).map_or_else(|| (first(value), false), |end| (end, true));
        match self {
            Self::Compare(Op::Equal, value) => (Some((first(value), true)), Some(to(value))),
            Self::Compare(Op::Less, value) => (None, Some((first(value), false))),
            Self::Compare(Op::LessOrEqual, value) => (None, Some(to(value))),
            Self::Compare(Op::Greater, value) => (Some(past(value)), None),
            Self::Compare(Op::GreaterOrEqual, value) => (Some((first(value), true)), None),
            Self::Between(low, high) => (low.as_ref().map(|low| (first(low), true)), high.as_ref().map(to)),
        }
    }

    /// Whether `value` is in it, for values that stand for themselves alone.
    pub fn holds(&self, value: T) -> bool
    where
        T: Copy + PartialOrd,
    {
        within(&self.bounds(|value| *value, |_| None), &value)
    }
}

/// Whether `value` lies within ends as [`Interval::bounds`] gives them.
pub(crate) fn within<V: PartialOrd + ?Sized, B: std::borrow::Borrow<V>>(
    (low, high): &Ends<B>,
    value: &V,
) -> bool {
    let above = |(end, itself): &(B, bool)| value > end.borrow() || (*itself && value == end.borrow());
    let below = |(end, itself): &(B, bool)| value < end.borrow() || (*itself && value == end.borrow());
    low.as_ref().is_none_or(above) && high.as_ref().is_none_or(below)
}

impl Interval<Version> {
    /// Keys ([`Scheme::key`]) between which its versions lie, each end with whether it is itself among them.
    pub fn keys(&self) -> Ends<String> {
        version::bounds(self)
    }
}

impl Interval<When> {
    /// The times between which it lies, each end with whether it is itself among them.
    pub fn times(&self, now: Timestamp) -> Ends<Timestamp> {
        self.bounds(|when| when.first(now), When::end)
    }
}

impl Interval<u64> {
    /// The numbers between which it lies, each end with whether it is itself among them.
    pub fn numbers(&self) -> Ends<u64> {
        self.bounds(|number| *number, |_| None)
    }
}

impl Expr {
    /// All terms, in the order of the text.
    pub fn terms(&self) -> Vec<&Term> {
        let mut found = Vec::new();
        self.each(&mut |term| found.push(term));
        found
    }

    fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Term)) {
        match self {
            Self::Term(term) => visit(term),
            Self::Not(inner) => inner.each(visit),
            Self::And(items) | Self::Or(items) => items.iter().for_each(|item| item.each(visit)),
        }
    }
}
