//! Presets: identity providers whose quirks are known here, so that you give what you have at hand and they are right.
//!
//! A [`Provider`] knows everything but the audience: the exact name that its tokens have as `iss`, where its keys are, where its
//! roles stand, and by what an access token is told from an ID token.
//!
//! ```no_run
//! use portcullis_core::JwtAuthenticator;
//! use portcullis_jwks::provider;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis_core::ConfigError> {
//! let issuer = provider::auth0("tenant.eu.auth0.com")?.trust("https://orders.example.com")?;
//! let authenticator = JwtAuthenticator::new(issuer)?; // for an `AuthLayer`
//! # Ok(())
//! # }
//! ```
//!
//! With a handle on the keys, to set how they are fetched and to ask how they are doing:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use portcullis_jwks::provider;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis_core::ConfigError> {
//! let provider = provider::keycloak("https://sso.example.com", "shop")?;
//! let keys = provider.keys().outage(Duration::from_secs(6 * 3600)).start()?;
//! let issuer = provider.trust_with("orders", keys.clone());
//! # Ok(())
//! # }
//! ```
//!
//! What cannot be right is refused, with what to give instead:
//!
//! ```
//! use portcullis_jwks::provider;
//!
//! assert!(provider::auth0("https://tenant.eu.auth0.com/").is_err()); // the domain alone
//! assert!(provider::entra("common").is_err()); // one tenant, by its id
//! ```
//!
//! # What they know
//!
//! | | `iss` | `aud` of a service | roles | scopes | an access token has |
//! |---|---|---|---|---|---|
//! | [`auth0`] | `https://DOMAIN/`, slash included | the API's identifier, in a list with `/userinfo` | `/permissions` | `scope` | another `aud` than an ID token |
//! | [`entra`] | `https://login.microsoftonline.com/TENANT/v2.0` | the API's client id | `/roles` | `scp`, one string | `azp` |
//! | [`entra_v1`] | `https://sts.windows.net/TENANT/`, slash included | `api://…`, or the API's client id | `/roles` | `scp`, one string | `appid` |
//! | [`keycloak`] | `BASE/realms/REALM` | what an audience mapper adds | `/realm_access/roles`; of a client at `/resource_access/CLIENT/roles` | `scope` | `typ` = `Bearer` among the claims |
//! | [`cognito`] | `https://cognito-idp.REGION.amazonaws.com/POOL` | none: [`client_id`](cognito) takes its place | `/cognito:groups` | `scope` | `token_use` = `access` |
//! | [`cognito_updated`] | `https://issuer-cognito-idp.REGION.amazonaws.com/POOL` | the same | the same | the same | the same |
//! | [`okta`] | `https://DOMAIN/oauth2/SERVER` | the server's, `api://default` at first | `/groups` | `scp`, an array | `cid` |
//! | [`google`] | `https://accounts.google.com` | the client id | none | none | (ID tokens only: its access tokens are no JWTs) |
//! | [`supabase`] | `https://PROJECT.supabase.co/auth/v1` | `authenticated` | `/role` | none | another `aud` than an ID token |
//! | [`zitadel`] | the instance's URL | the project's id | `/urn:zitadel:iam:org:project:PROJECT:roles`, an object | none | `jti` |
//!
//! As the providers document it in 2026. Each of them can be configured to write other claims as well: more places for roles are
//! added by [`TrustedIssuer::roles_at`](portcullis_core::TrustedIssuer::roles_at), more conditions by
//! [`require_claim_value`](portcullis_core::TrustedIssuer::require_claim_value).
//!
//! # Scope
//!
//! National clouds of Entra ID, Azure AD B2C and instances behind another name than the provider gave them are not here: for those
//! there is [`oidc`](crate::oidc), or [`RemoteKeys`](crate::RemoteKeys) with a `TrustedIssuer` of your own.

mod auth0;
mod cognito;
mod entra;
mod google;
mod input;
mod keycloak;
mod okta;
#[expect(clippy::module_inception, reason = "a file is named by the noun that it defines")]
mod provider;
mod supabase;
mod zitadel;

pub use auth0::auth0;
pub use cognito::{cognito, cognito_updated};
pub use entra::{entra, entra_v1};
pub use google::{google, google_workspace};
use input::Input;
pub use keycloak::keycloak;
pub use okta::okta;
pub use provider::Provider;
use provider::Quirk;
pub use supabase::supabase;
pub use zitadel::zitadel;
