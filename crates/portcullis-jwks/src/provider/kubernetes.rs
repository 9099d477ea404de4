//! Kubernetes service accounts.

use portcullis_core::ConfigError;

use super::{Input, Provider, Quirk};

/// Tokens of Kubernetes service accounts in one namespace, by the cluster's issuer and the namespace.
///
/// **Every workload of the cluster gets tokens of this issuer, for any audience that it requests.** Only the claims say whose workload is
/// calling, so you have to pass the namespace as an argument. For a single account see [`kubernetes_service_account`].
///
/// - `iss` is the value with which the API server was started (`--service-account-issuer`), compared exactly. `kubectl get --raw
///   /.well-known/openid-configuration` shows it: `https://kubernetes.default.svc.cluster.local` in your own cluster, a public URL at
///   EKS, GKE and AKS (the last with a slash at its end).
/// - The audience is the one in the caller's projected volume (`serviceAccountToken.audience`). Never use the API server's own audience:
///   every pod has a token for it.
/// - If the issuer is public, keys are found by discovery. If it is the API server's name inside the cluster (`….svc` or
///   `….svc.cluster.local`), they are fetched from `ISSUER/openid/v1/jwks`, because the metadata leads to an address in a private
///   network. The API server uses a certificate of the cluster's own authority, and requires a token:
///
///   ```no_run
///   # use std::{error::Error, fs};
///   # #[cfg(feature = "reqwest")]
///   # fn keys() -> Result<portcullis_core::TrustedIssuer, Box<dyn Error>> {
///   use portcullis_jwks::{HttpClient, provider};
///
///   let server = "https://kubernetes.default.svc.cluster.local";
///   let folder = "/var/run/secrets/kubernetes.io/serviceaccount"; // of this service's own pod
///   let client = HttpClient::with_root_certificates(fs::read(format!("{folder}/ca.crt"))?)?
///       .bearer_token_file(server, format!("{folder}/token"))?;
///
///   let kubernetes = provider::kubernetes(server, "shop")?;
///   let keys = kubernetes.keys().fetch(client).start()?;
///   let issuer = kubernetes.trust_with("https://orders.shop.svc", keys);
///   # Ok(issuer)
///   # }
///   ```
/// - `sub` is `system:serviceaccount:NAMESPACE:ACCOUNT`; the pod and the node are under `kubernetes.io`. Every caller is an
///   [application](portcullis_core::Principal::Application), whose name is `sub`.
/// - There are no roles, no scopes, no client and no logout. A token ends with its pod, but only the API server knows this, so keep its
///   lifetime short (`expirationSeconds`, 600 at least).
/// - Tokens of the old kind, in a `Secret`, have the issuer `kubernetes/serviceaccount`, no audience and no expiry, and are refused.
///
/// Published at [Managing service accounts](https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/) and
/// [Service account issuer discovery](https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery).
///
/// # Errors
///
/// If `issuer` is not a URL, or `namespace` is not the name of a namespace.
pub fn kubernetes(issuer: &str, namespace: &str) -> Result<Provider, ConfigError> {
    with_issuer(issuer, Quirk::HasValue(NAMESPACE, namespace_of(namespace)?))
}

/// Tokens of one Kubernetes service account, by the cluster's issuer, the account's namespace and its name.
///
/// Anyone who can create a pod in the namespace can run it as that account.
///
/// Everything else is the same as for [`kubernetes`].
///
/// # Errors
///
/// Those of [`kubernetes`]; if `account` is not the name of an account.
pub fn kubernetes_service_account(issuer: &str, namespace: &str, account: &str) -> Result<Provider, ConfigError> {
    let namespace = namespace_of(namespace)?;
    let what = "the account's name alone";
    let account = Input { provider: NAME, what, example: "orders", text: account }.path_step()?;
    with_issuer(issuer, Quirk::HasValue("/sub", format!("system:serviceaccount:{namespace}:{account}")))
}

/// Tokens of Kubernetes service accounts in **every namespace** of the cluster.
///
/// Anyone who can run a pod anywhere in the cluster can get one for your audience. So the caller of this function must require more on
/// *each* route that such a token opens: compare `/kubernetes.io/namespace` with your own list. If the namespace is known at start, use
/// [`kubernetes`] instead.
///
/// # Errors
///
/// If `issuer` is not a URL.
pub fn danger_kubernetes_any_namespace(issuer: &str) -> Result<Provider, ConfigError> {
    with_issuer(issuer, Quirk::Has(NAMESPACE))
}

const NAME: &str = "Kubernetes";

const NAMESPACE: &str = "/kubernetes.io/namespace";

fn with_issuer(issuer: &str, quirk: Quirk) -> Result<Provider, ConfigError> {
    let what = "the cluster's issuer, as in `iss` of its tokens";
    let input = Input { provider: NAME, what, example: "https://kubernetes.default.svc.cluster.local", text: issuer };
    let base = input.base_url()?;
    let provider = Provider::new(NAME, issuer.to_owned(), [Quirk::NoClient, Quirk::ApplicationsOnly, quirk]);
    let is_within = base.strip_suffix(".cluster.local").unwrap_or(&base).strip_suffix(".svc").is_some();
    Ok(if is_within { provider.keys_at(format!("{base}/openid/v1/jwks")) } else { provider })
}

/// RFC 1123 section 2.1, in lower case: Kubernetes accepts no other names.
fn namespace_of(text: &str) -> Result<String, ConfigError> {
    let input = Input { provider: NAME, what: "the namespace's name alone", example: "shop", text };
    let namespace = input.label()?;
    if namespace == text { Ok(namespace) } else { Err(input.problem("has capital letters")) }
}
