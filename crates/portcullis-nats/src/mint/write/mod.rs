//! Writes claims as JSON that nats-server and the library in Go read.

mod account;
mod members;
mod terms;

use aws_lc_rs::digest::{SHA512_256, digest};
use data_encoding::BASE32_NOPAD;
use portcullis_core::UnixTime;

pub(super) use account::signing_key;
pub(super) use members::{Members, quoted};

use crate::{
    claims::{Account, Activation, Operator, User},
    nkey::{OperatorKey, PublicKey},
};

/// Claims of one kind, as JSON.
pub(super) trait WriteClaims {
    /// Writes the claims in `nats`, without type and version.
    fn write(&self, nats: &mut Members);
}

/// The claims beside `nats`.
#[derive(Clone, Debug)]
pub(super) struct Generic<'a> {
    pub(super) audience: &'a str,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) issued_at: UnixTime,
    pub(super) issuer: &'a PublicKey,
    pub(super) name: &'a str,
    pub(super) not_before: Option<UnixTime>,
    pub(super) subject: &'a PublicKey,
}

impl Generic<'_> {
    /// Returns the `jti` that Go's library computes: a hash of the claims beside `nats`. It is no proof of anything.
    pub(super) fn id(&self) -> String {
        let hash = digest(&SHA512_256, self.members("").finish().as_bytes());
        BASE32_NOPAD.encode(hash.as_ref())
    }

    /// Returns the claims, in the order of Go's library.
    pub(super) fn members(&self, id: &str) -> Members {
        let mut members = Members::default();
        members.text("aud", self.audience);
        members.number("exp", seconds(self.expires_at));
        members.text("jti", id);
        members.number("iat", seconds(Some(self.issued_at)));
        members.text("iss", self.issuer.as_str());
        members.text("name", self.name);
        members.number("nbf", seconds(self.not_before));
        members.text("sub", self.subject.as_str());
        members
    }
}

fn seconds(at: Option<UnixTime>) -> i64 {
    i64::try_from(at.map_or(0, UnixTime::as_secs)).unwrap_or(i64::MAX)
}

impl WriteClaims for Operator {
    fn write(&self, nats: &mut Members) {
        nats.texts("signing_keys", self.signing_keys.iter().map(OperatorKey::as_str));
        nats.text("account_server_url", &self.account_server_url);
        nats.texts("operator_service_urls", &self.service_urls);
        nats.text("system_account", self.system_account.as_ref().map_or("", |key| key.as_str()));
        nats.text("assert_server_version", &self.assert_server_version);
        nats.flag("strict_signing_key_usage", self.strict_signing_key_usage);
        nats.texts("tags", &self.tags);
    }
}

impl WriteClaims for Account {
    fn write(&self, nats: &mut Members) {
        account::write(self, nats);
    }
}

impl WriteClaims for User {
    fn write(&self, nats: &mut Members) {
        terms::write(&self.terms, terms::Limits::UnlessNothing, nats);
        nats.text("issuer_account", self.issuer_account.as_ref().map_or("", |key| key.as_str()));
        nats.texts("tags", &self.tags);
    }
}

impl WriteClaims for Activation {
    fn write(&self, nats: &mut Members) {
        nats.text("subject", &self.subject);
        nats.text("kind", self.kind.as_str());
        nats.text("issuer_account", self.issuer_account.as_ref().map_or("", |key| key.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_vectors() {
        let files = [
            include_str!("../../../../../tests/vectors/nats-rules.json"),
            include_str!("../../../../../tests/vectors/nats-more.json"),
        ];
        let files = files.map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        for row in files.iter().flat_map(|vectors| vectors["jti"].as_array().unwrap()) {
            let text = |name: &str| row["claims"][name].as_str().unwrap_or_default();
            let at = |name: &str| row["claims"][name].as_u64().map(UnixTime::from_secs);
            let generic = Generic {
                audience: text("aud"),
                expires_at: at("exp"),
                issued_at: at("iat").unwrap(),
                issuer: &text("iss").parse().unwrap(),
                name: text("name"),
                not_before: at("nbf"),
                subject: &text("sub").parse().unwrap(),
            };
            assert_eq!(generic.id(), row["jti"].as_str().unwrap());
        }
    }
}
