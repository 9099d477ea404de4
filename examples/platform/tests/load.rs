//! Many log-ins and refreshes at the running platform, which is killed in the middle of them.
//!
//! `PORTCULLIS_LOG_INS=10000 cargo test -p platform --test load -- --nocapture` prints the rates of a larger load.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "it tells what it measured")]

mod support;

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde_json::json;
use support::{DASHBOARD, NO_LIMIT, Platform, query};
use tempfile::tempdir;
use tokio::{
    sync::{RwLock, watch},
    task::JoinSet,
};

/// How many clients there are.
const CLIENTS: usize = 16;

/// How many sessions are looked for after the kill. A user has a thousand at most, so that of a larger load, the first have ended.
const LOOKED_FOR: usize = 600;

const USERS: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_is_killed_under_load_loses_no_session_that_a_client_was_told_of() {
    let log_ins = env::var("PORTCULLIS_LOG_INS").map_or(60, |count| count.parse().unwrap());
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[NO_LIMIT]).await;
    let [port, orders_port] = [&platform.url, &platform.orders].map(|url| url.rsplit(':').next().unwrap().to_owned());
    let load = Arc::new(Load::new(platform, log_ins));
    let (started, mut clients) = (Instant::now(), JoinSet::new());
    for _ in 0..CLIENTS {
        clients.spawn(Arc::clone(&load).client());
    }
    load.told.subscribe().wait_for(|told| told.len() >= log_ins / 2).await.unwrap();
    let memory = {
        // Requests are under way. Their clients ask again, and get no further until there is a new process.
        let dead = Arc::clone(&*load.platform.read().await);
        let memory = dead.memory();
        dead.kill();
        let ports = [("PORT", &*port), ("ORDERS_PORT", &*orders_port), NO_LIMIT];
        *load.platform.write().await = Arc::new(Platform::start(folder.path(), &ports).await);
        memory
    };
    clients.join_all().await;
    let seconds = started.elapsed().as_secs_f64();
    let platform = Arc::clone(&*load.platform.read().await);
    let (before, after) = (memory.unwrap_or_default(), platform.memory().unwrap_or_default());
    println!(
        "{log_ins} log-ins, each with a refresh, in {seconds:.1} s; {before} KiB before the kill, {after} KiB at the end"
    );
    let told = load.told.borrow().clone();
    for cookie in told.iter().rev().take(LOOKED_FOR) {
        let refreshed = platform.session("refresh", cookie, &[("resource", DASHBOARD)]).await;
        assert_eq!(refreshed.status, 200, "a session that a client was told of is gone: {refreshed:?}");
    }
}

struct Load {
    platform: RwLock<Arc<Platform>>,
    log_ins: usize,
    begun: AtomicUsize,
    /// The sessions that clients were told of: their latest cookies, in the order of the log-ins.
    told: watch::Sender<Vec<String>>,
}

impl Load {
    fn new(platform: Platform, log_ins: usize) -> Self {
        let (platform, begun) = (RwLock::new(Arc::new(platform)), AtomicUsize::new(0));
        Self { platform, log_ins, begun, told: watch::Sender::new(Vec::new()) }
    }

    /// Logs in and refreshes, until there are enough log-ins.
    async fn client(self: Arc<Self>) {
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            if number >= self.log_ins {
                return;
            }
            let (username, password) = USERS[number % USERS.len()];
            let body = json!({ "username": username, "password": password }).to_string();
            let first = self.until_answered("log_in", &[("content-type", "application/json")], body).await;
            self.told.send_modify(|told| told.push(first.clone()));
            let form = [("content-type", "application/x-www-form-urlencoded"), ("cookie", first.as_str())];
            let second = self.until_answered("refresh", &form, query(&[("resource", DASHBOARD)])).await;
            self.told.send_modify(|told| {
                if let Some(known) = told.iter_mut().rev().find(|known| **known == first) {
                    *known = second;
                }
            });
        }
    }

    /// Sends a request again while there is no answer, as clients do. Returns the cookie.
    async fn until_answered(&self, what: &str, headers: &[(&str, &str)], body: String) -> String {
        loop {
            let platform = Arc::clone(&*self.platform.read().await);
            if let Some(cookie) = platform.try_session(what, headers, body.clone()).await {
                return cookie;
            }
            tokio::task::yield_now().await;
        }
    }
}
