//! What the service is about. A real one has a database here.

use axum::{Json, http::StatusCode};
use portcullis::Claims;
use serde::Deserialize;
use serde_json::{Value, json};

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
pub(super) async fn place(claims: Claims, Json(order): Json<NewOrder>) -> (StatusCode, Json<Value>) {
    let NewOrder { item, quantity } = order;
    let placed = json!({ "id": 2, "item": item, "quantity": quantity, "placed_by": claims.subject() });
    (StatusCode::CREATED, Json(placed))
}
