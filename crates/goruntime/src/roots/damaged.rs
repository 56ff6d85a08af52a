//! Maps that look like none: damaged ones, and what is no map.

use panicle_report::{Diagnostic, MapRootKind, Stage};

use super::{graph::Held, variables::Start};
use crate::{
    maps::{self, Examiner, MapType},
    value::Context,
};

/// Such maps that are listed.
const MOST: u64 = 64;
/// Times that entries are looked for.
const MOST_PROOFS: u64 = 256;

/// What looks like no map, where a variable or a field says that there is one.
///
/// A package's variables are set from the beginning, and so is what they lead to. A variable of a frame need not be:
/// it may not have a value yet, or one that is not needed any more and of which the memory is used for something
/// else. Of what such a one leads to, that is a damaged map which has entries with the right hashes, or, in a field,
/// of which all but one thing is right.
pub(super) struct Damaged<'s> {
    examiner: &'s Examiner<'s>,
    listed: u64,
    proofs_left: u64,
    /// Those that are not listed.
    left_out: u64,
    /// What may never have been one.
    strange: u64,
}

impl<'s> Damaged<'s> {
    pub(super) fn new(examiner: &'s Examiner<'s>) -> Self {
        Self { examiner, listed: 0, proofs_left: MOST_PROOFS, left_out: 0, strange: 0 }
    }

    /// Whether what `held` says to be a map of type `of`, and looks like none, is one that is damaged and listed.
    pub(super) fn is_one(
        &mut self,
        context: &Context<'_>,
        of: &MapType,
        held: &Held,
        start: &Start<'_>,
    ) -> bool {
        let is_field = held.owner.is_some() || start.object;
        let is_one = start.kind == MapRootKind::Global
            || (is_field && maps::is_nearly_one(context, of, held.map))
            || self.has_entries(context, of, held.map);
        let count = match (is_one, self.listed < MOST) {
            (false, _) => &mut self.strange,
            (true, false) => &mut self.left_out,
            (true, true) => &mut self.listed,
        };
        *count += 1;
        is_one && self.left_out == 0
    }

    fn has_entries(&mut self, context: &Context<'_>, of: &MapType, address: u64) -> bool {
        let left = self.proofs_left.checked_sub(1);
        self.proofs_left = left.unwrap_or(0);
        left.is_some() && self.examiner.hashes().has_entries(context, of, address)
    }

    /// How many are not listed.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut said = Vec::new();
        if self.left_out > 0 {
            let text = format!("{} more damaged maps were found and are not listed.", self.left_out);
            said.push(Diagnostic::warning(Stage::Values, text));
        }
        if self.strange > 0 {
            let text = format!(
                "Variables of frames lead to {} maps that are none: not set yet, not needed any more, damaged, or not \
                 in memory.",
                self.strange
            );
            said.push(Diagnostic::info(Stage::Values, text));
        }
        said
    }
}
