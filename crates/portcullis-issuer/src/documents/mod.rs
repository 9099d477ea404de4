//! What an issuer publishes: its key set and its metadata, as values that any server can send.
//!
//! The primary type of this module is [`PublishedDocument`]: a body with its headers, which answers conditional requests. Serve the key set at
//! [`KEY_SET_PATH`], and the metadata at [`ServerMetadata::paths`].
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_core::{Algorithm, policy::TokenSpec};
//! use portcullis_issuer::SigningKey;
//! use portcullis_issuer::documents::{KEY_SET_PATH, PublishedDocument, PublishedKey, ServerMetadata};
//!
//! let spec = TokenSpec::new("https://id.example.com/tenant1").audience("https://orders.example.com");
//! let (active, standby) = (SigningKey::generate(Algorithm::Es256)?, SigningKey::generate(Algorithm::Es256)?);
//!
//! let five_minutes = Duration::from_secs(300);
//! let keys = [PublishedKey::of(&active)?, PublishedKey::of(&standby)?];
//! let key_set = PublishedDocument::key_set(keys, five_minutes)?;
//! let metadata = ServerMetadata::of(&spec).key_set(format!("https://id.example.com{KEY_SET_PATH}"));
//! assert_eq!(metadata.paths()?[0], "/.well-known/oauth-authorization-server/tenant1");
//!
//! // in the handler of any server
//! let if_none_match = Some(key_set.etag());
//! let answer = key_set.answer(if_none_match);
//! assert_eq!((answer.status(), answer.body()), (304, ""));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod document;
mod key_set;
mod metadata;
mod options;
mod url;

pub use document::{DocumentAnswer, PublishedDocument};
pub use key_set::{KEY_SET_PATH, PublishedKey};
pub use metadata::ServerMetadata;
pub use options::{ClientAuthentication, GrantType};
pub(crate) use url::check_url;
