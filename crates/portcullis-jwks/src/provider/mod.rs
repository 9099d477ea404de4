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
//! | | `iss` | `aud` of a service | roles | scopes | client | an access token has |
//! |---|---|---|---|---|---|---|
//! | [`auth0`] | `https://DOMAIN/`, slash included | the API's identifier, in a list with `/userinfo` | `/permissions` | `scope` | `azp` | another `aud` than an ID token |
//! | [`auth0_rfc9068`] | the same | the same | the same | the same | `client_id` | the type `at+jwt` |
//! | [`authentik`] | `BASE/application/o/SLUG/`, slash included | the client id | `/groups` | none by default | `azp` | `azp` |
//! | [`clerk`] | `https://FRONTEND-API` | [none](clerk), unless you add it | `/o/rol` | none | `azp` | `sid` |
//! | [`cognito`] | `https://cognito-idp.REGION.amazonaws.com/POOL` | none: [`client_id`](cognito) takes its place | `/cognito:groups` | `scope` | `client_id` | `token_use` = `access` |
//! | [`cognito_updated`] | `https://issuer-cognito-idp.REGION.amazonaws.com/POOL` | the same | the same | the same | the same | the same |
//! | [`entra`] | `https://login.microsoftonline.com/TENANT/v2.0` | the API's client id | `/roles` | `scp`, one string | `azp` | `azp` |
//! | [`entra_v1`] | `https://sts.windows.net/TENANT/`, slash included | `api://…`, or the API's client id | `/roles` | `scp`, one string | `appid` | `appid` |
//! | [`EntraTenants`] | the same, of several tenants | the same | the same | the same | the same | `azp`, and `tid` as in `iss` |
//! | [`fusionauth`] | what the tenant's settings say, `acme.com` | the application's id | `/roles` | `scope` | `applicationId` | `applicationId` |
//! | [`fusionauth_entity`] | the same | the target entity's id | `/permissions` | `scope` | `sub` | another `aud` than an ID token |
//! | [`google`] | `https://accounts.google.com` | the client id | none | none | `azp` | (ID tokens only: its access tokens are no JWTs) |
//! | [`keycloak`] | `BASE/realms/REALM` | what an audience mapper adds | `/realm_access/roles`; of a client at `/resource_access/CLIENT/roles` | `scope` | `azp` | `typ` = `Bearer` among the claims |
//! | [`logto`] | `ENDPOINT/oidc` | the API's indicator | `/roles`, if added | `scope` | `client_id` | the type `at+jwt` |
//! | [`okta`] | `https://DOMAIN/oauth2/SERVER` | the server's, `api://default` at first | `/groups` | `scp`, an array | `cid` | `cid` |
//! | [`supabase`] | `https://PROJECT.supabase.co/auth/v1` | `authenticated` | `/role` | none | `client_id`, if any | another `aud` than an ID token |
//! | [`workos`], [`workos_legacy`] | `https://api.workos.com/user_management/CLIENT_ID`, or `https://api.workos.com` | [none](workos), unless you add it | `/roles`, `/role` | none | `client_id`, if any | `sid` |
//! | [`workos_connect`] | `https://DOMAIN` | the resource indicator | none | `scope` | `client_id` | `client_id` |
//! | [`zitadel`] | the instance's URL | the project's id | `/urn:zitadel:iam:org:project:PROJECT:roles`, an object | none | `client_id` | `jti` and `client_id` |
//!
//! Platforms that issue tokens to programs. Every program on the platform can get one for your audience, so that whose program it is
//! has to be said, too:
//!
//! | | `iss` | `aud` of a service | required |
//! |---|---|---|---|
//! | [`github_actions`], [`github_actions_at`] | `https://token.actions.githubusercontent.com`, or one of your own | what the workflow asks for | `repository` |
//! | [`github_actions_of_owner`] | the same | the same | `repository_owner` |
//! | [`gitlab_ci`] | the instance's URL | what the job asks for | `project_path` |
//! | [`gitlab_ci_of_namespace`] | the same | the same | `namespace_path` |
//! | [`kubernetes`] | the cluster's issuer | what the pod's projected volume asks for | `kubernetes.io/namespace` |
//! | [`kubernetes_service_account`] | the same | the same | `sub` |
//!
//! Proxies that add a token to each request. The token is in an HTTP header of their own:
//!
//! | | `iss` | `aud` of a service | HTTP header |
//! |---|---|---|---|
//! | [`cloudflare_access`] | `https://TEAM.cloudflareaccess.com` | the application's AUD tag | `Cf-Access-Jwt-Assertion` |
//! | [`cloud_iap`] | `https://cloud.google.com/iap` | `/projects/NUMBER/global/backendServices/ID` and others | `x-goog-iap-jwt-assertion` |
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
//! | | sends log-out tokens (OpenID Connect Back-Channel Logout 1.0) | `sid` in access tokens |
//! |---|---|---|
//! | Keycloak, Authentik | yes | yes |
//! | Auth0, Logto, Zitadel | yes | no: end every session of the subject |
//! | Entra ID, Okta | no: front-channel log-out, in the browser | |
//! | FusionAuth, WorkOS, Clerk, Google | no: webhooks or events of their own | |
//! | Cognito, Supabase, Cloudflare Access, Cloud IAP | no | |
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
