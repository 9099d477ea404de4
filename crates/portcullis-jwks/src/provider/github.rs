//! GitHub Actions.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Tokens of workflows in one repository on GitHub, by its full name: `octo-org/octo-repo`.
///
/// **Every repository on GitHub gets tokens of this issuer, for any audience that it requests.** Only the claims say whose workflow is
/// calling, so you have to pass one of them as an argument.
///
/// - `iss` is `https://token.actions.githubusercontent.com`. Keys are found by discovery. If you have your own issuer (GitHub Enterprise
///   Server, data residency, an enterprise's slug), see [`github_actions_at`].
/// - The audience is the one that the workflow requests (`core.getIDToken("https://orders.example.com")`). The default is the URL of the
///   repository's owner, which is the same for every service.
/// - `repository` has to be the name, with upper and lower case as GitHub shows it. Another owner can take a name that was given up, but
///   not an id, so add [`require_claim_value("/repository_id", "…")`](portcullis_core::TrustedIssuer::require_claim_value).
/// - Anyone who can start a workflow in the repository gets such a token, on any branch, and with any version of the workflow file. To
///   admit only some workflows, also require `/ref` (`refs/heads/main`), `/environment`, or `/job_workflow_ref`.
/// - `sub` names the repository and the branch or environment, not a person: every caller is an
///   [application](portcullis_core::Principal::Application), whose name is `sub`. The claim `actor` names the person who started the run,
///   who may have had no influence on what it does.
/// - There are no roles, no scopes, no client and no logout. The issuer has no other kinds of tokens.
///
/// ```no_run
/// # use portcullis_jwks::provider;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis_core::ConfigError> {
/// # #[cfg(feature = "reqwest")]
/// let issuer = provider::github_actions("octo-org/octo-repo")?
///     .trust("https://deploy.example.com")?
///     .require_claim_value("/repository_id", "456789")
///     .require_claim_value("/ref", "refs/heads/main");
/// # Ok(())
/// # }
/// ```
///
/// Published at [OpenID Connect reference](https://docs.github.com/en/actions/reference/security/oidc).
///
/// # Errors
///
/// If `repository` is not the full name of one repository.
pub fn github_actions(repository: &str) -> Result<Provider, ConfigError> {
    Ok(Provider::new(NAME, ISSUER.to_owned(), [Quirk::NoClient, Quirk::ApplicationsOnly, of_repository(repository)?]))
}

/// Tokens of workflows in any repository of one owner on GitHub, an organization or a user: `octo-org`.
///
/// `repository_owner` has to be the name. Anyone who can add a workflow to any of the owner's repositories gets such a token: creating a
/// repository is enough. Another owner can take a name that was given up, but not an id, so add
/// [`require_claim_value("/repository_owner_id", "…")`](portcullis_core::TrustedIssuer::require_claim_value).
///
/// Everything else is the same as for [`github_actions`].
///
/// # Errors
///
/// If `owner` is not the name of an owner.
pub fn github_actions_of_owner(owner: &str) -> Result<Provider, ConfigError> {
    let input = Input { provider: NAME, what: "the owner's name alone", example: "octo-org", text: owner };
    let quirk = Quirk::HasValue("/repository_owner", input.path_of(1..=1)?);
    Ok(Provider::new(NAME, ISSUER.to_owned(), [Quirk::NoClient, Quirk::ApplicationsOnly, quirk]))
}

/// Tokens of workflows in one repository, from your own issuer.
///
/// - GitHub Enterprise Server: `https://HOSTNAME/_services/token`.
/// - GitHub Enterprise Cloud with data residency: `https://token.actions.SUBDOMAIN.ghe.com`.
/// - An enterprise with a unique issuer: `https://token.actions.githubusercontent.com/ENTERPRISE`.
///
/// Everything else is the same as for [`github_actions`].
///
/// # Errors
///
/// If `issuer` is not a URL; those of [`github_actions`].
pub fn github_actions_at(issuer: &str, repository: &str) -> Result<Provider, ConfigError> {
    let what = "the issuer of the tokens";
    let issuer = Input { provider: NAME, what, example: "https://github.example.com/_services/token", text: issuer };
    let quirks = [Quirk::NoClient, Quirk::ApplicationsOnly, of_repository(repository)?];
    Ok(Provider::new(NAME, issuer.base_url()?, quirks))
}

/// Tokens of **every workflow on GitHub**, in any repository.
///
/// Everyone with a GitHub account can get one for your audience within a minute. So the caller of this function must require more on
/// *each* route that such a token opens: compare `/repository_id` or `/repository_owner_id` with your own list. If the list is known at
/// start, use [`github_actions`] or [`github_actions_of_owner`] instead.
pub fn danger_github_actions_of_anyone() -> Provider {
    Provider::new(NAME, ISSUER.to_owned(), [Quirk::NoClient, Quirk::ApplicationsOnly, Quirk::Has("/repository")])
}

const NAME: &str = "GitHub Actions";

const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn of_repository(text: &str) -> Result<Quirk, ConfigError> {
    let input = Input { provider: NAME, what: "its owner and name", example: "octo-org/octo-repo", text };
    Ok(Quirk::HasValue("/repository", input.path_of(2..=2)?))
}
