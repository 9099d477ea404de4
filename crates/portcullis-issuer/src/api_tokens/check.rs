//! What a store can keep: [`ApiTokenRow::checked`] and [`ApiTokenUse::checked`].

use super::{ApiTokenId, ApiTokenRow, ApiTokenUse, Grants, Owner};
use crate::{StoreError, records::NewRecord, refresh::Millis};

impl ApiTokenRow {
    /// How long a row may be as [text](Self::to_json), in bytes: 64 KiB.
    pub const BYTE_LIMIT: usize = 64 * 1024;

    /// The latest time of a row: the last millisecond of the year 9999. Databases have signed numbers, and scripts have numbers of 53 bits.
    pub const LATEST: Millis = NewRecord::LATEST_END;

    /// Returns the row if a store may keep it. Every store calls this before it changes anything, so that all refuse the same rows.
    ///
    /// # Errors
    ///
    /// If one of these holds:
    ///
    /// - Its text is longer than [`BYTE_LIMIT`](Self::BYTE_LIMIT), or it has more than [`Grants::LIMIT`] grants.
    /// - The id of its owner is longer than [`Owner::BYTE_LIMIT`], or has a control character. (Any other text may have some.)
    /// - It has more than [`ANCESTOR_LIMIT`](Self::ANCESTOR_LIMIT), one of them twice, or itself among them.
    /// - A time is later than [`LATEST`](Self::LATEST), or its version is more than a signed number of 64 bits can be.
    pub fn checked(&self) -> Result<&Self, StoreError> {
        let owner = self.owner.id();
        let problem = if self.to_json().len() > Self::BYTE_LIMIT {
            "it is longer than 64 KiB"
        } else if self.grants.len() > Grants::LIMIT {
            "it has too many grants"
        } else if owner.len() > Owner::BYTE_LIMIT || owner.chars().any(char::is_control) {
            "the id of its owner is too long or has a control character"
        } else if self.path.len() > Self::ANCESTOR_LIMIT || !self.has_distinct_ancestors() {
            "it has too many ancestors, or the same one twice"
        } else if self.times().any(|time| time > Self::LATEST) || i64::try_from(self.version).is_err() {
            "a time or its version is too large"
        } else {
            return Ok(self);
        };
        Err(StoreError::new(format!("the API token {} cannot be kept: {problem}", self.id)))
    }

    fn has_distinct_ancestors(&self) -> bool {
        let is_new = |(at, id): (usize, &ApiTokenId)| *id != self.id && !self.path[..at].contains(id);
        self.path.iter().enumerate().all(is_new)
    }

    fn times(&self) -> impl Iterator<Item = Millis> {
        let superseded = self.superseded.as_ref();
        let times = [
            Some(self.created_at),
            self.until,
            self.warned_at,
            superseded.map(|superseded| superseded.at),
            superseded.map(|superseded| superseded.until),
            self.revoked.as_ref().map(|revoked| revoked.at),
            self.last_used.as_ref().map(|last_used| last_used.at),
        ];
        times.into_iter().flatten()
    }
}

impl ApiTokenUse {
    /// How long the source of a use may be, in bytes.
    pub const SOURCE_BYTE_LIMIT: usize = 256;

    /// Returns the use if a store may record it. Every store calls this for each one before it changes anything.
    ///
    /// # Errors
    ///
    /// If its time is later than [`ApiTokenRow::LATEST`], or its source is longer than [`SOURCE_BYTE_LIMIT`](Self::SOURCE_BYTE_LIMIT) or has a control
    /// character.
    pub fn checked(&self) -> Result<&Self, StoreError> {
        let source = self.last_use.source.as_deref().unwrap_or_default();
        let is_kept = self.last_use.at <= ApiTokenRow::LATEST
            && source.len() <= Self::SOURCE_BYTE_LIMIT
            && !source.chars().any(char::is_control);
        is_kept.then_some(self).ok_or_else(|| {
            StoreError::new(format!("the use of the API token {} has a time or a source that cannot be kept", self.id))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_tokens::{ApiTokenDigest, ApiTokenId, ApiTokenKind, Grant, LastUse};

    fn id(number: u8) -> ApiTokenId {
        ApiTokenId::from_bytes([number; 16])
    }

    fn row() -> ApiTokenRow {
        let owner = Owner::user("alice");
        ApiTokenRow::new(id(0), ApiTokenDigest::from_bytes([0; 32]), ApiTokenKind::ServiceAccount, owner)
    }

    #[test]
    fn a_row_that_some_store_cannot_keep_is_refused() {
        type Change = (&'static str, fn(&mut ApiTokenRow), fn(&mut ApiTokenRow));
        let cases: [Change; 8] = [
            ("length", |row| row.name = "x".repeat(60_000), |row| row.name = "x".repeat(65_536)),
            (
                "grants",
                |row| row.grants = (0..200).map(|at| Grant::scope(at.to_string())).collect(),
                |row| row.grants = (0..201).map(|at| Grant::scope(at.to_string())).collect(),
            ),
            ("owner", |row| row.owner = Owner::user("x".repeat(512)), |row| row.owner = Owner::user("x".repeat(513))),
            ("letters", |row| row.name = "a\0b".to_owned(), |row| row.owner = Owner::user("a\0b")),
            ("ancestors", |row| row.path = (1..9).map(id).collect(), |row| row.path = (1..10).map(id).collect()),
            ("distinct", |row| row.path = vec![id(1), id(2)], |row| row.path = vec![id(1), id(1)]),
            ("not itself", |row| row.path = vec![id(1)], |row| row.path = vec![id(0)]),
            (
                "time",
                |row| row.until = Some(ApiTokenRow::LATEST),
                |row| row.until = Some(Millis::new(ApiTokenRow::LATEST.get() + 1)),
            ),
        ];
        for (what, kept, refused) in cases {
            let mut row = row();
            kept(&mut row);
            assert!(row.checked().is_ok(), "{what}");
            refused(&mut row);
            assert!(row.checked().is_err(), "{what}");
        }
        let mut row = row();
        row.version = i64::MAX.unsigned_abs();
        assert!(row.checked().is_ok());
        row.version += 1;
        assert!(row.checked().is_err());
    }

    #[test]
    fn a_use_that_some_store_cannot_record_is_refused() {
        let used = |at, source: &str| ApiTokenUse::new(id(1), LastUse::new(at, Some(source.to_owned())));
        assert!(used(ApiTokenRow::LATEST, &"x".repeat(256)).checked().is_ok());
        assert!(used(Millis::new(ApiTokenRow::LATEST.get() + 1), "").checked().is_err());
        assert!(used(ApiTokenRow::LATEST, &"x".repeat(257)).checked().is_err());
        assert!(used(ApiTokenRow::LATEST, "a\0").checked().is_err());
    }
}
