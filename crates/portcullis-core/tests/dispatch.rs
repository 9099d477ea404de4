//! Tests `Dispatch`: of several authenticators, exactly one is asked about each credential.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    Admission, AuthError, Authenticator, Code, ConfigError, Issuers, JwtAuthenticator, UnixTime, Verified,
    authenticator::{Attempt, Credential, Dispatch, DispatchBuilder, Edition, Presented, Proven, Scheme},
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::MockIssuer;

/// An authenticator that accepts every credential, with its own name as the subject, and counts how often it is called.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    name: &'static str,
    scheme: Scheme,
    asked: AtomicUsize,
    proved: AtomicUsize,
    edition: Edition,
    owes_proof: bool,
    /// Whether earlier results are no longer current.
    is_over: AtomicBool,
}

impl Counting {
    fn named(name: &'static str) -> Self {
        let scheme = if name == "dpop" { Scheme::DPoP } else { Scheme::Bearer };
        Self(Arc::new(Counts { name, scheme, ..Counts::default() }))
    }

    fn under(scheme: Scheme) -> Self {
        Self(Arc::new(Counts { name: "one", scheme, ..Counts::default() }))
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl Authenticator for Counting {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let facts = Facts::assertion(r#"{"sub":"alice"}"#, Conventions::new(self.0.name)).unwrap();
        let until = credential.now().plus(Duration::from_secs(60));
        let proven = Proven::new(facts, NoCustom).cache_until(until).edition(self.0.edition);
        Attempt::Done(Ok(if self.0.owes_proof { proven.proof_owed() } else { proven }))
    }

    fn is_current(&self, edition: Edition, _: UnixTime) -> bool {
        edition == self.0.edition && !self.0.is_over.load(Ordering::SeqCst)
    }

    fn schemes(&self) -> Vec<Scheme> {
        vec![self.0.scheme]
    }

    fn check_proof(&self, _: Credential<'_>, verified: &Verified) -> Result<(), AuthError> {
        assert_eq!(verified.issuer(), self.0.name, "what another one has found");
        self.0.proved.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn issuer_of(admission: &Admission, presented: Presented<'_>) -> Result<String, Code> {
    let outcome = admission.admit(presented).ready().unwrap();
    outcome.map(|verified| verified.issuer().to_owned()).map_err(|error| error.code())
}

fn bearer(admission: &Admission, token: &str) -> Result<String, Code> {
    issuer_of(admission, Presented::bearer(token.as_bytes()))
}

#[test]
fn the_kind_of_a_credential_chooses_the_authenticator() {
    let [api, jwt, rest, dpop] = ["api", "jwt", "rest", "dpop"].map(Counting::named);
    let dispatch = Dispatch::builder().otherwise(rest).prefix("acme_", api).compact_jws(jwt).scheme(Scheme::DPoP, dpop);
    let admission = Admission::new(dispatch.build().unwrap());
    for (token, name) in [
        ("acme_1", "api"),
        ("acme_", "api"),
        ("acme_a.b.c", "api"),
        ("acme", "rest"),
        ("Acme_1", "rest"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "jwt"),
        ("ewogImFsZyI6IkhTMjU2In0.e30.c2ln", "jwt"),
        ("eyJhbGciOiJIUzI1NiJ9.e30", "rest"),
        ("eyJhbGciOiJkaXIifQ.a.b.c.d", "rest"), // encrypted
        ("abc.def.ghi", "rest"),
        ("x", "rest"),
    ] {
        assert_eq!(bearer(&admission, token).unwrap(), name, "{token}");
        let under = |scheme| issuer_of(&admission, Presented::bearer(token.as_bytes()).with_scheme(scheme));
        assert_eq!(under(Scheme::DPoP).unwrap(), "dpop", "{token}");
        assert_eq!(under(Scheme::Other("dpop")).unwrap(), "dpop", "schemes have no case");
        assert_eq!(
            under(Scheme::Other("Token")).unwrap_err(),
            Code::CredentialKindUnknown,
            "nothing is for that scheme"
        );
    }
}

#[test]
fn a_credential_without_an_authenticator_is_refused_at_once() {
    let [api, jwt] = ["api", "jwt"].map(Counting::named);
    let dispatch = Dispatch::builder().prefix("acme_", api.clone()).compact_jws(jwt.clone()).build().unwrap();
    let admission = Admission::new(dispatch);
    for token in ["acme", "acmE_1", "e", "ey", "eyJ.x", "eyJ.x.y.z", "opaque"] {
        assert_eq!(bearer(&admission, token).unwrap_err(), Code::CredentialKindUnknown, "{token}");
    }
    assert_eq!(api.asked() + jwt.asked(), 0);
    assert!(bearer(&admission, "acme_1").is_ok() && bearer(&admission, "eyJ.x.y").is_ok());
    assert_eq!([api.asked(), jwt.asked()], [1, 1]);
}

/// An application's own authenticator, which lets a `Dispatch` do the work.
#[derive(Debug)]
struct Wrapper(Dispatch<NoCustom>);

impl Authenticator for Wrapper {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.0.verify(credential)
    }

    fn schemes(&self) -> Vec<Scheme> {
        vec![Scheme::Bearer, Scheme::DPoP]
    }
}

#[test]
fn what_is_left_over_is_of_the_scheme_bearer() {
    let rest = Counting::named("rest");
    let admission = Admission::new(Wrapper(Dispatch::builder().otherwise(rest.clone()).build().unwrap()));
    assert_eq!(issuer_of(&admission, Presented::bearer(b"token")), Ok("rest".to_owned()));
    let bound = Presented::bearer(b"token").with_scheme(Scheme::DPoP);
    assert_eq!(issuer_of(&admission, bound), Err(Code::CredentialKindUnknown));
    assert_eq!(rest.asked(), 1);
}

#[test]
fn exactly_one_authenticator_is_asked_about_each_of_a_hundred_thousand_credentials() {
    let parts = ["a", "b", "c", "jwt", "rest", "dpop"].map(Counting::named);
    let [a, b, c, jwt, rest, dpop] = parts.clone();
    let dispatch = Dispatch::builder()
        .prefix("acme_", a)
        .prefix("acne", b)
        .prefix("f.", c)
        .compact_jws(jwt)
        .otherwise(rest)
        .scheme(Scheme::DPoP, dpop);
    let admission = Admission::new(dispatch.build().unwrap()).without_cache();
    let mut numbers = Numbers(seed::seed());
    for round in 1..=100_000 {
        let mut token = numbers.one_of(["acme_", "acme", "acne", "f.", "f", "ey", "ewo", "e", ""]).to_owned();
        (0..=numbers.below(12))
            .for_each(|_| token.push_str(numbers.one_of([".", "a", "b", "c", "e", "m", "n", "_", "~"])));
        let scheme = numbers.one_of([Scheme::Bearer, Scheme::DPoP]);
        assert!(issuer_of(&admission, Presented::bearer(token.as_bytes()).with_scheme(scheme)).is_ok());
        assert_eq!(parts.iter().map(Counting::asked).sum::<usize>(), round, "{token}");
    }
    assert!(parts.iter().all(|part| part.asked() > 100), "{parts:?}");
}

/// Returns pseudorandom numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_of<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[usize::try_from(self.below(N as u64)).unwrap()]
    }
}

type Build = DispatchBuilder;

#[test]
fn two_branches_that_could_match_the_same_credential_are_a_configuration_error_that_names_both() {
    let (one, dpop) = (|| Counting::named("one"), || Counting::named("dpop"));
    let ambiguous: [(Build, [&str; 2]); 9] = [
        (Dispatch::builder().prefix("acme", one()).prefix("acme_", one()), ["\"acme\"", "\"acme_\""]),
        (Dispatch::builder().prefix("acme_", one()).prefix("acme", one()), ["\"acme\"", "\"acme_\""]),
        (Dispatch::builder().prefix("acme", one()).prefix("acme", one()), ["prefix", "\"acme\""]),
        (Dispatch::builder().scheme(Scheme::DPoP, dpop()).scheme(Scheme::Other("DPOP"), dpop()), ["DPoP", "DPOP"]),
        (Dispatch::builder().compact_jws(one()).compact_jws(one()), ["compact_jws", "compact_jws"]),
        (Dispatch::builder().otherwise(one()).otherwise(one()), ["otherwise", "otherwise"]),
        (Dispatch::builder().compact_jws(one()).prefix("e", one()), ["compact_jws", "\"e\""]),
        (Dispatch::builder().prefix("ewog", one()).compact_jws(one()), ["compact_jws", "\"ewog\""]),
        (Dispatch::builder().otherwise(one()).scheme(Scheme::Bearer, one()), ["otherwise", "scheme(Bearer)"]),
    ];
    for (builder, named) in ambiguous {
        let shown = format!("{builder:?}");
        let error = builder.build().unwrap_err().to_string();
        assert!(named.iter().all(|name| error.contains(name)), "{error} of {shown}");
    }
    let clear: [Build; 5] = [
        Dispatch::builder().prefix("acme_", one()).prefix("acne_", one()),
        Dispatch::builder()
            .scheme(Scheme::DPoP, dpop())
            .scheme(Scheme::Other("Token"), Counting::under(Scheme::Other("token"))),
        Dispatch::builder().compact_jws(one()).prefix("f", one()),
        Dispatch::builder().prefix("eyJ", one()).prefix("ez", one()), // without `compact_jws`
        Dispatch::builder().otherwise(one()).scheme(Scheme::DPoP, dpop()),
    ];
    for builder in clear {
        drop(builder.build().unwrap());
    }
}

/// Otherwise a token that is bound to a key would be accepted under `DPoP` by an authenticator that asks for no proof, or a scheme that is
/// accepted would be ignored.
#[test]
fn a_branch_gets_the_schemes_that_its_authenticator_accepts_and_no_others() {
    let issuer = MockIssuer::new();
    let jwt = || JwtAuthenticator::new(issuer.trusted()).unwrap();
    let dpop = || Counting::named("dpop");
    let nested = || Dispatch::builder().otherwise(Counting::named("one")).scheme(Scheme::DPoP, dpop()).build().unwrap();
    let refused: [(Result<(), ConfigError>, &str); 4] = [
        (
            Dispatch::builder().scheme(Scheme::DPoP, jwt()).build().map(drop),
            "under DPoP, which its authenticator does not accept",
        ),
        (
            Dispatch::builder().compact_jws(dpop()).build().map(drop),
            "under Bearer, which its authenticator does not accept",
        ),
        (Dispatch::builder().otherwise(nested()).build().map(drop), "accepts DPoP too, and would never get it"),
        (
            Dispatch::builder().scheme(Scheme::DPoP, nested()).build().map(drop),
            "accepts Bearer too, and would never get it",
        ),
    ];
    for (outcome, expected) in refused {
        let problem = outcome.unwrap_err().to_string();
        assert!(problem.contains(expected), "{problem}");
    }
    drop(Dispatch::builder().scheme(Scheme::DPoP, dpop()).build().unwrap());
    drop(Dispatch::builder().compact_jws(jwt()).build().unwrap());
    drop(Dispatch::builder().otherwise(nested()).scheme(Scheme::DPoP, nested()).build().unwrap());
}

#[test]
fn a_branch_that_no_credential_can_match_is_a_configuration_error() {
    let one = || Counting::named("one");
    for prefix in ["", " acme", "acme:", "ac=", "\u{e4}"] {
        let error = Dispatch::builder().prefix(prefix, one()).build().unwrap_err();
        assert!(error.to_string().contains("prefix"), "{prefix}: {error}");
    }
    assert!(Dispatch::<NoCustom>::builder().build().is_err());
    assert!(Dispatch::builder().prefix("~acme/", one()).build().is_ok());
    let many = (0..256).fold(Dispatch::builder(), |builder, at| builder.prefix(format!("p{at:03}"), one()));
    assert!(many.build().unwrap_err().to_string().contains("255"));
}

/// Two branches set the same edition numbers. The cached credentials of one must not count as those of the other.
#[test]
fn the_branch_that_verified_a_credential_decides_whether_it_is_current() {
    let same = |name| Counting(Arc::new(Counts { name, edition: Edition::of_part(u64::MAX, 7), ..Counts::default() }));
    let [one, other] = ["one", "other"].map(same);
    let inner = Dispatch::builder().prefix("b", other.clone()).build().unwrap();
    let dispatch = Dispatch::builder().prefix("a", one.clone()).otherwise(inner).build().unwrap();
    let admission = Admission::new(dispatch);
    let present = || ["a1", "b1"].map(|token| bearer(&admission, token).unwrap());
    assert_eq!(present(), ["one", "other"]);
    assert_eq!(present(), ["one", "other"]);
    assert_eq!(
        [one.asked(), other.asked()],
        [1, 1],
        "both are remembered, the one in a dispatch within a dispatch as well"
    );
    one.0.is_over.store(true, Ordering::SeqCst);
    assert_eq!(present(), ["one", "other"]);
    assert_eq!([one.asked(), other.asked()], [2, 1]);
    other.0.is_over.store(true, Ordering::SeqCst);
    present();
    assert_eq!([one.asked(), other.asked()], [3, 2]);
}

#[test]
fn removing_an_issuer_ends_its_tokens_behind_a_dispatch_as_well() {
    let issuer = MockIssuer::new();
    let issuers = Issuers::new([issuer.trusted()]).unwrap();
    let jwt = JwtAuthenticator::issuers(issuers.clone());
    let admission =
        Admission::new(Dispatch::builder().prefix("acme_", Counting::named("api")).compact_jws(jwt).build().unwrap());
    let token = issuer.token().sign();
    let [first, second] = [(); 2].map(|()| admission.verify(&token).ready().unwrap().unwrap());
    assert!(std::ptr::eq(first.claims_json(), second.claims_json()), "it is remembered");
    issuers.remove(issuer.name());
    assert_eq!(bearer(&admission, &token).unwrap_err(), Code::IssuerNotTrusted);
    assert_eq!(bearer(&admission, "acme_1").unwrap(), "api");
}

#[test]
fn a_proof_is_checked_by_the_branch_that_verified_the_credential() {
    let owing = |name| Counting(Arc::new(Counts { name, owes_proof: true, ..Counts::default() }));
    let [one, other] = ["one", "other"].map(owing);
    let dispatch = Dispatch::builder().prefix("a", one.clone()).prefix("b", other.clone()).build().unwrap();
    let admission = Admission::new(dispatch);
    for round in 1..=3 {
        assert!(bearer(&admission, "a1").is_ok() && bearer(&admission, "b1").is_ok());
        assert_eq!([&one, &other].map(|part| part.0.proved.load(Ordering::SeqCst)), [round, round]);
    }
    assert_eq!([one.asked(), other.asked()], [1, 1], "the credentials are remembered, their proofs are not");
}

#[test]
fn a_dispatch_answers_with_the_answers_of_its_branches() {
    let issuer = MockIssuer::new();
    let jwt = |trusted| JwtAuthenticator::new(trusted).unwrap();
    let long = jwt(issuer.trusted()).max_token_bytes(64 * 1024).unwrap();
    let nameless = jwt(issuer.trusted().without_client_claim());
    let both = Dispatch::builder().compact_jws(nameless.clone()).prefix("long.", long).build().unwrap();
    assert_eq!(both.max_len(), 64 * 1024);
    let names_client = |dispatch: &Dispatch| {
        let conventions = dispatch.conventions(issuer.name()).unwrap();
        let facts = Facts::assertion(r#"{"client_id":"app"}"#, conventions).unwrap();
        facts.client_id().is_some()
    };
    assert!(names_client(&both));
    assert!(!names_client(&Dispatch::builder().compact_jws(nameless).build().unwrap()));
    assert!(both.conventions("https://other.test").is_none());
}
