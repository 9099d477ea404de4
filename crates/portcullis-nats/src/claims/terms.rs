//! [`Terms`]: what a user may do, and under which conditions.

use super::{Limit, Permissions, permissions};
use crate::token::{Object, Read};

/// What a user may do, and under which conditions. A user's own token has them, or the signing key whose scope the user is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// `pub`, `sub` and `resp`.
    pub permissions: Permissions,
    /// `subs`: how many subscriptions a connection may have.
    pub subscriptions: Limit,
    /// `data`: how many bytes. It is not enforced anywhere.
    pub data: Limit,
    /// `payload`: how many bytes a message may have.
    pub payload: Limit,
    /// `src`: the networks from which the user may come, as CIDR; empty for everywhere.
    pub sources: Vec<String>,
    /// `times`: the times of day at which the user may come; empty for always.
    pub times: Vec<TimeRange>,
    /// `times_location`: the IANA time zone of these times; empty for the server's own, which is UTC here.
    pub times_location: String,
    /// `allowed_connection_types`: the kinds of connection, such as `STANDARD` or `HTTP`; empty for all.
    pub connection_types: Vec<String>,
    /// `bearer_token`: the token is enough, and no key has to be proven.
    pub bearer: bool,
    /// `proxy_required`: only through a trusted proxy.
    pub proxy_required: bool,
}

/// A range of times of day, `HH:MM:SS`. Both ends are exclusive, and a range whose start is after its end goes over midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a range has two ends")]
pub struct TimeRange {
    /// The start.
    pub start: String,
    /// The end.
    pub end: String,
}

/// The names of the members.
pub(super) const NAMES: [&str; 13] = [
    permissions::NAMES[0],
    permissions::NAMES[1],
    permissions::NAMES[2],
    "subs",
    "data",
    "payload",
    "src",
    "times",
    "times_location",
    "allowed_connection_types",
    "bearer_token",
    "proxy_required",
    "max",
];

impl Terms {
    /// The terms of a token that says nothing: what a user of a scoped signing key must have.
    #[cfg(feature = "chain")]
    pub(crate) fn nothing() -> Self {
        Self { subscriptions: Limit::NOTHING, data: Limit::NOTHING, payload: Limit::NOTHING, ..Self::default() }
    }

    /// Whether a token says nothing at all, as a user of a scoped signing key has to.
    #[cfg(feature = "chain")]
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::nothing()
    }

    pub(super) fn read(object: &Object<'_>, absent: Limit) -> Read<Self> {
        Self::read_with(object, Permissions::read(object)?, absent)
    }

    /// Reads those of a scope.
    pub(super) fn read_template(object: &Object<'_>) -> Read<Self> {
        Self::read_with(object, Permissions::read_template(object)?, Limit::Unlimited)
    }

    fn read_with(object: &Object<'_>, permissions: Permissions, absent: Limit) -> Read<Self> {
        Ok(Self {
            permissions,
            subscriptions: Limit::read(object, "subs", absent)?,
            data: Limit::read(object, "data", absent)?,
            payload: Limit::read(object, "payload", absent)?,
            sources: sources(object)?,
            times: times(object)?,
            times_location: object.text_or_empty("times_location")?,
            connection_types: object.texts("allowed_connection_types")?.unwrap_or_default(),
            bearer: object.bool("bearer_token")?,
            proxy_required: object.bool("proxy_required")?,
        })
    }
}

impl Default for Terms {
    /// Returns terms without any limit.
    fn default() -> Self {
        Self {
            permissions: Permissions::default(),
            subscriptions: Limit::Unlimited,
            data: Limit::Unlimited,
            payload: Limit::Unlimited,
            sources: Vec::new(),
            times: Vec::new(),
            times_location: String::new(),
            connection_types: Vec::new(),
            bearer: false,
            proxy_required: false,
        }
    }
}

/// Returns the networks, which are a list or one text with commas.
fn sources(object: &Object<'_>) -> Read<Vec<String>> {
    if let Some(crate::token::Json::Text(text)) = object.get("src") {
        let entries = text.split(',').map(|entry| entry.trim().to_ascii_lowercase());
        return Ok(entries.filter(|entry| !entry.is_empty()).collect());
    }
    Ok(object.texts("src")?.unwrap_or_default())
}

fn times(object: &Object<'_>) -> Read<Vec<TimeRange>> {
    let ranges = object.objects("times", &["start", "end"])?;
    let range =
        |range: &Object<'_>| Ok(TimeRange { start: range.text_or_empty("start")?, end: range.text_or_empty("end")? });
    ranges.iter().map(range).collect()
}
