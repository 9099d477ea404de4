//! Fills in the templates of a scope.

use super::{
    pattern,
    policy::TemplateDots,
    refusal::{Refusal, RefusalKind},
};
use crate::{
    claims::{Permission, Permissions},
    nkey::{AccountKey, UserKey},
};

/// What is filled in.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) name: &'a str,
    pub(super) subject: &'a UserKey,
    pub(super) tags: &'a [String],
    pub(super) account_name: &'a str,
    pub(super) account: &'a AccountKey,
    pub(super) account_tags: &'a [String],
    pub(super) dots: TemplateDots,
}

/// How many subjects one list may become.
const MAX_SUBJECTS: usize = 4096;

/// Whether a list allows or denies: what cannot be filled in must not make a denial smaller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Allow,
    Deny,
}

/// Returns the permissions with everything filled in.
///
/// # Errors
///
/// If a function is unknown, a denial cannot be filled in, a value has a wildcard, or there are too many subjects.
pub(super) fn fill(permissions: &Permissions, values: &Values<'_>) -> Result<Permissions, Refusal> {
    let mut filled = permissions.clone();
    filled.publish = fill_permission(&permissions.publish, values)?;
    filled.subscribe = fill_permission(&permissions.subscribe, values)?;
    Ok(filled)
}

/// Refuses a template with a function that is not known: no user of it would be let in.
#[cfg(feature = "mint")]
pub(super) fn require_known_functions(permissions: &Permissions) -> Result<(), Refusal> {
    let of = |permission: &Permission| {
        permission.allow.iter().flatten().chain(&permission.deny).cloned().collect::<Vec<_>>()
    };
    let entries = [of(&permissions.publish), of(&permissions.subscribe)].concat();
    let is_known = |name: &str| {
        let name = name.to_ascii_lowercase();
        matches!(&*name, "name()" | "subject()" | "account-name()" | "account-subject()")
            || ["tag(", "account-tag("].into_iter().any(|start| argument(&name, start).is_some())
    };
    if entries.iter().all(|entry| placeholders(entry).all(|placeholder| is_known(function(placeholder)))) {
        return Ok(());
    }
    Err(refused("a template has a function that is not known"))
}

fn fill_permission(permission: &Permission, values: &Values<'_>) -> Result<Permission, Refusal> {
    let allow = permission.allow.as_deref().map(|allow| fill_list(allow, List::Allow, values)).transpose()?;
    let mut deny = fill_list(&permission.deny, List::Deny, values)?;
    let was_there = permission.allow.as_ref().is_some_and(|allow| !allow.is_empty());
    if was_there && allow.as_ref().is_some_and(Vec::is_empty) {
        // An empty list would allow everything.
        deny.push(">".to_owned());
    }
    let mut filled = Permission::default();
    (filled.allow, filled.deny) = (allow, deny);
    Ok(filled)
}

fn fill_list(entries: &[String], list: List, values: &Values<'_>) -> Result<Vec<String>, Refusal> {
    if !entries.iter().any(|entry| placeholders(entry).next().is_some()) {
        return Ok(entries.to_vec());
    }
    let mut filled = Vec::new();
    for entry in entries {
        for subject in fill_entry(entry, list, values, MAX_SUBJECTS - filled.len())? {
            if pattern::is_well_formed(&subject) {
                filled.push(subject);
            } else if list == List::Deny {
                return Err(refused("what a template denies is no subject once it is filled in"));
            }
        }
    }
    Ok(filled)
}

/// Returns the subjects that an entry becomes: one for each combination of values.
fn fill_entry(entry: &str, list: List, values: &Values<'_>, room: usize) -> Result<Vec<String>, Refusal> {
    let mut subjects = vec![String::new()];
    let mut rest = entry;
    for placeholder in placeholders(entry) {
        let Some((before, behind)) = rest.split_once(placeholder) else { break };
        rest = behind;
        let found = values.of(function(placeholder))?;
        if found.is_empty() && list == List::Deny {
            return Err(refused("a template denies the values of a tag that is not there"));
        }
        if subjects.len().saturating_mul(found.len()) > room {
            return Err(refused("a template becomes more than 4096 subjects"));
        }
        let with = |subject: &String| found.iter().map(|value| format!("{subject}{before}{value}")).collect::<Vec<_>>();
        subjects = subjects.iter().flat_map(with).collect();
    }
    if subjects.len() > room {
        return Err(refused("a template becomes more than 4096 subjects"));
    }
    subjects.iter_mut().for_each(|subject| subject.push_str(rest));
    Ok(subjects)
}

/// Returns the parts of the form `{{…}}`, with their braces.
fn placeholders(entry: &str) -> impl Iterator<Item = &str> {
    let mut rest = entry;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find("{{")?;
            let inner = &rest[start + 2..];
            let len = inner.find('}')?;
            if len > 0 && inner[len..].starts_with("}}") {
                let placeholder = &rest[start..start + len + 4];
                rest = &inner[len + 2..];
                return Some(placeholder);
            }
            rest = inner;
        }
    })
}

fn function(placeholder: &str) -> &str {
    placeholder.trim_start_matches('{').trim_end_matches('}').trim()
}

impl Values<'_> {
    /// Returns the values of a function.
    fn of(&self, function: &str) -> Result<Vec<String>, Refusal> {
        let name = function.to_ascii_lowercase();
        let values = match &*name {
            "name()" => vec![self.name.to_owned()],
            "subject()" => vec![self.subject.to_string()],
            "account-name()" => vec![self.account_name.to_owned()],
            "account-subject()" => vec![self.account.to_string()],
            name => match argument(name, "account-tag(") {
                Some(tag) => tagged(self.account_tags, tag),
                None => match argument(name, "tag(") {
                    Some(tag) => tagged(self.tags, tag),
                    None => return Err(refused("a template has a function that is not known")),
                },
            },
        };
        if values.iter().all(|value| self.may_be_filled_in(value)) {
            return Ok(values);
        }
        Err(refused("a value that is filled into a template has a wildcard in it, or a dot where none is allowed"))
    }

    fn may_be_filled_in(&self, value: &str) -> bool {
        let has_wildcard = value.split('.').any(|word| matches!(word.trim(), "*" | ">"));
        !has_wildcard && (self.dots == TemplateDots::Allow || !value.contains('.'))
    }
}

fn argument<'a>(function: &'a str, name: &str) -> Option<&'a str> {
    function.strip_prefix(name)?.strip_suffix(')')
}

/// Returns the values of the tags with this name: what is behind the colon.
fn tagged(tags: &[String], name: &str) -> Vec<String> {
    let value = |tag: &String| Some(tag.strip_prefix(name)?.strip_prefix(':')?.to_owned());
    tags.iter().filter_map(value).collect()
}

fn refused(explanation: &'static str) -> Refusal {
    Refusal::new(RefusalKind::Template, explanation)
}
