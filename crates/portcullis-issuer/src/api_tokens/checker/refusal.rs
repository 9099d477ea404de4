//! [`Refusal`]: why a token is not accepted.

use portcullis_core::{AuthError, Code, error::AuthErrorKind};

use crate::{api_tokens::ApiTokenRow, date::Date};

/// Why a token is not accepted: final, unlike an outage.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    code: Code,
    /// For the operator's log, with ids and times, and no name.
    explanation: String,
    /// What an ancestor is called, for people who want to know which it is.
    name: Option<String>,
}

/// Whether people see it, who may know the names of tokens, or a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Shown,
    Hidden,
}

impl Refusal {
    fn new(code: Code, explanation: impl Into<String>) -> Self {
        Self { code, explanation: explanation.into(), name: None }
    }

    pub(super) const fn code(&self) -> Code {
        self.code
    }

    pub(super) fn unknown() -> Self {
        Self::new(Code::CredentialUnknown, "the store has no token of this text")
    }

    pub(super) fn of_other_environment(row: &ApiTokenRow, here: &str) -> Self {
        Self::new(Code::CredentialUnknown, format!("the token {} is of another environment than {here:?}", row.id))
    }

    pub(super) fn of_other_kind(row: &ApiTokenRow) -> Self {
        Self::new(Code::CredentialUnknown, format!("the row of the token {} is of another kind than its text", row.id))
    }

    pub(super) fn of_other_pepper(row: &ApiTokenRow) -> Self {
        let why = format!("the row of the token {} has another digest or another pepper than its text", row.id);
        Self::new(Code::CredentialUnknown, why)
    }

    pub(super) fn owner_gone(row: &ApiTokenRow) -> Self {
        Self::new(Code::TokenRevoked, format!("the owner of the token {} no longer exists", row.id))
    }

    /// Returns why a token that is not live is refused.
    pub(super) fn over(row: &ApiTokenRow) -> Self {
        let id = row.id;
        if let Some(revoked) = &row.revoked {
            let why = revoked.reason.as_str();
            return Self::new(
                Code::TokenRevoked,
                format!("the token {id} was revoked at {} ({why})", Date(revoked.at.to_unix())),
            );
        }
        let end = row.ends_at().map(|end| Date(end.to_unix()).to_string()).unwrap_or_default();
        let how = match &row.superseded {
            Some(superseded) => format!("was replaced by {}, and ended at {end}", superseded.by),
            None => format!("expired at {end}"),
        };
        Self::new(Code::TokenExpired, format!("the token {id} {how}"))
    }

    /// Returns why a token is refused whose ancestor is not live, or is not there.
    pub(super) fn by_ancestor(id: impl std::fmt::Display, ancestor: Option<&ApiTokenRow>) -> Self {
        let code = Code::CredentialRevokedByParent;
        match ancestor {
            None => Self::new(code, format!("the token {id}, from which it was derived, is no longer there")),
            Some(row) => Self {
                name: Some(row.name.clone()),
                ..Self::new(code, format!("it was derived from another: {}", Self::over(row).explanation))
            },
        }
    }

    pub(super) fn into_error(self, names: Names) -> AuthError {
        let explanation = match self.name {
            Some(name) if names == Names::Shown => format!("{} (its name: {name:?})", self.explanation),
            _ => self.explanation,
        };
        debug_assert_ne!(self.code.kind(), AuthErrorKind::Unavailable, "an outage is no refusal");
        AuthError::new(self.code).with_explanation(explanation)
    }
}
