//! Revocation: where it is kept ([`LogPlace`]), and which versions a user's tokens have ([`TokenVersions`]).
//!
//! Everything else about it is the library's: `Revocations` follows the log and revokes, and the admission asks it.

mod place;
mod versions;

pub(crate) use self::{place::LogPlace, versions::TokenVersions};
