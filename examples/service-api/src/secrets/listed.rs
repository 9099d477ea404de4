//! A shared secret as the configuration lists it.

use std::fmt;

use zeroize::Zeroizing;

/// A secret with its id and the state that the operator wants it in.
#[derive(Debug)]
pub(crate) struct ListedSecret {
    pub(crate) id: String,
    pub(crate) state: ListedState,
    pub(crate) material: Material,
}

/// The states as they are written in the file. When a retiring secret ends is not written there: the service counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListedState {
    Standby,
    Active,
    Retiring,
    Revoked,
}

impl ListedState {
    /// The state of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "standby" => Some(Self::Standby),
            "active" => Some(Self::Active),
            "retiring" => Some(Self::Retiring),
            "revoked" => Some(Self::Revoked),
            _ => None,
        }
    }
}

/// The bytes of a secret.
#[derive(Clone)]
pub(crate) enum Material {
    Given(Zeroizing<Vec<u8>>),
    /// Made anew by each process: nobody else can verify what it signed, and it dies with the process.
    Random,
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "REDACTED",
            Self::Random => "random",
        })
    }
}

/// 48 random bytes: more than HS256 asks for (32), at no cost.
pub(crate) fn random() -> Result<Zeroizing<Vec<u8>>, getrandom::Error> {
    let mut bytes = Zeroizing::new(vec![0; 48]);
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
