//! The application `reports` acts for users who have allowed it: with its own API token, it gets a token of such a user, for ten minutes.

use std::path::Path;

use axum::{
    Json, Router,
    extract::{RawQuery, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
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
        AuthorizationError, AuthorizationServer, Client, ClientList, ClientSecret, Decision, Denial, ExchangePolicy,
        Prompt, Visitor,
    },
};
use portcullis_store::{RedbRefreshStore, Revocations};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Desk, ISSUER, Tokens, page,
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

/// The endpoints of the protocol, for the application, and the page to which it sends its users.
pub(super) fn public_routes(server: &AuthorizationServer) -> Router<Desk> {
    let routes = server.routes();
    let router = Router::new().route("/authorize", get(authorize));
    routes.paths().fold(router, |router, path| router.route_service(path, routes.clone()))
}

/// For the user, in person.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/account/authorization", post(asked))
        .route("/account/authorization/answer", post(answered))
        .route("/account/applications", get(applications))
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

/// `GET /authorize`: the page, for a request that is valid. No user is asked about another one.
async fn authorize(State(desk): State<Desk>, RawQuery(query): RawQuery) -> Result<Response, AuthorizationError> {
    let request = desk.server.authorization_request(&query.unwrap_or_default()).await?;
    if request.asks_for(Prompt::None) {
        // Who the user is, only the page finds out, and it is not to be shown.
        return Ok(request.deny(Denial::InteractionRequired).into_response());
    }
    Ok(page::html())
}

/// The query of a request, or the ticket of one for which the user had to log in again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    query: Option<String>,
    ticket: Option<String>,
}

/// `POST /account/authorization`: what an application wants. It has sent the user to the authorization endpoint with this query.
async fn asked(
    State(desk): State<Desk>,
    claims: Claims,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = asked.map_err(|_| malformed(r#"send {"query": "…"}"#))?;
    told(what_next(&desk, &claims, asked).await)
}

async fn what_next(desk: &Desk, claims: &Claims, asked: Asked) -> Result<Value, AuthorizationError> {
    let request = match asked.ticket {
        Some(ticket) => desk.server.resume_request(&ticket).await?,
        None => desk.server.authorization_request(&asked.query.unwrap_or_default()).await?,
    };
    Ok(match request.decide(Some(&visitor(claims))).await? {
        Decision::Ask(question) => json!({
            "ticket": question.ticket(),
            "client": request.client().display_name(),
            "redirect_uri": request.redirect_uri(),
            "scopes": request.scopes().collect::<Vec<_>>(),
        }),
        Decision::Grant(permitted) => json!({ "location": permitted.grant().await?.location() }),
        Decision::Answer(answer) => json!({ "location": answer.location() }),
        // The application wants the user to log in again.
        _ => json!({ "log_in": request.ticket() }),
    })
}

/// What the application may hear goes there. Of anything else, the page tells the user.
fn told(outcome: Result<Value, AuthorizationError>) -> Result<Json<Value>, Problem> {
    match outcome {
        Ok(next) => Ok(Json(next)),
        Err(AuthorizationError::Redirect(answer)) => Ok(Json(json!({ "location": answer.location() }))),
        Err(AuthorizationError::Page(error)) => Err(error.into()),
        Err(error) => Err(Problem::unavailable(&error)),
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
) -> Result<Json<Value>, Problem> {
    let Json(answer) = answer.map_err(|_| malformed(r#"send {"ticket": "…", "allow": true}"#))?;
    told(where_to(&desk, &claims, answer).await)
}

async fn where_to(desk: &Desk, claims: &Claims, Answer { ticket, allow }: Answer) -> Result<Value, AuthorizationError> {
    let question = desk.server.resume_question(&ticket, &visitor(claims)).await?;
    let answer = if allow { question.allow([SCOPE]).await? } else { question.deny() };
    Ok(json!({ "location": answer.location() }))
}

/// `GET /account/applications`: which applications the user has allowed to act for them.
async fn applications(State(desk): State<Desk>, claims: Claims) -> Result<Json<Value>, Problem> {
    let consents = desk.server.consents_of(claims.subject().unwrap_or_default()).await?;
    let shown = consents.iter().map(
        |consent| json!({ "client": consent.client_id(), "scopes": consent.scopes(), "since": consent.at().as_secs() }),
    );
    Ok(Json(shown.collect()))
}

/// `DELETE /account/applications/reports`: it gets no further token of the user.
async fn withdraw(State(desk): State<Desk>, claims: Claims) -> Result<StatusCode, Problem> {
    desk.server.withdraw_consent(claims.subject().unwrap_or_default(), APPLICATION).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The user of the page, which has no session: the access token with which it began has to be there at the end, too.
fn visitor(claims: &Claims) -> Visitor {
    let at = claims.issued_at().unwrap_or(UnixTime::from_secs(0));
    Visitor::new(claims.subject().unwrap_or_default(), claims.token_id().unwrap_or_default(), at)
}

fn malformed(detail: &'static str) -> Problem {
    Problem::refused("request_malformed", detail)
}
