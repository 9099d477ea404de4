//! Tests the life of a session, against a store in memory. Numbers are those of the pitfalls in the design.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::time::Duration;

use portcullis_core::{UnixTime, revocation::Level};
use portcullis_issuer::refresh::{
    EndReason, LateRetry, LogIn, NotAccepted, RefreshCause, RefreshError, RefreshKeys, RefreshPolicy, Rotation,
    SessionEvent, Unavailable,
};
use support::{House, T, claims, minutes, secs};

const DAY: Duration = Duration::from_secs(86_400);

fn policy() -> RefreshPolicy {
    RefreshPolicy::new()
}

fn reason(error: RefreshError) -> NotAccepted {
    match error {
        RefreshError::InvalidGrant(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_is_replaced_when_it_is_used() {
    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    assert_ne!(second.refresh_token(), first.refresh_token());
    assert_eq!(claims(&second)["sid"], claims(&first)["sid"]);
    assert_ne!(claims(&second)["jti"], claims(&first)["jti"]);
    assert_eq!(second.session().generation, 1);
    house.clock.advance(secs(61));
    let third = house.refresh(&second).await.unwrap();
    assert_eq!(third.session().generation, 2);
    assert_eq!(house.causes(), [RefreshCause::Rotated, RefreshCause::Rotated]);
}

#[tokio::test]
async fn an_answer_that_got_lost_comes_again_byte_for_byte_within_the_grace() {
    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    house.clock.advance(secs(59));
    let again = house.refresh(&first).await.unwrap();
    assert_eq!(again.refresh_token(), second.refresh_token());
    assert_ne!(again.access().token(), second.access().token(), "an access token is never replayed");
    house.clock.advance(secs(1));
    assert_eq!(reason(house.refresh(&first).await.unwrap_err()), NotAccepted::Reuse);
    assert_eq!(reason(house.refresh(&second).await.unwrap_err()), NotAccepted::Ended(EndReason::Reuse));
}

#[tokio::test]
async fn the_grace_is_at_most_five_minutes() {
    let house = House::new();
    let patient = policy().grace(DAY);
    let first = house.log_in().await;
    let second = house.refresh_by(&first, &patient).await.unwrap();
    house.clock.advance(secs(299));
    assert_eq!(house.refresh_by(&first, &patient).await.unwrap().refresh_token(), second.refresh_token());
    house.clock.advance(secs(1));
    assert_eq!(reason(house.refresh_by(&first, &patient).await.unwrap_err()), NotAccepted::Reuse);
}

#[tokio::test]
async fn a_strict_client_has_no_grace() {
    let house = House::new();
    let strict = policy().grace(Duration::ZERO);
    let first = house.log_in().await;
    let second = house.refresh_by(&first, &strict).await.unwrap();
    let third = house.refresh_by(&second, &strict).await.unwrap();
    assert_eq!(third.session().generation, 2, "the current token is replaced at once");
    let reused = house.refresh_by(&second, &strict).await.unwrap_err();
    assert_eq!(reason(reused), NotAccepted::Reuse);
}

/// At most one rotation in a grace, so that a late retry of the one before is never taken for theft.
#[tokio::test]
async fn several_rotations_within_a_grace_log_no_user_out() {
    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    house.clock.advance(secs(10));
    let early = house.refresh(&second).await.unwrap();
    assert_eq!(early.refresh_token(), second.refresh_token(), "it is not replaced yet");
    let late = house.refresh(&first).await.unwrap();
    assert_eq!(late.refresh_token(), second.refresh_token());
    assert_eq!(house.causes(), [RefreshCause::Rotated, RefreshCause::Early, RefreshCause::Retry]);
    house.clock.advance(secs(50));
    assert_eq!(house.refresh(&second).await.unwrap().session().generation, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_1_a_thousand_refreshes_at_once_rotate_once() {
    for grace in [Duration::ZERO, minutes(1)] {
        let house = House::new();
        let policy = policy().grace(grace);
        let first = house.log_in().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..1_000 {
            let (sessions, token) = (house.sessions.clone(), first.refresh_token().to_owned());
            tasks.spawn(async move { sessions.refresh(&token, "web", &policy).await });
        }
        let answers = tasks.join_all().await;
        let good: std::collections::HashSet<_> =
            answers.iter().flatten().map(|tokens| tokens.refresh_token().to_owned()).collect();
        assert_eq!(good.len(), 1, "one live successor");
        let rotated = house.causes().iter().filter(|cause| **cause == RefreshCause::Rotated).count();
        assert_eq!(rotated, 1);
        assert_eq!(answers.iter().all(Result::is_ok), grace > Duration::ZERO);
    }
}

#[tokio::test]
async fn eight_tabs_never_log_a_user_out() {
    let house = House::new();
    let mut tokens = house.log_in().await;
    for round in 0..200 {
        let mut answers = Vec::new();
        for _ in 0..8 {
            answers.push(house.refresh(&tokens).await.unwrap());
        }
        assert!(answers.iter().all(|answer| answer.refresh_token() == answers[0].refresh_token()));
        assert_eq!(answers[0].session().generation, round + 1);
        tokens = answers.remove(0);
        house.clock.advance(secs(61));
    }
}

#[tokio::test]
async fn pitfall_3_a_store_that_lost_writes_goes_on_and_counts_them() {
    for lost in [1, 2, 10] {
        let house = House::new();
        let mut tokens = vec![house.log_in().await];
        let mut dumps = vec![house.store.dump()];
        for _ in 0..10 {
            house.clock.advance(minutes(2));
            tokens.push(house.refresh(&tokens[tokens.len() - 1]).await.unwrap());
            dumps.push(house.store.dump());
        }
        house.clock.advance(minutes(2));
        house.store.restore(dumps[10 - lost].clone());
        let after = house.refresh(&tokens[10]).await.unwrap();
        assert_eq!(after.session().generation, 11);
        let counted: Vec<_> = house.events(|event| match event {
            SessionEvent::LostWrites { rotations, .. } => Some(*rotations),
            _ => None,
        });
        assert_eq!(counted, [lost as u64]);
        house.clock.advance(minutes(2));
        assert_eq!(
            reason(house.refresh(&tokens[9]).await.unwrap_err()),
            NotAccepted::Reuse,
            "an older token is one that was replaced"
        );
    }
}

#[tokio::test]
async fn pitfall_4_a_clock_that_is_set_makes_no_age_negative_and_strict_stays_strict() {
    let house = House::new();
    let strict = policy().grace(Duration::ZERO);
    let first = house.log_in().await;
    let second = house.refresh_by(&first, &strict).await.unwrap();
    house.clock.set(T.minus(minutes(60)));
    let reused = house.refresh_by(&first, &strict).await.unwrap_err();
    assert_eq!(reason(reused), NotAccepted::Reuse);
    let _ = second;

    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    house.clock.set(T.minus(minutes(60)));
    assert_eq!(house.refresh(&first).await.unwrap().refresh_token(), second.refresh_token());
    house.clock.set(T.plus(minutes(60)));
    assert_eq!(reason(house.refresh(&first).await.unwrap_err()), NotAccepted::Reuse, "the grace is over");
}

#[tokio::test]
async fn pitfall_5_a_key_that_changes_between_a_rotation_and_its_retry_changes_no_successor() {
    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    let other = house.with_keys(RefreshKeys::new(2, [2; 32]).unwrap().also_reads(1, [1; 32]).unwrap());
    let again = other.refresh(first.refresh_token(), "web", &policy()).await.unwrap();
    assert_eq!(again.refresh_token(), second.refresh_token());
    house.clock.advance(minutes(2));
    let third = other.refresh(second.refresh_token(), "web", &policy()).await.unwrap();
    assert_eq!(third.session().key_id, 2, "the next one is written with the new key");
    let without = house.with_keys(RefreshKeys::new(2, [2; 32]).unwrap());
    assert_eq!(
        reason(without.refresh(second.refresh_token(), "web", &policy()).await.unwrap_err()),
        NotAccepted::NotOurs
    );
    assert!(without.refresh(third.refresh_token(), "web", &policy()).await.is_ok());
}

/// A key is changed in two deployments, during each of which both kinds of instances run.
#[tokio::test]
async fn a_key_of_refresh_tokens_is_changed_while_instances_run() {
    let house = House::new();
    let (old, new) = (|| RefreshKeys::new(1, [1; 32]).unwrap(), || RefreshKeys::new(2, [2; 32]).unwrap());
    let fleets = [
        (old(), old().also_reads(2, [2; 32]).unwrap()),
        (old().also_reads(2, [2; 32]).unwrap(), new().also_reads(1, [1; 32]).unwrap()),
    ];
    let strict = policy().grace(Duration::ZERO);
    let mut tokens = house.log_in().await;
    for (before, after) in fleets {
        for keys in [&after, &before, &after] {
            tokens = house.with_keys(keys.clone()).refresh(tokens.refresh_token(), "web", &strict).await.unwrap();
        }
    }
    assert_eq!(tokens.session().key_id, 2);
    let outdated = house.with_keys(old()).refresh(tokens.refresh_token(), "web", &strict).await.unwrap_err();
    assert_eq!(reason(outdated), NotAccepted::NotOurs, "in one deployment, its users would be logged out");
    assert!(house.with_keys(new()).refresh(tokens.refresh_token(), "web", &strict).await.is_ok());
}

#[tokio::test]
async fn pitfall_7_a_session_that_was_ended_long_ago_stays_ended_without_the_log() {
    let house = House::new();
    let tokens = house.log_in().await;
    house.sessions.raise_version("alice", 2).await.unwrap();
    house.forget_revocations();
    house.clock.advance(DAY * 6);
    assert_eq!(reason(house.refresh(&tokens).await.unwrap_err()), NotAccepted::Ended(EndReason::LoggedOutEverywhere));
}

#[tokio::test]
async fn pitfall_8_junk_and_changed_tokens_reach_no_store() {
    let house = House::new();
    let tokens = house.log_in().await;
    let asked = house.store_calls();
    let good = tokens.refresh_token();
    for at in 0..good.len() {
        for other in ['A', 'b', '_', '!', 'é'] {
            let changed: String = good.chars().enumerate().map(|(n, c)| if n == at { other } else { c }).collect();
            if changed != good {
                assert_eq!(
                    reason(house.sessions.refresh(&changed, "web", &policy()).await.unwrap_err()),
                    NotAccepted::NotOurs
                );
            }
        }
    }
    for junk in ["", "prt_", "a.b.c", "prt_AAAA", &"prt_".repeat(10_000)] {
        assert_eq!(reason(house.sessions.refresh(junk, "web", &policy()).await.unwrap_err()), NotAccepted::NotOurs);
    }
    assert_eq!(house.store_calls(), asked);
    assert!(house.refresh(&tokens).await.is_ok());
}

#[tokio::test]
async fn pitfall_9_a_wrong_share_is_an_alarm_and_ends_nothing() {
    let house = House::new();
    let tokens = house.log_in().await;
    let before = house.store.dump();
    // With the key alone, an attacker can write a token of the family, but does not know its share.
    let mut other_share = before.clone();
    let elsewhere = House::new();
    let other = elsewhere.log_in().await;
    other_share[0].share = elsewhere.store.dump()[0].share;
    let _ = other;
    house.store.restore(other_share.clone());
    assert_eq!(reason(house.refresh(&tokens).await.unwrap_err()), NotAccepted::Forged);
    assert_eq!(house.store.dump(), other_share, "nothing was written");
    let alarms = house.events(|event| matches!(event, SessionEvent::KeyLeaked { .. }).then_some(()));
    assert_eq!(alarms.len(), 1);
    house.store.restore(before);
    assert!(house.refresh(&tokens).await.is_ok(), "the family is alive");
}

#[tokio::test]
async fn pitfall_15_a_refresh_does_not_change_the_end_of_a_session() {
    let house = House::new();
    let mut tokens = house.log_in().await;
    for _ in 0..29 {
        house.clock.advance(DAY);
        tokens = house.refresh(&tokens).await.unwrap();
    }
    house.clock.advance(minutes(23 * 60));
    tokens = house.refresh(&tokens).await.unwrap();
    house.clock.advance(minutes(59));
    assert!(house.refresh(&tokens).await.is_ok());
    house.clock.advance(minutes(1));
    assert_eq!(reason(house.refresh(&tokens).await.unwrap_err()), NotAccepted::Expired);
}

#[tokio::test]
async fn a_session_ends_without_use() {
    let house = House::new();
    let tokens = house.log_in().await;
    house.clock.advance(secs(7 * 86_400 - 1));
    let tokens = house.refresh(&tokens).await.unwrap();
    house.clock.advance(DAY * 7);
    assert_eq!(reason(house.refresh(&tokens).await.unwrap_err()), NotAccepted::Expired);
}

#[tokio::test]
async fn pitfall_16_an_access_token_never_outlives_its_session() {
    let house = House::new();
    let short = policy().idle(minutes(5)).absolute(minutes(5));
    let first = house.sessions.log_in(LogIn::new("alice", "web"), &short).await.unwrap();
    assert_eq!(first.access().expires_at(), T.plus(minutes(5)));
    house.clock.advance(minutes(4));
    let second = house.refresh_by(&first, &short).await.unwrap();
    assert_eq!(second.access().expires_at(), T.plus(minutes(5)));
}

#[tokio::test]
async fn a_reuse_ends_the_access_tokens_first_and_then_the_family() {
    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    house.clock.advance(minutes(2));
    let third = house.refresh(&second).await.unwrap();
    assert!(house.accepts(&third));
    assert_eq!(reason(house.refresh(&first).await.unwrap_err()), NotAccepted::Reuse);
    assert!(!house.accepts(&third) && !house.accepts(&second), "access tokens of the session");
    let reused = house.events(|event| match event {
        SessionEvent::Reused { behind, age, .. } => Some((*behind, *age)),
        _ => None,
    });
    assert_eq!(reused, [(2, Duration::ZERO)]);
    assert_eq!(house.order(), ["revoke session", "end"]);
}

#[tokio::test]
async fn a_family_ends_even_if_the_log_cannot_be_written_and_the_caller_is_told() {
    let house = House::new();
    let first = house.log_in().await;
    house.refresh(&first).await.unwrap();
    house.clock.advance(minutes(2));
    house.fail_log(true);
    let error = house.refresh(&first).await.unwrap_err();
    assert!(matches!(error, RefreshError::Unavailable(Unavailable::Log(_))), "{error:?}");
    assert!(house.refresh(&first).await.is_err(), "and the retry makes up for it");
    house.fail_log(false);
    assert_eq!(reason(house.refresh(&first).await.unwrap_err()), NotAccepted::Ended(EndReason::Reuse));
    assert_eq!(house.order(), ["end", "revoke session"]);
}

#[tokio::test]
async fn a_late_retry_may_leave_the_session_alone() {
    let house = House::new();
    let patient = policy().late_retry(LateRetry::RefuseOnly);
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    house.clock.advance(minutes(2));
    let late = house.refresh_by(&first, &patient).await.unwrap_err();
    assert_eq!(reason(late), NotAccepted::Late);
    let third = house.refresh_by(&second, &patient).await.unwrap();
    house.clock.advance(minutes(2));
    house.refresh_by(&third, &patient).await.unwrap();
    let theft = house.refresh_by(&first, &patient).await.unwrap_err();
    assert_eq!(reason(theft), NotAccepted::Reuse, "an older token is theft for every client");
}

#[tokio::test]
async fn another_client_gets_nothing_and_ends_nothing() {
    let house = House::new();
    let tokens = house.log_in().await;
    let refused = house.sessions.refresh(tokens.refresh_token(), "other", &policy()).await.unwrap_err();
    assert_eq!(reason(refused), NotAccepted::ClientMismatch);
    assert!(house.refresh(&tokens).await.is_ok());
}

#[tokio::test]
async fn a_client_whose_tokens_are_not_replaced_keeps_its_token_and_its_session() {
    let house = House::new();
    let keeps = policy().rotation(Rotation::Never);
    let tokens = house.sessions.log_in(LogIn::new("alice", "web"), &keeps).await.unwrap();
    for _ in 0..20 {
        house.clock.advance(DAY);
        let again = house.refresh_by(&tokens, &keeps).await.unwrap();
        assert_eq!(again.refresh_token(), tokens.refresh_token());
    }
    let writes = house.store.dump();
    house.clock.advance(minutes(30));
    house.refresh_by(&tokens, &keeps).await.unwrap();
    assert_eq!(house.store.dump(), writes, "at most one write in an hour");
}

#[tokio::test]
async fn a_subject_that_may_not_go_on_ends_the_session() {
    let house = House::new();
    let tokens = house.log_in().await;
    house.subjects.set_unavailable(true);
    let error = house.refresh(&tokens).await.unwrap_err();
    assert!(matches!(error, RefreshError::Unavailable(Unavailable::Subjects(_))), "{error:?}");
    house.subjects.set_unavailable(false);
    let second = house.refresh(&tokens).await.unwrap();
    house.subjects.refuse("alice");
    house.clock.advance(minutes(2));
    assert_eq!(reason(house.refresh(&second).await.unwrap_err()), NotAccepted::SubjectRefused);
    assert!(!house.accepts(&second));
    assert_eq!(reason(house.refresh(&second).await.unwrap_err()), NotAccepted::Ended(EndReason::SubjectRefused));
}

#[tokio::test]
async fn an_outage_of_any_length_leaves_the_client_its_token() {
    let house = House::new();
    let tokens = house.log_in().await;
    house.subjects.set_unavailable(true);
    for _ in 0..5 {
        assert!(matches!(house.refresh(&tokens).await.unwrap_err(), RefreshError::Unavailable(_)));
        house.clock.advance(minutes(5));
    }
    house.subjects.set_unavailable(false);
    assert_eq!(house.refresh(&tokens).await.unwrap().session().generation, 1);
}

#[tokio::test]
async fn a_log_in_whose_token_cannot_be_minted_leaves_no_session() {
    let house = House::new();
    house.subjects.set_unavailable(true);
    let error = house.sessions.log_in(LogIn::new("alice", "web"), &policy()).await.unwrap_err();
    assert!(matches!(error, RefreshError::Unavailable(_)), "{error:?}");
    assert!(house.store.dump().is_empty());
    house.subjects.set_unavailable(false);
    house.log_in().await;
    assert_eq!(house.store.dump().len(), 1);
}

#[tokio::test]
async fn a_session_that_was_revoked_in_the_log_stays_ended_when_the_log_has_forgotten() {
    let house = House::new();
    let tokens = house.log_in().await;
    house.revoke(Level::Session, &tokens);
    assert_eq!(reason(house.refresh(&tokens).await.unwrap_err()), NotAccepted::Revoked);
    house.clock.advance(DAY * 2); // the horizon is an hour
    assert_eq!(reason(house.refresh(&tokens).await.unwrap_err()), NotAccepted::Ended(EndReason::Revoked));
}

#[tokio::test]
async fn roles_are_those_of_now_and_scopes_never_more_than_at_the_log_in() {
    let house = House::new();
    let log_in = LogIn::new("alice", "web").scope("orders:read orders:write").version(3);
    let first = house.sessions.log_in(log_in, &policy()).await.unwrap();
    assert_eq!(claims(&first)["scope"], "orders:read orders:write");
    house.subjects.grant(&["orders:read", "admin:all"], "clerk");
    let second = house.refresh(&first).await.unwrap();
    assert_eq!((&claims(&second)["scope"], &claims(&second)["roles"][0]), (&"orders:read".into(), &"clerk".into()));
    assert_eq!(claims(&second)["ver"], 3, "the version is that of the log-in");
}

#[tokio::test]
async fn a_session_that_was_revoked_in_another_way_is_not_refreshed() {
    for level in [Level::Session, Level::Subject, Level::Version, Level::Client] {
        let house = House::new();
        let log_in = LogIn::new("alice", "web").version(3);
        let tokens = house.sessions.log_in(log_in, &policy()).await.unwrap();
        assert!(house.refresh(&tokens).await.is_ok(), "{level:?}");
        house.revoke(level, &tokens);
        assert_eq!(reason(house.refresh(&tokens).await.unwrap_err()), NotAccepted::Revoked, "{level:?}");
    }
    let house = House::new();
    let tokens = house.log_in().await;
    house.clock.advance(secs(30));
    house.make_view_stale();
    let error = house.refresh(&tokens).await.unwrap_err();
    assert!(matches!(error, RefreshError::Unavailable(Unavailable::StaleView)), "{error:?}");
}

#[tokio::test]
async fn log_out_everywhere_ends_every_session_of_one_user_alone() {
    let house = House::new();
    let version = |log_in: LogIn| log_in.version(1);
    let mut alice = Vec::new();
    for label in ["phone", "laptop"] {
        alice.push(house.sessions.log_in(version(LogIn::new("alice", "web")).label(label), &policy()).await.unwrap());
    }
    let bob = house.sessions.log_in(version(LogIn::new("bob", "web")), &policy()).await.unwrap();
    let mut names: Vec<_> = house
        .sessions
        .sessions_of("alice")
        .await
        .unwrap()
        .iter()
        .map(|it| it.log_in.name().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["laptop", "phone"]);
    house.sessions.raise_version("alice", 2).await.unwrap();
    for tokens in &alice {
        assert!(!house.accepts(tokens));
        assert!(house.refresh(tokens).await.is_err());
    }
    assert!(house.sessions.sessions_of("alice").await.unwrap().is_empty());
    assert!(house.accepts(&bob) && house.refresh(&bob).await.is_ok());
    let again = house.sessions.log_in(LogIn::new("alice", "web").version(2), &policy()).await.unwrap();
    assert!(house.accepts(&again), "she logs in again");
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let house = House::new();
    house.log_in().await;
    house.clock.advance(DAY * 8);
    let late = house.log_in().await;
    assert_eq!(house.sessions.forget_ended().await.unwrap(), 1);
    assert_eq!(house.sessions.forget_ended().await.unwrap(), 0);
    assert!(house.refresh(&late).await.is_ok());
}

#[tokio::test]
async fn a_dump_of_the_store_has_no_token() {
    let house = House::new();
    let first = house.log_in().await;
    let second = house.refresh(&first).await.unwrap();
    let family = house.store.dump().remove(0);
    let (text, shown) = (family.to_json(), format!("{:?} {family:?} {first:?} {second:?}", house.sessions));
    for tokens in [&first, &second] {
        for secret in [tokens.refresh_token(), &tokens.refresh_token()[30..], tokens.access().token()] {
            assert!(!text.contains(secret) && !shown.contains(secret));
        }
    }
    assert!(!shown.contains("alice"), "{shown}");
}

/// Rows that an earlier version has written are read by every later one.
#[test]
fn a_row_is_read_as_it_was_written_and_later_versions_are_not_guessed() {
    use portcullis_issuer::refresh::Family;
    let row = include_str!("rows/v1.json").trim();
    let family = Family::from_json(row).unwrap();
    assert_eq!(family.log_in.subject(), "alice");
    assert_eq!(family.log_in.at(), UnixTime::from_secs(1_800_000_000));
    assert_eq!((family.generation, family.ended), (7, Some(EndReason::LoggedOut)));
    assert_eq!(family.log_in.auth_time(), family.log_in.at(), "it was not kept apart");
    assert_eq!(family.to_json(), row);
    assert_eq!(Family::from_json(&row.replacen("\"v\":1", "\"v\":2", 1)), None);
    assert_eq!(Family::from_json("{}"), None);
}
