//! A service in front of a real OpenID provider, the npm package `oidc-provider`: see `tests/oidc-provider`.
#![cfg(test)]

mod browser;
mod grants;
mod outage;
mod provider;
mod rotation;
mod service;
mod tokens;
