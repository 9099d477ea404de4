//! What the service is about. A real one has a database here.

use axum::{Json, extract::State, http::StatusCode};
use portcullis::Claims;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// Tells of orders as they are placed.
#[derive(Clone, Debug)]
pub(super) struct Orders(broadcast::Sender<Value>);

impl Orders {
    pub(super) fn new() -> Self {
        // As many as a reader may be behind.
        Self(broadcast::Sender::new(64))
    }

    /// Orders from now on.
    pub(super) fn placed(&self) -> broadcast::Receiver<Value> {
        self.0.subscribe()
    }
}

/// `GET /orders`.
pub(super) async fn list() -> Json<Value> {
    Json(json!([{ "id": 1, "item": "oranges", "quantity": 7 }]))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrder {
    item: String,
    quantity: u32,
}

/// `POST /orders`.
pub(super) async fn place(
    State(orders): State<Orders>,
    claims: Claims,
    Json(order): Json<NewOrder>,
) -> (StatusCode, Json<Value>) {
    let NewOrder { item, quantity } = order;
    let placed = json!({ "id": 2, "item": item, "quantity": quantity, "placed_by": claims.subject() });
    // There may be no listeners.
    let _ = orders.0.send(placed.clone());
    (StatusCode::CREATED, Json(placed))
}
