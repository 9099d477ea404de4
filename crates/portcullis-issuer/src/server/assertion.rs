//! [`AssertionKeys`]: verifies the assertions with which a client proves who it is (RFC 7523 section 3, `private_key_jwt`).

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    Admission, Clock, ConfigError, JwtAuthenticator, TrustedIssuer, UnixTime,
    claims::ClaimRef,
    error::AuthErrorKind,
    keys::AlgorithmSet,
    policy::{Leeway, Profile},
    token::UnverifiedToken,
    verified::Facts,
};
use serde::Deserialize;

use super::{
    OAuthError,
    client::{ClientKeys, KeySets},
};
use crate::{StoreError, documents::check_url, refresh::Millis};

/// The algorithms of assertions. A shared secret would be one that the server could use, too.
pub(super) const ALGORITHMS: AlgorithmSet = AlgorithmSet::ASYMMETRIC;

/// The value of `client_assertion_type` (RFC 7523 section 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion may be valid. It is made for one request.
const LIFE: Duration = Duration::from_secs(300);

/// How long a used assertion is remembered after it has ended: its keys may have to be fetched, which takes time after its expiry was checked.
const MARGIN: Duration = Duration::from_secs(300);

/// The public keys of a client.
#[derive(Clone)]
pub(super) struct AssertionKeys {
    pub(super) keys: ClientKeys,
    pub(super) typed_only: bool,
    /// Whether there is a secret, too, which is a mistake.
    pub(super) has_secret: bool,
    /// Shared by clones: neither the keys nor what is made of them ever changes. A client that was changed has others.
    pub(super) made: Arc<Made>,
}

/// What was made of the keys, once, as a client is looked up for each request.
#[derive(Default)]
pub(super) struct Made {
    /// For which client they were found to be usable.
    usable_for: OnceLock<String>,
    /// For which client, at which server.
    verifying: OnceLock<(String, String, JwtAuthenticator)>,
}

/// An assertion that was accepted, but for its single use.
pub(super) struct Asserted {
    /// The digest of its id: ids are of any form and length.
    pub(super) id: String,
    /// Until when its use is remembered.
    pub(super) until: Millis,
}

impl AssertionKeys {
    pub(super) fn new(keys: ClientKeys) -> Self {
        Self { keys, typed_only: false, has_secret: false, made: Arc::default() }
    }

    pub(super) fn problems(&self, id: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if self.has_secret {
            problems.push("has keys and a secret: one of the two is not needed, and weakens the other".to_owned());
        }
        if let ClientKeys::At(uri) = &self.keys {
            problems.extend(check_url("has a `jwks_uri`", uri).err());
            return problems;
        }
        if let Err(error) = self.check(id) {
            problems.push(format!("has keys that cannot be used: {error}"));
        }
        problems
    }

    /// Makes sure that the keys can be used. Only that they can is remembered.
    fn check(&self, id: &str) -> Result<(), ConfigError> {
        if self.made.usable_for.get().is_some_and(|known| known == id) {
            return Ok(());
        }
        // The audience is not known yet, and is checked elsewhere.
        JwtAuthenticator::new(self.trusted(id, "https://issuer.invalid", None)?)?;
        self.made.usable_for.get_or_init(|| id.to_owned());
        Ok(())
    }

    /// Returns what verifies assertions of the client `id` for the server `issuer`.
    fn authenticator(
        &self,
        id: &str,
        issuer: &str,
        sets: Option<&dyn KeySets>,
    ) -> Result<JwtAuthenticator, ConfigError> {
        let verifying = &self.made.verifying;
        if let Some((_, _, known)) = verifying.get().filter(|known| (&*known.0, &*known.1) == (id, issuer)) {
            return Ok(known.clone());
        }
        let authenticator = JwtAuthenticator::new(self.trusted(id, issuer, sets)?)?;
        // Fetched keys are those of the server, which forgets them. At a second server, with the same client, it is made each time.
        if !matches!(self.keys, ClientKeys::At(_)) {
            verifying.get_or_init(|| (id.to_owned(), issuer.to_owned(), authenticator.clone()));
        }
        Ok(authenticator)
    }

    /// The name that selects the keys is read from `sub` before the signature is checked; here it is compared with what was signed.
    fn trusted(&self, id: &str, issuer: &str, sets: Option<&dyn KeySets>) -> Result<TrustedIssuer, ConfigError> {
        Ok(TrustedIssuer::new(id, self.keys.source(sets)?)
            .audience(issuer)
            .algorithms(ALGORITHMS)
            .profile(Profile::ClientAssertion)
            .require_claim_value("/sub", id))
    }

    /// Verifies an assertion of the client `id` for the server `issuer`; `None` if it is not accepted.
    ///
    /// `now` is the time of the store that remembers which assertions were used, so that it does not forget one that is still accepted.
    ///
    /// # Errors
    ///
    /// If it could not be decided.
    pub(super) async fn verify(
        &self,
        id: &str,
        issuer: &str,
        text: &str,
        now: UnixTime,
        sets: Option<&dyn KeySets>,
    ) -> Result<Option<Asserted>, OAuthError> {
        let authenticator = self.authenticator(id, issuer, sets)?;
        let admission = Admission::new(authenticator).without_cache().clock(At(now));
        match admission.verify(text).outcome().await {
            Ok(verified) => Ok(self.accept(text, &verified, issuer, now)),
            Err(error) => match error.kind() {
                AuthErrorKind::InvalidToken | AuthErrorKind::InvalidRequest => Ok(None),
                AuthErrorKind::Misconfigured => Err(ConfigError::new(error.to_string()).into()),
                _ => Err(StoreError::new("the keys of a client are not known at the moment").with_source(error).into()),
            },
        }
    }

    /// Checks what is special about assertions.
    fn accept(&self, text: &str, facts: &Facts, issuer: &str, now: UnixTime) -> Option<Asserted> {
        // One value, and no list: an assertion that names another server as well could have come from there.
        let is_for_us = facts.claim("/aud").and_then(ClaimRef::as_str) == Some(issuer);
        let is_typed = || {
            UnverifiedToken::parse(text)
                .is_ok_and(|token| token.header().type_name() == Some("client-authentication+jwt"))
        };
        let expires_at = facts.expires_at()?;
        let leeway = Leeway::default().as_duration();
        let is_short = expires_at <= now.plus(LIFE).plus(leeway)
            && facts.issued_at().is_none_or(|issued_at| expires_at.since(issued_at) <= LIFE);
        if !is_for_us || !is_short || (self.typed_only && !is_typed()) {
            return None;
        }
        let id = digest::digest(&digest::SHA256, facts.token_id()?.as_bytes());
        let until = expires_at.plus(leeway).plus(MARGIN);
        Some(Asserted { id: URL_SAFE_NO_PAD.encode(id), until: Millis::new(until.as_secs().saturating_mul(1000)) })
    }
}

/// Returns whom an assertion is about, unverified: it selects the client whose keys verify it.
pub(super) fn claimed_subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let octets = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    // serde would read a list as the struct, too.
    let object = Some(octets).filter(|octets| octets.trim_ascii_start().starts_with(b"{"))?;
    serde_json::from_slice(&object).ok().map(|Claims { sub }| sub)
}

/// A clock at one instant.
#[derive(Debug)]
struct At(UnixTime);

impl Clock for At {
    fn now(&self) -> UnixTime {
        self.0
    }
}
