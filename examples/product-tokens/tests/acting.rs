//! The application acts for users who have allowed it, over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Answer, Product, escaped};
use tempfile::tempdir;

const REPORTS: &str = "https://product.example/reports";

/// The SHA-256 of a verifier that the application has, from RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The product, and what its application has.
struct World {
    product: Product,
    secret: String,
    /// An API token of the application, and its id.
    token: String,
    id: String,
    alice: String,
}

impl World {
    async fn start(folder: &std::path::Path) -> Self {
        let product = Product::start(folder);
        let alice = product.log_in("alice").await;
        let new = json!({
            "name": "reports", "kind": "application", "owner": { "kind": "application", "id": "reports" },
            "grants": [{ "scope": "reports:read" }],
        });
        let created = product.must("POST", "/tokens", &alice, new).await;
        let secret = fs::read_to_string(folder.join("reports.secret")).unwrap();
        Self { secret, token: created.text("token"), id: created.text("id"), alice, product }
    }

    /// The application asks for a token of this user.
    async fn act_for(&self, user: &str, token: &str) -> Answer {
        let parameters = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("requested_subject", user),
            ("scope", "reports:read"),
            ("resource", REPORTS),
        ];
        self.product.form("/oauth/token", &self.secret, &parameters).await
    }

    /// The user answers what the application asks.
    async fn answer(&self, user: &str, allow: bool) {
        let query = [
            ("response_type", "code"),
            ("client_id", "reports"),
            ("redirect_uri", "http://127.0.0.1/callback"),
            ("state", "s-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("scope", "reports:read"),
            ("resource", REPORTS),
        ];
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let body = json!({ "query": query.join("&") });
        let asked = self.product.must("POST", "/account/authorization", user, body).await;
        assert_eq!((asked.text("client"), &asked.json()["scopes"]), ("Reports".into(), &json!(["reports:read"])));
        let body = json!({ "ticket": asked.text("ticket"), "allow": allow });
        let answered = self.product.must("POST", "/account/authorization/answer", user, body).await;
        assert_eq!(answered.text("location").contains("code="), allow);
    }
}

#[tokio::test]
async fn an_application_acts_for_a_user_who_has_allowed_it_until_the_consent_is_withdrawn() {
    let folder = tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let product = &world.product;
    let bob = product.log_in("bob").await;
    assert_eq!(world.act_for("bob", &world.token).await.status, 400, "Bob was not asked");
    world.answer(&bob, false).await;
    assert_eq!(world.act_for("bob", &world.token).await.status, 400, "Bob has refused");
    world.answer(&bob, true).await;
    let exchanged = world.act_for("bob", &world.token).await;
    assert_eq!((exchanged.status, &exchanged.json()["expires_in"]), (200, &json!(600)), "{exchanged:?}");
    let acting = exchanged.text("access_token");
    let report = product.must("GET", "/reports", &acting, Value::Null).await.json();
    assert_eq!(report, json!({ "user": "bob", "by": "reports", "instances": [{ "name": "shop", "role": "reader" }] }));
    // Alice has allowed nothing.
    assert_eq!(world.act_for("alice", &world.token).await.status, 400);

    product.must("DELETE", "/account/applications/reports", &bob, Value::Null).await;
    assert_eq!(world.act_for("bob", &world.token).await.status, 400, "Bob has withdrawn it");
}

#[tokio::test]
async fn a_token_with_which_an_application_acts_opens_the_reports_alone() {
    let folder = tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let product = &world.product;
    let bob = product.log_in("bob").await;
    world.answer(&bob, true).await;
    let acting = world.act_for("bob", &world.token).await.text("access_token");
    product.must("GET", "/reports", &acting, Value::Null).await;
    // It makes no API tokens of the user, who does; nor does the user's own token open the reports.
    let new = json!({ "name": "x", "kind": "user_to_platform", "grants": [{ "everything": true }] });
    assert_eq!(product.post("/tokens", &acting, new.clone()).await.status, 401);
    product.must("POST", "/tokens", &bob, new).await;
    for other in [&bob, &world.token] {
        assert_eq!(product.get("/reports", other).await.status / 100, 4);
    }
}

#[tokio::test]
async fn a_revoked_api_token_or_a_closed_account_gets_no_further_token() {
    let folder = tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let product = &world.product;
    let bob = product.log_in("bob").await;
    for user in [&bob, &world.alice] {
        world.answer(user, true).await;
    }
    // Another token of the organisation is not one of the application.
    assert_eq!(world.act_for("bob", &product.automation()).await.status, 400);
    product.must("DELETE", "/account", &bob, Value::Null).await;
    assert_eq!(world.act_for("bob", &world.token).await.status, 400);
    assert_eq!(world.act_for("alice", &world.token).await.status, 200);
    product.must("DELETE", &format!("/tokens/{}", world.id), &world.alice, Value::Null).await;
    assert_eq!(world.act_for("alice", &world.token).await.status, 400);
}
