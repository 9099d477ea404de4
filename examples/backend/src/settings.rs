//! [`Settings`]: what the environment says.

use std::{env, path::PathBuf, str::FromStr, time::Duration};

/// How long the JWT of a user may be valid, if the operator says nothing.
const USUAL_CEILING: u64 = 15;

/// How far the operator may raise that.
const HIGHEST_CEILING: u64 = 60;

/// The settings of the backend. Each has a default, so that the example starts by one command.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    /// Where sessions, keys and secrets are kept.
    pub(crate) data: PathBuf,
    /// How long a session lasts without use.
    pub(crate) session_idle: Duration,
    /// How long a session lasts in any case.
    pub(crate) session_absolute: Duration,
    /// How long a user's JWT may be valid, in minutes.
    pub(crate) user_jwt_minutes_max: u64,
}

impl Settings {
    pub(crate) fn read() -> Result<Self, String> {
        Ok(Self {
            port: parsed("PORT", 4400)?,
            data: optional("DATA").unwrap_or_else(|| "target/backend".into()).into(),
            session_idle: Duration::from_secs(parsed("SESSION_IDLE_SECONDS", 7 * 86_400)?),
            session_absolute: Duration::from_secs(parsed("SESSION_SECONDS", 30 * 86_400)?),
            user_jwt_minutes_max: ceiling(parsed("USER_JWT_MINUTES_MAX", USUAL_CEILING)?)?,
        })
    }
}

fn ceiling(minutes: u64) -> Result<u64, String> {
    if (1..=HIGHEST_CEILING).contains(&minutes) {
        return Ok(minutes);
    }
    Err(format!("USER_JWT_MINUTES_MAX is {minutes}: it has to be from 1 to {HIGHEST_CEILING}"))
}

/// The settings of the functions.
#[derive(Clone, Debug)]
pub(crate) struct FunctionsSettings {
    pub(crate) port: u16,
    pub(crate) backend_url: String,
    /// The file with the API key with which functions act as the administrator.
    pub(crate) key_file: PathBuf,
    /// Whether they end with the process that started them.
    pub(crate) until_input_ends: bool,
}

impl FunctionsSettings {
    pub(crate) fn read() -> Result<Self, String> {
        Ok(Self {
            port: parsed("FUNCTIONS_PORT", 4500)?,
            backend_url: required("BACKEND_URL")?,
            key_file: required("BACKEND_KEY_FILE")?.into(),
            until_input_ends: optional("UNTIL_INPUT_ENDS").is_some(),
        })
    }
}

fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &str) -> Result<String, String> {
    optional(name).ok_or_else(|| format!("{name} is not set: see README.md"))
}

fn parsed<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    let Some(text) = optional(name) else { return Ok(default) };
    text.parse().map_err(|_| format!("{name} is {text:?}: it has to be a number"))
}
