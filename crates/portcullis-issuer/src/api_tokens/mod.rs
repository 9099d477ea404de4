//! API tokens: opaque tokens that programs use for months, looked up in a store of the issuer.
//!
//! The primary type of this module is [`ApiTokens`]. What is promised:
//!
//! - **A copy of the store is no token.** It has a keyed digest of each, and the key is not in it.
//! - **Junk costs no look-up.** Each token carries a tag that only the issuer can compute.
//! - **A token never does more than its owner may at the time**, nor than those may from which it was derived. If that cannot be found out, the
//!   answer is 503.
//! - **Revoking a token ends all that were derived from it**, by one entry in the log of revocations.
//! - **Logging out everywhere spares API tokens**: programs go on when a user changes the password.
//! - A lost answer to a [rotation](ApiTokens::rotate) loses no token.
//!
//! An [`ApiTokenRow`] says what one token may do, and an [`ApiTokenStore`] keeps the rows. Nothing in this module needs a signing key, so that a service that only
//! checks API tokens can use it ([`ApiTokensBuilder::build_authenticator`]).

mod check;
mod checker;
mod digest;
mod error;
mod event;
mod format;
mod grant;
mod id;
mod kind;
mod manage;
mod memberships;
mod memory;
mod new;
mod owner;
mod page;
mod peppers;
mod row;
mod secret;
mod store;
mod token;

pub use checker::{ApiTokenAuthenticator, RecordingUses};
pub use digest::{ApiTokenDigest, PepperId};
pub use error::ApiTokenError;
pub use event::ApiTokenEvent;
pub use format::ApiTokenFormat;
pub use grant::{Grant, Grants};
pub use id::ApiTokenId;
pub use kind::ApiTokenKind;
pub use manage::{
    ApiTokenList, ApiTokens, ApiTokensBuilder, ForeignDigest, NotSet, RevocationImpact, Rotation, Warned,
};
pub use memberships::{DangerUncheckedMemberships, MembershipError, Memberships};
pub use memory::MemoryApiTokenStore;
pub use new::NewApiToken;
pub use owner::Owner;
pub use page::ApiTokenPage;
pub use peppers::Peppers;
pub use row::{ApiTokenRow, LastUse, NotARow, RevokedReason, Superseded, TokenRevoked};
pub use secret::ApiTokenSecret;
pub use store::{ApiTokenStore, ApiTokenUse, Changed, FoundApiToken, Inserted};
pub use token::{ApiToken, ApiTokenState, CreatedApiToken};
