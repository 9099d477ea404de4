//! The same credentials at a real nats-server, which decides as the service does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectOptions};
use futures_util::StreamExt;
use real_servers::{NatsProgram, NatsServer, is_missing};
use support::{Market, alone};
use tokio::time::timeout;

/// The servers to try: the installed one, and a recent one.
fn programs() -> Vec<NatsProgram> {
    let installed = (!is_missing("nats-server")).then(NatsProgram::installed);
    installed.into_iter().chain(NatsProgram::recent()).collect()
}

async fn connect(market: &Market, server: &NatsServer, user: &str) -> Result<Client, ConnectError> {
    let options = ConnectOptions::with_credentials(&market.read(&format!("{user}.creds"))).unwrap();
    options.connect(server.url()).await
}

/// Whether the server passes a request on to the service, which answers all of them. A server tells clients of a denied publication, and sends no answer.
async fn is_answered(client: &Client, subject: &'static str) -> bool {
    let answer = timeout(Duration::from_secs(1), client.request(subject, "".into())).await;
    matches!(answer, Ok(Ok(_)))
}

#[tokio::test]
async fn a_nats_server_allows_exactly_what_orders_allows() {
    for program in programs() {
        let market = Market::init();
        let (orders, server) = (market.orders(&[]), program.start_with(&market.run(&["server-config"])));
        let shop = connect(&market, &server, "shop/olga").await.unwrap();
        let mut requests = shop.subscribe("orders.>").await.unwrap();
        shop.flush().await.unwrap();
        let answering = async {
            while let Some(request) = requests.next().await {
                shop.publish(request.reply.unwrap(), "seven oranges".into()).await.unwrap();
            }
        };
        let asking = async {
            for (user, expected) in
                [("acme/alice", [true, true]), ("acme/bob", [true, false]), ("globex/gina", [true, false])]
            {
                let client = connect(&market, &server, user).await.unwrap();
                let asked = [("GET", "orders.7.read"), ("POST", "orders.7.write")];
                for ((method, subject), expected) in asked.into_iter().zip(expected) {
                    let over_http = market.status(alone(user), method, &orders.at("/orders/7")) == 200;
                    assert_eq!(
                        (over_http, is_answered(&client, subject).await),
                        (expected, expected),
                        "{user} {subject}"
                    );
                }
            }
        };
        tokio::select! {
            () = answering => panic!("the shop's subscription has ended"),
            () = asking => {}
        }
    }
}

#[tokio::test]
async fn a_server_refuses_a_revoked_user_and_those_of_another_operator() {
    for program in programs() {
        let (market, other) = (Market::init(), Market::init());
        market.run(&["revoke", "acme", "alice"]);
        let server = program.start_with(&market.run(&["server-config"]));
        assert!(connect(&market, &server, "acme/alice").await.is_err());
        assert!(connect(&other, &server, "acme/bob").await.is_err());
        assert!(connect(&market, &server, "acme/bob").await.is_ok());
        market.run(&["issue", "acme", "alice"]);
        assert!(connect(&market, &server, "acme/alice").await.is_ok());
    }
}

#[tokio::test]
async fn after_the_operators_key_was_replaced_a_server_starts_and_lets_everyone_in() {
    for program in programs() {
        let market = Market::init();
        market.run(&["new-operator-key"]);
        for organisation in ["shop", "acme", "globex"] {
            market.run(&["staple", organisation]);
        }
        market.run(&["drop-operator-key"]);
        let server = program.start_with(&market.run(&["server-config"]));
        for user in ["shop/olga", "acme/alice", "acme/bob", "globex/gina"] {
            assert!(connect(&market, &server, user).await.is_ok(), "{user}");
        }
    }
}
