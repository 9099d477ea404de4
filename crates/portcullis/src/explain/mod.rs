//! Explanations: why a request is accepted or refused, check by check, guards included.
//!
//! [`Explainer`] explains a whole request, [`Admission::explain`](crate::Admission::explain) only the credential, and
//! [`Requirement::explain`] only a requirement. All three run the code that serves requests, so the verdict is the same. No explanation
//! contains the value of a claim.

mod explainer;
mod route_guard;

pub use explainer::Explainer;
pub use portcullis_core::explain::{Check, Explain, Explainable, Explaining, Explanation, Finding, Outcome, Recorder};
pub use route_guard::RouteGuard;

#[cfg(doc)]
use crate::Requirement;
pub use crate::requirement::RequirementExplanation; // for the links above
