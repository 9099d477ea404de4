//! [`AuthorizationServerBuilder`]: what a server is made of.

use std::{fmt, sync::Arc};

use portcullis_core::{ConfigError, revocation::Revoker};

use super::{
    AuthorizationServer, Clients, Inner, Listener, RefreshStore, ServerEvent, Sessions, Subjects, client::AnyClients,
    sessions::AnySessions,
};
use crate::records::{AnyRecords, RecordStore};

/// What a server is made of. Made by [`AuthorizationServer::builder`].
#[must_use = "there is no server before `build`"]
pub struct AuthorizationServerBuilder {
    sessions: Box<dyn AnySessions>,
    records: Box<dyn AnyRecords>,
    clients: Box<dyn AnyClients>,
    on_event: Option<Box<Listener>>,
}

impl AuthorizationServer {
    /// Begins the settings of a server: it opens sessions in `sessions`, keeps codes and consents in `records`, and knows `clients`.
    pub fn builder<S: RefreshStore, R: Revoker, J: Subjects>(
        sessions: Sessions<S, R, J>,
        records: impl RecordStore,
        clients: impl Clients,
    ) -> AuthorizationServerBuilder {
        AuthorizationServerBuilder {
            sessions: Box::new(sessions),
            records: Box::new(records),
            clients: Box::new(clients),
            on_event: None,
        }
    }
}

impl AuthorizationServerBuilder {
    /// Calls `listener` for every event. It must not block. Defaults to none.
    pub fn on_event(self, listener: impl Fn(&ServerEvent) + Send + Sync + 'static) -> Self {
        Self { on_event: Some(Box::new(listener)), ..self }
    }

    /// Makes the server.
    ///
    /// # Errors
    ///
    /// All problems of the settings.
    pub fn build(self) -> Result<AuthorizationServer, ConfigError> {
        let Self { sessions, records, clients, on_event } = self;
        Ok(AuthorizationServer(Arc::new(Inner { sessions, records, clients, on_event })))
    }
}

impl fmt::Debug for AuthorizationServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServerBuilder")
            .field("sessions", &self.sessions)
            .field("records", &self.records)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
