//! A flood of made-up accounts of NATS, and its effect on users of known accounts.
//!
//! 100 000 users of as many accounts, each with its own token and a right proof, come at random times, through the same layers and to the same
//! handler as users of known accounts. All that is wrong is that no operator has signed their accounts, which only a look-up tells. The resolver
//! needs half a second to say that there is no such account, or never answers.
//!
//! A flood takes processor time, whatever the service does about it: two signatures of each request are right and have to be checked. So
//! users of known accounts cannot be as fast as on a quiet machine, and how much slower they get depends on the rate of the flood.
//! What the service can be held to is that look-ups add nothing to that. So the same number of requests comes at the same times from
//! users of a known account whose proofs are signed by another key: they cost the same two checks, and are refused without a
//! look-up. "Unchanged" means as fast as beside these. The table compares with the quiet service as well.
//!
//! The times of requests are the same in each turn of a round. A single worker takes the tasks in their order. Its clock runs while it works, by the
//! processor time of its thread, and is set ahead to the next request while it has nothing to do. So what clients, other programs and other
//! machines on the same host take from the processor is not in the results. By the wall clock, that decides the slowest hundredth. What
//! several workers wait for each other is not in them either. The resolver takes its time by the wall clock.
//!
//! All take short turns, so that a machine whose speed drifts is unfair to none of them.

mod arrivals;
mod callers;
mod service;
#[path = "../nats/tokens.rs"]
mod tokens;
mod work_clock;
mod worker;

use std::{
    process::ExitCode,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use callers::{Caller, Proofs, Users};
use portcullis_benches::{Budgets, Options, median, pin, resident_bytes};
use portcullis_nats::nkey::{KeyPair, OperatorKey, Role};
use service::{Service, Stranger};
use worker::{Answers, Flooding, Turn, Worker};

const FLOOD: usize = 100_000;
const ROUNDS: usize = 25;

/// How long users are timed in each round while nothing else happens.
const QUIET: Duration = Duration::from_millis(200);

/// How long a resolver takes that finds nothing.
const SLOW: Duration = Duration::from_millis(500);

/// How much longer the slowest hundredth of the requests of known users may take.
const SLOWER: f64 = 1.2;

/// How many accounts may be looked up at once.
const LOOK_UPS: usize = 64;

/// How much more memory the process may have.
const GROWTH: u64 = 8 << 20;

fn main() -> ExitCode {
    let options = Options::from_args();
    let (count, rounds) = if options.quick { (FLOOD / 20, 5) } else { (FLOOD, ROUNDS) };
    let begin = Instant::now();
    let mut bench = Bench::new(count, rounds);
    let prepared = begin.elapsed();
    (0..rounds).for_each(|round| bench.round(round));
    bench.floods.iter().for_each(|flood| bench.worker.finish(&flood.answers));
    bench.print_users(&options);
    bench.print_floods();
    let took = begin.elapsed();
    println!(
        "\n{rounds} rounds; {:.0} s, of which {:.0} s for making keys.\n",
        took.as_secs_f64(),
        prepared.as_secs_f64()
    );
    let mut budgets = Budgets::new(&options);
    bench.judge(&mut budgets);
    budgets.close()
}

struct Bench {
    worker: Worker,
    users: Users,
    /// How many requests of a flood come in one round.
    slice: usize,
    proofs: Proofs,
    quiet: Vec<Turn>,
    /// The one that costs as much without look-ups, and those of made-up accounts.
    floods: [Flood; 3],
    /// How much memory the process had before the first made-up account came.
    resident: u64,
    /// How many requests a flood has each second.
    a_second: f64,
}

struct Flood {
    name: &'static str,
    service: Service,
    callers: Arc<Vec<Caller>>,
    answers: Arc<Answers>,
    turns: Vec<Turn>,
}

impl Bench {
    fn new(count: usize, rounds: usize) -> Self {
        let operator = KeyPair::generate(Role::Operator).expect("a key");
        let users = Users::new(&operator);
        let operator = OperatorKey::try_from(*operator.public_key()).expect("an operator");
        let made_up = Arc::new(callers::made_up(count));
        let impostors = Arc::new(users.impostors(count));
        let slice = count / rounds;
        let flood = |name, callers: &Arc<Vec<Caller>>, stranger| Flood {
            name,
            service: Service::new(operator, users.known.clone(), stranger, &users.nonces),
            callers: Arc::clone(callers),
            answers: Arc::default(),
            turns: Vec::new(),
        };
        let floods = [
            flood("equal load, without look-ups", &impostors, Stranger::Hangs),
            flood("made-up accounts, slow resolver", &made_up, Stranger::NotFound(SLOW)),
            flood("made-up accounts, resolver hangs", &made_up, Stranger::Hangs),
        ];
        // Each account is looked up, each user known, and there is room for proofs.
        let worker = Worker::new();
        floods.iter().for_each(|flood| drop(worker.quiet(&flood.service, &users, QUIET, 0)));
        let mut proofs = Proofs::default();
        proofs.sign(&impostors[..slice], &users.nonce());
        pin(0);
        let a_second = worker.affordable_rate(&floods[0].service, &impostors[..slice], &proofs);
        Self { worker, users, slice, proofs, quiet: Vec::new(), floods, resident: 0, a_second }
    }

    fn round(&mut self, round: usize) {
        // The same requests of known users at the same times in each turn.
        let seed = round as u64;
        self.quiet.push(self.worker.quiet(&self.floods[0].service, &self.users, QUIET, seed));
        // Each comes first, in the middle and last, because what comes before may leave something behind. In the first round, made-up accounts come last.
        let count = self.floods.len();
        for at in (0..count).map(|turn| (turn + round) % count) {
            if (round, at) == (0, 1) {
                self.resident = resident_bytes().unwrap_or(0);
            }
            let flood = &mut self.floods[at];
            let callers = &flood.callers[round * self.slice..][..self.slice];
            self.proofs.sign(callers, &self.users.nonce());
            let (proofs, answers, a_second) = (&self.proofs, &flood.answers, self.a_second);
            let flooding = Flooding { callers, proofs, answers, a_second };
            flood.turns.push(self.worker.beside(&flood.service, &self.users, flooding, seed));
        }
    }

    fn print_users(&self, options: &Options) {
        println!("\n| users of known accounts | beside | p50 µs | p99 µs | p99 / quiet | p99 / equal load | load |");
        println!("|---|---|---:|---:|---:|---:|---:|");
        for (kind, users) in ["with a proof", "without a proof"].into_iter().enumerate() {
            let quiet = ("nothing else", &self.quiet);
            let rows = [quiet].into_iter().chain(self.floods.iter().map(|flood| (flood.name, &flood.turns)));
            for (name, turns) in rows {
                let [p50, p99] = [0.5, 0.99].map(|at| quantile(turns, kind, at));
                let to_quiet = ratio(turns, &self.quiet, kind);
                let to_equal = ratio(turns, &self.floods[0].turns, kind);
                let load = median(turns.iter().map(|turn| turn.load * 100.0).collect());
                println!("| {users} | {name} | {p50:.0} | {p99:.0} | {to_quiet:.2} | {to_equal:.2} | {load:.0} % |");
                options.record_ns("nats_flood", users, name, p99 * 1000.0, 0);
            }
        }
    }

    fn print_floods(&self) {
        println!("\n| the flood | requests | 401 | 503 | other | look-ups | at once, at most |");
        println!("|---|---:|---:|---:|---:|---:|---:|");
        for flood in &self.floods {
            let Answers { sent, unauthorized, unavailable, other } = &*flood.answers;
            let [sent, unauthorized, unavailable, other] =
                [sent, unauthorized, unavailable, other].map(|count| count.load(Relaxed));
            let (asked, most) = (flood.service.resolver.asked(), flood.service.resolver.most_under_way());
            println!("| {} | {sent} | {unauthorized} | {unavailable} | {other} | {asked} | {most} |", flood.name);
        }
    }

    fn judge(&self, budgets: &mut Budgets) {
        let [equal, made_up @ ..] = &self.floods;
        for flood in made_up {
            for (kind, users) in ["with a proof", "without a proof"].into_iter().enumerate() {
                let [p99, base] = [flood, equal].map(|flood| quantile(&flood.turns, kind, 0.99));
                let what =
                    format!("{}: p99 of users {users} {p99:.0} µs, beside an equal load {base:.0} µs", flood.name);
                budgets.judge(&format!("{what} (budget {SLOWER} times that)"), p99 <= base * SLOWER);
            }
            let most = flood.service.resolver.most_under_way();
            budgets.judge(&format!("{}: {most} look-ups at once (budget {LOOK_UPS})", flood.name), most <= LOOK_UPS);
        }
        let turns = || self.floods.iter().flat_map(|flood| &flood.turns).chain(&self.quiet);
        let refused: usize = turns().map(|turn| turn.refused).sum();
        budgets.judge(&format!("{refused} requests of known users refused (budget 0)"), refused == 0);
        let growth = turns().map(|turn| turn.resident).max().unwrap_or(0).saturating_sub(self.resident);
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let line = format!("{:.1} MiB more memory (budget {:.0} MiB)", mebibytes(growth), mebibytes(GROWTH));
        budgets.judge(&line, growth < GROWTH);
    }
}

/// Returns a quantile of the times of all turns.
fn quantile(turns: &[Turn], kind: usize, at: f64) -> f64 {
    let mut times: Vec<f64> = turns.iter().flat_map(|turn| &turn.times[kind]).copied().collect();
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * at) as usize]
}

/// Returns how much longer the slowest hundredth takes.
fn ratio(turns: &[Turn], base: &[Turn], kind: usize) -> f64 {
    quantile(turns, kind, 0.99) / quantile(base, kind, 0.99)
}
