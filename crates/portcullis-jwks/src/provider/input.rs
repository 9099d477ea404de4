//! [`Input`]: checks the arguments of presets, which become part of a trusted URL.

use std::ops::RangeInclusive;

use portcullis_core::{ConfigError, text::exact_text_problem};

use crate::url::{DocumentUrl, shown};

/// A text from the developer, and what it should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    pub(super) provider: &'static str,
    /// What is expected: `the tenant's domain`.
    pub(super) what: &'static str,
    pub(super) example: &'static str,
    pub(super) text: &'a str,
}

impl Input<'_> {
    /// Returns a host name, in lower case.
    pub(super) fn domain(self) -> Result<String, ConfigError> {
        self.without_white_space()?;
        if self.text.contains("://") {
            return Err(self.problem("is a URL: leave out the scheme and what follows the domain"));
        }
        if self.text.contains(['/', ':', '?', '#', '@']) {
            return Err(self.problem("has more in it than a domain"));
        }
        if !self.text.contains('.') || !self.text.split('.').all(is_label) {
            return Err(self.problem("is not a domain"));
        }
        Ok(self.text.to_ascii_lowercase())
    }

    /// Returns one label of a host name, in lower case: a name that the provider puts before its own domain.
    pub(super) fn label(self) -> Result<String, ConfigError> {
        self.without_white_space()?;
        if self.text.contains(['/', ':', '.']) {
            return Err(self.problem("is a domain or a URL"));
        }
        if !is_label(self.text) {
            return Err(self.problem("is not a name"));
        }
        Ok(self.text.to_ascii_lowercase())
    }

    /// Returns a URL on which others are built, without a slash at the end.
    pub(super) fn base_url(self) -> Result<String, ConfigError> {
        self.without_white_space()?;
        if self.text.matches("://").count() > 1 {
            return Err(self.problem("has two schemes"));
        }
        let text = self.text.strip_suffix('/').unwrap_or(self.text);
        // Whether `http` is allowed for that host is decided when the keys are fetched.
        let url = DocumentUrl::parse_any(text).map_err(|problem| self.problem(problem))?;
        if !matches!(url.uri().scheme_str(), Some("https" | "http")) {
            return Err(self.problem("is no `https` URL"));
        }
        if url.uri().query().is_some() {
            return Err(self.problem("has a query"));
        }
        if text.ends_with('/') {
            return Err(self.problem("has several slashes at its end"));
        }
        if text.contains("/.well-known") {
            return Err(self.problem("is the URL of a document: leave out `/.well-known` and what follows"));
        }
        if url.uri().host().is_some_and(|host| host.contains(|char: char| char.is_ascii_uppercase())) {
            return Err(self.problem("has capital letters in its host, and `iss` is compared exactly"));
        }
        Ok(text.to_owned())
    }

    /// Returns a URL to which the preset adds a path that begins with `step`.
    pub(super) fn base_url_before(self, step: &str) -> Result<String, ConfigError> {
        let base = self.base_url()?;
        let (_, after_scheme) = base.split_once("://").unwrap_or_default();
        if after_scheme.split('/').skip(1).any(|found| found == step) {
            return Err(self.problem(&format!("goes too far: `/{step}` and what follows is added here")));
        }
        Ok(base)
    }

    /// Returns a URL without a path.
    pub(super) fn origin(self) -> Result<String, ConfigError> {
        let base = self.base_url()?;
        if base.split_once("://").is_some_and(|(_, after_scheme)| after_scheme.contains('/')) {
            return Err(self.problem("has a path"));
        }
        Ok(base)
    }

    /// Returns one step of a URL's path, of characters that need no escaping (RFC 3986 section 2.3).
    pub(super) fn path_step(self) -> Result<String, ConfigError> {
        self.without_white_space()?;
        let stands_for_itself = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_' | '~');
        if self.text.is_empty() || self.text.chars().all(|char| char == '.') {
            return Err(self.problem("is not a name"));
        }
        if !self.text.chars().all(stands_for_itself) {
            return Err(self.problem("has a character that would be written otherwise in a URL"));
        }
        Ok(self.text.to_owned())
    }

    /// Returns the path of a project or group, with this number of names in it.
    pub(super) fn path_of(self, names: RangeInclusive<usize>) -> Result<String, ConfigError> {
        self.without_white_space()?;
        if self.text.contains("://") {
            return Err(self.problem("is a URL: leave out the scheme and the host"));
        }
        if self.text.contains('*') {
            return Err(self.problem("is a pattern, and would be compared as it stands"));
        }
        let is_inside = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_');
        let is_name = |name: &str| name.contains(|char: char| char != '.') && name.chars().all(is_inside);
        if !self.text.split('/').all(is_name) || self.text.strip_suffix(".git").is_some() {
            return Err(self.problem("is not a valid path"));
        }
        if !names.contains(&self.text.split('/').count()) {
            return Err(self.problem("has too few or too many names in it"));
        }
        Ok(self.text.to_owned())
    }

    /// Returns a text that tokens contain exactly.
    pub(super) fn exact(self) -> Result<String, ConfigError> {
        self.without_white_space()?;
        if self.text.is_empty() { Err(self.problem("is empty")) } else { Ok(self.text.to_owned()) }
    }

    /// Returns an error that says what is wrong, in a clause that follows the text, and what to write instead.
    pub(super) fn problem(self, is_wrong: &str) -> ConfigError {
        let Self { provider, what, example, text } = self;
        // Line breaks and invisible characters are shown by their numbers.
        let text: String = shown(text).escape_debug().take(100).collect();
        ConfigError::new(format!("{provider}: `{text}` {is_wrong}: give {what}, as in `{example}`"))
    }

    fn without_white_space(self) -> Result<(), ConfigError> {
        if self.text.contains(char::is_whitespace) {
            return Err(self.problem("has white space in it"));
        }
        // Unicode does not count a byte order mark or a zero-width space as white space. Each reader reports empty text itself.
        if !self.text.is_empty() && exact_text_problem(self.text).is_some() {
            return Err(self.problem("has a character in it that cannot be seen"));
        }
        Ok(())
    }
}

fn is_label(text: &str) -> bool {
    let is_outer = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
    is_outer(text.chars().next()) && is_outer(text.chars().last()) && text.chars().all(is_inner)
}

fn is_inner(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input<'_> {
        Input { provider: "Test", what: "the domain", example: "a.test", text }
    }

    #[test]
    fn a_domain_is_a_domain_alone() {
        for domain in ["tenant.eu.auth0.com", "a.b", "dev-1.okta.com", "xn--bcher-kva.example", "127.0.0.1"] {
            assert_eq!(input(domain).domain().as_deref().ok(), Some(domain));
        }
        assert_eq!(input("Tenant.EU.Auth0.com").domain().as_deref().ok(), Some("tenant.eu.auth0.com"));
        for other in [
            "",
            "tenant",
            "https://a.test",
            "a.test/",
            "a.test:443",
            "user@a.test",
            "a.test#",
            "a.test?b",
            ".a.test",
            "a.test.",
            "a..test",
            "-a.test",
            "a-.test",
            "a b.test",
            "bücher.test",
            "a.test\n",
            "a_b.test",
            "a.%74est",
        ] {
            assert!(input(other).domain().is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_base_url_loses_its_last_slash() {
        for (text, base) in [
            ("https://sso.example.com", "https://sso.example.com"),
            ("https://sso.example.com/", "https://sso.example.com"),
            ("https://sso.example.com/auth/", "https://sso.example.com/auth"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://keycloak:8080/", "http://keycloak:8080"), // refused when its keys are to be fetched, unless that was allowed
        ] {
            assert_eq!(input(text).base_url().as_deref().ok(), Some(base));
        }
        for other in
            ["", "/", "sso.example.com", "ftp://sso.example.com", "https://a.test/?b", "https://a.test//", "https://"]
        {
            assert!(input(other).base_url().is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_path_step_stands_for_itself() {
        for step in ["shop", "My-Realm_2", "aus9o8wzkhckw9TLa0h7z", "a.b", "~"] {
            assert_eq!(input(step).path_step().as_deref().ok(), Some(step));
        }
        for other in ["", ".", "..", "a/b", "a b", "a%20b", "a?b", "ü", "a\\b", "a#"] {
            assert!(input(other).path_step().is_err(), "{other:?}");
        }
    }

    #[test]
    fn an_error_says_what_to_give() {
        let error = input("https://a.test").domain().unwrap_err().to_string();
        assert!(error.starts_with("Test: `https://a.test` is a URL"), "{error}");
        assert!(error.ends_with("give the domain, as in `a.test`"), "{error}");
    }
}
