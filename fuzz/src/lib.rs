//! What the fuzz targets check: one function for each parser that meets untrusted octets.
//!
//! Each compares the outcome with an oracle of its own, written for clarity and not for speed, that shares no code with
//! what it judges but `serde_json`. So they find not only a panic, but also whatever is accepted and should not be, and,
//! where the oracle is complete (all but `issuer`, `jwk`, `pem` and `token`), the other way round.

pub mod authorization;
pub mod claims;
pub mod cookie;
pub mod cursor;
pub mod form;
pub mod header;
pub mod issuer;
pub mod jwk;
pub mod logout;
pub mod pem;
pub mod refresh_token;
pub mod revocation_entry;
pub mod subprotocol;
pub mod token;

mod location;
mod now;
mod scene;
mod strict;
