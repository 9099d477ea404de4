//! Rules about changes.

use portcullis_issuer::{
    api_tokens::{ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, LastUse, Owner, Superseded},
    refresh::Millis,
};

use super::{ApiTokenPlace, ApiTokenStoreContract, TIME, digest, id, next, revoked};
use crate::must::must;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn a_change_is_seen_and_keeps_the_last_use(&mut self) {
        let mut row = self.new_row();
        row.last_used = Some(LastUse::new(Millis::new(TIME), Some("192.0.2.0/24".to_owned())));
        self.insert(&row).await;
        // The caller has read it before it was used.
        let stale = next(&row, |row| {
            row.warned_at = Some(Millis::new(TIME));
            row.last_used = None;
        });
        let used = LastUse::new(Millis::new(TIME + 5), None);
        let recorded = self.store().await.record_uses(&[ApiTokenUse::new(row.id, used.clone())]).await;
        must(recorded, "a use cannot be recorded");
        assert_eq!(self.replace(&stale, None).await, Changed::Stored, "the current version cannot be changed");
        let mut expected = stale.clone();
        expected.last_used = Some(used);
        self.is_found(&expected).await;
        let last = revoked(&expected, TIME + 7);
        assert_eq!(self.replace(&last, None).await, Changed::Stored, "the current version cannot be changed");
        self.is_found(&last).await;
    }

    pub(super) async fn a_change_of_another_version_changes_nothing(&mut self) {
        let (absent, mut row) = (self.new_row(), self.inserted().await);
        for _ in 0..3 {
            let before = row.clone();
            row = next(&row, |row| row.warned_at = Some(Millis::new(TIME + row.version)));
            assert_eq!(self.replace(&row, None).await, Changed::Stored, "the current version cannot be changed");
            let changed = revoked(&row, TIME);
            for version in [0, before.version, row.version, row.version + 2, i64::MAX.unsigned_abs()] {
                let mut stale = changed.clone();
                stale.version = version;
                let outcome = self.replace(&stale, None).await;
                assert_eq!(outcome, Changed::Conflict, "version {version} was stored over {}", row.version);
                self.is_found(&row).await;
            }
            let of_another = next(&row, |row| row.owner = Owner::organisation(row.owner.id()));
            assert_eq!(self.replace(&of_another, None).await, Changed::Conflict, "a token got another owner");
            let elsewhere = next(&row, |row| row.path = vec![id(1)]);
            assert_eq!(self.replace(&elsewhere, None).await, Changed::Conflict, "a token got another path");
            self.is_found(&row).await;
        }
        for version in [0, 1] {
            let mut change = absent.clone();
            change.version = version;
            assert_eq!(self.replace(&change, None).await, Changed::Conflict, "a token that does not exist was changed");
            self.is_absent(&absent).await;
        }
    }

    pub(super) async fn a_successor_is_added_with_the_change_or_not_at_all(&mut self) {
        let (row, other, above) = (self.inserted().await, self.inserted().await, self.inserted().await);
        let mut successor = self.new_row();
        successor.owner = row.owner.clone();
        successor.path = vec![above.id];
        let changed = superseded(&row, &successor);
        let (mut same_id, mut same_digest) = (successor.clone(), successor.clone());
        (same_id.id, same_digest.digest) = (other.id, other.digest);
        let (mut own_id, mut own_digest) = (successor.clone(), successor.clone());
        (own_id.id, own_digest.digest) = (row.id, row.digest);
        let stale = next(&changed, |_| {});
        let takes = next(&row, |row| row.digest = other.digest);
        let refused = [
            (&changed, &same_id),
            (&changed, &same_digest),
            (&changed, &own_id),
            (&changed, &own_digest),
            (&stale, &successor),
            (&takes, &successor),
        ];
        for (number, (change, successor)) in refused.into_iter().enumerate() {
            let outcome = self.replace(change, Some(successor)).await;
            assert_eq!(outcome, Changed::Conflict, "a change with a successor that cannot be ({number}) was stored");
            self.is_found(&row).await;
            self.is_found(&other).await;
            self.has_below(&above, &[]).await;
        }
        self.is_absent(&successor).await;
        assert_eq!(self.replace(&changed, Some(&successor)).await, Changed::Stored, "a successor cannot be added");
        self.is_found(&changed).await;
        self.is_found(&successor).await;
        self.has_below(&above, &[successor.id]).await;
        let outcome = self.replace(&changed, Some(&successor)).await;
        assert_eq!(outcome, Changed::Conflict, "the same change was stored twice");
    }
}

/// Returns the row after another one took its place.
pub(super) fn superseded(row: &ApiTokenRow, successor: &ApiTokenRow) -> ApiTokenRow {
    let until = Millis::new(TIME + 1000);
    next(row, |row| row.superseded = Some(Superseded::new(successor.id, Millis::new(TIME), until, digest(3))))
}
