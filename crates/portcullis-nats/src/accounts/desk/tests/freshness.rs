//! How long an account is used, and when it is looked up again.

use std::{sync::Arc, time::Duration};

use portcullis_core::{Code, UnixTime, error::AuthErrorKind};
use tokio::time::Instant;

use super::scene::{Mode, START, Scene, account_id, pass, token};
use crate::accounts::{
    AccountCache,
    desk::{KnownAccount, Lookup},
};

#[tokio::test(start_paused = true)]
async fn an_account_is_looked_up_ahead_of_its_end_and_no_request_waits_for_that() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let first = scene.find().await.unwrap();
    pass(42).await;
    assert!(scene.is_current(&first), "it is looked up at 80 %, give or take a tenth");
    assert_eq!((scene.held().edition, scene.resolver.asked()), (first.edition, 1));
    pass(11).await;
    assert!(!scene.is_current(&first), "one request has to ask");
    assert_eq!(scene.held().edition, first.edition);
    assert!(scene.is_current(&first), "the others need not");
    pass(1).await;
    assert_eq!(scene.resolver.asked(), 2);
    assert_eq!(scene.held().edition, first.edition, "the same token decides the same");
    assert!(scene.held().usable_until > first.usable_until);
}

#[tokio::test(start_paused = true)]
async fn after_its_time_a_request_waits_for_the_new_one() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let first = scene.find().await.unwrap();
    pass(60).await;
    scene.resolver.has(&scene.id, scene.token(START + 60));
    assert!(!scene.is_current(&first));
    assert!(matches!(scene.look_up(None), Lookup::Waiting(_)));
    let second = scene.find().await.unwrap();
    assert_eq!(second.account.issued_at(), UnixTime::from_secs(START + 60));
    assert!(!scene.is_current(&first) && scene.is_current(&second));
}

#[tokio::test(start_paused = true)]
async fn during_an_outage_the_old_one_is_used_for_ten_minutes_more() {
    for mode in [Mode::Fail, Mode::Hang] {
        let scene = Scene::new();
        scene.resolver.has(&scene.id, scene.token(START));
        let first = scene.find().await.unwrap();
        scene.resolver.behave(mode);
        pass(61).await;
        assert_eq!(scene.find().await.unwrap().edition, first.edition, "{mode:?}");
        for _ in 0..59 {
            assert_eq!(
                scene.held().edition,
                first.edition,
                "once a look-up has failed, none waits for the next ({mode:?})"
            );
            pass(10).await;
        }
        pass(9).await;
        assert!(scene.now() >= UnixTime::from_secs(START + 660) && !scene.is_current(&first));
        let error = scene.find().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (AuthErrorKind::Unavailable, Code::IssuerUnavailable), "{mode:?}");
        assert!(error.retry_after().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_prolong_the_life_of_an_account() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token_with(START, |claims| claims["exp"] = (START + 100).into()));
    let first = scene.find().await.unwrap();
    assert_eq!(first.usable_until, UnixTime::from_secs(START + 100));
    scene.resolver.behave(Mode::Fail);
    pass(99).await;
    assert!(scene.find().await.is_ok());
    pass(1).await;
    assert!(!scene.is_current(&first));
    assert_eq!(scene.find().await.unwrap_err().code(), Code::IssuerUnavailable);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_has_as_long_as_in_nats_server() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    scene.resolver.take(Duration::from_millis(1_890));
    assert!(scene.find().await.is_ok());
    let other = Scene::new();
    other.resolver.has(&other.id, other.token(START));
    other.resolver.take(Duration::from_millis(1_910));
    let begin = Instant::now();
    assert_eq!(other.find().await.unwrap_err().code(), Code::IssuerUnavailable);
    assert!(begin.elapsed() < Duration::from_millis(1_905), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_account_is_refused_and_not_looked_up_again_for_five_seconds() {
    let scene = Scene::new();
    for _ in 0..3 {
        let error = scene.find().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (AuthErrorKind::InvalidToken, Code::IssuerNotTrusted));
    }
    assert_eq!(scene.resolver.asked(), 1);
    pass(5).await;
    scene.resolver.has(&scene.id, scene.token(START));
    assert!(scene.find().await.is_ok(), "it was made meanwhile");
    assert_eq!(scene.resolver.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_no_missing_account() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    scene.resolver.behave(Mode::Fail);
    for _ in 0..3 {
        let error = scene.find().await.unwrap_err();
        assert_eq!(error.code(), Code::IssuerUnavailable);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
    }
    assert_eq!(scene.resolver.asked(), 1);
    scene.resolver.behave(Mode::Answer);
    pass(5).await;
    assert!(scene.find().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_account_is_gone_with_the_next_look_up() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let first = scene.find().await.unwrap();
    scene.resolver.lacks(&scene.id);
    pass(54).await;
    scene.held();
    pass(1).await;
    assert!(!scene.is_current(&first));
    assert_eq!(scene.find().await.unwrap_err().code(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_of_the_account_is_not_used() {
    let scene = Scene::new();
    let other = account_id();
    let stranger = super::scene::operator();
    let cases = [
        ("garbage", "garbage".to_owned(), "malformed"),
        ("half a file", scene.token(START)[..200].to_owned(), "malformed"),
        ("another account", token(&scene.operator, &other, START, |_| {}), "account_mismatch"),
        ("another operator", token(&stranger, &scene.id, START, |_| {}), "account_untrusted"),
        ("a user", scene.token_with(START, |claims| claims["nats"]["type"] = "user".into()), "wrong_type"),
        ("expired", scene.token_with(START, |claims| claims["exp"] = START.into()), "account_expired"),
        (
            "not yet valid",
            scene.token_with(START, |claims| claims["nbf"] = (START + 9_000).into()),
            "account_not_yet_valid",
        ),
        ("from the future", scene.token(START + 9_000), "account_rolled_back"),
    ];
    for (name, text, kind) in cases {
        scene.resolver.has(&scene.id, text.clone());
        let error = scene.find().await.unwrap_err();
        assert_eq!(error.code(), Code::IssuerNotTrusted, "{name}");
        assert!(error.to_string().contains(kind), "{name}: {error}");
        pass(5).await;
        scene.resolver.has(&scene.id, format!(" {}\n", scene.token(START)));
        let known = scene.find().await.unwrap();
        pass(60).await;
        scene.resolver.has(&scene.id, text);
        if kind != "account_not_yet_valid" && kind != "account_rolled_back" {
            assert_eq!(scene.find().await.unwrap().edition, known.edition, "{name}: the one that is held stays in use");
        }
        scene.desk.shared.lock().table.remove(&scene.id, &scene.desk.shared.places);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_no_account() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, "\n");
    assert!(scene.find().await.unwrap_err().to_string().contains("account_unknown"));
}

#[tokio::test(start_paused = true)]
async fn after_the_wall_clock_was_set_back_accounts_are_looked_up() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let first = scene.find().await.unwrap();
    scene.clock.set_back(200);
    assert!(!scene.is_current(&first));
    scene.held();
    assert!(scene.is_current(&first));
    pass(1).await;
    assert_eq!(scene.resolver.asked(), 2);
}

/// The resolver has a newer token, which seems to be from the future.
#[tokio::test(start_paused = true)]
async fn after_the_wall_clock_was_set_back_no_account_is_used_for_longer_than_otherwise() {
    for mode in [Mode::Answer, Mode::Fail] {
        let scene = Scene::new();
        scene.resolver.has(&scene.id, scene.token(START - 100_000));
        let known = scene.find().await.unwrap();
        scene.clock.set_back(43_200);
        scene.resolver.has(&scene.id, scene.token(START));
        scene.resolver.behave(mode);
        pass(659).await;
        assert_eq!(scene.find().await.unwrap().edition, known.edition, "for eleven minutes");
        pass(1).await;
        assert!(scene.find().await.is_err(), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_desk_forgets_the_account_that_was_not_used_for_the_longest_time() {
    let scene = Scene::with(AccountCache::new().max_accounts(2));
    let ids = [account_id(), account_id(), account_id()];
    let mut known: Vec<Arc<KnownAccount>> = Vec::new();
    for id in &ids {
        scene.resolver.has(id, token(&scene.operator, id, START, |_| {}));
        if known.len() == 2 {
            pass(1).await;
            assert!(scene.is_current(&known[0]), "this is a use");
        }
        let lookup = scene.desk.look_up(id, None, scene.now(), &scene.clock());
        known.push(super::scene::outcome(lookup).await.unwrap());
    }
    assert_eq!([0, 1, 2].map(|at: usize| scene.is_current(&known[at])), [true, false, true]);
    assert_eq!(scene.desk.shared.lock().table.len(), 2);
}
