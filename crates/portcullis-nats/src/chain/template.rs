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
    require_small(entries)?;
    if !entries.iter().any(|entry| placeholders(entry).next().is_some()) {
        return Ok(entries.to_vec());
    }
    let (mut filled, mut octets) = (Vec::new(), 0);
    for entry in entries {
        let template = Template::of(entry, list, values)?;
        octets = template.octets().saturating_add(octets);
        if template.count().saturating_add(filled.len()) > MAX_SUBJECTS {
            return Err(refused("a template becomes more than 4096 subjects"));
        }
        if octets > MAX_OCTETS {
            return Err(refused("a template becomes more than 64 KiB of subjects"));
        }
        for subject in template.subjects() {
            if pattern::is_well_formed(&subject) {
                filled.push(subject);
            } else if list == List::Deny {
                return Err(refused("what a template denies is no subject once it is filled in"));
            }
        }
    }
    Ok(filled)
}

/// Refuses permissions that are too many to be carried by each request.
///
/// # Errors
///
/// If a list has more than 4096 subjects, or more than 64 KiB.
pub(super) fn require_carried(permissions: &Permissions) -> Result<(), Refusal> {
    for Permission { allow, deny } in [&permissions.publish, &permissions.subscribe] {
        require_small(allow.as_deref().unwrap_or_default())?;
        require_small(deny)?;
    }
    Ok(())
}

fn require_small(entries: &[String]) -> Result<(), Refusal> {
    if entries.len() <= MAX_SUBJECTS && entries.iter().map(String::len).sum::<usize>() <= MAX_OCTETS {
        return Ok(());
    }
    Err(refused("a list of permissions has more than 4096 subjects, or more than 64 KiB"))
}

/// An entry with the values of its placeholders. It is filled in at one go: what a value has in it is no placeholder.
struct Template<'e> {
    parts: Vec<Part<'e>>,
    /// The values of each placeholder. The same placeholder has the same value wherever it stands.
    values: Vec<Vec<String>>,
}

#[derive(Clone, Copy)]
enum Part<'e> {
    Text(&'e str),
    /// The placeholder with this number.
    Value(usize),
}

impl<'e> Template<'e> {
    fn of(entry: &'e str, list: List, values: &Values<'_>) -> Result<Self, Refusal> {
        let mut seen = Vec::new();
        let mut template = Self { parts: Vec::new(), values: Vec::new() };
        let mut rest = entry;
        for placeholder in placeholders(entry).filter(|placeholder| placeholder.len() <= MAX_SUBJECT_LEN) {
            let Some((text, behind)) = rest.split_once(placeholder) else { continue };
            rest = behind;
            let number = seen.iter().position(|other| *other == placeholder);
            let number = if let Some(number) = number {
                number
            } else {
                let found = values.of(function(placeholder))?;
                if found.is_empty() && list == List::Deny {
                    return Err(refused("a template denies the values of a tag that is not there"));
                }
                seen.push(placeholder);
                template.values.push(found);
                seen.len() - 1
            };
            template.parts.extend([Part::Text(text), Part::Value(number)]);
        }
        template.parts.push(Part::Text(rest));
        if template.longest() > MAX_SUBJECT_LEN && !template.values.is_empty() {
            return Err(refused("a template becomes a subject of more than 1 KiB"));
        }
        if template.has_glued_wildcard() {
            return Err(refused(
                "a template has a wildcard beside a placeholder, which an empty value would make a word",
            ));
        }
        Ok(template)
    }

    /// Whether the text beside a value is a wildcard that becomes a word if the value is empty, or ends in a dot.
    fn has_glued_wildcard(&self) -> bool {
        let last = self.parts.len() - 1;
        self.parts.iter().enumerate().any(|(at, part)| {
            let Part::Text(text) = part else { return false };
            let mut words = text.split('.');
            let (first, end) = (words.clone().next(), words.next_back());
            at > 0 && first.is_some_and(is_wildcard) || at < last && end.is_some_and(is_wildcard)
        })
    }

    /// Returns how many subjects it becomes: one for each combination of values.
    fn count(&self) -> usize {
        self.values.iter().map(Vec::len).fold(1, usize::saturating_mul)
    }

    /// Returns how long the longest of them is.
    fn longest(&self) -> usize {
        let len = |part: &Part<'_>| match *part {
            Part::Text(text) => text.len(),
            Part::Value(number) => self.values[number].iter().map(String::len).max().unwrap_or_default(),
        };
        self.parts.iter().map(len).fold(0, usize::saturating_add)
    }

    /// Returns how long all of them are together.
    fn octets(&self) -> usize {
        let count = self.count();
        let len = |part: &Part<'_>| match *part {
            Part::Text(text) => count.saturating_mul(text.len()),
            Part::Value(number) => {
                let values = &self.values[number];
                let each = count.checked_div(values.len()).unwrap_or_default();
                each.saturating_mul(values.iter().map(String::len).sum())
            }
        };
        self.parts.iter().map(len).fold(0, usize::saturating_add)
    }

    fn subjects(&self) -> impl Iterator<Item = String> {
        (0..self.count()).map(|at| {
            let mut rest = at;
            // The value of the last placeholder changes first.
            let mut chosen: Vec<&str> = Vec::with_capacity(self.values.len());
            for values in self.values.iter().rev() {
                chosen.push(&values[rest % values.len()]);
                rest /= values.len();
            }
            chosen.reverse();
            let text = |part: &Part<'_>| match *part {
                Part::Text(text) => text.to_owned(),
                Part::Value(number) => chosen[number].to_owned(),
            };
            self.parts.iter().map(text).collect()
        })
    }
}

fn is_wildcard(word: &str) -> bool {
    matches!(word, "*" | ">")
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
        Err(refused(
            "a value that is filled into a template has a wildcard or a brace in it, or a dot where none is allowed",
        ))
    }

    fn may_be_filled_in(&self, value: &str) -> bool {
        let has_wildcard = value.split('.').any(|word| is_wildcard(word.trim()));
        // A nats-server fills in what a value has between braces.
        let has_braces = value.contains(['{', '}']);
        !has_wildcard && !has_braces && (self.dots == TemplateDots::Allow || !value.contains('.'))
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
    fn a_value_is_no_template() {
        let tag = |value: &str| tags("t", [value.to_owned()]);
        assert_eq!(filled(&["own.{{name()}}.x{{tag(t)}}.>"], "n", &tag("1")).unwrap(), ["own.n.x1.>"]);
        for name in ["{{tag(t)}}*", "{{tag(t)}}", "{", "}"] {
            assert!(filled(&["own.{{name()}}.x{{tag(t)}}.>"], name, &tag("")).is_err(), "{name}");
        }
    }

    #[test]
    fn values_do_not_make_a_wildcard_together_with_what_stands_beside_them() {
        for template in ["own.{{name()}}*.>", "own.*{{name()}}", "own.{{name()}}>", "own.{{name()}}*{{name()}}.x"] {
            for name in ["", "x.", "n"] {
                assert!(filled(&[template], name, &[]).is_err(), "{template} {name}");
            }
        }
        assert_eq!(filled(&["*.{{name()}}.*.>"], "x", &[]).unwrap(), ["*.x.*.>"]);
        assert_eq!(filled(&["own.a*{{name()}}*a.>"], "x", &[]).unwrap(), ["own.a*x*a.>"]);
    }

    /// Values of one placeholder could have others in them, which made two gigabytes of a token of 3 KB.
    #[test]
    fn values_with_placeholders_do_not_multiply() {
        let first = tags("a", ["{{tag(b)}}".repeat(98)]);
        let second = tags("b", ["{{tag(c)}}".repeat(36)]);
        let third = tags("c", (0..4096).map(|at| format!("{at:0>170}")));
        let all = [first, second, third].concat();
        assert!(filled(&["{{tag(a)}}.{{tag(b)}}.{{tag(c)}}"], "x", &all).is_err());
    }

    /// Together, they would be more than a number can say.
    #[test]
    fn the_sizes_of_templates_do_not_overflow() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let all: Vec<_> = names.into_iter().flat_map(|name| tags(name, (0..4096).map(|at| at.to_string()))).collect();
        let product = names.map(|name| format!("{{{{tag({name})}}}}")).join(".");
        assert!(filled(&["own.{{name()}}", &product], "x", &all).is_err());
        assert!(filled(&["own.{{name()}}", "own.{{tag(a)}}"], "x", &all[..9]).is_ok());
    }

    #[test]
    fn a_list_without_placeholders_is_small_too() {
        let many = |count: usize| vec!["a"; count];
        assert_eq!(filled(&many(4096), "x", &[]).unwrap().len(), 4096);
        assert!(filled(&many(4097), "x", &[]).is_err());
        let long = "a".repeat(1024);
        assert!(filled(&[&*long; 64], "x", &[]).is_ok());
        assert!(filled(&[&*long; 65], "x", &[]).is_err());
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
