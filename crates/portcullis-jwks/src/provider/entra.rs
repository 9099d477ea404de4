//! Microsoft Entra ID, formerly Azure Active Directory.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Microsoft Entra ID, tokens of version 2.0, by the tenant's id ("Directory (tenant) ID").
///
/// The API's *own* registration decides which version it gets (`requestedAccessTokenVersion` in the manifest: 2), not the endpoint that
/// the client used. The claim `ver` of a token says which version it is; for `1.0` see [`entra_v1`].
///
/// - `iss` is `https://login.microsoftonline.com/TENANT/v2.0`.
/// - The audience is the API's client id, not its `api://…` URI.
/// - Scopes are in `scp`, for users only. App roles are in `roles`, for users and for applications.
/// - An ID token may have the same `iss` and `aud`, if front end and API share a registration. The preset requires `azp`, which an ID
///   token does not have.
/// - The client is named by `azp`. Entra ID sends no logout tokens: its logout is front-channel, in the browser.
/// - An application is distinguished from a user by `idtyp`, which is `app` in tokens that it got for itself. This is an optional claim
///   of access tokens: switch it on in the API's own registration. **Without it an application looks like a user**, because its `sub` is
///   the object id of its service principal, not its client id.
/// - A user has a different `sub` for every API; `oid` identifies the user in the whole tenant.
/// - For several tenants: one entry for each, or [`EntraTenants`](super::EntraTenants). The issuer of tokens from `common` is the tenant
///   of the user, so `common` itself cannot be trusted as an issuer.
/// - The tenant's key set does not include an application's own signing keys (claims mapping): for such an application, give
///   [`trust_with`](Provider::trust_with) the keys at `https://login.microsoftonline.com/TENANT/discovery/v2.0/keys?appid=CLIENT`.
///
/// Published at [Access token claims reference](https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference).
///
/// # Errors
///
/// If `tenant` is not the id of one tenant: a name, `common`, `organizations` or `consumers`.
pub fn entra(tenant: &str) -> Result<Provider, ConfigError> {
    let issuer = format!("https://login.microsoftonline.com/{}/v2.0", tenant_id(tenant)?);
    let quirks = [Quirk::RolesAt("/roles".to_owned()), Quirk::ClientAt("/azp"), APPLICATION, Quirk::Has("/azp")];
    Ok(Provider::new(NAME, issuer, quirks))
}

/// Microsoft Entra ID, tokens of version 1.0, by the tenant's id: the default version for an API, unless its registration says otherwise.
///
/// - `iss` is `https://sts.windows.net/TENANT/`, with the slash. The keys are on another host, `login.microsoftonline.com`, and are
///   fetched from there without discovery.
/// - The audience is what the client requested: the API's URI (`api://…`) or its client id. To accept both, add the second one:
///   [`TrustedIssuer::audience`](portcullis_core::TrustedIssuer::audience).
/// - The preset requires `appid`, which names the client. An ID token does not have it.
///
/// Everything else is the same as for [`entra`].
///
/// # Errors
///
/// Those of [`entra`].
pub fn entra_v1(tenant: &str) -> Result<Provider, ConfigError> {
    let tenant = tenant_id(tenant)?;
    let issuer = format!("https://sts.windows.net/{tenant}/");
    // The keys of this tenant, not those of `common`, which also sign for others.
    let keys = format!("https://login.microsoftonline.com/{tenant}/discovery/keys");
    let quirks = [Quirk::RolesAt("/roles".to_owned()), Quirk::ClientAt("/appid"), APPLICATION, Quirk::Has("/appid")];
    Ok(Provider::new(NAME, issuer, quirks).keys_at(keys))
}

const NAME: &str = "Entra ID";

const APPLICATION: Quirk = Quirk::ApplicationIf("/idtyp", "app");

/// Returns the tenant's id in the name of an issuer, if the name has exactly the right form.
pub(super) fn tenant_of_issuer(issuer: &str) -> Option<&str> {
    let tenant = issuer.strip_prefix("https://login.microsoftonline.com/")?.strip_suffix("/v2.0")?;
    tenant_id(tenant).is_ok_and(|id| id == tenant).then_some(tenant)
}

/// In lower case, as tokens have it.
fn tenant_id(text: &str) -> Result<String, ConfigError> {
    let what = "the id of one tenant, and another `TrustedIssuer` for each other tenant";
    let input = Input { provider: NAME, what, example: "8eaef023-2b34-4da1-9baa-8bc8c9d6a490", text };
    let is_group =
        |(group, length): (&str, usize)| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.split('-').count() == 5 && text.split('-').zip([8, 4, 4, 4, 12]).all(is_group) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(input.problem(match &*text.to_ascii_lowercase() {
        "common" | "organizations" => "stands for every tenant, and no token has it as issuer",
        "consumers" => "stands for personal accounts, whose tenant is `9188040d-6c67-4c5b-b112-36a304b66dad`",
        _ if text.contains("://") => "is a URL: the id in it will do",
        _ => "is not a tenant id; a tenant's name will not do, because tokens have the id",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_that_of_a_tenant_or_none() {
        let id = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
        assert_eq!(tenant_of_issuer(&format!("https://login.microsoftonline.com/{id}/v2.0")), Some(id));
        for other in [
            format!("https://login.microsoftonline.com/{}/v2.0", id.to_uppercase()),
            format!("https://login.microsoftonline.com/{id}/v2.0/"),
            format!("https://login.microsoftonline.com/{id}"),
            format!("https://login.microsoftonline.com//{id}/v2.0"),
            format!("https://login.microsoftonline.com.evil.com/{id}/v2.0"),
            format!("https://login.microsoftonline.com@evil.com/{id}/v2.0"),
            format!("http://login.microsoftonline.com/{id}/v2.0"),
            format!("https://sts.windows.net/{id}/"),
            "https://login.microsoftonline.com/common/v2.0".to_owned(),
            "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
        ] {
            assert_eq!(tenant_of_issuer(&other), None, "{other}");
        }
    }

    #[test]
    fn a_tenant_is_named_by_its_id() {
        for id in ["8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "8EAEF023-2B34-4DA1-9BAA-8BC8C9D6A490"] {
            let issuer = entra(id).unwrap().issuer().to_owned();
            assert_eq!(issuer, "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0");
        }
        for other in [
            "",
            "common",
            "organizations",
            "consumers",
            "{tenantid}",
            "contoso.onmicrosoft.com",
            "8eaef0232b344da19baa8bc8c9d6a490",
            "8eaef023-2b34-4da1-9baa-8bc8c9d6a490-",
            "8eaef023-2b34-4da1-9baa-8bc8c9d6a49",
            "8eaef023-2b34-4da1-9baa-8bc8c9d6a49g",
            "8eaef023-2b34-4da1-9baa-8bc8c9d6a490/",
        ] {
            assert!(entra(other).is_err() && entra_v1(other).is_err(), "{other:?}");
        }
        assert!(entra("common").unwrap_err().to_string().contains("every tenant"));
    }
}
