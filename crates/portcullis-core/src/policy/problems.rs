//! Finds the problems of a policy, for the developer.

use super::{Policy, RequiredClaim, token_types};
use crate::{
    claims::pointer,
    config_text::{oddity, quoted},
    keys::AlgorithmSet,
};

impl Policy {
    /// Returns the issuer's name for a message.
    pub(crate) fn label(&self) -> String {
        if oddity(self.issuer()).is_some() { quoted(self.issuer()) } else { format!("`{}`", self.issuer()) }
    }

    /// Returns the problems of the policy itself, each as a sentence.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let issuer = self.label();
        let mut problems = self.problem_of_issuer();
        if self.audiences.is_empty() {
            problems.push(format!(
                "issuer {issuer}: no audience is given, so every token would be refused: name this service as in `aud`, with `TrustedIssuer::audience`"
            ));
        }
        problems.extend(
            self.audiences
                .iter()
                .filter_map(|audience| problem_of_audience(audience))
                .map(|problem| format!("issuer {issuer}: {problem}")),
        );
        if self.algorithms.is_empty() {
            problems.push(format!("issuer {issuer}: no algorithm is allowed, so every token would be refused"));
        }
        let types = self.token_types.iter().filter_map(|name| token_types::problem(name));
        problems.extend(types.map(|problem| format!("issuer {issuer}: {problem}")));
        let pointers = self.required.iter().map(RequiredClaim::pointer).chain(self.audience_claim.as_deref());
        let places = pointers.filter_map(problem_of_pointer).chain(self.conventions.problems());
        problems.extend(places.map(|problem| format!("issuer {issuer}: {problem}")));
        let values = self.required.iter().filter_map(RequiredClaim::value);
        problems.extend(values.filter_map(|value| Some((value, oddity(value)?))).map(|(value, oddity)| {
            format!("issuer {issuer}: the required claim value {} has {oddity}: remove it", quoted(value))
        }));
        problems.into_iter()
    }

    /// Returns a problem if no key supports what the policy allows, as far as the keys are known at start.
    pub(crate) fn problem_with_keys(&self, keys: AlgorithmSet) -> Option<String> {
        // A source without keys now, such as a ring whose keys are all revoked, may get some later.
        if keys.is_empty() || self.algorithms.is_empty() || !self.algorithms.intersection(keys).is_empty() {
            return None;
        }
        Some(format!(
            "its keys work with {keys}, and only {} is allowed, so every token would be refused: name an algorithm of its keys",
            self.algorithms
        ))
    }

    fn problem_of_issuer(&self) -> Vec<String> {
        let issuer = self.issuer();
        let problem = if issuer.trim().is_empty() {
            Some(format!(
                "a trusted issuer has an empty name, {}: give the exact value of its tokens' `iss`",
                quoted(issuer)
            ))
        } else {
            oddity(issuer).map(|oddity| {
                format!("the issuer name {} has {oddity}: remove it, as no token has it in `iss`", quoted(issuer))
            })
        };
        problem.into_iter().collect()
    }
}

fn problem_of_audience(audience: &str) -> Option<String> {
    let shown = quoted(audience);
    if audience.trim().is_empty() {
        return Some(format!("an audience is empty, {shown}: give the name of this service as in `aud`"));
    }
    if let Some(oddity) = oddity(audience) {
        return Some(format!("the audience {shown} has {oddity}: remove it, as no token has it in `aud`"));
    }
    audience.contains(',').then(|| {
        format!("the audience {shown} has a comma in it: give each audience by itself, with `TrustedIssuer::audience`")
    })
}

fn problem_of_pointer(pointer: &str) -> Option<String> {
    let odd = || oddity(pointer).map(|oddity| format!("the JSON pointer {} has {oddity}: remove it", quoted(pointer)));
    pointer::problem(pointer).or_else(odd)
}
