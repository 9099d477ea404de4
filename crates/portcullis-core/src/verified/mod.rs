//! The results of verification.

mod conventions;
mod credential_kind;
mod custom;
mod facts;
mod identity;
mod principal;
#[expect(clippy::module_inception, reason = "a file is named by the noun that it defines")]
mod verified;

pub(crate) use conventions::ClientClaim;
pub use conventions::Conventions;
pub use credential_kind::CredentialKind;
pub use facts::Facts;
pub(crate) use facts::Provenance;
pub use identity::Identity;
pub use principal::{Actor, Principal};
pub(crate) use verified::make_verified;
pub use verified::{AnyVerified, Contents, NoCustom, Verified};
