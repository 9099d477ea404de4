//! Tests the plan of key rotations: random schedules, in which no token may be refused, and plans with a term left out, in which some must be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{Algorithm, UnixTime};
use portcullis_issuer::key_ring::KeyPlan;

const SCHEDULES: u32 = 200_000;

/// Change it to search elsewhere. A failure prints the number of the schedule.
const SEED: u64 = 7;

/// The times of a schedule, in seconds.
#[derive(Clone, Copy, Debug)]
struct Terms {
    p: u64,
    e: u64,
    m: u64,
    d: u64,
    v: u64,
    o: u64,
    l: u64,
    w: u64,
}

/// How long a key is published before and after it signs.
struct Bounds {
    signs_from: fn(&KeyPlan, UnixTime) -> UnixTime,
    published_until: fn(&KeyPlan, UnixTime, Duration) -> UnixTime,
}

/// What is left out of the plan: a term of the first bound or of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    P1,
    D,
    V,
    O,
    E1,
    P2,
    E2,
    /// The second bound counts the difference of clocks once.
    E2Once,
    L,
    W,
}

/// xorshift64*, so that a seed gives the same schedules on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn flip(&mut self) -> bool {
        self.next() >> 63 == 1
    }

    /// Extremes are as likely as all the rest.
    fn pick(&mut self, low: u64, high: u64) -> u64 {
        match self.next() >> 32 {
            kind if kind < 0x4ccc_cccc => low,
            kind if kind < 0x9999_9999 => high,
            _ => low + (self.next() >> 11) % (high - low + 1),
        }
    }

    fn real(&mut self, low: f64, high: f64) -> f64 {
        match self.next() >> 32 {
            kind if kind < 0x4ccc_cccc => low,
            kind if kind < 0x9999_9999 => high,
            _ => low + self.unit() * (high - low),
        }
    }

    fn terms(&mut self) -> Terms {
        let m = self.pick(60, 3600);
        Terms {
            p: self.pick(1, 60),
            e: self.pick(0, 120),
            m,
            d: self.pick(0, 600),
            v: self.pick(m, 43_200),
            o: self.pick(0, 3600),
            l: self.pick(60, 86_400),
            w: self.pick(0, 300),
        }
    }
}

impl Mutant {
    fn term(self, terms: &Terms) -> Option<u64> {
        Some(match self {
            Self::None => return None,
            Self::P1 | Self::P2 => terms.p,
            Self::D => terms.d,
            Self::V => terms.v,
            Self::O => terms.o,
            Self::E1 | Self::E2 | Self::E2Once => terms.e,
            Self::L => terms.l,
            Self::W => terms.w,
        })
    }

    /// Returns the plans that the two bounds follow from.
    fn plans(self, terms: &Terms) -> (KeyPlan, KeyPlan) {
        let plan = |terms: &Terms| {
            KeyPlan::new()
                .read_every(secs(terms.p))
                .store_outage(secs(0))
                .clock_difference(secs(terms.e))
                .max_age(secs(terms.m))
                .caches(secs(terms.d))
                .verifiers_keep(secs(terms.v))
                .route_outage(secs(terms.o))
                .leeway(secs(terms.w))
        };
        let (mut first, mut second) = (*terms, *terms);
        match self {
            Self::None | Self::L => {}
            Self::P1 => first.p = 0,
            Self::D => first.d = 0,
            Self::V => (first.v, first.m) = (0, 0),
            Self::O => first.o = 0,
            Self::E1 => first.e = 0,
            Self::P2 => second.p = 0,
            Self::E2 => second.e = 0,
            // The bound has it twice.
            Self::E2Once => second.e /= 2,
            Self::W => second.w = 0,
        }
        (plan(&first), plan(&second))
    }
}

/// Plays one rotation with a token of the new key or the old one, and a verifier that uses a key set from some time before. Returns whether the token is
/// refused although it has not expired; `None` if the mutant is no different.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
fn is_refused(random: &mut Random, mutant: Mutant, bounds: &Bounds) -> Option<bool> {
    let terms = random.terms();
    if mutant.term(&terms).is_some_and(|left_out| left_out < 3) {
        return None;
    }
    let (first, second) = mutant.plans(&terms);
    let (p, l, w) = (terms.p as f64, terms.l as f64, terms.w as f64);
    // Clocks show whole seconds of real time plus an offset, and any two differ by at most E.
    let mut offset = || {
        let half = terms.e as f64 / 2.0;
        random.real(-half, half)
    };
    let (publisher, activator, signer, server, verifier) = (offset(), offset(), offset(), offset(), offset());
    let shown = |real: f64, offset: f64| UnixTime::from_secs((real + offset).floor() as u64);
    // A fraction of a second that is nearly one is the worst.
    let published = 1_000_000.0 + random.real(0.0, 0.999_999) - publisher;
    let signs_from = (bounds.signs_from)(&first, shown(published, publisher));
    let replaced = signs_from.as_secs() as f64 - activator + random.real(0.0, 0.999_999);
    let life = secs(if mutant == Mutant::L { 0 } else { terms.l });
    let until = (bounds.published_until)(&second, shown(replaced, activator), life);
    // The server knows the new key, and the signer the end of the old one, when they have read the document.
    let (server_knows, signer_knows) = (published + random.real(0.0, p), replaced + random.real(0.0, p));
    let (is_new, early) = (random.flip(), random.flip());
    let within = if early { 0.0 } else { random.unit() * l };
    let minted = if is_new { replaced + within } else { signer_knows - 1e-6 - within };
    let expiry = (minted + signer).floor() + l;
    // Used at some time before it has expired for this verifier, whose key set is as old as the plan allows.
    let last_use = expiry + w - verifier - 1e-6;
    if last_use < minted {
        return None;
    }
    let used = random.real(minted, last_use);
    let outage = if random.flip() { terms.o } else { 0 };
    let age = random.real(0.0, (terms.v + outage) as f64) + random.real(0.0, terms.d as f64);
    let served = used - age;
    let has_key = if is_new { served >= server_knows - 1e-6 } else { shown(served, server) < until };
    Some(!has_key)
}

fn refused(mutant: Mutant, bounds: &Bounds) -> usize {
    let mut random = Random(SEED.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let refused = (0..SCHEDULES).filter(|_| is_refused(&mut random, mutant, bounds) == Some(true)).count();
    eprintln!("seed {SEED}, {SCHEDULES} schedules, without {mutant:?}: {refused} refused");
    refused
}

const AS_WRITTEN: Bounds = Bounds { signs_from: KeyPlan::signs_from, published_until: KeyPlan::published_until };

#[test]
fn no_token_is_refused_in_200_000_random_rotations() {
    assert_eq!(refused(Mutant::None, &AS_WRITTEN), 0);
}

#[test]
fn a_second_less_refuses_tokens_for_either_bound() {
    let early: fn(&KeyPlan, UnixTime) -> UnixTime = |plan, published| plan.signs_from(published).minus(secs(1));
    let short: fn(&KeyPlan, UnixTime, Duration) -> UnixTime =
        |plan, replaced, life| plan.published_until(replaced, life).minus(secs(1));
    assert!(refused(Mutant::None, &Bounds { signs_from: early, ..AS_WRITTEN }) > 0);
    assert!(refused(Mutant::None, &Bounds { published_until: short, ..AS_WRITTEN }) > 0);
}

#[test]
fn no_term_of_the_plan_can_be_left_out() {
    use Mutant::{D, E1, E2, E2Once, L, O, P1, P2, V, W};
    for mutant in [P1, D, V, O, E1, P2, E2, E2Once, L, W] {
        assert!(refused(mutant, &AS_WRITTEN) > 0, "{mutant:?}");
    }
}

#[test]
fn the_defaults_give_these_times() {
    let plan = KeyPlan::new();
    assert_eq!(plan.problems().count(), 0);
    assert_eq!(plan.propagation(), secs(310));
    assert_eq!(plan.published_max_age(), secs(300));
    // P + V + O, and one E and a second more.
    assert_eq!(plan.learned_by_all(), secs(310 + 43_200 + 3600));
    assert_eq!(plan.standby_time(), secs(310 + 43_200 + 3600 + 60 + 1));
    // P + 2 E + L + W
    let replaced = UnixTime::from_secs(1_800_000_000);
    assert_eq!(plan.published_until(replaced, secs(600)).since(replaced), secs(310 + 120 + 600 + 300));
}

/// They are not published: each instance that reads the document is a verifier.
#[test]
fn secrets_have_the_same_plan_without_a_key_set() {
    let plan = KeyPlan::new().for_algorithm(Algorithm::Hs256);
    assert!(!plan.is_published() && KeyPlan::new().for_algorithm(Algorithm::Es256).is_published());
    assert_eq!(plan.standby_time(), secs(310 + 310 + 60 + 1));
    // A `max-age` that would be too long for a published set does not matter.
    assert_eq!(plan.max_age(secs(7200)).problems().count(), 0);
}

#[test]
fn verifiers_keep_a_set_for_at_least_its_max_age() {
    let plan = KeyPlan::new().verifiers_keep(secs(0));
    assert_eq!(plan.learned_by_all(), secs(310 + 300 + 3600));
}

#[test]
fn a_plan_that_cannot_work_is_refused() {
    let plan = KeyPlan::new();
    let problem = |plan: KeyPlan| plan.problems().collect::<Vec<_>>().join("; ");
    assert_eq!(problem(plan.read_every(secs(1))), "");
    assert!(problem(plan.read_every(Duration::from_millis(999))).contains("`read_every`"));
    assert_eq!(problem(plan.max_age(secs(3600))), "");
    assert!(problem(plan.max_age(secs(3601))).contains("an hour is the most"));
    // A quarter of P + V + O + E + 1 = 310 + V + 0 + 60 + 1, where V is the `max-age` itself.
    let short = plan.verifiers_keep(secs(0)).route_outage(secs(0));
    assert_eq!(problem(short.max_age(secs(123))), "");
    assert!(problem(short.max_age(secs(124))).contains("more than a quarter"));
    assert!(problem(plan.verifiers_keep(Duration::MAX)).contains("longer than a year"));
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
