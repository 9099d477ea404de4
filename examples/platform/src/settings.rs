//! [`Settings`]: what the environment says.

use std::{env, path::PathBuf, str::FromStr, time::Duration};

/// The settings of both services. Each has a default, so that the example starts by one command.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The port of the dashboard; 0 is any free one.
    pub port: u16,
    /// The port of the second service; 0 is any free one.
    pub orders_port: u16,
    /// Another identity provider than the dashboard itself.
    pub issuer: Option<String>,
    /// The name of the dashboard's page at that provider.
    pub client_id: String,
    /// What the dashboard is called in tokens.
    pub dashboard_audience: String,
    /// What the second service is called in tokens.
    pub orders_audience: String,
    /// The URL of a server of the Model Context Protocol, for which any client may ask for tokens.
    pub mcp_resource: String,
    /// How long access tokens are valid.
    pub access_token_lifetime: Duration,
    /// Where the desk of `examples/decentralized` is, whose page logs users in here.
    pub desk_url: String,
    /// What that desk is called in tokens.
    pub desk_audience: String,
    /// How long a replaced refresh token is answered by the same successor.
    pub grace: Duration,
    /// How long ago a user may have logged in who cancels orders.
    pub fresh: Duration,
    /// The clients of whose sessions the issuer tells the second service that they have ended.
    pub log_out_clients: Vec<String>,
    /// How many requests a client may send to an endpoint in a minute.
    pub requests_per_minute: u32,
    /// Where the dashboard keeps its sessions and keys, and the second service its revocations.
    pub data: PathBuf,
    /// Whose pages may call the second service.
    pub dashboard_origin: Option<String>,
}

impl Settings {
    /// Reads them from the environment.
    ///
    /// # Errors
    ///
    /// If a variable that has to be a number is none.
    pub fn read() -> Result<Self, String> {
        let client_id = optional("CLIENT_ID").unwrap_or_else(|| "dashboard".into());
        let log_out_clients = optional("LOG_OUT_CLIENTS").unwrap_or_else(|| format!("{client_id} report"));
        Ok(Self {
            log_out_clients: log_out_clients.split_ascii_whitespace().map(str::to_owned).collect(),
            port: parsed("PORT", 4000)?,
            orders_port: parsed("ORDERS_PORT", 4100)?,
            issuer: optional("ISSUER"),
            client_id,
            dashboard_audience: optional("DASHBOARD_AUDIENCE").unwrap_or_else(|| "https://dashboard.example".into()),
            orders_audience: optional("ORDERS_AUDIENCE").unwrap_or_else(|| "https://orders.example".into()),
            mcp_resource: optional("MCP_RESOURCE").unwrap_or_else(|| "http://localhost:4200/mcp".into()),
            desk_url: optional("DESK_URL").unwrap_or_else(|| "http://localhost:4900".into()),
            desk_audience: optional("DESK_AUDIENCE").unwrap_or_else(|| "https://desk.acme.example".into()),
            access_token_lifetime: Duration::from_secs(parsed("ACCESS_TOKEN_SECONDS", 300)?),
            fresh: Duration::from_secs(parsed("FRESH_SECONDS", 300)?),
            requests_per_minute: parsed("REQUESTS_PER_MINUTE", 600)?,
            grace: Duration::from_secs(parsed("GRACE_SECONDS", 60)?),
            data: optional("DATA").unwrap_or_else(|| "target/platform".into()).into(),
            dashboard_origin: optional("DASHBOARD_ORIGIN"),
        })
    }
}

/// Returns a variable of the environment; `None` if it is empty, too.
pub fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns a variable of the environment.
///
/// # Errors
///
/// If it is not set, or empty.
pub fn required(name: &str) -> Result<String, String> {
    optional(name).ok_or_else(|| format!("{name} is not set: see README.md"))
}

fn parsed<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    let Some(text) = optional(name) else { return Ok(default) };
    text.parse().map_err(|_| format!("{name} is {text:?}: it has to be a number"))
}
