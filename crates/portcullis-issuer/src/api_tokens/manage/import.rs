//! Tokens of an earlier system.

use std::fmt;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use portcullis_core::{ConfigError, revocation::Revoker};

use super::ApiTokens;
use crate::api_tokens::{
    ApiToken, ApiTokenError, ApiTokenEvent, ApiTokenId, ApiTokenKind, ApiTokenRow, ApiTokenStore, Inserted,
    Memberships, NewApiToken,
};

/// What an earlier system keeps of a token: the SHA-256 of its text. `Debug` shows nothing of it.
///
/// Two are compared in constant time.
#[derive(Clone, Copy, Eq)]
pub struct ForeignDigest([u8; 32]);

impl PartialEq for ForeignDigest {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl ForeignDigest {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// If it is anything else.
    pub fn sha256_hex(text: &str) -> Result<Self, ConfigError> {
        let digits = text.as_bytes().chunks_exact(2);
        let bytes: Option<Vec<u8>> = digits
            .map(|pair| {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()
            })
            .collect();
        Self::of(bytes.filter(|_| text.len() == 64))
    }

    /// Reads base64 or base64url, with or without padding: Unkey and better-auth write one of them.
    ///
    /// # Errors
    ///
    /// If it is anything else than 32 bytes.
    pub fn sha256_base64(text: &str) -> Result<Self, ConfigError> {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let decode = |alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok();
        Self::of(decode(&base64::alphabet::STANDARD).or_else(|| decode(&base64::alphabet::URL_SAFE)))
    }

    fn of(bytes: Option<Vec<u8>>) -> Result<Self, ConfigError> {
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| ConfigError::new("a digest to be imported is not the SHA-256 of a text"))
    }

    /// Returns the digest of a text.
    pub(in crate::api_tokens) fn of_text(text: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(bytes)
    }

    pub(in crate::api_tokens) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ForeignDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignDigest(..)")
    }
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Imports a token of an earlier system by its digest, so that programs go on with the token that they have. `new` has the kind
    /// [`Imported`](ApiTokenKind::Imported); `last_four` are the last characters of its text, by which its owner recognises it: eight at most, or none if they are not known.
    ///
    /// The texts are recognised by their [beginning](super::ApiTokensBuilder::also_recognise). The store gets a digest of the digest, keyed with the newest pepper,
    /// so that the earlier system's is in no row. Texts that begin so and are junk are looked up in the store.
    ///
    /// A token is imported once, also if it was revoked since. **Do not import it again after it was [forgotten](Self::forget_ended), or after its pepper was
    /// left out**: nothing says then that it was revoked.
    ///
    /// # Errors
    ///
    /// [`ApiTokenError::Invalid`] as for [`create`](Self::create), for another kind, or if the digest was imported before.
    /// [`ApiTokenError::TooMany`] if the owner has as many as it may have. [`ApiTokenError::Unavailable`] if the store cannot be reached.
    pub async fn import(
        &self,
        new: NewApiToken,
        digest: ForeignDigest,
        last_four: &str,
    ) -> Result<ApiToken, ApiTokenError> {
        let grants = new.check()?;
        if new.kind != ApiTokenKind::Imported || last_four.len() > 8 || last_four.chars().any(char::is_control) {
            return Err(
                ConfigError::new("a token is imported with the kind `Imported`, and eight characters at most").into()
            );
        }
        let checker = &self.0.checker;
        // The store knows the digest of the newest pepper alone to be taken.
        if checker.is_imported(digest).await? {
            return Err(was_imported());
        }
        let (now, pepper) = (checker.now(), checker.peppers.newest());
        let keyed = pepper.digest_of_foreign(digest.as_bytes());
        let row = ApiTokenRow {
            pepper: Some(pepper.id()),
            last_four: last_four.to_owned(),
            environment: checker.environment.clone(),
            name: new.name.clone(),
            grants,
            created_at: now,
            created_by: new.created_by.clone(),
            until: self.0.limits.end(new.lifetime, now)?,
            ..ApiTokenRow::new(ApiTokenId::generate(now)?, keyed, new.kind, new.owner)
        };
        let _room = self.room_for(&row.owner, now).await?;
        if checker.store.insert(&row).await? != Inserted::New {
            return Err(was_imported());
        }
        checker.tell(|| ApiTokenEvent::Created { id: row.id, parent: None });
        Ok(self.token(row))
    }
}

fn was_imported() -> ApiTokenError {
    ConfigError::new("a token of this digest was imported before").into()
}
