//! API tokens: opaque tokens that programs use for months, looked up in a store of the issuer.
//!
//! An [`ApiTokenRow`] says what one token may do, and an [`ApiTokenStore`] keeps the rows.
//!
//! Nothing in this module needs a signing key, so that a service that only checks API tokens can use it.

mod check;
mod digest;
mod grant;
mod id;
mod kind;
mod memory;
mod owner;
mod page;
mod row;
mod store;

pub use digest::{ApiTokenDigest, PepperId};
pub use grant::{Grant, Grants};
pub use id::ApiTokenId;
pub use kind::ApiTokenKind;
pub use memory::MemoryApiTokenStore;
pub use owner::Owner;
pub use page::ApiTokenPage;
pub use row::{ApiTokenRow, LastUse, NotARow, RevokedReason, Superseded, TokenRevoked};
pub use store::{ApiTokenStore, ApiTokenUse, Changed, FoundApiToken, Inserted};
