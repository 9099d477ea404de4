//! Tests issuers that are not on the list, and the resolver that is asked about them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod desk;

use std::{task::Poll, time::Duration};

use desk::{Scene, done, poll};
use portcullis_core::{Admission, Code, Issuers, JwtAuthenticator, authenticator::Attempt, issuers::Allow};
use portcullis_test::MockIssuer;

#[test]
fn a_tenant_is_learned_with_its_first_token() {
    let scene = Scene::new();
    let acme = scene.tenant("acme");
    let waiting = scene.begin(&acme);
    scene.desk.answer(|name| {
        assert_eq!(name, acme.name());
        Ok(Some(acme.trusted()))
    });
    assert_eq!(done(waiting).unwrap().issuer(), acme.name());
    assert_eq!(scene.code(&acme), None);
    assert_eq!((scene.desk.asked(), scene.issuers.learned()), (1, vec![acme.name().to_owned()]));
    assert!(scene.issuers.is_empty(), "it is not on the list");
    let posing = scene.tenant("acme");
    assert_eq!(scene.code(&posing), Some(Code::SignatureInvalid));
}

#[test]
fn names_that_the_rule_does_not_allow_reach_no_resolver() {
    let scene = Scene::new();
    for name in ["https://tenants.test", "https://evil.test/.tenants.test", "https://acme.tenants.test/", "x"] {
        let refused = scene.outcome(&MockIssuer::new().named(name).clock(scene.clock.clone())).unwrap_err();
        assert_eq!(refused.code(), Code::IssuerNotTrusted, "{name}");
    }
    let long = scene.tenant(&["a"; 60].join("."));
    assert!(scene.admission.verify(&long.token().sign()).ready().is_none(), "it is long, and allowed");
    assert_eq!(scene.desk.asked(), 0, "not before the request is polled");
    assert!(scene.admission.verify(&scene.tenant("acme").token().without("iss").sign()).ready().unwrap().is_err());
}

#[test]
fn requests_that_name_one_issuer_wait_for_one_answer() {
    let scene = Scene::new();
    let (acme, globex) = (scene.tenant("acme"), scene.tenant("globex"));
    let waiting: Vec<_> = (0..10).map(|_| scene.begin(&acme)).collect();
    let other = scene.begin(&globex);
    assert_eq!(scene.desk.asked(), 2);
    scene.desk.answer(|name| Ok((name == acme.name()).then(|| acme.trusted())));
    assert!(waiting.into_iter().all(|waiting| done(waiting).is_ok()));
    assert_eq!(done(other).unwrap_err().code(), Code::IssuerNotTrusted);
}

#[test]
fn a_client_that_hangs_up_does_not_affect_the_others() {
    let scene = Scene::new();
    let acme = scene.tenant("acme");
    let [first, second] = [(); 2].map(|()| scene.begin(&acme));
    drop(first);
    scene.desk.answer(|_| Ok(Some(acme.trusted())));
    assert!(done(second).is_ok());
    assert_eq!(scene.desk.asked(), 1);

    let globex = scene.tenant("globex");
    [(); 2].map(|()| scene.begin(&globex)).into_iter().for_each(drop);
    scene.desk.answer(|_| Ok(Some(globex.trusted())));
    assert_eq!(scene.issuers.learned(), [acme.name()], "no request waited for it");
    let again = scene.begin(&globex);
    scene.desk.answer(|_| Ok(Some(globex.trusted())));
    assert!(done(again).is_ok());
    assert_eq!(scene.desk.asked(), 3);
}

#[test]
fn an_issuer_that_does_not_exist_is_refused_for_a_minute_without_a_question() {
    let scene = Scene::new();
    let acme = scene.tenant("acme");
    let waiting = scene.begin(&acme);
    scene.desk.answer(|_| Ok(None));
    assert_eq!(done(waiting).unwrap_err().code(), Code::IssuerNotTrusted);
    scene.clock.advance(Duration::from_secs(59));
    assert_eq!(scene.code(&acme), Some(Code::IssuerNotTrusted));
    scene.clock.advance(Duration::from_secs(1));
    let waiting = scene.begin(&acme);
    scene.desk.answer(|_| Ok(Some(acme.trusted())));
    assert!(done(waiting).is_ok());
    assert_eq!(scene.desk.asked(), 2);
}

#[test]
fn an_issuer_is_unavailable_for_some_seconds_after_the_resolver_failed() {
    let scene = Scene::new();
    let acme = scene.tenant("acme");
    let waiting = scene.begin(&acme);
    scene.desk.answer(|_| Err("the database is down".into()));
    let unavailable = done(waiting).unwrap_err();
    assert_eq!(unavailable.code(), Code::IssuerUnavailable);
    assert_eq!(unavailable.retry_after(), Some(Duration::from_secs(5)));
    assert_eq!(std::error::Error::source(&unavailable).unwrap().to_string(), "the database is down");
    scene.clock.advance(Duration::from_secs(4));
    let unavailable = scene.outcome(&acme).unwrap_err();
    assert_eq!(
        (unavailable.code(), unavailable.retry_after()),
        (Code::IssuerUnavailable, Some(Duration::from_secs(1)))
    );
    scene.clock.advance(Duration::from_secs(1));
    let waiting = scene.begin(&acme);
    scene.desk.answer(|_| Ok(Some(acme.trusted())));
    assert!(done(waiting).is_ok());
}

#[test]
fn an_issuer_of_another_name_or_an_unusable_one_is_the_services_fault() {
    let scene = Scene::new();
    let (acme, globex) = (scene.tenant("acme"), scene.tenant("globex"));
    let of_another_name = scene.begin(&acme);
    scene.desk.answer(|_| Ok(Some(globex.trusted())));
    assert_eq!(done(of_another_name).unwrap_err().code(), Code::ServiceMisconfigured);
    let unusable = scene.begin(&globex);
    scene.desk.answer(|_| Ok(Some(globex.trusted().require_claim("tenant"))));
    assert_eq!(done(unusable).unwrap_err().code(), Code::ServiceMisconfigured);
    assert_eq!([scene.code(&acme), scene.code(&globex)], [Some(Code::ServiceMisconfigured); 2]);
    assert!(scene.issuers.learned().is_empty());
    assert_eq!(scene.desk.asked(), 2);
}

#[test]
fn a_panic_of_the_resolver_counts_as_a_failure() {
    let issuers = Issuers::default();
    let resolver = |_| async { panic!("on purpose") };
    issuers.on_unknown(Allow::suffix(".tenants.test").unwrap(), resolver).unwrap();
    let admission = Admission::<portcullis_core::verified::NoCustom>::new(JwtAuthenticator::issuers(issuers));
    let token = MockIssuer::new().named("https://acme.tenants.test").token().sign();
    let [mut one, mut other] = [(); 2].map(|()| match admission.verify(&token) {
        Attempt::Waiting(waiting) => waiting,
        _ => unreachable!("it is not known"),
    });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll(&mut one))).is_err());
    let Poll::Ready(Err(error)) = poll(&mut other) else { unreachable!("it waits for nothing") };
    assert_eq!(error.code(), Code::IssuerUnavailable);
}

#[test]
fn at_most_64_issuers_are_looked_up_at_once() {
    let scene = Scene::new();
    let tenants: Vec<_> = (0..65).map(|number| scene.tenant(&format!("t{number}"))).collect();
    let waiting: Vec<_> = tenants[..64].iter().map(|tenant| scene.begin(tenant)).collect();
    let busy = scene.outcome(&tenants[64]).unwrap_err();
    assert_eq!((busy.code(), busy.retry_after()), (Code::IssuerUnavailable, Some(Duration::from_secs(1))));
    let joined = scene.begin(&tenants[63]);
    scene.desk.answer(|name| Ok(tenants.iter().find(|tenant| tenant.name() == name).map(MockIssuer::trusted)));
    assert!(waiting.into_iter().chain([joined]).all(|waiting| done(waiting).is_ok()));
    let last = scene.begin(&tenants[64]);
    scene.desk.answer(|_| Ok(Some(tenants[64].trusted())));
    assert!(done(last).is_ok());
    assert_eq!(scene.desk.asked(), 65);
}

#[test]
fn a_change_by_the_application_overrides_a_pending_answer() {
    let scene = Scene::new();
    let acme = scene.tenant("acme");
    let waiting = scene.begin(&acme);
    scene.issuers.insert(acme.trusted().require_claim("/tenant")).unwrap();
    scene.desk.answer(|_| Ok(Some(acme.trusted())));
    assert_eq!(done(waiting).unwrap_err().code(), Code::ClaimMissing, "by the list");
    assert!(scene.issuers.learned().is_empty());

    let globex = scene.tenant("globex");
    let mut waiting = scene.begin(&globex);
    scene.issuers.remove(globex.name());
    scene.desk.answer(|_| Ok(Some(globex.trusted()))); // the resolver read this before the issuer was removed
    assert!(poll(&mut waiting).is_pending(), "so it is asked once more");
    scene.desk.answer(|_| Ok(None));
    assert_eq!(done(waiting).unwrap_err().code(), Code::IssuerNotTrusted);
}

#[test]
fn retain_ends_the_questions_about_issuers_that_are_not_kept() {
    let scene = Scene::new();
    let (evil, acme) = (scene.tenant("evil"), scene.tenant("acme"));
    let [mut of_evil, of_acme] = [&evil, &acme].map(|tenant| scene.begin(tenant));
    scene.issuers.retain(|name| name != evil.name());
    // The resolver read this before the issuer was dropped.
    scene.desk.answer(|name| Ok(Some(if name == evil.name() { evil.trusted() } else { acme.trusted() })));
    assert!(done(of_acme).is_ok());
    assert!(poll(&mut of_evil).is_pending(), "so it is asked once more");
    assert_eq!((scene.issuers.learned(), scene.desk.asked()), (vec![acme.name().to_owned()], 3));
    scene.desk.answer(|_| Ok(None));
    assert_eq!(done(of_evil).unwrap_err().code(), Code::IssuerNotTrusted);
}

#[test]
fn removing_or_replacing_an_issuer_drops_learned_and_cached_state() {
    let scene = Scene::new();
    let acme = scene.tenant("acme");
    let token = acme.token().sign();
    let learn = || {
        let Attempt::Waiting(mut waiting) = scene.admission.verify(&token) else { unreachable!("it is not known") };
        assert!(poll(&mut waiting).is_pending());
        scene.desk.answer(|_| Ok(Some(acme.trusted())));
        done(waiting).unwrap();
        // The token that waited is not cached; the next one is.
        let [first, second] = [(); 2].map(|()| scene.admission.verify(&token).ready().unwrap().unwrap());
        std::ptr::eq(first.claims_json(), second.claims_json())
    };
    assert!(learn());
    assert!(scene.issuers.remove(acme.name()) && !scene.issuers.remove(acme.name()));
    assert!(learn());
    scene.issuers.retain(|name| name != acme.name());
    assert!(learn());
    scene.issuers.insert(acme.trusted().require_claim("/tenant")).unwrap();
    assert_eq!(scene.admission.verify(&token).ready().unwrap().unwrap_err().code(), Code::ClaimMissing);
    scene.issuers.insert(acme.trusted()).unwrap();
    assert!(scene.admission.verify(&token).ready().unwrap().is_ok());
}

#[test]
fn a_list_has_one_resolver() {
    let scene = Scene::new();
    let again = scene.issuers.on_unknown(Allow::when(|_| true), |_| async { Ok(None) });
    assert!(again.unwrap_err().to_string().contains("one resolver"));
}
