//! The same router in several guises.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use aws_lc_rs::{hmac, signature as sig};
use axum::{Extension, Router, body::Body, extract::FromRef, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Request, header::AUTHORIZATION};
use portcullis::{Algorithm, AuthLayer, Claims, FromState, JwtAuthenticator, RequireLayer, requirement::scope};
use portcullis_test::MockIssuer;
use tower_service::Service;

use crate::by_hand;

/// One algorithm's issuer and token.
pub struct Case {
    issuer: MockIssuer,
    pub algorithm: Algorithm,
    pub token: String,
}

impl Case {
    pub fn new(algorithm: Algorithm) -> Self {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let token = issuer.token().subject("alice").scope("orders:read profile").sign();
        Self { issuer, algorithm, token }
    }

    /// The issuer's one key, whether or not it may be published.
    pub fn jwks(&self) -> String {
        self.issuer.jwks_with_secrets()
    }

    pub fn issuer_name(&self) -> &str {
        self.issuer.name()
    }

    pub fn plain(&self) -> Router {
        Router::new().route("/", get(async || "alice".to_owned()))
    }

    /// The floor: the bare check within a request, where caches and predictors are as they are for everybody else.
    pub fn signature_in_handler(&self) -> Router {
        let bare = Arc::new(Bare::new(self));
        let handler = async move || {
            bare.check();
            "alice".to_owned()
        };
        Router::new().route("/", get(handler))
    }

    pub fn extension(&self) -> Router {
        async fn handler(Extension(name): Extension<Arc<str>>) -> String {
            name.to_string()
        }
        Router::new().route("/", get(handler)).layer(Extension(Arc::<str>::from("alice")))
    }

    pub fn with_state(&self) -> Router {
        async fn handler(FromState(claims): FromState<Claims>) -> String {
            claims.subject().unwrap_or_default().to_owned()
        }
        Router::new().route("/", get(handler)).with_state(App { auth: self.layer() })
    }

    pub fn layered(&self) -> Router {
        Router::new().route("/", get(handler)).layer(self.layer())
    }

    pub fn guarded(&self) -> Router {
        Router::new().route("/", get(handler).layer(RequireLayer::new(scope("orders:read")))).layer(self.layer())
    }

    pub fn by_hand(&self) -> Router {
        by_hand::router(self)
    }

    fn layer(&self) -> AuthLayer {
        AuthLayer::new(JwtAuthenticator::new(self.issuer.trusted()).expect("a sound configuration"))
    }

    /// An iteration: a request to the router, answered without a runtime.
    pub fn request(&self, mut router: Router) -> impl FnMut() {
        let value = http::HeaderValue::try_from(format!("Bearer {}", self.token)).expect("a header value");
        move || {
            let request =
                Request::get("/").header(AUTHORIZATION, value.clone()).body(Body::empty()).expect("a request");
            let mut response = pin!(router.call(request));
            let response = match Future::poll(response.as_mut(), &mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(response)) => response,
                Poll::Ready(Err(never)) => match never {},
                Poll::Pending => panic!("the router waits for something"),
            };
            assert_eq!(response.status(), 200);
        }
    }
}

#[derive(Clone, FromRef)]
struct App {
    auth: AuthLayer,
}

async fn handler(claims: Claims) -> String {
    claims.subject().unwrap_or_default().to_owned()
}

/// The signature alone: key prepared, signature decoded beforehand.
pub struct Bare {
    key: BareKey,
    signing_input: Vec<u8>,
    signature: Vec<u8>,
}

enum BareKey {
    Hmac(Box<hmac::Key>),
    Public(sig::ParsedPublicKey),
}

impl BareKey {
    /// The key made from the issuer's JWK by hand, so that the floor owes nothing to our own code.
    fn new(case: &Case) -> Self {
        let set: serde_json::Value = serde_json::from_str(&case.jwks()).expect("a key set");
        let member = |name: &str| {
            let text = set["keys"][0][name].as_str().unwrap_or_default();
            BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
        };
        let parsed =
            |algorithm, bytes: &[u8]| Self::Public(sig::ParsedPublicKey::new(algorithm, bytes).expect("a public key"));
        let rsa = |algorithm: &'static sig::RsaParameters| {
            let components = sig::RsaPublicKeyComponents { n: member("n"), e: member("e") };
            Self::Public(components.to_parsed_public_key(algorithm).expect("an RSA key"))
        };
        match case.algorithm {
            Algorithm::Hs256 => Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &member("k")))),
            Algorithm::Rs256 => rsa(&sig::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Ps256 => rsa(&sig::RSA_PSS_2048_8192_SHA256),
            Algorithm::Es256 => {
                let point = [&[4][..], &member("x"), &member("y")].concat();
                parsed(&sig::ECDSA_P256_SHA256_FIXED, &point)
            }
            Algorithm::EdDsa => parsed(&sig::ED25519, &member("x")),
            other => panic!("no floor for {other}"),
        }
    }
}

impl Bare {
    pub fn new(case: &Case) -> Self {
        let (signing_input, signature) = case.token.rsplit_once('.').expect("a token");
        let key = BareKey::new(case);
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        Self { key, signing_input: signing_input.into(), signature }
    }

    pub fn check(&self) {
        match &self.key {
            BareKey::Hmac(key) => hmac::verify(key, &self.signing_input, &self.signature),
            BareKey::Public(key) => key.verify_sig(&self.signing_input, &self.signature),
        }
        .expect("a right signature");
    }
}
