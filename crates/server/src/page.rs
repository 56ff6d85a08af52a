use serde::Serialize;

use crate::Problem;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// Part of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    /// This part.
    pub(crate) items: Vec<T>,
    /// Pass it as `cursor` for the next part; null at the end.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    pub(crate) const fn all(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// A page of `limit` out of items of which one more was asked for.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Self { items, next_cursor }
    }
}

/// How many items a page may have.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(_) => Err(Problem::bad_request(format!("limit has to be from 1 to {MAX_LIMIT}"))),
    }
}

/// Reads a cursor `<number>:<id>`.
pub(crate) fn cursor(text: Option<&str>) -> Result<Option<(i64, String)>, Problem> {
    text.map(|text| {
        text.split_once(':')
            .and_then(|(number, id)| Some((number.parse().ok()?, id.to_owned())))
            .ok_or_else(|| Problem::bad_request("this is no cursor that a list answered"))
    })
    .transpose()
}
