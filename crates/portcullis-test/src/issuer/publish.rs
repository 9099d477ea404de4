//! The documents that an issuer publishes.

use serde_json::json;

use super::MockIssuer;

impl MockIssuer {
    /// Returns its public keys as a JWK Set (RFC 7517 section 5). Secrets are not published, so the set of an issuer that has only
    /// secrets is empty.
    pub fn jwks(&self) -> String {
        self.set_of(|key_is_secret| !key_is_secret)
    }

    /// Returns all its keys as a JWK Set, including secrets: for a service that keeps them in a private file
    /// ([`KeySet::from_jwks_with_secrets`](portcullis_core::KeySet::from_jwks_with_secrets)).
    pub fn jwks_with_secrets(&self) -> String {
        self.set_of(|_| true)
    }

    /// Returns its metadata, with the members that OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2 require. The key set's
    /// URL is `/jwks.json` below its name.
    pub fn discovery(&self) -> String {
        let base = self.name().trim_end_matches('/');
        json!({
            "issuer": self.name(),
            "jwks_uri": format!("{base}/jwks.json"),
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/token"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.algorithm().name()],
        })
        .to_string()
    }

    fn set_of(&self, wanted: impl Fn(bool) -> bool) -> String {
        let keys = self.keys.all().into_iter().filter(|key| wanted(key.verifying().is_secret()));
        let keys: Vec<_> = keys.map(|key| key.jwk()).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}
