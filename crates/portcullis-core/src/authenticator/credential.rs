//! [`Presented`] and [`Credential`]: the credential of a request, before and after its grammar was checked.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str,
    sync::Arc,
};

use super::{RequestView, token68};
use crate::{AuthError, Clock, Code, UnixTime, clock::SystemClock};

/// What a request presents: the bytes where a credential belongs, not checked yet.
///
/// The code that serves requests makes one for an [`AnyAdmission`](crate::admission::AnyAdmission); in `portcullis`, the layer does this.
/// `Debug` shows none of the bytes.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    octets: &'a [u8],
    scheme: Scheme,
    request: Option<&'a dyn RequestView>,
}

impl<'a> Presented<'a> {
    /// Returns the bytes of a bearer token (RFC 6750).
    pub const fn bearer(octets: &'a [u8]) -> Self {
        Self { octets, scheme: Scheme::Bearer, request: None }
    }

    /// Sets the scheme under which they were presented. Defaults to [`Scheme::Bearer`].
    #[must_use]
    pub const fn with_scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// Adds the request, for credentials that require a proof from it.
    ///
    /// Defaults to none: an authenticator that needs the request then refuses the credential.
    #[must_use]
    pub const fn with_request(self, request: &'a dyn RequestView) -> Self {
        Self { request: Some(request), ..self }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Returns the credential, if the bytes have the right form: `token68` of RFC 9110 section 11.2, which RFC 6750 calls `b64token`.
    ///
    /// # Errors
    ///
    /// [`Code::CredentialMalformed`] if they do not.
    pub(crate) fn read(self, time: Time<'a>) -> Result<Credential<'a>, AuthError> {
        let token = token68::text(self.octets)
            .map_err(|problem| AuthError::new(Code::CredentialMalformed).with_explanation(problem))?;
        Ok(Credential { token, scheme: self.scheme, request: self.request, time: Some(time) })
    }

    /// Returns the credential for bytes whose grammar was checked before.
    pub(crate) fn read_again(self, time: Time<'a>) -> Option<Credential<'a>> {
        let token = str::from_utf8(self.octets).ok()?;
        Some(Credential { token, scheme: self.scheme, request: self.request, time: Some(time) })
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// What an [`Authenticator`](crate::Authenticator) is asked about. `Debug` does not show the token.
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    token: &'a str,
    scheme: Scheme,
    request: Option<&'a dyn RequestView>,
    time: Option<Time<'a>>,
}

impl<'a> Credential<'a> {
    /// Returns a bearer token without a request. Its time is the operating system's until an admission sets it.
    pub const fn bearer(token: &'a str) -> Self {
        Self { token, scheme: Scheme::Bearer, request: None, time: None }
    }

    pub(crate) const fn under(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// Sets the instant of the decision, and the clock to read after a wait.
    #[must_use]
    pub(crate) const fn at(self, time: Time<'a>) -> Self {
        Self { time: Some(time), ..self }
    }

    /// Returns the text of the token.
    pub const fn token(&self) -> &'a str {
        self.token
    }

    /// Returns the scheme under which it was presented.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the request that presents it; `None` if there is none, as for a token in a message.
    pub const fn request(&self) -> Option<&'a dyn RequestView> {
        self.request
    }

    /// Returns the instant of the decision: the admission has read its clock once, and everything about this request is decided by this
    /// instant.
    ///
    /// After a wait, read [`clock`](Self::clock) again.
    pub fn now(&self) -> UnixTime {
        self.time.map_or_else(|| SystemClock.now(), |time| time.now)
    }

    /// Returns the admission's clock, to be read again after a wait.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.time.map_or_else(|| Arc::new(SystemClock) as _, |time| Arc::clone(time.clock))
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// An instant, and the clock that told it.
#[derive(Clone, Copy)]
pub(crate) struct Time<'a> {
    pub(crate) now: UnixTime,
    pub(crate) clock: &'a Arc<dyn Clock>,
}

impl<'a> Time<'a> {
    pub(crate) fn read(clock: &'a Arc<dyn Clock>) -> Self {
        Self { now: clock.now(), clock }
    }
}

/// The authentication scheme under which a credential was presented. Two schemes are equal if their names are, in upper or lower case (RFC
/// 9110 section 11.1): `Scheme::Other("dpop")` is [`Scheme::DPoP`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Scheme {
    /// `Bearer` (RFC 6750), and every location without a scheme: a cookie, a query parameter, another HTTP header.
    #[default]
    Bearer,
    /// `DPoP` (RFC 9449).
    DPoP,
    /// Another scheme, by its name in the `Authorization` header.
    Other(&'static str),
}

impl Scheme {
    /// Returns the name in `Authorization` and `WWW-Authenticate`, where it is case-insensitive.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::DPoP => "DPoP",
            Self::Other(name) => name,
        }
    }
}

impl PartialEq for Scheme {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bearer, Self::Bearer) | (Self::DPoP, Self::DPoP) => true,
            (Self::Bearer, Self::DPoP) | (Self::DPoP, Self::Bearer) => false,
            (one, other) => one.as_str().eq_ignore_ascii_case(other.as_str()),
        }
    }
}

impl Eq for Scheme {}

impl Hash for Scheme {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_str().bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn schemes_are_equal_by_name_in_any_case() {
        let same = [Scheme::DPoP, Scheme::Other("DPoP"), Scheme::Other("dpop")];
        assert!(same.iter().all(|one| same.iter().all(|other| one == other)));
        assert_eq!(same.into_iter().collect::<HashSet<_>>().len(), 1);
        for other in [Scheme::Bearer, Scheme::Other("DPoPX"), Scheme::Other("DPo"), Scheme::Other("")] {
            assert!(same.iter().all(|one| *one != other), "{other}");
        }
        assert_eq!(Scheme::Bearer, Scheme::Other("BEARER"));
    }
}
