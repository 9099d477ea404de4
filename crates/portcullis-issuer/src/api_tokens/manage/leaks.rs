//! Revoking tokens that were found where they must not be.

use portcullis_core::{ConfigError, revocation::Revoker};
use zeroize::Zeroizing;

use super::ApiTokens;
use crate::api_tokens::{
    ApiTokenError, ApiTokenEvent, ApiTokenId, ApiTokenStore, Memberships, RevokedReason, new::is_text,
};

/// How many texts one report has at most.
const MOST_TEXTS: usize = 100;

/// How long they are at most, all together, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// How long the place may be at which they were found, in bytes.
const MOST_SOURCE_BYTES: usize = 2_048;

/// A text that was reported, and where it was found.
type Leak = (Zeroizing<String>, Option<String>);

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Revokes those of these texts that are tokens, and tells of each [by an event](ApiTokenEvent::Leaked): for the reports of scanners, whose word need not be
    /// taken, because the text alone proves that it has leaked. `source` is where they were found, such as a URL.
    ///
    /// What has taken the place of a reported token is revoked, too, and what has taken the place of that: a thief may have rotated it before the report.
    ///
    /// Nothing says which of them were tokens. It takes longer if one was, so do not let the reporter wait for it: with the feature `axum`, `LeakReports` is a
    /// route that does not. A prefix or the last characters of a token are not enough.
    ///
    /// # Errors
    ///
    /// [`ApiTokenError::Invalid`] for more than 100 texts, or more than 64 KiB. [`ApiTokenError::Unavailable`] or [`ApiTokenError::NotEverywhere`] if one could not be
    /// looked up or revoked: all others were, and there is [an event](ApiTokenEvent::ReportFailed). Do not tell the reporter: it only happens with what may
    /// be a token.
    pub async fn report_leaks(&self, texts: &[&str], source: Option<&str>) -> Result<(), ApiTokenError> {
        if texts.len() > MOST_TEXTS || texts.iter().map(|text| text.len()).sum::<usize>() > MOST_BYTES {
            return Err(ConfigError::new("a report has 100 tokens at most, and 64 KiB").into());
        }
        let source = source.map(str::to_owned);
        let leaks: Vec<Leak> = texts.iter().map(|text| (Zeroizing::new((*text).to_owned()), source.clone())).collect();
        let this = self.clone();
        self.0.tasks.end_to_its_end(async move { this.report_now(&leaks).await }).await?
    }

    /// Does the same for a route, whose answer waits for nothing. Returns `false` if too much is under way: then nothing was begun.
    #[cfg(feature = "axum")]
    pub(crate) fn report_in_background(&self, leaks: Vec<Leak>) -> bool {
        let this = self.clone();
        self.0.tasks.end_in_background(async move {
            // The listener was told of a failure.
            let _ = this.report_now(&leaks).await;
        })
    }

    async fn report_now(&self, leaks: &[Leak]) -> Result<(), ApiTokenError> {
        let mut outcome = Ok(());
        for (text, source) in leaks {
            let source = source.as_deref().filter(|source| is_text(source, MOST_SOURCE_BYTES));
            if let Err(error) = self.report_leak(text, source).await {
                self.0.checker.tell(|| ApiTokenEvent::ReportFailed);
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn report_leak(&self, text: &str, source: Option<&str>) -> Result<(), ApiTokenError> {
        let Some(row) = self.0.checker.row_of_text(text).await? else { return Ok(()) };
        let was_revoked = row.revoked.is_some();
        let row = self.revoke_in_store(row.id, RevokedReason::Leaked).await?;
        let successor = row.successor();
        if !was_revoked {
            let source = source.map(str::to_owned);
            self.0.checker.tell(|| ApiTokenEvent::Leaked { id: row.id, successor, source });
        }
        let mut ended = vec![row.id];
        let outcome = self.revoke_successors(successor, &mut ended).await;
        // Those that were revoked are also if another could not be.
        self.revoke_in_log(ended).await?;
        outcome
    }

    /// Revokes a successor, and what has taken its place. Each step is one row, and a report that is made again goes the same way.
    async fn revoke_successors(
        &self,
        mut next: Option<ApiTokenId>,
        ended: &mut Vec<ApiTokenId>,
    ) -> Result<(), ApiTokenError> {
        while let Some(id) = next.filter(|id| !ended.contains(id)) {
            next = match self.revoke_in_store(id, RevokedReason::Leaked).await {
                Ok(row) => row.successor(),
                // It was forgotten, or the store has lost it.
                Err(ApiTokenError::Unknown) => None,
                Err(error) => return Err(error),
            };
            ended.push(id);
        }
        Ok(())
    }
}
