//! Verifies one token: pure and synchronous, without keys of its own.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::{
    AuthError, Code, UnixTime, Verified,
    claims::{ClaimsText, RegisteredClaims},
    issuers::{Found, Trusted},
    json::Text,
    judge::{Check, Judge},
    keys::{KeyHint, KeyMatch, VerifyingKey},
    policy::Policy,
    token::{SeenHeaders, UnverifiedToken, decode_text},
    verified::{CredentialKind, Facts, Provenance, make_verified},
};

/// Verifies tokens by the policies of the trusted issuers. Keys and the time are arguments.
#[derive(Debug)]
pub(crate) struct Verifier {
    trusted: Trusted,
    seen_headers: SeenHeaders,
}

/// A token whose header is acceptable to the issuer that it names; not proven yet.
pub(crate) struct ScreenedToken<'t, 'v> {
    token: UnverifiedToken<'t>,
    claims: UnprovenClaims,
    /// The trusted issuer that it names.
    pub(crate) issuer: Found<'v>,
}

/// Why there is no screened token.
pub(crate) enum Unscreened {
    Refused(AuthError),
    /// The issuer of this name is not known, but the resolver may be asked.
    UnknownIssuer(Box<str>),
}

impl From<AuthError> for Unscreened {
    fn from(error: AuthError) -> Self {
        Self::Refused(error)
    }
}

/// The parsed claims. They are private to this module: until the signature is verified they only select the issuer. A judge that
/// continues after a failure may see their checks, for a token that is already refused ([`ScreenedToken::judge_unproven`]).
struct UnprovenClaims {
    text: ClaimsText,
    registered: RegisteredClaims,
}

impl Verifier {
    pub(crate) fn new(trusted: Trusted) -> Self {
        Self { trusted, seen_headers: SeenHeaders::default() }
    }

    pub(crate) fn trusted(&self) -> &Trusted {
        &self.trusted
    }

    /// Parses the token: shape, size, header.
    pub(crate) fn parse<'t>(&self, text: &'t str, max_len: usize) -> Result<UnverifiedToken<'t>, AuthError> {
        UnverifiedToken::parse_seen(text, max_len, &self.seen_headers)
    }

    /// Makes the cheap checks, before any key is looked up or fetched.
    ///
    /// The claims are parsed here, in the same single pass that serves the later checks, because `iss` selects the policy. That
    /// is all it does: a forged `iss` leads to keys that did not make the signature.
    pub(crate) fn screen<'t, J: Judge>(
        &self,
        token: UnverifiedToken<'t>,
        judge: &mut J,
    ) -> Result<ScreenedToken<'t, '_>, Unscreened> {
        let text = judge.gate(Check::Claims, decode_text(token.claims_text(), Code::ClaimsMalformed))?;
        let mut text = ClaimsText::from(text);
        let registered = judge.gate(Check::Claims, RegisteredClaims::parse(&mut text))?;
        let issuer = registered.issuer.map(|issuer| issuer.of(text.with_copies()));
        let found = match issuer.and_then(|issuer| self.trusted.find(issuer)) {
            Some(found) => Ok(found),
            None => Err(self.not_found(issuer)?),
        };
        let issuer = judge.gate(Check::Issuer, found)?;
        let header = issuer.policy.accept_header(token.header(), judge);
        header.map_err(|error| error.with_issuer(issuer.policy.conventions()))?;
        Ok(ScreenedToken { token, claims: UnprovenClaims { text, registered }, issuer })
    }

    /// Returns why a token of this issuer is refused, unless the resolver may be asked.
    #[cold]
    fn not_found(&self, issuer: Option<&str>) -> Result<AuthError, Unscreened> {
        match issuer {
            Some(issuer) if self.trusted.may_ask(issuer) => Err(Unscreened::UnknownIssuer(issuer.into())),
            issuer => Ok(self.trusted.table().not_trusted(issuer)),
        }
    }

    /// Checks the claims of a token that `signer` signed: see [`ScreenedToken::find_signer`]. Also returns the issuer by whose
    /// policy it was accepted.
    pub(crate) fn accept<'v, C: DeserializeOwned, J: Judge>(
        &self,
        screened: ScreenedToken<'_, 'v>,
        signer: &VerifyingKey,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<(Verified<C>, Found<'v>), AuthError> {
        let ScreenedToken { token, mut claims, issuer } = screened;
        let policy = &issuer.policy;
        if token.header_is_new() {
            self.seen_headers.remember(token.header_text(), token.header_shared());
        }
        let of_issuer = |error: AuthError| error.with_issuer(policy.conventions());
        let audience = judge.accept_claims(policy, &claims.registered, &mut claims.text, now).map_err(of_issuer)?;
        let facts = claims.into_facts(policy, audience, &token, signer);
        judge.judge(Check::Required, policy.accept_required(&facts)).map_err(of_issuer)?;
        let custom = judge.gate(Check::Custom, facts.read_custom()).map_err(of_issuer)?;
        judge.conclude().map_err(of_issuer)?;
        Ok((make_verified(facts, custom), issuer))
    }
}

impl ScreenedToken<'_, '_> {
    /// Returns what is needed to look up the key.
    pub(crate) fn key_hint(&self) -> KeyHint<'_> {
        let header = self.token.header();
        let (sha1, sha256) = header.certificate();
        KeyHint::new(header.algorithm(), header.key_id()).with_certificate(sha1, sha256).with_token(self.token.text())
    }

    /// Checks the claims of a token that is already refused: only for a judge that continues after a failure.
    pub(crate) fn judge_unproven<J: Judge>(&mut self, now: UnixTime, judge: &mut J) -> Result<(), AuthError> {
        let UnprovenClaims { text, registered } = &mut self.claims;
        judge.accept_claims(&self.issuer.policy, registered, text, now).map(drop)
    }

    /// Returns the key that made the signature.
    pub(crate) fn find_signer<'k>(&self, keys: &'k KeyMatch) -> Result<&'k VerifyingKey, AuthError> {
        let signer = self.token.find_signer(keys.iter());
        signer.map_err(|error| error.with_issuer(self.issuer.policy.conventions()))
    }
}

impl UnprovenClaims {
    fn into_facts(
        self,
        policy: &Policy,
        audience: Option<Text>,
        token: &UnverifiedToken<'_>,
        signer: &VerifyingKey,
    ) -> Facts {
        let provenance = Provenance {
            conventions: Arc::clone(policy.conventions()),
            audience,
            credential: CredentialKind::Jwt,
            algorithm: Some(token.header().algorithm()),
            key_id: signer.id_shared(),
        };
        Facts::new(self.text, self.registered, provenance)
    }
}
