//! Tests several schemes in the `Authorization` header, each with its own authenticator.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response};
use portcullis::{
    AuthContext, AuthLayer, Code, JwtAuthenticator,
    authenticator::{Attempt, Authenticator, Credential, Dispatch, Proven, Scheme},
    location::AuthorizationHeader,
    verified::{Conventions, Facts, NoCustom},
};
use portcullis_test::MockIssuer;
use tower::{Layer, ServiceExt, service_fn};

const SIGNED: Scheme = Scheme::Other("HMAC");

/// An authenticator that accepts only `good`, under one scheme.
#[derive(Clone, Debug)]
struct Under(Scheme, Arc<AtomicUsize>);

impl Authenticator for Under {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.1.fetch_add(1, Ordering::SeqCst);
        assert_eq!(credential.scheme(), self.0);
        if credential.token() != "good" {
            return Attempt::Done(Err(Code::SignatureInvalid.into()));
        }
        let facts = Facts::assertion(r#"{"sub":"machine"}"#, Conventions::new("https://machines.test")).unwrap();
        Attempt::Done(Ok(Proven::new(facts, NoCustom)))
    }

    fn schemes(&self) -> Vec<Scheme> {
        vec![self.0]
    }
}

/// Returns the status, and the caller that the handler saw.
async fn send(layer: &AuthLayer, authorization: &str) -> (u16, String) {
    async fn handler(request: Request<()>) -> Result<Response<String>, Infallible> {
        let context = request.extensions().get::<AuthContext>().unwrap();
        let subject = context.verified().and_then(|verified| verified.subject()).unwrap_or("anonymous");
        Ok(Response::new(subject.to_owned()))
    }
    let request = Request::builder().header("authorization", authorization).body(()).unwrap();
    let response = layer.layer(service_fn(handler)).oneshot(request).await.unwrap();
    (response.status().as_u16(), response.into_body())
}

struct Scene {
    issuer: MockIssuer,
    asked: [Arc<AtomicUsize>; 2],
    layer: AuthLayer,
}

impl Scene {
    fn new() -> Self {
        let issuer = MockIssuer::new();
        let asked: [Arc<AtomicUsize>; 2] = Default::default();
        let dispatch = Dispatch::builder()
            .compact_jws(JwtAuthenticator::new(issuer.trusted()).unwrap())
            .scheme(Scheme::DPoP, Under(Scheme::DPoP, Arc::clone(&asked[0])))
            .scheme(SIGNED, Under(SIGNED, Arc::clone(&asked[1])))
            .build()
            .unwrap();
        Self { issuer, asked, layer: AuthLayer::new(dispatch).optional() }
    }

    fn asked(&self) -> [usize; 2] {
        [&self.asked[0], &self.asked[1]].map(|count| count.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn each_scheme_reaches_its_own_authenticator() {
    let scene = Scene::new();
    let bearer = scene.issuer.token().subject("alice").bearer();
    assert_eq!(send(&scene.layer, &bearer).await, (200, "alice".to_owned()));
    assert_eq!(scene.asked(), [0, 0]);
    assert_eq!(send(&scene.layer, "DPoP good").await, (200, "machine".to_owned()));
    assert_eq!(send(&scene.layer, "dpop   good").await, (200, "machine".to_owned()));
    assert_eq!(scene.asked(), [2, 0]);
    assert_eq!(send(&scene.layer, "hmac good").await, (200, "machine".to_owned()));
    assert_eq!(scene.asked(), [2, 1]);
}

#[tokio::test]
async fn a_bad_credential_is_refused_under_every_accepted_scheme() {
    let scene = Scene::new();
    for (authorization, status) in [
        ("DPoP junk", 401),
        ("DPoP", 400),
        ("DPoP\tgood", 400),
        ("DPoP good, Bearer x", 400),
        ("HMAC junk", 401),
        ("HMAC keyId=\"a\", signature=\"b\"", 400),
        ("Basic Zm9v, DPoP good", 400),
        ("Basic Zm9v, HMAC good", 400),
        ("Bearer good", 401),
    ] {
        assert_eq!(send(&scene.layer, authorization).await.0, status, "{authorization}");
    }
    for elsewhere in ["Basic Zm9v", "DPoPX good", "Negotiate good", "Basic Zm9v, Digest a=\"b\""] {
        assert_eq!(send(&scene.layer, elsewhere).await, (200, "anonymous".to_owned()), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_layer_for_one_scheme_ignores_credentials_under_others() {
    let issuer = MockIssuer::new();
    let asked = Arc::<AtomicUsize>::default();
    let layer = AuthLayer::new(Under(Scheme::DPoP, Arc::clone(&asked))).optional();
    assert_eq!(send(&layer, &issuer.token().bearer()).await, (200, "anonymous".to_owned()));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(send(&layer, "DPoP good").await, (200, "machine".to_owned()));
    let jwt_alone = AuthLayer::new(issuer.admission()).optional();
    assert_eq!(
        send(&jwt_alone, "DPoP good").await,
        (200, "anonymous".to_owned()),
        "another scheme is none that is meant"
    );
}

/// The `Authorization` header is one location for all schemes. Several authenticators share it with a `Dispatch`.
#[test]
fn the_authorization_header_is_one_location_for_all_schemes() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::new(issuer.admission());
    let twice = layer.or_at(AuthorizationHeader::new(), Under(Scheme::DPoP, Arc::default()));
    assert!(twice.unwrap_err().to_string().contains("the same place twice"));
}
