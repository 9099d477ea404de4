//! Tests row T8: a client is revoked by its id, in whichever claim the issuer writes it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{
    Admission, Code, JwtAuthenticator, TrustedIssuer, UnixTime, Verified,
    policy::Profile,
    revocation::{Revocation, ViewWriter},
    verified::{Conventions, Facts},
};
use portcullis_test::{FixedClock, MockIssuer, TokenBuilder};
use serde_json::{Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const HORIZON: Duration = Duration::from_secs(86_400);

struct Scene {
    issuer: MockIssuer,
    writer: ViewWriter,
}

impl Scene {
    fn new() -> Self {
        let clock = FixedClock::at(NOW);
        let writer = ViewWriter::builder(HORIZON).clock(clock.clone()).build();
        writer.confirm(writer.ask());
        Self { issuer: MockIssuer::new().clock(clock), writer }
    }

    fn admission(&self, trusted: TrustedIssuer) -> Admission {
        Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(FixedClock::at(NOW)).revocations(&self.writer)
    }

    /// Returns a token without `client_id`, like those of issuers that name the client in another claim.
    fn token(&self) -> TokenBuilder {
        self.issuer.token().without("client_id")
    }

    fn client(&self, id: &str) -> Revocation {
        Revocation::client(self.issuer.name(), id, NOW)
    }

    fn revoke_client(&self, id: &str) {
        self.writer.merge(&[self.writer.entry(&self.client(id))]);
    }
}

fn outcome(admission: &Admission, token: &TokenBuilder) -> Result<Verified, Code> {
    admission.verify(&token.sign()).ready().unwrap().map_err(|error| error.code())
}

#[test]
fn row_t8_a_client_is_revoked_where_its_issuer_names_it() {
    for (pointer, name, claim) in [
        ("/azp", "azp", json!("app")),
        ("/cid", "cid", json!("app")),
        ("/appid", "appid", json!("app")),
        ("/client_id", "client_id", json!("app")),
        ("/azp/0", "azp", json!(["app", "other"])),
        ("/ext/client~1id", "ext", json!({"client/id": "app", "other": "x"})),
    ] {
        let scene = Scene::new();
        let admission = scene.admission(scene.issuer.trusted().client_claim(pointer));
        let (hit, other) = (scene.token().claim(name, claim), scene.token().claim(name, "another"));
        assert_eq!(outcome(&admission, &hit).unwrap().client_id(), Some("app"), "{pointer}");
        scene.revoke_client("app");
        assert_eq!(outcome(&admission, &hit).unwrap_err(), Code::TokenRevoked, "{pointer}");
        assert!(outcome(&admission, &other).is_ok(), "{pointer}");
        assert!(outcome(&admission, &scene.token()).is_ok(), "{pointer}: a token of no client");
    }
}

#[test]
fn row_t8_a_cached_token_is_revoked_by_its_client_as_well() {
    let scene = Scene::new();
    let admission = scene.admission(scene.issuer.trusted().client_claim("/azp"));
    let token = scene.token().claim("azp", "app").sign();
    let verify = || admission.verify(&token).ready().unwrap().map(drop).map_err(|error| error.code());
    assert_eq!((verify(), verify()), (Ok(()), Ok(())));
    scene.revoke_client("app");
    assert_eq!(verify(), Err(Code::TokenRevoked));
}

#[test]
fn row_t8_only_the_named_claim_names_the_client() {
    let scene = Scene::new();
    let admission = scene.admission(scene.issuer.trusted().client_claim("/azp"));
    let both = scene.token().claim("client_id", "app").claim("azp", "real");
    assert_eq!(outcome(&admission, &both).unwrap().client_id(), Some("real"));
    scene.revoke_client("app");
    assert!(outcome(&admission, &both).is_ok());
    scene.revoke_client("real");
    assert_eq!(outcome(&admission, &both).unwrap_err(), Code::TokenRevoked);
}

#[test]
fn row_t8_what_is_no_text_names_no_client() {
    let scene = Scene::new();
    let admission = scene.admission(scene.issuer.trusted().client_claim("/azp"));
    let asks_no_view = Admission::new(JwtAuthenticator::new(scene.issuer.trusted().client_claim("/azp")).unwrap())
        .clock(FixedClock::at(NOW));
    for value in [json!(7), json!(["app"]), json!({"a": "app"}), json!(true), Value::Null] {
        let token = scene.token().claim("azp", &value);
        assert_eq!(outcome(&asks_no_view, &token).unwrap().client_id(), None, "{value}");
        let refused = admission.verify(&token.sign()).ready().unwrap().unwrap_err();
        assert_eq!(refused.code(), Code::ClaimsMalformed, "{value}");
        assert!(refused.to_string().contains("`azp`"), "{refused}");
    }
    let empty = outcome(&admission, &scene.token().claim("azp", "")).unwrap();
    assert_eq!(empty.client_id(), None);
    let elsewhere = scene.token().claim("client_id", 7).claim("azp", "app");
    assert_eq!(outcome(&admission, &elsewhere).unwrap().client_id(), Some("app"), "no rule reads `client_id` here");
    let escaped = scene.token().claim("sub", "a\nb").claim("azp", "a\tb\u{e9}");
    let verified = outcome(&admission, &escaped).unwrap();
    assert_eq!((verified.client_id(), verified.subject()), (Some("a\tb\u{e9}"), Some("a\nb")));
}

#[test]
fn row_t8_asserted_facts_name_their_client_as_well() {
    let client = |conventions| {
        let facts = Facts::assertion(r#"{"client_id":"a","azp":"b"}"#, conventions).unwrap();
        facts.client_id().map(str::to_owned)
    };
    let conventions = || Conventions::new("https://a.test");
    assert_eq!(client(conventions()).as_deref(), Some("a"));
    assert_eq!(client(conventions().client_claim("/azp")).as_deref(), Some("b"));
    assert_eq!(client(conventions().without_client_claim()), None);
}

#[test]
fn row_t8_revoking_a_client_of_an_issuer_that_names_none_is_a_problem() {
    let scene = Scene::new();
    assert_eq!(scene.writer.view().problem_with(&scene.client("app")), None, "nothing is known of that issuer");
    let without = scene.admission(scene.issuer.trusted().without_client_claim());
    let problem = scene.writer.view().problem_with(&scene.client("app")).unwrap();
    assert!(problem.contains("TrustedIssuer::client_claim"), "{problem}");
    assert_eq!(outcome(&without, &scene.token().claim("client_id", "app")).unwrap().client_id(), None);

    let subject = Revocation::subject(scene.issuer.name(), "alice", NOW);
    assert_eq!(scene.writer.view().problem_with(&subject), None, "another level");
    assert_eq!(scene.writer.view().problem_with(&Revocation::client("https://other.test", "app", NOW)), None);
    // With a second issuer, some of the tokens that the view checks name their client.
    let _with = scene.admission(scene.issuer.trusted());
    assert_eq!(scene.writer.view().problem_with(&scene.client("app")), None);
}

#[test]
fn row_t8_an_rfc_9068_token_needs_its_client_id_all_the_same() {
    let scene = Scene::new();
    let trusted = scene.issuer.trusted().profile(Profile::AccessToken).client_claim("/azp");
    let admission = scene.admission(trusted);
    assert_eq!(outcome(&admission, &scene.token().claim("azp", "app")).unwrap_err(), Code::ClaimMissing);
    assert!(outcome(&admission, &scene.issuer.token().claim("azp", "app")).is_ok());
}

#[test]
fn a_place_of_the_client_that_is_no_pointer_is_refused() {
    let trusted = MockIssuer::new().trusted().client_claim("azp");
    let problem = JwtAuthenticator::new(trusted).unwrap_err().to_string();
    assert!(problem.contains("`azp`"), "{problem}");
}
