//! Who may do what: the table in README.md, with every row sent to both services.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use support::{Example, Market, alone, program::Program, stapled};

/// The rows of the table: who, and the statuses of `GET /orders/7`, `POST /orders/7`, `GET /bills` and `POST /bills`.
fn rows() -> Vec<(&'static str, Vec<u16>)> {
    let (_, table) = include_str!("../README.md").split_once("| | read an order |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows = rows.map(|line| {
        let (who, statuses) = line.trim_matches('|').split_once('|').unwrap();
        (who.trim(), statuses.split('|').map(|status| status.trim().parse().unwrap()).collect())
    });
    rows.collect()
}

#[tokio::test]
async fn the_services_answer_as_the_table_in_the_readme_says() {
    let (market, other) = (Market::init(), Market::init());
    let (orders, billing, desk) = (market.orders(&[]), market.billing(&[]), market.desk());
    let (order, bills) = (orders.at("/orders/7"), billing.at("/bills"));
    Program::log_in(&desk.url, "ada").await.write_creds(&market, "ada").await;
    let rows = rows();
    assert_eq!(rows.len(), 6);
    for (who, expected) in rows {
        let (market, user) = match who {
            "`olga` of shop" => (&market, "shop/olga"),
            "`alice` of acme" => (&market, "acme/alice"),
            "`bob` of acme" => (&market, "acme/bob"),
            "`gina` of globex" => (&market, "globex/gina"),
            "a user enrolled at acme's desk" => (&market, "acme/ada"),
            "a user of another operator" => (&other, "acme/alice"),
            other => panic!("the table has another row: {other}"),
        };
        let statuses = vec![
            market.status(alone(user), "GET", &order),
            market.status(alone(user), "POST", &order),
            market.status(stapled(user), "GET", &bills),
            market.status(stapled(user), "POST", &bills),
        ];
        assert_eq!(statuses, expected, "{who}");
    }
}

#[test]
fn organisations_see_their_own_bills_only() {
    let market = Market::init();
    let billing = market.billing(&[]);
    let bills = billing.at("/bills");
    let bill = |user: &str, text: &str| market.call(stapled(user), "POST", &bills, text).1["bills"].clone();
    assert_eq!(bill("acme/alice", "100 for acme"), serde_json::json!(["100 for acme"]));
    assert_eq!(bill("globex/gina", "200 for globex"), serde_json::json!(["200 for globex"]));
    let seen = market.call(stapled("acme/alice"), "GET", &bills, "").1;
    assert_eq!(seen["bills"], serde_json::json!(["100 for acme"]));
}

/// The account of globex has a limit, and so has the service. Acme has none of its own.
#[test]
fn a_body_may_be_as_long_as_account_and_service_say() {
    let market = Market::init();
    let billing = market.billing(&[]);
    let bills = billing.at("/bills");
    let post = |user, len| market.call(stapled(user), "POST", &bills, &"x".repeat(len)).0;
    for (user, longest) in [("globex/gina", 1024), ("acme/alice", 16 * 1024)] {
        assert_eq!(post(user, longest), 200, "{user}");
        assert_eq!(post(user, longest + 1), 413, "{user}");
    }
}

#[test]
fn a_service_that_looks_nothing_up_needs_the_callers_account() {
    let market = Market::init();
    let billing = market.billing(&[]);
    assert_eq!(market.status(alone("acme/alice"), "GET", &billing.at("/bills")), 401);
    assert_eq!(market.status(stapled("acme/alice"), "GET", &billing.at("/bills")), 200);
}

#[test]
fn the_routes_are_listed_with_their_subjects() {
    let routes = Market::init().run(&["routes"]);
    for subject in ["orders.{id}.read", "orders.{id}.write", "bills.read", "bills.write"] {
        assert!(routes.contains(subject), "{routes}");
    }
}

#[test]
fn a_service_that_was_not_told_what_it_needs_says_where_that_is_printed() {
    let market = Market::init();
    for service in ["orders", "billing"] {
        let told = market.run(&["environment", service]);
        let told: Vec<_> =
            told.lines().map(|line| line.trim_start_matches("export ").split_once('=').unwrap()).collect();
        for left_out in 0..told.len() {
            let rest = told.iter().enumerate().filter(|(at, _)| *at != left_out);
            let rest: Vec<_> = rest.map(|(_, (name, value))| (*name, value.trim_matches('\''))).collect();
            let ports = [("PORT", "0"), ("BILLING_PORT", "0")];
            let refused = market.run_refused_with(&[&rest[..], &ports].concat(), &[service]);
            let missing = format!("{} is not set: `cargo run -p decentralized -- environment", told[left_out].0);
            assert!(refused.contains(&missing), "{refused}");
        }
    }
}

#[test]
fn an_unknown_command_is_refused_with_the_list_of_commands() {
    let refused = Market::init().run_refused(&["revoke", "acme"]);
    assert!(refused.contains("no command \"revoke acme\"") && refused.contains("revoke ORG USER"), "{refused}");
}

#[tokio::test]
async fn one_command_starts_all() {
    let market = Market::empty();
    let example = Example::start(&market);
    assert_eq!(Program::log_in(&example.desk, "ada").await.enrol_with_nonce().await.0, 200);
    assert_eq!(market.status(alone("shop/olga"), "GET", &format!("{}/orders/7", example.orders)), 200);
    assert_eq!(market.status(stapled("shop/olga"), "GET", &format!("{}/bills", example.billing)), 200);
}
