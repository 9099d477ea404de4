//! One look-up for an account at a time, and not too many in all.

use std::{
    sync::Arc,
    time::{Duration, Instant as RealInstant},
};

use portcullis_core::{AuthError, Code};
use tokio::task::JoinSet;

use super::scene::{Mode, START, Scene, account_id, outcome, pass, token};
use crate::{
    accounts::desk::{KnownAccount, Lookup},
    nkey::{AccountKey, PublicKey, Role},
};

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_cause_one_look_up() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    scene.resolver.take(Duration::from_millis(100));
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        callers.spawn(outcome(scene.look_up(None)));
    }
    let known = callers.join_all().await;
    assert!(known.iter().all(|known| known.as_ref().unwrap().edition == known.as_ref().unwrap().edition));
    assert_eq!((known.len(), scene.resolver.asked()), (1_000, 1));
}

#[tokio::test(start_paused = true)]
async fn the_first_caller_may_leave() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    scene.resolver.take(Duration::from_millis(100));
    let first = scene.look_up(None);
    let second = scene.look_up(None);
    drop(first);
    assert!(outcome(second).await.is_ok());
    scene.held();
    assert_eq!(scene.resolver.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_panics_is_a_fault_and_can_be_asked_again() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    scene.resolver.behave(Mode::Panic);
    assert_eq!(scene.find().await.unwrap_err().code(), Code::IssuerUnavailable);
    assert_eq!(scene.desk.shared.lock().flights.len(), 0);
    scene.resolver.behave(Mode::Answer);
    assert!(scene.find().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_finds_what_was_changed_before_it() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    scene.resolver.take(Duration::from_millis(100));
    let under_way = scene.look_up(None);
    tokio::task::yield_now().await;
    scene.resolver.has(&scene.id, scene.token(START + 1));
    let known = scene.desk.refresh(&scene.id, &scene.clock()).await.unwrap();
    assert_eq!(known.account.issued_at().as_secs(), START + 1);
    assert_eq!(outcome(under_way).await.unwrap().account.issued_at().as_secs(), START);
}

#[tokio::test(start_paused = true)]
async fn look_ups_end_with_the_desk() {
    let scene = Scene::new();
    scene.resolver.behave(Mode::Hang);
    let Lookup::Waiting(waiting) = scene.look_up(None) else { panic!("it is not held") };
    drop(waiting);
    tokio::task::yield_now().await;
    assert_eq!(scene.resolver.asked(), 1);
    let shared = Arc::downgrade(&scene.desk.shared);
    drop(scene);
    tokio::task::yield_now().await;
    assert!(shared.upgrade().is_none());
}

/// Pitfall 4: accounts that someone has made up.
#[tokio::test(start_paused = true)]
async fn pitfall_4_made_up_accounts_neither_fill_memory_nor_block_others() {
    const FLOOD: u32 = 100_000;
    let scene = Scene::new();
    let (good, late) = (scene.id, account_id());
    for id in [&good, &late] {
        scene.resolver.has(id, token(&scene.operator, id, START, |_| {}));
    }
    // One is held, the other was accepted before a restart.
    let lookup = scene.desk.look_up(&late, None, scene.now(), &scene.clock());
    outcome(lookup).await.unwrap();
    scene.desk.shared.lock().table.remove(&late, &scene.desk.shared.places);
    scene.find().await.unwrap();
    scene.resolver.take(Duration::from_secs(1));
    let (begin, mut waiting, mut refused) = (RealInstant::now(), JoinSet::new(), 0);
    for thousand in 0..FLOOD / 1_000 {
        for number in 0..1_000 {
            let lookup = scene.desk.look_up(&made_up(thousand * 1_000 + number), None, scene.now(), &scene.clock());
            refused += begin_or_refuse(lookup, &mut waiting);
        }
        if thousand == 50 {
            let lookup = scene.desk.look_up(&late, None, scene.now(), &scene.clock());
            assert!(outcome(lookup).await.is_ok(), "an account that was accepted before has a turn of its own");
        }
        scene.find().await.unwrap();
        pass(1).await;
        while waiting.try_join_next().is_some() {}
    }
    let state = scene.desk.shared.lock();
    assert!(state.table.len() == 2 && state.failures.len() <= 1_024 && state.flights.len() <= 96);
    assert!(scene.resolver.most_under_way() <= 64, "{}", scene.resolver.most_under_way());
    assert!(refused > 80_000, "{refused}");
    assert_eq!(scene.desk.shared.floors.len(), 2);
    drop(state);
    assert!(begin.elapsed() < Duration::from_secs(120), "{:?}", begin.elapsed());
}

/// Lets a look-up run. Returns how many were refused at once.
fn begin_or_refuse(lookup: Lookup, waiting: &mut JoinSet<Result<Arc<KnownAccount>, AuthError>>) -> usize {
    match lookup {
        Lookup::Waiting(lookup) => {
            waiting.spawn(lookup);
            0
        }
        Lookup::Refused(error) => {
            assert_eq!(error.code(), Code::IssuerUnavailable, "it is not known yet that it is made up");
            1
        }
        Lookup::Known(_) => panic!("a made-up account is known"),
    }
}

/// What was not found is remembered, but not of more accounts than these.
#[tokio::test(start_paused = true)]
async fn what_was_not_found_is_remembered_within_bounds() {
    let scene = Scene::new();
    for number in 0..2_000 {
        let lookup = scene.desk.look_up(&made_up(number), None, scene.now(), &scene.clock());
        assert_eq!(outcome(lookup).await.unwrap_err().code(), Code::IssuerNotTrusted);
    }
    assert_eq!(scene.desk.shared.lock().failures.len(), 1_024);
}

/// A key of which no one has the private half. About every second number is none, so it tries some.
fn made_up(number: u32) -> AccountKey {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    let key = (0..=u8::MAX).find_map(|last| {
        bytes[31] = last & 0x7f;
        bytes[8] = last;
        PublicKey::new(Role::Account, bytes).ok()
    });
    AccountKey::try_from(key.unwrap()).unwrap()
}
