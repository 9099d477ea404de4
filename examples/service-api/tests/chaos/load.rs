//! Clients that log out without pause, and look how soon the other instance knows.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    client::{Client, NoAnswer},
    support::token::{self, signed_with},
};

/// For as long after the acknowledgement another instance may serve a token: `max_staleness` of the instances here, if it cannot reach the
/// log; and a second for the answer to arrive.
pub(crate) const LATEST: Duration = Duration::from_secs(3 + 1);

/// How many of them each instance has.
const CLIENTS: usize = 4;

/// Between two revocations of a client, so that the tokens can be presented again in the end.
const PAUSE: Duration = Duration::from_millis(25);

/// How many tries a client makes, 20 ms apart, before it gives a revocation up.
const TRIES: usize = 500;

/// For how long a client presents a token to the other instance until that refuses it.
const WATCHED: Duration = Duration::from_secs(60);

/// Before a client tries again what told it nothing.
const AGAIN: Duration = Duration::from_millis(20);

pub(crate) struct Load {
    clients: JoinSet<Counts>,
    is_over: Arc<AtomicBool>,
}

/// What became of the revocations.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// The tokens, which no instance may accept any more.
    pub(crate) acknowledged: Vec<String>,
    /// For how long after the acknowledgement the other instance served them.
    pub(crate) lags: Vec<Duration>,
    /// Requests to which nothing came, neither an answer nor the end of the connection.
    pub(crate) unanswered: usize,
}

impl Load {
    /// Clients at each instance, and one that uses a valid token at all of them.
    pub(crate) fn start(addresses: &[SocketAddr]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for which in (0..addresses.len()).flat_map(|which| [which; CLIENTS]) {
            let (here, there) = (addresses[which], addresses[(which + 1) % addresses.len()]);
            clients.spawn(log_out_again_and_again(here, there, Arc::clone(&is_over)));
        }
        clients.spawn(use_again_and_again(addresses.to_vec(), Arc::clone(&is_over)));
        Self { clients, is_over }
    }

    pub(crate) async fn stop(mut self) -> Counts {
        self.is_over.store(true, SeqCst);
        let mut total = Counts::default();
        while let Some(counts) = self.clients.join_next().await {
            let Counts { acknowledged, lags, unanswered } = counts.unwrap();
            total.acknowledged.extend(acknowledged);
            total.lags.extend(lags);
            total.unanswered += unanswered;
        }
        total
    }
}

/// A token of a session of its own.
pub(crate) fn token(name: &str) -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let id = format!("{name}-{}", MADE.fetch_add(1, SeqCst));
    let claims = json!({ "jti": id, "sid": id, "ver": token::now(), "scope": "orders:read" });
    signed_with("2026-11", 1, claims)
}

async fn log_out_again_and_again(here: SocketAddr, there: SocketAddr, is_over: Arc<AtomicBool>) -> Counts {
    let mut client = Client::default();
    let mut counts = Counts::default();
    while !is_over.load(SeqCst) {
        let token = token("session");
        if is_acknowledged(&mut client, here, &token, &mut counts.unanswered).await {
            counts.lags.push(served_for(&mut client, there, &token, &mut counts.unanswered).await);
            counts.acknowledged.push(token);
        }
        sleep(PAUSE).await;
    }
    counts
}

/// Tries until the answer is one of 204 and 401. (The latter says that it was revoked at a try whose answer was 503 or got lost, and nothing
/// of how durable that is.)
async fn is_acknowledged(client: &mut Client, at: SocketAddr, token: &str, unanswered: &mut usize) -> bool {
    for _ in 0..TRIES {
        match client.status("POST", at, "/logout", token).await {
            Ok(204) => return true,
            Ok(401) => return false,
            other => *unanswered += usize::from(other == Err(NoAnswer::Silent)),
        }
        sleep(AGAIN).await;
    }
    false
}

/// Presents the token until it is refused as revoked. Returns how long after the acknowledgement it was last accepted; zero if it never was.
///
/// Only an answer counts. An instance that is down, has not read the log yet or gives no answer has neither served the token nor refused it,
/// so it is asked again.
async fn served_for(client: &mut Client, at: SocketAddr, token: &str, unanswered: &mut usize) -> Duration {
    let acknowledged = Instant::now();
    let mut served = Duration::ZERO;
    while acknowledged.elapsed() < WATCHED {
        let pause = match client.status("GET", at, "/me", token).await {
            Ok(200) => {
                served = acknowledged.elapsed();
                Duration::from_millis(1)
            }
            Ok(401) => break,
            other => {
                *unanswered += usize::from(other == Err(NoAnswer::Silent));
                AGAIN
            }
        };
        sleep(pause).await;
    }
    served
}

async fn use_again_and_again(addresses: Vec<SocketAddr>, is_over: Arc<AtomicBool>) -> Counts {
    let mut client = Client::default();
    let mut counts = Counts::default();
    let token = token("reader");
    while !is_over.load(SeqCst) {
        for at in &addresses {
            let outcome = client.status("GET", *at, "/orders", &token).await;
            counts.unanswered += usize::from(outcome == Err(NoAnswer::Silent));
        }
        sleep(Duration::from_millis(5)).await;
    }
    counts
}
