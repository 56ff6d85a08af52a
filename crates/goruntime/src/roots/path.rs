//! The way to a value, and how Go writes it.

use std::rc::Rc;

/// A step from a value to one that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `.name`
    Field(Rc<str>),
    /// `[3]`
    Index(u64),
    /// `["k"]`
    Key(Rc<str>),
    /// The element of a key that no short literal is.
    SomeKey,
    /// `.(*main.User)`
    Assert(Rc<str>),
    /// What an interface holds, of a type whose name stands for several.
    SomeType,
    /// `*`, which Go leaves out in front of a field.
    Follow,
}

/// `start` and then `steps`, as an expression; `None` when no expression says it.
pub(super) fn render<'s>(start: &str, steps: impl IntoIterator<Item = &'s Step>) -> Option<String> {
    let mut text = start.to_owned();
    let mut pointer = false;
    for step in steps {
        if pointer && !matches!(step, Step::Field(_)) {
            text = format!("(*{text})");
        }
        pointer = false;
        match step {
            Step::SomeKey | Step::SomeType => return None,
            // The compiler's own fields have names that no program can write, and blank ones have none.
            Step::Field(name) if !is_identifier(name) => return None,
            Step::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Index(index) => {
                text = format!("{text}[{index}]");
            }
            Step::Key(key) => {
                text = format!("{text}[{key}]");
            }
            Step::Assert(name) => {
                text = format!("{text}.({name})");
            }
            Step::Follow => pointer = true,
        }
    }
    Some(if pointer { format!("*{text}") } else { text })
}

/// Whether `name` is an identifier that stands for something.
pub(super) fn is_identifier(name: &str) -> bool {
    name != "_"
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::{Step, render};

    #[test]
    fn writes_paths_as_go_does() {
        let field = |name: &str| Step::Field(name.into());
        for (steps, text) in [
            (vec![Step::Follow, field("cache"), Step::Follow, field("index")], "s.cache.index"),
            (vec![Step::Follow, field("shards"), Step::Index(3), Step::Follow, field("m")], "s.shards[3].m"),
            (vec![Step::Follow], "*s"),
            (vec![Step::Follow, Step::Follow, field("m")], "(*s).m"),
            (vec![Step::Follow, Step::Index(2)], "(*s)[2]"),
            (vec![Step::Assert("*main.T".into()), Step::Follow, field("m")], "s.(*main.T).m"),
            (vec![field("users"), Step::Key("\"k\"".into()), field("tags")], "s.users[\"k\"].tags"),
            (vec![], "s"),
        ] {
            assert_eq!(render("s", &steps).as_deref(), Some(text));
        }
        for steps in
            [vec![field("users"), Step::SomeKey, field("tags")], vec![field("_")], vec![field(".dict")]]
        {
            assert_eq!(render("s", &steps), None);
        }
    }
}
