//! What a token is to say.

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

/// A token to be filled in and signed; made by [`MockIssuer::token`].
///
/// Unless told otherwise it is good in every respect, also as an access token of RFC 9068: header `alg`, `typ`
/// (`at+jwt`) and `kid`; claims `iss`, `sub` (`test-user`), `aud` (the issuer's audience), `exp` (in ten minutes), `iat`
/// (now), `jti` (random) and `client_id` (`test-client`). The time is read when it is made, not when it is signed.
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

    /// `sub`: whom it is about.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Adds to `scope`: one scope, or several, delimited by spaces.
    pub fn scope(mut self, scope: &str) -> Self {
        let granted = self.claims.string("scope");
        self.claims.set("scope", format!("{granted} {scope}").trim_start());
        self
    }

    /// Adds a role, where the issuer writes roles ([`MockIssuer::roles_at`]).
    ///
    /// # Panics
    ///
    /// If there is something else at that place, or the place is no JSON pointer.
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

    /// `aud`: whom it is for, as one string.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// `aud` as an array.
    pub fn audiences<S: Serialize>(self, audiences: impl IntoIterator<Item = S>) -> Self {
        let audiences: Vec<_> = audiences.into_iter().collect();
        self.claim("aud", audiences)
    }

    /// `exp`, counted from the time at which this was made.
    pub fn expires_in(self, duration: Duration) -> Self {
        let expiry = self.now.plus(duration);
        self.expires_at(expiry)
    }

    /// `exp`.
    pub fn expires_at(self, expiry: UnixTime) -> Self {
        self.claim("exp", expiry.as_secs())
    }

    /// `nbf`. Defaults to none.
    pub fn not_before(self, instant: UnixTime) -> Self {
        self.claim("nbf", instant.as_secs())
    }

    /// `iat`.
    pub fn issued_at(self, instant: UnixTime) -> Self {
        self.claim("iat", instant.as_secs())
    }

    /// `jti`.
    pub fn token_id(self, id: &str) -> Self {
        self.claim("jti", id)
    }

    /// Sets a claim, any claim, to anything that serde can write as JSON.
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        self.claims.set(name, value);
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.remove(claim);
        self
    }

    /// `typ`. Defaults to `at+jwt`.
    pub fn typ(self, name: &str) -> Self {
        self.header("typ", name)
    }

    /// Sets a member of the header to anything that serde can write as JSON. What is signed with does not change.
    pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
        self.header.set(name, value);
        self
    }

    /// Leaves a member of the header out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs with another key of the issuer, and says so in `alg` and `kid`. Defaults to the key that signed last when
    /// this was made.
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

    /// Signs this text in place of a header, whatever it is. Replaces all that was said about the header.
    pub fn raw_header(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.header_text = Some(text.into());
        self
    }

    /// Signs this text in place of claims, whatever it is. Replaces all that was said about claims.
    pub fn raw_claims(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.claims_text = Some(text.into());
        self
    }

    /// Makes this one thing wrong. A later call replaces an earlier one.
    pub fn defect(mut self, defect: Defect) -> Self {
        self.defect = Some(defect);
        self
    }

    /// The token.
    ///
    /// # Panics
    ///
    /// If there is a [`defect`](Self::defect) as well as raw text, in which it might change nothing.
    pub fn sign(&self) -> String {
        let is_raw = self.header_text.is_some() || self.claims_text.is_some();
        assert!(self.defect.is_none() || !is_raw, "portcullis-test: a token has raw text or a defect, not both");
        self.draft().seal(self.defect)
    }

    /// The token as the value of an `Authorization` HTTP header.
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

    /// The claims as they would be signed.
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

/// A step of a JSON pointer (RFC 6901 section 4).
fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

impl fmt::Debug for TokenBuilder {
    /// Neither claims nor a token: a bearer token is a credential even in a test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder")
            .field("issuer", &self.issuer.name())
            .field("key", &self.key)
            .field("defect", &self.defect)
            .finish_non_exhaustive()
    }
}
