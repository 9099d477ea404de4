//! Rules about what a row says.

use portcullis_issuer::{
    api_tokens::{
        ApiTokenKind, ApiTokenRow, ApiTokenStore, ApiTokenUse, Grant, LastUse, Owner, PepperId, RevokedReason,
        Superseded, TokenRevoked,
    },
    refresh::Millis,
};

use super::{ApiTokenPlace, ApiTokenStoreContract, FAR, TIME, digest, id, next};
use crate::must::must;

/// Texts that stores may change, or take for something else.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "a:b",
    "a\nb",
    " { \"v\": 2 }\r\n\t ",
    "\0",
    "a\0b",
    "\\u0000",
    "'; DROP TABLE api_tokens; --",
    "$1 %s {a} [b] (.*)",
    "\"path\":[\"x\"]",
    "l\u{ed}nea",
    "li\u{301}nea",
    "\u{1f980}\u{10ffff}",
];

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn an_absent_token_is_none(&mut self) {
        let (row, store) = (self.new_row(), self.store().await);
        self.is_absent(&row).await;
        must(store.find(&row.digest).await.map(|found| assert!(found.is_none())), "a token cannot be found");
        let page = must(store.all(None, 10).await, "tokens cannot be listed");
        assert!(page.rows.is_empty() && page.next.is_none(), "the contract starts with an empty store");
    }

    pub(super) async fn a_row_comes_back_as_it_was_to_every_instance(&mut self) {
        let early = self.store().await;
        must(early.find(&digest(0)).await.map(drop), "a token cannot be found");
        for change in changes() {
            let mut row = self.new_row();
            change(&mut row);
            self.insert(&row).await;
            let seen = must(early.find(&row.digest).await, "a token cannot be found");
            assert!(seen.is_some_and(|seen| seen.row == row), "an instance that was open sees another row: {row:?}");
            // The same by a change.
            let mut other = self.inserted().await;
            let (owner, path, last_used) = (other.owner.clone(), other.path.clone(), other.last_used.clone());
            let (digest, id) = (other.digest, other.id);
            change(&mut other);
            (other.owner, other.path, other.last_used, other.digest, other.id) = (owner, path, last_used, digest, id);
            other.version = 1;
            must(early.replace(&other, None).await.map(drop), "a token cannot be changed");
            self.is_found(&other).await;
        }
    }

    pub(super) async fn what_some_store_cannot_keep_is_refused(&mut self) {
        let (row, store) = (self.inserted().await, self.store().await);
        for change in too_much() {
            let mut refused = self.new_row();
            change(&mut refused);
            let inserted = store.insert(&refused).await;
            assert!(inserted.is_err(), "what cannot be kept was {inserted:?}: {refused:?}");
            self.is_absent(&refused).await;
            let outcome =
                store.replace(&next(&row, |row| row.warned_at = Some(Millis::new(TIME))), Some(&refused)).await;
            assert!(outcome.is_err(), "a successor that cannot be kept was {outcome:?}");
            self.is_found(&row).await;
            let outcome = store.replace(&next(&row, change), None).await;
            assert!(outcome.is_err(), "a change that cannot be kept was {outcome:?}");
            self.is_found(&row).await;
        }
        let used = |source: &str, at| ApiTokenUse::new(row.id, LastUse::new(at, Some(source.to_owned())));
        let fine = used("192.0.2.0/24", Millis::new(TIME));
        for wrong in [
            used("a\0b", Millis::new(TIME)),
            used(&"x".repeat(300), Millis::new(TIME)),
            used("", Millis::new(u64::MAX)),
        ] {
            let outcome = store.record_uses(&[fine.clone(), wrong]).await;
            assert!(outcome.is_err(), "a use that cannot be kept was recorded");
            self.is_found(&row).await;
        }
    }
}

const REASONS: [RevokedReason; 4] =
    [RevokedReason::Asked, RevokedReason::Leaked, RevokedReason::LoggedOutEverywhere, RevokedReason::OwnerGone];

type Change = Box<dyn Fn(&mut ApiTokenRow) + Send>;

fn boxed(change: impl Fn(&mut ApiTokenRow) + Send + 'static) -> Change {
    Box::new(change)
}

/// Returns what a row can have.
fn changes() -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for text in TEXTS {
        changes.push(boxed(|row| (*text).clone_into(&mut row.name)));
        changes.push(boxed(|row| {
            (*text).clone_into(&mut row.environment);
            (*text).clone_into(&mut row.last_four);
            (*text).clone_into(&mut row.created_by);
            row.grants = [Grant::scope(*text), Grant::role(*text, *text)].into_iter().collect();
        }));
    }
    changes.extend(ApiTokenKind::ALL.map(|kind| boxed(move |row| row.kind = kind)));
    changes.extend([
        boxed(|row| row.name = "\u{1f980}".repeat(15_000)),
        boxed(|row| row.name = "\0".repeat(10_000)),
        boxed(|row| row.owner = Owner::organisation("\u{1f980}".repeat(Owner::BYTE_LIMIT / 4))),
        boxed(|row| row.grants = (0..200).map(|at| Grant::scope(format!("scope:{at}"))).collect()),
        boxed(|row| row.grants = [Grant::Everything, Grant::role_everywhere("reader")].into_iter().collect()),
        boxed(|row| row.path = (0..8).rev().map(|at| id(FAR + at)).collect()),
        boxed(|row| row.pepper = PepperId::new('Z')),
        boxed(|row| row.version = i64::MAX.unsigned_abs()),
        boxed(|row| row.version = (1 << 53) + 1),
    ]);
    for time in [0, 1, TIME + 1, ApiTokenRow::LATEST.get()] {
        let at = Millis::new(time);
        changes.extend([
            boxed(move |row| row.created_at = at),
            boxed(move |row| row.until = Some(at)),
            boxed(move |row| row.warned_at = Some(at)),
            boxed(move |row| row.last_used = Some(LastUse::new(at, None))),
            boxed(move |row| row.last_used = Some(LastUse::new(at, Some(" l\u{ed}nea  0/0 ".to_owned())))),
            boxed(move |row| row.superseded = Some(Superseded::new(id(7), at, at, digest(7)))),
        ]);
        changes.extend(REASONS.map(|reason| boxed(move |row| row.revoked = Some(TokenRevoked::new(at, reason)))));
    }
    changes
}

/// Returns what no row can have.
fn too_much() -> Vec<Change> {
    let beyond = Millis::new(ApiTokenRow::LATEST.get() + 1);
    vec![
        boxed(|row| row.name = "x".repeat(ApiTokenRow::BYTE_LIMIT)),
        boxed(|row| row.owner = Owner::user("x".repeat(Owner::BYTE_LIMIT + 1))),
        boxed(|row| row.owner = Owner::user("a\0b")),
        boxed(|row| row.grants = (0..201).map(|at| Grant::scope(at.to_string())).collect()),
        boxed(|row| row.path = (0..9).map(|at| id(FAR + at)).collect()),
        boxed(move |row| row.until = Some(beyond)),
        boxed(|row| row.version = u64::MAX),
    ]
}
