//! Queries as SQL: a condition over a row of crashes or groups, and the values that are bound in it.
//!
//! No value of a query is ever part of the text. Patterns are the only thing that the two databases write
//! differently: GLOB here, LIKE there, because SQLite's LIKE does not tell upper from lower case.

use std::fmt::Write;

use jiff::Timestamp;
use panicle_query::{
    Condition as Asked, Ends, Expr, FIELDS, Field, FieldRef, Interval, Pattern, Piece, Query, Subject, Term,
    Test, Version, When,
};

use self::frequency::{Frequencies, Frequency};
use crate::{
    Store, StoreError,
    database::{Pool, SearchTime},
    facts::storable,
};

/// What rows are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Of `crashes`.
    Crashes,
    /// Of `crash_groups`: those of which one crash is meant.
    Groups,
}

/// A value that is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
}

/// A condition and what is bound in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// True or false for each row, never NULL.
    pub(crate) text: String,
    /// In the order of their numbers.
    pub(crate) values: Vec<Value>,
    /// Values that are bound before these.
    bound: usize,
}

impl Condition {
    /// Lets it hold only where, besides, something holds of a value, which is written between `before` and `after`; nothing
    /// changes without one. What is not asked for is not in the text, so that databases find by what is.
    pub(crate) fn require(&mut self, before: &str, value: Option<Value>, after: &str) {
        if let Some(value) = value {
            self.values.push(value);
            let _ = write!(self.text, " AND {before}${}{after}", self.bound + self.values.len());
        }
    }
}

impl Value {
    /// A text as it is stored.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Binds what a condition needs to a query that was made with its text.
macro_rules! bind_condition {
    ($query:expr, $condition:expr) => {{
        let mut query = $query;
        for value in &$condition.values {
            query = match value {
                $crate::condition::Value::Text(text) => query.bind(text.as_str()),
                $crate::condition::Value::Number(number) => query.bind(*number),
            };
        }
        query
    }};
}

// Behind the macro that they use.
mod frequency;
mod group;

impl Store {
    /// The condition of a query; `bound` values are bound before its own.
    pub(crate) async fn condition(
        &self,
        query: Option<&Query>,
        rows: Rows,
        bound: usize,
        time: &mut SearchTime,
    ) -> Result<Condition, StoreError> {
        let mut writer = self.writer(bound);
        let Some(expr) = query.and_then(Query::expr) else {
            writer.push("1 = 1");
            return Ok(writer.finish());
        };
        // What is counted for each group tells enough of most that is asked of groups.
        if rows == Rows::Groups && !writer.groups(expr) {
            return Ok(writer.finish());
        }
        let mut writer = self.writer(bound);
        writer.frequencies = self.frequencies(expr, rows, time).await?;
        match rows {
            Rows::Crashes => writer.expr(expr),
            Rows::Groups => drop(writer.groups(expr)),
        }
        Ok(writer.finish())
    }

    fn writer(&self, bound: usize) -> Writer {
        Writer {
            text: String::new(),
            values: Vec::new(),
            bound,
            glob: matches!(self.pool, Pool::Sqlite(_)),
            now: Timestamp::now(),
            frequencies: Frequencies::default(),
            frequency: Frequency::Rare,
        }
    }
}

struct Writer {
    text: String,
    values: Vec<Value>,
    bound: usize,
    glob: bool,
    now: Timestamp,
    frequencies: Frequencies,
    /// Of the term that is being written.
    frequency: Frequency,
}

impl Writer {
    fn finish(self) -> Condition {
        Condition { text: self.text, values: self.values, bound: self.bound }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn bind(&mut self, value: Value) {
        self.values.push(value);
        let _ = write!(self.text, "${}", self.bound + self.values.len());
    }

    fn bind_text(&mut self, text: &str) {
        self.bind(Value::Text(storable(text)));
    }

    /// Over a row of crashes.
    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Term(term) => self.term(term),
            Expr::Not(inner) => {
                self.push("NOT ");
                self.expr(inner);
            }
            Expr::And(items) => self.list(items, " AND ", Self::expr),
            Expr::Or(items) => self.list(items, " OR ", Self::expr),
        }
    }

    fn list(&mut self, items: &[Expr], between: &str, mut write: impl FnMut(&mut Self, &Expr)) {
        self.push("(");
        for (at, item) in items.iter().enumerate() {
            self.push(if at == 0 { "" } else { between });
            write(self, item);
        }
        self.push(")");
    }

    fn term(&mut self, term: &Term) {
        self.frequency = self.frequencies.of(term);
        match &term.condition {
            Asked::Field(reference, test) => self.field(reference, test),
            Asked::Anywhere(pattern) => self.anywhere(pattern),
            // The text of a predicate, which no query has.
            Asked::Words(_) => self.push("1 = 0"),
        }
    }

    /// Which facts a word without a field is looked for in.
    fn free(&mut self, pattern: &Pattern) {
        let free = FIELDS.iter().filter(|field| field.free && column(field).is_none());
        for (at, field) in free.enumerate() {
            self.push(if at == 0 { "(" } else { " OR (" });
            self.named(field.fact);
            self.push(" AND ");
            self.like("f.folded", &field.free_patterns(pattern));
            self.push(")");
        }
    }

    fn anywhere(&mut self, pattern: &Pattern) {
        self.push("(");
        self.having(|writer| writer.free(pattern));
        self.free_columns(pattern);
        self.push(")");
    }

    fn field(&mut self, reference: &FieldRef, test: &Test) {
        let field = reference.field;
        if field.subject == Subject::Group && column(field).is_none() {
            self.push("(crashes.group_id IS NOT NULL AND crashes.group_id IN (SELECT crash_groups.id FROM crash_groups WHERE ");
            self.group_column(reference, test);
            self.push("))");
            return;
        }
        if let Some(column) = column(field) {
            match test {
                Test::Time(interval) if field.fact == "seen" => self.seen(interval),
                _ => self.column(column, field, test),
            }
            return;
        }
        let fact = reference.fact();
        match test {
            Test::Pattern(pattern) | Test::Count(pattern, None) => self.having_like(&fact, field, pattern),
            Test::Version(interval) => self.having(|writer| writer.fact_between(&fact, interval)),
            Test::Number(interval) => {
                let ends = interval.numbers();
                self.having_amount(
                    |writer| writer.fact_number(&fact),
                    |writer| writer.between("cf.amount", &ends, |number| number_value(*number)),
                );
            }
            Test::Count(pattern, Some(interval)) => {
                let ends = interval.numbers();
                self.push("(");
                self.having_amount(
                    |writer| writer.fact_like(&fact, field, pattern),
                    |writer| {
                        writer.push(" GROUP BY cf.crash_id HAVING 1 = 1");
                        let total = if field.overlaps() { "MAX(cf.amount)" } else { "SUM(cf.amount)" };
                        writer.between(total, &ends, |number| number_value(*number));
                    },
                );
                if interval.holds(0) {
                    // None of a kind is only known to be none where the goroutines are known.
                    self.push(" OR (");
                    self.having(|writer| writer.named("goroutines"));
                    self.push(" AND NOT ");
                    self.having_like(&fact, field, pattern);
                    self.push(")");
                }
                self.push(")");
            }
            // All times are columns.
            Test::Time(_) => self.push("1 = 0"),
        }
    }

    /// When it happened. Of few crashes their times are looked up; where there are many, they are found on the way.
    fn seen(&mut self, interval: &Interval<When>) {
        let ends = interval.times(self.now);
        let value = |at: &Timestamp| Value::Number(at.as_microsecond());
        if self.frequency == Frequency::Rare {
            self.push("crashes.id IN (SELECT c.id FROM crashes c WHERE 1 = 1");
            self.between("c.seen_at", &ends, value);
        } else {
            self.push("(1 = 1");
            // SQLite would take the index of times, and then sort all that it finds there.
            self.between(if self.glob { "+crashes.seen_at" } else { "crashes.seen_at" }, &ends, value);
        }
        self.push(")");
    }

    /// A crash that has one of the facts that `which` is true for.
    fn having(&mut self, which: impl FnOnce(&mut Self)) {
        self.having_amount(which, |_| ());
    }

    /// The same, of which there is so much. The crashes of a rare fact are looked up; for one that most have, each
    /// crash is asked, because there are enough after a few of them.
    fn having_amount(&mut self, which: impl FnOnce(&mut Self), amount: impl FnOnce(&mut Self)) {
        let often = self.frequency == Frequency::Often;
        self.push(match (often, self.glob) {
            (false, _) => "crashes.id IN (SELECT cf.crash_id FROM crash_facts cf WHERE cf.fact_id IN (",
            // SQLite would look for each of many facts in the index, instead of reading those of one crash.
            (true, true) => {
                "EXISTS (SELECT 1 FROM crash_facts cf WHERE cf.crash_id = crashes.id AND +cf.fact_id IN ("
            }
            (true, false) => {
                "EXISTS (SELECT 1 FROM crash_facts cf WHERE cf.crash_id = crashes.id AND cf.fact_id IN ("
            }
        });
        self.push("SELECT f.id FROM facts f WHERE ");
        which(self);
        self.push(")");
        amount(self);
        if often {
            self.of_each_row();
        }
        self.push(")");
    }

    /// At the end of what is asked of each row: PostgreSQL, which does not know how many crashes have a fact, would look
    /// for all of them first. It leaves alone what has an offset.
    fn of_each_row(&mut self) {
        self.push(if self.glob { "" } else { " OFFSET 0" });
    }

    fn fact_between(&mut self, fact: &str, interval: &Interval<Version>) {
        self.named(fact);
        self.push(" AND f.ordinal IS NOT NULL");
        self.between("f.ordinal", &interval.keys(), |key| Value::Text(key.clone()));
    }

    fn fact_number(&mut self, fact: &str) {
        self.named(fact);
        self.push(" AND f.value = ''");
    }

    fn having_like(&mut self, fact: &str, field: &Field, pattern: &Pattern) {
        self.having(|writer| writer.fact_like(fact, field, pattern));
    }

    fn fact_like(&mut self, fact: &str, field: &Field, pattern: &Pattern) {
        self.named(fact);
        self.push(" AND ");
        self.any(if field.folds() { "f.folded" } else { "f.value" }, &field.patterns(pattern));
    }

    fn named(&mut self, fact: &str) {
        self.push("f.name = ");
        self.bind_text(fact);
    }

    /// A column of a crash's row.
    fn column(&mut self, column: &str, field: &Field, test: &Test) {
        let _ = write!(self.text, "({column} IS NOT NULL AND ");
        match test {
            Test::Pattern(pattern) => self.any(column, &field.patterns(pattern)),
            Test::Time(interval) => {
                self.push("1 = 1");
                self.between(column, &interval.times(self.now), |at| Value::Number(at.as_microsecond()));
            }
            Test::Number(interval) => {
                self.push("1 = 1");
                self.between(column, &interval.numbers(), |number| number_value(*number));
            }
            Test::Version(_) | Test::Count(..) => self.push("1 = 0"),
        }
        self.push(")");
    }

    /// Appends what has to hold for both ends.
    fn between<V>(&mut self, column: &str, (low, high): &Ends<V>, value: impl Fn(&V) -> Value) {
        for (end, sign) in [(low, '>'), (high, '<')] {
            if let Some((end, itself)) = end {
                let _ = write!(self.text, " AND {column} {sign}{} ", if *itself { "=" } else { "" });
                self.bind(value(end));
            }
        }
    }

    fn any(&mut self, column: &str, patterns: &[Pattern]) {
        self.push("(");
        for (at, pattern) in patterns.iter().enumerate() {
            self.push(if at == 0 { "" } else { " OR " });
            self.like(column, pattern);
        }
        self.push(")");
    }

    fn like(&mut self, column: &str, pattern: &Pattern) {
        self.push(column);
        if let Some(literal) = pattern.as_literal() {
            self.push(" = ");
            self.bind_text(literal);
        } else if self.glob {
            self.push(" GLOB ");
            self.bind_text(&glob(pattern));
        } else {
            self.push(" LIKE ");
            self.bind_text(&like(pattern));
            self.push(" ESCAPE '\\'");
        }
    }
}

/// The column of `crashes` that a field is.
fn column(field: &Field) -> Option<&'static str> {
    Some(match field.fact {
        "id" => "crashes.id",
        "status" => "crashes.status",
        "group" => "crashes.group_id",
        "project" => "crashes.project",
        "seen" => "crashes.seen_at",
        "received" => "crashes.received_at",
        "analysed" => "crashes.analysed_at",
        _ => return None,
    })
}

fn number_value(number: u64) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

/// As SQLite's GLOB has it.
pub(crate) fn glob(pattern: &Pattern) -> String {
    let mut out = String::new();
    for piece in pattern.pieces() {
        match piece {
            Piece::Any => out.push('*'),
            Piece::One => out.push('?'),
            Piece::Text(text) => {
                for c in text.chars() {
                    if matches!(c, '*' | '?' | '[') {
                        out.extend(['[', c, ']']);
                    } else {
                        out.push(c);
                    }
                }
            }
        }
    }
    out
}

/// As LIKE has it, with `\` before what would be a wildcard.
pub(crate) fn like(pattern: &Pattern) -> String {
    let mut out = String::new();
    for piece in pattern.pieces() {
        match piece {
            Piece::Any => out.push('%'),
            Piece::One => out.push('_'),
            Piece::Text(text) => {
                for c in text.chars() {
                    if matches!(c, '%' | '_' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    out
}
