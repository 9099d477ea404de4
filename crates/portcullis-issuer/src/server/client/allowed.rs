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
        let mut resources = Vec::new();
        for resource in asked {
            if !self.resources.iter().any(|allowed| allowed == resource) {
                return Err(OAuthError::invalid_target("the client may not use all of these resources"));
            }
            if !resources.iter().any(|known| known == resource) {
                resources.push(resource.to_owned());
            }
        }
        if resources.is_empty() { Ok(self.resources.clone()) } else { Ok(resources) }
    }
}
