//! [`Challenge`]: the value of `WWW-Authenticate`.
//!
//! ```
//! use portcullis::rejection::Challenge;
//!
//! let challenge = Challenge::bearer().realm("the \"orders\" API").error("invalid_token");
//! assert_eq!(challenge.to_string(), r#"Bearer realm="the \"orders\" API", error="invalid_token""#);
//! assert!(Challenge::new("Not A Scheme").is_err());
//! ```

use std::{fmt, time::Duration};

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portcullis_core::ConfigError;

use crate::grammar::check_token;

/// One challenge: a scheme and its parameters (RFC 9110 section 11.3). Its [`Display`](fmt::Display) is the header's value.
///
/// The result is always one line of visible ASCII and exactly one challenge, whatever the values contain: quotes and backslashes are
/// escaped (RFC 9110 section 5.6.4), and every byte that a quoted string cannot contain is percent-encoded. In lists (`scope`,
/// `acr_values`) spaces, quotes and backslashes are percent-encoded too (RFC 6750 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: &'static str,
    /// Valid parameter names, and values that are already escaped for a quoted string.
    parameters: Vec<(&'static str, String)>,
}

impl Challenge {
    /// Returns the scheme `Bearer` without parameters.
    pub const fn bearer() -> Self {
        Self { scheme: "Bearer", parameters: Vec::new() }
    }

    /// Returns a challenge of another scheme, such as `Basic`, to be offered in addition to `Bearer`.
    ///
    /// # Errors
    ///
    /// If `scheme` is not a token (RFC 9110 section 5.6.2).
    pub fn new(scheme: &'static str) -> Result<Self, ConfigError> {
        check_token("the scheme of a challenge", scheme)?;
        Ok(Self { scheme, parameters: Vec::new() })
    }

    /// Returns the scheme `DPoP`, with the algorithms for proofs (RFC 9449 section 7.1) if there are any.
    pub(crate) fn dpop(algorithms: impl IntoIterator<Item = &'static str>) -> Self {
        Self { scheme: "DPoP", parameters: Vec::new() }.with_list("algs", algorithms)
    }

    /// Returns the scheme `NatsUser`.
    pub(crate) fn nats() -> Self {
        Self { scheme: "NatsUser", parameters: Vec::new() }
    }

    /// Returns the name of the scheme.
    pub(crate) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Returns whether there is a parameter with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// Adds a parameter with any name.
    ///
    /// # Errors
    ///
    /// If `name` is not a token, or was added before: a parameter may occur only once (RFC 9110 section 11.2).
    pub fn parameter(mut self, name: &'static str, value: &str) -> Result<Self, ConfigError> {
        check_token("the name of a challenge's parameter", name)?;
        if self.has(name) {
            return Err(ConfigError::new(format!("a challenge has the parameter {name:?} twice: leave one out")));
        }
        self.parameters.push((name, escape(value)));
        Ok(self)
    }

    /// Sets the protection space (RFC 9110 section 11.5).
    #[must_use]
    pub fn realm(self, realm: &str) -> Self {
        self.with("realm", escape(realm))
    }

    /// Sets the error code (RFC 6750 section 3.1).
    #[must_use]
    pub fn error(self, error: &str) -> Self {
        self.with("error", escape_word(error))
    }

    /// Sets the description for the client's developer, not for the user (RFC 6750 section 3).
    #[must_use]
    pub fn error_description(self, description: &str) -> Self {
        self.with("error_description", escape(description))
    }

    /// Sets the scopes that would have been sufficient (RFC 6750 section 3). An empty list adds no parameter.
    #[must_use]
    pub fn scope<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.with_list("scope", scopes)
    }

    /// Sets the URL of the metadata of this resource (RFC 9728 section 5.1).
    #[must_use]
    pub fn resource_metadata(self, url: &str) -> Self {
        self.with("resource_metadata", escape_word(url))
    }

    /// Sets the authentication context classes that would be sufficient (RFC 9470 section 3). An empty list adds no parameter.
    #[must_use]
    pub fn acr_values<S: AsRef<str>>(self, values: impl IntoIterator<Item = S>) -> Self {
        self.with_list("acr_values", values)
    }

    /// Sets the maximum age of the login (RFC 9470 section 3). It is sent in whole seconds, rounded down.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        self.with("max_age", max_age.as_secs().to_string())
    }

    /// Returns the challenge as the value of an HTTP header.
    pub fn to_header_value(&self) -> HeaderValue {
        // All of it is visible ASCII; the test `no_value_breaks_out_of_its_place_in_a_challenge` checks that.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }

    fn with_list<S: AsRef<str>>(self, name: &'static str, words: impl IntoIterator<Item = S>) -> Self {
        let words: Vec<_> = words.into_iter().map(|word| escape_word(word.as_ref())).collect();
        if words.is_empty() { self } else { self.with(name, words.join(" ")) }
    }

    /// Replaces the parameter, if it is there.
    fn with(mut self, name: &'static str, escaped: String) -> Self {
        self.parameters.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.parameters.push((name, escaped));
        self
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme)?;
        self.parameters.iter().enumerate().try_for_each(|(place, (name, value))| {
            let separator = if place == 0 { " " } else { ", " };
            write!(f, "{separator}{name}=\"{value}\"")
        })
    }
}

/// Escapes the inside of a quoted string.
fn escape(text: &str) -> String {
    utf8_percent_encode(text, CONTROLS).to_string().replace('\\', r"\\").replace('"', r#"\""#)
}

/// Escapes one word of a list inside a quoted string: `%x21 / %x23-5B / %x5D-7E`.
fn escape_word(word: &str) -> String {
    const NOT_IN_A_WORD: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'\\');
    utf8_percent_encode(word, NOT_IN_A_WORD).to_string()
}
