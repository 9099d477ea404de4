//! [`EnrolledUser`]: a user of NATS, and the session for which it was made.

use std::time::Duration;

use portcullis::{
    clock::UnixTime,
    revocation::{Level, Revocation},
    verified::Facts,
};
use portcullis_nats::{enrol::Enrolled, nkey::UserKey};
use serde::{Deserialize, Serialize};

/// For how long after its end a user may still be let in somewhere, because clocks differ.
const MARGIN: Duration = Duration::from_secs(600);

/// A user of NATS, and the session for which it was made. All times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EnrolledUser {
    pub(super) key: UserKey,
    issuer: String,
    subject: Option<String>,
    session: Option<String>,
    /// When the caller's access token was issued.
    access_token_at: Option<u64>,
    /// When the last of its tokens was issued, and when the last one expires.
    pub(super) issued_at: u64,
    expires_at: u64,
    pub(super) status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Live,
    /// Its session has ended, and the account has yet to revoke it.
    Ended,
    /// The account has revoked it.
    Revoked,
}

impl EnrolledUser {
    /// Adds a user to the list. A session has one entry for a key, whose tokens end together.
    pub(super) fn note(noted: &mut Vec<Self>, caller: &Facts, enrolled: &Enrolled, now: UnixTime) {
        let mut user = Self {
            key: enrolled.key,
            issuer: caller.issuer().to_owned(),
            subject: caller.subject().map(str::to_owned),
            session: caller.session_id().map(str::to_owned),
            access_token_at: caller.issued_at().map(UnixTime::as_secs),
            issued_at: now.as_secs(),
            expires_at: enrolled.expires_at.as_secs(),
            status: Status::Live,
        };
        let is_same = |known: &Self| known.key == user.key && known.is_live_for(caller);
        if let Some(at) = noted.iter().position(is_same) {
            let before = noted.swap_remove(at);
            // An access token that was issued earlier may expire earlier.
            user.issued_at = user.issued_at.max(before.issued_at);
            user.expires_at = user.expires_at.max(before.expires_at);
            user.access_token_at = user.access_token_at.min(before.access_token_at);
        }
        noted.push(user);
    }

    /// Whether it was made for this caller, in any session.
    pub(super) fn is_of_user(&self, caller: &Facts) -> bool {
        self.issuer == caller.issuer() && self.subject.as_deref() == caller.subject()
    }

    /// Whether it was made for this caller, in this session, and the session goes on.
    pub(super) fn is_live_for(&self, caller: &Facts) -> bool {
        self.status == Status::Live && self.is_of_user(caller) && self.session.as_deref() == caller.session_id()
    }

    pub(super) fn is_hit_by(&self, revocation: &Revocation) -> bool {
        if self.issuer != revocation.of_issuer() {
            return false;
        }
        match revocation.level() {
            Level::Session => self.session.as_deref() == Some(revocation.id()),
            Level::Subject => {
                let is_before = |cut_off: UnixTime| self.access_token_at.is_none_or(|at| at <= cut_off.as_secs());
                self.subject.as_deref() == Some(revocation.id()) && revocation.cut_off().is_none_or(is_before)
            }
            // A log-out has no other: better end too much.
            _ => true,
        }
    }

    pub(super) fn end(&mut self) {
        if self.status == Status::Live {
            self.status = Status::Ended;
        }
    }

    pub(super) fn account_has_revoked(&mut self) {
        if self.status == Status::Ended {
            self.status = Status::Revoked;
        }
    }

    /// The account's entry that ends it: the same one however often it is written, so that the key can be enrolled again.
    pub(super) fn entry(&self) -> (UserKey, UnixTime) {
        (self.key, UnixTime::from_secs(self.issued_at))
    }

    /// Whether it has expired, by all clocks.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        UnixTime::from_secs(self.expires_at).plus(MARGIN) <= now
    }
}

#[cfg(test)]
mod tests {
    use portcullis_nats::nkey::{KeyPair, Role};

    use super::*;
    use crate::Failure;

    const ISSUER: &str = "https://login.example.com";

    fn user() -> Result<EnrolledUser, Failure> {
        Ok(EnrolledUser {
            key: UserKey::try_from(*KeyPair::generate(Role::User)?.public_key())?,
            issuer: ISSUER.to_owned(),
            subject: Some("ada".to_owned()),
            session: Some("s-1".to_owned()),
            access_token_at: Some(1000),
            issued_at: 1001,
            expires_at: 1600,
            status: Status::Live,
        })
    }

    #[test]
    fn a_user_ends_with_its_session_and_with_the_subject_whose_session_is_older() -> Result<(), Failure> {
        let user = user()?;
        let at = UnixTime::from_secs;
        for (revocation, expected) in [
            (Revocation::session(ISSUER, "s-1"), true),
            (Revocation::session(ISSUER, "s-2"), false),
            (Revocation::session("https://other.example.com", "s-1"), false),
            (Revocation::subject(ISSUER, "ada", at(1000)), true),
            (Revocation::subject(ISSUER, "ada", at(999)), false),
            (Revocation::subject(ISSUER, "tom", at(1000)), false),
        ] {
            assert_eq!(user.is_hit_by(&revocation), expected, "{revocation:?}");
        }
        Ok(())
    }

    /// The account forgets its revocation then.
    #[test]
    fn an_expired_user_is_kept_for_the_margin_of_clocks() -> Result<(), Failure> {
        let user = user()?;
        let end = UnixTime::from_secs(1600).plus(MARGIN);
        assert!(!user.is_over(UnixTime::from_secs(end.as_secs() - 1)));
        assert!(user.is_over(end));
        Ok(())
    }
}
