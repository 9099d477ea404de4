//! Ways in which a token can be wrong, each in one point.

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
    /// The code with which a service answers that finds the token in the `Authorization` HTTP header.
    ///
    /// The same as [`expected`](Self::expected), unless the token is not even a credential by the grammar of RFC 6750
    /// section 2.1: that is [`Code::CredentialMalformed`], status 400 instead of 401.
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
