//! Supabase Auth.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Supabase, by the project's reference: the part before `.supabase.co`, even if there is a custom domain.
///
/// - `iss` is `https://PROJECT.supabase.co/auth/v1`.
/// - The audience is `authenticated`, the same for all users of a project.
/// - `role` is the role in the database: `authenticated` for everyone who is logged in, including anonymous sign-ins (`is_anonymous`).
///   Put your own roles into `app_metadata`: [`roles_at("/app_metadata/roles")`](portcullis_core::TrustedIssuer::roles_at). **Users can
///   write `user_metadata` themselves.**
/// - Every caller is a user, even an anonymous one; applications have no tokens. There are no scopes. The legacy API keys `anon` and
///   `service_role` have another issuer, and are refused.
/// - The keys are fetched from their known URL, without discovery, which older versions do not support.
/// - A project with the legacy JWT secret (HS256) publishes an empty key set, and its tokens are refused. Change to signing keys.
///   Everyone who has the secret can sign, so accept it only until then:
///
/// ```
/// use portcullis_core::{Algorithm, ConfigError, KeySet, Secret, TrustedIssuer};
/// use portcullis_jwks::provider;
///
/// fn legacy(key_id: &str, secret: &str) -> Result<TrustedIssuer, ConfigError> {
///     let secret = Secret::new(key_id, Algorithm::Hs256, secret)?; // the `kid` of the project's tokens
///     Ok(provider::supabase("abcdefghijklmnopqrst")?.trust_with("authenticated", KeySet::from(secret)))
/// }
/// # assert!(legacy("Id", "a secret of at least 32 bytes, ok").is_ok());
/// # assert!(legacy("Id", "short").is_err());
/// ```
///
/// Published at [JWT claims reference](https://supabase.com/docs/guides/auth/jwt-fields).
///
/// # Errors
///
/// If `project` is not a reference: a URL, say.
pub fn supabase(project: &str) -> Result<Provider, ConfigError> {
    let what = "the project's reference alone";
    let input = Input { provider: NAME, what, example: "abcdefghijklmnopqrst", text: project };
    if project.is_empty() || !project.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit()) {
        return Err(input.problem("is not a project reference"));
    }
    let issuer = format!("https://{project}.supabase.co/auth/v1");
    let keys = format!("{issuer}/.well-known/jwks.json");
    Ok(Provider::new(NAME, issuer, [Quirk::RolesAt("/role".to_owned()), Quirk::ClientAt("/client_id")]).keys_at(keys))
}

const NAME: &str = "Supabase";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_named_by_its_reference() {
        let provider = supabase("abcdefghijklmnopqrst").unwrap();
        assert_eq!(provider.issuer(), "https://abcdefghijklmnopqrst.supabase.co/auth/v1");
        for other in ["", "abc.supabase.co", "https://abc.supabase.co", "abc/", "Abc", "a-b"] {
            assert!(supabase(other).is_err(), "{other:?}");
        }
    }
}
