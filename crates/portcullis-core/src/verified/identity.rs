//! Who the caller is.

/// Who a token is about: an issuer together with a subject.
///
/// A subject alone is no identity: two issuers may give the same one to different people (RFC 7519 section 4.1.2).
/// So this, and not `sub`, is what to store and compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Identity<'a> {
    /// `iss`: who says so.
    pub issuer: &'a str,
    /// `sub`: whom it is about.
    pub subject: &'a str,
}

impl<'a> Identity<'a> {
    /// The identity of `subject` at `issuer`.
    pub const fn new(issuer: &'a str, subject: &'a str) -> Self {
        Self { issuer, subject }
    }
}
