//! The recipe by which one token is judged: pure, synchronous, without keys of its own.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::{
    AuthError, Code, CredentialKind, Facts, KeyHint, KeyMatch, UnixTime, UnverifiedToken, Verified, VerifyingKey,
    claims::{ClaimsText, RegisteredClaims},
    json::Text,
    judge::{Check, Judge},
    policy::{NearNames, Policy, Window, difference, listed},
    token::{SeenHeaders, decode_text},
    verified::Provenance,
};

/// Judges tokens by the policies of the trusted issuers. Keys and the time come in as arguments.
#[derive(Debug)]
pub(crate) struct Verifier {
    policies: Vec<Policy>,
    /// The issuers' names, for the log of tokens whose `iss` is nearly one of them.
    near_names: NearNames,
    seen_headers: SeenHeaders,
}

/// A token whose header is acceptable to the issuer that it claims; still unproven.
pub(crate) struct ScreenedToken<'t, 'v> {
    token: UnverifiedToken<'t>,
    claims: UnprovenClaims,
    policy: &'v Policy,
    /// Which of the trusted issuers it claims, by position.
    pub(crate) row: usize,
}

/// The claims as parsed. Private to this module: nobody reads them before the signature is known to be right.
struct UnprovenClaims {
    text: ClaimsText,
    registered: RegisteredClaims,
}

impl Verifier {
    pub(crate) fn new(policies: Vec<Policy>) -> Self {
        let near_names = NearNames::new(policies.iter().map(Policy::issuer));
        Self { policies, near_names, seen_headers: SeenHeaders::default() }
    }

    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter()
    }

    /// Takes the token apart: shape, size, header.
    pub(crate) fn parse<'t>(&self, text: &'t str, max_len: usize) -> Result<UnverifiedToken<'t>, AuthError> {
        UnverifiedToken::parse_seen(text, max_len, &self.seen_headers)
    }

    /// The cheap refusals, before any key is looked up or fetched.
    ///
    /// The claims are parsed here, in the same single pass that serves the checks later on, because `iss` picks the
    /// policy. Picking is all that it does: a forged `iss` leads to keys that did not make the signature.
    pub(crate) fn screen<'t, J: Judge>(
        &self,
        token: UnverifiedToken<'t>,
        judge: &mut J,
    ) -> Result<ScreenedToken<'t, '_>, AuthError> {
        let text = judge.gate(Check::Claims, decode_text(token.claims_text(), Code::ClaimsMalformed))?;
        let mut text = ClaimsText::from(text);
        let registered = judge.gate(Check::Claims, RegisteredClaims::parse(&mut text))?;
        let issuer = registered.issuer.map(|issuer| issuer.of(text.with_copies()));
        let row = issuer.and_then(|issuer| self.row_of(issuer)).ok_or_else(|| self.not_trusted(issuer));
        let row = judge.gate(Check::Issuer, row)?;
        let policy = &self.policies[row];
        policy.accept_header(token.header(), judge)?;
        Ok(ScreenedToken { token, claims: UnprovenClaims { text, registered }, policy, row })
    }

    fn row_of(&self, issuer: &str) -> Option<usize> {
        self.policies.iter().position(|policy| policy.issuer() == issuer)
    }

    /// Says who is trusted, and how the token's issuer differs from the one whose name it nearly has.
    fn not_trusted(&self, issuer: Option<&str>) -> AuthError {
        let names = || self.policies.iter().map(Policy::issuer);
        let mut explanation = format!("trusted here: {}", listed(names()));
        let near = issuer.and_then(|issuer| {
            let ours = self.policies[self.near_names.find(issuer)?].issuer();
            Some((ours, difference(ours, issuer)?))
        });
        if issuer.is_none() {
            explanation.push_str("; the token has no `iss`");
        } else if let Some((ours, difference)) = near {
            explanation.push_str("; the token's `iss` differs from ");
            explanation.push_str(&listed([ours].into_iter()));
            explanation.push(' ');
            explanation.push_str(&difference);
        }
        AuthError::new(Code::IssuerNotTrusted).with_explanation(explanation)
    }

    /// Decides about the claims of a token that `signer` signed: see [`ScreenedToken::find_signer`].
    pub(crate) fn accept<C: DeserializeOwned, J: Judge>(
        &self,
        screened: ScreenedToken<'_, '_>,
        signer: &VerifyingKey,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<Verified<C>, AuthError> {
        let ScreenedToken { token, mut claims, policy, .. } = screened;
        if token.header_is_new() {
            self.seen_headers.remember(token.header_text(), token.header_shared());
        }
        let audience = judge.accept_claims(policy, &claims.registered, &mut claims.text, now)?;
        let facts = claims.prove(policy, audience, &token, signer);
        judge.judge(Check::Required, policy.accept_required(&facts))?;
        let custom = judge.gate(Check::Custom, facts.read_custom())?;
        judge.conclude()?;
        Ok(Verified::assertion(facts, custom))
    }

    /// The instants at which a token that was accepted by the policy of this row is so again.
    pub(crate) fn window(&self, row: usize, facts: &Facts) -> Window {
        self.policies[row].window(facts)
    }
}

impl ScreenedToken<'_, '_> {
    /// What is needed to look the key up.
    pub(crate) fn key_hint(&self) -> KeyHint<'_> {
        let header = self.token.header();
        let (sha1, sha256) = header.certificate();
        KeyHint::new(header.algorithm(), header.key_id()).with_certificate(sha1, sha256).with_token(self.token.text())
    }

    /// What the claims are worth of a token that is refused already: only for a judge who goes on.
    pub(crate) fn judge_unproven<J: Judge>(&mut self, now: UnixTime, judge: &mut J) -> Result<(), AuthError> {
        let UnprovenClaims { text, registered } = &mut self.claims;
        judge.accept_claims(self.policy, registered, text, now).map(drop)
    }

    /// The one of `keys` that made the signature.
    pub(crate) fn find_signer<'k>(&self, keys: &'k KeyMatch) -> Result<&'k VerifyingKey, AuthError> {
        self.token.find_signer(keys.iter())
    }
}

impl UnprovenClaims {
    fn prove(
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
