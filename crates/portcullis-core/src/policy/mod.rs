//! What is accepted from one issuer.

mod audience;
mod difference;
mod leeway;
#[expect(clippy::module_inception, reason = "a file is named by the noun that it defines")]
mod policy;
mod problems;
mod profile;
mod required_claim;
#[cfg(test)]
pub(crate) mod testing;
mod times;
mod token_spec;
mod token_types;
mod trusted_issuer;
mod window;

pub(crate) use difference::{NearNames, difference, listed};
pub use leeway::Leeway;
pub(crate) use policy::Policy;
pub use profile::Profile;
pub(crate) use required_claim::RequiredClaim;
pub use token_spec::TokenSpec;
pub use trusted_issuer::TrustedIssuer;
pub(crate) use window::Window;
