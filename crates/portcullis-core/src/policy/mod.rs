//! What is accepted from one issuer.

mod accept;
mod audience;
mod difference;
mod leeway;
mod problems;
mod profile;
mod required_claim;
#[cfg(test)]
pub(crate) mod testing;
mod times;
mod token_types;
mod trusted_issuer;
mod window;

pub(crate) use accept::Policy;
pub(crate) use difference::{NearNames, difference, listed};
pub use leeway::Leeway;
pub use profile::Profile;
pub(crate) use required_claim::RequiredClaim;
pub use trusted_issuer::TrustedIssuer;
pub(crate) use window::Window;
