use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use panicle_blobs::Digest;
use serde::Serialize;

use crate::Problem;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;
/// What the cursor of a name begins with, before it is encoded.
const NAME: &str = "after ";

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

/// What a cursor is read by; `None` for one that no list answered.
fn read<T>(text: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    text.map(|text| read(text).ok_or_else(|| Problem::bad_request("this is no cursor that a list answered")))
        .transpose()
}

/// Reads a cursor `<number>:<id>`.
pub(crate) fn cursor(text: Option<&str>) -> Result<Option<(i64, String)>, Problem> {
    read(text, |text| {
        let (number, id) = text.split_once(':')?;
        let known = uuid(id).is_some() || id.parse::<Digest>().is_ok();
        Some((number.parse().ok()?, id.to_owned())).filter(|_| known)
    })
}

/// Reads a cursor that is the identifier of a crash.
pub(crate) fn id_cursor(text: Option<&str>) -> Result<Option<String>, Problem> {
    read(text, |text| uuid(text).map(str::to_owned))
}

/// Reads a cursor that is a number of a row.
pub(crate) fn number_cursor(text: Option<&str>) -> Result<Option<u64>, Problem> {
    read(text, |text| text.parse().ok().filter(|number| i64::try_from(*number).is_ok()))
}

/// A cursor of a name, as [`name_cursor`] reads it.
pub(crate) fn of_name(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{NAME}{name}"))
}

/// Reads a cursor of a name.
pub(crate) fn name_cursor(text: Option<&str>) -> Result<Option<String>, Problem> {
    read(text, |text| {
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        name.strip_prefix(NAME).filter(|name| !name.contains('\0')).map(str::to_owned)
    })
}

/// An identifier as this service writes it.
fn uuid(text: &str) -> Option<&str> {
    let id = uuid::Uuid::try_parse(text).ok()?;
    (id.hyphenated().to_string() == text).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{cursor, id_cursor, name_cursor, number_cursor, of_name};

    #[test]
    fn only_cursors_that_a_list_answers_are_read() {
        let id = "0199a1b2-0000-7000-8000-000000000001";
        assert_eq!(id_cursor(Some(id)).unwrap().as_deref(), Some(id));
        assert_eq!(cursor(Some(&format!("-5:{id}"))).unwrap(), Some((-5, id.to_owned())));
        assert!(cursor(Some(&format!("5:{}", "0".repeat(64)))).is_ok());
        assert_eq!(number_cursor(Some("7")).unwrap(), Some(7));
        for name in ["", "ü b", "mine"] {
            assert_eq!(name_cursor(Some(&of_name(name))).unwrap().as_deref(), Some(name));
        }
        for wrong in [
            "",
            "x",
            "0",
            "5:x",
            "5:",
            ":x",
            "bWluZQ",
            "9223372036854775808",
            "{0199a1b2-0000-7000-8000-000000000001}",
        ] {
            assert!(id_cursor(Some(wrong)).is_err() && cursor(Some(wrong)).is_err(), "{wrong}");
            assert!(name_cursor(Some(wrong)).is_err(), "{wrong}");
            assert!(number_cursor(Some(wrong)).is_err() || wrong == "0", "{wrong}");
        }
    }
}
