//! [`Tokens`]: what a client gets, and the content of its access token.

use std::fmt;

use zeroize::Zeroizing;

use super::{Family, Grant, Narrowing};
use crate::{AccessToken, Minted};

/// The tokens of a session. `Debug` does not show them.
#[derive(Clone)]
pub struct Tokens {
    pub(super) access: Minted,
    pub(super) refresh: Zeroizing<String>,
    pub(super) family: Family,
}

impl Tokens {
    /// Returns the access token.
    pub fn access(&self) -> &Minted {
        &self.access
    }

    /// Returns the refresh token: anyone who has it, and is taken for the client, can act as the user.
    pub fn refresh_token(&self) -> &str {
        &self.refresh
    }

    /// Returns the session as it is now.
    pub fn session(&self) -> &Family {
        &self.family
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("access", &self.access).field("family", &self.family).finish_non_exhaustive()
    }
}

/// Returns the content of an access token of this session.
pub(super) fn content<C>(family: &Family, grant: Grant<C>, narrowing: &Narrowing) -> AccessToken<Option<C>> {
    let log_in = &family.log_in;
    let mut content = AccessToken::for_user(&log_in.subject, &log_in.client_id)
        .session(family.id.session_id())
        .authenticated_at(log_in.auth_time())
        .ends_by(family.ends_at().to_unix());
    content = narrowing.audiences(log_in).into_iter().fold(content, AccessToken::audience);
    let is_granted =
        |scope: &&String| grant.scopes.as_ref().is_none_or(|now| now.contains(scope)) && narrowing.has_scope(scope);
    content = log_in.scopes.iter().filter(is_granted).fold(content, |content, scope| content.scope(scope));
    content = grant.roles.into_iter().fold(content, AccessToken::role);
    if let Some(version) = log_in.version {
        content = content.version(version);
    }
    if let Some(class) = &log_in.acr {
        content = content.acr(class);
    }
    if let Some(lifetime) = narrowing.lifetime {
        content = content.lifetime(lifetime);
    }
    content.custom(grant.custom)
}
