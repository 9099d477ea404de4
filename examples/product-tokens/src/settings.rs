//! [`Settings`]: what the environment says.

use std::{env, path::PathBuf};

/// The settings of the product. Each has a default, so that the example starts by one command.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    /// Where tokens and secrets are kept.
    pub(crate) data: PathBuf,
}

impl Settings {
    pub(crate) fn read() -> Result<Self, String> {
        let port = match optional("PORT") {
            Some(port) => port.parse().map_err(|_| format!("PORT is {port:?}: it has to be a number"))?,
            None => 4600,
        };
        Ok(Self { port, data: optional("DATA").unwrap_or_else(|| "target/product-tokens".into()).into() })
    }
}

pub(crate) fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
