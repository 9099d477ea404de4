//! [`Owner`]: whose token it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose token it is. A user's tokens end with the account; an organisation's outlive the person who made them. `Debug` shows no name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Owner {
    /// A user, by `sub`.
    User(String),
    /// An application, by `client_id`.
    Application(String),
    /// An organisation, by its id.
    Organisation(String),
}

impl Owner {
    /// How long an id may be, in bytes.
    pub const BYTE_LIMIT: usize = 512;

    /// What the `client_id` of an organisation's token begins with. No application of this issuer may have such an id, or one could pass for the other.
    pub const ORGANISATION: &'static str = crate::ORGANISATION;

    /// Returns the owner that is this user.
    pub fn user(subject: impl Into<String>) -> Self {
        Self::User(subject.into())
    }

    /// Returns the owner that is this application.
    pub fn application(client_id: impl Into<String>) -> Self {
        Self::Application(client_id.into())
    }

    /// Returns the owner that is this organisation.
    pub fn organisation(id: impl Into<String>) -> Self {
        Self::Organisation(id.into())
    }

    /// Returns the kind of owner, for stores and logs: `user`, `application` or `organisation`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Application(_) => "application",
            Self::Organisation(_) => "organisation",
        }
    }

    /// Returns the id, which is unique among owners of this kind.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Application(id) | Self::Organisation(id) => id,
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({})", self.kind())
    }
}
