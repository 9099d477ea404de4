//! [`StoredForm`]: a client as it is stored.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use super::{StoredClientError, exchange::StoredExchange, keys::StoredKeys, secret::StoredSecret};
use crate::{
    StoreError,
    documents::GrantType,
    records::Record,
    refresh::{Millis, StoredPolicy},
    server::{Client, client::Standing, proof::Proof},
};

/// A client as it is stored, or what is left of one.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredForm {
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
    secrets: Vec<StoredSecret>,
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
    /// Since version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<StoredKeys>,
    /// Since version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exchange: Option<StoredExchange>,
}

/// The versions of the stored form. A later one is refused, so that an old instance does not misread it: a client with keys would be public.
const VERSIONS: RangeInclusive<u8> = 1..=2;

/// How long the id of a deleted client stays taken, at least: longer than any access token without a session.
const LEAST: Duration = Duration::from_secs(86_400);

impl StoredForm {
    /// Returns the form of a client, which replaces another one, if there is one.
    pub(super) fn of(client: &Client, before: Option<&Self>) -> Result<Self, StoredClientError> {
        let Some(content) = Content::of(client) else { return Err(StoredClientError::key_source(client.id())) };
        let longest = client.policy.longest_session().max(LEAST);
        let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let longest = before.map_or(longest, |before| before.longest.max(longest));
        Ok(Self { v: content.version(), longest, client: Some(content) })
    }

    /// Returns what is left after the client was deleted.
    pub(super) fn deleted(self) -> Self {
        Self { v: *VERSIONS.start(), client: None, ..self }
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
        let form = serde_json::from_str(record.text()).ok().filter(|form: &Self| VERSIONS.contains(&form.v));
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
        // Each field is named, so that one that is added is not forgotten.
        let Client {
            id: _,
            name,
            proof,
            redirect_uris,
            grants,
            scopes,
            resources,
            policy,
            lifetime,
            may_combine_resources,
            standing,
            grants_without_question,
            log_out_at,
            exchange,
        } = client;
        let (secrets, keys) = match proof {
            Proof::None => (Vec::new(), None),
            Proof::Secrets(secrets) => (secrets.iter().map(StoredSecret::of).collect(), None),
            Proof::Keys(keys) => (Vec::new(), Some(StoredKeys::of(keys)?)),
        };
        Some(Self {
            name: name.clone(),
            secrets,
            redirect_uris: redirect_uris.clone(),
            grants: grants.iter().map(|grant| grant.name().to_owned()).collect(),
            scopes: scopes.clone(),
            resources: resources.clone(),
            policy: StoredPolicy::of(policy),
            lifetime_secs: lifetime.map(|lifetime| lifetime.as_secs()),
            combines_resources: *may_combine_resources,
            // An outsider that is stored is registered by that.
            first_party: *standing == Standing::FirstParty,
            without_question: *grants_without_question,
            log_out_at: log_out_at.clone(),
            keys,
            exchange: exchange.as_ref().map(StoredExchange::of),
        })
    }

    /// Returns the first version of the form that has all of it, so that older instances read what they know.
    fn version(&self) -> u8 {
        if self.keys.is_some() || self.exchange.is_some() { 2 } else { 1 }
    }

    fn client(self, id: &str) -> Result<Client, StoreError> {
        let grants = self.grants.iter().map(|name| GrantType::from_name(name)).collect::<Option<_>>();
        let proof = match (self.secrets, self.keys) {
            (secrets, None) if secrets.is_empty() => Proof::None,
            (secrets, None) => {
                let secrets: Option<_> = secrets.into_iter().map(StoredSecret::secret).collect();
                Proof::Secrets(secrets.ok_or_else(unreadable)?)
            }
            (secrets, Some(keys)) if secrets.is_empty() => Proof::Keys(keys.keys().ok_or_else(unreadable)?),
            _ => return Err(unreadable()),
        };
        Ok(Client {
            id: id.to_owned(),
            name: self.name,
            proof,
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
            exchange: self.exchange.map(StoredExchange::policy),
        })
    }
}

fn unreadable() -> StoreError {
    StoreError::new("the record of a client is of a later version, or damaged")
}
