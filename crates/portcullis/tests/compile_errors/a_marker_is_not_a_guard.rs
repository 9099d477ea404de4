use axum::{Router, routing::get};
use portcullis::extract::Require;

struct MayRead;

async fn orders(_: Require<MayRead>) {}

fn main() {
    let _: Router = Router::new().route("/", get(orders));
}
