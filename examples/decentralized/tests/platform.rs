//! The desk with the users of `examples/platform`: an access token of that identity provider becomes a user of NATS, which ends with the session there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::time::Duration;

use support::{
    Market, alone,
    platform::{Platform, User},
    program::Program,
};

/// How long it may take until the desk was told of a log-out and orders has looked the account up again, on a busy machine.
const LAG: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_the_platform_gets_a_user_of_nats_that_ends_with_the_session_there() {
    let market = Market::init();
    let platform = Platform::listen().await;
    let desk = market.desk_with(&[("DESK_PORT", "0"), ("ISSUER", &platform.url)]);
    let orders = market.orders(&[]);
    let order = orders.at("/orders/7");
    platform.serve(&desk.url);

    let alice = User::log_in(&platform, "alice", "wonderland").await;
    let token = alice.token_for_the_desk(&platform, &desk.url).await;
    let bob = User::log_in(&platform, "bob", "builder").await;
    let of_bob = bob.token_for_the_desk(&platform, &desk.url).await;
    let (of_alice, of_bob) = (Program::with_token(&desk.url, &token), Program::with_token(&desk.url, &of_bob));
    of_alice.write_creds(&market, "alice2").await;
    of_bob.write_creds(&market, "bob2").await;
    for user in ["acme/alice2", "acme/bob2"] {
        assert_eq!(market.status(alone(user), "GET", &order), 200, "{user}");
        assert_eq!(
            market.status(alone(user), "POST", &order),
            403,
            "{user}: a reader, whatever the platform lets the user do"
        );
    }
    // What is for another service is refused.
    let of_dashboard = Program::with_token(&desk.url, &alice.access_token);
    assert_eq!(of_dashboard.enrol_with_nonce().await.0, 401);

    // The desk remembers its users when it is started again.
    let port = desk.url.rsplit_once(':').unwrap().1.to_owned();
    drop(desk);
    let desk = market.desk_with(&[("DESK_PORT", &port), ("ISSUER", &platform.url)]);
    alice.log_out_everywhere(&platform).await;
    market.until(401, alone("acme/alice2"), &order, LAG);
    assert_eq!(market.status(alone("acme/bob2"), "GET", &order), 200);
    assert_eq!(
        Program::with_token(&desk.url, &token).enrol_with_nonce().await.0,
        401,
        "the access token has ended, too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_an_access_token_of_the_platform_needs_no_log_in_at_the_desk() {
    let market = Market::init();
    let platform = Platform::listen().await;
    let desk = market.desk_with(&[("DESK_PORT", "0"), ("ISSUER", &platform.url)]);
    let orders = market.orders(&[]);
    platform.serve(&desk.url);
    let token = platform.access_token_by_script(&desk.url).await;
    let again = platform.access_token_by_script(&desk.url).await;
    assert!(!again.is_empty() && again != token, "the user is asked once");
    let enrol = ["enrol", &desk.url, "GET", &orders.at("/orders/7")];
    let read = market.run_with(&[("ACCESS_TOKEN", &token)], &enrol);
    assert!(read.starts_with("200 ") && read.contains("seven oranges"), "{read}");
    let refused = market.run_refused_with(&[("LOG_IN_AS", "ada")], &enrol);
    assert!(refused.contains("has no log-in of its own"), "{refused}");
    let mut altered = token.clone();
    altered.replace_range(altered.len() - 8.., "AAAAAAAA");
    let refused = market.run_refused_with(&[("ACCESS_TOKEN", &altered)], &enrol);
    assert!(refused.contains("401 Unauthorized") && refused.contains("signature"), "{refused}");
}
