use panicle_query::Facts;

use super::{Compiled, Held, Rule, claims};
use crate::RuleKind;

fn rule(id: &str, kind: RuleKind) -> Rule {
    Rule {
        id: id.to_owned(),
        kind,
        name: id.to_owned(),
        predicate: "main &&".to_owned(),
        group: (kind == RuleKind::Merge).then(|| "g".to_owned()),
        project: None,
        mute: None,
        enabled: true,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

#[test]
fn a_rule_that_cannot_be_read_says_so_keeps_what_it_has_and_claims_nothing_else() {
    let [merge, mute] = [rule("r", RuleKind::Merge), rule("m", RuleKind::Mute)];
    assert!(merge.problem().unwrap().starts_with("the predicate cannot be read at byte "));
    assert_eq!(Rule { predicate: "class:deadlock".to_owned(), ..merge.clone() }.problem(), None);
    let rules = [Compiled::of(merge), Compiled::of(mute)];
    let of = |rule: &str, mute: &str| {
        let held = Held {
            rule_id: Some(rule.to_owned()),
            mute_rule_id: Some(mute.to_owned()),
            project: "default".to_owned(),
        };
        let (claims, conflict) = claims(&rules, &Facts::new(), &held);
        assert_eq!(conflict, None);
        (claims.merge.map(|merge| merge.0), claims.mutes.len())
    };
    assert_eq!(of("r", "m"), (Some("r".to_owned()), 1));
    assert_eq!(of("m", "r"), (None, 0));
    let (nothing, _) = claims(&rules, &Facts::new().with("frame", "main"), &Held::default());
    assert!(nothing.merge.is_none() && nothing.mutes.is_empty());
}
