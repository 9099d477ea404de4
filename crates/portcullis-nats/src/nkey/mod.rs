//! nkeys: Ed25519 keys as text, whose first letter says whose key it is.
//!
//! The text is RFC 4648 base32 in upper case, without padding, of a prefix, the key, and a CRC-16/XMODEM of both in little endian order.
//! A public key has 56 characters (`UDK56DVUT3PRGVWOXBWFGVTZNSS3RIGKKULHYMTFQICCO3FLIQSYGSYL`), a seed has 58 and begins with `S`
//! (`SUAFJ5SAV24EUHQJ34USCI44AQHPRGWI4DWMA2DZEWX2QW3NHB4S4LQNWQ`).
//!
//! Reading is strict. Texts are refused that other implementations accept: lower case, padding, line ends, unused bits that are set, a key
//! of another length, an unknown role, and the keys of small order, for which anyone can sign.

mod decorated;
mod error;
mod pair;
mod public;
mod role;
mod text;
mod typed;

pub(crate) use decorated::blocks;
pub use error::{NkeyError, NkeyErrorKind};
pub use pair::{KeyPair, Seed};
pub use public::PublicKey;
pub use role::Role;
pub use typed::{AccountKey, OperatorKey, UserKey};
