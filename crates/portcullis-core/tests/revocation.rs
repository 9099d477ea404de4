//! Tests that revoked tokens are refused on every level, cached or not, and that near-identical other tokens are admitted.

use std::time::Duration;

use portcullis_core::{
    Admission, Code, JwtAuthenticator, UnixTime,
    error::AuthErrorKind,
    revocation::{Level, LongLived, Revocation, Verdict, ViewWriter, WhenStale},
};
use portcullis_test::{FixedClock, MockIssuer};

const T: UnixTime = FixedClock::DEFAULT;
const HORIZON: Duration = Duration::from_secs(86_400);

struct Scene {
    clock: FixedClock,
    issuer: MockIssuer,
    writer: ViewWriter,
    admission: Admission,
}

fn scene() -> Scene {
    scene_with(|builder| builder)
}

fn scene_with(
    settings: impl FnOnce(portcullis_core::revocation::ViewWriterBuilder) -> portcullis_core::revocation::ViewWriterBuilder,
) -> Scene {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let writer = settings(ViewWriter::builder(HORIZON).clock(clock.clone())).build();
    writer.confirm(writer.ask());
    let admission = issuer.admission().revocations(&writer);
    Scene { clock, issuer, writer, admission }
}

impl Scene {
    fn outcome(&self, token: &str) -> Result<(), Code> {
        outcome(&self.admission, token)
    }

    fn revoke(&self, revocation: &Revocation) {
        self.writer.merge(&[self.writer.entry(revocation)]);
    }

    /// Lets time pass, and confirms the view, as with a log that has nothing new.
    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.writer.confirm(self.writer.ask());
    }
}

fn outcome(admission: &Admission, token: &str) -> Result<(), Code> {
    let outcome = admission.verify(token).ready();
    outcome.unwrap_or_else(|| Err(Code::KeysUnavailable.into())).map(drop).map_err(|error| error.code())
}

const REVOKED: Result<(), Code> = Err(Code::TokenRevoked);

#[test]
fn each_level_revokes_only_what_it_names_cached_or_not() {
    let probe = scene();
    let (i, kid) = (probe.issuer.name().to_owned(), probe.issuer.key_id());
    let base = |scene: &Scene| {
        scene
            .issuer
            .token()
            .subject("alice")
            .token_id("t-1")
            .claim("sid", "s-1")
            .claim("client_id", "c-1")
            .claim("ver", 4)
    };
    let other_key = "another";
    let cases = [
        (Level::Token, Revocation::token(&i, "t-1", T.plus(HORIZON)), Revocation::token(&i, "t-2", T.plus(HORIZON))),
        (Level::Session, Revocation::session(&i, "s-1"), Revocation::session(&i, "s-2")),
        (Level::Subject, Revocation::subject(&i, "alice", T), Revocation::subject(&i, "bob", T)),
        (Level::Version, Revocation::version(&i, "alice", 5), Revocation::version(&i, "alice", 4)),
        (Level::Client, Revocation::client(&i, "c-1", T), Revocation::client(&i, "c-2", T)),
        (Level::Key, Revocation::key(&i, &kid), Revocation::key(&i, other_key)),
        (Level::Issuer, Revocation::issuer(&i, T), Revocation::issuer(&i, T.minus(Duration::from_secs(1)))),
    ];
    assert_eq!(cases.iter().map(|case| case.0).collect::<Vec<_>>(), Level::ALL);
    for (level, revocation, of_another) in cases {
        for is_warm in [true, false] {
            let scene = Scene { issuer: probe.issuer.clone(), ..scene() };
            let admission = scene.issuer.admission().revocations(&scene.writer);
            let token = base(&scene).sign();
            if is_warm {
                assert_eq!(outcome(&admission, &token), Ok(()), "{level}");
            }
            scene.revoke(&of_another);
            assert_eq!(outcome(&admission, &token), Ok(()), "{level}: another one's");
            scene.revoke(&revocation);
            assert_eq!(outcome(&admission, &token), REVOKED, "{level}");
            let error = admission.verify(&token).ready().unwrap().unwrap_err();
            assert_eq!((error.kind(), error.explanation()), (AuthErrorKind::InvalidToken, Some(level.as_str())));
        }
    }
}

#[test]
fn a_revocation_by_one_issuer_revokes_no_token_of_another() {
    let clock = FixedClock::default();
    let (a, b) = (
        MockIssuer::new().named("https://a.test").clock(clock.clone()),
        MockIssuer::new().named("https://b.test").clock(clock.clone()),
    );
    let writer = ViewWriter::builder(HORIZON).clock(clock.clone()).build();
    writer.confirm(writer.ask());
    let admission = Admission::new(JwtAuthenticator::trusting([a.trusted(), b.trusted()]).unwrap())
        .clock(clock)
        .revocations(&writer);
    let token = |issuer: &MockIssuer| {
        issuer.token().subject("alice").token_id("1").claim("sid", "1").claim("client_id", "1").claim("ver", 1).sign()
    };
    let (of_a, of_b) = (token(&a), token(&b));
    for revocation in [
        Revocation::token(a.name(), "1", T.plus(HORIZON)),
        Revocation::session(a.name(), "1"),
        Revocation::subject(a.name(), "alice", T),
        Revocation::version(a.name(), "alice", 9),
        Revocation::client(a.name(), "1", T),
        Revocation::key(a.name(), &b.key_id()),
        Revocation::issuer(a.name(), T),
    ] {
        writer.merge(&[writer.entry(&revocation)]);
        assert_eq!(outcome(&admission, &of_a), REVOKED);
        assert_eq!(outcome(&admission, &of_b), Ok(()));
    }
}

#[test]
fn a_token_issued_in_the_second_of_the_cut_off_is_revoked_and_one_issued_later_is_not() {
    let scene = scene();
    let issued = |at: UnixTime| scene.issuer.token().subject("alice").issued_at(at).sign();
    scene.revoke(&Revocation::subject(scene.issuer.name(), "alice", T));
    assert_eq!(scene.outcome(&issued(T)), REVOKED);
    assert_eq!(scene.outcome(&issued(T.minus(Duration::from_secs(100)))), REVOKED);
    assert_eq!(scene.outcome(&issued(T.plus(Duration::from_secs(1)))), Ok(()));
}

#[test]
fn a_token_without_a_claim_that_a_revocation_reads_fails_closed() {
    let scene = scene_with(portcullis_core::revocation::ViewWriterBuilder::danger_accept_without_issued_at);
    let i = scene.issuer.name();
    let token = || scene.issuer.token().subject("alice").claim("client_id", "c");
    let without_iat = token().without("iat").sign();
    let without_ver = token().sign();
    let odd_ver = token().claim("ver", "7").sign();
    let bob = scene.issuer.token().subject("bob").without("iat").sign();
    for token in [&without_iat, &without_ver, &odd_ver, &bob] {
        assert_eq!(scene.outcome(token), Ok(()));
    }
    scene.revoke(&Revocation::subject(i, "alice", T.minus(Duration::from_secs(3600))));
    assert_eq!(scene.outcome(&without_iat), REVOKED);
    assert_eq!(scene.outcome(&without_ver), Ok(()), "its `iat` is later");
    scene.revoke(&Revocation::version(i, "alice", 1));
    assert_eq!(scene.outcome(&without_ver), REVOKED);
    assert_eq!(scene.outcome(&odd_ver), REVOKED);
    assert_eq!(scene.outcome(&token().claim("ver", 1).sign()), Ok(()));
    assert_eq!(scene.outcome(&bob), Ok(()));
    scene.revoke(&Revocation::issuer(i, UnixTime::EPOCH));
    assert_eq!(scene.outcome(&bob), REVOKED);
}

#[test]
fn a_long_id_is_revoked_as_well() {
    let scene = scene();
    let long = "s".repeat(3000);
    let token = |sid: &str| scene.issuer.token().claim("sid", sid).sign();
    scene.revoke(&Revocation::session(scene.issuer.name(), &long));
    assert_eq!(scene.outcome(&token(&long)), REVOKED);
    assert_eq!(scene.outcome(&token(&long[1..])), Ok(()));
}

#[test]
fn a_token_that_outlives_the_horizon_is_refused() {
    let scene = scene();
    let living = |life: Duration| scene.issuer.token().issued_at(T).expires_at(T.plus(life)).sign();
    let second = Duration::from_secs(1);
    assert_eq!(scene.outcome(&living(HORIZON)), Ok(()));
    assert_eq!(scene.outcome(&living(HORIZON + second)), Err(Code::TokenLifetimeTooLong));
    // It is refused even on its last day, because its revocation may have been forgotten long ago.
    let old = scene.issuer.token().issued_at(T.minus(HORIZON * 30)).expires_at(T.plus(second * 60)).sign();
    assert_eq!(scene.outcome(&old), Err(Code::TokenLifetimeTooLong));
    let ageless = scene.issuer.token().without("iat").sign();
    assert_eq!(scene.outcome(&ageless), Err(Code::ClaimMissing));
}

#[test]
fn a_long_lived_token_can_be_admitted_until_a_horizon_after_it_was_issued() {
    let scene = scene_with(|builder| builder.long_lived(LongLived::EndAtHorizon));
    let token = scene.issuer.token().issued_at(T).expires_at(T.plus(HORIZON * 365)).sign();
    let cold = scene.issuer.admission().revocations(&scene.writer).without_cache();
    assert_eq!(scene.outcome(&token), Ok(()));
    scene.pass(HORIZON.as_secs() - 1);
    assert_eq!((scene.outcome(&token), outcome(&cold, &token)), (Ok(()), Ok(())));
    scene.pass(1);
    let too_long = Err(Code::TokenLifetimeTooLong);
    assert_eq!((scene.outcome(&token), outcome(&cold, &token)), (too_long, too_long), "warm and cold alike");
}

#[test]
fn a_token_without_issued_at_is_admitted_only_if_it_expires_within_the_horizon() {
    let scene = scene_with(portcullis_core::revocation::ViewWriterBuilder::danger_accept_without_issued_at);
    let ending = |life: Duration| scene.issuer.token().without("iat").expires_at(T.plus(life)).sign();
    assert_eq!(scene.outcome(&ending(HORIZON)), Ok(()));
    assert_eq!(scene.outcome(&ending(HORIZON * 2)), Err(Code::TokenLifetimeTooLong));
}

#[test]
fn a_view_that_the_log_never_confirmed_admits_no_token() {
    let scene = scene();
    let writer = ViewWriter::builder(HORIZON).clock(scene.clock.clone()).build();
    let admission = scene.issuer.admission().revocations(&writer);
    let token = scene.issuer.token().sign();
    let error = admission.verify(&token).ready().unwrap().unwrap_err();
    assert_eq!((error.code(), error.kind()), (Code::RevocationsStale, AuthErrorKind::Unavailable));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    let bounded = admission.clone().when_stale(WhenStale::Bounded(HORIZON));
    assert_eq!(outcome(&bounded, &token), Err(Code::RevocationsStale), "no bound holds for what never was");
    assert_eq!(outcome(&admission.clone().when_stale(WhenStale::DangerFailOpen), &token), Ok(()));
    writer.confirm(writer.ask());
    assert_eq!(outcome(&admission, &token), Ok(()));
}

#[test]
fn each_route_configures_stale_views_and_a_revoked_token_stays_revoked() {
    let scene = scene();
    let closed = &scene.admission;
    let bounded = closed.clone().when_stale(WhenStale::Bounded(Duration::from_secs(60)));
    let open = closed.clone().when_stale(WhenStale::DangerFailOpen);
    let token = scene.issuer.token().sign();
    let revoked = scene.issuer.token().claim("sid", "s").sign();
    scene.revoke(&Revocation::session(scene.issuer.name(), "s"));
    let stale = Err(Code::RevocationsStale);
    for (seconds, expected) in [
        (4, [Ok(()), Ok(()), Ok(())]),
        (1, [stale, Ok(()), Ok(())]),
        (55, [stale, Ok(()), Ok(())]),
        (1, [stale, stale, Ok(())]),
    ] {
        scene.clock.advance(Duration::from_secs(seconds));
        // Twice, to test the cache as well.
        for _ in 0..2 {
            assert_eq!([closed, &bounded, &open].map(|route| outcome(route, &token)), expected, "{seconds}");
            assert_eq!([closed, &bounded, &open].map(|route| outcome(route, &revoked)), [REVOKED; 3]);
        }
    }
    assert!(scene.writer.view().served_stale() > 0);
    scene.writer.confirm(scene.writer.ask());
    assert_eq!([closed, &bounded, &open].map(|route| outcome(route, &token)), [Ok(()); 3]);
}

#[test]
fn a_forged_token_is_refused_as_forged_even_if_the_view_is_stale() {
    let scene = scene();
    scene.clock.advance(Duration::from_secs(10));
    let forged = MockIssuer::new().clock(scene.clock.clone()).token().sign();
    assert_eq!(scene.outcome(&forged), Err(Code::SignatureInvalid));
}

#[test]
fn a_revocation_of_other_tokens_does_not_affect_cached_tokens() {
    let scene = scene();
    let token = scene.issuer.token().claim("sid", "mine").sign();
    for at in 0..100 {
        assert_eq!(scene.outcome(&token), Ok(()));
        scene.revoke(&Revocation::session(scene.issuer.name(), &format!("{at}")));
    }
    scene.revoke(&Revocation::session(scene.issuer.name(), "mine"));
    assert_eq!(scene.outcome(&token), REVOKED);
}

#[test]
fn a_view_returns_its_verdict_about_a_token() {
    let scene = scene();
    let verified = scene.admission.verify(&scene.issuer.token().subject("alice").sign()).ready().unwrap().unwrap();
    assert_eq!(scene.writer.view().check(&verified, T), Verdict::Live);
    scene.clock.advance(Duration::from_secs(7));
    assert_eq!(
        scene.writer.view().check(&verified, T.plus(Duration::from_secs(7))),
        Verdict::Stale(Some(Duration::from_secs(7)))
    );
    scene.revoke(&Revocation::subject(scene.issuer.name(), "alice", T));
    assert_eq!(scene.writer.view().check(&verified, T), Verdict::Revoked(Level::Subject));
}

#[test]
fn debug_of_entries_and_views_shows_no_person() {
    let scene = scene();
    let revocation = Revocation::subject(scene.issuer.name(), "alice@example.com", T);
    scene.revoke(&revocation);
    for shown in [
        format!("{revocation:?}"),
        format!("{:?}", scene.writer.entry(&revocation)),
        format!("{:?}", scene.writer),
        format!("{:?}", scene.admission),
    ] {
        assert!(!shown.contains("alice"), "{shown}");
    }
}

#[test]
fn the_current_version_is_the_lowest_valid_one() {
    let scene = scene();
    let i = scene.issuer.name();
    let token = |version: u64| scene.issuer.token().subject("alice").claim("ver", version).sign();
    assert_eq!(scene.writer.view().current_version(i, "alice"), None);
    for version in [3, 7, 5] {
        scene.revoke(&Revocation::version(i, "alice", version));
    }
    let current = scene.writer.view().current_version(i, "alice").unwrap();
    assert_eq!(current, 7);
    assert_eq!((scene.outcome(&token(current - 1)), scene.outcome(&token(current))), (REVOKED, Ok(())));
    assert_eq!(scene.writer.view().current_version(i, "bob"), None);
    assert_eq!(scene.writer.view().current_version("https://another.test", "alice"), None);
}
