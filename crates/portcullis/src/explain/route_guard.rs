//! [`RouteGuard`]: a guard without its layer, for an `Explainer`.

use std::{fmt, marker::PhantomData, sync::Arc};

use portcullis_core::{
    AuthError,
    explain::{Check, Explanation, Finding, Outcome},
    verified::AnyVerified,
};

use crate::{
    Guard, Requirement,
    guard::{Asked, Decide, Rule, params},
    location::RequestHead,
    requirement::{Circumstances, explanation::planned},
};

/// The rule of a guard, for an [`Explainer`](super::Explainer). Convert it from a `&`[`RequireLayer`](crate::RequireLayer), a
/// `&`[`AccessLayer`](crate::access_table::AccessLayer), or a [`Requirement`] that uses no path parameter; for a [`Guard`], call
/// [`of`](Self::of). Cheap to clone.
#[derive(Clone, Debug)]
pub struct RouteGuard(Arc<dyn Decide>);

impl RouteGuard {
    /// Returns the rule of the extractor `Require<G>`.
    pub fn of<G: Guard>() -> Self {
        Self(Arc::new(OfType::<G>(PhantomData)))
    }

    pub(crate) fn new(guard: Arc<dyn Decide>) -> Self {
        Self(guard)
    }

    /// Adds this guard's finding to the explanation of a request's credential.
    pub(super) async fn explain<C: Send + Sync + 'static>(
        &self,
        explanation: Explanation<C>,
        head: RequestHead<'_>,
    ) -> Explanation<C> {
        let caller = explanation.verdict.as_ref().ok().cloned().map(AnyVerified::from);
        let found = match self.0.ask(head) {
            Ok(Asked::Nothing | Asked::Caller) => None,
            Ok(Asked::Requirement(requirement, params)) => Some(match &caller {
                Some(caller) => judged(requirement, Circumstances::new(caller, &params, explanation.now)).await,
                None => (planned(requirement), Ok(())),
            }),
            Err(_) if caller.is_none() => Some((Finding::new(Check::Requirement, Outcome::Skipped), Ok(()))),
            Err(error) => Some(refused(error)),
        };
        match found {
            Some((finding, verdict)) => explanation.with_check(finding, verdict),
            None => explanation,
        }
    }
}

async fn judged(requirement: &Requirement, at: Circumstances<'_>) -> (Finding, Result<(), AuthError>) {
    let explanation = requirement.explain(at).await;
    (explanation.finding, explanation.verdict)
}

/// Returns the finding for a request that the guard refuses for every caller.
fn refused(error: AuthError) -> (Finding, Result<(), AuthError>) {
    let verdict = Err(error);
    (Finding::new(Check::Requirement, Outcome::of(&verdict)), verdict)
}

/// A guard that is given as a type.
struct OfType<G>(PhantomData<fn() -> G>);

impl<G: Guard> Decide for OfType<G> {
    fn ask(&self, head: RequestHead<'_>) -> Result<Asked<'_>, AuthError> {
        Ok(Asked::Requirement(G::requirement(), params::<G>(head.uri)?))
    }
}

impl<G: Guard> fmt::Debug for OfType<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        G::requirement().fmt(f)
    }
}

impl From<Requirement> for RouteGuard {
    fn from(requirement: Requirement) -> Self {
        Self(Arc::new(Rule { requirement, template: None }))
    }
}
