//! [`Clients`]: who knows the clients.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use portcullis_core::policy::TokenSpec;

use super::{Client, DeclaredClients, Either};
use crate::StoreError;

/// Knows the clients: those of a [`ClientList`](super::ClientList), or [`StoredClients`](super::StoredClients). Implement it to keep clients elsewhere.
pub trait Clients: fmt::Debug + Send + Sync + 'static {
    /// Returns the client with this id; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it could not be found out. The client may try again.
    fn find(&self, client_id: &str) -> impl Future<Output = Result<Option<Arc<Client>>, StoreError>> + Send;

    /// Returns what is known about the clients when a server of this specification is made: it is not made if something is wrong with one. Defaults
    /// to nothing: each client is checked when it is found, and can use what the metadata does not name.
    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        let _ = spec;
        DeclaredClients::new()
    }

    /// Returns whether a client of this id was deleted here, and the id is still taken, so that [`or`](Self::or) looks for it nowhere else. Defaults to
    /// `false`.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    fn was_deleted(&self, client_id: &str) -> impl Future<Output = Result<bool, StoreError>> + Send {
        let _ = client_id;
        async { Ok(false) }
    }

    /// Returns whether a client may have this id, so that no user is named so (RFC 9068 section 5). Nothing is fetched from outside for the name of a
    /// user. Defaults to asking whether there is one, or was one that was [deleted](Self::was_deleted).
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    fn may_have(&self, name: &str) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async { Ok(self.find(name).await?.is_some() || self.was_deleted(name).await?) }
    }

    /// Returns why the client of this id cannot be deleted; `None` if it can, or if there is none. Nothing changes. Defaults to asking whether there
    /// is one, as for a configuration.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    fn why_fixed(&self, client_id: &str) -> impl Future<Output = Result<Option<&'static str>, StoreError>> + Send {
        async {
            Ok(self.find(client_id).await?.map(|_| "it is one of the configuration: take it out there, and restart"))
        }
    }

    /// Deletes the client with this id, if it can be deleted. Defaults to asking [`why_fixed`](Self::why_fixed).
    ///
    /// # Errors
    ///
    /// If it could not be found out. The caller tries again.
    fn delete(&self, client_id: &str) -> impl Future<Output = Result<Deletion, StoreError>> + Send {
        async { Ok(self.why_fixed(client_id).await?.map_or(Deletion::Gone, |why| Deletion::Fixed { why })) }
    }

    /// Adds the clients of another place: those that are not found here, and were not deleted here, are looked for there.
    fn or<C: Clients>(self, other: C) -> Either<Self, C>
    where
        Self: Sized,
    {
        Either { first: self, second: other }
    }
}

/// What became of deleting a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deletion {
    /// There is none of this id any more, also in later calls of [`find`](Clients::find) by any instance.
    Gone,
    /// It cannot be deleted, and nothing has changed.
    Fixed {
        /// Why, and what to do instead, as the second half of a sentence about the client.
        why: &'static str,
    },
}

impl<T: Clients> Clients for Arc<T> {
    fn find(&self, client_id: &str) -> impl Future<Output = Result<Option<Arc<Client>>, StoreError>> + Send {
        (**self).find(client_id)
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        (**self).declared(spec)
    }

    fn was_deleted(&self, client_id: &str) -> impl Future<Output = Result<bool, StoreError>> + Send {
        (**self).was_deleted(client_id)
    }

    fn may_have(&self, name: &str) -> impl Future<Output = Result<bool, StoreError>> + Send {
        (**self).may_have(name)
    }

    fn why_fixed(&self, client_id: &str) -> impl Future<Output = Result<Option<&'static str>, StoreError>> + Send {
        (**self).why_fixed(client_id)
    }

    fn delete(&self, client_id: &str) -> impl Future<Output = Result<Deletion, StoreError>> + Send {
        (**self).delete(client_id)
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The same for a value of any type.
pub(in crate::server) trait AnyClients: fmt::Debug + Send + Sync {
    fn find<'a>(&'a self, client_id: &'a str) -> Answer<'a, Option<Arc<Client>>>;

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients;

    fn may_have<'a>(&'a self, name: &'a str) -> Answer<'a, bool>;

    fn delete<'a>(&'a self, client_id: &'a str) -> Answer<'a, Deletion>;
}

impl<T: Clients> AnyClients for T {
    fn find<'a>(&'a self, client_id: &'a str) -> Answer<'a, Option<Arc<Client>>> {
        Box::pin(Clients::find(self, client_id))
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        Clients::declared(self, spec)
    }

    fn may_have<'a>(&'a self, name: &'a str) -> Answer<'a, bool> {
        Box::pin(Clients::may_have(self, name))
    }

    fn delete<'a>(&'a self, client_id: &'a str) -> Answer<'a, Deletion> {
        Box::pin(Clients::delete(self, client_id))
    }
}
