//! Tokens: what is kept of them, and which text is which.

use jiff::{SignedDuration, Timestamp};
use panicle_store::{NewToken, Scope, Store, StoreError, TOKEN_PREFIX};

use crate::support::contract;

fn new(name: &str, scopes: &[Scope]) -> NewToken {
    NewToken { name: name.to_owned(), scopes: scopes.to_vec(), expires_at: None, project: None }
}

contract! {
    async fn a_token_is_known_by_its_text_which_is_not_kept(store: Store) {
        assert!(!store.has_tokens().await.unwrap());
        let (ci, text) = store.create_token(&new("ci", &[Scope::Read, Scope::Ingest, Scope::Read])).await.unwrap();
        assert_eq!(ci.scopes, [Scope::Ingest, Scope::Read]);
        assert!(text.starts_with(TOKEN_PREFIX) && text.len() == TOKEN_PREFIX.len() + 64, "32 random bytes");
        let (_, other) = store.create_token(&new("ci", &[Scope::Manage])).await.unwrap();
        assert_ne!(text, other);
        assert_eq!(store.token_of(&text).await.unwrap().unwrap(), ci);
        for wrong in ["", "pnc_", &text[..text.len() - 1], &text.to_uppercase(), &format!("{text} ")] {
            assert_eq!(store.token_of(wrong).await.unwrap(), None);
        }
        assert!(!format!("{ci:?}").contains(&text));
        assert!(store.has_tokens().await.unwrap());
    }

    async fn who_is_revoked_stays_out(store: Store) {
        let (one, text) = store.create_token(&new("one", &[Scope::Read])).await.unwrap();
        let (two, _) = store.create_token(&new("two", &[Scope::Read])).await.unwrap();
        let now = Timestamp::now();
        assert!(one.is_valid(now));
        let revoked = store.revoke_token(&one.id).await.unwrap();
        assert!(revoked.revoked_at.is_some() && !revoked.is_valid(now));
        assert_eq!(store.token_of(&text).await.unwrap().unwrap(), revoked);
        assert_eq!(store.revoke_token(&one.id).await.unwrap(), revoked, "as of then");
        assert!(matches!(store.revoke_token("x").await, Err(StoreError::NotFound { what: "token", .. })));
        assert_eq!(store.token(&one.id).await.unwrap(), revoked);
        // In the order in which they were made, in parts.
        let first = store.tokens(None, 1).await.unwrap();
        assert_eq!(first, [revoked]);
        assert_eq!(store.tokens(Some(&first[0].id), 9).await.unwrap(), std::slice::from_ref(&two));
        assert!(store.has_tokens().await.unwrap());
        store.revoke_token(&two.id).await.unwrap();
        assert!(!store.has_tokens().await.unwrap());
    }

    async fn a_token_ends_when_it_was_said_to(store: Store) {
        let now = Timestamp::now();
        let end = now.checked_add(SignedDuration::from_mins(1)).unwrap();
        let (token, _) = store.create_token(&NewToken { expires_at: Some(end), ..new("t", &[Scope::Read]) }).await.unwrap();
        assert!(token.is_valid(now) && !token.is_valid(end));
        store.create_token(&NewToken { expires_at: Some(now), ..new("gone", &[Scope::Read]) }).await.unwrap();
        store.revoke_token(&token.id).await.unwrap();
        assert!(store.has_tokens().await.unwrap(), "one that has expired opens nothing");
    }

    async fn the_last_use_is_known_to_the_hour(store: Store) {
        let (token, text) = store.create_token(&new("t", &[Scope::Read])).await.unwrap();
        let now = Timestamp::now();
        assert!(store.use_token(&token, now).await.unwrap());
        let used = store.token_of(&text).await.unwrap().unwrap();
        assert_eq!(used.last_used_at, Some(Timestamp::from_microsecond(now.as_microsecond()).unwrap()));
        let later = |minutes| now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
        assert!(!store.use_token(&used, later(59)).await.unwrap());
        assert!(!store.use_token(&token, later(59)).await.unwrap(), "another process noted it");
        assert!(store.use_token(&used, later(61)).await.unwrap());
    }
}
