//! Looking at every entry for damage.

use super::{Hashes, MapType, entries, hash::home, header, report::Problems};
use crate::value::Context;

/// The largest key that is hashed.
const LARGEST_KEY: u64 = 1 << 20;

/// What came of looking at all entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Entries that were found.
    pub entries: u64,
    /// Those that are not where their key's hash says, or have another mark; `None` where no hash function is
    /// known.
    pub misplaced: Option<u64>,
    /// Those of which key or element is not in memory.
    pub unreadable: u64,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

/// Looks at every entry of the map of type `of` at `address`, `most` at most: counts them, reads keys and
/// elements, and compares the place of each with its key's hash.
///
/// This walks over all of the map, which [`super::header()`] does for those that are not large only.
pub fn check(context: &Context<'_>, hashes: Option<&Hashes>, of: &MapType, address: u64, most: u64) -> Check {
    let mut problems = Problems::default();
    let function = hashes.and_then(|hashes| hashes.of_map(context, of, address).ok());
    let is_at_home = function.as_ref().and_then(|_| home(context, of, address));
    let mut check = Check { misplaced: function.as_ref().map(|_| 0), ..Check::default() };
    let mut walk = entries(context, of, address);
    let mut key = vec![0; usize::try_from(of.key_size.min(LARGEST_KEY)).unwrap_or(0)];
    let mut last = [0];
    let mut is_whole = false;
    while check.entries < most {
        let Some(entry) = walk.next() else {
            is_whole = true;
            break;
        };
        check.entries += 1;
        let last_of_elem = entry.elem.wrapping_add(of.elem_size.saturating_sub(1));
        let has_elem = of.elem_size == 0 || context.memory.read(last_of_elem, &mut last);
        if !context.memory.read(entry.key, &mut key) || !has_elem {
            check.unreadable += 1;
            continue;
        }
        let Some((function, is_at_home)) = function.as_ref().zip(is_at_home.as_ref()) else { continue };
        if let Some(hash) = function.hash(context, &key)
            && !is_at_home(&entry, hash)
        {
            check.misplaced = check.misplaced.map(|count| count + 1);
            problems.add(format!(
                "The entry in slot {} of {} has mark {:#04x}, which its key's hash {hash:#x} does not give.",
                entry.slot, entry.row, entry.mark
            ));
        }
    }
    if check.unreadable > 0 {
        problems.add(format!("Of {} entries key or element is not in memory.", check.unreadable));
    }
    for problem in walk.problems() {
        problems.add(problem);
    }
    if let Ok(header) = header(context, of, address) {
        let agrees = !is_whole || header.count == check.entries;
        if !agrees && !header.problems.iter().any(|problem| problem.contains("slots are full")) {
            problems.add(format!(
                "It counts {} entries, and {} slots are full.",
                header.count.cast_signed(),
                check.entries
            ));
        }
        for problem in header.problems {
            problems.add(problem);
        }
    }
    check.problems = problems.sentences();
    check
}
