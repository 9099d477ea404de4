//! [`Clients`]: knows the clients.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use portcullis_core::policy::TokenSpec;

use super::{Client, DeclaredClients, Either};
use crate::StoreError;

/// Knows the clients: those of a [`ClientList`], or [`StoredClients`]. Implement it to keep clients elsewhere.
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

    /// Deletes the client with this id, if it can be deleted here. Returns whether there is none of this id any more, also in later calls of
    /// [`find`](Self::find) by any instance. Defaults to asking whether there is one, as for a configuration.
    ///
    /// # Errors
    ///
    /// If it could not be found out. The caller tries again.
    fn delete(&self, client_id: &str) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async { Ok(self.find(client_id).await?.is_none()) }
    }

    /// Adds the clients of another place: those that are not found here are looked for there.
    fn or<C: Clients>(self, other: C) -> Either<Self, C>
    where
        Self: Sized,
    {
        Either { first: self, second: other }
    }
}

impl<T: Clients> Clients for Arc<T> {
    fn find(&self, client_id: &str) -> impl Future<Output = Result<Option<Arc<Client>>, StoreError>> + Send {
        (**self).find(client_id)
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        (**self).declared(spec)
    }

    fn delete(&self, client_id: &str) -> impl Future<Output = Result<bool, StoreError>> + Send {
        (**self).delete(client_id)
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The [`Clients`] of a server, whatever their type is, so that a server is one type.
pub(in crate::server) trait AnyClients: fmt::Debug + Send + Sync {
    fn find<'a>(&'a self, client_id: &'a str) -> Answer<'a, Option<Arc<Client>>>;

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients;

    fn delete<'a>(&'a self, client_id: &'a str) -> Answer<'a, bool>;
}

impl<T: Clients> AnyClients for T {
    fn find<'a>(&'a self, client_id: &'a str) -> Answer<'a, Option<Arc<Client>>> {
        Box::pin(Clients::find(self, client_id))
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        Clients::declared(self, spec)
    }

    fn delete<'a>(&'a self, client_id: &'a str) -> Answer<'a, bool> {
        Box::pin(Clients::delete(self, client_id))
    }
}
