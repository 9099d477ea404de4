//! [`Explainer`]: explains the decision about a whole request.

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
    context::under,
    layer::unusable,
    location::{AuthorizationHeader, Found, OriginalUriHook, RequestHead, TokenLocation, View},
};

/// Explains why a request would be accepted or refused, from its credential to the last guard.
///
/// Make it from the same admissions and guards as the layers, and keep it beside them. It only reports what the layers would decide: it uses
/// no cache and admits no request. An [`Explanation`] contains no value of a claim, but it shows how the service is configured, so show it to
/// operators and not to callers.
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

/// A location of credentials, with the admission that decides about them.
#[derive(Debug)]
struct Place<C> {
    location: Arc<dyn TokenLocation>,
    admission: Admission<C>,
}

/// A place where a credential was found, the scheme of the credential, and its bytes.
type Located<'e, 'r, C> = (&'e Place<C>, Scheme, Cow<'r, [u8]>);

impl<C: Send + Sync + 'static> Explainer<C> {
    /// Looks for the credential in `Authorization: Bearer`, like [`AuthLayer::new`](crate::AuthLayer::new).
    ///
    /// If the admission is [`explainable`](Admission::explainable), the explanation lists its authenticator's checks. Otherwise, it has a
    /// single finding for all of them.
    pub fn new(admission: &Admission<C>) -> Self {
        Self::at(AuthorizationHeader::new(), admission)
    }

    /// Looks for the credential at `location`, like [`AuthLayer::at`](crate::AuthLayer::at).
    pub fn at(location: impl TokenLocation, admission: &Admission<C>) -> Self {
        Self { first: Place::new(location, admission), others: Vec::new(), guards: Vec::new(), original_uri: None }
    }

    /// Also looks for the credential at `location`, like [`AuthLayer::or_at`](crate::AuthLayer::or_at).
    #[must_use]
    pub fn or_at(mut self, location: impl TokenLocation, admission: &Admission<C>) -> Self {
        self.others.push(Place::new(location, admission));
        self
    }

    /// Adds a guard behind the layer: `&RequireLayer`, `&AccessLayer`, or a [`Requirement`](crate::Requirement). Guards decide in the order in
    /// which they are added.
    ///
    /// Defaults to no guards.
    #[must_use]
    pub fn guard(mut self, guard: impl Into<RouteGuard>) -> Self {
        self.guards.push(guard.into());
        self
    }

    /// Reads the URI that the client sent with `find`, like [`AuthLayer::original_uri`](crate::AuthLayer::original_uri). Defaults to the
    /// request's URI.
    #[must_use]
    pub fn original_uri(self, find: fn(&Extensions) -> Option<&Uri>) -> Self {
        Self { original_uri: Some(find), ..self }
    }

    /// Returns the outcome of every check of `request`, which is a `&http::Request<B>` or `&http::request::Parts`. Waits for everything that has
    /// to be fetched or looked up.
    ///
    /// A request without a credential is refused, as by a layer that is not optional. If the credential is refused, the guards' requirements
    /// are listed as skipped.
    pub async fn explain(&self, request: impl Into<RequestHead<'_>>) -> Explanation<C> {
        let head = request.into();
        let mut explanation = match self.find(head) {
            Ok((place, scheme, octets)) => {
                let view = View { head, original_uri: self.original_uri };
                let presented = Presented::bearer(&octets).with_scheme(scheme).with_request(&view);
                let mut explanation = place.admission.explain(presented).await;
                explanation.verdict = explanation.verdict.map_err(|error| under(scheme, error));
                explanation
            }
            Err((place, error)) => place.admission.explain_unpresented(error),
        };
        for guard in &self.guards {
            explanation = guard.explain(explanation, head).await;
        }
        explanation
    }

    /// Returns the request's only credential with its place. On an error, returns the place that caused it.
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
