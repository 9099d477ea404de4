//! [`AccountLimits`]: what an operator allows an account.

use super::{Limit, invalid};
use crate::token::{Json, Object, Read};

/// What an operator allows an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountLimits {
    /// `conn`: connections. [`Limit::NOTHING`] locks the account.
    pub connections: Limit,
    /// `leaf`: leaf node connections.
    pub leaf_nodes: Limit,
    /// `subs`: subscriptions of a connection.
    pub subscriptions: Limit,
    /// `data`: not enforced anywhere.
    pub data: Limit,
    /// `payload`: bytes of a message.
    pub payload: Limit,
    /// `imports`.
    pub imports: Limit,
    /// `exports`.
    pub exports: Limit,
    /// `wildcards`: whether exports may have wildcards.
    pub wildcard_exports: bool,
    /// `disallow_bearer`: no user may do without a proof.
    pub disallow_bearer: bool,
}

impl Default for AccountLimits {
    /// Returns limits that allow everything.
    fn default() -> Self {
        Self {
            connections: Limit::Unlimited,
            leaf_nodes: Limit::Unlimited,
            subscriptions: Limit::Unlimited,
            data: Limit::Unlimited,
            payload: Limit::Unlimited,
            imports: Limit::Unlimited,
            exports: Limit::Unlimited,
            wildcard_exports: true,
            disallow_bearer: false,
        }
    }
}

impl AccountLimits {
    pub(super) fn read(nats: &Object<'_>) -> Read<Self> {
        let none = Object::new("nats.limits", &[], &[])?;
        let object = nats.object("limits", &NAMES)?.unwrap_or(none);
        let limit = |name| Limit::read(&object, name, Limit::NOTHING);
        let limits = Self {
            connections: limit("conn")?,
            leaf_nodes: limit("leaf")?,
            subscriptions: limit("subs")?,
            data: limit("data")?,
            payload: limit("payload")?,
            imports: limit("imports")?,
            exports: limit("exports")?,
            wildcard_exports: object.bool("wildcards")?,
            disallow_bearer: object.bool("disallow_bearer")?,
        };
        let tiers = object.object("tiered_limits", &[])?;
        let has_own = JET_STREAM.iter().any(|name| object.get(name).is_some_and(|value| *value != Json::Int(0)));
        match tiers {
            Some(tiers) if tiers.get("").is_some() || (tiers.members().next().is_some() && has_own) => Err(invalid(
                "the account's tiered_limits have a tier without a name, or stand beside limits of JetStream",
            )),
            _ => Ok(limits),
        }
    }
}

const NAMES: [&str; 10] =
    ["subs", "data", "payload", "imports", "exports", "wildcards", "disallow_bearer", "conn", "leaf", "tiered_limits"];

/// The names of the limits that only JetStream has.
const JET_STREAM: [&str; 8] = [
    "mem_storage",
    "disk_storage",
    "streams",
    "consumer",
    "max_ack_pending",
    "mem_max_stream_bytes",
    "disk_max_stream_bytes",
    "max_bytes_required",
];
