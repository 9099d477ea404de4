use super::*;
use crate::{Algorithm, AuthError, KeySet, Secret};

fn issuer(name: &str) -> TrustedIssuer {
    TrustedIssuer::new(name, "orders", KeySet::from(Secret::new("a", Algorithm::Hs256, [1; 32]).unwrap()))
}

fn part(issuers: &Issuers, name: &str) -> Option<Part> {
    issuers.configured().find(name).map(|row| row.part())
}

#[test]
fn a_place_is_used_again_and_its_number_never() {
    let issuers = Issuers::new([issuer("https://kept.test")]).unwrap();
    let kept = part(&issuers, "https://kept.test").unwrap();
    let mut seen = std::collections::HashSet::from([kept.number()]);
    for round in 0..1_000 {
        let name = format!("https://tenant-{round}.test");
        issuers.insert(issuer(&name)).unwrap();
        let came = part(&issuers, &name).unwrap();
        assert!(seen.insert(came.number()), "round {round}");
        assert_eq!(came.slot(), 1);
        assert!(issuers.configured().row_of(came).is_some());
        assert!(issuers.remove(&name) && !issuers.remove(&name));
        assert!(issuers.configured().row_of(came).is_none());
    }
    assert_eq!(part(&issuers, "https://kept.test"), Some(kept));
    assert_eq!(issuers.configured().rows().count(), 1);
}

#[test]
fn replacing_an_issuer_ends_the_number_of_the_one_before() {
    let issuers = Issuers::new([issuer("https://a.test"), issuer("https://b.test")]).unwrap();
    let (before, other) = (part(&issuers, "https://a.test").unwrap(), part(&issuers, "https://b.test"));
    issuers.insert(issuer("https://a.test")).unwrap();
    assert_ne!(part(&issuers, "https://a.test"), Some(before));
    assert!(issuers.configured().row_of(before).is_none());
    assert_eq!((part(&issuers, "https://b.test"), issuers.len()), (other, 2));
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
fn a_refusal_knows_the_names_of_the_moment() {
    let issuers = Issuers::default();
    assert!(refusal(&issuers.configured(), "https://a.test/").contains("trusted here: nobody"));
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
fn what_is_kept_is_asked_outside_of_the_change() {
    let issuers = Issuers::new([issuer("https://a.test"), issuer("https://b.test"), issuer("https://c.test")]).unwrap();
    issuers.retain(|name| {
        if name == "https://b.test" {
            issuers.insert(issuer("https://b.test")).unwrap(); // another one of that name: it stays
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
