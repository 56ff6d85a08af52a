//! Conditions over a row of groups.

use panicle_query::{Condition as Asked, Expr, FieldRef, Kind, Subject, Term, Test};

use super::{Frequency, Value, Writer};

/// The table that a group's own columns are in.
const GROUPS: &str = "crash_groups";

impl Writer {
    /// Over a row of groups. What is about the group alone is asked of its row; for the rest there has to be one
    /// crash of it that all of it holds for.
    pub(super) fn groups(&mut self, expr: &Expr) {
        let items = if let Expr::And(items) = expr { items.as_slice() } else { std::slice::from_ref(expr) };
        let (own, rest): (Vec<_>, Vec<_>) = items.iter().partition(|item| of_group_alone(item));
        for item in own {
            self.group_row(item);
            self.push(" AND ");
        }
        // What is counted for each group says the same of one term, and rules out most groups for several.
        let mut told = 0;
        for item in &rest {
            if let Expr::Term(term) = item
                && self.counted(term)
            {
                told += 1;
                self.push(" AND ");
            }
        }
        if rest.is_empty() || (rest.len() == 1 && told == 1) {
            self.push("1 = 1");
            return;
        }
        if rest.iter().any(|item| self.rare(item)) {
            self.push(
                "crash_groups.id IN (SELECT crashes.group_id FROM crashes WHERE crashes.group_id IS NOT NULL",
            );
        } else {
            self.push("EXISTS (SELECT 1 FROM crashes WHERE crashes.group_id = crash_groups.id");
        }
        for item in rest {
            self.push(" AND ");
            self.expr(item);
        }
        self.push(")");
    }

    /// Whether few crashes are meant, as far as the terms tell.
    fn rare(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Term(term) => self.frequencies.of(term) == Frequency::Rare,
            Expr::Not(_) => false,
            Expr::And(items) => items.iter().any(|item| self.rare(item)),
            Expr::Or(items) => items.iter().all(|item| self.rare(item)),
        }
    }

    /// Writes what the counts of a group and its own times tell of a term about its crashes, if they tell whether
    /// there is one.
    fn counted(&mut self, term: &Term) -> bool {
        let Asked::Field(reference, test) = &term.condition else { return false };
        match (reference.field.kind, test) {
            (Kind::Word | Kind::OneOf(_), Test::Pattern(pattern))
                if matches!(reference.field.fact, "class" | "service") =>
            {
                let fact = reference.field.fact;
                // SQLite would read the wide row of each of them, instead of going through the narrow index of all.
                self.push(if self.glob { "+" } else { "" });
                self.push("crash_groups.id IN (SELECT gf.group_id FROM group_facets gf WHERE gf.facet = ");
                self.bind_text(fact);
                self.push(" AND gf.value IN (SELECT f.value FROM facts f WHERE ");
                self.fact_like(fact, reference.field, pattern);
                self.push("))");
                true
            }
            // The last crash is late enough, or the first early enough.
            (Kind::Time | Kind::Bound(_), Test::Time(interval)) if reference.field.fact == "seen" => {
                let (low, high) = interval.times(self.now);
                let (column, ends) = match (low, high) {
                    (Some(low), None) => ("crash_groups.last_seen", (Some(low), None)),
                    (None, Some(high)) => ("crash_groups.first_seen", (None, Some(high))),
                    _ => return false,
                };
                self.push("(1 = 1");
                self.between(column, &ends, |at| Value::Number(at.as_microsecond()));
                self.push(")");
                true
            }
            _ => false,
        }
    }

    /// A condition about nothing but the group, over its row.
    fn group_row(&mut self, expr: &Expr) {
        match expr {
            Expr::Term(term) => match &term.condition {
                Asked::Field(reference, test) => self.group_column(reference, test),
                Asked::Anywhere(_) | Asked::Words(_) => self.push("1 = 0"),
            },
            Expr::Not(inner) => {
                self.push("NOT ");
                self.group_row(inner);
            }
            Expr::And(items) => self.list(items, " AND ", Self::group_row),
            Expr::Or(items) => self.list(items, " OR ", Self::group_row),
        }
    }

    /// A column of a group's row.
    pub(super) fn group_column(&mut self, reference: &FieldRef, test: &Test) {
        let field = reference.field;
        let column = match field.fact {
            "count" => "crashes",
            "group" => "id",
            fact => fact,
        };
        let column = format!("{GROUPS}.{column}");
        self.column(&column, field, test);
    }
}

fn of_group_alone(expr: &Expr) -> bool {
    expr.terms().iter().all(|term| match &term.condition {
        Asked::Field(reference, _) => reference.field.subject == Subject::Group,
        Asked::Anywhere(_) | Asked::Words(_) => false,
    })
}
