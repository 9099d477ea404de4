//! Tokens of NATS: three parts, as of any JSON Web Token, with rules of their own for header, version and signature.
//!
//! [`Token::read`] checks that the key in `iss` has signed the token, and that it is a key of a role that signs tokens of this kind. This says
//! nothing about trust: anyone can make a key and sign with it. Trust comes from a [chain](crate::chain).
//!
//! - The header is fixed: `typ` is `JWT` (in any case) and `alg` is `ed25519-nkey` (version 2) or `ed25519` (version 1). General algorithms of
//!   JOSE are refused, and so is `crit`.
//! - In version 1 the signature covers the claims only, in version 2 the header, too. Header and claims must say the same version.
//! - Claims are strict JSON: an object, no member twice, whole numbers of 64 bits.

mod error;
mod json;
mod object;
mod parts;
mod read;
mod registered;

pub use error::{TokenError, TokenErrorKind};
pub(crate) use json::Json;
pub(crate) use object::{Object, Read};
#[cfg(feature = "mint")]
pub(crate) use parts::MAX_LEN;
pub(crate) use read::sealed;
pub use read::{Kind, Token, Version};
pub use registered::Registered;
pub(crate) use registered::instant;
