//! [`Principal`]: who acts with a credential: a user, an application, or an actor for another.

use std::{borrow::Cow, fmt};

use super::{Facts, Identity};
use crate::{
    AuthError, Code,
    claims::{ClaimRef, LenientClaim},
};

/// Who acts with a credential: the result of [`Facts::principal`].
///
/// It is determined by standard claims, so it is the same for all issuers that follow them:
///
/// 1. With `act` (RFC 8693 section 4.1), the actor acts for the subject: [`Acting`](Self::Acting).
/// 2. Without `sub`, or with the client's own id as `sub` (RFC 9068 section 2.2), an application acts for itself; the same holds if the
///    issuer [marks it in another way](crate::TrustedIssuer::application_if): [`Application`](Self::Application).
/// 3. Otherwise, a user: [`User`](Self::User).
/// 4. If the token names neither, or one of these claims cannot be read: [`Unknown`](Self::Unknown), which is none of the others.
///
/// **An application looks like a user** if its issuer gives it its own `sub` and no mark, as Keycloak does with service accounts:
/// configure how to recognise them with [`application_if`](crate::TrustedIssuer::application_if). The issuer must not let a user choose a
/// client's id as `sub` (RFC 9068 section 5).
///
/// `Debug` shows the variant, but no name.
///
/// ```
/// use portcullis_core::Principal;
/// use portcullis_core::verified::{Conventions, Facts};
///
/// let conventions = Conventions::new("https://login.example.com");
/// let facts = Facts::assertion(r#"{"sub": "alice", "client_id": "web", "act": {"sub": "helpdesk"}}"#, conventions)?;
/// let by = match facts.principal() {
///     Principal::User(user) => user.subject.to_owned(),
///     Principal::Application(client) => client.to_owned(),
///     Principal::Acting { subject, actor } => format!("{} for {}", actor.subject, subject.subject),
///     _ => "unknown".to_owned(),
/// };
/// assert_eq!(by, "helpdesk for alice");
/// # Ok::<(), portcullis_core::AuthError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Principal<'a> {
    /// A user.
    User(Identity<'a>),
    /// An application, by the id of its client, or by its subject if the token names no client. Unique only together with the
    /// [issuer](Facts::issuer).
    Application(&'a str),
    /// One party that acts for another. The token grants what the subject may do; the actor does it.
    Acting {
        /// The party for which the actor acts.
        subject: Identity<'a>,
        /// The party that acts.
        actor: Actor<'a>,
    },
    /// The principal is unclear. [`Facts::try_principal`] says why.
    Unknown,
}

/// The party that acts for the subject of a token: the outermost `act` (RFC 8693 section 4.1).
///
/// The inner `act` claims name earlier actors; they are history and decide nothing. For an audit log, [`Facts::claim`]`("/act")` returns
/// them all. `Debug` shows no name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Actor<'a> {
    /// Its `iss`; the token's issuer if it has none. Only the token's issuer says so: whether its word is taken about actors of another,
    /// [`Facts::vouches_for`] tells.
    pub issuer: &'a str,
    /// Its `sub`.
    pub subject: &'a str,
}

impl<'a> Actor<'a> {
    /// Reads the actor from a claim `act`. `None` if it has another form: unknown members must not be ignored, because another party's
    /// name could then pass for one of the token's issuer.
    fn read(act: ClaimRef<'a>, issuer: &'a str) -> Option<Self> {
        let name = |claim: ClaimRef<'a>| claim.as_str().filter(|name| !name.is_empty());
        let subject = act.at("/sub").and_then(name)?;
        let issuer = act.at("/iss").map_or(Some(issuer), name)?;
        Some(Self { issuer, subject })
    }
}

impl Facts {
    /// Returns who acts for the subject (`act`: RFC 8693 section 4.1). `None` if there is no actor.
    ///
    /// Also `None` if `act` does not have the form that the RFC defines. For a decision, use [`principal`](Self::principal) or
    /// [`try_actor`](Self::try_actor), which do not treat such a token as one without an actor. The first call parses the claims into a
    /// tree, like [`claim`](Self::claim).
    pub fn actor(&self) -> Option<Actor<'_>> {
        self.try_actor().ok().flatten()
    }

    /// Whether the token's issuer is believed about this actor: it is one of its own, or one of an issuer that was
    /// [named](crate::TrustedIssuer::actors_of).
    pub fn vouches_for(&self, actor: Actor<'_>) -> bool {
        self.conventions().vouches_for_actors_of(actor.issuer)
    }

    /// Returns who acts for the subject, for a rule that reads it. `Ok(None)` if there is no actor.
    ///
    /// # Errors
    ///
    /// [`Code::ClaimsMalformed`] if `act` is not an object with a non-empty string `sub`, and, if it has an `iss`, a non-empty string
    /// there.
    pub fn try_actor(&self) -> Result<Option<Actor<'_>>, AuthError> {
        let Some(act) = self.readable_claim("/act")? else { return Ok(None) };
        Actor::read(act, self.issuer()).map(Some).ok_or_else(|| {
            malformed(
                "claim `act` is there, and a rule of this service reads it: it has to be an object with a string `sub`, and a string \
                 `iss`, if any, neither of them empty",
            )
        })
    }

    /// Returns who acts with this credential: a user, an application, or an actor for another. See [`Principal`] for the rule.
    ///
    /// The first call parses the claims into a tree, like [`claim`](Self::claim).
    pub fn principal(&self) -> Principal<'_> {
        self.try_principal().unwrap_or(Principal::Unknown)
    }

    /// Returns who acts with this credential, or why that is unclear: never [`Principal::Unknown`].
    ///
    /// # Errors
    ///
    /// [`Code::ClaimsMalformed`] if `act`, the claim of the client's id, or that of an
    /// [`application_if`](crate::TrustedIssuer::application_if) has the wrong form; [`Code::ClaimMissing`] if the token names neither
    /// subject nor client, or an actor and no subject.
    pub fn try_principal(&self) -> Result<Principal<'_>, AuthError> {
        let subject = self.identity();
        if let Some(actor) = self.try_actor()? {
            let subjectless = || missing("there is an actor, and no `sub` for whom it acts");
            return subject.map(|subject| Principal::Acting { subject, actor }).ok_or_else(subjectless);
        }
        self.require_type(LenientClaim::ClientId)?;
        let client = self.client_id();
        match subject {
            Some(user) if client != Some(user.subject) && !self.is_marked_application()? => Ok(Principal::User(user)),
            _ => {
                let name = client.or(subject.map(|subject| subject.subject));
                name.map(Principal::Application).ok_or_else(|| missing("there is neither a subject nor a client"))
            }
        }
    }

    /// Whether the token has one of the issuer's marks of an application.
    fn is_marked_application(&self) -> Result<bool, AuthError> {
        for (pointer, value) in self.conventions().application_marks() {
            let Some(claim) = self.readable_claim(pointer)?.filter(|claim| !claim.is_null()) else { continue };
            match has_text(claim, value) {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => {
                    let form = "is neither a string nor a list of strings";
                    return Err(malformed(format!("`{pointer}` tells applications from users, and {form}")));
                }
            }
        }
        Ok(false)
    }

    /// Returns the claim at that place (a JSON pointer, RFC 6901), for a decision in which an absent claim matters; `None` if it is absent.
    ///
    /// # Errors
    ///
    /// [`Code::RequirementUndecided`] if the claims cannot be read: then it is not known whether there is one.
    pub fn readable_claim(&self, pointer: &str) -> Result<Option<ClaimRef<'_>>, AuthError> {
        let claim = self.claim(pointer);
        if self.has_unreadable_claims() {
            return Err(
                AuthError::new(Code::RequirementUndecided).with_explanation("the token's claims cannot be read")
            );
        }
        Ok(claim)
    }
}

/// Whether the claim is this text, or a list with it. `None` if it is neither a text nor a list of texts.
fn has_text(claim: ClaimRef<'_>, text: &str) -> Option<bool> {
    if let Some(found) = claim.as_str() {
        return Some(found == text);
    }
    // To the end, so that one element of another type is noticed wherever it is.
    claim.elements()?.try_fold(false, |has, element| Some(element.as_str()? == text || has))
}

#[cold]
fn malformed(explanation: impl Into<Cow<'static, str>>) -> AuthError {
    AuthError::new(Code::ClaimsMalformed).with_explanation(explanation)
}

#[cold]
fn missing(explanation: &'static str) -> AuthError {
    AuthError::new(Code::ClaimMissing).with_explanation(explanation)
}

impl fmt::Debug for Principal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User(_) => "User(..)",
            Self::Application(_) => "Application(..)",
            Self::Acting { .. } => "Acting { .. }",
            Self::Unknown => "Unknown",
        })
    }
}

impl fmt::Debug for Actor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Actor { .. }")
    }
}
