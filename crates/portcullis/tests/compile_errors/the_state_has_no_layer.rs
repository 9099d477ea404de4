use axum::{Router, routing::get};
use portcullis::{Claims, FromState};

#[derive(Clone)]
struct App;

async fn me(_: FromState<Claims>) {}

fn main() {
    let _: Router = Router::new().route("/", get(me)).with_state(App);
}
