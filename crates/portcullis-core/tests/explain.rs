//! Tests that explanations agree with decisions, because both run the same code.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    Admission, Algorithm, Authenticator, Code, JwtAuthenticator, TrustedIssuer, UnixTime,
    authenticator::{Attempt, Credential, Dispatch, Presented, Proven},
    explain::{Check, Explain, Explanation, Outcome},
    keys::{KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
    policy::{Leeway, Profile},
    revocation::{Revocation, ViewWriter},
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::{Defect, FixedClock, MockIssuer};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Tenant {
    #[expect(dead_code, reason = "that it is there decides")]
    tenant: String,
}

fn explain<C: Send + Sync + 'static>(admission: &Admission<C>, token: &str) -> Explanation<C> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(admission.explain(Presented::bearer(token.as_bytes())))
}

fn failed<C>(explanation: &Explanation<C>) -> Vec<(Check, Code)> {
    let failed = explanation.findings.iter().filter_map(|finding| match &finding.outcome {
        Outcome::Failed { code, .. } | Outcome::Undecided { code, .. } => Some((finding.check, *code)),
        _ => None,
    });
    failed.collect()
}

/// Returns the verdict of an admission about a credential, after checking that `admit` and `explain` agree in all respects.
fn code<C: Send + Sync + 'static>(admission: &Admission<C>, token: &str) -> Option<Code> {
    let admitted = admission.admit(Presented::bearer(token.as_bytes())).ready().unwrap();
    let verdict = admitted.err().map(|error| error.code());
    let explanation = explain(admission, token);
    let failed = failed(&explanation);
    assert_eq!(
        explanation.verdict.as_ref().err().map(portcullis_core::AuthError::code),
        verdict,
        "{token}\n{explanation}"
    );
    assert_eq!(
        failed.first().map(|(_, code)| *code),
        verdict,
        "refused exactly if a check has failed: {token}\n{explanation}"
    );
    for (check, code) in failed {
        assert!(check == Check::Proved || check.codes().contains(&code), "{check} cannot end with {code}");
    }
    verdict
}

/// A small random generator, so that a run can be repeated with its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// The number of tokens. Set `PORTCULLIS_EXPLAINED` for more.
fn count() -> usize {
    std::env::var("PORTCULLIS_EXPLAINED").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000)
}

/// Admissions with different policies for the tokens of one issuer, one of whose sessions is revoked.
fn admissions(issuer: &MockIssuer, clock: &FixedClock) -> Vec<Admission> {
    let writer = ViewWriter::builder(Duration::from_secs(7200)).clock(clock.clone()).build();
    writer.confirm(writer.ask());
    writer.merge(&[writer.entry(&Revocation::session(issuer.name(), "ended"))]);
    let policies: [fn(TrustedIssuer) -> TrustedIssuer; 5] = [
        |issuer| issuer,
        |issuer| issuer.profile(Profile::AccessToken),
        |issuer| issuer.leeway(Leeway::NONE).max_age(Duration::from_secs(100)),
        |issuer| issuer.max_lifetime(Duration::from_secs(600)).require_claim("/tenant"),
        |issuer| issuer.algorithms(Algorithm::Hs256),
    ];
    let of = |policy: fn(TrustedIssuer) -> TrustedIssuer| JwtAuthenticator::new(policy(issuer.trusted())).unwrap();
    let dispatch = Dispatch::builder().prefix("acme_", Table).compact_jws(of(|issuer| issuer).explainable()).build();
    let admissions = policies.map(|policy| Admission::explainable(of(policy)));
    let admissions = admissions.into_iter().chain([Admission::explainable(dispatch.unwrap())]);
    admissions.map(|admission| admission.clock(clock.clone()).revocations(&writer)).collect()
}

/// Returns a token with up to two defects, and sometimes with one byte changed.
fn token(random: &mut Random, signer: &MockIssuer) -> Option<String> {
    let mut token = signer.token().subject("alice");
    if random.one_in(3) {
        token = token.claim("tenant", "acme");
    }
    if random.one_in(3) {
        token = token.typ("at+jwt").claim("client_id", "crm").claim("jti", "t-1");
    }
    if random.one_in(10) {
        token = token.claim("sid", if random.one_in(2) { "ended" } else { "running" });
    }
    for _ in 0..random.below(3) {
        token = token.defect(Defect::ALL[random.below(Defect::ALL.len())]);
    }
    let mut text = token.sign().into_bytes();
    if random.one_in(8) && !text.is_empty() {
        let at = random.below(text.len());
        text[at] = b"AZaz09-_.=~ \x00"[random.below(13)];
    }
    String::from_utf8(text).ok()
}

#[test]
fn explain_agrees_with_verify_on_random_tokens() {
    let mut random = Random(seed::seed());
    let clock = FixedClock::default();
    let [issuer, stranger] =
        [7, 8].map(|secret| MockIssuer::with_secret("a", Algorithm::Hs256, [secret; 32]).clock(clock.clone()));
    let admissions = admissions(&issuer, &clock);
    let typed = JwtAuthenticator::new(issuer.trusted()).unwrap().claims::<Tenant>();
    let typed = Admission::explainable(typed).clock(clock);
    let mut codes = HashSet::new();
    for _ in 0..count() {
        let signer = if random.one_in(12) { &stranger } else { &issuer };
        let Some(text) = token(&mut random, signer) else { continue };
        codes.insert(code(&admissions[random.below(admissions.len())], &text));
        if random.one_in(4) {
            codes.insert(code(&typed, &text));
        }
    }
    assert!(codes.contains(&None) && codes.len() > 15, "only {codes:?}");
}

#[test]
fn explain_reports_all_failures_at_once() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted()).unwrap()).clock(clock);
    let token = issuer.token().audience("invoices").defect(Defect::Expired).sign();
    let checks: Vec<_> = failed(&explain(&admission, &token)).into_iter().map(|(check, _)| check).collect();
    assert_eq!(checks, [Check::Audience, Check::Expiry]);

    let forged = MockIssuer::new().token().audience("invoices").defect(Defect::Expired).without_header("kid").sign();
    let checks: Vec<_> = failed(&explain(&admission, &forged)).into_iter().map(|(check, _)| check).collect();
    assert_eq!(checks, [Check::Signature, Check::Audience, Check::Expiry], "of claims that are not proven, too");

    let good = explain(&admission, &issuer.token().sign());
    assert!(good.verdict.is_ok() && failed(&good).is_empty());
    assert!(good.findings.iter().all(|finding| finding.outcome == Outcome::Passed), "{good}");
}

#[test]
fn an_explanation_contains_the_distance_of_a_time_and_no_claim() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let admission = Admission::explainable(JwtAuthenticator::new(issuer.trusted()).unwrap()).clock(clock.clone());
    let token = issuer.token().claim("salary", "4711-euro").expires_in(Duration::from_secs(60)).sign();
    clock.advance(Duration::from_secs(252));
    let shown = explain(&admission, &token).to_string();
    assert!(
        shown.contains("FAILED    expiry: token_expired") && shown.contains("`exp` is 192 s ago, the leeway 30 s"),
        "{shown}"
    );
    assert!(!shown.contains("4711") && token.split('.').all(|part| !shown.contains(part)), "{shown}");
    assert!(shown.ends_with("refused: token_expired: the token has expired"), "{shown}");
}

/// An authenticator that looks a key up, and cannot explain.
#[derive(Debug)]
struct Table;

impl Authenticator for Table {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        if credential.token() != "key" {
            return Attempt::Done(Err(Code::KeyUnknown.into()));
        }
        let facts = Facts::assertion(r#"{"sub":"alice","jti":"key","iat":1}"#, Conventions::new("https://table.test"));
        Attempt::Done(facts.map(|facts| Proven::new(facts, NoCustom)))
    }
}

#[test]
fn an_authenticator_that_cannot_explain_has_one_check_beside_those_of_the_admission() {
    let clock = FixedClock::at(UnixTime::from_secs(1_800_000_000));
    let writer = ViewWriter::builder(Duration::from_secs(60)).clock(clock.clone()).build();
    writer.confirm(writer.ask());
    let (plain, revoking) =
        (Admission::new(Table).clock(clock.clone()), Admission::new(Table).clock(clock).revocations(&writer));
    assert_eq!(code(&plain, "key"), None);
    assert_eq!(failed(&explain(&plain, "other")), [(Check::Proved, Code::KeyUnknown)]);
    assert_eq!(failed(&explain(&revoking, "key")), [(Check::Revocation, Code::TokenLifetimeTooLong)]);
    assert_eq!(failed(&explain(&plain, "k e y")), [(Check::Form, Code::CredentialMalformed)]);
}

#[test]
fn a_dispatch_explains_which_branch_was_chosen_and_the_checks_of_that_branch() {
    let issuer = MockIssuer::new();
    let jwt = || JwtAuthenticator::new(issuer.trusted()).unwrap();
    let inner = Dispatch::builder().prefix("acme_", Table).otherwise(Table).build().unwrap();
    let dispatch = Dispatch::builder().compact_jws(jwt().explainable()).otherwise(inner.explainable()).build().unwrap();
    let admission = Admission::explainable(dispatch);
    let kind = |token: &str| {
        let explanation = explain(&admission, token);
        explanation.findings.into_iter().find(|finding| finding.check == Check::Kind).unwrap().expected.unwrap()
    };
    let expired = issuer.token().defect(Defect::Expired).sign();
    assert_eq!(failed(&explain(&admission, &expired)), [(Check::Expiry, Code::TokenExpired)]);
    assert_eq!(kind(&expired), "`compact_jws`");
    assert_eq!(kind("acme_1"), "`otherwise`, and within it `prefix(\"acme_\")`");
    assert_eq!(failed(&explain(&admission, "other")), [(Check::Proved, Code::KeyUnknown)]);
    assert_eq!(code(&admission, "key"), None);
    assert_eq!(code(&admission, &"x".repeat(20_000)), Some(Code::TokenTooLong), "no part is asked");

    let opaque = Admission::explainable(Dispatch::builder().compact_jws(jwt()).prefix("acme_", Table).build().unwrap());
    assert_eq!(
        failed(&explain(&opaque, &expired)),
        [(Check::Proved, Code::TokenExpired)],
        "it was not added as explainable"
    );
    assert_eq!(failed(&explain(&opaque, "other")), [(Check::Kind, Code::CredentialKindUnknown)]);
    let shown = explain(&opaque, "other").to_string();
    assert!(shown.contains("(expected: `compact_jws` or `prefix(\"acme_\")`)"), "{shown}");
    assert_eq!(code(&opaque, &issuer.token().sign()), None);
}

/// A key source that has no keys, and cannot fetch any.
#[derive(Debug)]
struct Down;

impl KeySource for Down {
    fn resolve(&self, _: KeyHint<'_>, _: UnixTime) -> Resolved {
        Resolved::Fault(KeySourceError::new(KeySourceErrorKind::Unavailable, "the provider is down"))
    }
}

#[test]
fn an_undecided_check_differs_from_a_failed_one() {
    let issuer = MockIssuer::new();
    let undecided = Admission::explainable(JwtAuthenticator::new(issuer.trusted_with(Down)).unwrap());
    let explanation = explain(&undecided, &issuer.token().sign());
    let key = explanation.findings.iter().find(|finding| finding.check == Check::Key).unwrap();
    assert!(matches!(key.outcome, Outcome::Undecided { code: Code::KeysUnavailable, .. }) && key.is_failed(), "{key}");
    assert_eq!(code(&undecided, &issuer.token().sign()), Some(Code::KeysUnavailable));

    let refused = Admission::explainable(JwtAuthenticator::new(issuer.trusted()).unwrap());
    let explanation = explain(&refused, &issuer.token().defect(Defect::KidUnknown).sign());
    let key = explanation.findings.iter().find(|finding| finding.check == Check::Key).unwrap();
    assert!(matches!(key.outcome, Outcome::Failed { code: Code::KeyUnknown, .. }), "{key}");
}

/// A key source that counts how often keys are looked up.
#[derive(Debug)]
struct Counted(portcullis_test::MockKeys, Arc<AtomicUsize>);

impl KeySource for Counted {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.resolve(hint, now)
    }
}

#[test]
fn explaining_looks_up_no_key_where_verifying_does_not() {
    let (issuer, looked_up) = (MockIssuer::new(), Arc::<AtomicUsize>::default());
    let trusted = issuer.trusted_with(Counted(issuer.keys(), Arc::clone(&looked_up)));
    let admission = Admission::explainable(JwtAuthenticator::new(trusted).unwrap());
    let of_another_type = issuer.token().typ("dpop+jwt").defect(Defect::Expired).sign();
    let explanation = explain(&admission, &of_another_type);
    assert_eq!(failed(&explanation).iter().map(|(check, _)| *check).collect::<Vec<_>>(), [Check::Type, Check::Expiry]);
    assert_eq!(looked_up.load(Ordering::SeqCst), 0);
    explain(&admission, &issuer.token().sign());
    assert_eq!(looked_up.load(Ordering::SeqCst), 1);
}

/// Returns the number of the recorder's symbols in one of this crate's examples, which the test command also builds.
fn recorders(example: &str) -> usize {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(example);
    assert!(program.exists(), "{} is not there: run the tests of the whole package, which build it", program.display());
    let nm = std::process::Command::new("nm").arg("--demangle").arg(program).output().unwrap(); // part of binutils, which gcc needs
    let symbols = String::from_utf8(nm.stdout).unwrap();
    assert!(symbols.contains("JwtAuthenticator"), "it has symbols");
    symbols.lines().filter(|line| line.contains("Recorder")).count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_only_verifies_contains_no_recorder() {
    assert_eq!(recorders("verifies"), 0);
    assert!(recorders("explains") > 0);
}
