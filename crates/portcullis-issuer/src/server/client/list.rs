//! [`ClientList`]: clients from a configuration.

use std::{collections::HashMap, sync::Arc};

use portcullis_core::{ConfigError, policy::TokenSpec};

use super::{Client, Clients, DeclaredClients};
use crate::StoreError;

/// Clients that are known when the program starts.
#[derive(Clone, Debug, Default)]
pub struct ClientList(Arc<HashMap<String, Arc<Client>>>);

impl ClientList {
    /// Returns a list of these clients.
    ///
    /// # Errors
    ///
    /// All problems of all clients, and if two have one id.
    pub fn new(clients: impl IntoIterator<Item = Client>) -> Result<Self, ConfigError> {
        let (mut by_id, mut problems) = (HashMap::new(), Vec::new());
        for client in clients {
            problems.extend(client.problems());
            if let Some(other) = by_id.insert(client.id().to_owned(), Arc::new(client)) {
                problems.push(format!("two clients have the id {:?}: each needs its own", other.id()));
            }
        }
        ConfigError::check(problems)?;
        Ok(Self(Arc::new(by_id)))
    }
}

impl Clients for ClientList {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(self.0.get(client_id).cloned())
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        let declared = |all: DeclaredClients, client: &Arc<Client>| all.client(client, spec);
        self.0.values().fold(DeclaredClients::new(), declared)
    }
}
