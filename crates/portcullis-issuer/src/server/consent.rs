//! [`Consent`]: what a user allows a client.

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{ConfigError, UnixTime};
use serde::{Deserialize, Serialize};

use super::{AuthorizationServer, Client, OAuthError, OAuthErrorCode};
use crate::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordKind, Swapped},
    refresh::{EndReason, Family, LogIn},
};

/// What a user allows a client, until the user withdraws it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    client_id: String,
    kept: KeptConsent,
}

/// A consent as it is stored.
///
/// A client of the application's own has a row, too, which allows nothing: it says that there may be sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptConsent {
    v: u8,
    /// Another one after it was withdrawn and given again, so that a code of the time before is not accepted any more.
    id: String,
    allowed: Vec<Allowed>,
    /// The sessions of the client are being ended, and then the row goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    withdrawn: bool,
}

/// What was allowed at once. Answers do not combine: a user who has allowed one thing at one service, and another thing at a second one, has not allowed both at both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Allowed {
    scopes: Vec<String>,
    resources: Vec<String>,
    at: u64,
}

/// The version of the stored form. A later version is refused, so that an old instance does not misread it.
const VERSION: u8 = 1;

/// How many answers are kept for a client: the oldest is forgotten, and asked again.
const MOST_ANSWERS: usize = 32;

impl Consent {
    /// Returns the client.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the scopes, of all services together.
    pub fn scopes(&self) -> Vec<&str> {
        unique(self.kept.allowed.iter().flat_map(|allowed| &allowed.scopes))
    }

    /// Returns the services.
    pub fn resources(&self) -> Vec<&str> {
        unique(self.kept.allowed.iter().flat_map(|allowed| &allowed.resources))
    }

    /// Returns when the user last allowed something.
    pub fn at(&self) -> UnixTime {
        UnixTime::from_secs(self.kept.allowed.iter().map(|allowed| allowed.at).max().unwrap_or_default())
    }

    /// Returns whether it was withdrawn, and sessions of the client are still there, because something could not be reached. Withdraw it again.
    pub fn is_withdrawn(&self) -> bool {
        self.kept.withdrawn
    }

    /// Whether the user has allowed all these scopes at each of these services.
    pub(super) fn covers(&self, scopes: &[String], resources: &[String]) -> bool {
        let has_all = |allowed: &Allowed| scopes.iter().all(|scope| allowed.scopes.contains(scope));
        let has = |resource: &String| {
            self.kept.allowed.iter().any(|allowed| allowed.resources.contains(resource) && has_all(allowed))
        };
        !self.kept.withdrawn && !resources.is_empty() && resources.iter().all(has)
    }
}

impl KeptConsent {
    fn new() -> Result<Self, StoreError> {
        let mut octets = [0; 9];
        rand::fill(&mut octets).map_err(|_| StoreError::new("the operating system has no randomness"))?;
        Ok(Self { v: VERSION, id: URL_SAFE_NO_PAD.encode(octets), allowed: Vec::new(), withdrawn: false })
    }

    /// Whether the user allows the client something, or has, and sessions are left of it.
    fn is_shown(&self) -> bool {
        self.withdrawn || !self.allowed.is_empty()
    }

    /// Adds an answer.
    fn and(mut self, answer: Allowed) -> Self {
        self.allowed.retain(|one| (&one.scopes, &one.resources) != (&answer.scopes, &answer.resources));
        self.allowed.push(answer);
        if self.allowed.len() > MOST_ANSWERS {
            self.allowed.remove(0);
        }
        self
    }

    fn to_record(&self) -> NewRecord {
        // A struct of strings, numbers and lists can be written.
        NewRecord::new(serde_json::to_string(self).unwrap_or_default())
    }

    fn parse(record: &Record) -> Result<Self, StoreError> {
        let consent = serde_json::from_str(record.text()).ok().filter(|consent: &Self| consent.v == VERSION);
        consent.ok_or_else(|| StoreError::new("the record of a consent is of a later version, or damaged"))
    }
}

fn unique<'a>(all: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut list: Vec<&str> = Vec::new();
    for each in all {
        if !list.contains(&each.as_str()) {
            list.push(each);
        }
    }
    list
}

impl AuthorizationServer {
    /// Returns what a user allows a client; `None` if the user allows it nothing.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    pub async fn consent_of(&self, subject: &str, client_id: &str) -> Result<Option<Consent>, StoreError> {
        let Ok(key) = consent_key(subject, client_id) else { return Ok(None) };
        let found = self.find_consent(&key).await?.map(|(kept, _)| kept);
        let found = found.filter(|kept| !kept.withdrawn && !kept.allowed.is_empty());
        Ok(found.map(|kept| Consent { client_id: client_id.to_owned(), kept }))
    }

    /// Returns what a user allows each client, for a page on which the user withdraws it.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    pub async fn consents_of(&self, subject: &str) -> Result<Vec<Consent>, StoreError> {
        let Ok(group) = RecordGroup::new(RecordKind::Consent, subject) else { return Ok(Vec::new()) };
        let mut consents = Vec::new();
        for (client_id, record) in self.records().list(&group).await? {
            let kept = KeptConsent::parse(&record)?;
            if kept.is_shown() {
                consents.push(Consent { client_id, kept });
            }
        }
        Ok(consents)
    }

    /// Withdraws what a user allows a client, and ends all sessions that the client has of this user. It goes on if its caller goes away. Returns
    /// `false` if nothing was kept about the two, as for an id that no client has.
    ///
    /// # Errors
    ///
    /// If a part did not succeed: the consent is still listed then, as [withdrawn](Consent::is_withdrawn). Try again: what has ended stays ended.
    /// Also if sessions of the user cannot be read, so that they may be of this client: the source of the error says how many. All others have ended.
    pub async fn withdraw_consent(&self, subject: &str, client_id: &str) -> Result<bool, OAuthError> {
        let (server, subject, client_id) = (self.clone(), subject.to_owned(), client_id.to_owned());
        let withdrawn = async move { server.withdraw_now(&subject, &client_id).await };
        self.sessions().tasks().end_to_its_end(withdrawn).await?
    }

    async fn withdraw_now(&self, subject: &str, client_id: &str) -> Result<bool, OAuthError> {
        // Nothing is kept about other names.
        let Ok(key) = consent_key(subject, client_id) else { return Ok(false) };
        let mut is_known = false;
        // First, so that a code that is redeemed meanwhile finds no consent after it has opened its session.
        while let Some((consent, record)) = self.find_consent(&key).await? {
            is_known = true;
            if consent.withdrawn {
                break;
            }
            let next = KeptConsent { withdrawn: true, ..consent };
            self.records().swap(&key, Some(record.version()), Some(next.to_record())).await?;
        }
        self.end_sessions_of(subject, client_id, EndReason::Revoked).await?;
        // Last, so that it is listed until all has ended. A consent that was given meanwhile stays.
        if let Some((KeptConsent { withdrawn: true, .. }, record)) = self.find_consent(&key).await? {
            self.records().swap(&key, Some(record.version()), None).await?;
        }
        Ok(is_known)
    }

    /// Ends the sessions of a user that are those of a client. If one fails, the others are attempted all the same. One that cannot be read may be of
    /// the client, too, so it fails if there is one, after all others have ended.
    pub(super) async fn end_sessions_of(
        &self,
        subject: &str,
        client_id: &str,
        reason: EndReason,
    ) -> Result<(), OAuthError> {
        let (sessions, unreadable) = self.sessions().readable_of(subject).await?;
        let mut outcome = Ok(());
        for session in sessions.iter().filter(|session| session.log_in.client_id() == client_id) {
            let ended = self.sessions().end_within(session.id, reason).await;
            outcome = outcome.and(ended);
        }
        outcome?;
        if unreadable > 0 { Err(StoreError::may_go_on(unreadable).into()) } else { Ok(()) }
    }

    /// Keeps what a user allows a client, if the user was asked, and that there may be sessions of the two. Returns the id of the consent. If the
    /// client was deleted meanwhile, nothing is kept: the deletion may not have found it, and a later client of the same id would be allowed it.
    pub(super) async fn keep_consent(
        &self,
        client: &Client,
        log_in: &LogIn,
        is_asked: bool,
    ) -> Result<String, OAuthError> {
        let consent = self.add_consent(client, log_in, is_asked).await?;
        if self.find_client(client.id()).await?.is_some() {
            return Ok(consent);
        }
        self.forget_consent(log_in.subject(), client.id()).await?;
        Err(OAuthError::new(OAuthErrorCode::AccessDenied, "the client was deleted"))
    }

    async fn add_consent(&self, client: &Client, log_in: &LogIn, is_asked: bool) -> Result<String, OAuthError> {
        let key = consent_key(log_in.subject(), client.id())?;
        // First, so that a client that is deleted finds all whose sessions it may have.
        let index = RecordKey::new(RecordKind::UserOfClient, client.id(), log_in.subject())?;
        if self.records().find(&index).await?.is_none() {
            self.records().swap(&index, None, Some(NewRecord::new(""))).await?;
        }
        let scopes = log_in.scopes().map(str::to_owned).collect();
        let resources = log_in.audiences().map(str::to_owned).collect();
        let answer = Allowed { scopes, resources, at: self.store_now().await?.to_unix().as_secs() };
        loop {
            let found = self.find_consent(&key).await?;
            let version = found.as_ref().map(|(_, record)| record.version());
            let before = match found {
                Some((consent, _)) if !consent.withdrawn => Some(consent),
                _ => None,
            };
            let next = match (before, is_asked) {
                (Some(consent), false) => return Ok(consent.id),
                (Some(consent), true) => consent.and(answer.clone()),
                (None, true) => KeptConsent::new()?.and(answer.clone()),
                (None, false) => KeptConsent::new()?,
            };
            if self.records().swap(&key, version, Some(next.to_record())).await? == Swapped::Stored {
                return Ok(next.id);
            }
        }
    }

    /// Makes sure that the client and the consent are still there, after a session was opened: they may have gone meanwhile, and did not find
    /// the session. Then it ends again.
    pub(super) async fn still_allows(
        &self,
        client: &Client,
        session: &Family,
        consent: &str,
    ) -> Result<(), OAuthError> {
        let outcome = self.is_still_allowed(client, session, consent).await;
        if let Ok(true) = outcome {
            return Ok(());
        }
        // In doubt, too: the code is used up, and no one has the session's tokens yet.
        self.sessions().end_within(session.id, EndReason::Revoked).await?;
        let refused = OAuthError::invalid_grant("the code was used, and no session came of it: begin again");
        Err(match outcome {
            Ok(_) => refused,
            Err(error) => refused.with_source(error),
        })
    }

    async fn is_still_allowed(&self, client: &Client, session: &Family, consent: &str) -> Result<bool, OAuthError> {
        let key = consent_key(session.log_in.subject(), client.id())?;
        let found = self.find_consent(&key).await?;
        let is_same = found.is_some_and(|(found, _)| found.id == consent && !found.withdrawn);
        Ok(is_same && self.find_client(client.id()).await?.is_some())
    }

    async fn find_consent(&self, key: &RecordKey) -> Result<Option<(KeptConsent, Record)>, StoreError> {
        let Some(record) = self.records().find(key).await? else { return Ok(None) };
        let consent = KeptConsent::parse(&record)?;
        Ok(Some((consent, record)))
    }
}

pub(super) fn consent_key(subject: &str, client_id: &str) -> Result<RecordKey, ConfigError> {
    RecordKey::new(RecordKind::Consent, subject, client_id)
}
