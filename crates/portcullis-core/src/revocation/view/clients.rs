//! [`Clients`]: which issuers name the client in their tokens, so that revoking a client is not without effect.

use std::sync::{Arc, Mutex, PoisonError};

use super::RevocationView;
use crate::{
    revocation::{Level, Revocation},
    verified::Conventions,
};

/// Returns how an issuer writes its tokens, according to an authenticator that uses this view; `None` once there is no such
/// authenticator.
type Source = dyn Fn(&str) -> Option<Option<Arc<Conventions>>> + Send + Sync;

/// The authenticators that know how issuers write tokens. They are asked when the answer is needed, because issuers come and go.
#[derive(Default)]
pub(super) struct Clients(Mutex<Vec<Box<Source>>>);

impl Clients {
    /// Whether any of the issuer's tokens name a client; `None` if no authenticator trusts the issuer.
    fn are_named_by(&self, issuer: &str) -> Option<bool> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut named = None;
        sources.retain(|source| {
            let answer = source(issuer);
            if let Some(Some(conventions)) = &answer {
                *named.get_or_insert_default() |= conventions.client_place().is_some();
            }
            answer.is_some()
        });
        named
    }
}

impl RevocationView {
    /// Adds an authenticator that uses this view, and removes those that are gone.
    pub(crate) fn ask_of_issuers(
        &self,
        source: impl Fn(&str) -> Option<Option<Arc<Conventions>>> + Send + Sync + 'static,
    ) {
        let mut sources = self.0.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|source| source("").is_some());
        sources.push(Box::new(source));
    }

    /// Returns why a revocation would have no effect on any token that is checked against this view: it has an empty id
    /// ([`Revocation::hits_nothing`]), or it is for a client of an issuer whose tokens [do not name
    /// one](crate::TrustedIssuer::without_client_claim). `None` if no such reason is known.
    ///
    /// Code that appends to the log calls this first, and refuses ([`LogError::refused`](crate::revocation::LogError::refused)).
    pub fn problem_with(&self, revocation: &Revocation) -> Option<String> {
        if revocation.hits_nothing() {
            let problem =
                "its id or its issuer is empty, so that no token would be hit: give the value of the tokens' claim";
            return Some(problem.to_owned());
        }
        let is_of_client = revocation.level() == Level::Client;
        let names_no_client = is_of_client && self.0.clients.are_named_by(revocation.of_issuer()) == Some(false);
        names_no_client.then(|| {
            "this issuer's tokens do not name their client, so that revoking a client would have no effect: revoke its \
             subjects or sessions, or say where the issuer writes the client's id (`TrustedIssuer::client_claim`)"
                .to_owned()
        })
    }
}
