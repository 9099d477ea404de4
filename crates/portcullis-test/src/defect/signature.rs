//! Damaged signatures, and tokens that were changed after signing.

use super::Fault;
use crate::base64url;

pub(super) const FLIPPED: Fault = Fault::Signed(|token| {
    if let Some(last) = token.signature.last_mut() {
        *last ^= 1;
    }
});
pub(super) const TRUNCATED: Fault = Fault::Signed(|token| token.signature.truncate(token.signature.len() / 2));
pub(super) const EXTENDED: Fault = Fault::Signed(|token| token.signature.push(0));
pub(super) const DOUBLED: Fault = Fault::Signed(|token| token.signature.extend_from_within(..));
pub(super) const ZERO: Fault = Fault::Signed(|token| token.signature.fill(0));
pub(super) const EMPTY: Fault = Fault::Signed(|token| token.signature.clear());
pub(super) const HUGE: Fault = Fault::Signed(|token| token.signature.resize(2048, 0));
pub(super) const OF_OTHER_TOKEN: Fault = Fault::Signed(|token| {
    token.signature = token.signer.sign(&format!("{}.{}", token.header, base64url::encode(r#"{"sub":"mallory"}"#)));
});
pub(super) const HEADER_TAMPERED: Fault = Fault::Signed(|token| token.header = with_member(&token.header));
pub(super) const CLAIMS_TAMPERED: Fault = Fault::Signed(|token| token.claims = with_member(&token.claims));

/// Returns the same object with an additional, unknown member.
fn with_member(encoded: &str) -> String {
    let text = base64url::decode(encoded);
    let text = text.strip_prefix(b"{").unwrap_or(&text);
    base64url::encode([br#"{"tampered":true,"#, text].concat())
}
