//! What is wrong with a client.

use portcullis_core::policy::TokenSpec;

use super::{Client, redirect_uri::RedirectUri};
use crate::{
    documents::{GrantType, check_url},
    server::{parameters::is_scope, proof::Proof},
};

impl Client {
    /// Returns what is wrong with the client at a server of this specification.
    pub(in crate::server) fn problems_at(&self, spec: &TokenSpec) -> Vec<String> {
        let mut problems = self.problems();
        let exchanged = self.exchange.iter().flat_map(|policy| &policy.resources);
        let unknown = self
            .resources
            .iter()
            .chain(exchanged)
            .find(|resource| !spec.audiences().any(|audience| audience == *resource));
        problems.extend(unknown.map(|resource| {
            format!("the client {:?} may use {resource:?}, which is no audience of the specification", self.id)
        }));
        problems
    }

    /// Returns what is wrong with the client, each with its id.
    pub fn problems(&self) -> Vec<String> {
        let has = |grant| self.grants.contains(&grant);
        let is_public = matches!(self.proof, Proof::None);
        let rules = [
            (self.id.is_empty() || self.id.chars().any(char::is_control), "has no id, or one with a control character"),
            (
                self.id.starts_with("organisation:"),
                "has an id that begins with `organisation:`, as those of API tokens of organisations do",
            ),
            (self.id.len() > 255, "has an id of more than 255 bytes, which cannot be revoked"),
            (self.grants.is_empty(), "may use no grant, so that it gets no token"),
            (
                has(GrantType::AuthorizationCode) && self.redirect_uris.is_empty(),
                "uses codes, and has no redirect URI: add one, or set other grants",
            ),
            (
                has(GrantType::ClientCredentials) && is_public,
                "acts for itself without proving who it is: give it a secret or a key",
            ),
            (self.uses_no_service(), "may use no service: add one by `resource`"),
            (
                self.scopes.iter().any(|scope| !is_scope(scope)),
                "has a scope with other characters than scopes have (RFC 6749 section 3.3)",
            ),
            (
                self.scopes.iter().any(|scope| scope == "openid"),
                "has the scope `openid`, which asks for ID tokens: there are none",
            ),
            (self.lifetime.is_some_and(|lifetime| lifetime.as_secs() == 0), "gets tokens that last less than a second"),
            (
                is_public && has(GrantType::RefreshToken) && self.policy.keeps_its_token_unproven(),
                "is public and keeps its refresh token: use `RefreshPolicy::danger_public_client_keeps_its_token` if it cannot save a new one",
            ),
        ];
        let broken = rules.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, rule)| rule.to_owned());
        broken
            .chain(self.url_problems())
            .chain(self.exchange_problems().map(str::to_owned))
            .chain(self.proof.problems(&self.id))
            .map(|problem| format!("the client {:?} {problem}", self.id))
            .collect()
    }

    fn url_problems(&self) -> impl Iterator<Item = String> {
        let uris = self.redirect_uris.iter().filter_map(|uri| RedirectUri::parse(uri).err());
        let uris = uris.map(|error| format!("cannot be used: {error}"));
        let log_out = self.log_out_at.iter().filter_map(|uri| check_url("has a URI for log-outs", uri).err());
        uris.chain(log_out)
    }
}
