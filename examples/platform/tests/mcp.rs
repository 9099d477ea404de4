//! The example `mcp-server`, whose authorization server is the platform.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{path::Path, process::Command};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use real_servers::{is_missing, skip};
use serde_json::{Value, json};
use support::{ORDERS, Platform, parameter, query};
use tempfile::tempdir;
use tokio::{net::TcpListener, task::JoinSet};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "http://127.0.0.1:4300/callback";

/// Where the inspector is, if it is installed.
const INSPECTOR: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../mcp-server/tests/node/node_modules/@modelcontextprotocol/inspector-cli/build"
);

/// Starts the server of notes, and its platform. The server ends with the set.
async fn start(data: &Path) -> (Platform, String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resource = format!("http://{}/mcp", listener.local_addr().unwrap());
    let platform = Platform::start(data, &[("MCP_RESOURCE", &resource)]).await;
    let app = mcp_server::app(&platform.url, &resource, &[]).unwrap();
    let mut servers = JoinSet::new();
    servers.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (platform, resource, servers)
}

#[tokio::test]
async fn a_server_of_the_model_context_protocol_accepts_what_the_platform_issues_for_it() {
    let folder = tempdir().unwrap();
    let (platform, resource, _servers) = start(folder.path()).await;
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

/// The tool by which developers try out such servers, with a token of the platform in an HTTP header.
#[tokio::test]
async fn the_inspector_of_the_protocol_lists_and_calls_the_tools_that_its_token_allows() {
    if !Path::new(INSPECTOR).is_dir() {
        let why = format!("{INSPECTOR} is not there (`cargo xtask test servers` installs it)");
        return skip("@modelcontextprotocol/inspector-cli", &why);
    }
    if is_missing("node") {
        return;
    }
    let folder = tempdir().unwrap();
    let (platform, resource, _servers) = start(folder.path()).await;
    let token = token(&platform, &resource, "notes:list notes:read notes:write").await;
    let inspector = Inspector { resource: &resource, token: &token };
    let listed = inspector.run(&["--method", "tools/list"]).await.unwrap();
    let names: Vec<_> = listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["add_note", "read_notes"]);
    let calls = [
        (&["--tool-name", "add_note", "--tool-arg", "text=buy oranges"] as &[_], "you have 1 notes"),
        (&["--tool-name", "read_notes"], "buy oranges"),
    ];
    for (arguments, answer) in calls {
        let called = inspector.run(&[&["--method", "tools/call"], arguments].concat()).await.unwrap();
        assert_eq!(called["content"][0]["text"], answer, "{called}");
    }
    // The near-identical ones: a token that may only read, and one for another service.
    let reader = self::token(&platform, &resource, "notes:list notes:read").await;
    let reader = Inspector { token: &reader, ..inspector };
    assert!(reader.run(&["--method", "tools/call", "--tool-name", "read_notes"]).await.is_ok());
    let write = ["--method", "tools/call", "--tool-name", "add_note", "--tool-arg", "text=no"];
    let refused = reader.run(&write).await.unwrap_err();
    assert!(refused.contains("scope_missing"), "{refused}");
    let log_in = platform.log_in("alice", "wonderland").await;
    let other = platform.session("refresh", &log_in.cookie(), &[("resource", ORDERS)]).await.access_token();
    let refused = Inspector { token: &other, ..inspector }.run(&["--method", "tools/list"]).await.unwrap_err();
    assert!(refused.contains("audience_mismatch"), "{refused}");
}

#[derive(Clone, Copy)]
struct Inspector<'a> {
    resource: &'a str,
    token: &'a str,
}

impl Inspector<'_> {
    /// Returns what it prints; an error with what it complains about.
    async fn run(&self, arguments: &[&str]) -> Result<Value, String> {
        let mut node = Command::new("node");
        // It looks for its own version in the folder in which it runs.
        node.current_dir(INSPECTOR).args(["cli.js", "--cli", self.resource, "--transport", "http"]).args(arguments);
        node.args(["--header", &format!("Authorization: Bearer {}", self.token)]);
        // It calls the server of this test meanwhile.
        let output = tokio::task::spawn_blocking(move || node.output()).await.unwrap().unwrap();
        let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        if output.status.success() { Ok(serde_json::from_str(&out).unwrap()) } else { Err(format!("{out}{error}")) }
    }
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
