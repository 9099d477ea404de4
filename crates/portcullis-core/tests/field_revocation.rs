//! Tests the view's part of the rows T5, T10, T12 and T21, and cached tokens after changes of the view.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{
    Admission, Code, UnixTime,
    policy::Leeway,
    revocation::{Level, Revocation, RevocationEntry, UnreadableEntry, ViewState, ViewWriter, WhenStale},
};
use portcullis_test::{FixedClock, MockIssuer};

const T: UnixTime = FixedClock::DEFAULT;
const HORIZON: Duration = Duration::from_secs(86_400);

fn code(admission: &Admission, token: &str) -> Result<(), Code> {
    admission.verify(token).ready().unwrap().map(drop).map_err(|error| error.code())
}

fn writer(clock: &FixedClock) -> ViewWriter {
    let writer = ViewWriter::builder(HORIZON).clock(clock.clone()).build();
    writer.confirm(writer.ask());
    writer
}

/// Returns a revocation that revokes the token, or one whose id of this level differs.
fn on(level: Level, issuer: &MockIssuer, hits: bool) -> Revocation {
    let id = |own: &str| if hits { own.to_owned() } else { format!("not-{own}") };
    match level {
        Level::Token => Revocation::token(issuer.name(), &id("t"), T.plus(HORIZON)),
        Level::Session => Revocation::session(issuer.name(), &id("s")),
        Level::Subject => Revocation::subject(issuer.name(), &id("alice"), T),
        Level::Version => Revocation::version(issuer.name(), &id("alice"), 9),
        Level::Client => Revocation::client(issuer.name(), &id("app"), T),
        Level::Key => Revocation::key(issuer.name(), &id(&issuer.key_id())),
        _ => Revocation::issuer(&id(issuer.name()), T),
    }
}

/// A cached token is compared only with the levels that have changed since it was checked, so all orders of changes are tested.
#[test]
fn a_cached_token_is_refused_after_any_two_changes_of_which_one_revokes_it() {
    for first in Level::ALL {
        for second in Level::ALL {
            for asks_between in [false, true] {
                let clock = FixedClock::default();
                let issuer = MockIssuer::new().clock(clock.clone());
                let writer = writer(&clock);
                let admission = issuer.admission().revocations(&writer);
                let token = issuer
                    .token()
                    .subject("alice")
                    .token_id("t")
                    .claim("sid", "s")
                    .claim("client_id", "app")
                    .claim("ver", 3);
                let token = token.sign();
                assert_eq!(code(&admission, &token), Ok(()));
                let revoke = |level, hits| writer.merge([&writer.entry(&on(level, &issuer, hits))]);
                assert_eq!(revoke(first, false), 1);
                if asks_between {
                    assert_eq!(code(&admission, &token), Ok(()), "{first} of another");
                }
                assert_eq!(revoke(second, true), 1);
                assert_eq!(revoke(first, false), 0, "the same again");
                assert_eq!(code(&admission, &token), Err(Code::TokenRevoked), "{first}, then {second}");
                assert_eq!(code(&admission, &token), Err(Code::TokenRevoked), "and so it stays");
            }
        }
    }
}

#[test]
fn all_levels_of_one_merge_reach_a_cached_token() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    for level in Level::ALL {
        let writer = writer(&clock);
        let admission = issuer.admission().revocations(&writer);
        let token = issuer
            .token()
            .subject("alice")
            .token_id("t")
            .claim("sid", "s")
            .claim("client_id", "app")
            .claim("ver", 3)
            .sign();
        assert_eq!(code(&admission, &token), Ok(()));
        let others = Level::ALL.map(|other| writer.entry(&on(other, &issuer, other == level)));
        assert_eq!(writer.merge(&others), 7);
        assert_eq!(code(&admission, &token), Err(Code::TokenRevoked), "{level}");
    }
}

/// The issuer's clock is 8 s ahead, which is within the leeway, so its latest tokens have times up to 8 s in the future.
#[test]
fn row_t5_a_cut_off_of_now_covers_the_leeway() {
    let clock = FixedClock::default();
    let ahead = FixedClock::at(T.plus(Duration::from_secs(8)));
    let issuer = MockIssuer::new().clock(ahead);
    for level in [Level::Subject, Level::Client, Level::Issuer] {
        let writer = writer(&clock);
        let admission = issuer.admission().clock(clock.clone()).revocations(&writer);
        let token = |seconds| {
            let token = issuer.token().subject("alice").claim("client_id", "app");
            token.claim("iat", T.as_secs() + seconds).expires_at(T.plus(HORIZON / 2)).sign()
        };
        assert_eq!(code(&admission, &token(8)), Ok(()), "within the leeway");
        let cut_off = Revocation::cut_off_at(T, Leeway::default());
        let revocation = match level {
            Level::Subject => Revocation::subject(issuer.name(), "alice", cut_off),
            Level::Client => Revocation::client(issuer.name(), "app", cut_off),
            _ => Revocation::issuer(issuer.name(), cut_off),
        };
        writer.merge([&writer.entry(&revocation)]);
        assert_eq!(code(&admission, &token(8)), Err(Code::TokenRevoked), "{level}");
        assert_eq!(
            code(&admission, &token(30)),
            Err(Code::TokenRevoked),
            "{level}: a log-in within the leeway is to be repeated"
        );
        clock.advance(Duration::from_secs(1));
        writer.confirm(writer.ask());
        assert_eq!(code(&admission, &token(31)), Ok(()), "{level}: the next one is good");
        clock.set(T);
    }
}

#[test]
fn row_t10_a_view_that_has_ended_is_served_while_it_is_fresh_and_no_longer() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let end = |writer: ViewWriter| {
        writer.end();
        Some(writer)
    };
    let drop = |writer: ViewWriter| {
        drop(writer);
        None
    };
    for end in [&end as &dyn Fn(ViewWriter) -> Option<ViewWriter>, &drop] {
        let writer = writer(&clock);
        let view = writer.view().clone();
        let open = issuer.admission().revocations(&view).when_stale(WhenStale::DangerFailOpen);
        let token = issuer.token().sign();
        clock.advance(Duration::from_secs(60));
        assert_eq!((code(&open, &token), view.is_followed()), (Ok(()), true));
        writer.confirm(writer.ask());
        let _writer = end(writer);
        assert_eq!((code(&open, &token), view.is_followed()), (Ok(()), false), "as of a moment ago");
        clock.advance(Duration::from_secs(6));
        assert_eq!(code(&open, &token), Err(Code::RevocationsStale));
        assert_eq!(
            code(&open, &issuer.token().claim("sid", "s").sign()),
            Err(Code::RevocationsStale),
            "at first sight as well"
        );
    }
}

#[test]
fn row_t12_spans_without_end_saturate() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    for (horizon, max_staleness) in [(HORIZON, Duration::MAX), (Duration::MAX, Duration::MAX), (Duration::MAX, HORIZON)]
    {
        let writer = ViewWriter::builder(horizon).max_staleness(max_staleness).clock(clock.clone()).build();
        assert_eq!(writer.view().state(), ViewState::Syncing);
        writer.confirm(writer.ask());
        let admission = issuer.admission().revocations(&writer).when_stale(WhenStale::Bounded(Duration::MAX));
        let token = issuer.token().claim("sid", "s").sign();
        assert_eq!((code(&admission, &token), writer.view().state()), (Ok(()), ViewState::Fresh));
        assert_eq!(writer.view().last_confirmed(), Some(Duration::ZERO));
        writer.merge([
            &writer.entry(&Revocation::session(issuer.name(), "s")),
            &writer.entry(&Revocation::key(issuer.name(), "k")),
        ]);
        assert_eq!(code(&admission, &token), Err(Code::TokenRevoked));
        writer.forget_some();
        assert_eq!((writer.view().entries(), writer.keys_to_renew().len()), (2, 0), "{horizon:?}");
    }
}

#[test]
fn row_t21_an_entry_of_a_later_version_says_until_when_if_it_can() {
    let of = |text: &str| RevocationEntry::from_json(text).unwrap_err();
    let read = |error: UnreadableEntry| (error.is_of_later_version(), error.until().map(UnixTime::as_secs));
    assert_eq!(read(of(r#"{"v":2,"until":1800000100,"level":"universe"}"#)), (true, Some(1_800_000_100)));
    assert_eq!(read(of(r#"{"v":2}"#)), (true, None));
    assert_eq!(read(of(r#"{"v":99999999999,"until":"soon"}"#)), (true, None));
    assert_eq!(read(of(r#"{"v":1,"until":1800000100,"level":"universe"}"#)), (false, None));
    assert_eq!(read(of("hello")), (false, None));
}

/// Tests the number in the specification.
#[test]
fn a_view_is_stale_after_five_seconds_without_a_confirmation() {
    let clock = FixedClock::default();
    let writer = writer(&clock);
    clock.advance(Duration::from_secs(4));
    assert_eq!(writer.view().state(), ViewState::Fresh);
    clock.advance(Duration::from_secs(1));
    assert_eq!(writer.view().state(), ViewState::Stale { age: Duration::from_secs(5) });
}
