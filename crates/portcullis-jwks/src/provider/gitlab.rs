//! GitLab CI.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Tokens of CI jobs in one project on GitLab, by the instance's URL (`https://gitlab.com`, or your own) and the project's path.
///
/// **Every project of the instance gets tokens of this issuer, for any audience that it requests.** On `gitlab.com` this means everyone.
/// Only the claims say whose job is calling, so you have to pass one of them as an argument.
///
/// - `iss` is the instance's URL, without a slash. Keys are found by discovery.
/// - The audience is the one in the job's `id_tokens` (`aud: https://orders.example.com`).
/// - `project_path` has to be the path, with all groups: `my-group/my-project`. Another project can take a path that was given up, but
///   not an id, so add [`require_claim_value("/project_id", "20")`](portcullis_core::TrustedIssuer::require_claim_value).
/// - Everyone who can push a branch gets such a token. To admit only some jobs, also require `/ref_protected` to be the string `true`, or
///   require a value of `/ref_path` or `/environment`.
/// - `sub` names the project and the branch, not a person: every caller is an [application](portcullis_core::Principal::Application),
///   whose name is `sub`. `user_login` names the person who started the job.
/// - There are no roles, no scopes, no client and no logout. GitLab's other tokens of this issuer are the ID tokens of people who log in
///   with GitLab: they have no `project_path`, and are refused.
///
/// ```no_run
/// # use portcullis_jwks::provider;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis_core::ConfigError> {
/// # #[cfg(feature = "reqwest")]
/// let issuer = provider::gitlab_ci("https://gitlab.example.com", "my-group/my-project")?
///     .trust("https://deploy.example.com")?
///     .require_claim_value("/project_id", "20")
///     .require_claim_value("/ref_protected", "true");
/// # Ok(())
/// # }
/// ```
///
/// Published at [ID token authentication](https://docs.gitlab.com/ci/secrets/id_token_authentication/).
///
/// # Errors
///
/// If `instance` is not a URL; if `project` is not the full path of one project.
pub fn gitlab_ci(instance: &str, project: &str) -> Result<Provider, ConfigError> {
    let what = "the project's path with its groups";
    let project = Input { provider: NAME, what, example: "my-group/my-project", text: project };
    jobs(instance, Quirk::HasValue("/project_path", project.path_of(2..=MOST_STEPS)?))
}

/// Tokens of CI jobs in the projects of one group (or one user) on GitLab, by the instance's URL and the group's path.
///
/// `namespace_path` has to be the path. Projects in subgroups are not included, because they have the subgroup's path. Everyone who can
/// add a project to the group gets such a token. Another group can take a path that was given up, but not an id, so add
/// [`require_claim_value("/namespace_id", "72")`](portcullis_core::TrustedIssuer::require_claim_value).
///
/// Everything else is the same as for [`gitlab_ci`].
///
/// # Errors
///
/// If `instance` is not a URL; if `namespace` is not the full path of one group.
pub fn gitlab_ci_of_namespace(instance: &str, namespace: &str) -> Result<Provider, ConfigError> {
    let what = "the group's path with the groups that it is in";
    let namespace = Input { provider: NAME, what, example: "my-group/my-subgroup", text: namespace };
    jobs(instance, Quirk::HasValue("/namespace_path", namespace.path_of(1..=MOST_STEPS)?))
}

/// Tokens of **every CI job of the instance**, in any project.
///
/// On `gitlab.com` everyone with an account can get one for your audience within a minute. So the caller of this function must require
/// more on *each* route that such a token opens: compare `/project_id` or `/namespace_id` with your own list. If the list is known at
/// start, use [`gitlab_ci`] or [`gitlab_ci_of_namespace`] instead.
///
/// # Errors
///
/// If `instance` is not a URL.
pub fn danger_gitlab_ci_of_anyone(instance: &str) -> Result<Provider, ConfigError> {
    jobs(instance, Quirk::Has("/project_path"))
}

const NAME: &str = "GitLab CI";

/// GitLab allows twenty levels of groups, with a project below them.
const MOST_STEPS: usize = 22;

fn jobs(instance: &str, whose: Quirk) -> Result<Provider, ConfigError> {
    Ok(Provider::new(NAME, issuer(instance)?, [Quirk::NoClient, Quirk::ApplicationsOnly, whose]))
}

fn issuer(instance: &str) -> Result<String, ConfigError> {
    let what = "the instance's URL";
    let input = Input { provider: NAME, what, example: "https://gitlab.example.com", text: instance };
    let issuer = input.base_url_before("oauth")?;
    if issuer.starts_with("https://gitlab.com/") {
        return Err(input.problem("has a path: `https://gitlab.com` is the whole URL"));
    }
    Ok(issuer)
}
