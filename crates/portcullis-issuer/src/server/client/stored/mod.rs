//! [`StoredClients`]: clients in a store of records.

mod error;
mod exchange;
mod form;
mod keys;
mod made;
mod secret;

use std::{fmt, sync::Arc};

use portcullis_core::{ConfigError, policy::TokenSpec};

pub use self::error::StoredClientError;
use self::{form::StoredForm, made::Made};
use super::{Client, Clients, DeclaredClients, Deletion};
use crate::{
    StoreError,
    records::{AnyRecords, NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, RecordVersion, Swapped},
};

/// Clients in a store of records, which can be changed while the server runs. Clones share them.
///
/// A secret is stored as its digest, and of keys only the public ones ([`Client::with_jwks`]). A client that was deleted leaves its id taken until the longest session that it may have had would be over:
/// neither a new client nor an update that began before brings it back. To end its sessions and consents as well, delete it by
/// [`AuthorizationServer::delete_client`](crate::server::AuthorizationServer::delete_client).
///
/// ```
/// use portcullis_issuer::records::MemoryRecordStore;
/// use portcullis_issuer::server::{Client, StoredClients};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clients = StoredClients::new(MemoryRecordStore::new());
/// let page = Client::public("web").redirect_uri("https://app.example.com/callback").resource("https://orders.example.com");
/// clients.create(&page).await?;
///
/// let read = clients.read("web").await?.ok_or("there is no such client")?;
/// clients.update(&read.client().clone().name("Orders"), read.version()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StoredClients {
    records: Arc<dyn AnyRecords>,
    made: Arc<Made>,
}

/// A client as it was read, and the version that an [update](StoredClients::update) has to name.
#[derive(Clone, Debug)]
pub struct StoredClient {
    client: Client,
    version: RecordVersion,
}

impl StoredClient {
    /// Returns the client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the version.
    pub const fn version(&self) -> RecordVersion {
        self.version
    }
}

impl StoredClients {
    /// Returns the clients in this store.
    pub fn new(records: impl RecordStore) -> Self {
        Self { records: Arc::new(records), made: Arc::default() }
    }

    /// Stores a new client.
    ///
    /// # Errors
    ///
    /// [`StoredClientError::Taken`] if its id is that of another client, or of one that was deleted recently. [`StoredClientError::Invalid`] also if
    /// its keys are in a source of the application's own ([`Client::with_keys`]), which cannot be stored.
    pub async fn create(&self, client: &Client) -> Result<(), StoredClientError> {
        let form = StoredForm::of(checked(client)?, None)?;
        match self.records.swap(&key_of(client.id())?, None, Some(NewRecord::new(form.to_json()))).await? {
            Swapped::Stored => Ok(()),
            Swapped::Conflict => Err(StoredClientError::Taken),
        }
    }

    /// Returns the client with this id; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    pub async fn read(&self, client_id: &str) -> Result<Option<StoredClient>, StoreError> {
        let Some(record) = self.find_record(client_id).await? else { return Ok(None) };
        let client = StoredForm::parse(&record)?.client(client_id)?;
        Ok(client.map(|client| StoredClient { client, version: record.version() }))
    }

    /// Replaces a client if it is still as it was [read](Self::read). Tokens that it has got hold on; a scope or a service that it may no longer
    /// have is not in new ones if the application's [`Subjects`](crate::refresh::Subjects) say so.
    ///
    /// # Errors
    ///
    /// [`StoredClientError::Changed`] if it was changed or deleted meanwhile.
    pub async fn update(&self, client: &Client, version: RecordVersion) -> Result<(), StoredClientError> {
        let client = checked(client)?;
        let found = self.find_record(client.id()).await?.filter(|record| record.version() == version);
        let before = found.as_ref().map(StoredForm::parse).transpose()?.filter(|before| before.client.is_some());
        let Some(before) = before else { return Err(StoredClientError::Changed) };
        let next = NewRecord::new(StoredForm::of(client, Some(&before))?.to_json());
        match self.records.swap(&key_of(client.id())?, Some(version), Some(next)).await? {
            Swapped::Stored => Ok(()),
            Swapped::Conflict => Err(StoredClientError::Changed),
        }
    }

    /// Returns all clients, sorted by their ids.
    ///
    /// # Errors
    ///
    /// If they could not be read.
    pub async fn list(&self) -> Result<Vec<StoredClient>, StoreError> {
        let Ok(group) = RecordGroup::new(RecordKind::Client, "") else { return Ok(Vec::new()) };
        let mut clients = Vec::new();
        for (id, record) in self.records.list(&group).await? {
            let version = record.version();
            clients.extend(StoredForm::parse(&record)?.client(&id)?.map(|client| StoredClient { client, version }));
        }
        clients.sort_by(|one, other| one.client.id().cmp(other.client.id()));
        Ok(clients)
    }

    /// Deletes a client, whatever version it has. Returns whether there was one.
    async fn delete_now(&self, client_id: &str) -> Result<bool, StoreError> {
        let Ok(key) = key_of(client_id) else { return Ok(false) };
        loop {
            let Some(record) = self.records.find(&key).await? else { return Ok(false) };
            let form = StoredForm::parse(&record)?;
            if form.client.is_none() {
                return Ok(false);
            }
            let free_at = form.free_at(self.records.now().await?);
            let next = NewRecord::new(form.deleted().to_json()).until(free_at);
            // Otherwise, it was changed or deleted meanwhile.
            if self.records.swap(&key, Some(record.version()), Some(next)).await? == Swapped::Stored {
                return Ok(true);
            }
        }
    }

    async fn find_record(&self, client_id: &str) -> Result<Option<Record>, StoreError> {
        let Ok(key) = key_of(client_id) else { return Ok(None) };
        self.records.find(&key).await
    }
}

impl Clients for StoredClients {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let Some(record) = self.find_record(client_id).await? else { return Ok(None) };
        if let Some(made) = self.made.find(client_id, record.version()) {
            return Ok(Some(made));
        }
        let client = StoredForm::parse(&record)?.client(client_id)?.map(Arc::new);
        Ok(client.inspect(|client| self.made.keep(record.version(), client)))
    }

    fn declared(&self, _: &TokenSpec) -> DeclaredClients {
        DeclaredClients::new().have_keys().exchange_tokens()
    }

    async fn was_deleted(&self, client_id: &str) -> Result<bool, StoreError> {
        let form = self.find_record(client_id).await?.as_ref().map(StoredForm::parse).transpose()?;
        Ok(form.is_some_and(|form| form.client.is_none()))
    }

    async fn why_fixed(&self, _: &str) -> Result<Option<&'static str>, StoreError> {
        Ok(None)
    }

    async fn delete(&self, client_id: &str) -> Result<Deletion, StoreError> {
        self.delete_now(client_id).await?;
        Ok(Deletion::Gone)
    }
}

fn checked(client: &Client) -> Result<&Client, StoredClientError> {
    ConfigError::check(client.problems())?;
    Ok(client)
}

fn key_of(client_id: &str) -> Result<RecordKey, ConfigError> {
    RecordKey::new(RecordKind::Client, "", client_id)
}

impl fmt::Debug for StoredClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredClients").field("records", &self.records).finish_non_exhaustive()
    }
}
