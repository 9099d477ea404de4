//! [`Role`]: whose key it is.

use std::fmt;

/// Whose key an nkey is. The first letter of its text says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// `O`: the root of trust, or one of its signing keys.
    Operator,
    /// `A`: a tenant, or one of its signing keys.
    Account,
    /// `U`: a person or a program.
    User,
    /// `N`: a nats-server.
    Server,
    /// `C`: a cluster of nats-servers.
    Cluster,
    /// `X`: an X25519 key, for encryption. It cannot sign.
    Curve,
}

impl Role {
    const ALL: [Self; 6] = [Self::Operator, Self::Account, Self::User, Self::Server, Self::Cluster, Self::Curve];

    /// The byte in front of a public key: its upper five bits are the number of the letter in base32.
    pub(super) const fn prefix(self) -> u8 {
        let letter = match self {
            Self::Operator => 14,
            Self::Account => 0,
            Self::User => 20,
            Self::Server => 13,
            Self::Cluster => 2,
            Self::Curve => 23,
        };
        letter << 3
    }

    /// Returns the role with exactly this prefix.
    pub(super) fn of_prefix(prefix: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.prefix() == prefix)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "an operator",
            Self::Account => "an account",
            Self::User => "a user",
            Self::Server => "a server",
            Self::Cluster => "a cluster",
            Self::Curve => "encryption",
        })
    }
}
