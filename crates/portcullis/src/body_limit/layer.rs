//! [`BodyLimitLayer`]: the settings of the layer that limits bodies.

use std::sync::Arc;

use http::{HeaderMap, Request, Response, header::CONTENT_LENGTH};
use http_body::Body;
use portcullis_core::{AuthError, Code, ConfigError, claims::ClaimPlace, verified::Facts};
use tower_layer::Layer;

use super::BodyLimitService;
use crate::{
    AuthContext,
    rejection::{InheritedRejection, ServiceCode, refuse_behind, status_problem},
};

/// Refuses a request whose body is longer than a claim of its caller says.
///
/// See the [module docs](super) for the rules, and for the order of layers. Cheap to clone.
#[doc(alias = "RequestBodyLimitLayer")]
#[doc(alias = "DefaultBodyLimit")]
#[doc(alias = "max_payload")]
#[derive(Clone, Debug)]
#[must_use = "a layer limits nothing until it is part of a service"]
pub struct BodyLimitLayer {
    /// The JSON pointer of the claim.
    claim: Arc<str>,
    /// The limit of every caller.
    limit: Option<usize>,
}

/// Why a request is not passed on.
pub(super) enum Refusal {
    /// The body is longer than this.
    TooLong(usize),
    Caller(AuthError),
}

impl BodyLimitLayer {
    /// Takes the limit, in bytes, from the claim at this place: a JSON pointer (RFC 6901) such as `/nats/payload`, or a [`ClaimPlace`]. A `{name}` in it is
    /// not replaced by a path parameter.
    ///
    /// # Errors
    ///
    /// If `place` is no JSON pointer, or has a delimiter: a limit is a number, and not a list.
    pub fn from_claim(place: impl Into<ClaimPlace>) -> Result<Self, ConfigError> {
        let place = place.into();
        let list = || {
            let pointer = place.pointer().escape_debug();
            place.delimiter().map(|_| format!("`{pointer}` has a delimiter, but a limit is one number: leave it out"))
        };
        ConfigError::check(place.problem().or_else(list).into_iter().collect())?;
        Ok(Self { claim: place.pointer().into(), limit: None })
    }

    /// Sets the limit for every caller, in bytes: a claim can only lower it. Defaults to none, because the layer cannot know your longest body. A caller without
    /// the claim may then send no body, because a misspelt place would otherwise limit no one: set it unless every caller has the claim.
    pub fn limit(self, bytes: usize) -> Self {
        Self { limit: Some(bytes), ..self }
    }

    /// Decides about a request by its head, and by what is known of its body. Returns how many bytes the body may have; `None` for any number.
    pub(super) fn decide<B: Body>(&self, request: &Request<B>) -> Result<Option<usize>, Refusal> {
        let Some(context) = request.extensions().get::<AuthContext>() else {
            return Err(Refusal::Caller(AuthError::new(Code::ServiceMisconfigured).with_explanation(MISPLACED)));
        };
        if request.body().is_end_stream() {
            return Ok(None);
        }
        let caller = context.verified().ok_or(Code::CredentialMissing.into()).map_err(Refusal::Caller)?;
        let limit = self.limit_of(caller).map_err(Refusal::Caller)?;
        let len = request.body().size_hint().lower().max(declared_len(request.headers()));
        if len > limit as u64 { Err(Refusal::TooLong(limit)) } else { Ok(Some(limit)) }
    }

    fn limit_of(&self, facts: &Facts) -> Result<usize, AuthError> {
        let Some(claim) = facts.readable_claim(&self.claim)? else { return self.limit.ok_or_else(|| self.unlimited()) };
        let Some(own) = claim.as_u64() else {
            let why = format!("the claim {:?} limits the body, and is no whole number of bytes", self.claim);
            return Err(AuthError::new(Code::ClaimsMalformed).with_explanation(why));
        };
        // A machine of 32 bits cannot count further: for it, such a limit is none.
        let own = usize::try_from(own).unwrap_or(usize::MAX);
        Ok(self.limit.map_or(own, |limit| limit.min(own)))
    }

    fn unlimited(&self) -> AuthError {
        let why = format!(
            "the caller has no claim {:?}, by which a BodyLimitLayer limits bodies: correct its place, or set `BodyLimitLayer::limit` for callers without it",
            self.claim
        );
        AuthError::new(Code::ServiceMisconfigured).with_explanation(why)
    }
}

impl Refusal {
    pub(super) fn response<R: From<String>>(self, context: Option<&AuthContext>) -> Response<R> {
        match self {
            Self::TooLong(limit) => too_long(limit),
            Self::Caller(error) => refuse_behind(context, &InheritedRejection, error),
        }
    }
}

impl<S> Layer<S> for BodyLimitLayer {
    type Service = BodyLimitService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyLimitService { inner, layer: self.clone() }
    }
}

/// Returns the answer to a body that is longer than this.
pub(super) fn too_long<R: From<String>>(limit: usize) -> Response<R> {
    let detail = format!("the body is longer than {limit} bytes, the limit of this caller: send a shorter one");
    status_problem(ServiceCode::BodyTooLong, &detail, &[]).map(R::from)
}

const MISPLACED: &str =
    "a BodyLimitLayer has no AuthLayer in front: put `.layer(auth)` after the `.layer(..)` of the BodyLimitLayer";

/// Returns the length that the client has announced; 0 for none, or one that is no number, because the body is counted in any case.
fn declared_len(headers: &HeaderMap) -> u64 {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}
