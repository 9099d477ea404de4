//! [`Either`]: clients of two places.

use std::sync::Arc;

use super::{Client, Clients};
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

    fn have_keys(&self) -> bool {
        self.first.have_keys() || self.second.have_keys()
    }

    fn exchange_tokens(&self) -> bool {
        self.first.exchange_tokens() || self.second.exchange_tokens()
    }

    fn read_documents(&self) -> bool {
        self.first.read_documents() || self.second.read_documents()
    }

    async fn delete(&self, client_id: &str) -> Result<bool, StoreError> {
        Ok(self.first.delete(client_id).await? && self.second.delete(client_id).await?)
    }
}
