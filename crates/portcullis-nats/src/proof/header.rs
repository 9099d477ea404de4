//! [`Proof`]: the value of the HTTP header `Nats-Proof`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::UnixTime;

use super::{ProofError, ProofErrorKind, RequestId, Signed};

/// The value of the HTTP header `Nats-Proof`: `v=1; ts=1795319823; nonce=…; id=…; sig=…`, in any order.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof<'a> {
    /// `ts`: when it was made.
    pub made_at: UnixTime,
    /// `nonce`; empty if it is absent.
    pub nonce: &'a str,
    /// `id`: 22 characters of base64url.
    pub id: &'a str,
    /// `sig`: the signature, 64 bytes.
    pub signature: [u8; 64],
}

const MAX_LEN: usize = 1024;

/// The longest nonce that is looked at. Ours have 43 characters.
const MAX_NONCE_LEN: usize = 256;

impl<'a> Proof<'a> {
    /// Reads the value of the HTTP header.
    ///
    /// # Errors
    ///
    /// If it is not of that form: with each of `v`, `ts`, `id` and `sig` once, `nonce` at most once, and nothing else.
    pub fn parse(value: &'a [u8]) -> Result<Self, ProofError> {
        if value.len() > MAX_LEN {
            return Err(ProofErrorKind::TooLong.into());
        }
        let value = std::str::from_utf8(value).map_err(|_| ProofErrorKind::Form)?;
        let mut found = [None; NAMES.len()];
        for parameter in value.split(';') {
            let (name, value) = parameter.trim_matches(' ').split_once('=').ok_or(ProofErrorKind::Form)?;
            let place = NAMES.iter().position(|known| *known == name).ok_or(ProofErrorKind::Unknown)?;
            if found[place].replace(value).is_some() {
                return Err(ProofErrorKind::Repeated.into());
            }
        }
        let [version, made_at, nonce, id, signature] = found;
        if version != Some("1") {
            return Err(ProofErrorKind::Version.into());
        }
        Ok(Self {
            made_at: made_at.and_then(seconds).ok_or(ProofErrorKind::Value("ts"))?,
            nonce: nonce
                .map_or(Some(""), |nonce| is_nonce(nonce).then_some(nonce))
                .ok_or(ProofErrorKind::Value("nonce"))?,
            id: id.filter(|id| is_id(id)).ok_or(ProofErrorKind::Value("id"))?,
            signature: signature.and_then(signature_bytes).ok_or(ProofErrorKind::Value("sig"))?,
        })
    }
}

const NAMES: [&str; 5] = ["v", "ts", "nonce", "id", "sig"];

impl<'a> Proof<'a> {
    /// Returns the proof of what was signed.
    pub const fn new(signed: &Signed<'a>, signature: [u8; 64]) -> Self {
        Self { made_at: signed.made_at, nonce: signed.nonce, id: signed.id, signature }
    }
}

impl fmt::Display for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=1; ts={}; ", self.made_at)?;
        if !self.nonce.is_empty() {
            write!(f, "nonce={}; ", self.nonce)?;
        }
        write!(f, "id={}; sig={}", self.id, URL_SAFE_NO_PAD.encode(self.signature))
    }
}

impl fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("made_at", &self.made_at).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Reads decimal seconds in their only form, so that there is one text for each proof.
fn seconds(text: &str) -> Option<UnixTime> {
    let made_at = UnixTime::from_secs(text.parse().ok()?);
    (made_at.to_string() == text).then_some(made_at)
}

/// Whether a text can be the nonce of a proof: 1 to 256 characters of `A-Z a-z 0-9 - _ . ~ + / =`. A client has to ignore any other one: a
/// `;` in it would add parameters to the proof.
pub fn is_nonce(text: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte);
    !text.is_empty() && text.len() <= MAX_NONCE_LEN && text.bytes().all(is_character)
}

fn is_id(text: &str) -> bool {
    text.len() == RequestId::LEN && decoded::<16>(text).is_some()
}

fn signature_bytes(text: &str) -> Option<[u8; 64]> {
    if text.len() == 86 { decoded(text) } else { None }
}

/// Returns the bytes of a text of base64url, if they are as many.
fn decoded<const LEN: usize>(text: &str) -> Option<[u8; LEN]> {
    // A little more than 64, because the decoder wants room for whole groups of three.
    let mut bytes = [0; 66];
    let len = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    bytes[..len].try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

    fn text() -> String {
        Proof { made_at: UnixTime::from_secs(1_795_319_823), nonce: "Y2hhbGxlbmdl", id: ID, signature: [7; 64] }
            .to_string()
    }

    #[test]
    fn a_proof_is_read_as_it_was_written_and_in_any_order() {
        let text = text();
        let proof = Proof::parse(text.as_bytes()).unwrap();
        assert_eq!(proof.to_string(), text);
        let mut parts: Vec<_> = text.split("; ").collect();
        parts.reverse();
        assert_eq!(Proof::parse(parts.join(";").as_bytes()).unwrap(), proof);
        assert!(Proof::parse(text.replace("nonce=Y2hhbGxlbmdl; ", "").as_bytes()).unwrap().nonce.is_empty());
        assert!(Proof::parse(text.replace("ts=1795319823", "ts=253402300799").as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_exactly_a_proof_is_refused() {
        let refused = |change: &dyn Fn(&str) -> String| Proof::parse(change(&text()).as_bytes()).unwrap_err().kind();
        assert_eq!(refused(&|text| text.replace("v=1", "v=2")), ProofErrorKind::Version);
        assert_eq!(refused(&|text| text.replace("v=1; ", "")), ProofErrorKind::Version);
        assert_eq!(refused(&|text| format!("{text}; x=1")), ProofErrorKind::Unknown);
        assert_eq!(refused(&|text| format!("{text}; v=1")), ProofErrorKind::Repeated);
        assert_eq!(refused(&|text| format!("{text};")), ProofErrorKind::Form);
        assert_eq!(refused(&|text| text.replace("ts=1", "ts=01")), ProofErrorKind::Value("ts"));
        assert_eq!(refused(&|text| text.replace("ts=1", "ts=-1")), ProofErrorKind::Value("ts"));
        // There are no later instants, so it would be read as the last one.
        assert_eq!(refused(&|text| text.replace("ts=1795319823", "ts=253402300800")), ProofErrorKind::Value("ts"));
        assert_eq!(refused(&|text| text.replace("nonce=Y2hhbGxlbmdl", "nonce=")), ProofErrorKind::Value("nonce"));
        assert_eq!(refused(&|text| text.replace("nonce=Y", "nonce=\"")), ProofErrorKind::Value("nonce"));
        assert_eq!(refused(&|text| text.replace(ID, &ID[1..])), ProofErrorKind::Value("id"));
        assert_eq!(refused(&|text| text.replace(ID, "AAAAAAAAAAAAAAAAAAAAAB")), ProofErrorKind::Value("id"));
        assert_eq!(refused(&|text| text[..text.len() - 1].to_owned()), ProofErrorKind::Value("sig"));
        assert_eq!(refused(&|text| format!("{text}A")), ProofErrorKind::Value("sig"));
        assert_eq!(refused(&|text| format!("{text}{}", " ".repeat(1024))), ProofErrorKind::TooLong);
    }
}
