//! How often the terms of a query come true. No statistics of a database know that for a pattern over values, and
//! the way to find the first fifty is another for what most crashes have and for what hardly any has.

use std::{collections::HashMap, time::Duration};

use panicle_query::{Condition as Asked, Expr, Term, Test};
use sqlx::AssertSqlSafe;

use super::{Rows, Writer, column};
use crate::{Store, StoreError, database::SearchTime};

/// With more crashes than this, a single term is asked of each crash: fifty are found after a few thousand at most.
const FEW: i64 = 5000;
/// The same for a term among others, and for groups: what comes true for that many crashes may come true for few of
/// them together, or for few groups, and then asking each crash takes much longer than looking all of them up.
const MANY: i64 = 50_000;
/// Terms that are tried; the others of a query are taken for rare.
const TRIED: usize = 12;

/// What one count may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a term comes true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Frequency {
    /// For few crashes.
    #[default]
    Rare,
    /// For many.
    Often,
}

/// The frequencies of a query's terms, by where they are written.
#[derive(Default)]
pub(super) struct Frequencies(HashMap<usize, Frequency>);

impl Frequencies {
    pub(super) fn of(&self, term: &Term) -> Frequency {
        self.0.get(&term.span.start).copied().unwrap_or_default()
    }
}

impl Store {
    /// Counts the crashes of each term, up to a bound. What cannot be counted soon is taken for often: most of the time
    /// is left to what is searched for.
    pub(super) async fn frequencies(
        &self,
        expr: &Expr,
        rows: Rows,
        time: &mut SearchTime,
    ) -> Result<Frequencies, StoreError> {
        let mut terms = Vec::new();
        affirmed(expr, &mut terms);
        let alone = matches!(expr, Expr::Term(_)) && rows == Rows::Crashes;
        let bound = self.looked_up.unwrap_or(if alone { FEW } else { MANY });
        let mut found = HashMap::new();
        let (mut narrow, mut sums) = (false, Vec::new());
        for term in terms.into_iter().take(TRIED) {
            let mut writer = self.writer(1);
            if !writer.counting(term) {
                continue;
            }
            let condition = writer.finish();
            let text = format!("SELECT COUNT(*) FROM ({} LIMIT $1) AS counted", condition.text);
            let left = time.left;
            time.left = PATIENCE.min(left / 4);
            let allowed = time.left;
            let counted: Result<(i64,), StoreError> = search!(self, time, db => {
                let query = sqlx::query_as(AssertSqlSafe(text)).bind(bound + 1);
                bind_condition!(query, condition).fetch_one(db).await
            })
            .await;
            time.left = left.saturating_sub(allowed.saturating_sub(time.left));
            let count = match counted {
                Ok((count,)) => count,
                Err(StoreError::SearchTooSlow(_)) => bound + 1,
                Err(error) => return Err(error),
            };
            if count <= bound {
                let conjunct = matches!(expr, Expr::And(items) if items.iter().any(|item| is(item, term)));
                narrow |= conjunct && !sums_up(term);
            } else if sums_up(term) {
                sums.push(term.span.start);
            } else {
                found.insert(term.span.start, Frequency::Often);
            }
        }
        // To sum up what each crash has takes all of them, unless something else leaves few.
        if narrow {
            found.extend(sums.into_iter().map(|start| (start, Frequency::Often)));
        }
        Ok(Frequencies(found))
    }
}

/// The terms that are not negated: all crashes but those of a frequent term may be few.
fn affirmed<'a>(expr: &'a Expr, terms: &mut Vec<&'a Term>) {
    match expr {
        Expr::Term(term) => terms.push(term),
        Expr::Not(_) => {}
        Expr::And(items) | Expr::Or(items) => items.iter().for_each(|item| affirmed(item, terms)),
    }
}

fn is(expr: &Expr, wanted: &Term) -> bool {
    matches!(expr, Expr::Term(term) if term.span == wanted.span)
}

/// It asks for so many goroutines of several values together.
fn sums_up(term: &Term) -> bool {
    matches!(&term.condition, Asked::Field(_, Test::Count(_, Some(_))))
}

impl Writer {
    /// Writes the crashes that a term is true for, or more than those where that is much easier to tell. Says
    /// whether it is one that has crashes of its own.
    fn counting(&mut self, term: &Term) -> bool {
        let (reference, test) = match &term.condition {
            Asked::Anywhere(pattern) => {
                self.facts(|writer| writer.free(pattern));
                return true;
            }
            Asked::Field(reference, test) => (reference, test),
            Asked::Words(_) => return false,
        };
        let fact = reference.fact();
        match test {
            Test::Time(interval) if reference.field.fact == "seen" => {
                self.push("SELECT 1 FROM crashes WHERE 1 = 1");
                let ends = interval.times(self.now);
                self.between("crashes.seen_at", &ends, |at| super::Value::Number(at.as_microsecond()));
            }
            _ if column(reference.field).is_some()
                || reference.field.subject == panicle_query::Subject::Group =>
            {
                return false;
            }
            Test::Pattern(pattern) | Test::Count(pattern, _) => {
                self.facts(|writer| writer.fact_like(&fact, reference.field, pattern));
            }
            Test::Version(interval) => self.facts(|writer| writer.fact_between(&fact, interval)),
            Test::Number(interval) => {
                self.facts(|writer| writer.fact_number(&fact));
                self.between("cf.amount", &interval.numbers(), |number| super::number_value(*number));
            }
            Test::Time(_) => return false,
        }
        true
    }

    fn facts(&mut self, which: impl FnOnce(&mut Self)) {
        self.push("SELECT 1 FROM crash_facts cf WHERE cf.fact_id IN (SELECT f.id FROM facts f WHERE ");
        which(self);
        self.push(")");
    }
}
