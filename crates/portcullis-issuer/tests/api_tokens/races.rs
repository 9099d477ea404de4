//! A token is looked up while something changes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use portcullis_core::{Admission, Code};
use portcullis_issuer::api_tokens::{CreatedApiToken, Grant, RevokedReason};
use tokio::sync::Semaphore;

use crate::house::{House, acme};

/// The read is held after it has read, the token is revoked, and then the read goes on: what it has read must not be used, also not the next time.
#[tokio::test]
async fn pitfall_3_a_fill_of_the_cache_does_not_overtake_a_revocation() {
    for round in 0..1_000 {
        let house = House::new();
        let parent = house.service_account().await;
        let child = house.child_of(&parent).await;
        let (_, elsewhere) = house.other_instance();
        let held = Arc::new(Semaphore::new(0));
        *house.store.held.lock().unwrap() = Some(Arc::clone(&held));
        // On this instance, and on another one that hears of it by the log alone.
        let admission = if round % 2 == 0 { &house.admission } else { &elsewhere };
        // The token itself, or the one from which it was derived.
        let revoked = if round % 4 < 2 { &child } else { &parent };
        let check = admission.verify(child.secret().expose()).outcome();
        let revoke = async {
            tokio::task::yield_now().await;
            house.tokens.revoke(revoked.token().id(), RevokedReason::Asked).await.unwrap();
            held.add_permits(100);
        };
        let (outcome, ()) = tokio::join!(check, revoke);
        assert!(outcome.is_err(), "{round}");
        let next = admission.verify(child.secret().expose()).outcome().await;
        assert!(matches!(next.unwrap_err().code(), Code::TokenRevoked | Code::CredentialRevokedByParent), "{round}");
    }
}

/// Without a log of revocations in the admission, too: this instance knows what it has revoked itself.
#[tokio::test]
async fn pitfall_3_without_a_view_what_was_read_before_a_revocation_here_is_used_once_at_most() {
    let house = House::new();
    let created = house.service_account().await;
    let admission = Admission::new(house.tokens.authenticator()).clock(house.clock.clone());
    let held = Arc::new(Semaphore::new(0));
    *house.store.held.lock().unwrap() = Some(Arc::clone(&held));
    let check = admission.verify(created.secret().expose()).outcome();
    let revoke = async {
        tokio::task::yield_now().await;
        house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap();
        held.add_permits(100);
    };
    let (_, ()) = tokio::join!(check, revoke);
    let next = admission.verify(created.secret().expose()).outcome().await;
    assert_eq!(next.unwrap_err().code(), Code::TokenRevoked);
}

#[tokio::test]
async fn pitfall_3_a_fill_of_the_cache_does_not_overtake_a_change_of_memberships() {
    let house = House::new();
    let created = house.service_account().await;
    let held = Arc::new(Semaphore::new(0));
    *house.store.held.lock().unwrap() = Some(Arc::clone(&held));
    let check = house.admission.verify(created.secret().expose()).outcome();
    let change = async {
        tokio::task::yield_now().await;
        house.users.may(&acme(), [Grant::scope("orders:read")]);
        house.tokens.memberships_changed(&acme());
        held.add_permits(1);
    };
    let (outcome, ()) = tokio::join!(check, change);
    // The row was read before, and the memberships after: not wrong, but not to be used again either.
    assert!(!outcome.unwrap().has_scope("orders:write"));
    let reads = house.store.reads();
    held.add_permits(1);
    assert_eq!(house.code(&created).await, None);
    assert_eq!(house.store.reads(), reads + 1, "what was read before the change was used again");
    assert_eq!(house.code(&created).await, None);
    assert_eq!(house.store.reads(), reads + 1);
}

/// Returns how often the token was accepted, and how often it was refused.
async fn check_often(admission: &Admission, child: &CreatedApiToken, is_revoked: &AtomicBool) -> [usize; 2] {
    let mut outcomes = [0; 2];
    for _ in 0..12 {
        let was_revoked = is_revoked.load(Ordering::SeqCst);
        let outcome = admission.verify(child.secret().expose()).outcome().await;
        assert!(!was_revoked || outcome.is_err());
        outcomes[usize::from(outcome.is_err())] += 1;
        tokio::task::yield_now().await;
    }
    outcomes
}

/// Checks and a revocation run side by side, and each step of the store takes a random time: what is checked after the revocation was confirmed is refused.
#[tokio::test]
async fn pitfall_3_in_a_thousand_random_interleavings_nothing_is_accepted_after_a_revocation_was_confirmed() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut outcomes = [[0; 2]; 2];
    for round in 0..1_000 {
        let house = House::new();
        let parent = house.service_account().await;
        let child = house.child_of(&parent).await;
        let (_, elsewhere) = house.other_instance();
        *house.store.pace.lock().unwrap() = Some(fastrand::Rng::with_seed(random.u64(..)));
        let revoked = if random.bool() { &child } else { &parent };
        let (is_revoked, before) = (AtomicBool::new(false), random.u8(0..12));
        let revoke = async {
            for _ in 0..before {
                tokio::task::yield_now().await;
            }
            house.tokens.revoke(revoked.token().id(), RevokedReason::Asked).await.unwrap();
            is_revoked.store(true, Ordering::SeqCst);
        };
        let check = |admission| check_often(admission, &child, &is_revoked);
        let (here, there, ()) = tokio::join!(check(&house.admission), check(&elsewhere), revoke);
        for (sum, one) in outcomes.iter_mut().zip([here, there]) {
            *sum = [sum[0] + one[0], sum[1] + one[1]];
        }
        for admission in [&house.admission, &elsewhere] {
            assert!(admission.verify(child.secret().expose()).outcome().await.is_err(), "{round}");
        }
    }
    // The revocation fell between checks, on both instances.
    assert!(outcomes.as_flattened().iter().all(|number| *number > 0), "{outcomes:?}");
}
