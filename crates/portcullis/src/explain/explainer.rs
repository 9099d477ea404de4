//! The whole request.

use std::{borrow::Cow, sync::Arc};

use http::{Extensions, Uri};
use portcullis_core::{
    Admission, AuthError, Code,
    admission::AnyAdmission,
    authenticator::{Presented, Scheme},
    explain::Explanation,
    verified::NoCustom,
};

use super::RouteGuard;
use crate::{
    layer::unusable,
    location::{AuthorizationHeader, Found, OriginalUriHook, RequestHead, TokenLocation, View},
};

/// Says why a request would be let through or refused, from its credential to the last guard, for a person who asks.
///
/// Made of what the layers are made of, and kept beside them. It looks into no cache and lets no request in: it says what the layers would decide.
/// An [`Explanation`] holds no value of a claim, but it tells how the service is configured: show it to operators, not to callers.
///
/// ```
/// use portcullis::explain::{Check, Explainer};
/// use portcullis::requirement::{role, scope};
/// use portcullis::{Admission, AuthLayer, Code, JwtAuthenticator, RequireLayer};
/// # use portcullis_test::MockIssuer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let issuer = MockIssuer::new();
/// let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted())?);
/// let auth = AuthLayer::new(&admission);
/// let guard = RequireLayer::new(scope("orders:write").and(role("clerk")));
/// let explainer = Explainer::new(&admission).guard(&guard);
/// # let _ = auth;
///
/// let token = issuer.token().scope("orders:write").sign();
/// let request = http::Request::post("/orders").header("authorization", format!("Bearer {token}")).body(())?;
/// let explanation = explainer.explain(&request).await;
/// assert_eq!(explanation.verdict.as_ref().unwrap_err().code(), Code::RoleMissing);
/// let failed: Vec<_> = explanation.findings.iter().filter(|finding| finding.is_failed()).collect();
/// assert_eq!(failed[0].check, Check::Requirement);
/// println!("{explanation}"); // a line for each check, and for each part of the requirement
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Explainer<C = NoCustom> {
    first: Place<C>,
    others: Vec<Place<C>>,
    guards: Vec<RouteGuard>,
    original_uri: Option<OriginalUriHook>,
}

/// A place for credentials, and who decides about those found there.
#[derive(Debug)]
struct Place<C> {
    location: Arc<dyn TokenLocation>,
    admission: Admission<C>,
}

/// A place, the scheme under which a credential is there, and its octets.
type Located<'e, 'r, C> = (&'e Place<C>, Scheme, Cow<'r, [u8]>);

impl<C: Send + Sync + 'static> Explainer<C> {
    /// Looks for the credential in `Authorization: Bearer`, as [`AuthLayer::new`](crate::AuthLayer::new) does.
    ///
    /// An admission that is [`explainable`](Admission::explainable) names its authenticator's checks; of any other it is said only whether it has proven the
    /// credential.
    pub fn new(admission: &Admission<C>) -> Self {
        Self::at(AuthorizationHeader::new(), admission)
    }

    /// Looks for the credential at `location`, as [`AuthLayer::at`](crate::AuthLayer::at) does.
    pub fn at(location: impl TokenLocation, admission: &Admission<C>) -> Self {
        Self { first: Place::new(location, admission), others: Vec::new(), guards: Vec::new(), original_uri: None }
    }

    /// Looks for it at `location`, too, as [`AuthLayer::or_at`](crate::AuthLayer::or_at) does.
    #[must_use]
    pub fn or_at(mut self, location: impl TokenLocation, admission: &Admission<C>) -> Self {
        self.others.push(Place::new(location, admission));
        self
    }

    /// Adds a guard behind the layer: `&RequireLayer`, `&AccessLayer`, or a [`Requirement`](crate::Requirement). They are asked in the order in which they are
    /// added.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn guard(mut self, guard: impl Into<RouteGuard>) -> Self {
        self.guards.push(guard.into());
        self
    }

    /// Finds the target as the client sent it, as [`AuthLayer::original_uri`](crate::AuthLayer::original_uri) does. Defaults to the request's own.
    #[must_use]
    pub fn original_uri(self, find: fn(&Extensions) -> Option<&Uri>) -> Self {
        Self { original_uri: Some(find), ..self }
    }

    /// Says what comes of every check of a request, made from `&http::Request<B>` or `&http::request::Parts`. Waits for whatever has to be fetched
    /// or looked up.
    ///
    /// A request without a credential is refused, as by a layer that is not optional. What a guard asks of a refused credential is listed as skipped.
    pub async fn explain(&self, request: impl Into<RequestHead<'_>>) -> Explanation<C> {
        let head = request.into();
        let mut explanation = match self.find(head) {
            Ok((place, scheme, octets)) => {
                let view = View { head, original_uri: self.original_uri };
                place.admission.explain(Presented::bearer(&octets).with_scheme(scheme).with_request(&view)).await
            }
            Err((place, error)) => place.admission.explain_unpresented(error),
        };
        for guard in &self.guards {
            explanation = guard.explain(explanation, head).await;
        }
        explanation
    }

    /// The one credential, and where it is; or the place that is to blame.
    fn find<'e, 'r>(&'e self, head: RequestHead<'r>) -> Result<Located<'e, 'r, C>, (&'e Place<C>, AuthError)> {
        let mut credential = None;
        for place in self.places() {
            match place.location.find(head) {
                Found::Absent => {}
                Found::Token(octets) if credential.is_none() => credential = Some((place, Scheme::Bearer, octets)),
                Found::Under(scheme, octets) if credential.is_none() => credential = Some((place, scheme, octets)),
                found => return Err((place, unusable(&found))),
            }
        }
        credential.ok_or_else(|| {
            let error = AuthError::new(Code::CredentialMissing);
            let error = match self.places().find_map(|place| place.location.hint(head)) {
                Some(hint) => error.with_explanation(hint),
                None => error,
            };
            (&self.first, error)
        })
    }

    fn places(&self) -> impl Iterator<Item = &Place<C>> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl<C> Place<C> {
    fn new(mut location: impl TokenLocation, admission: &Admission<C>) -> Self
    where
        C: Send + Sync + 'static,
    {
        location.take_schemes(&AnyAdmission::from(admission).schemes());
        Self { location: Arc::new(location), admission: admission.clone() }
    }
}
