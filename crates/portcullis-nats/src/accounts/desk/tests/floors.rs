//! No way back to an older token.

use portcullis_core::{
    Code, UnixTime,
    floors::{FloorError, FloorStore, MemoryFloors},
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::timeout};

use super::scene::{START, Scene, Scripted, account_id, operator, outcome, pass, token};
use crate::{
    accounts::{AccountCache, InsertErrorKind},
    nkey::{KeyPair, Role},
};

fn scene_with(floors: impl FloorStore, operator: &KeyPair, resolver: &Scripted, id: crate::nkey::AccountKey) -> Scene {
    Scene::of(operator, id, resolver.clone(), resolver.clone(), &AccountCache::new().floors(floors))
}

/// Pitfall 5: a copy of the directory from before a revocation is restored, and the service starts again.
#[tokio::test(start_paused = true)]
async fn pitfall_5_an_older_account_is_refused_after_a_restart_unless_the_floor_is_removed() {
    let (operator, resolver, id, floors) = (operator(), Scripted::default(), account_id(), MemoryFloors::new());
    let before = scene_with(floors.clone(), &operator, &resolver, id);
    resolver.has(&id, before.token(START));
    before.find().await.unwrap();
    resolver.has(&id, before.token(START + 1));
    before.desk.refresh(&id, &before.clock()).await.unwrap();
    assert_eq!(floors.load().await.unwrap()[id.as_str()], UnixTime::from_secs(START + 1));

    let after = scene_with(floors.clone(), &operator, &resolver, id);
    resolver.has(&id, before.token(START));
    let error = after.find().await.unwrap_err();
    assert_eq!(error.code(), Code::IssuerNotTrusted);
    assert!(error.to_string().contains("account_rolled_back"), "{error}");
    pass(5).await;
    resolver.has(&id, before.token(START + 1));
    assert!(after.find().await.is_ok(), "one that is as new as the floor");

    floors.reset(id.as_str()).await.unwrap();
    let reset = scene_with(floors, &operator, &resolver, id);
    resolver.has(&id, before.token(START));
    assert!(reset.find().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_older_account_does_not_replace_the_one_that_is_held() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START + 1));
    let known = scene.find().await.unwrap();
    scene.resolver.has(&scene.id, scene.token(START));
    let error = scene.desk.refresh(&scene.id, &scene.clock()).await.unwrap_err();
    assert!(error.to_string().contains("account_rolled_back"), "{error}");
    assert_eq!(scene.held().edition, known.edition);
    assert!(scene.is_current(&known));
    let error = scene.desk.insert(&scene.token(START), scene.now()).await.unwrap_err();
    assert_eq!(error.kind(), InsertErrorKind::RolledBack);
}

#[tokio::test(start_paused = true)]
async fn a_floor_that_another_instance_has_raised_counts() {
    let floors = MemoryFloors::new();
    let scene = Scene::with(AccountCache::new().floors(floors.clone()));
    scene.desk.load().await.unwrap();
    floors.raise(scene.id.as_str(), UnixTime::from_secs(START + 9)).await.unwrap();
    scene.resolver.has(&scene.id, scene.token(START));
    assert!(scene.find().await.unwrap_err().to_string().contains("account_rolled_back"));
    pass(5).await;
    scene.resolver.has(&scene.id, scene.token(START + 9));
    assert!(scene.find().await.is_ok());
}

/// Floors that fail when the test says so.
#[derive(Clone, Debug)]
struct Fragile {
    floors: MemoryFloors,
    is_broken: Arc<AtomicBool>,
}

impl Fragile {
    fn check(&self) -> Result<(), FloorError> {
        if self.is_broken.load(Ordering::SeqCst) { Err(FloorError::unavailable("on purpose")) } else { Ok(()) }
    }
}

impl FloorStore for Fragile {
    async fn load(&self) -> Result<HashMap<String, UnixTime>, FloorError> {
        self.check()?;
        self.floors.load().await
    }

    async fn raise(&self, name: &str, time: UnixTime) -> Result<UnixTime, FloorError> {
        self.check()?;
        self.floors.raise(name, time).await
    }

    async fn reset(&self, name: &str) -> Result<Option<UnixTime>, FloorError> {
        self.check()?;
        self.floors.reset(name).await
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_floor_no_account_is_used() {
    let store = Fragile { floors: MemoryFloors::new(), is_broken: Arc::new(AtomicBool::new(true)) };
    let scene = Scene::with(AccountCache::new().floors(store.clone()));
    scene.resolver.has(&scene.id, scene.token(START));
    assert!(scene.desk.load().await.is_err());
    assert_eq!(scene.find().await.unwrap_err().code(), Code::IssuerUnavailable, "they cannot be loaded");
    store.is_broken.store(false, Ordering::SeqCst);
    pass(5).await;
    let known = scene.find().await.unwrap();
    store.is_broken.store(true, Ordering::SeqCst);
    scene.resolver.has(&scene.id, scene.token(START + 1));
    let error = scene.desk.refresh(&scene.id, &scene.clock()).await.unwrap_err();
    assert_eq!(error.code(), Code::IssuerUnavailable);
    assert_eq!(scene.held().edition, known.edition, "the newer one is not used before its floor is raised");
    let error = scene.desk.insert(&scene.token(START + 1), scene.now()).await.unwrap_err();
    assert_eq!(error.kind(), InsertErrorKind::Floors);
    store.is_broken.store(false, Ordering::SeqCst);
    assert!(scene.desk.insert(&scene.token(START + 1), scene.now()).await.is_ok());
    assert_eq!(store.floors.load().await.unwrap()[scene.id.as_str()], UnixTime::from_secs(START + 1));
}

/// Floors that do not answer: loading them, or only raising them.
#[derive(Clone, Copy, Debug)]
enum Hanging {
    Load,
    Raise,
}

impl FloorStore for Hanging {
    async fn load(&self) -> Result<HashMap<String, UnixTime>, FloorError> {
        match self {
            Self::Load => std::future::pending().await,
            Self::Raise => Ok(HashMap::new()),
        }
    }

    async fn raise(&self, _: &str, _: UnixTime) -> Result<UnixTime, FloorError> {
        std::future::pending().await
    }

    async fn reset(&self, _: &str) -> Result<Option<UnixTime>, FloorError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn floors_that_do_not_answer_hold_many_requests_no_longer_than_one() {
    for floors in [Hanging::Load, Hanging::Raise] {
        let scene = Scene::with(AccountCache::new().floors(floors).stapled(Duration::from_secs(60)));
        let mut requests = JoinSet::new();
        for _ in 0..40 {
            let id = account_id();
            let staple = token(&scene.operator, &id, START, |_| {});
            requests.spawn(outcome(scene.desk.look_up(&id, Some(&staple), scene.now(), &scene.clock())));
        }
        let answers = timeout(Duration::from_secs(3), requests.join_all()).await;
        for answer in answers.expect("they end") {
            assert_eq!(answer.unwrap_err().code(), Code::IssuerUnavailable, "{floors:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_tokens_of_the_same_second_none_takes_back_a_revocation() {
    let user = KeyPair::generate(Role::User).unwrap();
    let user = user.public_key().as_str();
    let revoked = |until: u64| json!({user: until});
    let all = |until: u64| json!({"*": until});
    // the revocations of the first, those of the second, and whether the second is taken
    let cases = [
        (json!({}), revoked(START), true),
        (revoked(START), json!({}), false),
        (revoked(START), revoked(START - 1), false),
        (revoked(START - 1), revoked(START), true),
        (revoked(START), all(START), true),
        (all(START), revoked(START), false),
        (all(START), all(START - 1), false),
    ];
    for (first, second, is_taken) in cases {
        let scene = Scene::new();
        let token = |revocations: &serde_json::Value, name: &str| {
            scene.token_with(START, |claims| {
                claims["name"] = name.into();
                claims["nats"]["revocations"] = revocations.clone();
            })
        };
        scene.desk.insert(&token(&first, "first"), scene.now()).await.unwrap();
        let inserted = scene.desk.insert(&token(&second, "second"), scene.now()).await;
        assert_eq!(inserted.is_ok(), is_taken, "{first} {second}");
        assert_eq!(scene.held().account.token().registered.name, if is_taken { "second" } else { "first" });
        let later = scene.token(START + 1);
        assert!(scene.desk.insert(&later, scene.now()).await.is_ok(), "a later one may take everything back");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_tokens_of_the_same_second_none_unlocks_the_account() {
    let scene = Scene::new();
    let locked = scene.token_with(START, |claims| claims["nats"]["limits"]["conn"] = 0.into());
    scene.desk.insert(&locked, scene.now()).await.unwrap();
    let error = scene.desk.insert(&scene.token(START), scene.now()).await.unwrap_err();
    assert_eq!(error.kind(), InsertErrorKind::RolledBack);
    assert!(scene.desk.insert(&scene.token(START + 1), scene.now()).await.is_ok());
    assert!(
        scene
            .desk
            .insert(&scene.token_with(START + 1, |claims| claims["nats"]["limits"]["conn"] = 0.into()), scene.now())
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_floor_can_be_reset_at_run_time() {
    let scene = Scene::new();
    scene.desk.insert(&scene.token(START + 1), scene.now()).await.unwrap();
    let known = scene.held();
    assert!(scene.desk.insert(&scene.token(START), scene.now()).await.is_err());
    assert_eq!(scene.desk.reset_floor(&scene.id).await.unwrap(), Some(UnixTime::from_secs(START + 1)));
    assert!(!scene.is_current(&known));
    assert!(scene.desk.insert(&scene.token(START), scene.now()).await.is_ok());
}
