//! What happens later: a user is revoked, a key leaks, the operator's key is replaced.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use portcullis_nats::{
    claims::Account,
    creds::Creds,
    mint::Mint,
    nkey::{AccountKey, KeyPair, Role, UserKey},
    token::Token,
};
use support::{Caller, Market, alone, stapled};

/// How long a service uses an account in these tests, and as much again for a busy machine.
const LAG: Duration = Duration::from_secs(10);

#[test]
fn a_revoked_user_is_refused_and_a_new_token_is_good_again() {
    let market = Market::init();
    let orders = market.orders(&[]);
    let order = orders.at("/orders/7");
    assert_eq!(market.status(alone("acme/alice"), "GET", &order), 200);
    market.run(&["revoke", "acme", "alice"]);
    market.until(401, alone("acme/alice"), &order, LAG);
    assert_eq!(market.status(alone("acme/bob"), "GET", &order), 200, "others of the account");
    let key = Creds::parse(&market.read("acme/alice.creds")).unwrap().key().public_key().to_string();
    market.run(&["issue", "acme", "alice"]);
    let (status, answer) = market.call(alone("acme/alice"), "GET", &order, "");
    assert_eq!((status, answer["seen_by"].as_str()), (200, Some(key.as_str())), "the same user as before");
}

/// A service that looks nothing up learns of a revocation from the first caller who brings the newer token along.
#[test]
fn a_newer_account_that_comes_along_ends_a_revoked_user_for_every_caller() {
    let market = Market::init();
    let billing = market.billing(&[]);
    let bills = billing.at("/bills");
    market.keep("acme", "old");
    let old = Caller { user: "acme/alice", staple: Some("old") };
    assert_eq!(market.status(old, "GET", &bills), 200);
    market.run(&["revoke", "acme", "alice"]);
    assert_eq!(market.status(old, "GET", &bills), 200, "it has not heard of it");
    assert_eq!(market.status(stapled("acme/bob"), "GET", &bills), 403, "bob may not, and brings the newer token");
    assert_eq!(market.status(old, "GET", &bills), 401, "the older token does not come back");
}

#[test]
fn an_account_that_comes_along_is_refused_when_it_is_too_old() {
    let market = Market::init();
    let billing = market.billing(&[("STAPLE_SECONDS", "2")]);
    let bills = billing.at("/bills");
    market.until(401, stapled("acme/alice"), &bills, LAG);
    market.run(&["staple", "acme"]);
    assert_eq!(market.status(stapled("acme/alice"), "GET", &bills), 200);
}

/// Who has the signing key can make users. Removing it ends all of them, and no others.
#[test]
fn a_leaked_signing_key_is_removed() {
    let market = Market::init();
    let orders = market.orders(&[]);
    let order = orders.at("/orders/7");
    make_mallory(&market);
    assert_eq!(market.status(alone("acme/mallory"), "GET", &order), 200);
    assert_eq!(market.status(alone("acme/mallory"), "POST", &order), 403, "the key's scope holds for every user of it");
    market.run(&["replace-key", "acme"]);
    market.until(401, alone("acme/mallory"), &order, LAG);
    assert_eq!(market.status(alone("acme/bob"), "GET", &order), 401, "bob was signed by that key, too");
    assert_eq!(market.status(alone("acme/alice"), "GET", &order), 200, "she was not");
    market.run(&["issue", "acme", "bob"]);
    assert_eq!(market.status(alone("acme/bob"), "GET", &order), 200);
    assert_eq!(market.status(alone("acme/mallory"), "GET", &order), 401);
}

/// With both keys known, no one is refused at any time. Without the old one, nothing that it has signed counts.
#[test]
fn the_operators_key_is_replaced() {
    let market = Market::init();
    let old = market.run(&["operator"]);
    let before = market.orders(&[]);
    assert_eq!(market.status(alone("acme/alice"), "GET", &before.at("/orders/7")), 200);

    market.run(&["new-operator-key"]);
    let both = market.run(&["operator"]);
    assert!(both.starts_with(&format!("{old} ")), "{both}");
    let during = market.orders_trusting(&both, &[]);
    for user in ["acme/alice", "globex/gina"] {
        assert_eq!(market.status(alone(user), "GET", &during.at("/orders/7")), 200, "{user}");
    }
    let refused = market.run_refused(&["drop-operator-key"]);
    assert!(refused.contains("shop"), "{refused}");
    for organisation in ["shop", "acme"] {
        market.run(&["staple", organisation]);
    }
    for user in ["acme/alice", "globex/gina"] {
        assert_eq!(market.status(alone(user), "GET", &during.at("/orders/7")), 200, "{user}");
    }

    let new = both.split_whitespace().last().unwrap();
    let after = market.orders_trusting(new, &[]);
    assert_eq!(market.status(alone("acme/alice"), "GET", &after.at("/orders/7")), 200);
    assert_eq!(market.status(alone("globex/gina"), "GET", &after.at("/orders/7")), 401, "still signed by the old key");
    market.run(&["staple", "globex"]);
    market.until(200, alone("globex/gina"), &after.at("/orders/7"), LAG);
    market.run(&["drop-operator-key"]);
    assert_eq!(market.run(&["operator"]), new);
}

/// A user that acme never made, signed by the key that it has lost.
fn make_mallory(market: &Market) {
    let stolen = KeyPair::from_seed(market.read("acme/readers.seed").trim()).unwrap();
    let account = Token::<Account>::read(market.read("acme/account.jwt").trim()).unwrap();
    let key = KeyPair::generate(Role::User).unwrap();
    let id = AccountKey::try_from(account.registered.subject).unwrap();
    let draft = Mint::scoped_user(UserKey::try_from(*key.public_key()).unwrap(), "mallory", id);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now = portcullis::clock::Clock::now(&portcullis::clock::SystemClock);
    let token = runtime.block_on(draft.sign(&stolen, now)).unwrap().into_string();
    let creds = Creds::new(token, key).unwrap();
    std::fs::write(market.path("acme/mallory.creds"), creds.format().as_bytes()).unwrap();
}
