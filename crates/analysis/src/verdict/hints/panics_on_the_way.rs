//! More than one panic: raised again, raised in a deferred function, or recovered on the way.

use panicle_report::{PanicKind, PanicLink};

use super::Finding;
use crate::{
    facts::{Facts, first_line, text_of},
    verdict::finding::cut,
};

/// Panics of a chain that are named.
const SHOWN: usize = 10;

pub(super) fn look(facts: &Facts<'_>, _: &Finding) -> Option<String> {
    if facts.kind() != Some(PanicKind::Panic) {
        return None;
    }
    let links: Vec<_> = facts.links().collect();
    if let [only] = links.as_slice() {
        return only.repanicked.then(|| {
            "It was recovered and raised again with the same value: the stack of the place where it was raised first \
             is below that of the second."
                .to_owned()
        });
    }
    let (number, _) = facts.root()?;
    let chain: Vec<_> =
        links.iter().take(SHOWN).map(|link| format!("\"{}\"", cut(first_line(text_of(link)), 80))).collect();
    let more = if links.len() > SHOWN { ", …" } else { "" };
    let how = links.get(number + 1).map_or("", |next| how(links[number], next));
    Some(format!(
        "{} panics are on the chain, first raised first: {}{more}.{how}",
        links.len(),
        chain.join(", ")
    ))
}

fn how(root: &PanicLink, next: &PanicLink) -> &'static str {
    if root.recovered && text_of(next).contains(text_of(root)) && !text_of(root).is_empty() {
        " The first was recovered, and raised again or wrapped: it is the cause."
    } else if root.recovered {
        ""
    } else {
        " A deferred function panicked while the first panic was under way: the later ones are its consequence."
    }
}
