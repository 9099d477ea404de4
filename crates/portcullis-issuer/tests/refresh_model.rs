//! Random histories of a session, with faults, against a reference: refreshes, retries, old tokens, ends, clocks in both directions, backups
//! that are restored, calls that fail before or after they took effect, and clients that hang up at any await.
//!
//! `PORTCULLIS_SEED` repeats a run, `PORTCULLIS_HISTORIES` sets how many histories there are.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "refresh_model/gate.rs"]
mod gate;
#[path = "refresh_model/reference.rs"]
mod reference;
#[path = "refresh_model/world.rs"]
mod world;

use std::{env, time::Duration};

use portcullis_issuer::refresh::{LateRetry, RefreshPolicy, Rotation};

use gate::Fault;
use world::World;

/// How many refreshes are under way while the user logs out everywhere.
const IN_FLIGHT: usize = 64;

/// How much happens in a history, at most.
const LONGEST: usize = 16;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

#[test]
fn histories_end_as_the_reference_says() {
    let seed = number("PORTCULLIS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let histories = number("PORTCULLIS_HISTORIES").unwrap_or(1500);
    eprintln!("PORTCULLIS_SEED={seed} PORTCULLIS_HISTORIES={histories}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut seen = Seen::default();
    for _ in 0..histories {
        history(&mut chance, &mut seen);
    }
    eprintln!("{seen:?}");
    seen.has_seen_everything();
}

/// On three instances, calls that go on in a random order while the user logs out everywhere: afterwards, no access token of before is accepted.
#[test]
fn pitfall_6_a_user_who_logs_out_everywhere_while_64_refreshes_are_in_flight_is_logged_out() {
    let seed = number("PORTCULLIS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let rounds = number("PORTCULLIS_HISTORIES").map_or(20, |histories| histories / 10);
    eprintln!("PORTCULLIS_SEED={seed} PORTCULLIS_HISTORIES={}", rounds * 10);
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut late = 0;
    for _ in 0..rounds {
        let mut world = World::new(RefreshPolicy::new());
        late += world.log_out_everywhere_while_refreshing(IN_FLIGHT, &mut chance);
        world.what_has_ended_is_dead();
    }
    assert!(late > 0, "no refresh succeeded beside a log-out, so that nothing was tested");
}

/// A client hangs up at any await while its session ends, or the user logs out everywhere: what was begun is done, in the log and in the store.
#[tokio::test]
async fn an_end_whose_caller_goes_away_is_completed() {
    for at in 0..12 {
        for is_everywhere in [false, true] {
            let mut world = World::new(RefreshPolicy::new());
            let fault = Fault::HangsUp(at);
            let _ = if is_everywhere { world.log_out_everywhere(fault) } else { world.end(fault) };
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(world.is_in_log(), at > 0, "begun with the first poll");
            assert_eq!(world.has_ended(), at > 0, "in the log, and not in the store: caller gone at {at}");
        }
    }
}

/// What has happened, so that a run in which nothing happens does not count.
#[derive(Debug, Default)]
struct Seen {
    refreshed: u64,
    refused: u64,
    unavailable: u64,
    hung_up: u64,
    rolled_back: u64,
    ended: u64,
}

impl Seen {
    fn has_seen_everything(&self) {
        let Self { refreshed, refused, unavailable, hung_up, rolled_back, ended } = *self;
        for (count, what) in [
            (refreshed, "refreshed"),
            (refused, "refused"),
            (unavailable, "unavailable"),
            (hung_up, "hung up"),
            (rolled_back, "rolled back"),
            (ended, "ended"),
        ] {
            assert!(count > 0, "nothing was {what}");
        }
    }
}

fn history(chance: &mut fastrand::Rng, seen: &mut Seen) {
    let mut world = World::new(policy(chance));
    for _ in 0..chance.usize(4..LONGEST) {
        match chance.u8(0..20) {
            0..11 => refresh(chance, &mut world, seen),
            11..15 => world.pass(*chance.choice(&SECONDS).unwrap()),
            15 => world.set_back(*chance.choice(&[1, 3600]).unwrap()),
            16 | 17 => {
                seen.rolled_back += 1;
                world.roll_back(*chance.choice(&[1, 2, 10]).unwrap());
            }
            18 => {
                seen.ended += u64::from(world.end(fault(chance)));
            }
            _ => {
                seen.ended += u64::from(world.log_out_everywhere(fault(chance)));
            }
        }
        world.what_has_ended_is_dead();
    }
}

const SECONDS: [u64; 9] = [0, 1, 29, 59, 60, 61, 3600, 86_400, 8 * 86_400];

fn policy(chance: &mut fastrand::Rng) -> RefreshPolicy {
    let policy = RefreshPolicy::new().grace(Duration::from_secs(*chance.choice(&[0, 60, 60, 300]).unwrap()));
    let policy = if chance.u8(0..6) == 0 { policy.rotation(Rotation::Never) } else { policy };
    if chance.u8(0..6) == 0 { policy.late_retry(LateRetry::RefuseOnly) } else { policy }
}

fn fault(chance: &mut fastrand::Rng) -> Fault {
    match chance.u8(0..10) {
        0..6 => Fault::None,
        6 => Fault::FailsBefore(chance.usize(0..8)),
        7 => Fault::FailsAfter(chance.usize(0..8)),
        _ => Fault::HangsUp(chance.usize(0..16)),
    }
}

fn refresh(chance: &mut fastrand::Rng, world: &mut World, seen: &mut Seen) {
    // Usually what the client has; sometimes an earlier one, or one that was handed out before the store was rolled back.
    let token = if chance.u8(0..10) < 7 { world.current() } else { world.any(chance) };
    // An answer may be lost on its way, so that the client keeps what it has.
    let is_lost = chance.u8(0..5) == 0;
    let outcome = world.refresh(&token, fault(chance), is_lost);
    match outcome {
        world::Answer::Tokens => seen.refreshed += 1,
        world::Answer::Refused => seen.refused += 1,
        world::Answer::Unavailable => seen.unavailable += 1,
        world::Answer::HungUp => seen.hung_up += 1,
    }
}
