//! `kill -9` of servers and instances under load, hundreds of times: `cargo xtask chaos`.
//!
//! Two instances revoke tokens without pause while the server that keeps their log is killed and started again, and then while they are killed
//! themselves. Counted: revocations that were acknowledged and do not hold, those that the other instance enforced later than it promises, and
//! requests that got no answer.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and its table is what it is for")]

#[path = "chaos/client.rs"]
mod client;
#[path = "chaos/load.rs"]
mod load;
#[path = "chaos/report.rs"]
mod report;
#[cfg(test)] // what it may do, clippy reads from this
mod support;

use std::{
    env, fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use client::Client;
use load::{Counts, Load};
use real_servers::ReservedPort;
use report::{Row, Timings};
use support::{Instance, instance::program, instances::Instances, server::Server};
use tokio::{
    signal,
    signal::unix::SignalKind,
    task::{JoinSet, block_in_place},
    time::sleep,
};

const KILLS: usize = 200;

/// Every so many kills, the server stays away for longer than the instances may do without it.
const LONG_OUTAGE_EVERY: usize = 20;
const LONG_OUTAGE: Duration = Duration::from_millis(3500);

/// How soon valid tokens have to be served again by both, after the server or the instance is back, on a machine that is busy.
const RECOVERY: Duration = Duration::from_secs(10);

/// After that they never will be.
const NEVER: Duration = Duration::from_secs(90);

/// A service of two instances, or of one where the log is a file.
struct Scene {
    name: &'static str,
    instances: Instances,
    client: Client,
    log: String,
    addresses: Vec<SocketAddr>,
    _ports: Vec<ReservedPort>,
    running: Vec<Option<Instance>>,
    good: String,
    deadline: Instant,
}

impl Scene {
    async fn start(name: &'static str, log: String, count: usize, deadline: Instant) -> Self {
        let ports: Vec<_> = (0..count).map(|_| ReservedPort::new()).collect();
        let addresses = ports.iter().map(|port| SocketAddr::from(([127, 0, 0, 1], port.number()))).collect();
        let good = load::token("good");
        let mut scene = Self {
            name,
            instances: Instances::new(),
            client: Client::default(),
            log,
            addresses,
            _ports: ports,
            running: Vec::new(),
            good,
            deadline,
        };
        for which in 0..count {
            let instance = scene.spawn(which).await;
            scene.running.push(Some(instance));
        }
        scene.is_served_again().await;
        scene
    }

    async fn spawn(&self, which: usize) -> Instance {
        self.spawn_at(&format!("instance-{which}"), self.addresses[which].port()).await
    }

    async fn spawn_at(&self, name: &str, port: u16) -> Instance {
        let config = self.instances.fleet.write(name, &[("2026-11", "active", 1)]);
        let mut command = program();
        command.arg(config).env("PORT", port.to_string()).env("SERVICE_REVOCATION_LOG", &self.log);
        Instance::spawn(&mut command).await
    }

    /// Waits until every instance serves a valid token. Returns how long that took.
    async fn is_served_again(&mut self) -> Duration {
        let started = Instant::now();
        for at in &self.addresses {
            while self.client.status("GET", *at, "/me", &self.good).await != Ok(200) {
                assert!(
                    started.elapsed() < NEVER,
                    "{}: a valid token is not served {NEVER:?} after the start",
                    self.name
                );
                sleep(Duration::from_millis(5)).await;
            }
        }
        let took = started.elapsed();
        if took > RECOVERY {
            for instance in self.running.iter().flatten() {
                let output = instance.output();
                let last: Vec<_> = output.lines().rev().filter(|line| line.contains("revocation")).take(20).collect();
                eprintln!("{}: served again after {took:?}; the newest first: {last:#?}", self.name);
            }
        }
        took
    }

    /// Kills and restarts something under load, again and again, for as long as there is time.
    async fn storm(&mut self, server: &mut Option<Server>, killed: &'static str, until: Instant) -> Row {
        let load = Load::start(&self.addresses);
        let mut served_again = Vec::new();
        for kill in 1..=KILLS {
            if Instant::now() >= until {
                break;
            }
            sleep(Duration::from_millis(fastrand::u64(50..400))).await;
            if let Some(server) = server {
                block_in_place(|| server.kill());
                let is_long = kill % LONG_OUTAGE_EVERY == 0;
                sleep(if is_long { LONG_OUTAGE } else { Duration::from_millis(fastrand::u64(0..150)) }).await;
                block_in_place(|| server.restart());
            } else {
                let which = kill % self.addresses.len();
                self.running[which].take().unwrap().kill();
                let instance = self.spawn(which).await;
                self.running[which] = Some(instance);
            }
            served_again.push(self.is_served_again().await);
        }
        sleep(Duration::from_secs(1)).await;
        let counts = load.stop().await;
        self.row(killed, served_again, counts).await
    }

    /// Presents every token whose revocation was acknowledged, to each instance and to one that knows nothing but the log.
    async fn row(&mut self, killed: &'static str, served_again: Vec<Duration>, counts: Counts) -> Row {
        let mut addresses = self.addresses.clone();
        let mut newcomer = None;
        if self.addresses.len() > 1 {
            let instance = self.spawn_at("newcomer", 0).await;
            addresses.push(instance.address);
            newcomer = Some(instance);
        }
        let mut lost = 0;
        for token in &counts.acknowledged {
            for at in &addresses {
                let mut status = self.client.status("GET", *at, "/me", token).await;
                while matches!(status, Err(_) | Ok(503)) {
                    sleep(Duration::from_millis(20)).await;
                    status = self.client.status("GET", *at, "/me", token).await;
                }
                lost += usize::from(status != Ok(401));
            }
        }
        drop(newcomer);
        Row {
            log: self.name,
            killed,
            kills: served_again.len(),
            acknowledged: counts.acknowledged.len(),
            lost,
            late: counts.lags.iter().filter(|lag| **lag > load::LATEST).count(),
            unanswered: counts.unanswered,
            slow: served_again.iter().filter(|took| **took > RECOVERY).count(),
            lag: Timings::of(counts.lags),
            served_again: Timings::of(served_again),
        }
    }
}

async fn with_server(server: Server, deadline: Instant) -> Vec<Row> {
    let (name, url) = (server.name(), server.url());
    let mut scene = Scene::start(name, url, 2, deadline).await;
    let half = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
    let mut server = Some(server);
    let mut rows = vec![scene.storm(&mut server, "server", half).await];
    let until = scene.deadline;
    // From here on the server stays.
    rows.push(scene.storm(&mut None, "instance", until).await);
    rows
}

async fn with_file(deadline: Instant) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("revocations.redb").to_str().unwrap().to_owned();
    let mut scene = Scene::start("redb", log, 1, deadline).await;
    vec![scene.storm(&mut None, "instance", deadline).await]
}

/// Ends everything that it has started, also when it is interrupted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes: `cargo xtask chaos`"]
async fn nothing_acknowledged_is_lost_by_hundreds_of_kills() {
    let minutes = env::var("PORTCULLIS_CHAOS_MINUTES").map_or(15.0, |text| text.parse().unwrap());
    // The last part of the time is for presenting all tokens.
    let deadline = Instant::now() + Duration::from_secs_f64(minutes * 60.0 * 0.9);
    let only = env::var("PORTCULLIS_CHAOS_LOG").ok();
    let is_wanted = |log: &str| only.as_deref().is_none_or(|only| only == log);
    let mut storms = JoinSet::new();
    if is_wanted("redb") {
        storms.spawn(with_file(deadline));
    }
    let servers = [
        is_wanted("redis").then(Server::redis),
        is_wanted("nats").then(Server::nats),
        is_wanted("postgres").then(Server::postgres),
    ];
    for server in servers.into_iter().flatten().flatten() {
        storms.spawn(with_server(server, deadline));
    }
    assert!(!storms.is_empty(), "there is no log called {only:?}, or its server is not installed");
    let mut terminate = signal::unix::signal(SignalKind::terminate()).unwrap();
    let mut rows = Vec::new();
    while !storms.is_empty() {
        let storm = tokio::select! {
            storm = storms.join_next() => storm.unwrap(),
            _ = signal::ctrl_c() => { storms.shutdown().await; panic!("interrupted; everything is stopped") }
            _ = terminate.recv() => { storms.shutdown().await; panic!("terminated; everything is stopped") }
        };
        rows.extend(storm.unwrap());
    }
    let table = report::table(&mut rows, KILLS);
    println!("{table}");
    if let Some(path) = env::var_os("PORTCULLIS_CHAOS_TABLE") {
        fs::write(Path::new(&path), &table).unwrap();
    }
    for row in rows {
        let found = (row.lost, row.late, row.unanswered, row.slow);
        assert_eq!(found, (0, 0, 0, 0), "{} of {}: lost, late, unanswered, slow", row.killed, row.log);
    }
}
