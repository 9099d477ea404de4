//! What tokens of NATS say: the claims in `nats`, one type for each kind of token.
//!
//! Reading a token checks what makes a nats-server refuse it as a whole: a subject with two dots, an export twice, an import whose activation is
//! for another account. Whether a token may be used now, and for what, is decided by a [chain](crate::chain).

mod account;
mod account_limits;
mod activation;
mod export;
mod external_authorization;
mod import;
mod limit;
mod operator;
mod permissions;
mod revocations;
mod signing_key;
pub(crate) mod subject;
mod terms;
mod user;

pub use account::Account;
pub use account_limits::AccountLimits;
pub use activation::{Activation, activation_hash_id};
pub use export::{Export, ExportKind};
pub use external_authorization::ExternalAuthorization;
pub use import::Import;
pub use limit::Limit;
pub use operator::Operator;
pub use permissions::{Permission, Permissions, Responses};
pub use revocations::Revocations;
pub use signing_key::{Scope, SigningKey};
pub use terms::{Terms, TimeRange};
pub use user::User;

use crate::token::{TokenError, TokenErrorKind};

fn invalid(explanation: impl Into<std::borrow::Cow<'static, str>>) -> TokenError {
    TokenError::new(TokenErrorKind::Invalid, explanation)
}
