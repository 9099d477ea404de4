//! [`EffectivePermissions`]: what a user may publish and subscribe to, in the end.

use serde::Serialize;

use super::pattern;
use crate::claims::{Permission, Permissions};

/// What a user may publish and subscribe to, in the end: after the template of the scope and the account's default permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EffectivePermissions {
    /// What may be published.
    #[serde(rename = "pub")]
    pub publish: Rules,
    /// What may be subscribed to.
    #[serde(rename = "sub")]
    pub subscribe: Rules,
}

/// Subjects that are allowed and denied. A denial wins, and what is not allowed is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rules {
    /// The allowed ones; `>` if all are.
    pub allow: Vec<String>,
    /// The denied ones.
    pub deny: Vec<String>,
}

/// The pattern that every subject matches.
const EVERYTHING: &str = ">";

impl EffectivePermissions {
    pub(super) fn new(permissions: &Permissions) -> Self {
        Self { publish: publish_rules(permissions), subscribe: subscribe_rules(&permissions.subscribe) }
    }

    /// Whether the user may publish to this subject, which must not have wildcards.
    pub fn may_publish(&self, subject: &str) -> bool {
        pattern::is_literal(subject) && self.publish.covers(subject) && !self.publish.denies(subject)
    }

    /// Whether the user may subscribe to this subject, which may have wildcards, and gets every message.
    ///
    /// A nats-server also accepts a subscription of which a part is denied, and holds back the messages of that part. Nothing holds them
    /// back here, so it is refused.
    pub fn may_subscribe(&self, subject: &str) -> bool {
        self.subscribe.covers(subject) && !self.subscribe.overlaps_denied(subject)
    }

    /// Returns how many entries all lists have.
    pub(super) fn entries(&self) -> usize {
        [&self.publish, &self.subscribe].iter().map(|rules| rules.allow.len() + rules.deny.len()).sum()
    }

    /// Returns how many octets all entries have.
    pub(super) fn octets(&self) -> usize {
        let rules = [&self.publish, &self.subscribe];
        rules.iter().flat_map(|rules| rules.allow.iter().chain(&rules.deny)).map(String::len).sum()
    }

    /// Whether nothing is restricted.
    pub(super) fn allows_everything(&self) -> bool {
        let allows = |rules: &Rules| rules.deny.is_empty() && rules.allow.iter().any(|entry| entry == EVERYTHING);
        allows(&self.publish) && allows(&self.subscribe)
    }
}

impl Rules {
    fn everything() -> Self {
        Self { allow: vec![EVERYTHING.to_owned()], deny: Vec::new() }
    }

    fn covers(&self, subject: &str) -> bool {
        self.allow.iter().any(|entry| pattern::covers(entry, subject))
    }

    fn denies(&self, subject: &str) -> bool {
        self.deny.iter().any(|entry| pattern::covers(entry, subject))
    }

    fn overlaps_denied(&self, subject: &str) -> bool {
        self.deny.iter().any(|entry| pattern::overlap(entry, subject))
    }
}

fn publish_rules(permissions: &Permissions) -> Rules {
    let Permission { allow, deny } = &permissions.publish;
    let allow = match allow {
        // With deny entries beside it, an empty list lets nothing be published.
        Some(allow) if !allow.is_empty() || !deny.is_empty() => allow.clone(),
        // A user who may only answer requests may publish nothing else. (Requests over HTTP are no answers.)
        _ if permissions.responses.is_some() => Vec::new(),
        _ => Rules::everything().allow,
    };
    Rules { allow, deny: deny.clone() }
}

fn subscribe_rules(Permission { allow, deny }: &Permission) -> Rules {
    // An entry with a queue behind it says something about members of a queue, and there are none over HTTP.
    let plain = |entries: &[String]| entries.iter().filter(|entry| !entry.contains(' ')).cloned().collect::<Vec<_>>();
    let allow = allow.as_deref().unwrap_or_default();
    let allow = if allow.is_empty() { Rules::everything().allow } else { plain(allow) };
    Rules { allow, deny: plain(deny) }
}
