//! Billing: a service for every organisation of the operator. Each sees its own bills.
//!
//! It knows the operator's public key, and nothing else: callers bring their account's token along, so that it looks nothing up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Json, Router, extract::State, http::Method, routing::get};
use portcullis::{AccessTable, Claims, requirement::publish};
use serde_json::{Value, json};

use crate::{Failure, service, settings::Settings};

/// Bills by the account that they are of.
type Bills = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

pub(crate) async fn serve(settings: &Settings) -> Result<(), Failure> {
    let (listener, origin) = service::listen(settings.billing_port, "BILLING_PORT").await?;
    let chain = service::chain(settings)?
        .stapled(settings.staple_max_age)
        .proofs(service::proofs(&origin)?)
        .tenant_per_account() // every handler keeps the accounts' data apart, by the issuer
        .build()?;
    let routes = Router::new().route("/bills", get(list).post(add)).with_state(Bills::default());
    service::serve("billing", listener, &origin, service::guarded(routes, chain, &access())?, settings).await
}

/// Returns the subject that a caller must be allowed to publish to, for each route, as the caller's own organisation names it.
pub(crate) fn access() -> AccessTable {
    AccessTable::new().require(Method::GET, "/bills", publish("bills.read")).require(
        Method::POST,
        "/bills",
        publish("bills.write"),
    )
}

async fn list(caller: Claims, State(bills): State<Bills>) -> Json<Value> {
    let bills = bills.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({ "of": caller.issuer(), "bills": bills.get(caller.issuer()).cloned().unwrap_or_default() }))
}

async fn add(caller: Claims, State(bills): State<Bills>, bill: String) -> Json<Value> {
    let mut bills = bills.lock().unwrap_or_else(PoisonError::into_inner);
    let own = bills.entry(caller.issuer().to_owned()).or_default();
    own.push(bill);
    Json(json!({ "of": caller.issuer(), "bills": own }))
}
