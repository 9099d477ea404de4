use std::time::Duration;

use super::*;
use crate::{
    Clock,
    revocation::{Revocation, RevocationEntry},
};

const T: UnixTime = UnixTime::from_secs(1_800_000_000);
const MARGIN: Duration = RevocationEntry::MARGIN;
const HORIZON: Duration = Duration::from_secs(3600);

#[derive(Debug)]
struct Hand(Mutex<(UnixTime, Duration)>);

impl Hand {
    fn pass(&self, time: Duration) {
        let (calendar, uptime) = *self.0.lock().unwrap();
        *self.0.lock().unwrap() = (calendar.plus(time), uptime + time);
    }
}

impl Clock for Hand {
    fn now(&self) -> UnixTime {
        self.0.lock().unwrap().0
    }

    fn uptime(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

fn writer() -> (ViewWriter, Arc<Hand>) {
    let clock = Arc::new(Hand(Mutex::new((T, Duration::from_secs(50)))));
    (ViewWriter::builder(HORIZON).clock(Arc::clone(&clock)).max_entries(3).build(), clock)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_entry_is_forgotten_when_no_token_that_it_could_hit_is_alive() {
    let (writer, clock) = writer();
    let forget = || (0..=Ladder::TURNS).for_each(|_| writer.forget_some());
    writer.merge(&[
        writer.entry(&Revocation::token("i", "short", T.plus(seconds(60)))),
        writer.entry(&Revocation::token("i", "a number that is no time", UnixTime::MAX)),
        writer.entry(&Revocation::session("i", "s")),
        writer.entry(&Revocation::issuer("i", T)),
        writer.entry(&Revocation::key("i", "k")),
    ]);
    clock.pass(MARGIN + seconds(59));
    forget();
    assert_eq!(writer.view().entries(), 5);
    clock.pass(seconds(1));
    forget();
    assert_eq!(writer.view().entries(), 4);
    clock.pass(HORIZON);
    forget();
    assert_eq!(
        writer.view().entries(),
        2,
        "neither keys are forgotten, nor a token before it has expired, which is taken to be within a year"
    );
    clock.pass(seconds(366 * 86_400));
    forget();
    assert_eq!(writer.view().entries(), 1, "keys are not forgotten");
    assert_eq!(writer.merge(&[writer.entry(&Revocation::key("i", "k"))]), 0, "it is no news");
}

#[test]
fn an_entry_that_is_past_remembering_is_not_taken_in_and_a_key_always_is() {
    let (writer, _) = writer();
    assert_eq!(writer.merge(&[RevocationEntry::new(Revocation::session("i", "s"), T)]), 0);
    assert_eq!(writer.merge(&[RevocationEntry::new(Revocation::session("i", "s"), T.plus(seconds(1)))]), 1);
    assert_eq!(writer.merge(&[RevocationEntry::new(Revocation::key("i", "k"), T)]), 1);
}

#[test]
fn a_clock_that_is_set_ahead_and_back_makes_nothing_forgotten() {
    let (writer, clock) = writer();
    writer.merge(&[writer.entry(&Revocation::session("i", "s"))]);
    clock.0.lock().unwrap().0 = T.plus(seconds(86_400));
    (0..=Ladder::TURNS).for_each(|_| writer.forget_some());
    assert_eq!(writer.view().entries(), 1);
}

#[test]
fn keys_are_renewed_in_the_second_half_of_what_the_log_remembers() {
    let (writer, clock) = writer();
    writer.merge(&[writer.entry(&Revocation::key("i", "k"))]);
    assert_eq!(writer.keys_to_renew(), []);
    clock.pass(HORIZON / 2 + MARGIN + seconds(1));
    let renewed = writer.keys_to_renew();
    assert_eq!(renewed.len(), 1);
    assert_eq!(renewed[0].revocation(), &Revocation::key("i", "k"));
    assert_eq!(writer.merge(&renewed), 0, "revokes nothing more");
    assert_eq!(writer.keys_to_renew(), []);
}

#[test]
fn a_view_that_is_too_full_says_so_and_drops_nothing() {
    let (writer, _) = writer();
    for at in 0..5 {
        assert_eq!(writer.view().is_too_full(), at == 4, "{at}");
        writer.merge(&[writer.entry(&Revocation::session("i", &at.to_string()))]);
    }
    assert_eq!(writer.view().entries(), 5);
}

#[test]
fn what_changes_nothing_moves_no_epoch() {
    let (writer, _) = writer();
    let epoch = || writer.view().0.signs.changes.epoch();
    let entry = writer.entry(&Revocation::version("i", "alice", 3));
    assert_eq!(writer.merge(std::slice::from_ref(&entry)), 1);
    let before = epoch();
    assert_eq!(writer.merge(&[entry]), 0);
    assert_eq!(writer.merge(&[writer.entry(&Revocation::version("i", "alice", 2))]), 0);
    assert_eq!(epoch(), before);
    assert_eq!(writer.merge(&[writer.entry(&Revocation::version("i", "alice", 4))]), 1);
    assert!(epoch() > before);
}

#[test]
fn a_view_ages_by_the_clock_on_which_more_time_has_passed() {
    let (writer, clock) = writer();
    assert_eq!(writer.view().state(), ViewState::Syncing);
    writer.confirm(writer.ask());
    assert_eq!(writer.view().state(), ViewState::Fresh);
    clock.pass(seconds(4));
    assert_eq!((writer.view().state(), writer.view().last_confirmed()), (ViewState::Fresh, Some(seconds(4))));
    clock.pass(seconds(1));
    assert_eq!(writer.view().state(), ViewState::Stale { age: seconds(5) });

    // A machine that was suspended: the wall clock shows it, the uptime does not.
    writer.confirm(writer.ask());
    let calendar = writer.view().now();
    clock.0.lock().unwrap().0 = calendar.plus(seconds(3600));
    assert!(matches!(writer.view().state(), ViewState::Stale { age } if age >= seconds(3599)));
    // A wall clock that is set back: the uptime shows it.
    clock.0.lock().unwrap().0 = calendar.minus(seconds(3600));
    assert_eq!(writer.view().state(), ViewState::Fresh);
    clock.0.lock().unwrap().1 += seconds(5);
    assert_eq!(writer.view().state(), ViewState::Stale { age: seconds(5) });
}

#[test]
fn the_time_that_the_answer_took_counts() {
    let (writer, clock) = writer();
    let asked_at = writer.ask();
    clock.pass(seconds(3));
    writer.confirm(asked_at);
    assert_eq!(writer.view().last_confirmed(), Some(seconds(3)));
    clock.pass(seconds(2));
    assert_eq!(writer.view().state(), ViewState::Stale { age: seconds(5) });
    // An older confirmation that arrives late has no effect.
    writer.confirm(writer.ask());
    writer.confirm(asked_at);
    assert_eq!(writer.view().state(), ViewState::Fresh);
}

/// The answer was in a buffer while the machine slept.
#[test]
fn an_answer_is_as_of_the_question_on_both_clocks() {
    let (writer, clock) = writer();
    let asked = writer.ask();
    let calendar = writer.view().now();
    clock.0.lock().unwrap().0 = calendar.plus(seconds(3600));
    writer.confirm(asked);
    assert!(matches!(writer.view().state(), ViewState::Stale { age } if age >= seconds(3599)));
    writer.confirm(writer.ask());
    assert_eq!(writer.view().state(), ViewState::Fresh);
}

#[test]
fn whose_key_or_whose_issuer_is_revoked_can_be_asked_alone() {
    let (writer, _) = writer();
    let claims = |iat: u64| {
        let claims = format!(r#"{{"iss":"i","sub":"u","iat":{iat},"sid":"s"}}"#);
        Facts::assertion(claims, crate::verified::Conventions::new("i".to_owned())).unwrap()
    };
    writer.merge([&writer.entry(&Revocation::session("i", "s")), &writer.entry(&Revocation::subject("i", "u", T))]);
    assert_eq!(writer.view().check_signer(&claims(T.as_secs())), None);
    writer.merge([&writer.entry(&Revocation::issuer("i", T))]);
    assert_eq!(writer.view().check_signer(&claims(T.as_secs())), Some(Level::Issuer));
    assert_eq!(writer.view().check_signer(&claims(T.as_secs() + 1)), None);
}
