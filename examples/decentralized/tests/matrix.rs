//! Who may do what: the table in README.md, with every row sent to both services.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use support::{Both, Market, alone, stapled};

/// The statuses of `GET /orders/7`, `POST /orders/7`, `GET /bills` and `POST /bills`.
const MATRIX: [(&str, [u16; 4]); 4] = [
    ("shop/olga", [200, 200, 200, 200]),
    ("acme/alice", [200, 200, 200, 200]),
    ("acme/bob", [200, 403, 403, 403]),
    ("globex/gina", [200, 403, 200, 200]),
];

#[test]
fn each_user_may_do_what_account_and_permissions_say() {
    let market = Market::found();
    let (orders, billing) = (market.orders(&[]), market.billing(&[]));
    for (user, expected) in MATRIX {
        let (order, bills) = (orders.at("/orders/7"), billing.at("/bills"));
        let statuses = [
            market.status(alone(user), "GET", &order),
            market.status(alone(user), "POST", &order),
            market.status(stapled(user), "GET", &bills),
            market.status(stapled(user), "POST", &bills),
        ];
        assert_eq!(statuses, expected, "{user}");
    }
}

#[test]
fn the_matrix_is_that_of_the_readme() {
    let readme = include_str!("../README.md");
    for (user, statuses) in MATRIX {
        let (organisation, name) = user.split_once('/').unwrap();
        let statuses: Vec<_> = statuses.iter().map(ToString::to_string).collect();
        let row = format!("| `{name}` of {organisation} | {} |", statuses.join(" | "));
        assert!(readme.contains(&row), "README.md lacks: {row}");
    }
}

#[test]
fn organisations_see_their_own_bills_only() {
    let market = Market::found();
    let billing = market.billing(&[]);
    let bills = billing.at("/bills");
    let bill = |user: &str, text: &str| market.call(stapled(user), "POST", &bills, text).1["bills"].clone();
    assert_eq!(bill("acme/alice", "100 for acme"), serde_json::json!(["100 for acme"]));
    assert_eq!(bill("globex/gina", "200 for globex"), serde_json::json!(["200 for globex"]));
    let seen = market.call(stapled("acme/alice"), "GET", &bills, "").1;
    assert_eq!(seen["bills"], serde_json::json!(["100 for acme"]));
}

#[test]
fn users_of_another_operator_are_refused() {
    let (market, other) = (Market::found(), Market::found());
    let (orders, billing) = (market.orders(&[]), market.billing(&[]));
    assert_eq!(other.status(alone("acme/alice"), "GET", &orders.at("/orders/7")), 401);
    assert_eq!(other.status(stapled("acme/alice"), "GET", &billing.at("/bills")), 401);
    assert_eq!(market.status(alone("acme/alice"), "GET", &orders.at("/orders/7")), 200);
    assert_eq!(market.status(stapled("acme/alice"), "GET", &billing.at("/bills")), 200);
}

#[test]
fn a_service_that_looks_nothing_up_needs_the_callers_account() {
    let market = Market::found();
    let billing = market.billing(&[]);
    assert_eq!(market.status(alone("acme/alice"), "GET", &billing.at("/bills")), 401);
    assert_eq!(market.status(stapled("acme/alice"), "GET", &billing.at("/bills")), 200);
}

#[test]
fn the_routes_are_listed_with_their_subjects() {
    let routes = Market::found().run(&["routes"]);
    for subject in ["orders.{id}.read", "orders.{id}.write", "bills.read", "bills.write"] {
        assert!(routes.contains(subject), "{routes}");
    }
}

#[test]
fn a_service_without_an_operator_does_not_start() {
    let market = Market::found();
    for service in ["orders", "billing"] {
        assert!(market.run_refused(&[service]).contains("OPERATOR"), "{service}");
    }
}

#[test]
fn one_command_starts_all() {
    let market = Market::empty();
    let both = Both::start(&market);
    assert_eq!(market.status(alone("shop/olga"), "GET", &format!("{}/orders/7", both.orders)), 200);
    assert_eq!(market.status(stapled("shop/olga"), "GET", &format!("{}/bills", both.billing)), 200);
}
