//! The application `reports` acts for users who have allowed it: with its own API token, it gets a token of such a user, for ten minutes.

use std::path::Path;

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    routing::{delete, get, post},
};
use portcullis::{Admission, Claims, JwtAuthenticator, claims::ClaimRef, clock::UnixTime, policy::TokenSpec};
use portcullis_issuer::{
    TokenIssuer,
    api_tokens::Owner,
    documents::GrantType,
    key_ring::KeyRing,
    refresh::{RefreshKeys, Sessions},
    server::{
        AuthorizationError, AuthorizationServer, Client, ClientList, ClientSecret, Decision, ExchangePolicy,
        OAuthError, OAuthErrorCode, Visitor,
    },
};
use portcullis_store::{RedbRefreshStore, Revocations};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Desk, ISSUER, Tokens,
    problem::Problem,
    rights::{APPLICATION, Rights},
    secret_file,
};
use crate::Failure;

/// What tokens of this kind are for: the reports, and nothing else of the product. Their audience is another one than that of the page's tokens.
const REPORTS: &str = "https://product.example/reports";

const SCOPE: &str = "reports:read";

/// Makes the server at which tokens are exchanged. Returns what is asked of such a token, too.
pub(super) fn server(
    folder: &Path,
    store: &RedbRefreshStore,
    ring: &KeyRing,
    revocations: &Revocations,
    (rights, tokens): (&Rights, &Tokens),
) -> Result<(AuthorizationServer, Admission), Failure> {
    let spec = TokenSpec::new(ISSUER).audience(REPORTS);
    let issuer = TokenIssuer::new(spec.clone(), ring.clone())?;
    let keys = RefreshKeys::new(1, *secret_file::bytes(&secret_file::secret(folder, "refresh.key")?)?)?;
    let sessions = Sessions::new(issuer, store.clone(), keys, revocations.clone(), rights.clone());
    let secret = ClientSecret::from_secret(&secret_file::secret(folder, "reports.secret")?)?;
    // Its API tokens belong to the application of the same name.
    let policy = ExchangePolicy::new().acts_for_users().resource(REPORTS).scope(SCOPE);
    let application = Client::confidential(APPLICATION, secret)
        .name("Reports")
        .grants([GrantType::AuthorizationCode])
        .redirect_uri("http://127.0.0.1/callback")
        .scope(SCOPE)
        .resource(REPORTS)
        .exchange(policy);
    let server = AuthorizationServer::builder(sessions, ring.clone(), store.records(), ClientList::new([application])?)
        .authorization_endpoint(format!("{ISSUER}/authorize"))
        .api_tokens(tokens.clone())
        .build()?;
    let admission = Admission::new(JwtAuthenticator::new(spec.trusted_at(REPORTS, ring.clone())?)?);
    Ok((server, admission.revocations(revocations)))
}

/// The endpoints of the protocol, for the application.
pub(super) fn public_routes(server: &AuthorizationServer) -> Router<Desk> {
    let routes = server.routes();
    routes.paths().fold(Router::new(), |router, path| router.route_service(path, routes.clone()))
}

/// For the user, in person.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/account/authorization", post(asked))
        .route("/account/authorization/answer", post(answered))
        .route("/account/applications/reports", delete(withdraw))
}

/// For the application that acts for the user.
pub(super) fn reports() -> Router<Desk> {
    Router::new().route("/reports", get(report))
}

/// `GET /reports`: what the user can reach, and which application asks for the user.
async fn report(State(desk): State<Desk>, claims: Claims) -> Result<Json<Value>, Problem> {
    let user = claims.subject().ok_or_else(Problem::not_found)?;
    let reachable = desk.rights.reachable_by(&Owner::user(user)).into_iter();
    let reachable = reachable.map(|(name, _, role)| json!({ "name": name, "role": role.name() }));
    let by = claims.claim("/act/sub").and_then(ClaimRef::read::<String>);
    Ok(Json(json!({ "user": user, "by": by, "instances": reachable.collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    query: String,
}

/// `POST /account/authorization`: what an application wants. It has sent the user to the authorization endpoint with this query.
async fn asked(
    State(desk): State<Desk>,
    claims: Claims,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, AuthorizationError> {
    let Json(Asked { query }) = asked.map_err(|_| malformed(r#"send {"query": "…"}"#))?;
    let request = desk.server.authorization_request(&query).await?;
    match request.decide(Some(&visitor(&claims))).await? {
        Decision::Ask(question) => Ok(Json(json!({
            "ticket": question.ticket(),
            "client": request.client().display_name(),
            "scopes": request.scopes().collect::<Vec<_>>(),
        }))),
        Decision::Grant(permitted) => Ok(Json(json!({ "location": permitted.grant().await?.location() }))),
        Decision::Answer(answer) => Ok(Json(json!({ "location": answer.location() }))),
        _ => Err(malformed("log in again, and ask again").into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    ticket: String,
    allow: bool,
}

/// `POST /account/authorization/answer`: where the browser goes.
async fn answered(
    State(desk): State<Desk>,
    claims: Claims,
    answer: Result<Json<Answer>, JsonRejection>,
) -> Result<Json<Value>, AuthorizationError> {
    let Json(Answer { ticket, allow }) = answer.map_err(|_| malformed(r#"send {"ticket": "…", "allow": true}"#))?;
    let question = desk.server.resume_question(&ticket, &visitor(&claims)).await?;
    let answer = if allow { question.allow([SCOPE]).await? } else { question.deny() };
    Ok(Json(json!({ "location": answer.location() })))
}

/// `DELETE /account/applications/reports`: it gets no further token of the user.
async fn withdraw(State(desk): State<Desk>, claims: Claims) -> Result<StatusCode, OAuthError> {
    desk.server.withdraw_consent(claims.subject().unwrap_or_default(), APPLICATION).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The user of the page, which has no session: the access token with which it began has to be there at the end, too.
fn visitor(claims: &Claims) -> Visitor {
    let at = claims.issued_at().unwrap_or(UnixTime::from_secs(0));
    Visitor::new(claims.subject().unwrap_or_default(), claims.token_id().unwrap_or_default(), at)
}

fn malformed(detail: &'static str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidRequest, detail)
}
