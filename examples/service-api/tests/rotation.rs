//! The runbook of README.md, with two instances under load.

#[cfg(test)] // what it may do, clippy reads from this
mod support;

use serde_json::json;
use support::{Client, PASSWORD, load::Load, pair::Pair, token};

/// Short, so that a whole rotation passes within seconds. No leeway, so that nothing is accepted by it.
const SETTINGS: &str = "
    [token]
    issuer = \"https://service.test\"
    audience = \"https://orders.test\"
    lifetime_seconds = 3
    leeway_seconds = 0
    [rotation]
    rollout_seconds = 1
    [revocation]
    log = \"memory\"
";

const OLD: u8 = 1;
const NEW: u8 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_rotation_refuses_no_valid_request() {
    let (old, new) = (("old", "active", OLD), ("new", "active", NEW));
    let (retiring, standby) = (("old", "retiring", OLD), ("new", "standby", NEW));
    let mut pair = Pair::start(SETTINGS, &[old]).await;
    let load = Load::start(pair.addresses());

    // What the runbook does not allow, before what it does.
    pair.refused_step(&[retiring, new], "cannot sign yet, other instances may not know it").await;
    pair.refused_step(&[("other", "active", NEW)], "it is the active one").await;

    assert_eq!(pair.step(&[old, standby]).await, [""; 0]);
    pair.refused_step(&[("old", "active", NEW), standby], "another secret than before").await;

    let refusals = pair.step(&[retiring, new]).await;
    assert!(refusals.iter().all(|reason| reason.contains("on standby for")), "{refusals:?}");
    load.until_signed_by("new").await;

    let client = Client::new();
    let forged = token::signed_for_an_hour("old", OLD);
    for address in pair.addresses() {
        assert_eq!(client.get(address, "/orders", Some(&forged)).await.status, 200, "the old secret still verifies");
    }
    let refusals = pair.step(&[new]).await;
    assert!(!refusals.is_empty(), "removed while its tokens were alive");
    assert!(refusals.iter().all(|reason| reason.contains("may be alive")), "{refusals:?}");
    for address in pair.addresses() {
        assert_eq!(client.get(address, "/orders", Some(&forged)).await.status, 401, "the old secret is gone");
        assert_eq!(client.get(address, "/health", None).await.json()["generation"], 4);
    }

    let tally = load.stop().await;
    assert_eq!(tally.refused, [""; 0]);
    let [old, new] = ["old", "new"].map(|id| tally.accepted[id]);
    assert!(old > 20 && new > 20, "{tally:?}");
    eprintln!("{old} requests accepted by the old secret, {new} by the new one, none refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaked_secret_ends_at_once() {
    // The defaults, under which tokens live for 15 minutes.
    let settings = "[token]\nissuer = \"https://service.test\"\naudience = \"https://orders.test\"\n\
                    [revocation]\nlog = \"memory\"\n";
    let (leaked, revoked) = (("leaked", "active", OLD), ("leaked", "revoked", OLD));
    let mut pair = Pair::start(settings, &[leaked]).await;
    let [east, west] = pair.addresses();
    let client = Client::new();
    let stolen = client.login(east, "reader", PASSWORD).await.token();
    assert_eq!(client.get(west, "/orders", Some(&stolen)).await.status, 200);

    // Leaving it out is not the way, and it does not end anything by accident.
    pair.refused_step(&[("next", "active", NEW)], "`revoked`, if it leaked").await;
    assert_eq!(client.get(west, "/orders", Some(&stolen)).await.status, 200);

    assert_eq!(pair.step(&[revoked, ("next", "active", NEW)]).await, [""; 0]);
    for (address, other) in [(east, west), (west, east)] {
        let refused = client.get(address, "/orders", Some(&stolen)).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (401, &json!("key_unknown")));
        let token = client.login(address, "reader", PASSWORD).await.token();
        assert_eq!(token::header(&token)["kid"], "next");
        assert_eq!(client.get(other, "/orders", Some(&token)).await.status, 200);
    }

    // For good.
    pair.refused_step(&[("leaked", "standby", OLD), ("next", "active", NEW)], "which is for good").await;
    assert_eq!(pair.step(&[("next", "active", NEW)]).await, [""; 0]);
    assert_eq!(client.get(east, "/orders", Some(&stolen)).await.status, 401);
}
