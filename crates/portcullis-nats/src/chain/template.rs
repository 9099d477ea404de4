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

/// How long a subject may become: a user who chooses name and tags must not choose how much memory their user takes.
const MAX_SUBJECT_LEN: usize = 1024;

/// How many bytes one list may become.
const MAX_OCTETS: usize = 64 * 1024;

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
    let (mut filled, mut octets) = (Vec::new(), 0);
    for entry in entries {
        for subject in fill_entry(entry, list, values, MAX_SUBJECTS - filled.len())? {
            octets += subject.len();
            if octets > MAX_OCTETS {
                return Err(refused("a template becomes more than 64 KiB of subjects"));
            }
            if pattern::is_well_formed(&subject) {
                filled.push(subject);
            } else if list == List::Deny {
                return Err(refused("what a template denies is no subject once it is filled in"));
            }
        }
    }
    Ok(filled)
}

/// Returns the subjects that an entry becomes: one for each combination of values. The same placeholder has the same value wherever it stands.
fn fill_entry(entry: &str, list: List, values: &Values<'_>, room: usize) -> Result<Vec<String>, Refusal> {
    let mut subjects = vec![entry.to_owned()];
    let mut filled = Vec::new();
    for placeholder in placeholders(entry).filter(|placeholder| placeholder.len() <= MAX_SUBJECT_LEN) {
        if filled.contains(&placeholder) {
            continue;
        }
        filled.push(placeholder);
        let found = values.of(function(placeholder))?;
        if found.is_empty() && list == List::Deny {
            return Err(refused("a template denies the values of a tag that is not there"));
        }
        if subjects.len().saturating_mul(found.len()) > room {
            return Err(refused("a template becomes more than 4096 subjects"));
        }
        require_short(entry, placeholder, &found)?;
        let with = |subject: &String| found.iter().map(|value| subject.replace(placeholder, value)).collect::<Vec<_>>();
        subjects = subjects.iter().flat_map(with).collect();
        if subjects.iter().map(String::len).sum::<usize>() > MAX_OCTETS {
            return Err(refused("a template becomes more than 64 KiB of subjects"));
        }
    }
    Ok(subjects)
}

/// Refuses a value that would make a subject too long, before it is filled in.
fn require_short(entry: &str, placeholder: &str, values: &[String]) -> Result<(), Refusal> {
    let longest = values.iter().map(String::len).max().unwrap_or_default();
    let count = entry.matches(placeholder).count();
    if entry.len().saturating_add(count.saturating_mul(longest)) > MAX_SUBJECT_LEN {
        return Err(refused("a template becomes a subject of more than 1 KiB"));
    }
    Ok(())
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
            // A nats-server knows these two in any case, but finds a value in lower case only.
            name => match (argument(name, "account-tag("), argument(name, "tag(")) {
                (Some(tag), _) if function.starts_with("account-tag(") => tagged(self.account_tags, tag),
                (_, Some(tag)) if function.starts_with("tag(") => tagged(self.tags, tag),
                (Some(_), _) | (_, Some(_)) => Vec::new(),
                _ => return Err(refused("a template has a function that is not known")),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(allow: &[&str], name: &str, tags: &[String]) -> Result<Vec<String>, Refusal> {
        let user = "UDK56DVUT3PRGVWOXBWFGVTZNSS3RIGKKULHYMTFQICCO3FLIQSYGSYL".parse().unwrap();
        let account = "AAOA2WD4HQ2GIZEUIJNG6AGJ4YZHS6DRNCKHZSTUGCX7GHVRF7M6B5Q7".parse().unwrap();
        let values = Values {
            name,
            subject: &user,
            tags,
            account_name: "acme",
            account: &account,
            account_tags: &[],
            dots: TemplateDots::Allow,
        };
        let permissions = fill(&Permissions::default().publish(allow.iter().copied()), &values)?;
        Ok(permissions.publish.allow.unwrap())
    }

    fn tags(name: &str, values: impl IntoIterator<Item = String>) -> Vec<String> {
        values.into_iter().map(|value| format!("{name}:{value}")).collect()
    }

    #[test]
    fn the_same_placeholder_has_one_value_wherever_it_stands() {
        let regions = tags("r", ["eu".to_owned(), "us".to_owned()]);
        let both = filled(&["{{tag(r)}}.orders.{{tag(r)}}.>"], "x", &regions).unwrap();
        assert_eq!(both, ["eu.orders.eu.>", "us.orders.us.>"]);
        let other = filled(&["{{tag(r)}}.{{ tag(r) }}"], "x", &regions).unwrap();
        assert_eq!(other.len(), 4, "another text is another placeholder, as in nats-server");
    }

    #[test]
    fn a_placeholder_may_have_blanks() {
        assert_eq!(filled(&["own.{{ Name() }}.>"], "n", &[]).unwrap(), ["own.n.>"]);
    }

    #[test]
    fn tags_are_found_in_lower_case_only() {
        let team = tags("t", ["a".to_owned()]);
        assert_eq!(filled(&["x.{{tag(T)}}"], "x", &team).unwrap(), ["x.a"]);
        assert!(filled(&["x.{{TAG(t)}}"], "x", &team).unwrap().is_empty());
        assert_eq!(filled(&["x.{{NAME()}}"], "n", &team).unwrap(), ["x.n"]);
    }

    #[test]
    fn a_template_does_not_become_more_than_64_kib() {
        let long = "n".repeat(1000);
        assert!(filled(&["own.{{name()}}"], &long, &[]).is_ok());
        assert!(filled(&["own.{{name()}}.{{name()}}"], &long, &[]).is_err(), "a subject of 2 KiB");
        let many = |count: usize| tags("a", (0..count).map(|at| format!("{at:0>20}")));
        assert_eq!(filled(&["{{tag(a)}}"], "x", &many(3000)).unwrap().len(), 3000);
        assert!(filled(&["{{tag(a)}}"], "x", &many(4000)).is_err(), "80 KB");
        assert!(filled(&["{{tag(a)}}", "x.{{tag(a)}}"], "x", &many(2000)).is_err(), "two lists of 40 KB");
    }
}
