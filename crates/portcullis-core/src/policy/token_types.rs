//! The issuer's own `typ` values.

use crate::{
    config_text::{oddity, quoted},
    token::short_type,
};

/// The registered or specified `typ` values of tokens other than access tokens. None of them can be configured as an issuer's own,
/// because such tokens would then be accepted as access tokens (RFC 8725 section 3.11).
const OTHER_KINDS: [&str; 26] = [
    "client-authentication+jwt",
    "dc+sd-jwt",
    "dpop+jwt",
    "entity-statement+jwt",
    "explicit-registration-response+jwt",
    "id+jwt",
    "id_token+jwt",
    "jwk-set+jwt",
    "jwk-set+json",
    "jwk+json",
    "kb+jwt",
    "key-attestation+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "oauth-client-attestation+jwt",
    "oauth-client-attestation-pop+jwt",
    "oauth-id-jag+jwt",
    "openid4vci-proof+jwt",
    "provider-configuration+jwt",
    "resolve-response+jwt",
    "rt+jwt",
    "secevent+jwt",
    "statuslist+jwt",
    "token-introspection+jwt",
    "trust-mark+jwt",
    "vc+sd-jwt",
];

/// Returns what is wrong with a name, as a sentence.
pub(super) fn problem(name: &str) -> Option<String> {
    let shown = quoted(name);
    let short = short_type(name);
    if let Some(oddity) = oddity(name) {
        return Some(format!("the token type {shown} has {oddity}: remove it"));
    }
    let is_media_type = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
    if short.is_empty() || short.len() > 127 || !short.bytes().all(is_media_type) {
        return Some(format!("the token type {shown} is no media type: write it as the tokens have it in `typ`"));
    }
    if matches!(short.as_str(), "jwt" | "at+jwt") {
        return Some(format!(
            "the token type {shown} is not the issuer's own: Profile::Jwt accepts it, and Profile::AccessToken at+jwt alone"
        ));
    }
    OTHER_KINDS.contains(&short.as_str()).then(|| {
        format!("the token type {shown} is that of another kind of token, which must never pass for an access token: do not name it")
    })
}
