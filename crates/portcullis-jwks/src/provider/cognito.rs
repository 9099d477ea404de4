//! Amazon Cognito user pools.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// An Amazon Cognito user pool, by its id (`eu-west-1_AbCdEfGhI`), which contains the region.
///
/// - `iss` is `https://cognito-idp.REGION.amazonaws.com/POOL`, unless the pool is configured with the updated issuer: then see
///   [`cognito_updated`].
/// - Access tokens have `aud` only if the client requested them with resource binding, for your service by name: the resource is then the
///   audience. All others are refused.
/// - To accept those others, use [`danger_claim_as_audience("/client_id")`](portcullis_core::TrustedIssuer::danger_claim_as_audience).
///   The audience is then the id of the app client that got the token, and **every service that accepts the same client accepts the same
///   token.** Define a resource server for your service, and require one of its scopes (`orders/read`) on every route.
///
///   ```no_run
///   # use portcullis_jwks::provider;
///   # #[tokio::main(flavor = "current_thread")]
///   # async fn main() -> Result<(), portcullis_core::ConfigError> {
///   # #[cfg(feature = "reqwest")]
///   let issuer = provider::cognito("eu-west-1_AbCdEfGhI")?.trust("1h57kf5cpq17m0eml12EXAMPLE")?.danger_claim_as_audience("/client_id");
///   # Ok(())
///   # }
///   ```
/// - The preset requires `token_use` to be `access`. ID tokens have the client's id as `aud`, and would otherwise pass for access tokens.
/// - In a token that an application got for itself (client credentials), `sub` is the client's id, as in RFC 9068. A user's `sub` is an
///   id that the pool chose.
/// - Groups are the roles; scopes are in `scope`, with the resource server's identifier before a slash.
///
/// Published at [Access token](https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html).
///
/// # Errors
///
/// If `pool` is not the id of a user pool.
pub fn cognito(pool: &str) -> Result<Provider, ConfigError> {
    with_host("cognito-idp", pool)
}

/// An Amazon Cognito user pool whose issuer configuration has the type `UPDATED`, as replication in several regions requires.
///
/// `iss` is `https://issuer-cognito-idp.REGION.amazonaws.com/POOL`, of the primary region. Everything else is the same as for [`cognito`].
///
/// # Errors
///
/// Those of [`cognito`].
pub fn cognito_updated(pool: &str) -> Result<Provider, ConfigError> {
    with_host("issuer-cognito-idp", pool)
}

fn with_host(host: &str, pool: &str) -> Result<Provider, ConfigError> {
    let input = Input { provider: NAME, what: "the user pool's id", example: "eu-west-1_AbCdEfGhI", text: pool };
    let (region, id) = pool.split_once('_').ok_or_else(|| input.problem("has no region in it"))?;
    let is_region = region.split('-').count() >= 3 && region.split('-').all(|part| is_part(part, is_region_char));
    if !is_region || !is_part(id, |char| char.is_ascii_alphanumeric()) {
        return Err(input.problem("is not the id of a user pool"));
    }
    let quirks = [
        Quirk::RolesAt("/cognito:groups".to_owned()),
        Quirk::ClientAt("/client_id"),
        Quirk::HasValue("/token_use", "access".to_owned()),
    ];
    Ok(Provider::new(NAME, format!("https://{host}.{region}.amazonaws.com/{pool}"), quirks))
}

const NAME: &str = "Cognito";

fn is_region_char(char: char) -> bool {
    char.is_ascii_lowercase() || char.is_ascii_digit()
}

fn is_part(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pools_id_has_its_region() {
        for (pool, issuer) in [
            ("eu-west-1_AbCdEfGhI", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"),
            ("us-gov-west-1_a1B2", "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_a1B2"),
        ] {
            assert_eq!(cognito(pool).unwrap().issuer(), issuer);
            assert_eq!(cognito_updated(pool).unwrap().issuer(), issuer.replace("cognito-idp", "issuer-cognito-idp"));
        }
        for other in [
            "",
            "AbCdEfGhI",
            "_AbCdEfGhI",
            "eu-west-1_",
            "eu-west-1",
            "eu-west-1_a/b",
            "eu-west-1_a_b",
            "eu.west-1-x_a",
            "EU-west-1_a",
            "eu-west-1:0a-b",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
        ] {
            assert!(cognito(other).is_err(), "{other:?}");
        }
    }
}
