//! What the fuzz targets check: one function for each parser that meets untrusted octets.
//!
//! Each compares the outcome with an oracle of its own, written for clarity and not for speed, that shares no code with
//! what it judges but `serde_json`. So they find not only a panic, but also whatever is accepted and should not be, and,
//! where the oracle is complete (`claims`, `header`), the other way round.

pub mod authorization;
pub mod claims;
pub mod header;
pub mod issuer;
pub mod jwk;
pub mod token;

mod scene;
mod strict;
