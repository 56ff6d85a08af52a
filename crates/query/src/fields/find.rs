//! Finding a field by what somebody wrote.

use super::{FIELDS, Field};

/// The field of this name or alias, in any case, and the key after it: `label.env` is `label` and `env`.
pub fn find(name: &str) -> Option<(&'static Field, Option<&str>)> {
    let named = |field: &&Field, name: &str| {
        field.name.eq_ignore_ascii_case(name)
            || field.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    };
    if let Some(field) = FIELDS.iter().find(|field| named(field, name)) {
        return Some((field, None));
    }
    let (before, key) = name.split_once('.')?;
    let field = FIELDS.iter().find(|field| field.keyed && named(field, before))?;
    Some((field, Some(key)))
}

/// The field that this fact is read by, `label.env` by `label`; `since` reads `seen` and is not it.
pub fn of_fact(fact: &str) -> Option<&'static Field> {
    let name = fact.split_once('.').map_or(fact, |(before, _)| before);
    FIELDS
        .iter()
        .find(|field| field.name == fact)
        .or_else(|| FIELDS.iter().find(|field| field.keyed && field.name == name))
}

/// Names that are like `name`, most alike first.
pub(crate) fn like(name: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    let all = FIELDS.iter().flat_map(|field| std::iter::once(&field.name).chain(field.aliases));
    let mut found: Vec<(usize, &str)> = all
        .map(|known| {
            let distance = if known.starts_with(&name) {
                0
            } else if name.starts_with(*known) && known.len() > 3 {
                2
            } else {
                strsim::osa_distance(&name, known)
            };
            (distance, *known)
        })
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, known)| format!("{known}:")).collect()
}
