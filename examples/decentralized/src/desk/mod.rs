//! The desk of `acme`: who has an account at acme's own log-in gets a short user of NATS, for a key that stays in the browser or the program.
//!
//! An access token goes in, a user's token comes out (`POST /nats/users`). The client proves that it holds the key, and the desk never sees it. This is how people
//! call the services who have no credentials file: the same services, which know nothing of acme's log-in.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use portcullis::{
    Admission, Algorithm, AuthError, AuthLayer, Claims, JwtAuthenticator,
    authenticator::{Channel, Header, RequestView, Scheme},
    clock::{Clock, SystemClock},
    extract::RawToken,
    keys::KeySet,
    policy::TokenSpec,
    rejection::{BearerChallenge, MakeRejection, SchemeChallenge},
};
use portcullis_issuer::{AccessToken, SigningKey, TokenIssuer};
use portcullis_nats::enrol::{Enrolment, EnrolmentRequest};
use serde::Deserialize;
use serde_json::json;

use crate::{Failure, market::Market, service, settings::Settings};

/// What the tokens of acme's log-in are for.
const AUDIENCE: &str = "https://desk.acme.example";

/// A public nkey has 56 characters.
const LONGEST_KEY: usize = 64;

#[derive(Debug)]
struct Desk {
    market: Market,
    log_in: TokenIssuer,
    enrolment: Enrolment,
    orders_url: String,
}

pub(crate) async fn serve(settings: &Settings) -> Result<(), Failure> {
    let (listener, origin) = service::listen(settings.desk_port).await?;
    let market = Market::open(&settings.data)?;
    let key = SigningKey::generate(Algorithm::Es256)?;
    let spec = TokenSpec::new(origin.clone()).audience(AUDIENCE);
    let trusted = spec.trusted_at(AUDIENCE, KeySet::new([key.verifying_key()]))?;
    let auth = AuthLayer::new(Admission::new(JwtAuthenticator::new(trusted)?)).keep_token();
    let enrolment = Enrolment::new(market.enrolment("acme")?, service::proofs(&origin)?);
    let orders_url = settings.orders_url.clone();
    let desk = Desk { market, log_in: TokenIssuer::new(spec, key)?, enrolment, orders_url };
    let app = Router::new()
        .route("/nats/users", post(enrol))
        .route_layer(auth)
        .route("/", get(async || asset("text/html; charset=utf-8", include_str!("../assets/page.html"))))
        .route("/page.css", get(async || asset("text/css", include_str!("../assets/page.css"))))
        .route("/page.js", get(async || asset("text/javascript", include_str!("../assets/page.js"))))
        .route("/nats.js", get(async || asset("text/javascript", include_str!("../assets/nats.js"))))
        .route("/config.json", get(config))
        .route("/session", post(log_in))
        .with_state(Arc::new(desk));
    service::serve("desk", listener, &origin, app, settings).await
}

#[derive(Deserialize)]
struct LogIn {
    username: String,
}

/// Stands for a log-in: it asks for no password. See `examples/platform` for one.
async fn log_in(State(desk): State<Arc<Desk>>, Json(log_in): Json<LogIn>) -> Response {
    let scope = match log_in.username.as_str() {
        "ada" => "orders:read",
        "tom" => "",
        _ => return StatusCode::UNAUTHORIZED.into_response(),
    };
    let token = AccessToken::for_user(log_in.username, "page").scope(scope);
    match desk.log_in.mint(&token).await {
        Ok(minted) => no_store(Json(json!({ "access_token": minted.token() }))),
        Err(error) => {
            tracing::error!(%error, "no token was minted");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A token of acme's log-in for a user of NATS.
async fn enrol(State(desk): State<Arc<Desk>>, caller: Claims, token: RawToken, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(key) = to_bytes(body, LONGEST_KEY).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let Ok(key) = std::str::from_utf8(&key) else { return StatusCode::BAD_REQUEST.into_response() };
    let head = Head(head);
    let request = EnrolmentRequest::new(&caller, token.expose(), key, &head);
    let enrolled = match desk.enrolment.enrol(request, SystemClock.now()).await {
        Ok(enrolled) => enrolled,
        Err(error) => return refused(error),
    };
    // The client brings the account's token along, for services that look nothing up.
    let Ok(account) = desk.market.account_text("acme") else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    no_store(Json(json!({
        "jwt": enrolled.user.as_str(), "account": account, "role": enrolled.role, "expires_at": enrolled.expires_at.as_secs(),
    })))
}

/// As the layer answers, with the nonce that a proof needs.
fn refused(error: AuthError) -> Response {
    let challenge = BearerChallenge::new().beside(SchemeChallenge::nats());
    let response: Response<String> = challenge.make_rejection(&error.with_scheme(Scheme::Other("NatsUser")));
    response.map(Body::from)
}

fn no_store(answer: impl IntoResponse) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer).into_response()
}

/// Where the page finds orders.
async fn config(State(desk): State<Arc<Desk>>) -> Json<serde_json::Value> {
    Json(json!({ "orders": desk.orders_url }))
}

/// No script runs but the page's own.
fn asset(kind: &'static str, text: &'static str) -> ([(HeaderName, &'static str); 2], &'static str) {
    const POLICY: &str = "default-src 'self'; connect-src 'self' http://localhost:*; frame-ancestors 'none'";
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY)], text)
}

/// The head of a request, as a proof needs it.
#[derive(Debug)]
struct Head(Parts);

impl RequestView for Head {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn target(&self) -> &str {
        self.0.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    fn header(&self, name: &str) -> Header<'_> {
        let mut values = self.0.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Header::Absent,
            (Some(value), None) => Header::One(value.as_bytes()),
            _ => Header::Several,
        }
    }

    fn channel(&self) -> Channel<'_> {
        Channel::default()
    }
}
