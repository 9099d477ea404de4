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

use crate::support::{
    Client,
    client::request,
    token::{self, signed_with},
};

/// For as long after the acknowledgement another instance may serve a token: `max_staleness` of the instances here, if it cannot reach the
/// log; and a second for this client to look.
pub(crate) const LATEST: Duration = Duration::from_secs(3 + 1);

/// How many of them each instance has.
const CLIENTS: usize = 4;

/// Between two revocations of a client, so that the tokens can be presented again in the end.
const PAUSE: Duration = Duration::from_millis(25);

/// How many tries a client makes, 20 ms apart, before it gives a revocation up.
const TRIES: usize = 500;

pub(crate) struct Load {
    clients: JoinSet<Counts>,
    is_over: Arc<AtomicBool>,
}

/// What became of the revocations.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// The tokens, which no instance may accept any more.
    pub(crate) acknowledged: Vec<String>,
    /// How long after the acknowledgement the other instance served them.
    pub(crate) lags: Vec<Duration>,
}

impl Load {
    /// Clients at each instance, and one that uses a valid token at all of them.
    pub(crate) fn start(client: &Client, addresses: &[SocketAddr]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for which in (0..addresses.len()).flat_map(|which| [which; CLIENTS]) {
            let (here, there) = (addresses[which], addresses[(which + 1) % addresses.len()]);
            clients.spawn(log_out_again_and_again(client.clone(), here, there, Arc::clone(&is_over)));
        }
        clients.spawn(use_again_and_again(client.clone(), addresses.to_vec(), Arc::clone(&is_over)));
        Self { clients, is_over }
    }

    pub(crate) async fn stop(mut self) -> Counts {
        self.is_over.store(true, SeqCst);
        let mut total = Counts::default();
        while let Some(counts) = self.clients.join_next().await {
            let Counts { acknowledged, lags } = counts.unwrap();
            total.acknowledged.extend(acknowledged);
            total.lags.extend(lags);
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

async fn log_out_again_and_again(
    client: Client,
    here: SocketAddr,
    there: SocketAddr,
    is_over: Arc<AtomicBool>,
) -> Counts {
    let mut counts = Counts::default();
    while !is_over.load(SeqCst) {
        let token = token("session");
        if is_acknowledged(&client, here, &token).await {
            let acknowledged = Instant::now();
            while client.status(request("GET", there, "/me", Some(&token), None)).await == Some(200) {
                sleep(Duration::from_millis(1)).await;
            }
            counts.lags.push(acknowledged.elapsed());
            counts.acknowledged.push(token);
        }
        sleep(PAUSE).await;
    }
    counts
}

/// Tries until the answer is one of 204 and 401. (The latter says that it was revoked at a try whose answer was 503 or got lost, and nothing
/// of how durable that is.)
async fn is_acknowledged(client: &Client, at: SocketAddr, token: &str) -> bool {
    for _ in 0..TRIES {
        match client.status(request("POST", at, "/logout", Some(token), None)).await {
            Some(204) => return true,
            Some(401) => return false,
            _ => sleep(Duration::from_millis(20)).await,
        }
    }
    false
}

async fn use_again_and_again(client: Client, addresses: Vec<SocketAddr>, is_over: Arc<AtomicBool>) -> Counts {
    let token = token("reader");
    while !is_over.load(SeqCst) {
        for at in &addresses {
            client.status(request("GET", *at, "/orders", Some(&token), None)).await;
        }
        sleep(Duration::from_millis(5)).await;
    }
    Counts::default()
}
