//! The decision about one request, made without touching it.

use std::{borrow::Cow, sync::Arc};

use http::{
    Method,
    header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
};
use portcullis_core::{AnyVerified, Attempt, AuthError, Authenticator, Code, Credential, Waiting};

use crate::{
    AuthContext, BearerChallenge, Caching, Found, RequestHead, RequestHeadMut, TokenLocation,
    context::{Entrance, PresentedToken},
    telemetry,
};

/// What a layer is made of.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(super) doors: Vec<Door>,
    pub(super) absent: Absent,
    pub(super) challenge: BearerChallenge,
    pub(super) keep: Keep,
    pub(super) asserted: Option<AnyVerified>,
}

/// A place for credentials, and who decides about those found there.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) location: Arc<dyn TokenLocation>,
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) caching: Caching,
}

/// What happens to a request without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    Refused,
    Anonymous,
}

/// Whether the token's text stays with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Token,
}

/// The decision.
#[derive(Debug)]
pub(crate) enum Admission {
    Admitted(Pass),
    Refused(AuthError),
    Waiting(PendingPass),
}

/// What goes into the request when it is let in.
#[derive(Debug)]
pub(crate) struct Pass {
    context: AuthContext,
    door: Option<usize>,
}

/// A pass whose identity is still being established.
#[derive(Debug)]
pub(crate) struct PendingPass {
    pub(crate) waiting: Waiting,
    token: Option<PresentedToken>,
    door: usize,
}

impl Gate {
    /// Decides about a request by the layer's own rule for absent credentials.
    pub(crate) fn admit(&self, head: RequestHead<'_>) -> Admission {
        self.admit_with(head, self.absent)
    }

    /// Decides about a request, letting it in as anonymous if it has no credential.
    #[cfg(feature = "axum")]
    pub(crate) fn admit_optional(&self, head: RequestHead<'_>) -> Admission {
        self.admit_with(head, Absent::Anonymous)
    }

    #[cfg(feature = "axum")]
    pub(crate) fn challenge(&self) -> &BearerChallenge {
        &self.challenge
    }

    fn admit_with(&self, head: RequestHead<'_>, absent: Absent) -> Admission {
        if let Some(verified) = &self.asserted {
            return self.pass(Entrance::Verified(verified.clone()), None);
        }
        match self.find(head) {
            Ok(Some((door, token))) => self.authenticate(door, &token),
            Ok(None) if is_preflight(head) => self.pass(Entrance::Preflight, None),
            Ok(None) if absent == Absent::Anonymous => self.pass(Entrance::Anonymous, None),
            Ok(None) => Admission::Refused(Code::CredentialMissing.into()),
            Err(error) => Admission::Refused(error),
        }
    }

    /// The one credential, and at which door. Every location is looked at, whatever the first one holds: a second
    /// credential is refused, not ignored (RFC 6750 section 2).
    fn find<'r>(&self, head: RequestHead<'r>) -> Result<Option<(usize, Cow<'r, str>)>, AuthError> {
        let mut credential = None;
        for (at, door) in self.doors.iter().enumerate() {
            match door.location.find(head) {
                Found::Absent => {}
                Found::Token(_) if credential.is_some() => return Err(Code::CredentialRepeated.into()),
                Found::Token(token) => credential = Some((at, token)),
                Found::Malformed(reason) => return Err(AuthError::new(Code::CredentialMalformed).explain(reason)),
                Found::Several => return Err(Code::CredentialRepeated.into()),
            }
        }
        Ok(credential)
    }

    fn authenticate(&self, door: usize, token: &str) -> Admission {
        let kept = (self.keep == Keep::Token).then(|| PresentedToken::new(token));
        match self.doors[door].authenticator.authenticate(Credential::bearer(token)) {
            Attempt::Done(Ok(verified)) => self.pass_with(Entrance::Verified(verified), Some(door), kept),
            Attempt::Done(Err(error)) => {
                telemetry::credential_refused(&error, token);
                Admission::Refused(error)
            }
            Attempt::Waiting(waiting) => Admission::Waiting(PendingPass { waiting, token: kept, door }),
            _ => {
                Admission::Refused(AuthError::new(Code::ServiceMisconfigured).explain("an attempt of an unknown kind"))
            }
        }
    }

    /// The pass of a request that had to wait.
    pub(crate) fn complete(&self, pending: PendingPass, verified: AnyVerified) -> Pass {
        self.make_pass(Entrance::Verified(verified), Some(pending.door), pending.token)
    }

    fn pass(&self, entrance: Entrance, door: Option<usize>) -> Admission {
        self.pass_with(entrance, door, None)
    }

    fn pass_with(&self, entrance: Entrance, door: Option<usize>, token: Option<PresentedToken>) -> Admission {
        Admission::Admitted(self.make_pass(entrance, door, token))
    }

    fn make_pass(&self, entrance: Entrance, door: Option<usize>, token: Option<PresentedToken>) -> Pass {
        let context = AuthContext::new(entrance, self.challenge.clone());
        let context = match token {
            Some(token) => context.with_token(token),
            None => context,
        };
        Pass { context, door }
    }

    /// Takes the credential out of the request where its location says so. Gives what goes into the extensions, and
    /// what caches may do with the response.
    pub(crate) fn enter(&self, pass: Pass, request: &mut RequestHeadMut<'_>) -> (AuthContext, Caching) {
        match pass.door.map(|door| &self.doors[door]) {
            Some(door) => {
                door.location.strip(request);
                (pass.context, door.caching)
            }
            None => (pass.context, Caching::Untouched),
        }
    }
}

/// Fetch standard, section 4.8: `OPTIONS` with an origin and the method that is asked about. A request that merely
/// uses the method `OPTIONS` is one like any other.
fn is_preflight(head: RequestHead<'_>) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
