//! Requirements about who calls, and with which kind of credential.

use std::fmt;

use portcullis_core::{
    AuthError, Principal,
    text::exact_text_problem,
    verified::{CredentialKind, Facts},
};

use super::{Requirement, leaf::Leaf};

/// The caller is a user who acts in person: [`Principal::User`].
///
/// Neither an application nor a party that acts for a user; `user().or(acting())` accepts the last, too. A token in which `act` or the claim
/// of the client's id cannot be read is refused as `claims_malformed`, one that names neither a subject nor a client as `claim_missing`, also
/// under a [`not`](super::not).
///
/// **Applications of some issuers are taken for users** until you say how they are marked: see [`Principal`].
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

/// The caller is an application that acts for itself: [`Principal::Application`]. What cannot be told is refused as for [`user`].
pub fn application() -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Application))
}

/// The caller acts for another party, whichever the two are: [`Principal::Acting`]. What cannot be told is refused as for [`user`].
pub fn acting() -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Acting))
}

/// The caller acts for another party and is this one: the outermost `act` of the token has this text as `sub` (RFC 8693 section 4.1).
///
/// The actor is one of the token's own issuer; for another's see [`actor_of`]. What cannot be told is refused as for [`user`].
pub fn actor(subject: impl Into<String>) -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Actor { subject: subject.into(), issuer: None }))
}

/// As [`actor`], for an actor of the issuer that is named here: by `iss` within `act`, or, without that, by the token's.
///
/// A token of another issuer is believed only if that issuer may speak of this one's actors
/// ([`TrustedIssuer::actors_of`](crate::TrustedIssuer::actors_of)): or each tenant could name the helpdesk of all.
pub fn actor_of(issuer: impl Into<String>, subject: impl Into<String>) -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Actor { subject: subject.into(), issuer: Some(issuer.into()) }))
}

/// The caller presents a credential of this kind ([`Facts::credential`]).
///
/// Identities from [`AuthLayer::assertion`](crate::AuthLayer::assertion) have the kind [`CredentialKind::Asserted`] unless the test says otherwise.
pub fn credential(kind: CredentialKind) -> Requirement {
    Requirement::leaf(Leaf::Caller(Caller::Credential(kind)))
}

/// What is asked of the principal or of the kind of its credential.
pub(super) enum Caller {
    User,
    Application,
    Acting,
    Actor {
        subject: String,
        /// `None` for the issuer of the token.
        issuer: Option<String>,
    },
    Credential(CredentialKind),
}

impl Caller {
    /// An error if it cannot be told.
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

    /// Why no token is like that.
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
