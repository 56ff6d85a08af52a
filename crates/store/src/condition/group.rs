//! Conditions over a row of groups.
//!
//! For each group is counted how many of its crashes have which fact (`group_facts`), which the database keeps right with
//! every change. It tells of one term, and of its opposite, whether there is a crash of the group that it holds for.
//! What has to hold for one and the same crash is asked of the crashes, of those groups alone that these counts leave.

use panicle_query::{Condition as Asked, Expr, FIELDS, FieldRef, Pattern, Subject, Term, Test};

use super::{Frequency, Value, Writer, column};

/// The table that a group's own columns are in.
const GROUPS: &str = "crash_groups";

/// What counts tell of the groups that have a crash that something holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tells {
    /// Nothing.
    Nothing,
    /// Which ones have none.
    Some,
    /// Which ones they are.
    All,
}

/// Something that has to hold, or must not; what is negated stands without its negation.
#[derive(Clone, Copy)]
struct Item<'a> {
    not: bool,
    expr: &'a Expr,
}

/// How an item is put together.
enum Parts<'a> {
    Term(&'a Term),
    All(Vec<Item<'a>>),
    Any(Vec<Item<'a>>),
}

impl<'a> Item<'a> {
    fn new(expr: &'a Expr, not: bool) -> Self {
        match expr {
            Expr::Not(inner) => Self::new(inner, !not),
            _ => Self { not, expr },
        }
    }

    fn parts(self) -> Parts<'a> {
        let of = |items: &'a [Expr]| items.iter().map(|expr| Self::new(expr, self.not)).collect();
        match (self.expr, self.not) {
            (Expr::Term(term), _) => Parts::Term(term),
            (Expr::Not(inner), not) => Self::new(inner, !not).parts(),
            (Expr::And(items), false) | (Expr::Or(items), true) => Parts::All(of(items)),
            (Expr::And(items), true) | (Expr::Or(items), false) => Parts::Any(of(items)),
        }
    }

    /// What has to hold together, as far as it is that.
    fn conjuncts(self, found: &mut Vec<Self>) {
        match self.parts() {
            Parts::All(items) => items.into_iter().for_each(|item| item.conjuncts(found)),
            Parts::Term(_) | Parts::Any(_) => found.push(self),
        }
    }

    fn of_group_alone(self) -> bool {
        self.expr.terms().iter().all(|term| match &term.condition {
            Asked::Field(reference, _) => reference.field.subject == Subject::Group,
            Asked::Anywhere(_) | Asked::Words(_) => false,
        })
    }

    fn tells(self) -> Tells {
        match self.parts() {
            Parts::Term(term) => tells(term, self.not),
            // What holds for one crash each need not hold for one together.
            Parts::All(items) => {
                items.into_iter().map(Self::tells).max().unwrap_or(Tells::Nothing).min(Tells::Some)
            }
            Parts::Any(items) => items.into_iter().map(Self::tells).min().unwrap_or(Tells::Nothing),
        }
    }
}

/// The facts that a term asks for.
fn is_about_facts(reference: &FieldRef) -> bool {
    reference.field.subject != Subject::Group && column(reference.field).is_none()
}

fn tells(term: &Term, not: bool) -> Tells {
    match &term.condition {
        Asked::Field(reference, test) if is_about_facts(reference) => match test {
            Test::Pattern(_) | Test::Version(_) | Test::Count(_, None) => Tells::All,
            // Those without one of them are others.
            Test::Count(_, Some(interval)) if !not && !interval.holds(0) => Tells::Some,
            _ => Tells::Nothing,
        },
        Asked::Anywhere(_) if not => Tells::Some,
        Asked::Anywhere(_) => Tells::All,
        Asked::Field(..) | Asked::Words(_) => Tells::Nothing,
    }
}

/// What somebody gave with a crash is one value of each name, so that the crashes of its values add up.
fn is_single(reference: &FieldRef) -> bool {
    reference.field.keyed || matches!(reference.field.fact, "service" | "host")
}

impl Writer {
    /// Over a row of groups. What is about the group alone is asked of its row; for the rest there has to be one
    /// crash of it that all of it holds for. Answers whether crashes are asked.
    pub(super) fn groups(&mut self, expr: &Expr) -> bool {
        let mut items = Vec::new();
        Item::new(expr, false).conjuncts(&mut items);
        let (own, rest): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.of_group_alone());
        for item in own {
            self.push(if item.not { "NOT " } else { "" });
            self.group_row(item.expr);
            self.push(" AND ");
        }
        let mut timed = Tells::Nothing;
        for item in &rest {
            timed = self.around_time(*item);
        }
        let exact = matches!(rest[..], [item] if timed.max(item.tells()) == Tells::All);
        let told: Vec<_> = rest.iter().copied().filter(|item| item.tells() > Tells::Nothing).collect();
        if !told.is_empty() {
            // Each set is made once, and then looked up. SQLite would read the wide row of each of them, instead of going
            // through the narrow index of all.
            self.push(if self.glob { "+crash_groups.id IN (" } else { "crash_groups.id = ANY (ARRAY(" });
            self.sets(&told, " INTERSECT ", exact);
            self.push(if self.glob { ") AND " } else { ")) AND " });
        }
        if rest.is_empty() || exact {
            self.push("1 = 1");
            return false;
        }
        let rare = rest.iter().any(|item| self.rare(*item));
        if rare {
            self.push(
                "crash_groups.id IN (SELECT crashes.group_id FROM crashes WHERE crashes.group_id IS NOT NULL",
            );
        } else {
            self.push("EXISTS (SELECT 1 FROM crashes WHERE crashes.group_id = crash_groups.id");
        }
        for item in rest {
            self.push(if item.not { " AND NOT " } else { " AND " });
            self.expr(item.expr);
        }
        if !rare {
            self.of_each_row();
        }
        self.push(")");
        true
    }

    /// Whether few crashes are meant, as far as the terms tell.
    fn rare(&self, item: Item<'_>) -> bool {
        match item.parts() {
            Parts::Term(term) => !item.not && self.frequencies.of(term) == Frequency::Rare,
            Parts::All(items) => items.into_iter().any(|item| self.rare(item)),
            Parts::Any(items) => items.into_iter().all(|item| self.rare(item)),
        }
    }

    /// Identifiers of groups, of several sets.
    fn sets(&mut self, items: &[Item<'_>], between: &str, exact: bool) {
        for (at, item) in items.iter().enumerate() {
            self.push(if at == 0 { "" } else { between });
            self.push("SELECT s.group_id FROM (");
            self.set(*item, exact);
            self.push(") AS s");
        }
    }

    /// Selects the groups that have a crash that an item holds for; unless `exact`, and more of them where that is
    /// much easier to tell.
    fn set(&mut self, item: Item<'_>, exact: bool) {
        match item.parts() {
            Parts::Term(term) if item.not => self.groups_without(term, exact),
            Parts::Term(term) => self.groups_with(term),
            Parts::All(items) => {
                let told: Vec<_> = items.into_iter().filter(|item| item.tells() > Tells::Nothing).collect();
                self.sets(&told, " INTERSECT ", exact);
            }
            Parts::Any(items) => self.sets(&items, " UNION ", exact),
        }
    }

    fn groups_with(&mut self, term: &Term) {
        self.push(
            "SELECT gf.group_id FROM group_facts gf WHERE gf.fact_id IN (SELECT f.id FROM facts f WHERE ",
        );
        self.facts_of(term);
        self.push(")");
        if let Asked::Anywhere(pattern) = &term.condition {
            self.push(
                " UNION SELECT crashes.group_id FROM crashes WHERE crashes.group_id IS NOT NULL AND (1 = 0",
            );
            self.free_columns(pattern);
            self.push(")");
        }
    }

    /// Not all crashes of a group have one of the facts when less have them in all, and all have when all have one of
    /// them. Only what is between is asked of crashes.
    fn groups_without(&mut self, term: &Term, exact: bool) {
        self.push(
            "SELECT g.id AS group_id FROM crash_groups g LEFT JOIN (SELECT gf.group_id, SUM(gf.crashes) AS total, \
             MAX(gf.crashes) AS most FROM group_facts gf WHERE gf.fact_id IN (SELECT f.id FROM facts f WHERE ",
        );
        self.facts_of(term);
        self.push(") GROUP BY gf.group_id) AS t ON t.group_id = g.id WHERE g.crashes > 0 AND (t.group_id IS NULL OR ");
        if matches!(&term.condition, Asked::Field(reference, _) if is_single(reference)) {
            self.push("t.total < g.crashes)");
            return;
        }
        if !exact {
            self.push("t.most < g.crashes)");
            return;
        }
        self.push(
            "t.total < g.crashes OR (t.most < g.crashes AND EXISTS (SELECT 1 FROM crashes WHERE \
             crashes.group_id = g.id AND NOT ",
        );
        self.frequency = Frequency::Often;
        self.having(|writer| writer.facts_of(term));
        self.of_each_row();
        self.push(")))");
    }

    /// Which facts a term asks for, if it asks for any.
    fn facts_of(&mut self, term: &Term) {
        match &term.condition {
            Asked::Anywhere(pattern) => self.free(pattern),
            Asked::Field(reference, Test::Pattern(pattern) | Test::Count(pattern, _)) => {
                self.fact_like(&reference.fact(), reference.field, pattern);
            }
            Asked::Field(reference, Test::Version(interval)) => {
                self.fact_between(&reference.fact(), interval);
            }
            Asked::Field(..) | Asked::Words(_) => self.push("1 = 0"),
        }
    }

    /// The columns that a word without a field is looked for in, each after an OR.
    pub(super) fn free_columns(&mut self, pattern: &Pattern) {
        for field in FIELDS.iter().filter(|field| field.free) {
            if let Some(column) = column(field) {
                self.push(" OR ");
                self.like(column, &field.free_patterns(pattern));
            }
        }
    }

    /// Leaves out groups whose crashes are all too early, or all too late, for when they have to be seen. Of one end
    /// that tells all: the last crash is late enough, or the first early enough.
    fn around_time(&mut self, item: Item<'_>) -> Tells {
        let (false, Expr::Term(term)) = (item.not, item.expr) else { return Tells::Nothing };
        let Asked::Field(reference, Test::Time(interval)) = &term.condition else { return Tells::Nothing };
        if reference.field.fact != "seen" {
            return Tells::Nothing;
        }
        let (low, high) = interval.times(self.now);
        let tells = if low.is_some() && high.is_some() { Tells::Some } else { Tells::All };
        let value = |at: &jiff::Timestamp| Value::Number(at.as_microsecond());
        self.push("(1 = 1");
        self.between("crash_groups.last_seen", &(low, None), value);
        self.between("crash_groups.first_seen", &(None, high), value);
        self.push(") AND ");
        tells
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
