//! Which scopes a message needs.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use portcullis::{
    RequireLayer,
    requirement::{all, scope},
};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest};
use tower::{Layer, ServiceExt};

/// What every message needs, the list of tools included.
pub(crate) const BASE: &str = "notes:list";

/// All scopes. A tool that is not in [`TOOLS`] needs them all.
pub(crate) const ALL: &str = "notes:list notes:read notes:write";

/// The scopes of each tool. Each row has all that a token needs, because some clients ask for exactly what the 403 names,
/// and would lose the others.
const TOOLS: [(&str, &str); 2] = [("read_notes", "notes:list notes:read"), ("add_note", ALL)];

/// How long a message may be, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// Lets a message through if the token has the scopes that it needs. Otherwise, the answer is 403 with those scopes.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let needed = all(needed(&body).split(' ').map(scope));
    let guarded = RequireLayer::new(needed).layer(next);
    let answer = guarded.oneshot(Request::from_parts(head, Body::from(body))).await;
    answer.unwrap_or_else(|never| match never {})
}

/// The scopes that a message needs. It is parsed in the same way as by the service behind, so that both see the same tool: the headers
/// `Mcp-Method` and `Mcp-Name` say nothing here, because a client could write something else into the body.
fn needed(message: &[u8]) -> &'static str {
    match serde_json::from_slice(message) {
        Ok(ClientJsonRpcMessage::Request(message)) => match message.request {
            ClientRequest::CallToolRequest(call) => of_tool(&call.params.name),
            _ => BASE,
        },
        _ => BASE,
    }
}

fn of_tool(name: &str) -> &'static str {
    TOOLS.iter().find(|(tool, _)| *tool == name).map_or(ALL, |(_, scopes)| scopes)
}
