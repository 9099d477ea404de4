//! [`Sought`]: by which digests a text is looked up.

use std::iter;

use portcullis_core::Code;

use super::{Checker, Refusal};
use crate::{
    StoreError,
    api_tokens::{
        ApiTokenDigest, ApiTokenKind, ApiTokenRow, ApiTokenStore, FoundApiToken, Memberships, PepperId,
        format::Unrecognised, manage::ForeignDigest, peppers::Pepper,
    },
};

/// By which digests a text is looked up, and of which kind the row has to be.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    pub(super) kind: ApiTokenKind,
    /// The one that its row should have.
    pub(super) digest: ApiTokenDigest,
    pepper: PepperId,
    /// Those that its row may have instead, if an earlier system made it: of the other peppers.
    others: Vec<(PepperId, ApiTokenDigest)>,
}

impl Sought {
    /// Whether a row with this digest and this pepper is that of the text.
    pub(super) fn is_of(&self, digest: &ApiTokenDigest, pepper: Option<PepperId>) -> bool {
        self.digests().any(|(its_pepper, its_digest)| its_digest == digest && Some(its_pepper) == pepper)
    }

    fn digests(&self) -> impl Iterator<Item = (PepperId, &ApiTokenDigest)> {
        iter::once((self.pepper, &self.digest)).chain(self.others.iter().map(|(pepper, digest)| (*pepper, digest)))
    }

    /// Whether a refusal is kept. Anyone can make texts that begin like those of an earlier system, so that those would push out others.
    pub(super) fn is_kept(&self, refusal: &Refusal) -> bool {
        self.kind != ApiTokenKind::Imported || refusal.code() != Code::CredentialUnknown
    }
}

/// The longest text of an earlier system, in bytes.
pub(super) const MOST_FOREIGN_BYTES: usize = 512;

impl<S: ApiTokenStore, M: Memberships> Checker<S, M> {
    /// Reads a text, and checks its form. This asks no store.
    pub(super) fn recognise(&self, text: &str) -> Result<Sought, Unrecognised> {
        let is_foreign = self.foreign.iter().any(|beginning| text.starts_with(beginning));
        if !is_foreign {
            let own = self.format.recognise(text, &self.peppers)?;
            return Ok(Sought { kind: own.kind, digest: own.digest, pepper: own.pepper, others: Vec::new() });
        }
        if text.len() > MOST_FOREIGN_BYTES {
            return Err(Unrecognised::Form);
        }
        Ok(self.foreign(ForeignDigest::of_text(text)))
    }

    /// Returns by which digests a text of an earlier system is looked up: one for each pepper, never its plain one.
    fn foreign(&self, digest: ForeignDigest) -> Sought {
        let of = |pepper: &Pepper| pepper.digest_of_foreign(digest.as_bytes());
        let (newest, kind) = (self.peppers.newest(), ApiTokenKind::Imported);
        let others = self.peppers.all().skip(1).map(|pepper| (pepper.id(), of(pepper))).collect();
        Sought { kind, digest: of(newest), pepper: newest.id(), others }
    }

    /// Whether a token was imported of this digest, with any pepper.
    pub(in crate::api_tokens) async fn is_imported(&self, digest: ForeignDigest) -> Result<bool, StoreError> {
        Ok(self.look_up(&self.foreign(digest)).await?.is_some())
    }

    pub(super) async fn look_up(&self, sought: &Sought) -> Result<Option<FoundApiToken>, StoreError> {
        for (_, digest) in sought.digests() {
            if let Some(found) = self.store.find(digest).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Returns the row of a text; `None` if it is no token.
    pub(in crate::api_tokens) async fn row_of_text(&self, text: &str) -> Result<Option<ApiTokenRow>, StoreError> {
        let Ok(sought) = self.recognise(text) else { return Ok(None) };
        let found = self.look_up(&sought).await?;
        Ok(found.map(|found| found.row).filter(|row| row.kind == sought.kind && sought.is_of(&row.digest, row.pepper)))
    }

    /// Gives the row of an imported token the digest of the newest pepper, if that has changed. It is tried again at the next check if that fails.
    pub(super) async fn adopt(&self, row: &ApiTokenRow, sought: &Sought) {
        if row.digest == sought.digest {
            return;
        }
        let version = row.version + 1;
        let adopted = ApiTokenRow { version, digest: sought.digest, pepper: Some(sought.pepper), ..row.clone() };
        // Another instance may be first, and the request is decided anyway.
        let _ = self.store.replace(&adopted, None).await;
    }
}
