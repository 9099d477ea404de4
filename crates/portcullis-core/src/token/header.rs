//! [`TokenHeader`]: the token's JOSE header (RFC 7515 section 4), an untrusted hint until the signature is verified.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::{
    Algorithm, AuthError, Code,
    json::{MemberName, MemberNames, Scan},
};

/// The longest `kid` that is accepted. Real ones are thumbprints, UUIDs or dates; a long one is an attempt to be logged, stored or hashed
/// at our cost.
const MAX_KEY_ID: usize = 512;

/// The longest `typ` that is kept: the maximum for the names of a media type (RFC 6838 section 4.2), with `application/`.
const MAX_TYPE: usize = 140;

/// The parts of a header that may influence a decision.
///
/// `jwk`, `jku`, `x5u` and `x5c` are left out on purpose: they are never a source of trust and never cause a fetch (RFC 8725 sections 3.9
/// and 3.10). `x5t` and `x5t#S256`, like `kid`, only name a known key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHeader {
    algorithm: Algorithm,
    token_type: TokenType,
    key_id: Option<Box<str>>,
    certificate: CertificateMembers,
}

/// `x5t` and `x5t#S256`, untrusted, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct CertificateMembers {
    sha1: Option<Box<str>>,
    sha256: Option<Box<str>>,
}

/// The header's `typ`, as far as it can be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenType {
    Absent,
    Jwt,
    AccessToken,
    LogoutToken,
    /// Any other, by its [short name](short_type); a value that is too long to be a type has none.
    Other(Box<str>),
}

impl TokenHeader {
    /// Returns the algorithm that the token claims; it is trusted only together with a key that is bound to it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns `typ` in lower case and without `application/` in front (RFC 7515 section 4.1.9). `None` if it is absent, or too long to be a
    /// type.
    pub fn type_name(&self) -> Option<&str> {
        match &self.token_type {
            TokenType::Absent => None,
            TokenType::Jwt => Some("jwt"),
            TokenType::AccessToken => Some("at+jwt"),
            TokenType::LogoutToken => Some("logout+jwt"),
            TokenType::Other(name) => Some(name).map(|name| &**name).filter(|name| !name.is_empty()),
        }
    }

    /// Returns `kid`, an untrusted hint.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns `x5t` and `x5t#S256`, untrusted hints.
    pub(crate) fn certificate(&self) -> (Option<&str>, Option<&str>) {
        (self.certificate.sha1.as_deref(), self.certificate.sha256.as_deref())
    }

    pub(crate) fn token_type(&self) -> &TokenType {
        &self.token_type
    }

    /// Parses the header's JSON text.
    ///
    /// # Errors
    ///
    /// - [`Code::HeaderMalformed`]: not one JSON object with members of the right types, each at most once;
    /// - [`Code::AlgorithmNotAllowed`]: `alg` is not supported;
    /// - [`Code::ExtensionNotUnderstood`]: there is a `crit`, or `b64` is `false` (RFC 7797).
    pub(crate) fn parse(json: &str) -> Result<Self, AuthError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let members = Deserializer::deserialize_map(&mut deserializer, HeaderVisitor)
            .and_then(|members| deserializer.end().map(|()| members))
            .map_err(|_| AuthError::new(Code::HeaderMalformed))?;
        if members.extension {
            return Err(Code::ExtensionNotUnderstood.into());
        }
        let algorithm = match members.algorithm {
            AlgorithmMember::Known(algorithm) => algorithm,
            AlgorithmMember::Unknown => return Err(Code::AlgorithmNotAllowed.into()),
            AlgorithmMember::Absent => return Err(Code::HeaderMalformed.into()),
        };
        Ok(Self { algorithm, token_type: members.token_type, key_id: members.key_id, certificate: members.certificate })
    }
}

/// The members as written, before any decision about them.
struct HeaderMembers {
    algorithm: AlgorithmMember,
    token_type: TokenType,
    key_id: Option<Box<str>>,
    certificate: CertificateMembers,
    extension: bool,
}

enum AlgorithmMember {
    Absent,
    Unknown,
    Known(Algorithm),
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = HeaderMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<HeaderMembers, A::Error> {
        let mut names = MemberNames::new();
        let mut header = HeaderMembers {
            algorithm: AlgorithmMember::Absent,
            token_type: TokenType::Absent,
            key_id: None,
            certificate: CertificateMembers::default(),
            extension: false,
        };
        while let Some(name) = members.next_key::<MemberName<'de>>()? {
            names.note(&name)?;
            match name.as_str() {
                "alg" => header.algorithm = AlgorithmMember::named(members.next_value::<MemberName<'de>>()?.as_str()),
                "typ" => header.token_type = TokenType::from_name(members.next_value::<MemberName<'de>>()?.as_str()),
                "kid" => header.key_id = Some(key_id(members.next_value::<MemberName<'de>>()?.as_str())?),
                "x5t" => header.certificate.sha1 = Some(thumbprint(members.next_value::<MemberName<'de>>()?.as_str())),
                "x5t#S256" => {
                    header.certificate.sha256 = Some(thumbprint(members.next_value::<MemberName<'de>>()?.as_str()));
                }
                // We support no extension, so any `crit` is refused, well-formed or not.
                "crit" => {
                    members.next_value_seed(Scan::below(1))?;
                    header.extension = true;
                }
                "b64" => header.extension |= !members.next_value::<bool>()?,
                _ => members.next_value_seed(Scan::below(1))?,
            }
        }
        Ok(header)
    }
}

impl AlgorithmMember {
    fn named(name: &str) -> Self {
        Algorithm::from_name(name).map_or(Self::Unknown, Self::Known)
    }
}

fn key_id<E: de::Error>(text: &str) -> Result<Box<str>, E> {
    if text.len() > MAX_KEY_ID {
        return Err(E::custom("kid is too long"));
    }
    Ok(text.into())
}

/// A text that is longer than any thumbprint names no key, and is not kept.
fn thumbprint(text: &str) -> Box<str> {
    const LONGEST: usize = 43;
    if text.len() <= LONGEST { text.into() } else { Box::default() }
}

impl TokenType {
    fn from_name(name: &str) -> Self {
        let short = if name.len() <= MAX_TYPE { short_type(name) } else { String::new() };
        match short.as_str() {
            "jwt" => Self::Jwt,
            "at+jwt" => Self::AccessToken,
            "logout+jwt" => Self::LogoutToken,
            _ => Self::Other(short.into()),
        }
    }
}

/// Returns a type's name in the form for comparison: media types are case-insensitive, and `application/` may be left out (RFC 7515
/// section 4.1.9).
pub(crate) fn short_type(name: &str) -> String {
    const PREFIX: &str = "application/";
    let short = match name.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &name[PREFIX.len()..],
        _ => name,
    };
    short.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> Code {
        TokenHeader::parse(json).expect_err(json).code()
    }

    #[test]
    fn the_members_that_count_are_read_and_the_rest_passed_over() {
        let header = TokenHeader::parse(
            r#"{"typ":"at+JWT","kid":"k1","\u0061lg":"ES256","jwk":{"kty":"EC"},"jku":"https://evil.example","b64":true}"#,
        )
        .unwrap();
        assert_eq!(header.algorithm(), Algorithm::Es256);
        assert_eq!(header.key_id(), Some("k1"));
        assert_eq!(header.token_type(), &TokenType::AccessToken);
    }

    #[test]
    fn only_an_object_is_a_header() {
        for json in [r#"["JWT","RS256"]"#, r#""RS256""#, "null", "{", r#"{"alg":"RS256"} x"#, r#"{"alg":"RS256",}"#] {
            assert_eq!(refused(json), Code::HeaderMalformed, "{json}");
        }
    }

    #[test]
    fn members_have_their_types_and_stand_once() {
        for json in [
            r"{}",
            r#"{"alg":1}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"RS256","kid":7}"#,
            r#"{"alg":"RS256","kid":null}"#,
            r#"{"alg":"RS256","typ":null}"#,
            r#"{"alg":"RS256","typ":["JWT"]}"#,
            r#"{"alg":"RS256","b64":"false"}"#,
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","jwk":{"a":1,"a":2}}"#,
        ] {
            assert_eq!(refused(json), Code::HeaderMalformed, "{json}");
        }
    }

    #[test]
    fn algorithms_that_do_not_exist_are_named_so() {
        for name in ["none", "NoNe", "none\\u0000", "RS1", "ES512", "dir", ""] {
            assert_eq!(refused(&format!(r#"{{"alg":"{name}"}}"#)), Code::AlgorithmNotAllowed, "{name}");
        }
    }

    #[test]
    fn extensions_are_never_understood() {
        for json in [
            r#"{"alg":"RS256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"RS256","crit":[]}"#,
            r#"{"alg":"RS256","crit":null}"#,
            r#"{"alg":"RS256","b64":true,"crit":["b64"]}"#,
            r#"{"alg":"RS256","b64":false}"#,
        ] {
            assert_eq!(refused(json), Code::ExtensionNotUnderstood, "{json}");
        }
    }

    #[test]
    fn a_key_id_has_at_most_512_bytes() {
        let with = |len: usize| TokenHeader::parse(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(len)));
        assert!(with(MAX_KEY_ID).is_ok());
        assert_eq!(with(MAX_KEY_ID + 1).unwrap_err().code(), Code::HeaderMalformed);
    }

    #[test]
    fn types_compare_without_case_and_prefix() {
        for (name, expected) in [
            ("jwt", TokenType::Jwt),
            ("Application/JWT", TokenType::Jwt),
            ("AT+jwt", TokenType::AccessToken),
            ("application/at+jwt", TokenType::AccessToken),
            ("application/application/jwt", TokenType::Other("application/jwt".into())),
            ("dpop+jwt", TokenType::Other("dpop+jwt".into())),
            ("JWT ", TokenType::Other("jwt ".into())),
            ("", TokenType::Other("".into())),
            ("application/", TokenType::Other("".into())),
            ("éapplication", TokenType::Other("éapplication".into())),
        ] {
            assert_eq!(TokenType::from_name(name), expected, "{name}");
        }
    }
}
