//! The library of Rust, with its OAuth client.

use reqwest::{Client, redirect::Policy};
use rmcp::{
    RoleClient, ServiceError, ServiceExt,
    model::CallToolRequestParams,
    service::{ClientInitializeError, RunningService},
    transport::{
        AuthClient, AuthorizationRequest, StreamableHttpClientTransport,
        auth::{AuthorizationCallback, AuthorizationManager, OAuthState},
        streamable_http_client::{StreamableHttpClient, StreamableHttpClientTransportConfig},
    },
};
use serde_json::json;

use crate::world::{CALLBACK, World};

type Session = RunningService<RoleClient, ()>;

#[tokio::test]
async fn the_library_of_rust_finds_its_way_from_a_401_to_a_token_and_steps_up_at_a_403() {
    let world = World::start().await;
    let refused = connect(&world, Client::new()).await.unwrap_err();
    let challenge = refused.auth_challenge().unwrap();
    assert!(challenge.contains(r#"scope="notes:list""#) && !challenge.contains("error"), "{challenge}");

    let http = AuthClient::new(Client::new(), authorize(&world, challenge).await);
    let session = connect(&world, http.clone()).await.unwrap();
    let tools = session.list_all_tools().await.unwrap();
    assert_eq!(tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["add_note", "read_notes"]);

    for (tool, scopes) in [("read_notes", "notes:list notes:read"), ("add_note", "notes:list notes:read notes:write")] {
        let refused = call(&session, tool).await.unwrap_err();
        let challenge = refused.auth_challenge().unwrap();
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.contains(&format!(r#"scope="{scopes}""#)), "{challenge}");
        assert!(challenge.contains("resource_metadata="), "{challenge}");
        step_up(&http, scopes).await;
        call(&session, tool).await.unwrap();
    }
    assert_eq!(call(&session, "read_notes").await.unwrap(), "buy pears");
    session.cancel().await.unwrap();
}

async fn connect<C>(world: &World, http: C) -> Result<Session, ClientInitializeError>
where
    C: StreamableHttpClient + Send + 'static,
{
    let config = StreamableHttpClientTransportConfig::with_uri(&*world.resource);
    ().serve(StreamableHttpClientTransport::with_client(http, config)).await
}

/// The code flow, as the challenge demands it. The page says yes by itself.
async fn authorize(world: &World, challenge: &str) -> AuthorizationManager {
    let mut state = OAuthState::new(&world.resource, None).await.unwrap();
    let request = AuthorizationRequest::new(CALLBACK).with_preregistered_client("agent").with_challenge(challenge);
    state.start_authorization(request.with_initial_scope_selection()).await.unwrap();
    let page = state.get_authorization_url().await.unwrap();
    state.handle_callback_url(&answer_of(&page).await).await.unwrap();
    state.into_authorization_manager().unwrap()
}

async fn step_up(http: &AuthClient<Client>, scopes: &str) {
    let manager = http.auth_manager.lock().await;
    let page = manager.request_scope_upgrade(scopes).await.unwrap();
    let back = AuthorizationCallback::from_redirect_url(&answer_of(&page).await).unwrap();
    manager.exchange_code_for_token_with_issuer(&back.code, &back.csrf_token, back.issuer.as_deref()).await.unwrap();
}

/// Where the page sends the user's browser.
async fn answer_of(page: &str) -> String {
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = browser.get(page).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn call(session: &Session, tool: &'static str) -> Result<String, ServiceError> {
    let arguments = json!({ "text": "buy pears" }).as_object().unwrap().clone();
    let result = session.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await?;
    Ok(result.content[0].as_text().unwrap().text.clone())
}
