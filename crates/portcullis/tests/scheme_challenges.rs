//! The challenges for several schemes: one for each, and only that of the refused credential says what is wrong with it.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::convert::Infallible;

use http::{HeaderName, Request, Response};
use portcullis::{
    Algorithm, AuthContext, AuthError, AuthLayer, Code, Requirement,
    authenticator::{Attempt, Authenticator, Credential, Dispatch, Header, Nonce, Proven, Scheme},
    location::HttpHeader,
    rejection::{BearerChallenge, Challenge, GrpcStatus, MakeRejection, SchemeChallenge},
    requirement::scope,
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::MockIssuer;
use tower::{Layer, Service, ServiceExt, service_fn};

const HMAC: Scheme = Scheme::Other("HMAC");

/// Refuses and admits under one scheme as the credential's text says.
#[derive(Clone, Debug)]
struct Obedient(Scheme);

impl Authenticator for Obedient {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        let outcome = match credential.token() {
            "good" | "late-good" => {
                let facts = Facts::assertion(r#"{"sub":"machine"}"#, Conventions::new("https://machines.test"));
                facts.map(|facts| Proven::new(facts, NoCustom).proof_owed())
            }
            "down" => Err(AuthError::new(Code::KeysUnavailable)),
            _ => Err(AuthError::new(Code::SignatureInvalid)),
        };
        if credential.token().starts_with("late-") {
            return Attempt::waiting(async { outcome.map(Proven::proof_shown) });
        }
        Attempt::Done(outcome)
    }

    fn check_proof(&self, credential: Credential<'_>, _: &portcullis::Verified<NoCustom>) -> Result<(), AuthError> {
        let nonce = Nonce::new("nonce-2").unwrap();
        match credential.request().map(|request| request.header("Proof")) {
            Some(Header::One(b"right")) => Ok(()),
            Some(Header::One(b"old")) => Err(AuthError::new(Code::ProofNonceNeeded).with_nonce(nonce)),
            Some(Header::One(b"again")) => Err(AuthError::new(Code::ProofReplayed)),
            Some(Header::Several) => Err(AuthError::new(Code::ProofMalformed)),
            _ => Err(AuthError::new(Code::ProofMissing)),
        }
    }

    fn schemes(&self) -> Vec<Scheme> {
        vec![self.0]
    }
}

/// Takes bearer tokens of the issuer, and what `Obedient` says under two other schemes.
fn three_schemes(issuer: &MockIssuer) -> AuthLayer {
    let dispatch = Dispatch::builder()
        .scheme(Scheme::DPoP, Obedient(Scheme::DPoP))
        .scheme(HMAC, Obedient(HMAC))
        .compact_jws(portcullis::JwtAuthenticator::new(issuer.trusted()).unwrap())
        .build();
    AuthLayer::new(dispatch.unwrap())
}

async fn inner(_: Request<String>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

/// The status and the challenges.
async fn answer<S>(service: S, request: Request<String>) -> (u16, Vec<String>)
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible>,
{
    let response = service.oneshot(request).await.unwrap();
    (response.status().as_u16(), challenges(&response))
}

fn challenges<B>(response: &Response<B>) -> Vec<String> {
    let values = response.headers().get_all("www-authenticate").iter();
    values.map(|value| value.to_str().unwrap().to_owned()).collect()
}

fn request(authorization: &str, proof: &str) -> Request<String> {
    let request = Request::builder().header("authorization", authorization).header("proof", proof);
    request.body(String::new()).unwrap()
}

async fn ask(layer: &AuthLayer, authorization: &str, proof: &str) -> (u16, Vec<String>) {
    answer(layer.layer(service_fn(inner)), request(authorization, proof)).await
}

#[tokio::test]
async fn every_scheme_has_one_challenge_and_only_that_of_the_credential_has_an_error() {
    let layer = three_schemes(&MockIssuer::new());
    let nothing = Request::new(String::new());
    let (status, offered) = answer(layer.layer(service_fn(inner)), nothing).await;
    assert_eq!((status, offered), (401, vec!["Bearer".to_owned(), "DPoP".to_owned(), "HMAC".to_owned()]));

    for (authorization, blamed) in
        [("Bearer a.b.c", 0), ("DPoP bad", 1), ("dpop bad", 1), ("HMAC bad", 2), ("DPoP late-bad", 1)]
    {
        let (status, challenges) = ask(&layer, authorization, "right").await;
        assert_eq!((status, challenges.len()), (401, 3), "{authorization}: {challenges:?}");
        for (place, name) in ["Bearer", "DPoP", "HMAC"].into_iter().enumerate() {
            assert!(challenges[place].starts_with(name), "{authorization}: {challenges:?}");
            let has_error = challenges[place].contains("error=\"invalid_");
            assert_eq!(has_error, place == blamed, "{authorization}: {challenges:?}");
        }
    }
    for authorization in ["DPoP good", "HMAC good", "DPoP late-good"] {
        assert_eq!(ask(&layer, authorization, "right").await, (200, vec![]), "{authorization}");
    }
}

#[tokio::test]
async fn a_malformed_credential_is_answered_under_its_own_scheme() {
    let layer = three_schemes(&MockIssuer::new());
    for (authorization, scheme) in [
        ("DPoP", "DPoP"),
        ("DPoP\tgood", "DPoP"),
        ("DPoP good, x", "DPoP"),
        ("HMAC keyId=\"a\", signature=\"b\"", "HMAC"),
        ("Bearer", "Bearer"),
        ("Bearer a b", "Bearer"),
    ] {
        let (status, challenges) = ask(&layer, authorization, "right").await;
        assert_eq!((status, challenges.len()), (400, 1), "{authorization}: {challenges:?}");
        assert!(
            challenges[0].starts_with(&format!("{scheme} error=\"invalid_request\"")),
            "{authorization}: {challenges:?}"
        );
    }
}

#[tokio::test]
async fn a_bad_proof_has_the_error_code_of_its_scheme() {
    let layer = three_schemes(&MockIssuer::new());
    for (proof, under_dpop, under_hmac) in [
        ("", "invalid_dpop_proof", "invalid_token"),
        ("again", "invalid_dpop_proof", "invalid_token"),
        ("old", "use_dpop_nonce", "invalid_token"),
    ] {
        let (status, challenges) = ask(&layer, "DPoP good", proof).await;
        assert!(status == 401 && challenges[1].contains(&format!("error=\"{under_dpop}\"")), "{proof}: {challenges:?}");
        let (status, challenges) = ask(&layer, "HMAC good", proof).await;
        assert!(status == 401 && challenges[2].contains(&format!("error=\"{under_hmac}\"")), "{proof}: {challenges:?}");
    }
    // An outage is no fault of the proof, and no challenge helps.
    assert_eq!(ask(&layer, "DPoP down", "right").await, (503, vec![]));
}

#[tokio::test]
async fn a_nonce_is_sent_in_the_http_header_of_its_scheme() {
    let layer = three_schemes(&MockIssuer::new());
    let hmac =
        SchemeChallenge::from(Challenge::new("HMAC").unwrap()).nonce_header(HeaderName::from_static("hmac-nonce"));
    let hmac = hmac.proof_error("bad_proof").nonce_error("use_nonce");
    let named = layer.clone().challenge(BearerChallenge::new().beside(hmac));
    let nonces = async |layer: &AuthLayer, authorization: &str, proof: &str| {
        let response = layer.layer(service_fn(inner)).oneshot(request(authorization, proof)).await.unwrap();
        ["dpop-nonce", "hmac-nonce"]
            .map(|name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
    };
    let sent = || Some("nonce-2".to_owned());
    assert_eq!(nonces(&layer, "DPoP good", "old").await, [sent(), None]);
    assert_eq!(nonces(&layer, "DPoP good", "again").await, [None, None]);
    assert_eq!(nonces(&layer, "HMAC good", "old").await, [None, None], "the scheme has no HTTP header for nonces");
    assert_eq!(nonces(&named, "HMAC good", "old").await, [None, sent()]);
    assert_eq!(nonces(&named, "DPoP good", "old").await, [sent(), None]);

    assert!(ask(&named, "HMAC good", "old").await.1[2].contains("error=\"use_nonce\""));
    assert!(ask(&named, "HMAC good", "again").await.1[2].contains("error=\"bad_proof\""));
}

#[tokio::test]
async fn a_layer_without_bearer_tokens_offers_none() {
    let layer = AuthLayer::new(Obedient(Scheme::DPoP)).realm("orders");
    let offered = answer(layer.layer(service_fn(inner)), Request::new(String::new())).await;
    assert_eq!(offered, (401, vec![r#"DPoP realm="orders""#.to_owned()]));
    // A header that is there twice is not a credential of any scheme: the first one that is accepted says what is wrong.
    let twice = Request::builder().header("authorization", "DPoP good").header("authorization", "DPoP good");
    let (status, challenges) = answer(layer.layer(service_fn(inner)), twice.body(String::new()).unwrap()).await;
    assert!(
        status == 400 && challenges.len() == 1 && challenges[0].starts_with("DPoP realm=\"orders\", error="),
        "{challenges:?}"
    );

    // In another place, credentials have no scheme: a token that is sent as `Bearer` would not be read there.
    let admission = MockIssuer::new().admission();
    let before = layer.clone().or_at(HttpHeader::new("x-token").unwrap(), admission.clone()).unwrap();
    let after = AuthLayer::new(Obedient(Scheme::DPoP)).or_at(HttpHeader::new("x-token").unwrap(), admission).unwrap();
    for layer in [before, after.realm("orders")] {
        let offered = answer(layer.layer(service_fn(inner)), Request::new(String::new())).await;
        assert_eq!(offered, (401, vec![r#"DPoP realm="orders""#.to_owned()]));
    }
    let elsewhere = AuthLayer::at(HttpHeader::new("x-token").unwrap(), MockIssuer::new().admission());
    let offered = answer(elsewhere.layer(service_fn(inner)), Request::new(String::new())).await;
    assert_eq!(offered, (401, vec!["Bearer".to_owned()]), "a 401 has a challenge (RFC 9110 section 15.5.2)");
}

/// An answer of one's own has its own settings, and offers what the layer accepts.
#[tokio::test]
async fn a_challenge_as_the_layers_own_answer_offers_its_schemes() {
    let layer = AuthLayer::new(Obedient(Scheme::DPoP));
    let own = || BearerChallenge::new().realm("own");
    let expected = (401, vec![r#"DPoP realm="own""#.to_owned()]);
    let rejecting = layer.clone().rejection(own()).layer(service_fn(inner));
    assert_eq!(answer(rejecting, Request::new(String::new())).await, expected);
    let guard = portcullis::RequireLayer::new(scope("orders")).rejection(own());
    let guarded = layer.clone().optional().layer(guard.layer(service_fn(inner)));
    assert_eq!(answer(guarded, Request::new(String::new())).await, expected);
    let challenging = layer.challenge(own()).layer(service_fn(inner));
    assert_eq!(answer(challenging, Request::new(String::new())).await, expected);
}

#[tokio::test]
async fn a_grpc_answer_has_the_nonce_too() {
    let layer = three_schemes(&MockIssuer::new()).rejection(GrpcStatus::new());
    for (proof, nonce) in [("old", Some("nonce-2")), ("again", None)] {
        let response = layer.layer(service_fn(inner)).oneshot(request("DPoP good", proof)).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "16");
        assert_eq!(response.headers().get("dpop-nonce").map(|value| value.to_str().unwrap()), nonce);
    }
}

#[tokio::test]
async fn settings_of_a_scheme_replace_the_defaults_and_are_there_once() {
    let dpop = || SchemeChallenge::dpop([Algorithm::Es256, Algorithm::EdDsa]);
    let layer = three_schemes(&MockIssuer::new());
    for beside in [
        BearerChallenge::new().beside(dpop()),
        BearerChallenge::new().beside(Challenge::new("dpop").unwrap()).beside(dpop()),
    ] {
        let layer = layer.clone().challenge(beside);
        let (_, offered) = answer(layer.layer(service_fn(inner)), Request::new(String::new())).await;
        assert_eq!(offered, ["Bearer", r#"DPoP algs="ES256 EdDSA""#, "HMAC"]);
        let (_, refused) = ask(&layer, "DPoP good", "again").await;
        assert!(refused[1].starts_with(r#"DPoP algs="ES256 EdDSA", error="invalid_dpop_proof""#), "{refused:?}");
    }
}

#[tokio::test]
async fn a_guard_refuses_under_the_scheme_that_was_used() {
    let issuer = MockIssuer::new();
    let guarded = |requirement: Requirement| {
        three_schemes(&issuer).layer(portcullis::RequireLayer::new(requirement).layer(service_fn(inner)))
    };
    for (authorization, scheme) in [
        ("DPoP good".to_owned(), "DPoP"),
        ("HMAC good".to_owned(), "HMAC"),
        (issuer.token().bearer(), "Bearer"),
        ("DPoP late-good".to_owned(), "DPoP"),
    ] {
        let (status, challenges) = answer(guarded(scope("orders")), request(&authorization, "right")).await;
        assert_eq!((status, challenges.len()), (403, 1), "{scheme}: {challenges:?}");
        assert!(challenges[0].starts_with(&format!("{scheme} error=\"insufficient_scope\"")), "{challenges:?}");
        assert!(challenges[0].ends_with("scope=\"orders\""), "{challenges:?}");
    }
}

#[tokio::test]
async fn own_answers_and_handlers_learn_the_scheme() {
    async fn scheme(request: Request<String>) -> Result<Response<String>, Infallible> {
        let context = request.extensions().get::<AuthContext>().unwrap();
        Ok(Response::new(format!("{} {}", context.scheme(), context.token().unwrap_or("-"))))
    }
    let layer = three_schemes(&MockIssuer::new());
    let own = |error: &AuthError| Response::new(format!("{} {:?}", error.code(), error.scheme()));
    let refusing = layer.clone().rejection(own).layer(service_fn(inner));
    let response = refusing.oneshot(request("DPoP bad", "")).await.unwrap();
    assert_eq!(response.body(), "signature_invalid Some(DPoP)");

    for (layer, expected) in [(layer.clone(), "DPoP -"), (layer.keep_token(), "DPoP good")] {
        let response = layer.layer(service_fn(scheme)).oneshot(request("DPoP good", "right")).await.unwrap();
        assert_eq!(response.body(), expected);
    }
}

/// Accepts no scheme.
#[derive(Debug)]
struct Deaf;

impl Authenticator for Deaf {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        Obedient(Scheme::Bearer).verify(credential)
    }

    fn schemes(&self) -> Vec<Scheme> {
        Vec::new()
    }
}

/// Otherwise an optional layer would take every credential for none.
#[tokio::test]
async fn schemes_that_no_request_can_name_are_a_misconfiguration() {
    let broken = [
        AuthLayer::new(Obedient(Scheme::Other("a, Bearer"))),
        AuthLayer::new(Obedient(Scheme::Other(""))),
        AuthLayer::new(Deaf),
    ];
    for layer in broken {
        for layer in [layer.clone(), layer.optional()] {
            assert_eq!(ask(&layer, "Bearer good", "right").await, (500, vec![]));
        }
    }
    let named = AuthLayer::new(Obedient(Scheme::Other("a")));
    assert_eq!(ask(&named, "Bearer good", "right").await, (401, vec!["a".to_owned()]));
    assert_eq!(ask(&named, "a good", "right").await, (200, vec![]));
    for name in ["", "a b", "a,b", "\u{e4}"] {
        let dispatch = Dispatch::builder().scheme(Scheme::Other(name), Obedient(Scheme::Other(name))).build();
        let problem = dispatch.unwrap_err().to_string();
        assert!(problem.contains("is not the name of a scheme"), "{problem}");
    }
}

#[tokio::test]
async fn an_explanation_knows_the_scheme_as_the_layer_does() {
    let admission = portcullis::Admission::new(Obedient(Scheme::DPoP));
    let explainer = portcullis::explain::Explainer::new(&admission);
    let scheme = async |authorization: &str| {
        let explanation = explainer.explain(&request(authorization, "right")).await;
        explanation.verdict.map(drop).map_err(|error| error.scheme())
    };
    assert_eq!(scheme("DPoP bad").await, Err(Some(Scheme::DPoP)));
    assert_eq!(scheme("DPoP").await, Err(Some(Scheme::DPoP)));
    assert_eq!(scheme("DPoP good").await, Ok(()));
}

#[test]
fn without_a_layer_the_error_alone_says_which_scheme_to_challenge() {
    let error = AuthError::new(Code::TokenExpired).with_scheme(HMAC);
    let response: Response<String> = BearerChallenge::new().make_rejection(&error);
    let expected = r#"HMAC error="invalid_token", error_description="the token has expired""#;
    assert_eq!(challenges(&response), ["Bearer", expected]);
}
