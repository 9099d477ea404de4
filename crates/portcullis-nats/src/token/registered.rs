//! [`Registered`]: the claims that every token has.

use portcullis_core::UnixTime;

use super::{Object, Read};
use crate::nkey::PublicKey;

/// The claims beside `nats`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registered {
    /// `iss`: the key that has signed the token. Who signs for an account with one of its signing keys is another key than the account.
    pub issuer: PublicKey,
    /// `sub`: whom the token is about.
    pub subject: PublicKey,
    /// `name`; empty if it is absent. Several subjects may have one name.
    pub name: String,
    /// `jti`, which issuers compute from the other claims, and no one verifies; empty if it is absent.
    pub id: String,
    /// `aud`; empty if it is absent.
    pub audience: String,
    /// `iat`; 1970 if it is absent, so that every revocation hits.
    pub issued_at: UnixTime,
    /// `nbf`.
    pub not_before: Option<UnixTime>,
    /// `exp`. A negative one, which is in the past, is 1970.
    pub expires_at: Option<UnixTime>,
}

/// The names of these claims.
pub(super) const NAMES: &[&str] =
    &["aud", "exp", "jti", "iat", "iss", "name", "nbf", "sub", "nats", "type", "tags", "issuer_account"];

impl Registered {
    pub(super) fn read(claims: &Object<'_>, issuer: PublicKey) -> Read<Self> {
        let subject = claims.text_or_empty("sub")?;
        let subject = subject.parse().map_err(|error| claims.bad_key("sub", error))?;
        Ok(Self {
            issuer,
            subject,
            name: claims.text_or_empty("name")?,
            id: claims.text_or_empty("jti")?,
            audience: claims.text_or_empty("aud")?,
            issued_at: instant(claims.int("iat")?.unwrap_or_default()),
            not_before: claims.int("nbf")?.filter(|at| *at != 0).map(instant),
            expires_at: claims.int("exp")?.filter(|at| *at != 0).map(instant),
        })
    }
}

/// Returns an instant; the first one for what lies before 1970.
pub(crate) fn instant(seconds: i64) -> UnixTime {
    UnixTime::from_secs(u64::try_from(seconds).unwrap_or_default())
}
