//! What can go wrong, one type per audience.
//!
//! - [`AuthError`] is for whoever presented a credential. It keeps "refused" apart from "could not decide".
//! - [`ConfigError`] is for the developer, at start, and lists every problem at once.
//! - [`KeySourceError`](crate::keys::KeySourceError) is for the operator: keys could not be had.

mod auth_error;
mod code;
mod config_error;

pub use auth_error::AuthError;
pub use code::{AuthErrorKind, Code};
pub use config_error::ConfigError;
