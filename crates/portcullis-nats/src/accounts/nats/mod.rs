//! [`NatsAccounts`]: accounts from nats-servers, asked over the system account (feature `nats`).

mod access;
mod link;

use std::{convert::Infallible, fmt, path::PathBuf, time::Duration};

use futures_util::StreamExt as _;
use portcullis_core::ConfigError;
use tokio::{
    select,
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

use self::{
    access::{Access, Credentials},
    link::{Link, Links, connection_lost},
};
use super::{AccountResolver, AccountUpdates, ResolverError};
use crate::{nkey::AccountKey, telemetry};

/// Accounts from nats-servers with a full resolver, asked over the system account.
///
/// - A look-up is a request on `$SYS.REQ.ACCOUNT.<id>.CLAIMS.LOOKUP`. Each server of a cluster answers, and the first one with the account counts;
///   there is no such account if a server says so and none contradicts within 200 ms.
/// - What `nsc push` sends to the servers is seen here, too (`$SYS.REQ.CLAIMS.UPDATE` and its older forms), so that a revocation counts at once.
///   During an interruption that can be missed: the next look-up finds it. A delete is only found by the next look-up; to end an account's users at
///   once, lock it and push that.
/// - It connects at the first look-up, and again after any failure.
///
/// # Rights
///
/// A user of the system account, who may publish on `$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP`, and subscribe to `_INBOX.>`, `$SYS.REQ.CLAIMS.UPDATE`,
/// `$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE` and `$SYS.ACCOUNT.*.CLAIMS.UPDATE`. Give it no more: a user of the system account without limits controls
/// the servers.
pub struct NatsAccounts {
    links: Links,
}

/// How long another server may take to contradict one that does not know an account.
const CONTRADICTION: Duration = Duration::from_millis(200);

/// On what the servers are sent accounts that have changed: by `nsc push` today, and by older versions.
const UPDATES: [&str; 3] =
    ["$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE", "$SYS.ACCOUNT.*.CLAIMS.UPDATE"];

/// How long to wait before connecting again to follow updates.
const PAUSE: Duration = Duration::from_secs(1);

impl NatsAccounts {
    /// Asks these servers: `nats://host:4222` or `tls://host:4222`, several of them with commas between.
    ///
    /// # Errors
    ///
    /// If it is no such URL. Credentials do not belong there: use [`creds`](Self::creds) or [`creds_file`](Self::creds_file).
    pub fn new(urls: &str) -> Result<Self, ConfigError> {
        Ok(Self { links: Links::new(Access::parse(urls)?) })
    }

    /// Signs in with this content of a `.creds` file of a user of the system account. Defaults to none.
    #[must_use]
    pub fn creds(self, text: impl Into<String>) -> Self {
        self.with(Credentials::Creds(Zeroizing::new(text.into())))
    }

    /// Signs in with this `.creds` file, which is read at each connect, so that it can be replaced. Defaults to none.
    #[must_use]
    pub fn creds_file(self, path: impl Into<PathBuf>) -> Self {
        self.with(Credentials::File(path.into()))
    }

    /// Trusts these certificate authorities (PEM) instead of the machine's, for `tls://`.
    ///
    /// # Errors
    ///
    /// If there is no certificate in it, or a URL begins with `nats://`.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        self.links.access.trust(pem.as_ref())?;
        Ok(self)
    }

    fn with(mut self, credentials: Credentials) -> Self {
        self.links.access.credentials = credentials;
        self
    }

    /// Sends what has changed, until the connection is broken. Returns why it is.
    async fn follow_once(&self, updates: &AccountUpdates) -> Result<Infallible, ResolverError> {
        // A connection of its own: look-ups go on if our user may not listen.
        let link = Link::open(&self.links.access).await?;
        let mut changed = Vec::new();
        for subject in UPDATES {
            changed.push(link.subscribe(subject.to_owned()).await?);
        }
        let mut changed = futures_util::stream::select_all(changed);
        loop {
            let message = select! {
                message = changed.next() => message,
                error = link.broken() => return Err(error),
            };
            let Some(message) = message else { return Err(connection_lost()) };
            if let Ok(token) = std::str::from_utf8(&message.payload) {
                updates.send(token).await;
            }
        }
    }
}

impl AccountResolver for NatsAccounts {
    async fn fetch(&self, id: &AccountKey) -> Result<Option<String>, ResolverError> {
        let link = self.links.open().await?;
        select! {
            answer = ask(&link, id) => answer,
            error = link.broken() => Err(error),
        }
    }

    async fn follow(&self, updates: AccountUpdates) {
        let mut failures = 0_u64;
        loop {
            let Err(error) = self.follow_once(&updates).await;
            failures += 1;
            // One line for each doubling, however long it lasts.
            if failures.is_power_of_two() {
                telemetry::not_followed(&error, failures);
            }
            sleep(PAUSE).await;
        }
    }
}

async fn ask(link: &Link, id: &AccountKey) -> Result<Option<String>, ResolverError> {
    let (inbox, mut answers) = link.inbox().await?;
    link.send(format!("$SYS.REQ.ACCOUNT.{id}.CLAIMS.LOOKUP"), inbox).await?;
    let mut is_denied = false;
    loop {
        let next = if is_denied { timeout(CONTRADICTION, answers.next()).await } else { Ok(answers.next().await) };
        let message = match next {
            Err(_) => return Ok(None),
            Ok(None) => return Err(connection_lost()),
            Ok(Some(message)) => message,
        };
        if message.status == Some(async_nats::StatusCode::NO_RESPONDERS) {
            return Err(ResolverError::new(
                "no nats-server answers: is our user one of the system account, and have the servers a full resolver?",
            ));
        }
        match std::str::from_utf8(&message.payload) {
            Ok("") => is_denied = true,
            Ok(token) => return Ok(Some(token.to_owned())),
            Err(_) => return Err(ResolverError::new("a nats-server gives an account that is not UTF-8")),
        }
    }
}

impl fmt::Debug for NatsAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsAccounts").field("servers", &self.links.access).finish_non_exhaustive()
    }
}
