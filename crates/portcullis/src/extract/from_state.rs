//! [`FromState`]: authenticates in the extractor, without a layer.

use std::{future, sync::Arc};

use axum_core::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use portcullis_core::authenticator::Attempt;

use super::from_context::{FromContext, reject};
use crate::{
    AuthContext, AuthLayer,
    context::under,
    layer::{Gate, NotAdmitted, Pass},
    rejection::AuthRejection,
};

/// Extracts `E` without a layer in front of the handler: the extractor authenticates the request with the [`AuthLayer`] in the router's
/// state.
///
/// Use it in routers where only some handlers need to know the caller. `E` decides whether a request without a credential is refused:
/// `FromState<Option<Claims>>` lets it through, `FromState<Claims>` does not. The layer's [`optional`](AuthLayer::optional) setting is
/// ignored.
///
/// The extractor does not change the response. For credentials in queries and cookies, the response needs a `Cache-Control` header, so
/// use the layer itself. The layer's [`rejection`](AuthLayer::rejection) is ignored too: its [`challenge`](AuthLayer::challenge) answers
/// refusals.
///
/// ```
/// use axum::{Router, extract::FromRef, routing::get};
/// use portcullis::{AuthLayer, Claims, FromState};
///
/// #[derive(Clone, FromRef)]
/// struct App {
///     auth: AuthLayer,
/// }
///
/// async fn me(FromState(claims): FromState<Claims>) -> String {
///     claims.subject().unwrap_or("unknown").to_owned()
/// }
///
/// let router: Router<App> = Router::new().route("/me", get(me));
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in a handler's signature")]
pub struct FromState<E>(pub E);

impl<E, S> FromRequestParts<S> for FromState<E>
where
    E: FromContext,
    S: Send + Sync,
    AuthLayer: FromRef<S>,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let gate = AuthLayer::from_ref(state).gate;
        let context = if let Some(context) = found_at_once(&gate, parts) {
            context
        } else {
            let pass = match decide(&gate, parts) {
                Attempt::Done(outcome) => outcome,
                attempt => Box::pin(attempt.outcome()).await, // boxed: rare, and every handler's future has room for it
            };
            prepare(&gate, pass.map_err(|error| AuthRejection::new(error, gate.challenge().clone()))?, parts)
        };
        let scheme = context.scheme();
        match E::from_own_context(context, parts) {
            Attempt::Done(outcome) => outcome,
            attempt => Box::pin(attempt.outcome()).await, // boxed, too
        }
        .map(Self)
        .map_err(|error| {
            gate.count_refusal_behind(&error);
            reject(under(scheme, error), Some(gate.challenge()))
        })
    }
}

/// Not an async function, so that the future of the handler has no room for what is rarely needed.
#[inline]
fn decide(gate: &Gate, parts: &Parts) -> Attempt<Pass> {
    match gate.admit_optional(parts.into()) {
        Ok(pass) => Attempt::Done(Ok(pass)),
        Err(NotAdmitted::Refused(error)) => Attempt::Done(Err(error)),
        Err(NotAdmitted::Waiting(mut pending)) => Attempt::waiting(async move {
            let outcome = future::poll_fn(|context| pending.poll(context)).await;
            pending.conclude(outcome)
        }),
    }
}

#[inline]
fn found_at_once(gate: &Arc<Gate>, parts: &mut Parts) -> Option<AuthContext> {
    if let Some(context) = remembered(gate, parts) {
        return Some(context);
    }
    let (context, _) = gate.admit_cached(&mut (&mut *parts).into())?;
    Some(remember(gate, context, parts))
}

fn prepare(gate: &Arc<Gate>, pass: Pass, parts: &mut Parts) -> AuthContext {
    let (context, _) = gate.prepare(pass, &mut (&mut *parts).into());
    remember(gate, context, parts)
}

#[inline]
fn remember(gate: &Arc<Gate>, context: AuthContext, parts: &mut Parts) -> AuthContext {
    if gate.remembers() {
        parts.extensions.insert(Remembered { gate: Arc::clone(gate), context: context.clone() });
    }
    context
}

/// What the first of several extractors found, where looking again would find something else: the credential was removed, or its proof is used
/// up.
#[derive(Clone)]
struct Remembered {
    /// The layer that found it: another layer has its own locations and issuers.
    gate: Arc<Gate>,
    context: AuthContext,
}

#[inline]
fn remembered(gate: &Arc<Gate>, parts: &Parts) -> Option<AuthContext> {
    if !gate.remembers() {
        return None;
    }
    let remembered = parts.extensions.get::<Remembered>()?;
    Arc::ptr_eq(&remembered.gate, gate).then(|| remembered.context.clone())
}
