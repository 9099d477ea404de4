//! Requests at a fixed rate, and how long those of known users take.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use axum::body::Body;
use http::{Request, StatusCode};
use portcullis_benches::{processor_time, resident_bytes};
use tokio::runtime::Handle;
use tower_service::Service as _;

use crate::{
    callers::{Caller, Proofs, Users, bearer_request},
    service::Service,
};

/// How many requests known users send a second. Every third has a proof, whose id the service has to remember.
const USERS_A_SECOND: u32 = 1_500;

/// How many requests a flood has each second, at most: less than half of what two processors can do.
pub const FLOOD_A_SECOND: u32 = 6_000;

/// How many requests of a flood may be unanswered at once, as if each came on a connection of its own. Without a bound, a machine that is too slow for the
/// rate would be measured by how much it can queue.
const CONNECTIONS: usize = 256;

/// What came of one turn.
pub struct Turn {
    /// How long requests took in microseconds: those with proofs, and those without.
    pub times: [Vec<f64>; 2],
    /// How many requests of known users were refused.
    pub refused: usize,
    /// How much of the processors' time the process has used.
    pub processors: f64,
    /// How much memory the process had at most.
    pub resident: u64,
    pub took: Duration,
}

/// How the requests of a flood were answered.
#[derive(Default)]
pub struct Answers {
    pub sent: AtomicUsize,
    pub unauthorized: AtomicUsize,
    pub unavailable: AtomicUsize,
    pub other: AtomicUsize,
}

impl Answers {
    /// How many requests are not answered yet.
    pub fn unanswered(&self) -> usize {
        let answered: usize =
            [&self.unauthorized, &self.unavailable, &self.other].map(|count| count.load(Relaxed)).iter().sum();
        self.sent.load(Relaxed) - answered
    }

    fn note(&self, status: StatusCode) {
        let count = match status {
            StatusCode::UNAUTHORIZED => &self.unauthorized,
            StatusCode::SERVICE_UNAVAILABLE => &self.unavailable,
            _ => &self.other,
        };
        count.fetch_add(1, Relaxed);
    }
}

/// Times known users for this long while nothing else happens.
pub fn quiet(runtime: &Handle, service: &Service, users: &Users, time: Duration) -> Turn {
    let until = Instant::now() + time;
    timed(runtime, service, users, || {
        thread::sleep(until.saturating_duration_since(Instant::now()));
    })
}

/// Times known users while these callers send a request each.
pub fn beside(
    runtime: &Handle,
    service: &Service,
    users: &Users,
    (callers, proofs, answers): (&[Caller], &Proofs, &Arc<Answers>),
) -> Turn {
    timed(runtime, service, users, || {
        let mut pace = Pace::new(FLOOD_A_SECOND);
        for (caller, proof) in callers.iter().zip(proofs.iter()) {
            pace.wait();
            while answers.unanswered() >= CONNECTIONS {
                thread::sleep(Duration::from_micros(100));
            }
            answers.sent.fetch_add(1, Relaxed);
            let (answer, answers) = (call(service, caller.request_with(proof)), Arc::clone(answers));
            runtime.spawn(async move { answers.note(answer.await) });
        }
    })
}

/// Times known users until `other` is over, which runs on another thread.
fn timed(runtime: &Handle, service: &Service, users: &Users, other: impl FnOnce() + Send) -> Turn {
    let over = AtomicBool::new(false);
    let (begin, used) = (Instant::now(), processor_time());
    let mut turn = thread::scope(|scope| {
        scope.spawn(|| {
            // Also if it panics, or this would wait for ever.
            let _over = SetOnDrop(&over);
            other();
        });
        known_users(runtime, service, users, &over)
    });
    let used = processor_time() - used;
    let processors = thread::available_parallelism().map_or(1, Into::into);
    turn.took = begin.elapsed();
    turn.processors = used.as_secs_f64() / turn.took.as_secs_f64() / processors as f64;
    turn
}

fn known_users(runtime: &Handle, service: &Service, users: &Users, over: &AtomicBool) -> Turn {
    let (nonce, mut pace) = (users.nonce(), Pace::new(USERS_A_SECOND));
    let answered = Arc::new(Mutex::new((Vec::<(bool, f64)>::with_capacity(1 << 14), 0)));
    let (mut sent, mut resident) = (0, 0);
    while !over.load(Relaxed) {
        pace.wait();
        let (is_proven, place) = (sent % 3 == 0, sent / 3);
        let request = if is_proven {
            users.proven[place % users.proven.len()].request(&nonce)
        } else {
            bearer_request(&users.bearer[place % users.bearer.len()])
        };
        let (answer, answered) = (call(service, request), Arc::clone(&answered));
        let begin = Instant::now();
        runtime.spawn(async move {
            let status = answer.await;
            let time = begin.elapsed().as_secs_f64() * 1e6;
            let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
            answered.0.push((is_proven, time));
            answered.1 += usize::from(status != StatusCode::OK);
        });
        sent += 1;
        if sent % 64 == 0 {
            resident = resident.max(resident_bytes().unwrap_or(0));
        }
    }
    let (times, refused) = loop {
        let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.0.len() == sent {
            break std::mem::take(&mut *answered);
        }
        drop(answered);
        thread::sleep(Duration::from_millis(1));
    };
    let of = |proven: bool| times.iter().filter(|(is_proven, _)| *is_proven == proven).map(|time| time.1).collect();
    Turn { times: [of(true), of(false)], refused, processors: 0.0, resident, took: Duration::ZERO }
}

fn call(service: &Service, request: Request<Body>) -> impl Future<Output = StatusCode> + Send + use<> {
    let mut router = service.router.clone();
    async move {
        let Ok(response) = router.call(request).await;
        response.status()
    }
}

/// Sends at this rate. After a delay, it catches up by no more than [`Pace::BEHIND`], so that the rate is never much higher.
struct Pace {
    next: Instant,
    interval: Duration,
}

impl Pace {
    const BEHIND: Duration = Duration::from_millis(5);

    fn new(a_second: u32) -> Self {
        Self { next: Instant::now(), interval: Duration::from_secs(1) / a_second }
    }

    fn wait(&mut self) {
        let now = Instant::now();
        thread::sleep(self.next.saturating_duration_since(now));
        let earliest = now.checked_sub(Self::BEHIND).unwrap_or(now);
        self.next = self.next.max(earliest) + self.interval;
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
