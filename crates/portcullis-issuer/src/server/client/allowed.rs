//! What a client may ask for.

use super::Client;
use crate::server::OAuthError;

impl Client {
    /// Returns the scopes that the client gets when it asks for these: never more than it may have. If it names none, it gets all.
    pub(in crate::server) fn scopes_for(&self, asked: Option<Vec<String>>) -> Result<Vec<String>, OAuthError> {
        let Some(asked) = asked else { return Ok(self.scopes.clone()) };
        if asked.iter().all(|scope| self.scopes.contains(scope)) {
            return Ok(asked);
        }
        Err(OAuthError::invalid_scope("the client may not ask for all of these scopes"))
    }

    /// Returns the services that the client may use when it asks for these. If it names none, it is all that it may use.
    pub(in crate::server) fn resources_for<'a>(
        &self,
        asked: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<String>, OAuthError> {
        resources_among(&self.resources, asked)
            .ok_or_else(|| OAuthError::invalid_target("the client may not use all of these resources"))
    }
}

/// Returns the resources that are asked for, as they were registered, and all if none is; `None` if one is not among those that are allowed.
pub(in crate::server) fn resources_among<'a>(
    allowed: &[String],
    asked: impl Iterator<Item = &'a str>,
) -> Option<Vec<String>> {
    let mut resources: Vec<String> = Vec::new();
    for resource in asked {
        // What was registered counts from here on.
        let registered = allowed.iter().find(|own| is_same(own, resource))?;
        if !resources.contains(registered) {
            resources.push(registered.clone());
        }
    }
    if resources.is_empty() { Some(allowed.to_vec()) } else { Some(resources) }
}

/// Whether two texts name one service: the same, but for the slash that URL libraries add where there is no path (RFC 3986 section 6.2.3).
fn is_same(own: &str, asked: &str) -> bool {
    let without_slash = |text: &str| {
        let (_, rest) = text.split_once("://")?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        (!host.is_empty() && !host.contains(['/', '?', '#'])).then(|| text.strip_suffix('/').unwrap_or(text).to_owned())
    };
    own == asked || without_slash(own).is_some_and(|own| without_slash(asked) == Some(own))
}
