//! Presets: identity providers whose quirks are known here. You give what you have at hand, such as a domain or a tenant's id.
//!
//! A [`Provider`] knows everything but the audience: the exact `iss` of its tokens, where its keys and its roles are, and how an access
//! token differs from an ID token.
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
//! - [`google`]. Issuer: `https://accounts.google.com`; audience: the client id; no roles; no scopes; client in `azp`; ID tokens only:
//!   its access tokens are no JWTs.
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
//! Platforms that issue tokens to programs. Every program on the platform can get one for your audience, so that whose program it is
//! has to be said, too:
//!
//! - [`github_actions`], [`github_actions_at`]. Issuer: `https://token.actions.githubusercontent.com`, or one of your own; audience:
//!   what the workflow asks for; `repository` is required.
//! - [`github_actions_of_owner`]: as [`github_actions`]; `repository_owner` is required.
//! - [`gitlab_ci`]. Issuer: the instance's URL; audience: what the job asks for; `project_path` is required.
//! - [`gitlab_ci_of_namespace`]: as [`gitlab_ci`]; `namespace_path` is required.
//! - [`kubernetes`]. Issuer: the cluster's; audience: what the pod's projected volume asks for; `kubernetes.io/namespace` is required.
//! - [`kubernetes_service_account`]: as [`kubernetes`]; `sub` is required.
//!
//! Proxies that add a token to each request. The token is in an HTTP header of their own:
//!
//! - [`cloudflare_access`]. Issuer: `https://TEAM.cloudflareaccess.com`; audience: the application's AUD tag; HTTP header:
//!   `Cf-Access-Jwt-Assertion`.
//! - [`cloud_iap`]. Issuer: `https://cloud.google.com/iap`; audience: `/projects/NUMBER/global/backendServices/ID` and others; HTTP
//!   header: `x-goog-iap-jwt-assertion`.
//!
//! The client is what [`Facts::client_id`](portcullis_core::verified::Facts::client_id) returns, and what a revoked client is compared with. Of
//! the platforms and of Cloud IAP no token names one; a service token of Cloudflare has it in `common_name`.
//!
//! # Users and applications
//!
//! Whom [`Facts::principal`](portcullis_core::verified::Facts::principal) takes for an application, and with it the requirements `user` and
//! `application`. A preset goes only by what no user can choose:
//!
//! - **Every token**: [`github_actions`], [`gitlab_ci`], [`kubernetes`] and their variants, [`fusionauth_entity`].
//! - **A claim that marks it**: [`auth0`] (`gty`); [`entra`], [`entra_v1`] and [`EntraTenants`] (`idtyp`, once it is switched on).
//! - **A subject that is the client, or none**: [`cloudflare_access`], [`cognito`], [`logto`], [`okta`], [`workos_connect`]; [`google`] and
//!   [`zitadel`] for some of their applications.
//! - **The applications that you name**, with a line of
//!   [`application_if`](portcullis_core::TrustedIssuer::application_if): [`auth0_rfc9068`], [`authentik`], [`cloud_iap`], [`google`],
//!   [`keycloak`], [`zitadel`]. An application that is not named is taken for a user: where that matters, ask for a scope or role, too.
//! - **None**: [`clerk`], [`fusionauth`], [`supabase`] and [`workos`] are for users alone.
//!
//! # Log-out
//!
//! `BackChannelLogout` takes the preset with the *client id of the application that logs people in* as audience, whatever audience your
//! API has. What the preset asks of access tokens is not asked of log-out tokens. To end every session of the subject, add
//! `BackChannelLogout::every_session`.
//!
//! - Keycloak and Authentik send log-out tokens (OpenID Connect Back-Channel Logout 1.0), and access tokens have the session in `sid`.
//! - Auth0, Logto and Zitadel send them, but access tokens have no `sid`: end every session of the subject.
//! - Entra ID and Okta send none: their log-out is front-channel, in the browser.
//! - FusionAuth, WorkOS, Clerk and Google send none: they have webhooks or events of their own.
//! - Cognito, Supabase, Cloudflare Access and Cloud IAP send none.
//!
//! As the providers document it in 2026; each function links to that page. Each of them can be configured to write other claims as well:
//! more places for roles are added by [`TrustedIssuer::roles_at`](portcullis_core::TrustedIssuer::roles_at), more conditions by
//! [`require_claim_value`](portcullis_core::TrustedIssuer::require_claim_value).
//!
//! # Scope
//!
//! National clouds of Entra ID, Azure AD B2C and instances behind another name than the provider gave them are not here: for those
//! there is [`oidc`](crate::oidc), or [`RemoteKeys`](crate::RemoteKeys) with a `TrustedIssuer` of your own.

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
