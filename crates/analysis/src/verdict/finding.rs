//! What a rule answers.

use panicle_report::{Address, Confidence, Evidence, VerdictClass};

use crate::facts::Facts;

/// A recognised cause, in the words that the report will use.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) class: VerdictClass,
    /// The title without the place: `Write to a nil map`.
    pub(super) headline: String,
    /// Whether the place of the fault belongs into the title.
    pub(super) at_a_place: bool,
    /// A place other than that of the panic.
    pub(super) place: Option<String>,
    /// Two or three sentences.
    pub(super) summary: String,
    pub(super) confidence: Confidence,
    /// Why this sure: one sentence.
    pub(super) because: String,
    /// What would raise the confidence, where it is not certain.
    pub(super) raise: Option<String>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) hints: Vec<String>,
    pub(super) fixes: Vec<String>,
    /// A file of Go that does it right.
    pub(super) example: Option<&'static str>,
    pub(super) capture_next: Vec<String>,
    pub(super) other_goroutines: Vec<u64>,
    /// The goroutines whose stacks stand for the failure, where that is not the one at fault: those of a deadlock.
    pub(super) stuck: Vec<u64>,
    /// The map that it is about.
    pub(super) map: Option<Address>,
}

impl Finding {
    /// A certain finding with what every finding shows: the message and the frame of the fault.
    pub(super) fn new(facts: &Facts<'_>, class: VerdictClass, headline: impl Into<String>) -> Self {
        let mut evidence: Vec<_> = facts.message_evidence().into_iter().collect();
        let site = facts.site();
        if let Some(site) = site {
            evidence.push(site.evidence(format!("Failed in {}", site.describe())));
        }
        let callee = facts.callee().filter(|callee| site.is_none_or(|site| site.index != callee.index));
        if let Some(callee) = callee.filter(|callee| !is_panic_entry(&callee.frame.function)) {
            let what = if site.is_some() { "Called through" } else { "The call that failed:" };
            evidence.push(callee.evidence(format!("{what} {}", callee.describe())));
        }
        if let Some(place) = facts.place() {
            evidence.push(place.evidence(format!("Called from {}", place.describe())));
        }
        Self {
            class,
            headline: headline.into(),
            at_a_place: true,
            place: None,
            summary: String::new(),
            confidence: Confidence::Certain,
            because: "Certain: the runtime names this cause in its own message.".to_owned(),
            raise: None,
            evidence,
            hints: Vec::new(),
            fixes: Vec::new(),
            example: None,
            capture_next: Vec::new(),
            other_goroutines: Vec::new(),
            stuck: Vec::new(),
            map: None,
        }
    }

    /// A finding from the text of a panic. Where the value's type is unknown and the text has no
    /// mark of the runtime's, a program could have printed it.
    pub(super) fn runtime_panic(facts: &Facts<'_>, class: VerdictClass, headline: impl Into<String>) -> Self {
        let finding = Self::new(facts, class, headline);
        if facts.runtime_error_is_certain() {
            return finding;
        }
        finding.sure(
            Confidence::Likely,
            "Likely: the message is the runtime's, but the text does not show the value's type and a program \
             could panic with the same words.",
        )
        .raise("A core raises it (it has the type), and so does the text of GOTRACEBACK=system (it has the runtime's frames).")
    }

    pub(super) fn sure(mut self, confidence: Confidence, because: impl Into<String>) -> Self {
        self.confidence = confidence;
        self.because = because.into();
        self
    }

    pub(super) fn raise(mut self, text: impl Into<String>) -> Self {
        self.raise = Some(text.into());
        self
    }

    pub(super) fn summary(mut self, text: impl Into<String>) -> Self {
        self.summary = text.into();
        self
    }

    pub(super) fn nowhere(mut self) -> Self {
        self.at_a_place = false;
        self
    }

    pub(super) fn evidence(mut self, kind: &str, text: impl Into<String>, reference: Option<String>) -> Self {
        self.evidence.push(Evidence { kind: kind.to_owned(), text: text.into(), reference });
        self
    }

    pub(super) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    pub(super) fn fix(mut self, text: impl Into<String>) -> Self {
        self.fixes.push(text.into());
        self
    }

    /// A whole Go file, of which the declarations are shown.
    pub(super) fn example(mut self, file: &'static str) -> Self {
        self.example = Some(file);
        self
    }

    pub(super) fn capture(mut self, text: impl Into<String>) -> Self {
        self.capture_next.push(text.into());
        self
    }
}

/// Functions through which the runtime starts to panic: they say no more than the message does.
fn is_panic_entry(function: &str) -> bool {
    [
        "runtime.sigpanic",
        "runtime.gopanic",
        "runtime.panic",
        "runtime.goPanic",
        "runtime.throw",
        "runtime.fatal",
        "runtime.morestack",
        "runtime.sighandler",
    ]
    .iter()
    .any(|prefix| function.starts_with(prefix))
}

/// `in store.(*DB).Put (db.go:42)`, with the place that called it where that is a library's; nothing where it is
/// unknown.
pub(super) fn in_place(facts: &Facts<'_>) -> String {
    match (facts.place(), facts.site()) {
        (Some(place), Some(site)) => format!(" in {}, called from {}", site.describe(), place.describe()),
        (Some(place), None) => format!(" in {}", place.describe()),
        (None, _) => String::new(),
    }
}

/// At most `limit` characters of a text.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The same, cut between two words where there is a gap near the end: half a path or number misleads.
pub(super) fn cut_at_word(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.to_owned() };
    let head = &text[..end];
    let gap = head.rfind(' ').filter(|gap| gap * 2 > end).unwrap_or(end);
    format!("{} …", head[..gap].trim_end())
}

#[cfg(test)]
mod tests {
    use super::cut_at_word;

    #[test]
    fn titles_end_between_words() {
        assert_eq!(cut_at_word("open /var/lib/shop: denied", 40), "open /var/lib/shop: denied");
        assert_eq!(cut_at_word("cannot open the file /var/lib/shop/orders.db", 30), "cannot open the file …");
        assert_eq!(cut_at_word("/var/lib/shop/orders.db", 10), "/var/lib/s …");
    }
}
