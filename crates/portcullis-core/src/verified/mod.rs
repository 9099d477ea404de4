//! What only verification makes.

mod conventions;
mod credential_kind;
mod custom;
mod facts;
mod identity;
mod principal;
mod proof;

pub(crate) use conventions::ClientClaim;
pub use conventions::Conventions;
pub use credential_kind::CredentialKind;
pub use facts::Facts;
pub(crate) use facts::Provenance;
pub use identity::Identity;
pub use principal::{Actor, Principal};
pub use proof::{AnyVerified, NoCustom, Verified};
