//! What the fuzz targets check: one function for each parser that meets untrusted octets.
//!
//! Each compares the outcome with an oracle of its own, written for clarity and not for speed, that shares no code with
//! what it judges but `serde_json`. So they find not only a panic, but also what is accepted and should not be, and,
//! where the oracle is complete (all but `client_document`, `creds`, `issuer`, `jwk`, `nats_claims`, `pem` and `token`), the other way round.

pub mod assertion;
pub mod authorization;
pub mod claims;
pub mod client_document;
pub mod code;
pub mod content_digest;
pub mod cookie;
pub mod creds;
pub mod cursor;
pub mod endpoint;
pub mod form;
pub mod header;
pub mod issuer;
pub mod jwk;
pub mod logout;
pub mod nats_claims;
pub mod nats_proof;
pub mod nkey;
pub mod pem;
pub mod redirect_uri;
pub mod refresh_token;
pub mod revocation_entry;
pub mod subprotocol;
pub mod ticket;
pub mod token;

mod desk;
mod location;
mod now;
mod scene;
mod sealed;
mod strict;
