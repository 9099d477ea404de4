//! Orders: a service of the organisation `shop`. Its own users, and those of organisations that import it, may do what their permissions say.
//!
//! It knows the operator's public key and the id of `shop`, and looks accounts up in a folder, whose content it does not trust.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, Method, header::WWW_AUTHENTICATE},
    routing::get,
};
use portcullis::{AccessTable, Claims, nonce::NonceHeader, requirement::publish};
use portcullis_nats::accounts::{AccountCache, AccountDirectory};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use crate::{
    Failure, service,
    settings::{self, Settings},
};

/// Orders by their number.
type Orders = Arc<Mutex<BTreeMap<u32, String>>>;

pub(crate) async fn serve(settings: &Settings) -> Result<(), Failure> {
    let (listener, origin) = service::listen(settings.port, "PORT").await?;
    let accounts = settings::told(settings.accounts.as_ref(), "ACCOUNTS")?;
    let account = settings::told(settings.account.as_ref(), "ACCOUNT")?;
    let chain = service::chain(settings)?
        .resolver(AccountDirectory::new(accounts)?)
        .cache(AccountCache::new().fresh_for(settings.fresh))
        .proofs(service::proofs(&origin)?)
        .service_of(account.parse()?)
        .build()?;
    let orders = Orders::new(Mutex::new(BTreeMap::from([(7, "seven oranges".to_owned())])));
    let routes = Router::new().route("/orders/{id}", get(read).post(write)).with_state(orders);
    let app = service::guarded(routes, chain, &access())?.layer(cors(settings)?);
    service::serve("orders", listener, &origin, app, settings).await
}

/// The page of a desk is of another origin. It sends tokens and proofs, and reads nonces; there are no cookies.
fn cors(settings: &Settings) -> Result<CorsLayer, Failure> {
    let sent = ["authorization", "content-digest", "nats-account", "nats-proof"].map(HeaderName::from_static);
    let cors = CorsLayer::new().allow_methods([Method::GET, Method::POST]).allow_headers(sent);
    let cors = cors.expose_headers([NonceHeader::nats().name().clone(), WWW_AUTHENTICATE]);
    match &settings.page_origin {
        Some(origin) => Ok(cors.allow_origin(origin.parse::<HeaderValue>()?)),
        None => Ok(cors),
    }
}

/// Returns the subject that a caller must be allowed to publish to, for each route, as `shop` names it.
pub(crate) fn access() -> AccessTable {
    AccessTable::new().require(Method::GET, "/orders/{id}", publish("orders.{id}.read")).require(
        Method::POST,
        "/orders/{id}",
        publish("orders.{id}.write"),
    )
}

async fn read(caller: Claims, Path(id): Path<u32>, State(orders): State<Orders>) -> Json<Value> {
    let order = orders.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
    Json(json!({ "order": id, "content": order, "seen_by": caller.subject(), "of": caller.issuer() }))
}

async fn write(caller: Claims, Path(id): Path<u32>, State(orders): State<Orders>, content: String) -> Json<Value> {
    orders.lock().unwrap_or_else(PoisonError::into_inner).insert(id, content.clone());
    Json(json!({ "order": id, "content": content, "written_by": caller.subject(), "of": caller.issuer() }))
}
