//! [`Layout`]: the keys on the server, and [`Fields`]: a family as the server has it.

use std::collections::HashMap;

use portcullis_issuer::{
    records::RecordGroup,
    refresh::{EndReason, Family, FamilyId, Millis, StoreError},
};

/// The version of the rows that this crate reads and writes; `rotate.lua` knows it, too.
const FORM: &str = "1";

/// The names of keys.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// In braces, which make a cluster keep all keys on one server.
    name: String,
}

impl Layout {
    pub(super) fn new(name: &str) -> Self {
        Self { name: format!("{{{name}}}") }
    }

    /// What the keys of families begin with.
    pub(super) fn families(&self) -> String {
        format!("{}:family:", self.name)
    }

    pub(super) fn family(&self, id: FamilyId) -> String {
        self.families() + &id.session_id()
    }

    /// The key of the document of signing keys.
    pub(crate) fn signing_keys(&self) -> String {
        format!("{}:signing-keys", self.name)
    }

    /// What the keys of subjects' sessions begin with.
    pub(super) fn sessions(&self) -> String {
        format!("{}:sessions:", self.name)
    }

    /// What the keys of groups of records begin with.
    pub(crate) fn records(&self) -> String {
        format!("{}:records:", self.name)
    }

    /// The key of a group's records.
    pub(crate) fn records_of(&self, group: &RecordGroup) -> String {
        format!("{}{}:{}", self.records(), group.kind().name(), group.name())
    }

    /// The key of a record. With the length of the group's name, no two are alike.
    pub(crate) fn record(&self, group: &RecordGroup, id: &str) -> String {
        let (kind, of) = (group.kind().name(), group.name());
        format!("{}:record:{kind}:{}:{of}:{id}", self.name, of.len())
    }

    /// The key, or what keys begin with, of API tokens.
    #[cfg(feature = "api-tokens")]
    pub(crate) fn api_tokens(&self, which: &str) -> String {
        format!("{}:api{which}", self.name)
    }

    /// The key of a subject's sessions.
    pub(super) fn sessions_of(&self, subject: &str) -> String {
        self.sessions() + subject
    }
}

/// The fields of a family's hash.
pub(super) type Fields = HashMap<String, Vec<u8>>;

/// Returns the fields with their values, for `open.lua`.
pub(super) fn fields(family: &Family) -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: String| text.into_bytes();
    let mut fields = vec![
        ("form", text(FORM.to_owned())),
        ("share", family.share.as_bytes().to_vec()),
        ("client", text(family.log_in.client_id().to_owned())),
        ("generation", text(family.generation.to_string())),
        ("key_id", text(family.key_id.to_string())),
        ("idle_until", text(family.idle_until.get().to_string())),
        ("absolute_until", text(family.absolute_until.get().to_string())),
        ("family", text(family.to_json())),
    ];
    if let Some(at) = family.rotated_at {
        fields.push(("rotated_at", text(at.get().to_string())));
    }
    if let Some(reason) = family.ended {
        fields.push(("ended", text(reason.name().to_owned())));
    }
    fields
}

/// Returns the family of these fields; `None` if there are none.
pub(super) fn family(fields: &Fields) -> Result<Option<Family>, StoreError> {
    if fields.is_empty() {
        return Ok(None);
    }
    let read = || -> Option<Family> {
        let text = |name: &str| str::from_utf8(fields.get(name)?).ok();
        let mut family = Family::from_json(text("family")?).filter(|_| text("form") == Some(FORM))?;
        family.generation = text("generation")?.parse().ok()?;
        family.key_id = text("key_id")?.parse().ok()?;
        family.rotated_at = text("rotated_at").map(|at| at.parse().map(Millis::new)).transpose().ok()?;
        family.idle_until = Millis::new(text("idle_until")?.parse().ok()?);
        family.absolute_until = Millis::new(text("absolute_until")?.parse().ok()?);
        family.ended = text("ended").map(EndReason::from_name);
        Some(family)
    };
    let unreadable = "a family in Redis cannot be read: a later version of Portcullis wrote it, or it is damaged";
    read().map(Some).ok_or_else(|| StoreError::new(unreadable))
}
