//! Checks the audience (RFC 7519 section 4.1.3), or the claim that replaces it.

use super::{
    Policy, Profile,
    difference::{difference, listed},
    policy::missing,
};
use crate::{
    AuthError, Code,
    claims::{ClaimsText, RegisteredClaims},
    json::{Text, subtree},
};

/// How many names, and how many values of a token's `aud`, are compared for the log.
const COMPARED: usize = 16;

impl Policy {
    /// Returns the value of `aud` that matches this service.
    pub(super) fn accept_audience(&self, claims: &RegisteredClaims, text: &mut ClaimsText) -> Result<Text, AuthError> {
        if claims.audience.is_empty()
            && self.profile != Profile::LogoutToken
            && let Some(pointer) = &self.audience_claim
        {
            return self.accept_stand_in(pointer, text);
        }
        if !claims.has_audience {
            return Err(missing("aud"));
        }
        let (text, audience) = (text.with_copies(), &claims.audience);
        let ours = self.audiences.iter().find_map(|ours| audience.iter().find(|value| value.of(text) == &**ours));
        ours.ok_or_else(|| self.not_for_us("an `aud` of the token", audience.iter().map(|value| value.of(text))))
    }

    /// Returns the claim that replaces an absent or empty `aud`: a string, and one of the audiences.
    fn accept_stand_in(&self, pointer: &str, text: &mut ClaimsText) -> Result<Text, AuthError> {
        let claim = subtree(text.json(), pointer).filter(|claim| !claim.is_null() && claim.as_str() != Some(""));
        let claim = claim.ok_or_else(|| {
            AuthError::new(Code::ClaimMissing)
                .with_explanation(format!("there is neither `aud` nor `{pointer}`, which stands in for it"))
        })?;
        let value = claim.as_str().ok_or_else(|| {
            AuthError::new(Code::AudienceMismatch)
                .with_explanation(format!("`{pointer}` stands in for `aud` and is not a text"))
        })?;
        let ours = self.audiences.iter().find(|ours| &***ours == value);
        let ours = ours.and_then(|ours| text.push_copy(ours));
        ours.ok_or_else(|| self.not_for_us("the claim that stands in for `aud`", [value].into_iter()))
    }

    fn not_for_us<'a>(&self, what: &str, theirs: impl Iterator<Item = &'a str>) -> AuthError {
        let ours = || self.audiences.iter().map(|ours| &**ours);
        let expected = listed(ours());
        let near = theirs
            .take(COMPARED)
            .find_map(|theirs| ours().take(COMPARED).find_map(|ours| Some((ours, difference(ours, theirs)?))));
        let explanation = match near {
            Some((ours, how)) => {
                format!("expected here: {expected}; {what} differs from {} {how}", listed([ours].into_iter()))
            }
            None => format!("expected here: {expected}"),
        };
        AuthError::new(Code::AudienceMismatch).with_explanation(explanation)
    }
}
