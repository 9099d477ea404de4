//! [`Either`]: clients of two places.

use std::sync::Arc;

use portcullis_core::policy::TokenSpec;

use super::{Client, Clients, DeclaredClients, Deletion};
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
        if let Some(client) = self.first.find(client_id).await? {
            return Ok(Some(client));
        }
        if self.first.was_deleted(client_id).await? {
            return Ok(None);
        }
        self.second.find(client_id).await
    }

    async fn was_deleted(&self, client_id: &str) -> Result<bool, StoreError> {
        Ok(self.first.was_deleted(client_id).await? || self.second.was_deleted(client_id).await?)
    }

    async fn may_have(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.first.may_have(name).await? || self.second.may_have(name).await?)
    }

    async fn why_fixed(&self, client_id: &str) -> Result<Option<&'static str>, StoreError> {
        match self.first.why_fixed(client_id).await? {
            Some(why) => Ok(Some(why)),
            None => self.second.why_fixed(client_id).await,
        }
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        self.first.declared(spec).and(self.second.declared(spec))
    }

    async fn delete(&self, client_id: &str) -> Result<Deletion, StoreError> {
        // First, as nothing may have been deleted if one of the two cannot do it.
        if let Some(why) = self.why_fixed(client_id).await? {
            return Ok(Deletion::Fixed { why });
        }
        match self.first.delete(client_id).await? {
            Deletion::Gone => self.second.delete(client_id).await,
            fixed @ Deletion::Fixed { .. } => Ok(fixed),
        }
    }
}
