//! [`TokenBuilder`]: the content of a token.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::UnixTime;
use serde::Serialize;
use serde_json::Value;

use super::stages::{Draft, Scene};
use crate::{
    Defect, MockIssuer,
    json::Members,
    key::{SigningKey, random_id},
    must::must,
};

/// A token to be filled in and signed. Made by [`MockIssuer::token`].
///
/// By default it is correct in every respect, also as an access token of RFC 9068: header `alg`, `typ` (`at+jwt`) and `kid`; claims
/// `iss`, `sub` (`test-user`), `aud` (the issuer's audience), `exp` (in ten minutes), `iat` (now), `jti` (random) and `client_id`
/// (`test-client`). The time is read when the builder is made, not when the token is signed.
///
/// ```
/// use portcullis_core::Code;
/// use portcullis_core::authenticator::Attempt;
/// use portcullis_test::MockIssuer;
///
/// let issuer = MockIssuer::new();
/// let admission = issuer.admission();
/// let good = issuer.token().subject("alice").role("admin").claim("tenant", "acme");
/// let Attempt::Done(Ok(verified)) = admission.verify(&good.sign()) else { panic!("refused") };
/// assert!(verified.has_role("admin"));
///
/// let Attempt::Done(Err(refused)) = admission.verify(&good.without("exp").sign()) else { panic!("accepted") };
/// assert_eq!(refused.code(), Code::ClaimMissing);
/// ```
#[derive(Clone)]
#[must_use = "a token is nothing until it is signed"]
pub struct TokenBuilder {
    pub(super) issuer: MockIssuer,
    now: UnixTime,
    key: Arc<SigningKey>,
    header: Members,
    pub(super) claims: Members,
    header_text: Option<Vec<u8>>,
    claims_text: Option<Vec<u8>>,
    pub(super) defect: Option<Defect>,
}

impl TokenBuilder {
    pub(crate) fn new(issuer: &MockIssuer) -> Self {
        let now = issuer.time().now();
        let mut claims = Members::default();
        claims.set("iss", issuer.name());
        claims.set("sub", "test-user");
        claims.set("aud", issuer.default_audience());
        claims.set("exp", now.plus(Duration::from_secs(600)).as_secs());
        claims.set("iat", now.as_secs());
        claims.set("jti", random_id());
        claims.set("client_id", "test-client");
        let key = issuer.keys().current();
        let header = header(&key);
        let issuer = issuer.clone();
        Self { issuer, now, key, header, claims, header_text: None, claims_text: None, defect: None }
    }

    /// Sets `sub`, the subject.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Adds to `scope`: one scope, or several separated by spaces.
    pub fn scope(mut self, scope: &str) -> Self {
        let granted = self.claims.string("scope");
        self.claims.set("scope", format!("{granted} {scope}").trim_start());
        self
    }

    /// Adds a role, at the place where the issuer writes roles ([`MockIssuer::roles_at`]).
    ///
    /// # Panics
    ///
    /// If there is something else at that place, or if the place is not a JSON pointer.
    pub fn role(mut self, role: &str) -> Self {
        let pointer = self.issuer.roles_pointer();
        let mut steps = pointer.strip_prefix('/').unwrap_or_default().split('/').map(unescape);
        let name = steps.next().unwrap_or_default();
        let mut claim = self.claims.get(&name).unwrap_or_default();
        let mut place = &mut claim;
        for step in steps {
            place = &mut place[step];
        }
        if place.is_null() {
            *place = Value::Array(Vec::new());
        }
        let roles = place.as_array_mut().filter(|_| !name.is_empty());
        must(roles.ok_or(pointer), "roles cannot be written to").push(role.into());
        self.claims.set(&name, claim);
        self
    }

    /// Sets `aud`, the audience, as one string.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `aud` as an array.
    pub fn audiences<S: Serialize>(self, audiences: impl IntoIterator<Item = S>) -> Self {
        let audiences: Vec<_> = audiences.into_iter().collect();
        self.claim("aud", audiences)
    }

    /// Sets `exp`, relative to the time at which the builder was made.
    pub fn expires_in(self, duration: Duration) -> Self {
        let expiry = self.now.plus(duration);
        self.expires_at(expiry)
    }

    /// Sets `exp`.
    pub fn expires_at(self, expiry: UnixTime) -> Self {
        self.claim("exp", expiry.as_secs())
    }

    /// Sets `nbf`. Defaults to none.
    pub fn not_before(self, instant: UnixTime) -> Self {
        self.claim("nbf", instant.as_secs())
    }

    /// Sets `iat`.
    pub fn issued_at(self, instant: UnixTime) -> Self {
        self.claim("iat", instant.as_secs())
    }

    /// Sets `auth_time`: when the subject logged in. Defaults to none. A requirement `fresh` needs it.
    pub fn authenticated_at(self, instant: UnixTime) -> Self {
        self.claim("auth_time", instant.as_secs())
    }

    /// Sets `jti`.
    pub fn token_id(self, id: &str) -> Self {
        self.claim("jti", id)
    }

    /// Sets `sid`, the session. Defaults to none.
    pub fn session_id(self, id: &str) -> Self {
        self.claim("sid", id)
    }

    /// Sets any claim to any value that serde can write as JSON.
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        self.claims.set(name, value);
        self
    }

    /// Removes a claim.
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.remove(claim);
        self
    }

    /// Sets `typ`. Defaults to `at+jwt`.
    pub fn typ(self, name: &str) -> Self {
        self.header("typ", name)
    }

    /// Sets a member of the header to any value that serde can write as JSON. This does not change the signing key.
    pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
        self.header.set(name, value);
        self
    }

    /// Removes a member of the header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs with another key of the issuer, and sets `alg` and `kid` accordingly. Defaults to the issuer's signing key at the time the
    /// builder was made.
    ///
    /// # Panics
    ///
    /// If no published key has that id.
    pub fn key(mut self, id: &str) -> Self {
        self.key = must(self.issuer.keys().find(id).ok_or(id), "the issuer publishes no such key");
        self.header.set("alg", self.key.algorithm().name());
        self.header.set("kid", self.key.id());
        self
    }

    /// Signs this text in place of a header, whatever it is. Replaces all settings of the header.
    pub fn raw_header(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.header_text = Some(text.into());
        self
    }

    /// Signs this text in place of claims, whatever it is. Replaces all settings of claims.
    pub fn raw_claims(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.claims_text = Some(text.into());
        self
    }

    /// Puts this one defect into the token. A later call replaces an earlier one.
    pub fn defect(mut self, defect: Defect) -> Self {
        self.defect = Some(defect);
        self
    }

    /// Returns the signed token.
    ///
    /// # Panics
    ///
    /// If there is a [`defect`](Self::defect) as well as raw text, in which the defect might have no effect.
    pub fn sign(&self) -> String {
        let is_raw = self.header_text.is_some() || self.claims_text.is_some();
        assert!(self.defect.is_none() || !is_raw, "portcullis-test: a token has raw text or a defect, not both");
        self.draft().seal(self.defect)
    }

    /// Returns the signed token as the value of an `Authorization` HTTP header.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.sign())
    }

    fn draft(&self) -> Draft {
        let scene = Scene {
            issuer: self.issuer.name().to_owned(),
            audience: self.issuer.default_audience().to_owned(),
            now: self.now,
            key: Arc::clone(&self.key),
        };
        Draft {
            signer: self.key.signer(),
            scene,
            header: self.header.clone(),
            claims: self.claims.clone(),
            header_text: self.header_text.clone(),
            claims_text: self.claims_text.clone(),
        }
    }

    /// Returns the claims as they would be signed.
    pub(super) fn claims_json(&self) -> String {
        match &self.claims_text {
            Some(text) => String::from_utf8_lossy(text).into_owned(),
            None => self.claims.text(),
        }
    }
}

fn header(key: &SigningKey) -> Members {
    let mut header = Members::default();
    header.set("alg", key.algorithm().name());
    header.set("typ", "at+jwt");
    header.set("kid", key.id());
    header
}

/// Decodes a step of a JSON pointer (RFC 6901 section 4).
fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

impl fmt::Debug for TokenBuilder {
    /// Shows neither claims nor a token: a bearer token is a credential even in a test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder")
            .field("issuer", &self.issuer.name())
            .field("key", &self.key)
            .field("defect", &self.defect)
            .finish_non_exhaustive()
    }
}
