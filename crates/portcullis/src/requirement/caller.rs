//! Requirements about the caller and the kind of its credential.

use std::fmt;

use portcullis_core::{
    AuthError, Principal,
    text::exact_text_problem,
    verified::{CredentialKind, Facts},
};

use super::{Requirement, leaf::Leaf};

/// Requires a user who acts in person: [`Principal::User`].
///
/// An application does not meet it, and neither does a party that acts for a user; `user().or(acting())` accepts the latter too. A token
/// whose `act` or client id claim cannot be read is refused as `claims_malformed`. A token that names neither a subject nor a client is
/// refused as `claim_missing`. Both hold under a [`not`](super::not) as well.
///
/// **Applications of some issuers look like users** until you configure how they are marked: see [`Principal`].
///
/// ```
/// use portcullis::verified::CredentialKind;
/// use portcullis::requirement::{actor, credential, scope, user};
///
/// let transfer = scope("payments:write").and(user().or(actor("helpdesk"))).and(!credential(CredentialKind::ApiToken));
/// assert_eq!(
///     transfer.to_string(),
///     r#"scope("payments:write") and (user or actor("helpdesk")) and not credential(api_token)"#,
/// );
/// ```
pub fn user() -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::User))
}

/// Requires an application that acts for itself: [`Principal::Application`]. If the principal is unclear, the token is refused as for
/// [`user`].
pub fn application() -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Application))
}

/// Requires a caller who acts for another party, whatever the two are: [`Principal::Acting`]. If the principal is unclear, the token is
/// refused as for [`user`].
pub fn acting() -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Acting))
}

/// Requires this party to act for another one: the outermost `act` of the token has this text as `sub` (RFC 8693 section 4.1).
///
/// The actor belongs to the token's own issuer; for other issuers see [`actor_of`]. If the principal is unclear, the token is refused as
/// for [`user`].
pub fn actor(subject: impl Into<String>) -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Actor { subject: subject.into(), issuer: None }))
}

/// Requires this party of this issuer to act for another one, like [`actor`]. The actor's issuer is `iss` within `act`, or by default the
/// token's issuer.
///
/// A token of another issuer meets this only if its issuer may name actors of this one
/// ([`TrustedIssuer::actors_of`](crate::TrustedIssuer::actors_of)). Otherwise every tenant could claim that the shared helpdesk is acting.
pub fn actor_of(issuer: impl Into<String>, subject: impl Into<String>) -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Actor { subject: subject.into(), issuer: Some(issuer.into()) }))
}

/// Requires a credential of this kind ([`Facts::credential`]).
///
/// Identities from [`AuthLayer::assertion`](crate::AuthLayer::assertion) have the kind [`CredentialKind::Asserted`] unless the test says otherwise.
pub fn credential(kind: CredentialKind) -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Credential(kind)))
}

/// A requirement about the principal, or about the kind of its credential.
pub(super) enum Caller {
    User,
    Application,
    Acting,
    Actor {
        subject: String,
        /// `None` for the token's issuer.
        issuer: Option<String>,
    },
    Credential(CredentialKind),
}

impl Caller {
    /// Returns an error if the principal is unclear.
    pub(super) fn is_met_by(&self, facts: &Facts) -> Result<bool, AuthError> {
        if let Self::Credential(kind) = self {
            return Ok(facts.credential() == *kind);
        }
        let principal = facts.try_principal()?;
        Ok(match (self, principal) {
            (Self::User, Principal::User(_))
            | (Self::Application, Principal::Application(_))
            | (Self::Acting, Principal::Acting { .. }) => true,
            (Self::Actor { subject, issuer }, Principal::Acting { actor, .. }) => {
                let is_named = actor.subject == subject && actor.issuer == issuer.as_deref().unwrap_or(facts.issuer());
                is_named && facts.vouches_for(actor)
            }
            _ => false,
        })
    }

    /// Returns why no token can ever meet it.
    pub(super) fn problem(&self) -> Option<String> {
        let Self::Actor { subject, issuer } = self else { return None };
        [Some(subject), issuer.as_ref()].into_iter().flatten().find_map(|name| exact_text_problem(name))
    }

    /// Whether it is printed as more than one word.
    pub(super) fn is_phrase(&self) -> bool {
        matches!(self, Self::Actor { issuer: Some(_), .. })
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Application => f.write_str("application"),
            Self::Acting => f.write_str("acting"),
            Self::Actor { subject, issuer: None } => write!(f, "actor({subject:?})"),
            Self::Actor { subject, issuer: Some(issuer) } => write!(f, "actor({subject:?}) of {issuer:?}"),
            Self::Credential(kind) => write!(f, "credential({kind})"),
        }
    }
}
