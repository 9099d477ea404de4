//! What an authenticator has found out.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{
    AuthError, UnixTime, Verified,
    policy::Window,
    verified::{Facts, NoCustom, make_verified},
};

/// Whom a credential proves, as its [`Authenticator`](crate::Authenticator) has found out, and what the [`Admission`](crate::Admission) needs to finish: it
/// checks revocation, remembers the credential, and hands the [`Verified`] in this to the request.
///
/// ```
/// use portcullis_core::{AuthError, Authenticator, Code};
/// use portcullis_core::authenticator::{Attempt, Credential, Proven};
/// use portcullis_core::revocation::{Level, Rungs};
/// use portcullis_core::verified::{Conventions, CredentialKind, Facts, NoCustom};
///
/// /// Looks keys up in a table.
/// #[derive(Debug)]
/// struct ApiKeys;
///
/// impl Authenticator for ApiKeys {
///     type Custom = NoCustom;
///
///     fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
///         let facts = match credential.token() {
///             "a-key-of-alice" => Facts::assertion(r#"{"sub": "alice", "jti": "key-1"}"#, Conventions::new("https://keys.example.com")),
///             _ => Err(AuthError::new(Code::KeyUnknown)),
///         };
///         // our table is asked again after a minute, and an entry of the revocation log ends the key at once
///         let until = credential.now().plus(std::time::Duration::from_secs(60));
///         let facts = facts.map(|facts| facts.with_credential(CredentialKind::ApiToken).with_rungs(Rungs::of([Level::Token])));
///         Attempt::Done(facts.map(|facts| Proven::new(facts, NoCustom).cache_until(until)))
///     }
/// }
///
/// let admission = portcullis_core::Admission::new(ApiKeys);
/// let verified = admission.verify("a-key-of-alice").ready().unwrap()?;
/// assert_eq!((verified.subject(), verified.credential()), (Some("alice"), CredentialKind::ApiToken));
/// assert_eq!(admission.verify("another-key").ready().unwrap().unwrap_err().code(), Code::KeyUnknown);
/// # Ok::<(), AuthError>(())
/// ```
#[must_use = "what is proven becomes an identity only by the admission"]
pub struct Proven<C = NoCustom> {
    pub(crate) verified: Verified<C>,
    pub(crate) window: Option<Window>,
    pub(crate) edition: Edition,
    pub(crate) proof: Proof,
}

impl<C> Proven<C> {
    /// An identity for which the authenticator **vouches**, with the application's own claims. It is not remembered, the
    /// [rungs](Facts::with_rungs) that the facts name apply to it, and no proof is owed.
    pub fn new(facts: Facts, custom: C) -> Self {
        Self::from_verified(make_verified(facts, custom))
    }

    /// The same, with the application's own claims read from the facts.
    ///
    /// # Errors
    ///
    /// [`Code::CustomClaimsMalformed`](crate::Code::CustomClaimsMalformed) if they do not have the form of `C`.
    pub fn read(facts: Facts) -> Result<Self, AuthError>
    where
        C: DeserializeOwned,
    {
        Verified::assertion_of(facts).map(Self::from_verified)
    }

    pub(crate) fn from_verified(verified: Verified<C>) -> Self {
        Self { verified, window: None, edition: Edition::default(), proof: Proof::NotOwed }
    }

    /// Lets the admission remember the credential, so that the authenticator is not asked about it again before `end` (excluded), but never beyond `exp`.
    ///
    /// Defaults to not remembering it.
    pub fn cache_until(self, end: UnixTime) -> Self {
        let expiry = self.verified.expires_at();
        let window = Window::until(expiry.map_or(end, |expiry| expiry.min(end)));
        self.cache_within(window)
    }

    pub(crate) fn cache_within(self, window: Window) -> Self {
        Self { window: Some(window), ..self }
    }

    /// Says by what state of the authenticator this was found: once [`is_current`](crate::Authenticator::is_current) says no, the credential is
    /// verified again.
    ///
    /// Defaults to [`Edition::default`], which is always current unless the authenticator says otherwise.
    pub fn edition(self, edition: Edition) -> Self {
        Self { edition, ..self }
    }

    /// Says that more than the credential has to be proven with each request. The admission then asks [`Authenticator::check_proof`](crate::Authenticator::check_proof), now and for
    /// each request that presents it again.
    pub fn proof_owed(self) -> Self {
        Self { proof: Proof::Owed, ..self }
    }

    /// The same, when the authenticator has seen the proof of this request already: before it had to wait, since a request cannot be looked at afterwards.
    pub fn proof_shown(self) -> Self {
        Self { proof: Proof::Shown, ..self }
    }

    /// Notes by which part of a dispatch this was found. What cannot be noted is not remembered.
    pub(super) fn on_branch(self, at: usize) -> Self {
        match self.edition.on_branch(at) {
            Some(edition) => Self { edition, ..self },
            None => Self { window: None, ..self },
        }
    }

    /// What is proven.
    pub fn facts(&self) -> &Facts {
        &self.verified
    }
}

impl<C> fmt::Debug for Proven<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proven").field("facts", self.facts()).finish_non_exhaustive()
    }
}

/// Whether more than the credential has to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Who has the credential may use it.
    NotOwed,
    /// With each request, and not looked at yet.
    Owed,
    /// With each request, and seen for this one.
    Shown,
}

/// By what state of an authenticator something was found: numbers whose meaning is its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    pub(crate) part: u64,
    pub(crate) number: u64,
    /// Through which parts of which [`Dispatch`](crate::authenticator::Dispatch) it came, a byte for each, the outermost one last; each is one more than the position.
    /// Apart from `part`, so that the numbers of one authenticator can never be taken for another's.
    branches: u64,
}

impl Edition {
    /// An edition of the whole authenticator.
    pub const fn new(number: u64) -> Self {
        Self::of_part(0, number)
    }

    /// An edition of one of its parts, such as an issuer among several.
    pub const fn of_part(part: u64, number: u64) -> Self {
        Self { part, number, branches: 0 }
    }

    /// How many parts a dispatch may have: a byte counts them, and zero means none.
    pub(super) const MAX_BRANCHES: usize = 255;

    /// The edition as that of a dispatch whose part of this position it is of; `None` if there is no room to say so, after eight of them.
    fn on_branch(self, at: usize) -> Option<Self> {
        let branch = u8::try_from(at + 1).ok()?;
        let branches = self.branches.checked_mul(256)? | u64::from(branch);
        Some(Self { branches, ..self })
    }

    /// The position of the dispatch's part that it is of, and the edition as that part knows it.
    pub(super) fn branch(self) -> Option<(usize, Self)> {
        let at = usize::from(self.branches.to_le_bytes()[0]).checked_sub(1)?;
        Some((at, Self { branches: self.branches / 256, ..self }))
    }

    /// Which part it is of; 0 if it is of the whole.
    pub const fn part(self) -> u64 {
        self.part
    }

    /// The number of the edition.
    pub const fn number(self) -> u64 {
        self.number
    }
}
