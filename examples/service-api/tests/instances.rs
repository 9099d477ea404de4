//! Several instances with one log of revocations on a real server: how soon they know, and what becomes of it when
//! something is killed or cut off.

#[cfg(test)] // what it may do, clippy reads from this
mod support;

use std::time::{Duration, Instant};

use http::header;
use real_servers::{PostgresServer, Proxy};
use serde_json::{Value, json};
use support::{
    Instance, PASSWORD,
    client::request,
    events::EventStream,
    instances::{Instances, session},
    server::Server,
    token::{self, signed_with},
    waiting::until,
};
use tokio::{sync::watch, task::block_in_place, time::sleep};

// ---- how soon the others know

async fn every_instance_knows_what_was_revoked(server: Option<Server>) {
    let Some(server) = server else { return };
    let instances = Instances::new();
    let east = instances.start("east", &server.url()).await;
    let west = instances.start("west", &server.url()).await;
    let other = instances.login(east.address).await;

    let mut lags = Vec::new();
    for token in instances.logins(east.address, 50).await {
        assert_eq!(instances.status(west.address, "/me", &token).await, 200, "what one mints the other accepts");
        lags.push(lag(&instances, &east, &west, &token).await);
    }
    report(server.name(), "request", lags.iter().map(|(from_request, _)| *from_request).collect());
    report(server.name(), "answer", lags.iter().map(|(_, from_answer)| *from_answer).collect());

    // The other levels, streams, and the next login.
    let held = instances.login(west.address).await;
    let mut stream = EventStream::open(&instances.client, west.address, &held).await;
    let everywhere = request("POST", east.address, "/logout-everywhere", Some(&other), None);
    assert_eq!(instances.client.send(everywhere).await.status, 204);
    instances.revoked(&mut stream, "version").await;
    for token in [&held, &other] {
        instances.refused(west.address, "/me", token).await;
    }
    for at in [east.address, west.address] {
        let again = instances.login(at).await;
        assert_eq!(instances.status(east.address, "/me", &again).await, 200);
        assert_eq!(instances.status(west.address, "/me", &again).await, 200);
    }
}

/// How long it takes from a logout at one until the other refuses: from the request on, and from its answer on.
async fn lag(instances: &Instances, east: &Instance, west: &Instance, token: &str) -> (Duration, Duration) {
    let started = Instant::now();
    let revoke = async {
        assert_eq!(instances.log_out(east.address, token).await.status, 204);
        started.elapsed()
    };
    let refused = until("the other one refuses", async || instances.status(west.address, "/me", token).await == 401);
    let (answered, refused) = tokio::join!(revoke, refused);
    (refused, refused.saturating_sub(answered))
}

fn report(server: &str, since: &str, mut lags: Vec<Duration>) {
    lags.sort();
    let [p50, p99, most] = [lags.len() / 2, lags.len() * 99 / 100 - 1, lags.len() - 1].map(|at| lags[at]);
    eprintln!(
        "lag {server}: {} revocations, from the {since} until the other instance refuses: p50 {p50:.1?}, p99 \
         {p99:.1?}, at most {most:.1?}",
        lags.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_instance_knows_what_was_revoked_by_way_of_redis() {
    every_instance_knows_what_was_revoked(Server::redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_instance_knows_what_was_revoked_by_way_of_nats() {
    every_instance_knows_what_was_revoked(Server::nats()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_instance_knows_what_was_revoked_by_way_of_postgres() {
    every_instance_knows_what_was_revoked(Server::postgres()).await;
}

// ---- what is killed

async fn nothing_acknowledged_is_lost_by_kill_9(server: Option<Server>) {
    let Some(mut server) = server else { return };
    let instances = Instances::new();
    let east = instances.start("east", &server.url()).await;
    let west = instances.start("west", &server.url()).await;
    let good = instances.login(east.address).await;
    let tokens = instances.logins(east.address, 200).await;
    let (progress, seen) = watch::channel(0);
    let revoke = revoke_one_after_the_other(&instances, &east, &tokens, progress);
    let kill = kill_and_restart(&instances, &mut server, [&east, &west], &good, seen);
    let (acknowledged, ()) = tokio::join!(revoke, kill);

    // One that knows nothing but the log, one that is killed and started again, and one that went on.
    let north = instances.start("north", &server.url()).await;
    east.kill();
    assert_eq!(instances.status(west.address, "/me", &good).await, 200);
    let east = instances.start("east", &server.url()).await;
    for at in [north.address, east.address, west.address] {
        assert_eq!(instances.status(at, "/me", &good).await, 200);
        for token in &acknowledged {
            instances.refused(at, "/me", token).await;
        }
    }
}

/// Logs out of one session after the other, as a client does that tries again when it is told to. Gives what was
/// acknowledged.
async fn revoke_one_after_the_other(
    instances: &Instances,
    at: &Instance,
    tokens: &[String],
    progress: watch::Sender<usize>,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for token in tokens {
        let outcome = loop {
            match instances.log_out(at.address, token).await.status.as_u16() {
                503 => sleep(Duration::from_millis(20)).await,
                outcome => break outcome,
            }
        };
        match outcome {
            204 => acknowledged.push(token.clone()),
            // Revoked here when the answer was 503, and not acknowledged since.
            other => assert_eq!(other, 401),
        }
        progress.send_modify(|count| *count += 1);
    }
    eprintln!("{} of {} revocations were acknowledged", acknowledged.len(), tokens.len());
    assert!(acknowledged.len() >= tokens.len() / 2);
    acknowledged
}

/// Kills the server in the midst of it, and starts it again when that has been noticed.
async fn kill_and_restart(
    instances: &Instances,
    server: &mut Server,
    all: [&Instance; 2],
    good: &str,
    mut progress: watch::Receiver<usize>,
) {
    assert!(progress.wait_for(|count| *count >= 100).await.is_ok());
    block_in_place(|| server.kill());
    for instance in all {
        until("it is stale", async || instances.status(instance.address, "/me", good).await == 503).await;
    }
    block_in_place(|| server.restart());
    let restarted = Instant::now();
    for instance in all {
        until("valid tokens are accepted", async || instances.status(instance.address, "/me", good).await == 200).await;
    }
    let recovered = restarted.elapsed();
    eprintln!("recovery {}: valid tokens are accepted {recovered:.1?} after the server is back", server.name());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9_of_redis() {
    nothing_acknowledged_is_lost_by_kill_9(Server::redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9_of_nats() {
    nothing_acknowledged_is_lost_by_kill_9(Server::nats()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9_of_postgres() {
    nothing_acknowledged_is_lost_by_kill_9(Server::postgres()).await;
}

// ---- what is cut off

async fn an_instance_that_is_cut_off_serves_no_more_than_it_may(server: Option<Server>) {
    let Some(server) = server else { return };
    let instances = Instances::new();
    let proxy = Proxy::before(server.port()).await;
    let cut_off = instances.start("east", &server.url_by(proxy.port())).await;
    let connected = instances.start("west", &server.url()).await;
    let (here, there) = (cut_off.address, connected.address);
    let scope = "orders:read orders:write";
    let good = signed_with("2026-11", 1, json!({ "jti": "1", "sid": "1", "ver": token::now(), "scope": scope }));
    let (before, during) = (instances.login(here).await, instances.login(here).await);
    assert_eq!(instances.log_out(here, &before).await.status, 204);

    proxy.cut();
    let stale = until("it is stale", async || instances.status(here, "/me", &good).await == 503).await;
    eprintln!("stale {}: {stale:.1?} after the cut", server.name());
    assert_eq!(instances.log_out(there, &during).await.status, 204, "which the other one cannot know");

    fails_closed(&instances, &cut_off, &good).await;
    assert_eq!(instances.status(here, "/orders", &good).await, 200, "orders can be read");
    assert_eq!(instances.status(here, "/orders", &during).await, 200, "that is the price");
    for path in ["/me", "/orders"] {
        instances.refused(here, path, &before).await;
        instances.refused(there, path, &during).await;
        assert_eq!(instances.status(there, path, &good).await, 200);
    }

    proxy.open();
    let recovered = until("it is served again", async || instances.status(here, "/me", &good).await == 200).await;
    eprintln!("recovery {}: valid tokens are accepted {recovered:.1?} after the cut", server.name());
    // It has learnt what it missed before it serves.
    instances.refused(here, "/orders", &before).await;
    instances.refused(here, "/orders", &during).await;
    for output in [cut_off.output(), connected.output()] {
        assert!(output.contains("revoked"), "the log says something: {output}");
        for hidden in [PostgresServer::password(), &session(&before), "reader"] {
            assert!(!output.contains(hidden), "{hidden} stands in {output}");
        }
    }
}

/// Whatever must not be wrong is not served, and the client is told when to ask again.
async fn fails_closed(instances: &Instances, cut_off: &Instance, good: &str) {
    let here = cut_off.address;
    let refused = instances.client.get(here, "/me", Some(good)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (503, &json!("revocations_stale")));
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    let order = json!({ "item": "pears", "quantity": 3 });
    assert_eq!(instances.client.post(here, "/orders", Some(good), &order).await.status, 503);
    assert_eq!(instances.log_out(here, good).await.status, 503);
    assert_eq!(instances.status(here, "/events", good).await, 503);
    let ready = instances.client.get(here, "/ready", None).await;
    assert_eq!((ready.status.as_u16(), &ready.json()["revocations"]), (200, &json!("stale")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_cut_off_from_redis_serves_no_more_than_it_may() {
    an_instance_that_is_cut_off_serves_no_more_than_it_may(Server::redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_cut_off_from_nats_serves_no_more_than_it_may() {
    an_instance_that_is_cut_off_serves_no_more_than_it_may(Server::nats()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_cut_off_from_postgres_serves_no_more_than_it_may() {
    an_instance_that_is_cut_off_serves_no_more_than_it_may(Server::postgres()).await;
}

// ---- what is slow

/// A slow log delays revocations by the same time, but no valid token is refused; a very slow log counts as an outage.
async fn a_slow_server_is_waited_for(server: Option<Server>) {
    let Some(server) = server else { return };
    let instances = Instances::new();
    let proxy = Proxy::before(server.port()).await;
    let slow = instances.start("east", &server.url_by(proxy.port())).await;
    let fast = instances.start("west", &server.url()).await;
    let (here, there) = (slow.address, fast.address);
    let good = instances.login(here).await;

    proxy.slow(Duration::from_millis(150));
    for (from, to) in [(here, there), (there, here), (here, there), (there, here)] {
        let gone = instances.login(from).await;
        assert_eq!(instances.log_out(from, &gone).await.status, 204);
        let lag = until("it is refused", async || {
            assert_eq!(instances.status(here, "/me", &good).await, 200, "a valid token is served all the while");
            instances.status(to, "/me", &gone).await == 401
        });
        let lag = lag.await;
        eprintln!("slow {}: refused by the other {lag:.1?} after the answer", server.name());
    }

    proxy.slow(Duration::from_secs(60));
    until("it is stale", async || instances.status(here, "/me", &good).await == 503).await;
    let gone = instances.login(there).await;
    assert_eq!(instances.log_out(there, &gone).await.status, 204);
    proxy.open();
    until("it is served again", async || instances.status(here, "/me", &good).await == 200).await;
    // An answer that was held up confirms what the log knew when it was asked. (For how long, the tests of portcullis-store hold on a
    // clock of their own: `a_slow_answer_confirms_the_view_as_of_the_question`.)
    let late = until("it is served no more", async || instances.status(here, "/me", &gone).await != 200).await;
    eprintln!("slow {}: what the other has revoked is served for {late:.1?}", server.name());
    until("it is refused", async || instances.status(here, "/me", &gone).await == 401).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_redis_is_waited_for() {
    a_slow_server_is_waited_for(Server::redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_nats_is_waited_for() {
    a_slow_server_is_waited_for(Server::nats()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_postgres_is_waited_for() {
    a_slow_server_is_waited_for(Server::postgres()).await;
}

// ---- what does not depend on the server

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_not_ready_before_it_has_read_the_log() {
    let Some(mut server) = Server::redis() else { return };
    let instances = Instances::new();
    let west = instances.start("west", &server.url()).await;
    let (gone, good) = (instances.login(west.address).await, instances.login(west.address).await);
    assert_eq!(instances.log_out(west.address, &gone).await.status, 204);

    server.kill();
    let east = instances.spawn("east", &server.url()).await;
    let at = east.address;
    let ready = instances.client.get(at, "/ready", None).await;
    assert_eq!((ready.status.as_u16(), ready.json()), (503, json!({ "status": "starting", "revocations": "syncing" })));
    assert_eq!(instances.client.get(at, "/health", None).await.status, 200, "it lives");
    for token in [&gone, &good] {
        assert_eq!(instances.status(at, "/me", token).await, 503);
        assert_eq!(instances.status(at, "/orders", token).await, 503, "no bound reaches back to before the beginning");
    }

    block_in_place(|| server.restart());
    until("it is ready", async || instances.client.get(at, "/ready", None).await.status == 200).await;
    instances.refused(at, "/me", &gone).await;
    assert_eq!(instances.status(at, "/me", &good).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaked_secret_ends_everywhere_before_the_files_are_handed_round() {
    let Some(server) = Server::redis() else { return };
    let instances = Instances::new();
    let mut east = instances.start("east", &server.url()).await;
    let mut west = instances.start("west", &server.url()).await;
    let forged = signed_with("2026-11", 1, json!({ "sub": "mallory", "roles": ["admin"] }));
    let admin = instances.client.login(east.address, "admin", PASSWORD).await.token();
    assert_eq!(instances.status(west.address, "/admin/secrets", &forged).await, 200);

    let target = json!({ "secret": "2026-11" });
    assert_eq!(instances.client.post(east.address, "/admin/revoke", Some(&admin), &target).await.status, 200);
    until("the other one knows", async || instances.status(west.address, "/me", &forged).await == 401).await;

    for (name, instance) in [("east", &mut east), ("west", &mut west)] {
        instances.fleet.write(name, &[("2026-11", "revoked", 1), ("2026-12", "active", 2)]);
        instance.reload().await.unwrap();
    }
    let token = instances.login(east.address).await;
    assert_eq!(token::header(&token)["kid"], Value::from("2026-12"));
    assert_eq!(instances.status(west.address, "/me", &token).await, 200);
}
