//! Nonces for proofs: the layer that adds them to answers, the endpoint, and the challenge of the scheme.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{HeaderMap, Request, Response, StatusCode, header};
use portcullis::{
    AuthError, AuthLayer, Code, Verified,
    authenticator::{Attempt, Authenticator, Credential, Header, Proven, Scheme},
    clock::UnixTime,
    nonce::{NonceEndpoint, NonceHeader, NonceLayer},
    possession::{NonceIssuer, SignedNonces},
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::FixedClock;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

const NATS: Scheme = Scheme::Other("NatsUser");
const ORIGIN: &str = "https://api.example.com";
const T: UnixTime = UnixTime::from_secs(1_800_000_000);

/// Accepts every token, with a proof that is only a nonce.
#[derive(Debug)]
struct NonceOnly {
    nonces: Arc<SignedNonces>,
}

impl Authenticator for NonceOnly {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        if credential.token() != "good" {
            return Attempt::Done(Err(AuthError::new(Code::SignatureInvalid)));
        }
        let facts = Facts::assertion(r#"{"sub":"U"}"#, Conventions::new("nats:A"));
        Attempt::Done(facts.map(|facts| Proven::new(facts, NoCustom).proof_owed()))
    }

    fn check_proof(&self, credential: Credential<'_>, _: &Verified<NoCustom>) -> Result<(), AuthError> {
        let proof = match credential.request().map(|request| request.header("nats-proof")) {
            Some(Header::One(proof)) => std::str::from_utf8(proof).unwrap(),
            _ => "",
        };
        let nonce = proof.strip_prefix("v=1; nonce=").unwrap_or_default();
        if self.nonces.check(nonce, ORIGIN, credential.now()).until().is_some() {
            return Ok(());
        }
        Err(AuthError::new(Code::ProofNonceNeeded).with_nonce(self.nonces.issue(ORIGIN, credential.now())))
    }

    fn schemes(&self) -> Vec<Scheme> {
        vec![NATS]
    }
}

struct Scene {
    clock: FixedClock,
    nonces: Arc<SignedNonces>,
    layer: NonceLayer,
}

impl Scene {
    fn new() -> Self {
        let (clock, nonces) = (FixedClock::at(T), Arc::new(SignedNonces::random().unwrap()));
        let layer = NonceLayer::new(NonceHeader::nats(), Arc::clone(&nonces), ORIGIN).clock(clock.clone());
        Self { clock, nonces, layer }
    }

    fn service(&self) -> impl Service<Request<String>, Response = Response<String>, Error = Infallible> + use<> {
        let admission = portcullis::Admission::new(NonceOnly { nonces: Arc::clone(&self.nonces) });
        self.layer.layer(AuthLayer::new(admission.clock(self.clock.clone())).layer(service_fn(inner)))
    }

    fn nonce(&self) -> String {
        self.nonces.issue(ORIGIN, T).as_str().to_owned()
    }

    /// Returns the status, the nonce and the challenges.
    async fn ask(&self, authorization: &str, nonce: Option<&str>) -> (u16, Option<String>, Vec<String>) {
        let response = self.service().oneshot(request(authorization, nonce)).await.unwrap();
        let challenges = response.headers().get_all("www-authenticate").iter();
        let challenges = challenges.map(|value| value.to_str().unwrap().to_owned()).collect();
        (response.status().as_u16(), nonce_of(response.headers()), challenges)
    }

    fn is_fresh(&self, nonce: Option<&String>) -> bool {
        use portcullis::clock::Clock;
        let now = self.clock.now();
        nonce.is_some_and(|nonce| !self.nonces.check(nonce, ORIGIN, now).is_renewal_due())
    }
}

async fn inner(_: Request<String>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

fn request(authorization: &str, nonce: Option<&str>) -> Request<String> {
    let mut request = Request::builder();
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    if let Some(nonce) = nonce {
        request = request.header("nats-proof", format!("v=1; nonce={nonce}"));
    }
    request.body(String::new()).unwrap()
}

fn nonce_of(headers: &HeaderMap) -> Option<String> {
    assert!(headers.get_all("nats-nonce").iter().count() <= 1, "two nonces");
    headers.get("nats-nonce").map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_fresh_nonce_comes_with_the_answer_in_the_second_half_of_a_nonces_life() {
    let scene = Scene::new();
    let nonce = scene.nonce();
    for (later, status, has_nonce) in
        [(0, 200, false), (29, 200, false), (30, 200, true), (59, 200, true), (60, 401, true)]
    {
        scene.clock.set(T.plus(Duration::from_secs(later)));
        let (answered, fresh, _) = scene.ask("NatsUser good", Some(&nonce)).await;
        assert_eq!((answered, fresh.is_some()), (status, has_nonce), "after {later} s");
        assert!(!has_nonce || scene.is_fresh(fresh.as_ref()), "after {later} s");
    }
}

#[tokio::test]
async fn a_proof_without_a_current_nonce_is_told_to_use_the_one_of_the_answer() {
    let scene = Scene::new();
    let told = |challenges: &[String], error: &str| {
        challenges.len() == 1 && challenges[0].starts_with(&format!("NatsUser error=\"{error}\""))
    };
    for nonce in [None, Some("unknown"), Some("")] {
        let (status, fresh, challenges) = scene.ask("NatsUser good", nonce).await;
        assert!(status == 401 && told(&challenges, "use_nonce"), "{nonce:?}: {challenges:?}");
        let (status, renewed, _) = scene.ask("NatsUser good", fresh.as_deref()).await;
        assert_eq!((status, renewed), (200, None), "{nonce:?}");
    }
    let (status, fresh, challenges) = scene.ask("NatsUser bad", None).await;
    assert!(status == 401 && told(&challenges, "invalid_token"), "{challenges:?}");
    assert!(scene.is_fresh(fresh.as_ref()), "for the next request");
}

#[tokio::test]
async fn a_client_without_a_credential_gets_a_nonce_for_its_first_proof() {
    let scene = Scene::new();
    let (status, nonce, challenges) = scene.ask("", None).await;
    assert_eq!((status, challenges), (401, vec!["NatsUser".to_owned()]));
    assert_eq!(scene.ask("NatsUser good", nonce.as_deref()).await, (200, None, vec![]));
    // Under another scheme, nonces are of no use.
    let bearer = portcullis_test::MockIssuer::new();
    let other = scene.layer.layer(AuthLayer::new(bearer.admission()).layer(service_fn(inner)));
    for authorization in ["", "Bearer a.b.c", &bearer.token().bearer()] {
        let response = other.clone().oneshot(request(authorization, None)).await.unwrap();
        assert_eq!(nonce_of(response.headers()), None, "{authorization}");
    }
}

#[tokio::test]
async fn the_layer_does_not_replace_a_nonce_of_the_answer() {
    async fn with_nonce(_: Request<String>) -> Result<Response<String>, Infallible> {
        Ok(Response::builder().header("nats-nonce", "own").body(String::new()).unwrap())
    }
    let response =
        Scene::new().layer.layer(service_fn(with_nonce)).oneshot(request("NatsUser good", None)).await.unwrap();
    assert_eq!(nonce_of(response.headers()).as_deref(), Some("own"));
}

#[tokio::test]
async fn a_nonce_of_another_origin_is_replaced() {
    let scene = Scene::new();
    let other = scene.nonces.issue("https://other.example.com", T);
    let (status, fresh, _) = scene.ask("NatsUser good", Some(other.as_str())).await;
    assert!(status == 401 && scene.is_fresh(fresh.as_ref()));
}

#[tokio::test]
async fn nonces_are_added_for_dpop_too() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let nonces = Arc::new(SignedNonces::random().unwrap());
    let layer = NonceLayer::new(NonceHeader::dpop(), Arc::clone(&nonces), ORIGIN).clock(FixedClock::at(T));
    let proof = |nonce: &str| format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(format!(r#"{{"nonce":"{nonce}"}}"#)));
    let current = proof(nonces.issue(ORIGIN, T).as_str());
    for (proof, has_nonce) in [(current, false), (proof("old"), true), ("broken".to_owned(), true)] {
        let request = Request::builder().header("authorization", "DPoP token").header("dpop", &proof);
        let response = layer.layer(service_fn(inner)).oneshot(request.body(String::new()).unwrap()).await.unwrap();
        assert_eq!(response.headers().contains_key("dpop-nonce"), has_nonce, "{proof}");
    }
}

#[tokio::test]
async fn the_endpoint_gives_out_a_nonce_that_no_cache_may_keep() {
    let scene = Scene::new();
    let endpoint: NonceEndpoint = NonceEndpoint::new(&scene.layer);
    let ask = async |method: &str| {
        let request = Request::builder().method(method).uri("/.well-known/nats-nonce").body(()).unwrap();
        let response = endpoint.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        response
    };
    for method in ["GET", "HEAD"] {
        let response = ask(method).await;
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::NO_CONTENT, ""));
        let nonce = nonce_of(response.headers());
        assert!(scene.is_fresh(nonce.as_ref()));
        assert_eq!(scene.ask("NatsUser good", nonce.as_deref()).await.0, 200);
    }
    let response = ask("POST").await;
    assert_eq!((response.status(), nonce_of(response.headers())), (StatusCode::METHOD_NOT_ALLOWED, None));
    assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
}

#[tokio::test]
async fn scripts_of_other_origins_can_read_the_nonce() {
    let scene = Scene::new();
    let cors = || CorsLayer::new().allow_origin(["https://app.example".parse().unwrap()]);
    let exposed = |response: &Response<String>| {
        let values = response.headers().get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(",")
    };
    let from_app = || {
        let mut request = request("NatsUser good", None);
        request.headers_mut().insert("origin", "https://app.example".parse().unwrap());
        request
    };
    // Outside, as it is usual: the CORS layer says so.
    let names = [NonceHeader::nats().name().clone(), header::WWW_AUTHENTICATE];
    let response = cors().expose_headers(names).layer(scene.service()).oneshot(from_app()).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(exposed(&response), "nats-nonce,www-authenticate");
    // Inside: the layer adds it, to answers with a nonce that scripts can read.
    let inside = scene.layer.layer(cors().layer(service_fn(inner)));
    assert_eq!(exposed(&inside.clone().oneshot(from_app()).await.unwrap()), "nats-nonce,www-authenticate");
    let without = scene.layer.layer(service_fn(inner)).oneshot(from_app()).await.unwrap();
    assert!(nonce_of(without.headers()).is_some() && exposed(&without).is_empty());
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", Scene::new().layer);
    assert!(shown.contains(ORIGIN) && shown.contains("REDACTED"), "{shown}");
}
