//! [`Form`]: a client as it is stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::StoredClientError;
use crate::{
    StoreError,
    documents::GrantType,
    records::Record,
    refresh::{Millis, StoredPolicy},
    server::{Client, ClientSecret, client::Standing, proof::Proof},
};

/// A client as it is stored, or what is left of one.
#[derive(Serialize, Deserialize)]
pub(super) struct Form {
    v: u8,
    /// The longest life that a session of the client may have by any version of it, in milliseconds.
    longest: u64,
    /// `None` after the client was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Content>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Digests. A public client has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<ClientSecret>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redirect_uris: Vec<String>,
    grants: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    resources: Vec<String>,
    policy: StoredPolicy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifetime_secs: Option<u64>,
    #[serde(default)]
    combines_resources: bool,
    #[serde(default)]
    first_party: bool,
    #[serde(default)]
    without_question: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_out_at: Option<String>,
}

/// The version of the stored form. A later version is refused, so that an old instance does not misread it.
const VERSION: u8 = 1;

/// How long the id of a deleted client stays taken, at least: longer than any access token without a session.
const LEAST: Duration = Duration::from_secs(86_400);

impl Form {
    /// Returns the form of a client, which replaces another one, if there is one.
    pub(super) fn of(client: &Client, before: Option<&Self>) -> Result<Self, StoredClientError> {
        let Some(content) = Content::of(client) else { return Err(StoredClientError::keys(client.id())) };
        let longest = client.policy.longest_session().max(LEAST);
        let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let longest = before.map_or(longest, |before| before.longest.max(longest));
        Ok(Self { v: VERSION, longest, client: Some(content) })
    }

    /// Returns what is left after the client was deleted.
    pub(super) fn deleted(self) -> Self {
        Self { client: None, ..self }
    }

    /// Returns until when the id of a client that is deleted now stays taken.
    pub(super) fn free_at(&self, now: Millis) -> Millis {
        now.plus(Duration::from_millis(self.longest))
    }

    pub(super) fn to_json(&self) -> String {
        // A struct of numbers, strings and lists can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn parse(record: &Record) -> Result<Self, StoreError> {
        let form = serde_json::from_str(record.text()).ok().filter(|form: &Self| form.v == VERSION);
        form.ok_or_else(unreadable)
    }

    /// Returns the client of this id; `None` if it was deleted.
    pub(super) fn client(self, id: &str) -> Result<Option<Client>, StoreError> {
        self.client.map(|content| content.client(id)).transpose()
    }
}

impl Content {
    /// Returns the content of a client; `None` if it has something that cannot be stored.
    fn of(client: &Client) -> Option<Self> {
        let secrets = match &client.proof {
            Proof::None => Vec::new(),
            Proof::Secrets(secrets) => secrets.clone(),
            Proof::Keys(_) => return None,
        };
        // The rules would be lost.
        if client.exchange.is_some() {
            return None;
        }
        Some(Self {
            name: client.name.clone(),
            secrets,
            redirect_uris: client.redirect_uris.clone(),
            grants: client.grants.iter().map(|grant| grant.name().to_owned()).collect(),
            scopes: client.scopes.clone(),
            resources: client.resources.clone(),
            policy: StoredPolicy::of(&client.policy),
            lifetime_secs: client.lifetime.map(|lifetime| lifetime.as_secs()),
            combines_resources: client.may_combine_resources,
            first_party: client.is_first_party(),
            without_question: client.grants_without_question,
            log_out_at: client.log_out_at.clone(),
        })
    }

    fn client(self, id: &str) -> Result<Client, StoreError> {
        let grants = self.grants.iter().map(|name| GrantType::from_name(name)).collect::<Option<_>>();
        Ok(Client {
            name: self.name,
            proof: if self.secrets.is_empty() { Proof::None } else { Proof::Secrets(self.secrets) },
            redirect_uris: self.redirect_uris,
            grants: grants.ok_or_else(unreadable)?,
            scopes: self.scopes,
            resources: self.resources,
            policy: self.policy.policy(),
            lifetime: self.lifetime_secs.map(Duration::from_secs),
            may_combine_resources: self.combines_resources,
            standing: if self.first_party { Standing::FirstParty } else { Standing::Registered },
            grants_without_question: self.without_question,
            log_out_at: self.log_out_at,
            ..Client::public(id)
        })
    }
}

fn unreadable() -> StoreError {
    StoreError::new("the record of a client is of a later version, or damaged")
}
