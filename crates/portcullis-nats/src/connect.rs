//! The proof that a client of NATS sends when it connects: a signature over the server's nonce.
//!
//! For gateways that speak the protocol of NATS. Requests over HTTP prove possession in another way, so that neither proof can be used in
//! place of the other: a client of NATS signs every text that a server calls a nonce.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use portcullis_core::Algorithm;

use crate::nkey::UserKey;

/// Whether `signature`, as the option `sig` of `CONNECT` has it, is that of this user over the text of the nonce.
///
/// The signature is base64url without padding; standard base64 with padding is accepted, too, as nats-server does.
#[must_use = "an ignored signature check proves nothing"]
pub fn is_signed(user: &UserKey, nonce: &str, signature: &str) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(signature).or_else(|_| STANDARD.decode(signature));
    let (Ok(signature), Ok(key)) = (decoded, user.verifying_key()) else { return false };
    key.check_signature(Algorithm::EdDsa, nonce.as_bytes(), &signature)
}

const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);
