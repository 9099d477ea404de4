//! Minting of access tokens.
//!
//! By hand, because the workspace has no issuer yet: `portcullis-issuer` will replace this file.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::clock::UnixTime;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{config::TokenRules, revocations::TokenVersions, secrets::Secrets, users::User};

/// Mints tokens with the active secret.
#[derive(Debug)]
pub(crate) struct Mint {
    rules: TokenRules,
    secrets: Arc<Secrets>,
    versions: TokenVersions,
}

/// A token, ready to be handed out.
pub(crate) struct AccessToken {
    text: Zeroizing<String>,
    /// In seconds.
    pub(crate) expires_in: u64,
}

/// Why no token was minted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MintError {
    /// Larger than the budget. The token travels with every request, and servers refuse large HTTP headers.
    #[error(
        "the token for `{}` would have {size} bytes, the budget is {budget} (token.size_budget_bytes): \
         give the user fewer scopes and roles, or raise the budget", subject.escape_debug()
    )]
    TooLarge { subject: String, size: usize, budget: usize },
    #[error("the operating system has no randomness for an id")]
    Randomness(#[from] getrandom::Error),
    #[error("the claims cannot be written as JSON")]
    Claims(#[from] serde_json::Error),
    #[error("the active secret cannot sign")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

impl Mint {
    pub(crate) fn new(rules: TokenRules, secrets: Arc<Secrets>, versions: TokenVersions) -> Self {
        Self { rules, secrets, versions }
    }

    /// Mints a token for `user` that lives from `now` on, in a session of its own: there is one for each login.
    ///
    /// # Errors
    ///
    /// [`MintError::TooLarge`]; the others mean that the system is out of order.
    pub(crate) fn mint(&self, user: &User, now: UnixTime) -> Result<AccessToken, MintError> {
        let TokenRules { issuer, audience, lifetime, size_budget, .. } = &self.rules;
        let signer = self.secrets.signer();
        let header = Header { alg: "HS256", typ: "JWT", kid: signer.id() };
        let claims = Claims {
            iss: issuer,
            aud: audience,
            sub: user.name(),
            iat: now.as_secs(),
            exp: now.plus(*lifetime).as_secs(),
            jti: &random_id()?,
            sid: &random_id()?,
            ver: self.versions.of_new_token(user.name(), now),
            scope: &user.scopes().join(" "),
            roles: user.roles(),
        };
        let mut text = Zeroizing::new(format!("{}.{}", encoded(&header)?, encoded(&claims)?));
        let signature = signer.sign(text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);

        if text.len() > *size_budget {
            let (subject, size) = (user.name().to_owned(), text.len());
            return Err(MintError::TooLarge { subject, size, budget: *size_budget });
        }
        Ok(AccessToken { text, expires_in: lifetime.as_secs() })
    }
}

impl AccessToken {
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(REDACTED)")
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// Short on purpose: what is empty is left out.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
    /// Revoked when this token alone has leaked.
    jti: &'a str,
    /// Revoked by a logout.
    sid: &'a str,
    /// Raised by a logout everywhere.
    ver: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [String],
}

fn encoded(part: &impl Serialize) -> serde_json::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part)?))
}

/// 128 random bits: no two tokens or sessions share an id, and none can be guessed.
fn random_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use argon2::password_hash::phc::PasswordHash;
    use portcullis::{
        Admission, JwtAuthenticator, TrustedIssuer, authenticator::Attempt, clock::Clock, policy::Leeway,
        revocation::ViewWriter,
    };

    use super::*;
    use crate::secrets::{ListedSecret, ListedState, Material, Timing};

    #[derive(Debug)]
    struct At(UnixTime);

    impl Clock for At {
        fn now(&self) -> UnixTime {
            self.0
        }
    }

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn mint(size_budget: usize) -> Mint {
        let listed = ListedSecret { id: "2026-11".to_owned(), state: ListedState::Active, material: Material::Random };
        let timing = Timing { token_life: Duration::from_secs(900), rollout: Duration::ZERO };
        let rules = TokenRules {
            issuer: "https://service.test".to_owned(),
            audience: "https://orders.test".to_owned(),
            lifetime: Duration::from_secs(900),
            leeway: Leeway::NONE,
            size_budget,
        };
        let writer = ViewWriter::builder(Duration::from_secs(86_400)).build();
        let versions = TokenVersions::new(&rules.issuer, rules.leeway, &writer);
        Mint::new(rules, Arc::new(Secrets::open(&[listed], timing, NOW).unwrap()), versions)
    }

    fn user() -> User {
        let hash = PasswordHash::new("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ").unwrap();
        User::new("alice".to_owned(), hash, vec!["orders:read".to_owned()], vec!["admin".to_owned()])
    }

    #[test]
    fn what_is_minted_is_accepted_until_it_expires() {
        let mint = mint(1024);
        let token = mint.mint(&user(), NOW).unwrap();
        let accepted_at = |now| {
            let issuer =
                TrustedIssuer::new("https://service.test", mint.secrets.ring()).audience("https://orders.test");
            let admission = Admission::new(JwtAuthenticator::new(issuer.leeway(Leeway::NONE)).unwrap()).clock(At(now));
            let Attempt::Done(outcome) = admission.verify(token.expose()) else { panic!("the key is at hand") };
            outcome
        };
        let verified = accepted_at(NOW.plus(Duration::from_secs(899))).unwrap();
        assert!(verified.has_scope("orders:read") && verified.has_role("admin"));
        assert!(verified.token_id().is_some() && verified.session_id().is_some() && verified.version().is_some());
        assert!(accepted_at(NOW.plus(Duration::from_secs(900))).is_err());
    }

    #[test]
    fn the_budget_is_kept_to_the_byte() {
        let size = mint(1024).mint(&user(), NOW).unwrap().expose().len();
        assert!(mint(size).mint(&user(), NOW).is_ok());
        let refused = mint(size - 1).mint(&user(), NOW).unwrap_err();
        assert!(matches!(&refused, MintError::TooLarge { size: told, .. } if *told == size), "{refused}");
    }

    #[test]
    fn debug_shows_no_token() {
        assert_eq!(format!("{:?}", mint(1024).mint(&user(), NOW).unwrap()), "AccessToken(REDACTED)");
    }
}
