use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    mint::{AccountEdit, Mint},
    nkey::{KeyPair, Role},
};

const START: u64 = 1_800_000_000;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(START + seconds)
}

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn key(pair: &KeyPair) -> OperatorKey {
    OperatorKey::try_from(*pair.public_key()).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("keys in memory sign at once"),
    }
}

fn account(signer: &KeyPair, now: UnixTime) -> String {
    let id = AccountKey::try_from(*pair(Role::Account).public_key()).unwrap();
    wait(Mint::account(id, "orders", Account::default()).sign(signer, now)).unwrap().into_string()
}

fn again(account: &str, signer: &KeyPair, now: UnixTime) -> String {
    wait(AccountEdit::read(account).unwrap().sign(signer, now)).unwrap().into_string()
}

fn times() -> RotationTimes {
    let secs = Duration::from_secs;
    RotationTimes::new().rollout(secs(100)).max_account_age(secs(30)).caches(secs(50)).clock_difference(secs(5))
}

#[test]
fn each_step_is_refused_until_the_instant_that_the_refusal_names() {
    let (old, new) = (pair(Role::Operator), pair(Role::Operator));
    let mut plan = OperatorRotation::start(key(&old), key(&new), at(0), times());
    let first = account(&old, at(0));
    plan.observe(&first, at(0)).unwrap();
    assert_eq!(plan.left().count(), 1);
    assert_eq!(plan.may_sign(at(105)), Err(TooEarly::Until(at(106))));
    assert_eq!(plan.may_sign(at(106)), Ok(()));
    let left: Vec<_> = plan.left().copied().collect();
    assert_eq!(plan.may_leave(at(100_000)), Err(TooEarly::Accounts(left)));

    plan.observe(&again(&first, &new, at(200)), at(200)).unwrap();
    assert_eq!(plan.left().count(), 0);
    assert_eq!(plan.may_leave(at(255)), Err(TooEarly::Until(at(256))));
    assert_eq!(plan.may_leave(at(256)), Ok(()));
    let text = plan.to_string();
    assert!(text.contains("2. from 1800000256: remove the old key") && text.contains("none is left of 1"), "{text}");
}

#[test]
fn the_longer_of_cache_and_age_counts() {
    let long = times().max_account_age(Duration::from_secs(500));
    assert_eq!(times().leaves_from(at(0)), at(56));
    assert_eq!(long.leaves_from(at(0)), at(506));
}

#[test]
fn an_account_that_the_old_key_signs_once_more_is_left_again() {
    let (old, new) = (pair(Role::Operator), pair(Role::Operator));
    let mut plan = OperatorRotation::start(key(&old), key(&new), at(0), times());
    let first = account(&old, at(0));
    let replaced = again(&first, &new, at(200));
    plan.observe(&replaced, at(200)).unwrap();
    assert_eq!(plan.left().count(), 0);
    plan.observe(&again(&replaced, &old, at(210)), at(210)).unwrap();
    assert_eq!(plan.left().count(), 1);
    plan.observe(&again(&replaced, &new, at(220)), at(220)).unwrap();
    assert_eq!(plan.may_leave(at(276)), Ok(()));
    assert!(plan.may_leave(at(275)).is_err());
    // The first one, as a resolver with an old folder gives it.
    plan.observe(&first, at(230)).unwrap();
    assert_eq!(plan.left().count(), 1);
}

/// One attempt of the operator, in the order of time.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    /// Sign an account again with the key that it has now.
    Staple(usize),
    /// Sign an account with the new key.
    Replace(usize),
    /// Remove the old key.
    Leave,
}

/// A token that may be in use: from when, and until when it is in the resolver.
struct Issued {
    account: usize,
    by_old: bool,
    from: u64,
    until: Option<u64>,
}

fn attempts() -> impl Strategy<Value = Vec<(u64, u64, Attempt)>> {
    let attempt = prop_oneof![
        3 => (0..3usize).prop_map(Attempt::Staple),
        4 => (0..3usize).prop_map(Attempt::Replace),
        3 => Just(Attempt::Leave),
    ];
    // Seconds since the last attempt, by how much the operator's clock is late, and what is attempted.
    proptest::collection::vec((1..60u64, 0..=5u64, attempt), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_permitted_schedule_locks_out_a_user(attempts in attempts(), late in 0..=5u64) {
        let (old, new) = (pair(Role::Operator), pair(Role::Operator));
        // True seconds; the operator's clock shows up to five less.
        let mut plan = OperatorRotation::start(key(&old), key(&new), at(1000 - late), times());
        let mut texts: Vec<_> = (0..3).map(|_| account(&old, at(900))).collect();
        let mut issued: Vec<_> = (0..3).map(|account| Issued { account, by_old: true, from: 900, until: None }).collect();
        for text in &texts {
            plan.observe(text, at(1000 - late)).unwrap();
        }
        let mut true_time = 1000;
        for (pause, late, attempt) in attempts {
            true_time += pause;
            let shown = at(true_time - late);
            let (account, signer) = match attempt {
                Attempt::Replace(account) if plan.may_sign(shown).is_ok() => (account, &new),
                Attempt::Staple(account) => {
                    let by_old = issued.iter().any(|token| token.account == account && token.by_old && token.until.is_none());
                    (account, if by_old { &old } else { &new })
                }
                Attempt::Leave if plan.may_leave(shown).is_ok() => {
                    // Every verifier may load the token without the old key now: what may still be used of it?
                    let in_use = |token: &&Issued| {
                        token.until.is_none_or(|until| until + 50 > true_time) || token.from + 30 > true_time
                    };
                    prop_assert_eq!(issued.iter().filter(in_use).filter(|token| token.by_old).count(), 0);
                    // And the slowest has learned of the new one.
                    prop_assert!(true_time >= 1000 + 100);
                    return Ok(());
                }
                _ => continue,
            };
            let by_old = signer.public_key() == old.public_key();
            prop_assert!(by_old || true_time >= 1000 + 100, "a verifier without the new key meets its signature");
            texts[account] = again(&texts[account], signer, shown);
            issued.iter_mut().filter(|token| token.account == account).for_each(|token| { token.until.get_or_insert(true_time); });
            issued.push(Issued { account, by_old, from: true_time, until: None });
            plan.observe(&texts[account], shown).unwrap();
        }
    }
}
