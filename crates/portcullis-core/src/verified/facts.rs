//! [`Facts`]: what a verified token says, except for the application's own claims.

use std::{
    fmt,
    sync::{Arc, OnceLock, atomic::AtomicU64},
};

use serde::Serialize;
use serde_json::Value;

use super::{ClientClaim, Conventions, CredentialKind, Identity, custom};
use crate::{
    Algorithm, AuthError, Code, UnixTime,
    claims::{ClaimRef, ClaimsText, LenientClaim, RegisteredClaims, Roles, Scopes},
    json::{Kind, Text, subtree, tree},
    revocation::Rungs,
};

/// The facts of a verified token: registered claims, scopes, roles and the key that signed it.
///
/// Facts exist only for tokens whose signature and claims were accepted (or for which a caller has vouched through [`Facts::assertion`]).
/// `Debug` shows issuer and expiry, but no personal data.
pub struct Facts {
    text: ClaimsText,
    registered: RegisteredClaims,
    provenance: Provenance,
    rungs: Rungs,
    /// `None` inside if the claims cannot be parsed into a tree.
    parsed: OnceLock<Option<Box<Value>>>,
    /// The epoch of the view of revocations at which it was live; zero if it was never checked. Stored here, so that it is at hand when
    /// the token is found in a cache.
    checked_at_epoch: AtomicU64,
}

/// The origin of facts: what was decided about the token, besides its claims.
#[derive(Clone, Debug)]
pub(crate) struct Provenance {
    pub(crate) conventions: Arc<Conventions>,
    pub(crate) audience: Option<Text>,
    pub(crate) credential: CredentialKind,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) key_id: Option<Arc<str>>,
}

impl Facts {
    pub(crate) fn new(mut text: ClaimsText, mut registered: RegisteredClaims, provenance: Provenance) -> Self {
        match provenance.conventions.client() {
            ClientClaim::Registered => {}
            ClientClaim::At(pointer) => {
                registered.client_id = text.find_text(pointer);
                let other = if registered.client_id.is_none() { subtree(text.json(), pointer) } else { None };
                if let Some(Value::String(client)) = &other
                    && !client.is_empty()
                {
                    // An element of an array: `find_text` follows objects only.
                    registered.client_id = text.push_copy(client);
                }
                registered
                    .wrong_types
                    .set_client(other.map(|value| Kind::of(&value)).filter(|kind| *kind != Kind::Text));
            }
            ClientClaim::Nowhere => {
                registered.client_id = None;
                registered.wrong_types.set_client(None);
            }
        }
        Self {
            text,
            registered,
            provenance,
            rungs: Rungs::ALL,
            parsed: OnceLock::new(),
            checked_at_epoch: AtomicU64::new(0),
        }
    }

    /// Reads facts from a claims object whose authenticity **the caller vouches for**.
    ///
    /// One of the ways to bypass verification, which are all named `assertion`: for authenticators of other kinds (introspection, a trust
    /// chain) and for tests. Only the form is checked: the caller must have established issuer, audience, times and authenticity by its
    /// own means. If the claims have `cnf` (RFC 7800), a [`Proven`](crate::authenticator::Proven) made of them owes the proof of the key.
    ///
    /// # Errors
    ///
    /// [`Code::ClaimsMalformed`] if `claims` is not a strict JSON object with claims of the right types; [`Code::ServiceMisconfigured`]
    /// if the conventions name an impossible place.
    pub fn assertion(claims: impl Into<String>, conventions: impl Into<Arc<Conventions>>) -> Result<Self, AuthError> {
        let conventions = conventions.into();
        if let Some(problem) = conventions.problems().next() {
            return Err(AuthError::new(Code::ServiceMisconfigured).with_explanation(problem));
        }
        let mut text = ClaimsText::from(claims.into());
        let registered = RegisteredClaims::parse(&mut text)?;
        let audience = registered.audience.iter().next();
        let credential = CredentialKind::Asserted;
        let provenance = Provenance { conventions, audience, credential, algorithm: None, key_id: None };
        Ok(Self::new(text, registered, provenance))
    }

    /// Reads facts from claims that are not JSON text yet: a `serde_json::Map`, or your own type.
    ///
    /// The claims are written as JSON once, and that text is read like in [`assertion`](Self::assertion), by the same rules: no repeated
    /// members (two fields of a type may have the same name), at most 32 levels. [`claims_json`](Self::claims_json) returns it. **The
    /// caller vouches** for the same things as there.
    /// ```
    /// use portcullis_core::verified::{Conventions, CredentialKind, Facts};
    /// use serde_json::json;
    ///
    /// let row = json!({ "sub": "alice", "jti": "key-1", "scope": "orders:read" }); // from a table
    /// let facts = Facts::assertion_of(&row, Conventions::new("https://keys.example.com"))?
    ///     .with_credential(CredentialKind::ApiToken)
    ///     .with_key_id("pepper-2026");
    /// assert!(facts.has_scope("orders:read"));
    /// # Ok::<(), portcullis_core::AuthError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`assertion`](Self::assertion); also [`Code::ServiceMisconfigured`] if the value cannot be written as JSON.
    pub fn assertion_of(
        claims: &(impl Serialize + ?Sized),
        conventions: impl Into<Arc<Conventions>>,
    ) -> Result<Self, AuthError> {
        // The error's own text could quote a claim.
        let text = serde_json::to_string(claims).map_err(|_| {
            AuthError::new(Code::ServiceMisconfigured).with_explanation("the asserted claims cannot be written as JSON")
        })?;
        Self::assertion(text, conventions)
    }

    /// Sets the kind of the credential. Defaults to [`CredentialKind::Asserted`]; a verified JSON Web Token has [`CredentialKind::Jwt`].
    #[must_use]
    pub fn with_credential(mut self, kind: CredentialKind) -> Self {
        self.provenance.credential = kind;
        self
    }

    /// Names the key with which the credential was verified, so that [revoking the key](crate::revocation::Level::Key) ends it. Defaults
    /// to none.
    #[must_use]
    pub fn with_key_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.provenance.key_id = Some(id.into());
        self
    }

    /// Sets the levels of revocation that apply. Defaults to [`Rungs::ALL`], with the horizon, which is right for a token that contains
    /// its own claims.
    #[must_use]
    pub fn with_rungs(self, rungs: Rungs) -> Self {
        Self { rungs, ..self }
    }

    /// Returns the levels of revocation that apply.
    pub fn rungs(&self) -> &Rungs {
        &self.rungs
    }

    /// Returns `iss`, the issuer: one of the trusted issuers, compared exactly.
    #[doc(alias = "iss")]
    pub fn issuer(&self) -> &str {
        self.provenance.conventions.issuer()
    }

    /// Returns `sub`, the subject. It is unique only together with the issuer: see [`Facts::identity`]. `None` if it is absent or empty:
    /// Cloudflare writes `"sub": ""` into tokens of services, which have no subject.
    #[doc(alias = "sub")]
    #[doc(alias = "user_id")]
    pub fn subject(&self) -> Option<&str> {
        self.read(self.registered.subject)
    }

    /// Returns issuer and subject, the values to store and compare. `None` if the token has no subject.
    pub fn identity(&self) -> Option<Identity<'_>> {
        self.subject().map(|subject| Identity::new(self.issuer(), subject))
    }

    /// Returns the value of `aud` that matched this service; without `aud`, that of the claim which was [accepted in its
    /// place](crate::TrustedIssuer::danger_claim_as_audience).
    #[doc(alias = "aud")]
    pub fn audience(&self) -> Option<&str> {
        self.read(self.provenance.audience)
    }

    /// Returns `jti`, the token's id. `None` if it is absent, empty or not a string.
    #[doc(alias = "jti")]
    pub fn token_id(&self) -> Option<&str> {
        self.read(self.registered.token_id)
    }

    /// Returns `sid`, the session in which it was issued. `None` if it is absent, empty or not a string.
    #[doc(alias = "sid")]
    pub fn session_id(&self) -> Option<&str> {
        self.read(self.registered.session_id)
    }

    /// Returns the OAuth client that it was issued to: `client_id` (RFC 9068 section 2.2), or the claim that this issuer [uses for
    /// it](crate::TrustedIssuer::client_claim).
    ///
    /// `None` if the token does not name a client.
    #[doc(alias = "azp")]
    #[doc(alias = "cid")]
    pub fn client_id(&self) -> Option<&str> {
        self.read(self.registered.client_id)
    }

    /// Returns the JSON pointer at which this issuer writes the client's id; `None` if it
    /// [does not](crate::TrustedIssuer::without_client_claim).
    pub fn client_claim(&self) -> Option<&str> {
        self.provenance.conventions.client_place()
    }

    /// Returns `ver`, the subject's token version, if it is an integer that is written as one: `5`, but not `5.0`.
    pub fn version(&self) -> Option<u64> {
        self.registered.version
    }

    /// Returns `exp`: from when on the token is refused (without leeway).
    #[doc(alias = "exp")]
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.registered.expires_at
    }

    /// Returns `nbf`: until when it was refused.
    #[doc(alias = "nbf")]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.registered.not_before
    }

    /// Returns `iat`: when it was issued.
    #[doc(alias = "iat")]
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.registered.issued_at
    }

    /// Returns `auth_time`: when its subject last logged in (RFC 9470, OpenID Connect Core section 2). `None` if it is absent or not a
    /// number of seconds.
    #[doc(alias = "auth_time")]
    pub fn authenticated_at(&self) -> Option<UnixTime> {
        self.registered.authenticated_at
    }

    /// Returns `acr`: how its subject logged in (RFC 9470, OpenID Connect Core section 2). `None` if it is absent or not a string.
    pub fn acr(&self) -> Option<&str> {
        self.read(self.registered.acr)
    }

    /// Returns the kind of the credential, as its authenticator reported it, never from a claim.
    pub fn credential(&self) -> CredentialKind {
        self.provenance.credential
    }

    /// Returns the algorithm of the signature; `None` if it was not a verified JWT.
    #[doc(alias = "alg")]
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.provenance.algorithm
    }

    /// Returns the id of the key that made the signature: the id of our key, not the one in the token's header. For a credential of
    /// another kind, the id that its authenticator [sets](Self::with_key_id).
    #[doc(alias = "kid")]
    pub fn key_id(&self) -> Option<&str> {
        self.provenance.key_id.as_deref()
    }

    /// Returns the granted scopes: `scope`, or `scp` if that is absent.
    #[doc(alias = "scope")]
    #[doc(alias = "scp")]
    pub fn scopes(&self) -> Scopes<'_> {
        Scopes::new(&self.registered.scopes, self.text.with_copies())
    }

    /// Whether a granted scope covers this one, by the issuer's scope rule (literally, unless set otherwise).
    pub fn has_scope(&self, needed: &str) -> bool {
        self.scopes().iter().any(|granted| self.provenance.conventions.covers(granted, needed))
    }

    /// Whether that role is at one of the places where the issuer writes roles (`/roles`, unless set otherwise).
    #[doc(alias = "groups")]
    pub fn has_role(&self, role: &str) -> bool {
        let mut places = self.provenance.conventions.role_places();
        places.any(|(pointer, delimiter)| self.roles_at(pointer).delimited_by(delimiter).contains(role))
    }

    /// Returns the roles at a JSON pointer (RFC 6901) such as `/realm_access/roles`. In a claim's name, `/` is written `~1` and `~` is
    /// written `~0`: `/https:~1~1ns~1roles`.
    ///
    /// A string there is one role; see [`Roles::delimited_by`].
    pub fn roles_at(&self, pointer: &str) -> Roles<'_> {
        Roles::new(self.claim(pointer))
    }

    /// Returns the claim at a JSON pointer (RFC 6901), such as `/tenant` or `/realm_access/roles/0`. In a claim's name, `/` is written
    /// `~1` and `~` is written `~0`: `/https:~1~1ns~1tenant`.
    ///
    /// The first call parses the claims into a tree, which is kept with the token. In handlers, prefer your own claims type, and use this
    /// in guards.
    pub fn claim(&self, pointer: &str) -> Option<ClaimRef<'_>> {
        let tree = self.parsed.get_or_init(|| tree(self.claims_json()).map(Box::new));
        tree.as_deref()?.pointer(pointer).map(ClaimRef::new)
    }

    /// Whether a claim was requested but the claims could not be read, so that the answer was that there is none: a guard must then
    /// refuse, whatever its decision was.
    ///
    /// This should not happen: a token whose claims cannot be read is refused by the same rules when it is verified. Requirements, and
    /// the guards that use them, check this themselves.
    pub fn has_unreadable_claims(&self) -> bool {
        self.parsed.get().is_some_and(Option::is_none)
    }

    /// Refuses the token if this claim exists with the wrong type: for a rule that reads it. The claim's own method then returns `None`,
    /// as if it were absent.
    ///
    /// Profiles, revocation and the requirements [`fresh`] and [`acr`] call this themselves.
    ///
    /// [`fresh`]: https://docs.rs/portcullis/latest/portcullis/requirement/fn.fresh.html
    /// [`acr`]: https://docs.rs/portcullis/latest/portcullis/requirement/fn.acr.html
    ///
    /// # Errors
    ///
    /// [`Code::ClaimsMalformed`], with an explanation that names the claim and its type.
    pub fn require_type(&self, claim: LenientClaim) -> Result<(), AuthError> {
        let place = self.provenance.conventions.client_place().filter(|_| claim == LenientClaim::ClientId);
        self.registered.wrong_types.require_at(claim, place.unwrap_or(claim.name()).trim_start_matches('/'))
    }

    /// Returns a claim as a copy, for a single question: no tree of all the others is made or kept.
    pub(crate) fn find_claim(&self, pointer: &str) -> Option<Value> {
        subtree(self.claims_json(), pointer)
    }

    /// Returns the claims as they were signed: JSON text.
    pub fn claims_json(&self) -> &str {
        self.text.json()
    }

    /// Returns how the issuer writes claims that no RFC defines.
    pub(super) fn conventions(&self) -> &Conventions {
        &self.provenance.conventions
    }

    /// Returns the conventions, to be kept.
    pub(crate) fn shared_conventions(&self) -> &Arc<Conventions> {
        &self.provenance.conventions
    }

    /// Whether there is a claim `events`.
    pub(crate) fn has_events(&self) -> bool {
        self.registered.has_events
    }

    /// Whether there is a claim `cnf`, with any content: the credential is then bound to a key.
    pub(crate) fn is_bound(&self) -> bool {
        self.registered.is_bound
    }

    /// Reads a custom claims type.
    pub(crate) fn read_custom<C: serde::de::DeserializeOwned>(&self) -> Result<C, AuthError> {
        custom::read(self.claims_json())
    }

    pub(crate) fn checked_at_epoch(&self) -> &AtomicU64 {
        &self.checked_at_epoch
    }

    fn read(&self, claim: Option<Text>) -> Option<&str> {
        claim.map(|text| text.of(self.text.with_copies()))
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("issuer", &self.issuer())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A verified token in a cache takes 256 bytes besides its text: the facts, the two counters of the shared handle, and the
    /// allocator's word.
    #[test]
    fn facts_are_small() {
        let shared = size_of::<Facts>() + 3 * size_of::<usize>();
        assert!(shared <= 256, "{shared}");
    }
}
