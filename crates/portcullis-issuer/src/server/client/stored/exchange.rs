//! [`StoredExchange`]: rules of an exchange as they are stored.

use serde::{Deserialize, Serialize};

use crate::server::ExchangePolicy;

/// Rules of an exchange as they are stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredExchange {
    of_services: Vec<String>,
    of_clients: Vec<String>,
    resources: Vec<String>,
    scopes: Vec<String>,
    roles: Vec<String>,
    impersonates: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    api_tokens: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    acts_for_users: bool,
}

impl StoredExchange {
    pub(super) fn of(policy: &ExchangePolicy) -> Self {
        // Each field is named, so that one that is added is not forgotten.
        let ExchangePolicy {
            of_services,
            of_clients,
            resources,
            scopes,
            roles,
            impersonates,
            api_tokens,
            acts_for_users,
        } = policy.clone();
        Self { of_services, of_clients, resources, scopes, roles, impersonates, api_tokens, acts_for_users }
    }

    pub(super) fn policy(self) -> ExchangePolicy {
        let Self { of_services, of_clients, resources, scopes, roles, impersonates, api_tokens, acts_for_users } = self;
        ExchangePolicy { of_services, of_clients, resources, scopes, roles, impersonates, api_tokens, acts_for_users }
    }
}
