//! The example `mcp-server`, whose authorization server is the platform.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use support::{ORDERS, Platform, parameter, query};
use tempfile::tempdir;
use tokio::{net::TcpListener, task::JoinSet};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "http://127.0.0.1:4300/callback";

#[tokio::test]
async fn a_server_of_the_model_context_protocol_accepts_what_the_platform_issues_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resource = format!("http://{}/mcp", listener.local_addr().unwrap());
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[("MCP_RESOURCE", &resource)]).await;
    let app = mcp_server::app(&platform.url, &resource, &[]).unwrap();
    let mut servers = JoinSet::new();
    servers.spawn(async move { axum::serve(listener, app).await.unwrap() });

    let token = token(&platform, &resource, "notes:list notes:read").await;
    for (tool, status) in [("read_notes", 200), ("add_note", 403)] {
        assert_eq!(call(&platform, &resource, &token, tool).await, status, "{tool}");
    }
    // One for the orders is none for the notes, though the same user has it.
    let log_in = platform.log_in("alice", "wonderland").await;
    let other = platform.session("refresh", &log_in.cookie(), &[("resource", ORDERS)]).await.access_token();
    assert_eq!(call(&platform, &resource, &other, "read_notes").await, 401);
    // Other clients need no registration.
    let metadata = platform.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
}

async fn call(platform: &Platform, resource: &str, token: &str, tool: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let accept = "application/json, text/event-stream";
    let headers = [("authorization", &*bearer), ("accept", accept), ("content-type", "application/json")];
    let arguments = json!({ "text": "a note" });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
    platform.send("POST", resource, &headers, call.to_string()).await.status
}

/// The code flow, in which Alice says yes.
async fn token(platform: &Platform, resource: &str, scope: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
    let asked = query(&[
        ("response_type", "code"),
        ("client_id", "agent"),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("resource", resource),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let user = format!("Bearer {}", platform.log_in("alice", "wonderland").await.access_token());
    let user = [("authorization", &*user)];
    let question = platform.json("/api/authorization", &user, &json!({ "query": asked })).await.json();
    assert_eq!([&question["client"], &question["client_id"]], ["Agent", "agent"], "{question}");
    let body = json!({ "ticket": question["ticket"], "allow": true });
    let answer: Value = platform.json("/api/authorization/answer", &user, &body).await.json();
    let code = parameter(answer["location"].as_str().unwrap(), "code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "agent"),
        ("code", &*code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
        ("resource", resource),
    ];
    platform.form("/oauth/token", &[], &fields).await.access_token()
}
