//! [`Defect`]: the ways in which a token can be wrong, each in one point.

mod audience;
mod claims;
mod encoding;
mod fault;
mod forgery;
mod header;
mod issuer;
mod kind;
mod signature;
mod table;
mod times;

pub(crate) use fault::Fault;
pub use table::Defect;

use portcullis_core::Code;
use std::fmt;

impl Defect {
    /// Returns the code with which a service answers if the token is in the `Authorization` HTTP header.
    ///
    /// This is [`expected`](Self::expected), unless the token does not even match the grammar of a credential in RFC 6750 section 2.1:
    /// then it is [`Code::CredentialMalformed`], with status 400 instead of 401.
    pub fn expected_over_http(self) -> Code {
        match self {
            Self::HeaderPadded | Self::ClaimsPadded | Self::ClaimsWhiteSpace | Self::JsonSerialization => {
                Code::CredentialMalformed
            }
            _ => self.expected(),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
