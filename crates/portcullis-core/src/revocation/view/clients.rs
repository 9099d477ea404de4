//! Which issuers name the client in their tokens, so that a client is not revoked to no effect.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::RevocationView;
use crate::{
    Conventions,
    revocation::{Level, Revocation, entry::short},
};

/// For each issuer whose tokens are checked against a view: whether any of its tokens name a client.
#[derive(Default)]
pub(super) struct Clients(Mutex<BTreeMap<Box<str>, bool>>);

impl RevocationView {
    /// Notes how an issuer writes its tokens that are checked against this view.
    pub(crate) fn note(&self, conventions: &Conventions) {
        let names_clients = conventions.client_place().is_some();
        let mut issuers = self.0.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        *issuers.entry(short(conventions.issuer()).into()).or_default() |= names_clients;
    }

    /// Returns why a revocation would have no effect on any token that is checked against this view: one of an empty id
    /// ([`Revocation::hits_nothing`]), or a client's, of an issuer whose tokens [do not name one](crate::TrustedIssuer::without_client_claim). `None` if that is not known.
    ///
    /// Code that appends to the log asks this first, and refuses ([`LogError::refused`](crate::LogError::refused)).
    pub fn problem_with(&self, revocation: &Revocation) -> Option<String> {
        if revocation.hits_nothing() {
            let problem =
                "its id or its issuer is empty, so that no token would be hit: give the value of the tokens' claim";
            return Some(problem.to_owned());
        }
        let issuers = self.0.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names_no_client = issuers.get(revocation.of_issuer()) == Some(&false);
        (revocation.level() == Level::Client && names_no_client).then(|| {
            "this issuer's tokens do not name their client, so that revoking a client would have no effect: revoke its \
             subjects or sessions, or say where the issuer writes the client's id (`TrustedIssuer::client_claim`)"
                .to_owned()
        })
    }
}
