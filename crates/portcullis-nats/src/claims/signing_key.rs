//! [`SigningKey`]: a further key of an account, and its scope.

use super::{Terms, invalid, terms};
use crate::{
    nkey::AccountKey,
    token::{Json, Object, Read},
};

/// A further key of an account, which signs users in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningKey {
    /// The key.
    pub key: AccountKey,
    /// What its users may do; `None` if each of their own tokens says so.
    pub scope: Option<Scope>,
}

/// What all users of a signing key may do. Their own tokens must say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// `role`: its name.
    pub role: String,
    /// `description`, for people.
    pub description: String,
    /// `template`: the terms. Subjects may contain `{{name()}}`, `{{subject()}}`, `{{account-name()}}`, `{{account-subject()}}`, `{{tag(k)}}` and
    /// `{{account-tag(k)}}`.
    pub template: Terms,
}

impl Scope {
    /// Returns the scope of this name.
    pub fn new(role: impl Into<String>, template: Terms) -> Self {
        Self { role: role.into(), description: String::new(), template }
    }
}

impl SigningKey {
    /// Returns a key whose users' own tokens say what they may do.
    pub const fn new(key: AccountKey) -> Self {
        Self { key, scope: None }
    }

    /// Returns a key whose users have these terms.
    pub fn scoped(key: AccountKey, role: impl Into<String>, template: Terms) -> Self {
        Self { key, scope: Some(Scope::new(role, template)) }
    }

    /// Returns the keys of an account.
    pub(super) fn read_all(account: &Object<'_>) -> Read<Vec<Self>> {
        let mut keys = Vec::<Self>::new();
        for (at, element) in account.list("signing_keys")?.unwrap_or_default().iter().enumerate() {
            let place = format!("{}[{at}]", account.place("signing_keys"));
            let key = match element {
                Json::Text(text) => Self::new(text.parse().map_err(|error| account.bad_key("signing_keys", error))?),
                Json::Object(members) => Self::read_scoped(&Object::new(place, members, &NAMES)?)?,
                _ => return Err(account.malformed("signing_keys", "has an element that is neither a key nor a scope")),
            };
            if keys.iter().any(|known| known.key == key.key) {
                return Err(invalid("the account has a signing key twice: it is not clear which scope counts"));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    fn read_scoped(object: &Object<'_>) -> Read<Self> {
        if object.text("kind")? != Some("user_scope") {
            return Err(invalid("a signing key has a kind of scope that is not known: only user_scope is"));
        }
        let key = object.key("key")?.ok_or_else(|| object.malformed("key", "is missing"))?;
        let template = match object.object("template", &terms::NAMES)? {
            Some(template) => Terms::read_template(&template)?,
            None => Terms::default(),
        };
        let scope =
            Scope { role: object.text_or_empty("role")?, description: object.text_or_empty("description")?, template };
        Ok(Self { key, scope: Some(scope) })
    }
}

const NAMES: [&str; 5] = ["kind", "key", "role", "template", "description"];
