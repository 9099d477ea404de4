//! [`Certificate`]: the thumbprints of a key's certificate (RFC 7515 sections 4.1.7 and 4.1.8).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::keys::KeyHint;

/// A key's certificate, as its thumbprints in base64url. They are only names of a key that was configured or published: the certificate
/// is not checked, and nothing is trusted because of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Certificate {
    sha1: Option<Box<str>>,
    sha256: Option<Box<str>>,
}

impl Certificate {
    pub(super) fn of_der(der: &[u8]) -> Self {
        let name = |algorithm| Some(URL_SAFE_NO_PAD.encode(digest(algorithm, der)).into());
        // SHA-1, because `x5t` uses it. An attacker who finds a second certificate with that thumbprint has only the name of a key, not
        // the key.
        Self { sha1: name(&SHA1_FOR_LEGACY_USE_ONLY), sha256: name(&SHA256) }
    }

    /// Reads the members of a JWK (RFC 7517 sections 4.7 to 4.9). Malformed members are ignored.
    pub(super) fn of_members(x5t: Option<&str>, x5t_s256: Option<&str>, x5c: Option<&str>) -> Option<Self> {
        let of_chain =
            x5c.and_then(|text| STANDARD.decode(text).ok()).map(|der| Self::of_der(&der)).unwrap_or_default();
        let certificate = Self {
            sha1: x5t.and_then(|text| thumbprint(text, 20)).or(of_chain.sha1),
            sha256: x5t_s256.and_then(|text| thumbprint(text, 32)).or(of_chain.sha256),
        };
        (certificate != Self::default()).then_some(certificate)
    }

    /// Reads one thumbprint; its length shows which hash it is.
    pub(super) fn of_thumbprint(text: &str) -> Option<Self> {
        let certificate = Self { sha1: thumbprint(text, 20), sha256: thumbprint(text, 32) };
        (certificate != Self::default()).then_some(certificate)
    }

    /// Returns this one, completed with what the other knows.
    pub(super) fn and(self, other: Self) -> Self {
        Self { sha1: self.sha1.or(other.sha1), sha256: self.sha256.or(other.sha256) }
    }

    /// Whether the hint names it: by at least one thumbprint, and without contradiction.
    pub(super) fn is_named_by(&self, hint: KeyHint<'_>) -> bool {
        let pairs = [(self.sha1.as_deref(), hint.certificate_sha1), (self.sha256.as_deref(), hint.certificate_sha256)];
        let mut same = pairs.into_iter().filter_map(|(ours, theirs)| Some(ours? == theirs?)).peekable();
        same.peek().is_some() && same.all(|same| same)
    }
}

fn thumbprint(text: &str, len: usize) -> Option<Box<str>> {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|octets| octets.len() == len).then(|| text.into())
}
