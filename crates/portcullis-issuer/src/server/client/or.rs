//! [`Either`]: clients of two places.

use std::sync::Arc;

use portcullis_core::policy::TokenSpec;

use super::{Client, Clients, DeclaredClients};
use crate::StoreError;

/// Clients of two places: those of the first, and those of the second that the first does not have. Made by [`Clients::or`].
#[derive(Clone, Debug)]
pub struct Either<A, B> {
    pub(super) first: A,
    pub(super) second: B,
}

impl<A: Clients, B: Clients> Clients for Either<A, B> {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        // A place that cannot be reached may have the client, so the other one is not asked.
        match self.first.find(client_id).await? {
            Some(client) => Ok(Some(client)),
            None => self.second.find(client_id).await,
        }
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        self.first.declared(spec).and(self.second.declared(spec))
    }

    async fn delete(&self, client_id: &str) -> Result<bool, StoreError> {
        Ok(self.first.delete(client_id).await? && self.second.delete(client_id).await?)
    }
}
