//! Accounts that are pushed, and what is counted.

use portcullis_core::metrics::{Measured, Snapshot, Value};

use super::scene::{Mode, START, Scene, account_id, operator, pass, token};
use crate::accounts::InsertErrorKind;

/// Pitfall 8: a signing key is removed from an account.
#[tokio::test(start_paused = true)]
async fn pitfall_8_what_was_decided_with_a_replaced_account_is_over_at_once() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let first = scene.find().await.unwrap();
    assert!(scene.is_current(&first));
    assert_eq!(scene.desk.insert(&scene.token(START + 1), scene.now()).await.unwrap(), scene.id);
    assert!(!scene.is_current(&first));
    let second = scene.held();
    assert!(scene.is_current(&second));
    assert_eq!(second.account.issued_at().as_secs(), START + 1);
    // The same token says nothing new.
    scene.desk.insert(&scene.token(START + 1), scene.now()).await.unwrap();
    assert!(scene.is_current(&second));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_account_of_the_operator_is_not_inserted() {
    let scene = Scene::new();
    for bad in ["garbage", &token(&operator(), &scene.id, START, |_| {})] {
        let error = scene.desk.insert(bad, scene.now()).await.unwrap_err();
        assert_eq!(error.kind(), InsertErrorKind::Refused);
        assert!(!error.to_string().contains(bad));
    }
    assert!(scene.desk.insert(&scene.token(START), scene.now()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_update_of_the_resolver_counts_at_once() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let first = scene.find().await.unwrap();
    let updates = scene.resolver.updates();
    for useless in ["garbage", &scene.token(START - 1), &token(&operator(), &scene.id, START + 5, |_| {})] {
        updates.send(useless).await;
        pass(1).await;
        assert!(scene.is_current(&first));
    }
    updates.send(scene.token(START + 1)).await;
    pass(1).await;
    assert!(!scene.is_current(&first));
    assert_eq!(scene.held().account.issued_at().as_secs(), START + 1);
}

#[tokio::test(start_paused = true)]
async fn an_update_of_an_account_that_is_not_in_use_only_ends_that_it_is_unknown() {
    let scene = Scene::new();
    assert!(scene.find().await.is_err());
    scene.resolver.has(&scene.id, scene.token(START));
    assert!(scene.find().await.is_err());
    scene.resolver.updates().send(scene.token(START)).await;
    pass(1).await;
    assert_eq!(scene.desk.shared.lock().table.len(), 0);
    assert!(scene.find().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_used_again_has_another_edition() {
    let scene = Scene::new();
    scene.resolver.has(&scene.id, scene.token(START));
    let first = scene.find().await.unwrap();
    scene.resolver.lacks(&scene.id);
    assert!(scene.desk.refresh(&scene.id, &scene.clock()).await.is_err());
    assert!(!scene.is_current(&first));
    let other = account_id();
    scene.resolver.has(&other, token(&scene.operator, &other, START, |_| {}));
    let known = scene.desk.refresh(&other, &scene.clock()).await.unwrap();
    assert_eq!(known.edition.part(), first.edition.part());
    assert!(scene.is_current(&known) && !scene.is_current(&first));
}

#[tokio::test(start_paused = true)]
async fn everything_is_counted() {
    let scene = Scene::with(crate::accounts::AccountCache::new().stapled(std::time::Duration::from_secs(60)));
    let (unknown, failing) = (account_id(), account_id());
    scene.resolver.has(&scene.id, scene.token(START));
    scene.find().await.unwrap();
    let _ = scene.desk.refresh(&unknown, &scene.clock()).await;
    scene.resolver.has(&failing, "garbage");
    let _ = scene.desk.refresh(&failing, &scene.clock()).await;
    scene.resolver.behave(Mode::Fail);
    let _ = scene.desk.refresh(&failing, &scene.clock()).await;
    scene.find_with(&scene.token(START + 1)).await.unwrap();
    assert!(scene.find_with("garbage").await.is_err());
    let _ = scene.desk.insert(&scene.token(START), scene.now()).await;
    pass(7).await;
    let mut snapshot = Snapshot::default();
    scene.desk.measure("nats", &mut snapshot);
    let value = |name: &str, labels: &[&str]| match snapshot.value(&format!("portcullis_account{name}"), labels) {
        Some(Value::Counter(count)) => count.to_string(),
        Some(Value::Gauge(value)) => format!("{value:.0}"),
        other => panic!("{name}: {other:?}"),
    };
    let lookups = ["found", "unknown", "refused", "failed"].map(|result| value("_lookups_total", &["nats", result]));
    assert_eq!(lookups, ["1"; 4]);
    let staples = ["accepted", "refused"].map(|result| value("_staples_total", &["nats", result]));
    assert_eq!(staples, ["1"; 2]);
    let rest =
        ["s", "s_age_seconds", "_lookups_under_way", "_floors", "_rollbacks_total"].map(|name| value(name, &["nats"]));
    assert_eq!(rest, ["1", "7", "0", "1", "1"]);
}
