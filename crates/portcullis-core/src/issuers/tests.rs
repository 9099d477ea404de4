use std::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};

use super::*;
use crate::{Algorithm, AuthError, KeySet, Secret, clock::SystemClock};

fn issuer(name: &str) -> TrustedIssuer {
    TrustedIssuer::new(name, KeySet::from(Secret::new("a", Algorithm::Hs256, [1; 32]).unwrap())).audience("orders")
}

fn id(issuers: &Issuers, name: &str) -> Option<IssuerId> {
    issuers.configured().find(name).map(|row| row.id())
}

#[test]
fn a_place_is_reused_but_its_number_is_not() {
    let issuers = Issuers::new([issuer("https://kept.test")]).unwrap();
    let kept = id(&issuers, "https://kept.test").unwrap();
    let mut seen = std::collections::HashSet::from([kept.packed()]);
    for round in 0..1_000 {
        let name = format!("https://tenant-{round}.test");
        issuers.insert(issuer(&name)).unwrap();
        let came = id(&issuers, &name).unwrap();
        assert!(seen.insert(came.packed()), "round {round}");
        assert_eq!(came.place(), 1);
        assert!(issuers.configured().row_of(came).is_some());
        assert!(issuers.remove(&name) && !issuers.remove(&name));
        assert!(issuers.configured().row_of(came).is_none());
    }
    assert_eq!(id(&issuers, "https://kept.test"), Some(kept));
    assert_eq!(issuers.configured().rows().count(), 1);
}

#[test]
fn replacing_an_issuer_ends_the_number_of_the_one_before() {
    let issuers = Issuers::new([issuer("https://a.test"), issuer("https://b.test")]).unwrap();
    let (before, other) = (id(&issuers, "https://a.test").unwrap(), id(&issuers, "https://b.test"));
    issuers.insert(issuer("https://a.test")).unwrap();
    assert_ne!(id(&issuers, "https://a.test"), Some(before));
    assert!(issuers.configured().row_of(before).is_none());
    assert_eq!((id(&issuers, "https://b.test"), issuers.len()), (other, 2));
}

#[test]
fn only_the_exact_name_is_found_among_five_thousand() {
    let issuers = Issuers::new((0..5_000).map(|number| issuer(&format!("https://t{number}.test/x")))).unwrap();
    let table = issuers.configured();
    for number in [0, 1, 2_500, 4_999] {
        let name = format!("https://t{number}.test/x");
        assert_eq!(table.find(&name).unwrap().name(), name);
        for near in [format!("{name}/"), name.to_uppercase(), name.replace("/x", ""), format!("{name}x")] {
            assert!(table.find(&near).is_none(), "{near}");
            assert!(!near.contains("/x/") || refusal(&table, &near).contains("by a slash at the end"));
        }
    }
}

#[test]
fn a_refusal_lists_the_current_names() {
    let issuers = Issuers::default();
    assert!(refusal(&issuers.configured(), "https://a.test/").contains("trusted here: none"));
    issuers.insert(issuer("https://a.test")).unwrap();
    issuers.insert(issuer("https://b.test")).unwrap();
    let told = refusal(&issuers.configured(), "https://b.test/");
    assert!(told.contains("`https://a.test`, `https://b.test`; the token's `iss` differs"), "{told}");
    issuers.remove("https://b.test");
    let told = refusal(&issuers.configured(), "https://b.test/");
    assert!(told.contains("trusted here: `https://a.test`") && !told.contains("b.test"), "{told}");
    for none in ["", "/", "https://"] {
        assert!(!refusal(&issuers.configured(), none).contains("differs"), "a place that is free has no name");
    }
}

#[test]
fn retain_runs_its_closure_without_the_lock() {
    let issuers = Issuers::new([issuer("https://a.test"), issuer("https://b.test"), issuer("https://c.test")]).unwrap();
    issuers.retain(|name| {
        if name == "https://b.test" {
            issuers.insert(issuer("https://b.test")).unwrap(); // another issuer of that name, which is kept
        }
        name == "https://a.test"
    });
    let mut names = issuers.names();
    names.sort();
    assert_eq!(names, ["https://a.test", "https://b.test"]);
    issuers.retain(|name| name == "https://a.test");
    assert_eq!(issuers.names(), ["https://a.test"]);
}

fn refusal(table: &Table, name: &str) -> String {
    AuthError::to_string(&table.not_trusted(Some(name)))
}

/// Asks about this name, like a request whose token is not cached.
fn ask(issuers: &Issuers, name: &str) -> Result<(), AuthError> {
    let trusted = Trusted::Live(issuers.clone());
    if !trusted.may_ask(name) {
        return Err(Code::IssuerNotTrusted.into());
    }
    match pin!(trusted.ask(name, Arc::new(SystemClock))?).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the resolver does not wait"),
    }
}

fn kept(issuers: &Issuers) -> (usize, usize, usize) {
    issuers.0.unknown.get().unwrap().kept()
}

#[test]
fn a_flood_of_names_that_are_not_allowed_takes_no_memory() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let issuers = Issuers::default();
    let resolver = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok(None) }
    };
    issuers.on_unknown(Allow::suffix(".tenants.test").unwrap(), resolver).unwrap();
    for number in 0..100_000 {
        assert!(ask(&issuers, &format!("https://evil-{number}.test")).is_err());
    }
    assert_eq!((asked.load(Ordering::SeqCst), kept(&issuers)), (0, (0, 0, 0)));
    assert!(ask(&issuers, "https://one.tenants.test").is_err());
    assert_eq!((asked.load(Ordering::SeqCst), kept(&issuers)), (1, (0, 1, 0)));
}

#[test]
fn the_number_of_refused_names_is_bounded() {
    let issuers = Issuers::default();
    issuers.on_unknown(Allow::when(|_| true), |_| async { Ok(None) }).unwrap();
    for number in 0..10_000 {
        let refused = ask(&issuers, &format!("https://none-{number}.test")).unwrap_err();
        assert_eq!(refused.code(), Code::IssuerNotTrusted);
    }
    assert_eq!(kept(&issuers), (0, 1_024, 0));
}

/// Notes that this issuer has verified a token.
fn verified(issuers: &Issuers, name: &str) {
    Trusted::Live(issuers.clone()).note_verified(&issuers.find(name).unwrap());
}

#[test]
fn the_number_of_learned_issuers_is_bounded_and_listed_ones_stay() {
    let issuers = Issuers::new([issuer("https://configured.test")]).unwrap();
    let configured = id(&issuers, "https://configured.test");
    issuers.on_unknown(Allow::when(|_| true), |name: String| async move { Ok(Some(issuer(&name))) }).unwrap();
    ask(&issuers, "https://busy.test").unwrap();
    let busy = issuers.find("https://busy.test").unwrap().id();
    for number in 0..3_000 {
        let name = format!("https://tenant-{number}.test");
        ask(&issuers, &name).unwrap();
        verified(&issuers, &name);
        // A cached token uses `busy`; new tokens use `tenant-998`.
        assert!(issuers.of_id(busy, crate::Clock::now(&SystemClock), |row| Some(row.id())).is_some(), "{number}");
        if number >= 998 {
            verified(&issuers, "https://tenant-998.test");
        }
    }
    assert_eq!(kept(&issuers), (1_001, 0, 0));
    assert_eq!(id(&issuers, "https://configured.test"), configured);
    assert!(issuers.find("https://tenant-2999.test").is_some() && issuers.find("https://tenant-2000.test").is_none());
    let places = issuers.0.unknown.get().unwrap().learned().rows().map(|row| row.id().place()).max();
    assert!(places < Some(1_002), "places are used again");
}

#[test]
fn issuers_on_trial_evict_each_other_but_no_learned_ones() {
    let issuers = Issuers::default();
    issuers.on_unknown(Allow::when(|_| true), |name: String| async move { Ok(Some(issuer(&name))) }).unwrap();
    let flood = |from: usize| {
        (from..from + 2_000).for_each(|number| ask(&issuers, &format!("https://evil-{number}.test")).unwrap());
        assert!(issuers.find(&format!("https://evil-{}.test", from + 1_999)).is_some());
    };
    let customers = |count: usize| (0..count).map(|number| format!("https://tenant-{number}.test"));
    for (count, kept_in_all) in [(500, 1_000), (980, 1_044), (1_000, 1_064)] {
        for customer in customers(count) {
            drop(ask(&issuers, &customer));
            verified(&issuers, &customer);
        }
        flood(count * 10_000);
        assert!(customers(count).all(|customer| issuers.find(&customer).is_some()), "{count}");
        assert_eq!((issuers.learned().len(), kept(&issuers).0), (count, kept_in_all));
    }
}

#[test]
fn an_id_of_one_table_is_not_found_in_the_other() {
    let issuers = Issuers::new([issuer("https://a.test")]).unwrap();
    issuers.on_unknown(Allow::when(|_| true), |name: String| async move { Ok(Some(issuer(&name))) }).unwrap();
    ask(&issuers, "https://b.test").unwrap();
    let [a, b] = ["https://a.test", "https://b.test"].map(|name| issuers.find(name).unwrap().id());
    assert_eq!(a.place(), b.place());
    let names = |id| issuers.of_id(id, crate::Clock::now(&SystemClock), |row| Some(row.name().to_owned()));
    assert_eq!([names(a), names(b)], [Some("https://a.test".to_owned()), Some("https://b.test".to_owned())]);
}
