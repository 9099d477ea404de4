//! [`Worker`]: serves requests that come at given times, and notes how long each takes.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::body::Body;
use http::{Request, StatusCode};
use portcullis_benches::resident_bytes;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::yield_now,
    time::sleep,
};
use tower_service::Service as _;

use crate::{
    arrivals::{Arrivals, Until, Who},
    callers::{Caller, Proofs, Users, bearer_request},
    service::Service,
    work_clock::WorkClock,
};

/// How much of the worker's time a flood takes. Without a reserve, requests queue for as long as the flood lasts.
const LOAD: f64 = 0.4;

/// How often the worker finds nothing to do before it is taken to be idle, and how long that takes at most.
const IDLE: (usize, Duration) = (64, Duration::from_micros(5));

/// One worker, which takes the tasks in their order.
pub struct Worker(Runtime);

/// The callers of a flood, their proofs, and what becomes of them.
#[derive(Clone, Copy)]
pub struct Flooding<'a> {
    pub callers: &'a [Caller],
    pub proofs: &'a Proofs,
    pub answers: &'a Arc<Answers>,
    pub a_second: f64,
}

/// What came of one turn.
pub struct Turn {
    /// How long requests took in microseconds: those with proofs, and those without.
    pub times: [Vec<f64>; 2],
    /// How many requests of known users were refused.
    pub refused: usize,
    /// Which part of the time the worker has worked.
    pub load: f64,
    /// How much memory the process had at most.
    pub resident: u64,
}

/// How the requests of a flood were answered.
#[derive(Default)]
pub struct Answers {
    pub sent: AtomicUsize,
    pub unauthorized: AtomicUsize,
    pub unavailable: AtomicUsize,
    pub other: AtomicUsize,
}

/// What tasks and the turn share.
struct Shared {
    clock: WorkClock,
    /// How often a request went on.
    polls: AtomicUsize,
    answered: Mutex<Answered>,
}

#[derive(Default)]
struct Answered {
    times: [Vec<f64>; 2],
    refused: usize,
}

impl Answers {
    /// How many requests are not answered yet.
    fn unanswered(&self) -> usize {
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

impl Worker {
    pub fn new() -> Self {
        // A request that comes is behind those that have come before, and not behind more.
        let runtime = Builder::new_current_thread().enable_time().event_interval(1).build();
        Self(runtime.expect("a runtime"))
    }

    /// Returns how many requests a second take [`LOAD`] of the worker's time, if each takes as long as those of these callers.
    pub fn affordable_rate(&self, service: &Service, callers: &[Caller], proofs: &Proofs) -> f64 {
        let requests: Vec<_> =
            callers.iter().zip(proofs.iter()).map(|(caller, proof)| caller.request_with(proof)).collect();
        let (clock, count) = (WorkClock::start(), requests.len());
        for request in requests {
            self.0.block_on(call(service, request));
        }
        LOAD * count as f64 / clock.now().as_secs_f64()
    }

    /// Times known users for this long while nothing else happens.
    pub fn quiet(&self, service: &Service, users: &Users, time: Duration, seed: u64) -> Turn {
        self.0.block_on(turn(service, users, None, Arrivals::new(Until::Time(time), seed)))
    }

    /// Times known users while a flood comes.
    pub fn beside(&self, service: &Service, users: &Users, flooding: Flooding<'_>, seed: u64) -> Turn {
        let until = Until::Flood { count: flooding.callers.len(), a_second: flooding.a_second };
        self.0.block_on(turn(service, users, Some(flooding), Arrivals::new(until, seed)))
    }

    /// Waits until each request is answered.
    pub fn finish(&self, answers: &Answers) {
        self.0.block_on(async {
            while answers.unanswered() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        });
    }
}

async fn turn(service: &Service, users: &Users, flooding: Option<Flooding<'_>>, mut arrivals: Arrivals) -> Turn {
    let nonce = users.nonce();
    let shared = Arc::new(Shared { clock: WorkClock::start(), polls: AtomicUsize::new(0), answered: Mutex::default() });
    let (mut sent, mut resident) = (0, 0);
    loop {
        let now = shared.clock.now();
        // The clients' part is not the worker's.
        shared.clock.without(|| {
            while let Some((time, who)) = arrivals.take(now) {
                match who {
                    Who::Flood(at) => flooding.iter().for_each(|flooding| flooding.send(at, service, &shared)),
                    Who::Proven(at) => {
                        let request = users.proven[at % users.proven.len()].request(&nonce);
                        shared.send(service, request, (0, time));
                    }
                    Who::Bearer(at) => {
                        shared.send(service, bearer_request(&users.bearer[at % users.bearer.len()]), (1, time));
                    }
                }
                if !matches!(who, Who::Flood(_)) {
                    sent += 1;
                    if sent % 64 == 0 {
                        resident = resident.max(resident_bytes().unwrap_or(0));
                    }
                }
            }
        });
        if shared.is_idle().await {
            match arrivals.next_time() {
                Some(time) => shared.clock.skip_to(time),
                None if shared.lock().count() == sent => break,
                None => {}
            }
        }
    }
    let Answered { times, refused } = std::mem::take(&mut *shared.lock());
    Turn { times, refused, load: shared.clock.load(), resident }
}

impl Flooding<'_> {
    fn send(&self, at: usize, service: &Service, shared: &Arc<Shared>) {
        let Some((caller, proof)) = self.callers.get(at).zip(self.proofs.iter().nth(at)) else { return };
        self.answers.sent.fetch_add(1, Relaxed);
        let (answer, answers) = (call(service, caller.request_with(proof)), Arc::clone(self.answers));
        shared.spawn(async move { answers.note(answer.await) });
    }
}

impl Shared {
    /// Sends the request of a known user, of this kind, that came at this time.
    fn send(self: &Arc<Self>, service: &Service, request: Request<Body>, (kind, came): (usize, Duration)) {
        let (answer, shared) = (call(service, request), Arc::clone(self));
        self.spawn(async move {
            let status = answer.await;
            let took = shared.clock.now() - came;
            let mut answered = shared.lock();
            answered.times[kind].push(took.as_secs_f64() * 1e6);
            answered.refused += usize::from(status != StatusCode::OK);
        });
    }

    fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let shared = Arc::clone(self);
        Handle::current().spawn(async move {
            let mut task = pin!(task);
            poll_fn(|context| {
                shared.polls.fetch_add(1, Relaxed);
                task.as_mut().poll(context)
            })
            .await;
        });
    }

    /// Lets the worker go on. Returns whether it has nothing to do until another request comes.
    async fn is_idle(&self) -> bool {
        let polls = self.polls.load(Relaxed);
        for _ in 0..IDLE.0 {
            let before = self.clock.now();
            yield_now().await;
            let took = self.clock.now() - before;
            // A look-up may have gone on, which counts.
            if self.polls.load(Relaxed) != polls || took > IDLE.1 {
                return false;
            }
            self.clock.put_back(took);
        }
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    fn count(&self) -> usize {
        self.times.iter().map(Vec::len).sum()
    }
}

fn call(service: &Service, request: Request<Body>) -> impl Future<Output = StatusCode> + Send + use<> {
    let mut router = service.router.clone();
    async move {
        let Ok(response) = router.call(request).await;
        response.status()
    }
}
