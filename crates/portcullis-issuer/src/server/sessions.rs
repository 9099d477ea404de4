//! [`AnySessions`]: sessions in any store.

use std::{fmt, future::Future, pin::Pin};

use portcullis_core::revocation::{Revocation, RevocationView, Revoker};

use crate::{
    TokenIssuer,
    refresh::{
        EndReason, Family, FamilyId, LogIn, Narrowing, RefreshError, RefreshKeys, RefreshPolicy, RefreshStore,
        Sessions, Share, Subjects, Tokens,
    },
    tasks::Tasks,
};

pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, RefreshError>> + Send + 'a>>;

/// The [`Sessions`] of a server, whatever their store is, so that a server is one type.
pub(super) trait AnySessions: fmt::Debug + Send + Sync {
    fn issuer(&self) -> &TokenIssuer;

    fn view(&self) -> Option<&RevocationView>;

    fn keys(&self) -> &RefreshKeys;

    fn log_in_as<'a>(
        &'a self,
        family: FamilyId,
        share: Share,
        log_in: LogIn,
        policy: &'a RefreshPolicy,
        narrowing: &'a Narrowing,
    ) -> Answer<'a, Option<Tokens>>;

    fn refresh<'a>(
        &'a self,
        refresh_token: &'a str,
        client_id: &'a str,
        policy: &'a RefreshPolicy,
        narrowing: Narrowing,
    ) -> Answer<'a, Tokens>;

    fn find(&self, session: FamilyId) -> Answer<'_, Option<Family>>;

    fn readable_of<'a>(&'a self, subject: &'a str) -> Answer<'a, (Vec<Family>, usize)>;

    fn end(&self, session: FamilyId, reason: EndReason) -> Answer<'_, ()>;

    /// Ends a session, in work that goes on to its end already.
    fn end_within(&self, session: FamilyId, reason: EndReason) -> Answer<'_, ()>;

    fn tasks(&self) -> &Tasks;

    fn end_by_token<'a>(&'a self, refresh_token: &'a str, client_id: &'a str) -> Answer<'a, bool>;

    #[cfg(feature = "axum")]
    fn find_by_token<'a>(&'a self, refresh_token: &'a str, client_id: &'a str) -> Answer<'a, Option<Family>>;

    #[cfg(feature = "axum")]
    fn log_out_everywhere<'a>(&'a self, subject: &'a str) -> Answer<'a, ()>;

    fn revoke(&self, revocation: Revocation) -> Answer<'_, ()>;

    fn forget_ended(&self) -> Answer<'_, usize>;
}

impl<S: RefreshStore, R: Revoker, J: Subjects> AnySessions for Sessions<S, R, J> {
    fn issuer(&self) -> &TokenIssuer {
        self.issuer()
    }

    fn view(&self) -> Option<&RevocationView> {
        self.view()
    }

    fn keys(&self) -> &RefreshKeys {
        self.keys()
    }

    fn log_in_as<'a>(
        &'a self,
        family: FamilyId,
        share: Share,
        log_in: LogIn,
        policy: &'a RefreshPolicy,
        narrowing: &'a Narrowing,
    ) -> Answer<'a, Option<Tokens>> {
        Box::pin(self.log_in_as(family, share, log_in, policy, narrowing))
    }

    fn refresh<'a>(
        &'a self,
        refresh_token: &'a str,
        client_id: &'a str,
        policy: &'a RefreshPolicy,
        narrowing: Narrowing,
    ) -> Answer<'a, Tokens> {
        Box::pin(self.refresh_narrowed(refresh_token, client_id, policy, narrowing))
    }

    fn find(&self, session: FamilyId) -> Answer<'_, Option<Family>> {
        Box::pin(self.find(session))
    }

    fn readable_of<'a>(&'a self, subject: &'a str) -> Answer<'a, (Vec<Family>, usize)> {
        Box::pin(self.readable_of(subject))
    }

    fn end(&self, session: FamilyId, reason: EndReason) -> Answer<'_, ()> {
        Box::pin(self.end(session, reason))
    }

    fn end_within(&self, session: FamilyId, reason: EndReason) -> Answer<'_, ()> {
        Box::pin(self.end_now(session, reason))
    }

    fn tasks(&self) -> &Tasks {
        self.tasks()
    }

    fn end_by_token<'a>(&'a self, refresh_token: &'a str, client_id: &'a str) -> Answer<'a, bool> {
        Box::pin(self.end_by_token(refresh_token, client_id))
    }

    #[cfg(feature = "axum")]
    fn find_by_token<'a>(&'a self, refresh_token: &'a str, client_id: &'a str) -> Answer<'a, Option<Family>> {
        Box::pin(self.find_by_token(refresh_token, client_id))
    }

    #[cfg(feature = "axum")]
    fn log_out_everywhere<'a>(&'a self, subject: &'a str) -> Answer<'a, ()> {
        Box::pin(self.log_out_everywhere(subject))
    }

    fn revoke(&self, revocation: Revocation) -> Answer<'_, ()> {
        Box::pin(self.revoke(revocation))
    }

    fn forget_ended(&self) -> Answer<'_, usize> {
        Box::pin(self.forget_ended())
    }
}
