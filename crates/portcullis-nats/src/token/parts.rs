//! The three parts of a token's text, and its header.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Json, Object, TokenError, TokenErrorKind, Version};

/// The longest token that is read: 1 MiB, as in nats-server. A verifier of requests sets a lower limit.
pub(crate) const MAX_LEN: usize = 1024 * 1024;

/// The parts of a token, decoded; nothing is trusted.
pub(super) struct Parts<'a> {
    text: &'a str,
    claims_text: &'a str,
    header_len: usize,
    pub(super) version: Version,
    pub(super) claims: Vec<(String, Json)>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > MAX_LEN {
            return Err(TokenError::new(TokenErrorKind::TooLong, "the token is longer than 1 MiB"));
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims_text), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("the token does not have three parts"));
        };
        let version = read_header(header)?;
        let claims = decode("claims", claims_text)?;
        let claims = std::str::from_utf8(&claims).map_err(|_| malformed("the claims are not UTF-8"))?;
        let claims = Json::object(claims).map_err(|problem| malformed(format!("the claims: {problem}")))?;
        let signature = decode("signature", signature)?;
        Ok(Self { text, claims_text, header_len: header.len(), version, claims, signature })
    }

    /// Returns the bytes that were signed.
    pub(super) fn signing_input(&self) -> &'a [u8] {
        match self.version {
            Version::V1 => self.claims_text.as_bytes(),
            Version::V2 => &self.text.as_bytes()[..self.header_len + 1 + self.claims_text.len()],
        }
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// The headers of version 1, as the library in Go has written them.
const V1_HEADERS: [&[u8]; 2] = [br#"{"typ":"jwt","alg":"ed25519"}"#, br#"{"typ":"JWT","alg":"ed25519"}"#];

/// Returns the version that the header says.
fn read_header(text: &str) -> Result<Version, TokenError> {
    let bad = |problem: &str| TokenError::new(TokenErrorKind::Header, format!("the header {problem}"));
    let bytes = decode("header", text)?;
    let members = std::str::from_utf8(&bytes).map_err(|_| bad("is not UTF-8"))?;
    let members = Json::object(members).map_err(|problem| bad(&format!("is wrong: {problem}")))?;
    let header = Object::new("", &members, &["typ", "alg", "crit"]).map_err(|_| bad("has a member in another case"))?;
    let text = |name| header.text(name).map_err(|_| bad("has a member that is not a string"));
    if !text("typ")?.is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")) {
        return Err(bad("does not have the typ JWT"));
    }
    if header.get("crit").is_some() {
        return Err(bad("demands an extension"));
    }
    match text("alg")? {
        Some(alg) if alg.eq_ignore_ascii_case("ed25519-nkey") => Ok(Version::V2),
        // It is not signed, so only what libraries have written is accepted: one token must not have many texts.
        Some(_) if V1_HEADERS.contains(&&*bytes) => Ok(Version::V1),
        _ => Err(bad("has an alg that is neither ed25519-nkey nor ed25519")),
    }
}

fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, TokenError> {
    let decoded =
        URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed(format!("the {what} is not base64url without padding")))?;
    if decoded.is_empty() { Err(malformed(format!("the {what} is empty"))) } else { Ok(decoded) }
}

fn malformed(explanation: impl Into<std::borrow::Cow<'static, str>>) -> TokenError {
    TokenError::new(TokenErrorKind::Malformed, explanation)
}
