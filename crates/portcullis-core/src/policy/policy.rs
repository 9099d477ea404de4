//! [`Policy`]: what is accepted from one issuer, and the checks of the claims. Those of the times are in `times.rs`.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{Leeway, Profile, RequiredClaim};
use crate::{
    AuthError, Code, UnixTime,
    claims::{ClaimsText, LenientClaim, RegisteredClaims},
    json::Text,
    judge::{Check, Judge},
    keys::AlgorithmSet,
    token::TokenHeader,
    verified::{Conventions, Facts},
};

/// What is accepted from one issuer.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(super) conventions: Arc<Conventions>,
    pub(super) audiences: Vec<Box<str>>,
    /// The claim that replaces an absent or empty `aud`: a JSON pointer.
    pub(super) audience_claim: Option<String>,
    /// The issuer's own `typ` values, as configured.
    pub(super) token_types: Vec<String>,
    /// Whether a token that is bound to a key is accepted without a proof of that key.
    pub(super) bound_as_bearer: bool,
    pub(super) algorithms: AlgorithmSet,
    pub(super) profile: Profile,
    pub(super) leeway: Leeway,
    pub(super) max_age: Option<Duration>,
    pub(super) max_lifetime: Option<Duration>,
    /// How long after `iat` a logout token without `exp` is accepted, if at all.
    pub(super) logout_without_expiry: Option<Duration>,
    pub(super) required: Vec<RequiredClaim>,
}

impl Policy {
    pub(super) fn new(conventions: Arc<Conventions>) -> Self {
        Self {
            conventions,
            audiences: Vec::new(),
            audience_claim: None,
            token_types: Vec::new(),
            bound_as_bearer: false,
            algorithms: AlgorithmSet::ALL,
            profile: Profile::default(),
            leeway: Leeway::default(),
            max_age: None,
            max_lifetime: None,
            logout_without_expiry: None,
            required: Vec::new(),
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        self.conventions.issuer()
    }

    pub(crate) fn conventions(&self) -> &Arc<Conventions> {
        &self.conventions
    }

    /// The cheap refusals, before any key is looked up.
    pub(crate) fn accept_header<J: Judge>(&self, header: &TokenHeader, judge: &mut J) -> Result<(), AuthError> {
        judge.judge(Check::Type, self.accept_type(header))?;
        judge.judge(Check::Algorithm, self.accept_algorithm(header))?;
        Ok(())
    }

    fn accept_type(&self, header: &TokenHeader) -> Result<(), AuthError> {
        if self.profile.accepts_type(header.token_type(), &self.token_types) {
            return Ok(());
        }
        let wanted = self.profile.wanted_type(&self.token_types);
        Err(AuthError::new(Code::TypeNotAccepted).with_explanation(wanted))
    }

    fn accept_algorithm(&self, header: &TokenHeader) -> Result<(), AuthError> {
        if self.algorithms.contains(header.algorithm()) {
            return Ok(());
        }
        let allowed = format!("allowed here (TrustedIssuer::algorithms): {}", self.algorithms);
        Err(AuthError::new(Code::AlgorithmNotAllowed).with_explanation(allowed))
    }

    /// Checks audience and times, on claims with a valid signature; or, for a judge that continues, on the claims of an already refused
    /// token. Returns the audience that matched: `None` only for a judge that continues after a refusal.
    pub(crate) fn accept_claims<J: Judge>(
        &self,
        claims: &RegisteredClaims,
        text: &mut ClaimsText,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<Option<Text>, AuthError> {
        let audience = judge.judge(Check::Audience, self.accept_audience(claims, text))?;
        // Only these two checks may depend on `now`: for a cached token, only their `window` is checked again.
        self.accept_times(claims, now, judge)?;
        judge.judge(Check::Age, self.accept_age(claims, now))?;
        judge.judge(Check::Profile, self.accept_profile(claims))?;
        judge.judge(Check::Binding, self.accept_binding(claims))?;
        Ok(audience)
    }

    /// Checks the claims that this service requires in addition to the registered ones.
    pub(crate) fn accept_required(&self, facts: &Facts) -> Result<(), AuthError> {
        let mut required = self.required.iter().filter(|required| required.applies_to(self.profile));
        required.try_for_each(|required| required.check(facts))?;
        if self.profile == Profile::LogoutToken { accept_event(facts) } else { refuse_events(facts) }
    }

    fn accept_profile(&self, claims: &RegisteredClaims) -> Result<(), AuthError> {
        match self.profile {
            Profile::Jwt => Ok(()),
            Profile::AccessToken => {
                let read = [LenientClaim::ClientId, LenientClaim::TokenId];
                read.into_iter().try_for_each(|claim| claims.wrong_types.require(claim))?;
                claims.subject.as_ref().ok_or_else(|| missing("sub"))?;
                claims.client_id.as_ref().ok_or_else(|| missing("client_id"))?;
                claims.issued_at.ok_or_else(|| missing("iat"))?;
                claims.token_id.as_ref().ok_or_else(|| missing("jti"))?;
                Ok(())
            }
            Profile::ClientAssertion => {
                claims.wrong_types.require(LenientClaim::TokenId)?;
                claims.subject.as_ref().ok_or_else(|| missing("sub"))?;
                claims.token_id.as_ref().ok_or_else(|| missing("jti"))?;
                Ok(())
            }
            Profile::LogoutToken => {
                let read = [LenientClaim::TokenId, LenientClaim::SessionId];
                read.into_iter().try_for_each(|claim| claims.wrong_types.require(claim))?;
                claims.issued_at.ok_or_else(|| missing("iat"))?;
                claims.token_id.as_ref().ok_or_else(|| missing("jti"))?;
                claims.subject.or(claims.session_id).map(drop).ok_or_else(|| missing("sub` or `sid"))
            }
        }
    }

    /// Refuses a token that is bound to a key, because no proof of that key was checked: as a bearer token, everyone who has copied it
    /// could use it.
    fn accept_binding(&self, claims: &RegisteredClaims) -> Result<(), AuthError> {
        if claims.is_bound && !self.bound_as_bearer {
            return Err(AuthError::new(Code::ProofMissing).with_explanation(
                "the token has `cnf`, so it is bound to a key, and no proof of that key is checked here; \
                 `TrustedIssuer::danger_bound_tokens_as_bearer` accepts it without",
            ));
        }
        Ok(())
    }
}

/// Checks what makes a token a logout token, and keeps an ID token from passing for one (OpenID Connect Back-Channel Logout 1.0 section
/// 2.6, steps 6 and 7).
fn accept_event(facts: &Facts) -> Result<(), AuthError> {
    let event = facts.find_claim("/events/http:~1~1schemas.openid.net~1event~1backchannel-logout");
    if !event.is_some_and(|event| event.is_object()) {
        return Err(missing("events"));
    }
    if facts.find_claim("/nonce").is_some() {
        return Err(AuthError::new(Code::TypeNotAccepted).with_explanation("a logout token has no `nonce`"));
    }
    Ok(())
}

/// Refuses a token that reports an event (RFC 8417 section 2.2), for example a logout token, whose `typ` may be `JWT` or absent, and
/// whose audience may be this service. The names of events are URIs, so an issuer's own claim `events` is not affected.
fn refuse_events(facts: &Facts) -> Result<(), AuthError> {
    if !facts.has_events() {
        return Ok(());
    }
    let events = facts.find_claim("/events");
    let is_event =
        events.as_ref().and_then(Value::as_object).is_some_and(|events| events.keys().any(|name| name.contains(':')));
    if is_event {
        return Err(AuthError::new(Code::TypeNotAccepted).with_explanation(
            "the token reports an event (`events`), as a logout token does: it is not an access token",
        ));
    }
    Ok(())
}

pub(super) fn missing(claim: &'static str) -> AuthError {
    AuthError::new(Code::ClaimMissing).with_explanation(format!("there is no `{claim}`"))
}
