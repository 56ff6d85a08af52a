//! Values that there are, for completing a query.

use panicle_query::{Pattern, Piece};
use sqlx::AssertSqlSafe;

use crate::{Store, StoreError, condition, database::Pool, facts::storable};

/// Crashes are counted up to here: more says nothing more about what somebody means.
const COUNTED: i64 = 1000;
/// Values that are looked at; of more, the newest.
const CANDIDATES: i64 = 200;

/// A value that crashes have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The value.
    pub value: String,
    /// Crashes that have it, counted up to 1,000.
    pub crashes: u64,
}

impl Store {
    /// Values of a fact (`service`, `label.env`) that crashes of the project have, if one is given, and in
    /// which `text` occurs, in upper or lower case: first those that
    /// begin with it, each of both with the most frequent first.
    pub async fn offers(
        &self,
        project: Option<&str>,
        fact: &str,
        text: &str,
        limit: usize,
    ) -> Result<Vec<Offer>, StoreError> {
        let text = storable(&text.to_lowercase());
        let mut found = self.values_like(project, fact, &[Piece::Text(text.clone()), Piece::Any]).await?;
        if found.len() < limit && !text.is_empty() {
            let anywhere = [Piece::Any, Piece::Text(text.clone()), Piece::Any];
            for offer in self.values_like(project, fact, &anywhere).await? {
                if !found.contains(&offer) {
                    found.push(offer);
                }
            }
        }
        let begins = |offer: &Offer| offer.value.to_lowercase().starts_with(&text);
        found.sort_by(|one, other| {
            let order = |offer: &Offer| (!begins(offer), u64::MAX - offer.crashes);
            order(one).cmp(&order(other)).then_with(|| one.value.cmp(&other.value))
        });
        found.truncate(limit);
        Ok(found)
    }

    /// Keys of labels that begin with `text`.
    pub async fn label_keys(
        &self,
        project: Option<&str>,
        text: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = query!(self, db => sqlx::query_as(
            "SELECT DISTINCT name FROM facts WHERE name LIKE 'label.%' AND (CAST($1 AS TEXT) IS NULL OR EXISTS \
             (SELECT 1 FROM crash_facts cf JOIN crashes c ON c.id = cf.crash_id WHERE cf.fact_id = facts.id \
             AND c.project = $1)) ORDER BY name LIMIT 1000")
            .bind(project)
            .fetch_all(db)
            .await)?;
        let keys = rows.into_iter().filter_map(|(name,)| Some(name.strip_prefix("label.")?.to_owned()));
        Ok(keys.filter(|key| key.to_lowercase().starts_with(&text.to_lowercase())).take(limit).collect())
    }

    /// Owners of groups whose name begins with `text`.
    pub async fn owners(
        &self,
        project: Option<&str>,
        text: &str,
        limit: usize,
    ) -> Result<Vec<Offer>, StoreError> {
        let rows: Vec<(String, i64)> = query!(self, db => sqlx::query_as(
            "SELECT owner, COUNT(*) FROM crash_groups WHERE owner IS NOT NULL \
             AND (CAST($1 AS TEXT) IS NULL OR project = $1) GROUP BY owner ORDER BY 2 DESC, owner LIMIT 1000")
            .bind(project)
            .fetch_all(db)
            .await)?;
        let offers = rows.into_iter().map(|(value, count)| Offer { value, crashes: count as u64 });
        let begins = |offer: &Offer| offer.value.to_lowercase().starts_with(&text.to_lowercase());
        Ok(offers.filter(begins).take(limit).collect())
    }

    async fn values_like(
        &self,
        project: Option<&str>,
        fact: &str,
        pieces: &[Piece],
    ) -> Result<Vec<Offer>, StoreError> {
        let pattern = Pattern::of(pieces);
        let (operator, pattern) = match self.pool {
            Pool::Sqlite(_) => ("GLOB $2", condition::glob(&pattern)),
            Pool::Postgres(_) => ("LIKE $2 ESCAPE '\\'", condition::like(&pattern)),
        };
        let mine = match project {
            None => "AND CAST($5 AS TEXT) IS NULL",
            Some(_) => "AND EXISTS (SELECT 1 FROM crashes c WHERE c.id = cf.crash_id AND c.project = $5)",
        };
        let text = format!(
            "SELECT f.value, (SELECT COUNT(*) FROM (SELECT 1 FROM crash_facts cf WHERE cf.fact_id = f.id \
             {mine} LIMIT $3) AS counted) FROM facts f WHERE f.name = $1 AND f.folded {operator} ORDER BY f.id DESC LIMIT $4"
        );
        let rows: Vec<(String, i64)> = query!(self, db => sqlx::query_as(AssertSqlSafe(text))
            .bind(fact)
            .bind(&pattern)
            .bind(COUNTED)
            .bind(CANDIDATES)
            .bind(project)
            .fetch_all(db)
            .await)?;
        // A value that no crash has any more is offered to nobody.
        let offers = rows.into_iter().map(|(value, count)| Offer { value, crashes: count as u64 });
        Ok(offers.filter(|offer| offer.crashes > 0).collect())
    }
}
