//! Errors, one type per audience.
//!
//! - [`AuthError`] is for the client that presented a credential. It distinguishes "refused" from "could not decide".
//! - [`ConfigError`] is for the developer, at start, and lists every problem.
//! - [`KeySourceError`](crate::keys::KeySourceError) is for the operator: keys were not available.

mod auth_error;
mod code;
mod config_error;

pub use auth_error::AuthError;
pub use code::{AuthErrorKind, Code};
pub use config_error::ConfigError;
