//! [`ProofHeaders`]: the HTTP headers of a signed request.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

/// The HTTP headers by which a request proves who sends it: `Authorization`, `Nats-Proof`, and `Nats-Account` if the signer has an account's token to
/// bring along. The values are marked as sensitive, and `Debug` does not show them.
#[derive(Clone)]
pub struct ProofHeaders {
    pub(crate) authorization: HeaderValue,
    pub(crate) proof: HeaderValue,
    pub(crate) account: Option<HeaderValue>,
}

pub(crate) const PROOF: HeaderName = HeaderName::from_static("nats-proof");
pub(crate) const NONCE: HeaderName = HeaderName::from_static("nats-nonce");
const ACCOUNT: HeaderName = HeaderName::from_static("nats-account");

impl ProofHeaders {
    /// Puts them into the HTTP headers of the request, in place of those of an earlier proof.
    pub fn insert_into(self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.authorization);
        headers.insert(PROOF, self.proof);
        match self.account {
            Some(account) => headers.insert(ACCOUNT, account),
            None => headers.remove(ACCOUNT),
        };
    }
}

/// For clients that take a map, such as reqwest's `RequestBuilder::headers`.
impl From<ProofHeaders> for HeaderMap {
    fn from(headers: ProofHeaders) -> Self {
        let mut map = Self::with_capacity(3);
        headers.insert_into(&mut map);
        map
    }
}

impl fmt::Debug for ProofHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofHeaders").field("account", &self.account.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use portcullis_nats::proof;

    use super::*;

    #[test]
    fn the_names_are_those_of_the_format() {
        let same = |ours: HeaderName, name: &str| ours.as_str().eq_ignore_ascii_case(name);
        assert!(same(PROOF, proof::HEADER) && same(NONCE, proof::NONCE_HEADER) && same(ACCOUNT, proof::ACCOUNT_HEADER));
    }
}
