//! Puts header, claims and signature together, and reads the result as a server would.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    Algorithm,
    signing::{SignError, SignErrorKind, Signer},
};

use super::{MintError, MintErrorKind, Minted};
use crate::{
    nkey::{PublicKey, Role},
    token::{Kind, MAX_LEN, Token, TokenErrorKind},
};

const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// Returns the public key of a signer, which must be of this role.
pub(super) fn issuer_of<S: Signer + ?Sized>(signer: &S, expected: Role) -> Result<PublicKey, MintError> {
    let refused = |why: String| MintError::new(MintErrorKind::SigningKey, why);
    if !matches!(signer.algorithm(), Algorithm::EdDsa | Algorithm::Ed25519) {
        return Err(refused("the signer's algorithm is not Ed25519, the only one of NATS".to_owned()));
    }
    let issuer = signer.key_id().parse::<PublicKey>();
    let issuer = issuer.map_err(|error| refused(format!("the signer's key id has to be its public nkey: {error}")))?;
    if issuer.role() != expected {
        return Err(refused(format!(
            "a key of {expected} has to sign this, and the signer's is one of {}",
            issuer.role()
        )));
    }
    Ok(issuer)
}

/// Signs claims, and reads the token.
pub(super) async fn seal<K: Kind, S: Signer + ?Sized>(claims: &str, signer: &S) -> Result<Minted<K>, MintError> {
    let mut text = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
    if text.len() + 1 + SIGNATURE_TEXT_LEN > MAX_LEN {
        let kind = MintErrorKind::Claims(TokenErrorKind::TooLong);
        return Err(MintError::new(
            kind,
            "the token would be longer than 1 MiB, which no server reads: remove entries",
        ));
    }
    let signature = signer.sign(text.as_bytes()).outcome().await.map_err(MintError::signing)?;
    let signature =
        <[u8; 64]>::try_from(signature.as_bytes()).map_err(|_| malformed("an Ed25519 signature has 64 bytes"))?;
    text.push('.');
    text.push_str(&URL_SAFE_NO_PAD.encode(signature));
    match Token::read(&text) {
        Ok(token) => Ok(Minted { text, token }),
        Err(error) if error.kind() == TokenErrorKind::Signature => {
            Err(malformed("the signature is not that of the signer's key id"))
        }
        Err(error) => Err(MintError::of_claims(&error)),
    }
}

/// The length of a signature of 64 bytes in base64url.
const SIGNATURE_TEXT_LEN: usize = 86;

fn malformed(why: &'static str) -> MintError {
    MintError::signing(SignError::new(SignErrorKind::Malformed, why))
}
