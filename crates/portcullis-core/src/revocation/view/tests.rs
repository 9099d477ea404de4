use std::time::Duration;

use super::*;

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

fn view() -> (RevocationView, Arc<Hand>) {
    let clock = Arc::new(Hand(Mutex::new((T, Duration::from_secs(50)))));
    (RevocationView::builder(HORIZON).clock(Arc::clone(&clock)).max_entries(3).build(), clock)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_entry_is_forgotten_when_no_token_that_it_could_hit_is_alive() {
    let (view, clock) = view();
    let forget = || (0..=Ladder::TURNS).for_each(|_| view.forget_some());
    view.merge(&[
        view.entry(&Revocation::token("i", "short", T.plus(seconds(60)))),
        view.entry(&Revocation::token("i", "a number that is no time", UnixTime::MAX)),
        view.entry(&Revocation::session("i", "s")),
        view.entry(&Revocation::issuer("i", T)),
        view.entry(&Revocation::key("i", "k")),
    ]);
    clock.pass(MARGIN + seconds(59));
    forget();
    assert_eq!(view.entries(), 5);
    clock.pass(seconds(1));
    forget();
    assert_eq!(view.entries(), 4);
    clock.pass(HORIZON);
    forget();
    assert_eq!(
        view.entries(),
        2,
        "neither keys are forgotten, nor a token before it has expired, which is taken to be within a year"
    );
    clock.pass(seconds(366 * 86_400));
    forget();
    assert_eq!(view.entries(), 1, "keys are not forgotten");
    assert_eq!(view.merge(&[view.entry(&Revocation::key("i", "k"))]), 0, "it is no news");
}

#[test]
fn an_entry_that_is_past_remembering_is_not_taken_in_and_a_key_always_is() {
    let (view, _) = view();
    assert_eq!(view.merge(&[RevocationEntry::new(Revocation::session("i", "s"), T)]), 0);
    assert_eq!(view.merge(&[RevocationEntry::new(Revocation::session("i", "s"), T.plus(seconds(1)))]), 1);
    assert_eq!(view.merge(&[RevocationEntry::new(Revocation::key("i", "k"), T)]), 1);
}

#[test]
fn a_clock_that_is_set_ahead_and_back_makes_nothing_forgotten() {
    let (view, clock) = view();
    view.merge(&[view.entry(&Revocation::session("i", "s"))]);
    clock.0.lock().unwrap().0 = T.plus(seconds(86_400));
    (0..=Ladder::TURNS).for_each(|_| view.forget_some());
    assert_eq!(view.entries(), 1);
}

#[test]
fn keys_are_renewed_in_the_second_half_of_what_the_log_remembers() {
    let (view, clock) = view();
    view.merge(&[view.entry(&Revocation::key("i", "k"))]);
    assert_eq!(view.keys_to_renew(), []);
    clock.pass(HORIZON / 2 + MARGIN + seconds(1));
    let renewed = view.keys_to_renew();
    assert_eq!(renewed.len(), 1);
    assert_eq!(renewed[0].revocation(), &Revocation::key("i", "k"));
    assert_eq!(view.merge(&renewed), 0, "revokes nothing more");
    assert_eq!(view.keys_to_renew(), []);
}

#[test]
fn a_view_that_is_too_full_says_so_and_drops_nothing() {
    let (view, _) = view();
    for at in 0..5 {
        assert_eq!(view.is_too_full(), at == 4, "{at}");
        view.merge(&[view.entry(&Revocation::session("i", &at.to_string()))]);
    }
    assert_eq!(view.entries(), 5);
}

#[test]
fn what_changes_nothing_moves_no_epoch() {
    let (view, _) = view();
    let epoch = || view.0.signs.changes.epoch();
    let entry = view.entry(&Revocation::version("i", "alice", 3));
    assert_eq!(view.merge(std::slice::from_ref(&entry)), 1);
    let before = epoch();
    assert_eq!(view.merge(&[entry]), 0);
    assert_eq!(view.merge(&[view.entry(&Revocation::version("i", "alice", 2))]), 0);
    assert_eq!(epoch(), before);
    assert_eq!(view.merge(&[view.entry(&Revocation::version("i", "alice", 4))]), 1);
    assert!(epoch() > before);
}

#[test]
fn a_view_ages_by_the_clock_on_which_more_time_has_passed() {
    let (view, clock) = view();
    assert_eq!(view.state(), ViewState::Syncing);
    view.confirm(view.ask());
    assert_eq!(view.state(), ViewState::Fresh);
    clock.pass(seconds(4));
    assert_eq!((view.state(), view.last_confirmed()), (ViewState::Fresh, Some(seconds(4))));
    clock.pass(seconds(1));
    assert_eq!(view.state(), ViewState::Stale { age: seconds(5) });

    // A machine that was suspended: the calendar says so, the uptime does not.
    view.confirm(view.ask());
    let calendar = view.now();
    clock.0.lock().unwrap().0 = calendar.plus(seconds(3600));
    assert!(matches!(view.state(), ViewState::Stale { age } if age >= seconds(3599)));
    // A calendar that is set back: the uptime says so.
    clock.0.lock().unwrap().0 = calendar.minus(seconds(3600));
    assert_eq!(view.state(), ViewState::Fresh);
    clock.0.lock().unwrap().1 += seconds(5);
    assert_eq!(view.state(), ViewState::Stale { age: seconds(5) });
}

#[test]
fn the_time_that_the_answer_took_counts() {
    let (view, clock) = view();
    let asked_at = view.ask();
    clock.pass(seconds(3));
    view.confirm(asked_at);
    assert_eq!(view.last_confirmed(), Some(seconds(3)));
    clock.pass(seconds(2));
    assert_eq!(view.state(), ViewState::Stale { age: seconds(5) });
    // An older confirmation that comes late takes nothing away.
    view.confirm(view.ask());
    view.confirm(asked_at);
    assert_eq!(view.state(), ViewState::Fresh);
}

/// The answer lay in a buffer while the machine slept.
#[test]
fn an_answer_is_as_of_the_question_on_both_clocks() {
    let (view, clock) = view();
    let asked = view.ask();
    let calendar = view.now();
    clock.0.lock().unwrap().0 = calendar.plus(seconds(3600));
    view.confirm(asked);
    assert!(matches!(view.state(), ViewState::Stale { age } if age >= seconds(3599)));
    view.confirm(view.ask());
    assert_eq!(view.state(), ViewState::Fresh);
}

#[test]
fn a_view_has_what_it_remembers_for_nearly_as_long() {
    let (view, clock) = view();
    let all = [
        Revocation::token("i", "t", T.plus(HORIZON)),
        Revocation::session("i", "s"),
        Revocation::subject("i", "u", T),
        Revocation::version("i", "u", 3),
        Revocation::client("i", "c", T),
        Revocation::key("i", "k"),
        Revocation::issuer("i", T),
    ];
    for revocation in &all {
        let entry = view.entry(revocation);
        assert!(!view.has(&entry), "{revocation:?}");
        view.merge([&entry]);
        assert!(view.has(&entry), "{revocation:?}");
    }
    assert!(!view.has(&view.entry(&Revocation::version("i", "u", 4))), "a stricter one");
    assert!(!view.has(&view.entry(&Revocation::issuer("i", T.plus(seconds(1))))));
    clock.pass(seconds(61));
    assert!(!view.has(&view.entry(&Revocation::session("i", "s"))), "it would be forgotten too early");
}

#[test]
fn whose_key_or_whose_issuer_is_revoked_can_be_asked_alone() {
    let (view, _) = view();
    let claims = |iat: u64| {
        let claims = format!(r#"{{"iss":"i","sub":"u","iat":{iat},"sid":"s"}}"#);
        Facts::assertion(claims, crate::verified::Conventions::new("i".to_owned())).unwrap()
    };
    view.merge([&view.entry(&Revocation::session("i", "s")), &view.entry(&Revocation::subject("i", "u", T))]);
    assert_eq!(view.check_signer(&claims(T.as_secs())), None);
    view.merge([&view.entry(&Revocation::issuer("i", T))]);
    assert_eq!(view.check_signer(&claims(T.as_secs())), Some(Level::Issuer));
    assert_eq!(view.check_signer(&claims(T.as_secs() + 1)), None);
}
