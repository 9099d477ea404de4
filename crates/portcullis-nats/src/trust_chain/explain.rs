//! Reports each check.

use portcullis_core::{
    AuthError, Code,
    authenticator::Credential,
    explain::{Check, Explain, Explaining, Recorder},
};
use serde::de::DeserializeOwned;

use super::{
    Decided, Inner, TrustChain,
    authenticator::{Admitted, NATS_USER, Presented},
    facts,
};
use crate::accounts::AccountResolver;

/// The checks of the user's token, in order; the proof and the account come behind them.
const OF_TOKEN: [Check; 8] = [
    Check::Length,
    Check::Shape,
    Check::Header,
    Check::Type,
    Check::Signature,
    Check::Claims,
    Check::Expiry,
    Check::NotBefore,
];

impl<R: AccountResolver, C> Explain for TrustChain<R, C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, C> {
        Box::pin(async move {
            let facts = self.inner.explain(credential, recorder).await?;
            let proven = portcullis_core::authenticator::Proven::read(facts);
            if proven.is_err() {
                recorder.note(Check::Custom, &proven);
            }
            let proven = proven?;
            Ok(if credential.scheme() == NATS_USER { proven.proof_shown() } else { proven })
        })
    }
}

impl<R: AccountResolver> Inner<R> {
    async fn explain(
        &self,
        credential: Credential<'_>,
        recorder: &mut Recorder,
    ) -> Decided<portcullis_core::verified::Facts> {
        recorder.plan(OF_TOKEN);
        recorder.plan([Check::Proof, Check::Issuer, Check::Known, Check::Conditions]);
        let now = credential.now();
        let seen = self.see(credential.token(), now);
        note_until(recorder, &OF_TOKEN, &seen);
        let seen = seen?;
        let is_proven = credential.scheme() == NATS_USER;
        if is_proven {
            // Whether it is new is not decided: that would use it up.
            let proven = self
                .parts_of_proof(credential)
                .and_then(|(proofs, request)| proofs.check(super::authenticator::checked(request, &seen, now)));
            recorder.note(Check::Proof, &proven);
            proven?;
        }
        recorder.wants(Check::Issuer, format!("the account {}, admitted by {}", seen.user.account(), self.anchors()));
        let presented = Presented::new(credential, seen, is_proven)?;
        let admitted = self.decide(&presented, &credential.clock()).await;
        note_until(recorder, &[Check::Issuer, Check::Known, Check::Conditions], &admitted);
        let admitted = admitted?;
        recorder.wants(Check::Known, described(&admitted));
        facts::facts(&admitted.user)
    }

    fn anchors(&self) -> String {
        self.chain.operators().keys().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
    }
}

/// Notes these checks as passed up to the one that the error is about.
fn note_until<T>(recorder: &mut Recorder, checks: &[Check], outcome: &Result<T, AuthError>) {
    let code = outcome.as_ref().err().map(AuthError::code);
    let fails = |check: &Check| code.is_some_and(|code| check.codes().contains(&code) || is_of_proof(*check, code));
    let failed = checks.iter().position(fails);
    for (at, check) in checks.iter().enumerate() {
        match (failed, code) {
            (Some(failed), _) if at == failed => return recorder.note(*check, outcome),
            (None, Some(_)) => return recorder.note(*check, outcome),
            _ => recorder.note(*check, &Ok(())),
        }
    }
}

/// A token without a proof is refused once its terms are known.
fn is_of_proof(check: Check, code: Code) -> bool {
    check == Check::Known && code.is_about_proof()
}

fn described(admitted: &Admitted) -> String {
    let user = &admitted.user;
    let scope = user.scope_role.as_deref().map_or_else(|| "no scope".to_owned(), |role| format!("the scope {role:?}"));
    let count = |rules: &crate::chain::Rules| format!("{} allowed and {} denied", rules.allow.len(), rules.deny.len());
    let (publish, subscribe) = (count(&user.permissions.publish), count(&user.permissions.subscribe));
    format!("signed by {} with {scope}; publish: {publish}; subscribe: {subscribe}", user.signer)
}
