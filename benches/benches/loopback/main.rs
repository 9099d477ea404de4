//! A real server on the loopback device, with and without authentication, fed the same headers.
//!
//! Each server is a process of its own on one core, with a runtime of one thread; the load comes from another core over
//! connections that stay open. The servers take turns within each round, and what counts is the ratio of their rates
//! within a round: absolute numbers, and the ratio too, are noisy on a shared machine.

mod client;
mod server;

use std::{process::ExitCode, time::Duration};

use client::Load;
use portcullis::Algorithm;
use portcullis_benches::{Budgets, Options, median, pin};
use portcullis_test::MockIssuer;
use serde_json::json;
use server::{Guise, Server};

/// Of the server without authentication: at least so much is left.
const BUDGET: f64 = 0.92;

/// By so much the median moves between two runs on a shared machine.
const NOISE: f64 = 0.02;

/// Enough that the server always has something to do, few enough that none waits long.
const CONNECTIONS: usize = 32;

/// The guises in the order of [`Guise::ALL`]: what is compared with what.
const PLAIN: usize = 0;

/// What one server did in one turn.
struct Turn {
    requests_per_second: f64,
    /// Of the server's process alone; none where the system does not tell.
    processor_ns_per_request: Option<f64>,
}

fn main() -> ExitCode {
    if let Some(guise) = Guise::of_this_process() {
        server::serve(guise);
        return ExitCode::SUCCESS;
    }
    let options = Options::from_args();
    let (rounds, slice) = if options.quick { (3, 150) } else { (31, 500) };
    // after the servers, which take the first core for themselves
    let servers = Guise::ALL.map(Server::start);
    pin(1);
    let load = Load::new(&tokens());
    let slice = Duration::from_millis(slice);
    for server in &servers {
        turn(server, &load, slice); // fills caches and buffers
    }
    let mut turns = Guise::ALL.map(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for (server, turns) in servers.iter().zip(&mut turns) {
            turns.push(turn(server, &load, slice));
        }
    }
    drop(servers);
    print(&turns, &options)
}

/// RSA tokens, whose first key is the same in every process: so the servers trust what is signed here.
fn tokens() -> Vec<String> {
    let issuer = MockIssuer::with_algorithm(Algorithm::Rs256);
    let token = |at: usize| issuer.token().subject("alice").token_id(&at.to_string()).sign();
    (0..CONNECTIONS).map(token).collect()
}

fn turn(server: &Server, load: &Load, slice: Duration) -> Turn {
    let before = server.processor_time();
    let (requests, elapsed) = load.run(server.address(), slice);
    let used = before.zip(server.processor_time()).map(|(before, after)| after.saturating_sub(before));
    Turn {
        requests_per_second: requests as f64 / elapsed.as_secs_f64(),
        processor_ns_per_request: used.map(|used| used.as_nanos() as f64 / requests as f64),
    }
}

fn print(turns: &[Vec<Turn>], options: &Options) -> ExitCode {
    println!("| server | requests/s | processor time a request, µs | busy | of the plain server's rate |");
    println!("|---|---:|---:|---:|---:|");
    let mut ratios = Vec::new();
    for (guise, turns_of) in Guise::ALL.iter().zip(turns) {
        let rates: Vec<f64> = turns_of.iter().map(|turn| turn.requests_per_second).collect();
        let plain = turns[PLAIN].iter().map(|turn| turn.requests_per_second);
        let ratio = median(rates.iter().zip(plain).map(|(rate, plain)| rate / plain).collect());
        let rate = median(rates);
        let used: Option<Vec<f64>> = turns_of.iter().map(|turn| turn.processor_ns_per_request).collect();
        let (time, busy) = used
            .map(median)
            .map_or_else(Default::default, |ns| (format!("{:.2}", ns / 1e3), format!("{:.0} %", ns * rate / 1e7)));
        let name = guise.name();
        println!("| {name} | {rate:.0} | {time} | {busy} | {ratio:.3} |");
        options.record(json!({ "bench": "loopback", "name": name, "rate": rate.round(), "ratio": ratio }));
        ratios.push((name, ratio));
    }
    println!("\nA server that is not busy waits for the load: then its ratio flatters it.\n");
    let mut budgets = Budgets::new(options);
    for (name, ratio) in ratios.iter().filter(|(name, _)| name.starts_with("portcullis")) {
        let line = format!("{name}: {ratio:.3} of the plain server (budget {BUDGET}, noise {NOISE})");
        budgets.judge(&line, *ratio >= BUDGET - NOISE);
    }
    budgets.close()
}
