//! [`Parameters`]: the parameters of a request, read strictly.

use std::fmt;

use zeroize::Zeroizing;

use super::OAuthError;
use crate::space_separated::space_separated;

/// The parameters of a query or of a form body. `Debug` shows no value: they are codes, tokens and secrets.
pub(super) struct Parameters(Vec<(String, Zeroizing<String>)>);

/// How long a query or a body is, at most, in bytes: an exchanged token and an assertion have room.
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// How many parameters are read, at most.
const MOST_PARAMETERS: usize = 64;

/// Those that may be repeated (RFC 8693 section 2.1, RFC 8707 section 2).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// Those that would change what the request means, so that they must not be ignored.
const NOT_SUPPORTED: [(&str, &str); 2] = [
    ("authorization_details", "authorization details (RFC 9396) are not supported"),
    ("dpop_jkt", "tokens that are bound to a key (RFC 9449) are not supported"),
];

impl Parameters {
    /// Reads the parameters. Any that is repeated, or is not text, makes the request invalid (RFC 6749 section 3.1). One without a value is
    /// as good as absent.
    pub(super) fn parse(text: &[u8]) -> Result<Self, OAuthError> {
        if text.len() > MOST_BYTES {
            return Err(OAuthError::invalid_request("the parameters are too long"));
        }
        let mut parameters = Self(Vec::new());
        for (at, (name, value)) in form_urlencoded::parse(text).enumerate() {
            let value = Zeroizing::new(value.into_owned());
            if at >= MOST_PARAMETERS {
                return Err(OAuthError::invalid_request("there are too many parameters"));
            }
            // What is not UTF-8 has become a replacement character.
            let is_text =
                |text: &str| !text.chars().any(|each| each.is_control() || each == char::REPLACEMENT_CHARACTER);
            if !is_text(&name) || !is_text(&value) {
                return Err(OAuthError::invalid_request("a parameter is not text"));
            }
            if !REPEATABLE.contains(&&*name) && parameters.0.iter().any(|(known, _)| *known == name) {
                return Err(OAuthError::invalid_request("a parameter is repeated"));
            }
            parameters.0.push((name.into_owned(), value));
        }
        for (name, why) in NOT_SUPPORTED {
            if parameters.get(name).is_some() {
                return Err(OAuthError::invalid_request(why));
            }
        }
        Ok(parameters)
    }

    /// Returns the value of a parameter that is there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str());
        values.filter(|value| !value.is_empty())
    }

    /// Returns the value of a parameter that has to be there.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::invalid_request(format!("the parameter `{name}` is missing")))
    }

    /// Returns the scopes that are asked for; `None` if there is no such parameter.
    pub(super) fn scopes(&self) -> Result<Option<Vec<String>>, OAuthError> {
        self.get("scope").map(scopes).transpose()
    }
}

/// Whether a text can be a scope (RFC 6749 section 3.3).
pub(super) fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Reads a list of scopes (RFC 6749 section 3.3).
pub(super) fn scopes(text: &str) -> Result<Vec<String>, OAuthError> {
    const MOST: usize = 128;
    let mut scopes = Vec::new();
    for scope in space_separated(text) {
        if !is_scope(scope) || scopes.len() >= MOST {
            return Err(OAuthError::invalid_scope(
                "a scope has other characters than scopes have, or there are too many",
            ));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
