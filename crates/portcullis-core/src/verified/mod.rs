//! What only verification makes.

mod conventions;
mod custom;
mod facts;
mod identity;
mod proof;

pub(crate) use conventions::ClientClaim;
pub use conventions::Conventions;
pub use facts::Facts;
pub(crate) use facts::Provenance;
pub use identity::Identity;
pub use proof::{AnyVerified, NoCustom, Verified};
