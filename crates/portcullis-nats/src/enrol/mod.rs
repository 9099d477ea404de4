//! [`Enrolment`]: gives an authenticated caller a short-lived user of NATS, for a key that the client holds.
//!
//! A client makes a user's nkey, which it keeps, and sends a request with its ordinary credential: its public nkey as the body, and a
//! [`Nats-Proof`](crate::proof) with a signature of that key. The answer is a user's token for the key, signed by a **scoped** signing key of an account,
//! with which the client connects to a nats-server. To renew it, the client asks again with the same key.
//!
//! - The proof has nonce, time and id as every other, and is accepted once. Its signature is over
//!   [other bytes](Signed::octets_of_enrolment), which include the digest of the credential and the public nkey.
//! - The user expires with the caller's credential, and after [`EnrolmentPolicy::longest`] at the latest.
//! - Tags say for whom it was made: `iss:`, `sub:`, `sid:` and `jti:`, each in base32 of lower case letters without padding, because tools of
//!   NATS change tags to lower case. To end a user with a log-out, store its [key](Enrolled::key).
//! - The user's name is a digest of the caller's issuer and subject, so that `{{name()}}` in a template is one word, and another one for each
//!   caller.
//!
//! This is a function over values: authenticate the request with the ordinary layer, and call [`Enrolment::enrol`] in the handler.

mod policy;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::BASE32_NOPAD;
use portcullis_core::{AuthError, Code, UnixTime, authenticator::RequestView, possession::Once, verified::Facts};

pub use self::policy::{ApiTokens, Applications, EnrolmentPolicy};
use crate::{
    claims::User,
    mint::{Mint, MintError, MintErrorKind, Minted, ScopedTerms},
    nkey::UserKey,
    proof::{ProofVerifier, Replay, replayed},
};

#[cfg(doc)]
use crate::proof::Signed;

/// Gives authenticated callers short-lived users of NATS. Cheap to clone. See the module docs.
#[derive(Clone, Debug)]
pub struct Enrolment {
    policy: EnrolmentPolicy,
    proofs: ProofVerifier,
}

/// A request for a user of NATS.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EnrolmentRequest<'a> {
    /// What was verified about the caller.
    pub caller: &'a Facts,
    /// The text of the caller's credential, as it was presented.
    credential: Credential<'a>,
    /// The user's public nkey, as the client sent it.
    pub key: &'a str,
    /// The request, whose `Nats-Proof` is checked.
    pub request: &'a dyn RequestView,
}

/// A text that `Debug` does not show.
#[derive(Clone, Copy)]
struct Credential<'a>(&'a str);

/// A user of NATS that was made for a caller.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Enrolled {
    /// The user's token.
    pub user: Minted<User>,
    /// The user's key. To end this user when the caller logs out, store with the session (`sid`; without one, issuer and subject): the key, the token's
    /// `iat` (`user.token().registered.issued_at`) and [`expires_at`](Self::expires_at). At the log-out, call
    /// [`AccountEdit::revoke`](crate::mint::AccountEdit::revoke) with the `iat` of the key's last token, and not with the time of the log-out, which would also end
    /// a newer session with the same key. A session may have several keys. Nothing here stores them, and an account revokes keys, not tags.
    pub key: UserKey,
    /// The name of its scope.
    pub role: String,
    /// When it expires.
    pub expires_at: UnixTime,
}

impl<'a> EnrolmentRequest<'a> {
    /// Returns the request of this caller, who presented this credential, for this public nkey.
    pub const fn new(caller: &'a Facts, credential: &'a str, key: &'a str, request: &'a dyn RequestView) -> Self {
        Self { caller, credential: Credential(credential), key, request }
    }
}

impl Enrolment {
    /// Returns an enrolment with this policy, whose proofs are checked like those of other requests to this service. Share the verifier with
    /// the authenticator of NATS users, if there is one: each proof is then accepted once by both.
    pub const fn new(policy: EnrolmentPolicy, proofs: ProofVerifier) -> Self {
        Self { policy, proofs }
    }

    /// Returns the policy.
    pub const fn policy(&self) -> &EnrolmentPolicy {
        &self.policy
    }

    /// Makes a user of NATS for a caller.
    ///
    /// # Errors
    ///
    /// - [`Code::RequirementNotMet`] if the policy gives the caller nothing.
    /// - [`Code::ProofMissing`] and the other reasons about proofs if the client has not proven that it holds the key.
    /// - [`Code::TokenExpired`] if the caller's credential has expired.
    /// - [`Code::RequirementUndecided`] if the signing key cannot be reached, and [`Code::ReplayUndecided`] if the store of used proofs cannot answer.
    /// - [`Code::ServiceMisconfigured`] if the user cannot be minted, for example because the account no longer fits the policy.
    pub async fn enrol(&self, request: EnrolmentRequest<'_>, now: UnixTime) -> Result<Enrolled, AuthError> {
        let refused = |why: &'static str| AuthError::new(Code::RequirementNotMet).with_explanation(why);
        let rule = self.policy.rule_for(request.caller).map_err(refused)?;
        let expires_at = self.end(request.caller, now)?;
        let (key, replay) = self.proven(&request, now)?;
        if self.proofs.accept_once(replay).outcome().await? != Once::First {
            return Err(replayed());
        }
        let draft = self.draft(request.caller, key, expires_at);
        let user = draft.sign(&*rule.signer, now).await.map_err(|error| unsigned(&error))?;
        Ok(Enrolled { user, key, role: rule.role.clone(), expires_at })
    }

    /// Returns when the user expires.
    fn end(&self, caller: &Facts, now: UnixTime) -> Result<UnixTime, AuthError> {
        let latest = now.plus(self.policy.longest);
        let end = caller.expires_at().map_or(latest, |end| end.min(latest));
        if end > now { Ok(end) } else { Err(AuthError::new(Code::TokenExpired)) }
    }

    /// Returns the key that the client has proven to hold, before anything is stored.
    fn proven(&self, request: &EnrolmentRequest<'_>, now: UnixTime) -> Result<(UserKey, Replay), AuthError> {
        let malformed = |error: crate::nkey::NkeyError| {
            AuthError::new(Code::ProofMalformed).with_explanation(format!("the key to enrol: {error}"))
        };
        let key = request.key.parse::<UserKey>().map_err(malformed)?;
        let replay = self.proofs.check_enrolment(request.request, &key, request.credential.0, now)?;
        Ok((key, replay))
    }

    fn draft(&self, caller: &Facts, key: UserKey, expires_at: UnixTime) -> Mint<ScopedTerms> {
        let tags = [
            ("iss", Some(caller.issuer())),
            ("sub", caller.subject()),
            ("sid", caller.session_id()),
            ("jti", caller.token_id()),
        ];
        let tags = tags.into_iter().filter_map(|(name, value)| Some(tag(name, value?)));
        let name = name_of(caller.issuer(), caller.subject().unwrap_or_default());
        Mint::scoped_user(key, name, *self.policy.account())
            .within(self.policy.token())
            .tags(tags)
            .expires_at(expires_at)
    }
}

impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(REDACTED)")
    }
}

/// Returns a tag whose value survives being changed to lower case.
pub fn tag(name: &str, value: &str) -> String {
    format!("{name}:{}", BASE32_NOPAD.encode(value.as_bytes()).to_ascii_lowercase())
}

/// Returns one word for a caller: 32 characters of a SHA-256 digest over issuer and subject.
fn name_of(issuer: &str, subject: &str) -> String {
    let mut context = Context::new(&SHA256);
    for part in [issuer, subject] {
        // With its length, so that `ab` and `c` are not `a` and `bc`.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    BASE32_NOPAD.encode(&context.finish().as_ref()[..20]).to_ascii_lowercase()
}

fn unsigned(error: &MintError) -> AuthError {
    let code =
        if error.kind() == MintErrorKind::Signing { Code::RequirementUndecided } else { Code::ServiceMisconfigured };
    AuthError::new(code).with_explanation(error.to_string())
}
