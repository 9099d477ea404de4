//! Requests that no library sends.

use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::{Value, json};

use crate::world::{OTHER, SCOPES, World};

impl World {
    fn post(&self, token: &str, message: &Value) -> RequestBuilder {
        let request = Client::new().post(&self.resource).header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::ACCEPT, "application/json, text/event-stream");
        request.bearer_auth(token).body(message.to_string())
    }

    /// The notes of the user who has this token, though other headers speak of Alice.
    async fn notes(&self, token: &str) -> String {
        let request = self.post(token, &call("read_notes")).header("x-forwarded-user", "alice");
        let answer = request.header("mcp-session-id", "alice").send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

fn call(tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": { "text": "x" } } })
}

fn list() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

fn challenge(answer: &Response) -> &str {
    answer.headers()["www-authenticate"].to_str().unwrap()
}

#[tokio::test]
async fn a_token_for_another_resource_is_refused() {
    let world = World::start().await;
    let right = world.token("alice", &world.resource, SCOPES).await;
    assert_eq!(status(world.post(&right, &list())).await, 200);
    let wrong = world.token("alice", OTHER, SCOPES).await;
    let answer = world.post(&wrong, &list()).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = challenge(&answer);
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    // A client whose token has expired does not know what to ask for, if it has forgotten the first answer.
    assert!(challenge.contains(r#"scope="notes:list""#), "{challenge}");
    assert!(challenge.contains("/.well-known/oauth-protected-resource/mcp"), "{challenge}");
}

#[tokio::test]
async fn each_tool_needs_its_scopes_and_an_unknown_tool_needs_them_all() {
    let world = World::start().await;
    for (message, scopes, too_few) in [
        (list(), "notes:list", "notes:write"),
        (call("read_notes"), "notes:list notes:read", "notes:list"),
        (call("add_note"), SCOPES, "notes:list notes:read"),
        (call("delete_all"), SCOPES, "notes:list notes:read"),
    ] {
        let token = world.token("alice", &world.resource, scopes).await;
        assert_eq!(status(world.post(&token, &message)).await, 200, "{message}");
        let token = world.token("alice", &world.resource, too_few).await;
        let answer = world.post(&token, &message).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{message}");
        let challenge = challenge(&answer);
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.contains(&format!(r#"scope="{scopes}""#)), "{challenge}");
        assert!(challenge.contains("/.well-known/oauth-protected-resource/mcp"), "{challenge}");
    }
}

#[tokio::test]
async fn the_body_alone_says_which_tool_is_called() {
    let world = World::start().await;
    let reader = world.token("alice", &world.resource, "notes:list notes:read").await;
    let sly = world.post(&reader, &call("add_note")).header("mcp-method", "tools/call");
    assert_eq!(status(sly.header("mcp-name", "read_notes")).await, 403);
    let text = call("add_note").to_string();
    let spelled = text.replace("add_note", r"add\u005fnote");
    assert_eq!(status(world.post(&reader, &list()).body(spelled)).await, 403);
    // Messages that two parsers might read in two ways. What matters is that no note is added.
    let twice = |first: &str| text.replace(r#""name":"#, &format!(r#""name":"{first}","name":"#));
    let method = text.replace(r#""method":"#, r#""method":"tools/list","method":"#);
    let late = text.replace("}}", r#"},"method":"tools/list"}"#);
    for text in [twice("read_notes"), twice("add_note"), method, late, format!("[{text}]"), format!("{text}{text}")] {
        let answer = world.post(&reader, &list()).body(text).send().await.unwrap().text().await.unwrap();
        assert!(!answer.contains("you have"), "{answer}");
    }
    assert_eq!(world.notes(&reader).await, "");
    let writer = world.token("alice", &world.resource, SCOPES).await;
    assert_eq!(status(world.post(&writer, &call("add_note"))).await, 200);
    assert_eq!(world.notes(&reader).await, "x");
}

#[tokio::test]
async fn no_header_but_the_token_says_who_calls() {
    let world = World::start().await;
    let alice = world.token("alice", &world.resource, SCOPES).await;
    assert_eq!(status(world.post(&alice, &call("add_note"))).await, 200);
    for (user, notes) in [("alice", "x"), ("bob", "")] {
        let token = world.token(user, &world.resource, SCOPES).await;
        assert_eq!(world.notes(&token).await, notes);
    }
}

#[tokio::test]
async fn pages_of_other_origins_and_other_names_of_the_host_are_refused() {
    const ORIGIN: &str = "https://inspector.example.com:443";
    for (origins, expected) in [(vec![], 403), (vec![ORIGIN.to_owned()], 200)] {
        let world = World::with_origins(&origins).await;
        let token = world.token("alice", &world.resource, SCOPES).await;
        let request = || world.post(&token, &list());
        let from = |origin: &str| status(request().header(header::ORIGIN, origin));
        assert_eq!(from("https://inspector.example.com").await, expected);
        for origin in ["https://evil.example", "null", "https://inspector.example.com.evil.example"] {
            assert_eq!(from(origin).await, 403, "{origin}");
        }
        assert_eq!(status(request().header(header::HOST, "rebound.example")).await, 403);
        assert_eq!(status(request()).await, 200);
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_and_other_methods_are_refused() {
    let world = World::start().await;
    let token = world.token("alice", &world.resource, SCOPES).await;
    let mut message = call("add_note");
    message["params"]["arguments"]["text"] = "x".repeat(70_000).into();
    assert_eq!(status(world.post(&token, &message)).await, 413);
    message["params"]["arguments"]["text"] = "x".repeat(60_000).into();
    assert_eq!(status(world.post(&token, &message)).await, 200);
    assert_eq!(status(Client::new().get(&world.resource).bearer_auth(&token)).await, 405);
}
