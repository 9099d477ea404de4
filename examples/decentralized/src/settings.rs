//! [`Settings`]: what the environment says.

use std::{env, fmt, path::PathBuf, str::FromStr, time::Duration};

/// The settings of all parts. What has no default is only for who starts one part alone.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) billing_port: u16,
    pub(crate) desk_port: u16,
    /// Where the operator and the organisations have their keys and tokens. The desk reads it; services do not.
    pub(crate) data: PathBuf,
    /// The operator's public keys, for a service.
    pub(crate) operator: Option<String>,
    /// The account whose service it is, for orders.
    pub(crate) account: Option<String>,
    /// The folder with the tokens of accounts, for orders.
    pub(crate) accounts: Option<String>,
    /// How long a service that looks accounts up uses one until it looks again.
    pub(crate) fresh: Duration,
    /// How old an account's token may be that a caller brings along.
    pub(crate) staple_max_age: Duration,
    /// Whose page may call orders from a browser.
    pub(crate) page_origin: Option<String>,
    /// Where orders is, for the page of the desk.
    pub(crate) orders_url: String,
    /// The URL of the identity provider with acme's users. The desk stands for one itself if there is none.
    pub(crate) issuer: Option<String>,
    /// Who logs in at the desk itself, for the client.
    pub(crate) name: Option<String>,
    /// An access token of that provider, for the client.
    pub(crate) access_token: Option<AccessToken>,
    /// The file with the account's token that the client brings along.
    pub(crate) staple: Option<PathBuf>,
    /// Whether a service ends with the process that started it.
    pub(crate) until_input_ends: bool,
}

/// A token that `Debug` does not show.
#[derive(Clone)]
pub(crate) struct AccessToken(String);

impl AccessToken {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(REDACTED)")
    }
}

impl Settings {
    pub(crate) fn read() -> Result<Self, String> {
        Ok(Self {
            port: parsed("PORT", 4700)?,
            billing_port: parsed("BILLING_PORT", 4800)?,
            desk_port: parsed("DESK_PORT", 4900)?,
            data: optional("DATA").unwrap_or_else(|| "target/decentralized".into()).into(),
            operator: optional("OPERATOR"),
            account: optional("ACCOUNT"),
            accounts: optional("ACCOUNTS"),
            fresh: Duration::from_secs(parsed("FRESH_SECONDS", 5)?),
            staple_max_age: Duration::from_secs(parsed("STAPLE_SECONDS", 3600)?),
            page_origin: optional("PAGE_ORIGIN"),
            orders_url: optional("ORDERS_URL").unwrap_or_default(),
            issuer: optional("ISSUER"),
            name: optional("LOG_IN_AS"),
            access_token: optional("ACCESS_TOKEN").map(AccessToken),
            staple: optional("STAPLE").map(PathBuf::from),
            until_input_ends: optional("UNTIL_INPUT_ENDS").is_some(),
        })
    }
}

/// Returns what a service was told, or which variable it lacks.
pub(crate) fn told<'s>(value: Option<&'s String>, variable: &str) -> Result<&'s str, String> {
    let missing = || {
        format!(
            "{variable} is not set: `cargo run -p decentralized -- environment orders` (or billing) prints what a service has to be told"
        )
    };
    value.map(String::as_str).ok_or_else(missing)
}

fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn parsed<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    let Some(text) = optional(name) else { return Ok(default) };
    text.parse().map_err(|_| format!("{name} is {text:?}: it has to be a number"))
}
