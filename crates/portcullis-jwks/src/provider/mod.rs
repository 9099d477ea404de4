//! Presets for well-known identity providers. You pass values that you have at hand, such as a domain or a tenant's id.
//!
//! A [`Provider`] knows everything except the audience: the exact `iss` of its tokens, where its keys and its roles are, and how an
//! access token differs from an ID token.
//!
//! ```no_run
//! use portcullis_core::{Admission, JwtAuthenticator};
//! use portcullis_jwks::provider;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis_core::ConfigError> {
//! let issuer = provider::auth0("tenant.eu.auth0.com")?.trust("https://orders.example.com")?;
//! let admission = Admission::new(JwtAuthenticator::new(issuer)?); // for an `AuthLayer`
//! # Ok(())
//! # }
//! ```
//!
//! With a handle to the keys, for changing how they are fetched and for reading their health:
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
//! Arguments that cannot be right are refused, and the error says what to write instead:
//!
//! ```
//! use portcullis_jwks::provider;
//!
//! assert!(provider::auth0("https://tenant.eu.auth0.com/").is_err()); // the domain alone
//! assert!(provider::entra("common").is_err()); // one tenant, by its id
//! ```
//!
//! # What the presets know
//!
//! Identity providers:
//!
//! - [`auth0`]. Issuer: `https://DOMAIN/`, slash included; audience: the API's identifier, in a list with `/userinfo`; roles at
//!   `/permissions`; scopes in `scope`; client in `azp`; an access token has another `aud` than an ID token.
//! - [`auth0_rfc9068`]: as [`auth0`]; client in `client_id`; an access token has the type `at+jwt`.
//! - [`authentik`]. Issuer: `BASE/application/o/SLUG/`, slash included; audience: the client id; roles at `/groups`; no scopes by
//!   default; client in `azp`; an access token has `azp`.
//! - [`clerk`]. Issuer: `https://FRONTEND-API`; no audience, [unless you add it](clerk); roles at `/o/rol`; no scopes; client in `azp`;
//!   an access token has `sid`.
//! - [`cognito`]. Issuer: `https://cognito-idp.REGION.amazonaws.com/POOL`; no audience: [`client_id`](cognito) takes its place; roles
//!   at `/cognito:groups`; scopes in `scope`; client in `client_id`; an access token has `token_use` = `access`.
//! - [`cognito_updated`]: as [`cognito`]; issuer: `https://issuer-cognito-idp.REGION.amazonaws.com/POOL`.
//! - [`entra`]. Issuer: `https://login.microsoftonline.com/TENANT/v2.0`; audience: the API's client id; roles at `/roles`; scopes in
//!   `scp`, one string; client in `azp`; an access token has `azp`.
//! - [`entra_v1`]. Issuer: `https://sts.windows.net/TENANT/`, slash included; audience: `api://…`, or the API's client id; roles at
//!   `/roles`; scopes in `scp`, one string; client in `appid`; an access token has `appid`.
//! - [`EntraTenants`]: as [`entra`], of several tenants; an access token has `azp`, and `tid` as in `iss`.
//! - [`fusionauth`]. Issuer: what the tenant's settings say, such as `acme.com`; audience: the application's id; roles at `/roles`;
//!   scopes in `scope`; client in `applicationId`; an access token has `applicationId`.
//! - [`fusionauth_entity`]: as [`fusionauth`]; audience: the target entity's id; roles at `/permissions`; client in `sub`; an access
//!   token has another `aud` than an ID token.
//! - [`google`]. Issuer: `https://accounts.google.com`; audience: the client id; no roles; no scopes; client in `azp`; ID tokens only,
//!   because its access tokens are not JWTs.
//! - [`keycloak`]. Issuer: `BASE/realms/REALM`; audience: what an audience mapper adds; roles at `/realm_access/roles`, of a client at
//!   `/resource_access/CLIENT/roles`; scopes in `scope`; client in `azp`; an access token has `typ` = `Bearer` among the claims.
//! - [`logto`]. Issuer: `ENDPOINT/oidc`; audience: the API's indicator; roles at `/roles`, if added; scopes in `scope`; client in
//!   `client_id`; an access token has the type `at+jwt`.
//! - [`okta`]. Issuer: `https://DOMAIN/oauth2/SERVER`; audience: the server's, `api://default` at first; roles at `/groups`; scopes in
//!   `scp`, an array; client in `cid`; an access token has `cid`.
//! - [`supabase`]. Issuer: `https://PROJECT.supabase.co/auth/v1`; audience: `authenticated`; roles at `/role`; no scopes; client in
//!   `client_id`, if any; an access token has another `aud` than an ID token.
//! - [`workos`], [`workos_legacy`]. Issuer: `https://api.workos.com/user_management/CLIENT_ID`, or `https://api.workos.com`; no
//!   audience, [unless you add it](workos); roles at `/roles`, `/role`; no scopes; client in `client_id`, if any; an access token has
//!   `sid`.
//! - [`workos_connect`]. Issuer: `https://DOMAIN`; audience: the resource indicator; no roles; scopes in `scope`; client in
//!   `client_id`; an access token has `client_id`.
//! - [`zitadel`]. Issuer: the instance's URL; audience: the project's id; roles at `/urn:zitadel:iam:org:project:PROJECT:roles`, an
//!   object; no scopes; client in `client_id`; an access token has `jti` and `client_id`.
//!
//! Platforms that issue tokens to programs. Every program on the platform can get one for your audience, so you also have to say whose
//! program is allowed:
//!
//! - [`github_actions`], [`github_actions_at`]. Issuer: `https://token.actions.githubusercontent.com`, or your own; audience: the one
//!   that the workflow requests; `repository` is required.
//! - [`github_actions_of_owner`]: as [`github_actions`]; `repository_owner` is required.
//! - [`gitlab_ci`]. Issuer: the instance's URL; audience: the one that the job requests; `project_path` is required.
//! - [`gitlab_ci_of_namespace`]: as [`gitlab_ci`]; `namespace_path` is required.
//! - [`kubernetes`]. Issuer: the cluster's; audience: the one in the pod's projected volume; `kubernetes.io/namespace` is required.
//! - [`kubernetes_service_account`]: as [`kubernetes`]; `sub` is required.
//!
//! Proxies that add a token to each request, in their own HTTP header:
//!
//! - [`cloudflare_access`]. Issuer: `https://TEAM.cloudflareaccess.com`; audience: the application's AUD tag; HTTP header:
//!   `Cf-Access-Jwt-Assertion`.
//! - [`cloud_iap`]. Issuer: `https://cloud.google.com/iap`; audience: `/projects/NUMBER/global/backendServices/ID` and others; HTTP
//!   header: `x-goog-iap-jwt-assertion`.
//!
//! The client is the value that [`Facts::client_id`](portcullis_core::verified::Facts::client_id) returns, and that revocations of a
//! client are compared with. Tokens of the platforms and of Cloud IAP name no client; a service token of Cloudflare has it in
//! `common_name`.
//!
//! # Users and applications
//!
//! This section lists which callers count as applications for [`Facts::principal`](portcullis_core::verified::Facts::principal), and so
//! for the requirements `user` and `application`. A preset uses only claims that users cannot choose:
//!
//! - **Every token**: [`github_actions`], [`gitlab_ci`], [`kubernetes`] and their variants, [`fusionauth_entity`].
//! - **A claim that marks it**: [`auth0`] (`gty`); [`entra`], [`entra_v1`] and [`EntraTenants`] (`idtyp`, once it is switched on).
//! - **A subject that is the client, or none**: [`cloudflare_access`], [`cognito`], [`logto`], [`okta`], [`workos_connect`]; [`google`] and
//!   [`zitadel`] for some of their applications.
//! - **The applications that you name**, with a call of [`application_if`](portcullis_core::TrustedIssuer::application_if):
//!   [`auth0_rfc9068`], [`authentik`], [`cloud_iap`], [`google`], [`keycloak`], [`zitadel`]. An application that you do not name looks
//!   like a user: if that matters, require a scope or role too.
//! - **None**: [`clerk`], [`fusionauth`], [`supabase`] and [`workos`] issue tokens only to users.
//!
//! # Logout
//!
//! Give `BackChannelLogout` the preset with the *client id of the application that logs users in* as the audience, whatever audience your
//! API has. Logout tokens need not have the claims that the preset requires of access tokens. To end every session of the subject, add
//! `BackChannelLogout::every_session`.
//!
//! - Keycloak and Authentik send logout tokens (OpenID Connect Back-Channel Logout 1.0), and access tokens have the session in `sid`.
//! - Auth0, Logto and Zitadel send them, but access tokens have no `sid`: end every session of the subject.
//! - Entra ID and Okta send none: their logout is front-channel, in the browser.
//! - FusionAuth, WorkOS, Clerk and Google send none: they use their own webhooks or events.
//! - Cognito, Supabase, Cloudflare Access and Cloud IAP send none.
//!
//! This is what the providers' documentation said in 2026; each function links to that page. Each provider can be configured to write
//! other claims as well: add places for roles with [`TrustedIssuer::roles_at`](portcullis_core::TrustedIssuer::roles_at), and conditions
//! with [`require_claim_value`](portcullis_core::TrustedIssuer::require_claim_value).
//!
//! # Scope
//!
//! There are no presets for national clouds of Entra ID, Azure AD B2C, and instances under another name than the provider gave them. For
//! those, use [`oidc`](crate::oidc), or [`RemoteKeys`](crate::RemoteKeys) with your own `TrustedIssuer`.

mod auth0;
mod authentik;
mod clerk;
mod cloud_iap;
mod cloudflare;
mod cognito;
mod entra;
mod entra_tenants;
mod fusionauth;
mod github;
mod gitlab;
mod google;
mod input;
mod keycloak;
mod kubernetes;
mod logto;
mod okta;
#[expect(clippy::module_inception, reason = "a file is named by the noun that it defines")]
mod provider;
mod supabase;
mod workos;
mod zitadel;

pub use auth0::{auth0, auth0_rfc9068};
pub use authentik::authentik;
pub use clerk::clerk;
pub use cloud_iap::cloud_iap;
pub use cloudflare::cloudflare_access;
pub use cognito::{cognito, cognito_updated};
pub use entra::{entra, entra_v1};
pub use entra_tenants::EntraTenants;
pub use fusionauth::{fusionauth, fusionauth_entity};
pub use github::{danger_github_actions_of_anyone, github_actions, github_actions_at, github_actions_of_owner};
pub use gitlab::{danger_gitlab_ci_of_anyone, gitlab_ci, gitlab_ci_of_namespace};
pub use google::{google, google_workspace};
use input::Input;
pub use keycloak::keycloak;
pub use kubernetes::{danger_kubernetes_any_namespace, kubernetes, kubernetes_service_account};
pub use logto::logto;
pub use okta::okta;
pub use provider::Provider;
use provider::Quirk;
pub use supabase::supabase;
pub use workos::{workos, workos_connect, workos_legacy};
pub use zitadel::zitadel;
