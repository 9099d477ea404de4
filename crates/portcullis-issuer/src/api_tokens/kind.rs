//! [`ApiTokenKind`]: what a token is for.

use serde::{Deserialize, Serialize};

/// What a token is for. Its letter stands in the token, so that a reader of a log sees what has leaked.
///
/// | letter | kind | whose | what it may do |
/// |---|---|---|---|
/// | `a` | application | an application's | what its grants say; obtains tokens of users by exchange, after their consent |
/// | `i` | role to instance | an organisation's or a user's | one role on one instance |
/// | `u` | user to platform | a user's | a role on every instance that the user can reach at the time |
/// | `s` | service account | an organisation's | what its grants say; outlives the person who made it |
/// | `e` | imported | any | what its grants say; its text was made by an earlier system |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApiTokenKind {
    /// Authenticates an application, which may exchange it for tokens of users.
    Application,
    /// One role on one instance.
    RoleToInstance,
    /// A user's role on every instance that the user can reach.
    UserToPlatform,
    /// A program of an organisation.
    ServiceAccount,
    /// Made by an earlier system, and imported by its digest.
    Imported,
}

impl ApiTokenKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Application, Self::RoleToInstance, Self::UserToPlatform, Self::ServiceAccount, Self::Imported];

    /// Returns the letter that stands in tokens of this kind.
    pub const fn letter(self) -> char {
        match self {
            Self::Application => 'a',
            Self::RoleToInstance => 'i',
            Self::UserToPlatform => 'u',
            Self::ServiceAccount => 's',
            Self::Imported => 'e',
        }
    }

    /// Returns the name for logs, metrics and stores, in `snake_case`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::RoleToInstance => "role_to_instance",
            Self::UserToPlatform => "user_to_platform",
            Self::ServiceAccount => "service_account",
            Self::Imported => "imported",
        }
    }
}
