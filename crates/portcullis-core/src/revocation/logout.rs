//! [`Revocation::logout`]: what to revoke when a caller logs out.

use super::{Level, Revocation};
use crate::verified::Facts;

impl Revocation {
    /// Returns what to revoke when the holder of this token logs out: its session (`sid`), and with it all tokens of that session; if it
    /// has no session, this token alone (`jti`).
    ///
    /// `None` if neither would end it: it has no `sid`, and no `jti` or no expiry, or these levels do not apply to it
    /// ([`Facts::rungs`]). It then stays valid until it expires, so do not tell the caller that it is logged out. For "log out everywhere"
    /// see [`subject`](Self::subject).
    ///
    /// ```
    /// use portcullis_core::revocation::{Level, Revocation};
    /// use portcullis_test::MockIssuer;
    ///
    /// let issuer = MockIssuer::new();
    /// let in_session = issuer.token().session_id("s-17").any_verified();
    /// let alone = issuer.token().token_id("t-1").any_verified();
    /// assert_eq!(Revocation::logout(&in_session).map(|revocation| revocation.level()), Some(Level::Session));
    /// assert_eq!(Revocation::logout(&alone).map(|revocation| revocation.level()), Some(Level::Token));
    /// ```
    #[doc(alias = "of_token")]
    #[doc(alias = "log_out")]
    pub fn logout(facts: &Facts) -> Option<Self> {
        let levels = facts.rungs().levels();
        if let Some(session_id) = facts.session_id().filter(|_| levels.has(Level::Session)) {
            return Some(Self::session(facts.issuer(), session_id));
        }
        let token_id = facts.token_id().filter(|_| levels.has(Level::Token))?;
        Some(Self::token(facts.issuer(), token_id, facts.expires_at()?))
    }
}
