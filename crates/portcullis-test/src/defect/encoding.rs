//! Missing or additional parts, and parts that are not strict base64url (RFC 7515 sections 2 and 3.1).

use super::Fault;
use crate::{base64url, token::stages::Texts};

pub(super) const ONE_PART: Fault = Fault::Token(|token| {
    let end = token.find('.').unwrap_or(token.len());
    token.truncate(end);
});
pub(super) const TWO_PARTS: Fault = Fault::Token(|token| {
    let end = token.rfind('.').unwrap_or(token.len());
    token.truncate(end);
});
pub(super) const FOUR_PARTS: Fault = Fault::Token(|token| token.push_str(".e30"));
pub(super) const FIVE_PARTS: Fault = Fault::Token(|token| {
    let header = base64url::encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    let (vector, text, tag) = ([7; 12], [7; 48], [7; 16]);
    let parts = [base64url::encode(vector), base64url::encode(text), base64url::encode(tag)];
    *token = format!("{header}..{}", parts.join("."));
});
pub(super) const NO_HEADER: Fault = Fault::Encoded(|token| token.header.clear());
pub(super) const NO_CLAIMS: Fault = Fault::Signed(|token| token.claims.clear());
pub(super) const JSON_FORM: Fault = Fault::Token(|token| {
    let mut parts = token.split('.');
    let mut part = || parts.next().unwrap_or_default();
    *token = format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, part(), part(), part());
});

pub(super) const HEADER_PADDED: Fault = Fault::Encoded(|token| pad(&mut token.header));
pub(super) const CLAIMS_PADDED: Fault = Fault::Encoded(|token| pad(&mut token.claims));
pub(super) const SIGNATURE_PADDED: Fault = Fault::Token(pad);
pub(super) const CLAIMS_STANDARD_ALPHABET: Fault = Fault::Encoded(|token| {
    // Three of these in a row always produce an underscore, whatever their offset.
    let text = base64url::decode(&token.claims);
    let text = [br#"{"question":"???","#, text.strip_prefix(b"{").unwrap_or(&text)].concat();
    token.claims = base64url::encode(text).replace('-', "+").replace('_', "/");
});
pub(super) const CLAIMS_WHITE_SPACE: Fault = Fault::Encoded(|token| token.claims.insert(4, ' '));
pub(super) const HEADER_TRAILING_BITS: Fault = Fault::Encoded(|token| {
    token.header = with_spare_bits(&token.header);
    set_trailing_bits(&mut token.header);
});
pub(super) const CLAIMS_TRAILING_BITS: Fault = Fault::Encoded(|token| {
    token.claims = with_spare_bits(&token.claims);
    set_trailing_bits(&mut token.claims);
});
pub(super) const SIGNATURE_TRAILING_BITS: Fault = Fault::Token(|token| {
    let signature = token.rfind('.').map_or(token.len(), |dot| token.len() - dot - 1);
    match signature % 4 {
        0 => token.push('A'),
        _ => set_trailing_bits(token),
    }
});

pub(super) const TOO_LONG: Fault = Fault::Texts(|texts: &mut Texts| texts.claims.resize(16 * 1024, b' '));

fn pad(text: &mut String) {
    text.push_str(if text.len() % 4 == 2 { "==" } else { "=" });
}

/// Returns the same JSON text with enough spaces appended that its last character has unused bits.
fn with_spare_bits(encoded: &str) -> String {
    let mut text = base64url::decode(encoded);
    while text.len().is_multiple_of(3) {
        text.push(b' ');
    }
    base64url::encode(text)
}

/// Replaces the last character with the next one of the alphabet, which differs in the lowest bit, an unused one.
fn set_trailing_bits(text: &mut String) {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = text.pop().and_then(|last| ALPHABET.find(last)).unwrap_or_default();
    text.extend(ALPHABET.chars().nth(last + 1));
}
