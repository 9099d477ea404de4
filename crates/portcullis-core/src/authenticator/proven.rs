//! [`Proven`]: the result of an authenticator.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{
    AuthError, UnixTime, Verified,
    policy::Window,
    verified::{Facts, NoCustom, make_verified},
};

/// The result of an [`Authenticator`](crate::Authenticator): whose credential it is, and what the [`Admission`](crate::Admission)
/// needs to finish. The admission checks revocation, caches the credential, and hands the [`Verified`] in this to the request.
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
///         // our table is read again after a minute; a revocation ends the key at once
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
    /// Creates a result for an identity for which the authenticator **is responsible**, with the application's own claims. It is
    /// not cached, the [rungs](Facts::with_rungs) in the facts apply to it, and no proof is owed.
    ///
    /// If the facts have the claim `cnf` (RFC 7800 section 3.1), the credential is bound to a key, and a proof is owed from the start.
    pub fn new(facts: Facts, custom: C) -> Self {
        let proof = if facts.is_bound() { Proof::Owed } else { Proof::NotOwed };
        Self { proof, ..Self::from_verified(make_verified(facts, custom)) }
    }

    /// Creates the same result, and reads the application's own claims from the facts.
    ///
    /// # Errors
    ///
    /// [`Code::CustomClaimsMalformed`](crate::Code::CustomClaimsMalformed) if they do not have the form of `C`.
    pub fn read(facts: Facts) -> Result<Self, AuthError>
    where
        C: DeserializeOwned,
    {
        let custom = facts.read_custom()?;
        Ok(Self::new(facts, custom))
    }

    pub(crate) fn from_verified(verified: Verified<C>) -> Self {
        Self { verified, window: None, edition: Edition::default(), proof: Proof::NotOwed }
    }

    /// Lets the admission cache the credential until `end` (exclusive), but never beyond `exp`. Until then the authenticator is
    /// not asked about it again.
    ///
    /// Defaults to no caching.
    pub fn cache_until(self, end: UnixTime) -> Self {
        let expiry = self.verified.expires_at();
        let window = Window::until(expiry.map_or(end, |expiry| expiry.min(end)));
        self.cache_within(window)
    }

    pub(crate) fn cache_within(self, window: Window) -> Self {
        Self { window: Some(window), ..self }
    }

    /// Sets the state of the authenticator in which this was found. Once [`is_current`](crate::Authenticator::is_current) returns
    /// `false` for it, the credential is verified again.
    ///
    /// Defaults to [`Edition::default`], which is always current unless the authenticator says otherwise.
    pub fn edition(self, edition: Edition) -> Self {
        Self { edition, ..self }
    }

    /// Declares that each request has to prove more than the possession of the credential. The admission then calls
    /// [`Authenticator::check_proof`](crate::Authenticator::check_proof), now and for each later request with this credential.
    pub fn proof_owed(self) -> Self {
        Self { proof: Proof::Owed, ..self }
    }

    /// Declares the same, but the authenticator has already checked the proof of this request. It has to do so before a wait, because a
    /// future has no access to the request.
    pub fn proof_shown(self) -> Self {
        Self { proof: Proof::Shown, ..self }
    }

    /// Records which branch of a dispatch has found this. If there is no room for it, the result is not cached.
    pub(super) fn on_branch(self, at: usize) -> Self {
        match self.edition.on_branch(at) {
            Some(edition) => Self { edition, ..self },
            None => Self { window: None, ..self },
        }
    }

    /// Returns the proven facts.
    pub fn facts(&self) -> &Facts {
        &self.verified
    }
}

impl<C> fmt::Debug for Proven<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proven").field("facts", self.facts()).finish_non_exhaustive()
    }
}

/// Whether the request has to prove more than the possession of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// No: possession is enough.
    NotOwed,
    /// Yes, with each request; not checked yet.
    Owed,
    /// Yes, with each request; checked for this one.
    Shown,
}

/// The state of an authenticator in which something was found, as numbers whose meaning only the authenticator knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    pub(crate) part: u64,
    pub(crate) number: u64,
    /// The path through nested [`Dispatch`](crate::authenticator::Dispatch)es, one byte for each, the outermost one last: one
    /// more than the branch's position. Separate from `part`, so that the numbers of one authenticator cannot be mistaken for
    /// another's.
    branches: u64,
}

impl Edition {
    /// Creates an edition of the whole authenticator.
    pub const fn new(number: u64) -> Self {
        Self::of_part(0, number)
    }

    /// Creates an edition of one of its parts, such as one of several issuers.
    pub const fn of_part(part: u64, number: u64) -> Self {
        Self { part, number, branches: 0 }
    }

    /// How many branches a dispatch may have: they are counted in a byte, and zero means none.
    pub(super) const MAX_BRANCHES: usize = 255;

    /// Returns the edition as one of a dispatch, from the branch at this position; `None` after eight levels, when there is no
    /// more room.
    fn on_branch(self, at: usize) -> Option<Self> {
        let branch = u8::try_from(at + 1).ok()?;
        let branches = self.branches.checked_mul(256)? | u64::from(branch);
        Some(Self { branches, ..self })
    }

    /// Returns the position of the branch in the dispatch, and the edition as that branch knows it.
    pub(super) fn branch(self) -> Option<(usize, Self)> {
        let at = usize::from(self.branches.to_le_bytes()[0]).checked_sub(1)?;
        Some((at, Self { branches: self.branches / 256, ..self }))
    }

    /// Returns the part; 0 for the whole authenticator.
    pub const fn part(self) -> u64 {
        self.part
    }

    /// Returns the number of the edition.
    pub const fn number(self) -> u64 {
        self.number
    }
}
