//! Accounts that callers bring along.

use std::time::Duration;

use portcullis_core::{Code, UnixTime};

use super::scene::{START, Scene, Scripted, account_id, operator, outcome, pass, token};
use crate::accounts::{AccountCache, NoResolver, desk::Lookup};

const HOUR: u64 = 3_600;

fn config() -> AccountCache {
    AccountCache::new().stapled(Duration::from_secs(HOUR))
}

fn without_resolver(config: &AccountCache) -> Scene<NoResolver> {
    Scene::of(&operator(), account_id(), Scripted::default(), NoResolver, config)
}

#[tokio::test(start_paused = true)]
async fn a_staple_replaces_a_resolver() {
    let scene = without_resolver(&config());
    let error = scene.find().await.unwrap_err();
    assert_eq!(error.code(), Code::IssuerNotTrusted, "{error}");
    let staple = scene.token(START);
    let known = scene.find_with(&staple).await.unwrap();
    assert_eq!(known.usable_until, UnixTime::from_secs(START + HOUR));
    assert_eq!(scene.held().edition, known.edition, "it is there for callers without one, too");
    assert!(matches!(scene.look_up(Some(&staple)), Lookup::Known(_)), "the same again needs no signature");
    pass(HOUR - 1).await;
    assert_eq!(scene.held().edition, known.edition);
    pass(1).await;
    assert!(!scene.is_current(&known));
    assert_eq!(scene.find_with(&staple).await.unwrap_err().code(), Code::IssuerNotTrusted, "it is too old now");
    assert!(scene.find_with(&scene.token(START + HOUR)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn staples_are_accepted_only_if_that_is_wanted() {
    let scene = without_resolver(&AccountCache::new());
    assert!(scene.find_with(&scene.token(START)).await.is_err());
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let known = scene.find_with("garbage").await.unwrap();
    assert_eq!(known.account.issued_at().as_secs(), START);
}

#[tokio::test(start_paused = true)]
async fn a_bad_staple_is_refused_without_a_look_up() {
    let scene = Scene::with(config());
    scene.resolver.has(&scene.id, scene.token(START));
    let long = |bytes: usize| scene.token_with(START, |claims| claims["name"] = "n".repeat(bytes).into());
    let longest = (11_000..13_000).map(long).take_while(|token| token.len() <= 16 * 1024).last().unwrap();
    let cases = [
        ("garbage", "garbage".to_owned(), "malformed"),
        ("another operator", token(&operator(), &scene.id, START, |_| {}), "account_untrusted"),
        ("another account", token(&scene.operator, &account_id(), START, |_| {}), "account_mismatch"),
        ("expired", scene.token_with(START, |claims| claims["exp"] = START.into()), "account_expired"),
        ("too long", long(14_000), "too_long"),
    ];
    for (name, staple, kind) in cases {
        let error = scene.find_with(&staple).await.unwrap_err();
        assert_eq!(error.code(), Code::IssuerNotTrusted, "{name}");
        assert!(error.to_string().contains(kind), "{name}: {error}");
        assert!(!error.to_string().contains(&staple), "{name}");
    }
    assert_eq!(scene.resolver.asked(), 0);
    assert!(scene.find_with(&longest).await.is_ok());
    assert_eq!(scene.resolver.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_old_staple_counts_as_none() {
    let scene = Scene::with(config());
    assert!(scene.find_with(&scene.token(START - HOUR)).await.is_err());
    assert_eq!(scene.resolver.asked(), 1, "the resolver decides");
    assert!(scene.find_with(&scene.token(START - HOUR + 1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_newer_account_wins_for_all_callers() {
    let scene = Scene::with(config());
    scene.resolver.has(&scene.id, scene.token(START - 20));
    let first = scene.find().await.unwrap();
    assert_eq!(scene.find_with(&scene.token(START - 30)).await.unwrap().edition, first.edition, "an older staple");
    let second = scene.find_with(&scene.token(START - 10)).await.unwrap();
    assert_ne!(second.edition, first.edition);
    assert!(!scene.is_current(&first) && scene.is_current(&second));
    assert_eq!(scene.held().edition, second.edition);
    // The resolver lags behind.
    pass(60).await;
    assert_eq!(scene.find().await.unwrap().edition, second.edition);
}

#[tokio::test(start_paused = true)]
async fn the_same_staple_again_does_not_keep_an_account_fresh() {
    let scene = Scene::with(config());
    let staple = scene.token(START);
    scene.find_with(&staple).await.unwrap();
    scene.resolver.has(&scene.id, scene.token(START + 50));
    pass(30).await;
    scene.find_with(&staple).await.unwrap();
    pass(30).await;
    let known = scene.find_with(&staple).await.unwrap();
    assert_eq!(
        known.account.issued_at().as_secs(),
        START + 50,
        "a caller with an old staple cannot hide the newer one"
    );
}

/// Both were weighed before one of them was put in.
#[tokio::test(start_paused = true)]
async fn of_two_staples_at_once_the_newer_one_lets_both_callers_in() {
    let scene = without_resolver(&config());
    let (older, newer) = (scene.token(START), scene.token(START + 1));
    let (first, second) = (scene.look_up(Some(&older)), scene.look_up(Some(&newer)));
    let newest = outcome(second).await.unwrap();
    assert_eq!(outcome(first).await.unwrap().edition, newest.edition);
}

#[tokio::test(start_paused = true)]
async fn a_staple_older_than_the_floor_is_not_used() {
    let scene = without_resolver(&config());
    scene.find_with(&scene.token(START)).await.unwrap();
    scene.desk.shared.lock().table.remove(&scene.id, &scene.desk.shared.places);
    let error = scene.find_with(&scene.token(START - 1)).await.unwrap_err();
    assert!(error.to_string().contains("account_rolled_back"), "{error}");
    assert!(scene.find_with(&scene.token(START)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_staple_helps_while_the_resolver_fails() {
    let scene = Scene::with(config());
    scene.resolver.behave(super::scene::Mode::Fail);
    assert_eq!(scene.find().await.unwrap_err().code(), Code::IssuerUnavailable);
    assert!(scene.find_with(&scene.token(START)).await.is_ok());
    assert!(scene.find().await.is_ok());
}
