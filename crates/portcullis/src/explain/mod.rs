//! Why a request is let through or refused, check by check, guards included.
//!
//! [`Explainer`] answers for a whole request; [`Admission::explain`](crate::Admission::explain) for a credential alone, and
//! [`Requirement::explain`] for what a route asks of a caller. All three decide by the code that serves requests, so the verdict
//! is the same, and no value of a claim is in what they say.

mod explainer;
mod route_guard;

pub use explainer::Explainer;
pub use portcullis_core::explain::{Check, Explain, Explainable, Explaining, Explanation, Finding, Outcome, Recorder};
pub use route_guard::RouteGuard;

#[cfg(doc)]
use crate::Requirement;
pub use crate::requirement::RequirementExplanation; // for the links above
