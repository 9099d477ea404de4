//! [`Consent`]: what a user allows a client.

use portcullis_core::{ConfigError, UnixTime};
use serde::{Deserialize, Serialize};

use super::{AuthorizationServer, Client, OAuthError, OAuthErrorCode};
use crate::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordKind, Swapped},
    refresh::{EndReason, Family, LogIn},
};

/// What a user allows a client, until the user withdraws it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    v: u8,
    scopes: Vec<String>,
    resources: Vec<String>,
    at: u64,
    /// Whether the user was asked. For the application's own clients, it is not so: then it only says that there may be sessions.
    asked: bool,
}

/// The version of the stored form. A later version is refused, so that an old instance does not misread it.
const VERSION: u8 = 1;

impl Consent {
    /// Returns the scopes.
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// Returns the services.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = &str> {
        self.resources.iter().map(String::as_str)
    }

    /// Returns when the user last allowed something.
    pub fn at(&self) -> UnixTime {
        UnixTime::from_secs(self.at)
    }

    /// Whether the user has allowed all of this.
    pub(super) fn covers(&self, scopes: &[String], resources: &[String]) -> bool {
        let has_all = |own: &[String], wanted: &[String]| wanted.iter().all(|each| own.contains(each));
        self.asked && has_all(&self.scopes, scopes) && has_all(&self.resources, resources)
    }

    /// Adds to what was allowed before.
    fn and(mut self, scopes: &[String], resources: &[String], at: u64, asked: bool) -> Self {
        let add = |own: &mut Vec<String>, more: &[String]| {
            for each in more {
                if !own.contains(each) {
                    own.push(each.clone());
                }
            }
        };
        // What was kept without asking is not allowed by being kept.
        if asked && !self.asked {
            (self.scopes, self.resources) = (Vec::new(), Vec::new());
        }
        add(&mut self.scopes, scopes);
        add(&mut self.resources, resources);
        Self { at, asked: asked || self.asked, ..self }
    }

    fn parse(record: &Record) -> Result<Self, StoreError> {
        let consent = serde_json::from_str(record.text()).ok().filter(|consent: &Self| consent.v == VERSION);
        consent.ok_or_else(|| StoreError::new("the record of a consent is of a later version, or damaged"))
    }
}

impl AuthorizationServer {
    /// Returns what a user allows a client; `None` if the user allows it nothing.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    pub async fn consent_of(&self, subject: &str, client_id: &str) -> Result<Option<Consent>, StoreError> {
        let Ok(key) = consent_key(subject, client_id) else { return Ok(None) };
        let record = self.records().find(&key).await?;
        let consent = record.as_ref().map(Consent::parse).transpose()?;
        Ok(consent.filter(|consent| consent.asked))
    }

    /// Returns the clients to which a user allows something, for a page on which the user withdraws it.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    pub async fn consents_of(&self, subject: &str) -> Result<Vec<(String, Consent)>, StoreError> {
        let Ok(group) = RecordGroup::new(RecordKind::Consent, subject) else { return Ok(Vec::new()) };
        let mut consents = Vec::new();
        for (client_id, record) in self.records().list(&group).await? {
            let consent = Consent::parse(&record)?;
            if consent.asked {
                consents.push((client_id, consent));
            }
        }
        Ok(consents)
    }

    /// Withdraws what a user allows a client, and ends all sessions that the client has of this user.
    ///
    /// # Errors
    ///
    /// If a part did not succeed. Try again: what has ended stays ended.
    pub async fn withdraw_consent(&self, subject: &str, client_id: &str) -> Result<(), OAuthError> {
        let key = consent_key(subject, client_id)?;
        // First, so that a code that is redeemed meanwhile finds no consent after it has opened its session.
        self.forget(&key).await?;
        self.end_sessions_of(subject, client_id, EndReason::Revoked).await
    }

    /// Ends the sessions of a user that are those of a client.
    pub(super) async fn end_sessions_of(
        &self,
        subject: &str,
        client_id: &str,
        reason: EndReason,
    ) -> Result<(), OAuthError> {
        for session in self.sessions().of(subject).await? {
            if session.log_in.client_id() == client_id {
                self.sessions().end(session.id, reason).await?;
            }
        }
        Ok(())
    }

    /// Keeps what a user allows a client, and that there may be sessions of the two. If the client was deleted meanwhile, nothing is kept: the
    /// deletion may not have found it, and a later client of the same id would be allowed it.
    pub(super) async fn keep_consent(&self, client: &Client, log_in: &LogIn) -> Result<(), OAuthError> {
        self.add_consent(client, log_in).await?;
        if self.find_client(client.id()).await?.is_some() {
            return Ok(());
        }
        self.forget_consent(log_in.subject(), client.id()).await?;
        Err(OAuthError::new(OAuthErrorCode::AccessDenied, "the client was deleted"))
    }

    async fn add_consent(&self, client: &Client, log_in: &LogIn) -> Result<(), OAuthError> {
        let key = consent_key(log_in.subject(), client.id())?;
        let (scopes, resources): (Vec<_>, Vec<_>) =
            (log_in.scopes().map(str::to_owned).collect(), log_in.audiences().map(str::to_owned).collect());
        let asked = !client.is_first_party();
        // First, so that a client that is deleted finds all whose sessions it may have.
        let index = RecordKey::new(RecordKind::UserOfClient, client.id(), log_in.subject())?;
        if self.records().find(&index).await?.is_none() {
            self.records().swap(&index, None, Some(NewRecord::new(""))).await?;
        }
        loop {
            let (record, now) = (self.records().find(&key).await?, self.now().await?.to_unix().as_secs());
            let before = record.as_ref().map(Consent::parse).transpose()?;
            let none = || Consent { v: VERSION, scopes: Vec::new(), resources: Vec::new(), at: now, asked };
            let consent = before.clone().unwrap_or_else(none).and(&scopes, &resources, now, asked);
            let text = serde_json::to_string(&consent).unwrap_or_default();
            let version = record.map(|record| record.version());
            if self.records().swap(&key, version, Some(NewRecord::new(text))).await? == Swapped::Stored {
                return Ok(());
            }
        }
    }

    /// Makes sure that the client and the consent are still there, after a session was opened: they may have gone meanwhile, and did not find
    /// the session. Then it ends again.
    pub(super) async fn still_allows(&self, client: &Client, session: &Family) -> Result<(), OAuthError> {
        let key = consent_key(session.log_in.subject(), client.id())?;
        let is_there = self.find_client(client.id()).await?.is_some() && self.records().find(&key).await?.is_some();
        if is_there {
            return Ok(());
        }
        self.sessions().end(session.id, EndReason::Revoked).await?;
        Err(OAuthError::invalid_grant("the code is not accepted"))
    }
}

pub(super) fn consent_key(subject: &str, client_id: &str) -> Result<RecordKey, ConfigError> {
    RecordKey::new(RecordKind::Consent, subject, client_id)
}
