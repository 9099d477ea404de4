//! The registered claims (RFC 7519 section 4.1 and related RFCs), with their types checked.

mod audience;
mod claim_name;
mod claim_place;
mod claim_ref;
mod claims_text;
mod lenient_claim;
mod malformed;
mod numeric_date;
pub(crate) mod pointer;
mod registered;
mod roles;
mod scope;

pub use claim_place::ClaimPlace;
pub use claim_ref::ClaimRef;
pub(crate) use claims_text::ClaimsText;
pub use lenient_claim::LenientClaim;
pub(crate) use registered::RegisteredClaims;
pub use roles::Roles;
pub use scope::Scopes;
