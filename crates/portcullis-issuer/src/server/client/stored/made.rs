//! [`Made`]: clients with keys, as they were made of their records.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::Client;
use crate::{documents::ClientAuthentication, records::RecordVersion};

/// Clients with keys, each as it was made of one version of its record: to prepare keys costs more than all else that a request needs of its client.
///
/// The record is read for each request all the same, and no version is used twice, so a client that was changed or deleted is so at once.
#[derive(Default)]
pub(super) struct Made(Mutex<HashMap<String, (RecordVersion, Arc<Client>)>>);

/// How many are kept, some kilobytes each. With more, each is made again now and then.
const MOST: usize = 1000;

impl Made {
    /// Returns what was made of this version of a client's record.
    pub(super) fn find(&self, client_id: &str, version: RecordVersion) -> Option<Arc<Client>> {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(client_id).filter(|(known, _)| *known == version).map(|(_, client)| Arc::clone(client))
    }

    /// Keeps a client, if it has keys.
    pub(super) fn keep(&self, version: RecordVersion, client: &Arc<Client>) {
        if client.authentication() != ClientAuthentication::PrivateKeyJwt {
            return;
        }
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MOST && !made.contains_key(client.id()) {
            made.clear();
        }
        made.insert(client.id().to_owned(), (version, Arc::clone(client)));
    }
}
