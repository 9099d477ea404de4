//! Another library accepts the good tokens, and we are not alone in refusing the forged ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use jsonwebtoken::{
    DecodingKey, Validation,
    crypto::aws_lc::DEFAULT_PROVIDER,
    decode,
    errors::ErrorKind,
    jwk::{Jwk, JwkSet},
};
use portcullis_core::Algorithm;
use portcullis_test::{Defect, MockIssuer};
use serde_json::Value;

/// What jsonwebtoken says about a token, configured as strictly as it goes.
fn judge(issuer: &MockIssuer, jwk: &Jwk, token: &str) -> Result<Value, ErrorKind> {
    // By name, as the one it would choose by itself panics once another crate enables a second backend.
    let _ = DEFAULT_PROVIDER.install_default();
    let name = if issuer.algorithm() == Algorithm::Ed25519 { "EdDSA" } else { issuer.algorithm().name() };
    let mut validation = Validation::new(name.parse().unwrap());
    validation.set_issuer(&[issuer.name()]);
    validation.set_audience(&[MockIssuer::DEFAULT_AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    let key = DecodingKey::from_jwk(jwk).unwrap();
    decode::<Value>(token, &key, &validation).map(|data| data.claims).map_err(jsonwebtoken::errors::Error::into_kind)
}

fn current_jwk(issuer: &MockIssuer) -> Jwk {
    let set: JwkSet = serde_json::from_str(&issuer.jwks_with_secrets().replace(r#""alg":"Ed25519","#, "")).unwrap();
    set.keys[0].clone()
}

#[test]
fn good_tokens_are_accepted() {
    for &algorithm in Algorithm::ALL {
        let issuer = MockIssuer::with_algorithm(algorithm);
        // It does not know the name of RFC 9864; the signature is the same one.
        let builder = match algorithm {
            Algorithm::Ed25519 => issuer.token().header("alg", "EdDSA"),
            _ => issuer.token(),
        };
        let claims = judge(&issuer, &current_jwk(&issuer), &builder.subject("alice").sign());
        assert_eq!(claims.unwrap()["sub"], "alice", "{algorithm}");
    }
}

#[test]
fn forged_signatures_are_refused() {
    let forged = [
        Defect::WrongKey,
        Defect::EmbeddedJwk,
        Defect::SignatureFlipped,
        Defect::SignatureTruncated,
        Defect::SignatureExtended,
        Defect::SignatureZero,
        Defect::SignatureOfOtherToken,
        Defect::HeaderTampered,
        Defect::ClaimsTampered,
    ];
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Ps384, Algorithm::Es256, Algorithm::EdDsa] {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let jwk = current_jwk(&issuer);
        for defect in forged {
            let refused = judge(&issuer, &jwk, &issuer.token().defect(defect).sign());
            assert_eq!(refused, Err(ErrorKind::InvalidSignature), "{algorithm} {defect}");
        }
    }
}

/// A defect is one thing wrong, so a library that does not look at that thing accepts the token: proof that nothing
/// else is wrong with it. What it overlooks is on this list, and only that.
#[test]
fn what_it_overlooks_is_known() {
    let issuer = MockIssuer::new();
    let jwk = current_jwk(&issuer);
    let overlooked: Vec<_> = Defect::ALL
        .iter()
        .filter(|defect| judge(&issuer, &jwk, &issuer.token().defect(**defect).sign()).is_ok())
        .map(|defect| defect.name())
        .collect();
    assert_eq!(overlooked, OVERLOOKED);
}

const OVERLOOKED: &[&str] = &[
    // no limit on size
    "token_too_long",
    // members that it does not know: the last of two wins, at any depth
    "header_duplicate_unknown",
    "header_nested_duplicate",
    "header_too_deep",
    // the caller chooses the key, and `null` is as good as absent
    "kid_unknown",
    "kid_empty",
    "kid_with_space",
    "kid_with_nul",
    "kid_path_traversal",
    "kid_sql_injection",
    "kid_url",
    "kid_null",
    "kid_too_long",
    // the one extension that it understands, and `null` is as good as absent
    "crit_null",
    "crit_b64",
    // the type is not looked at
    "typ_dpop",
    "typ_logout",
    "typ_security_event",
    "typ_status_list",
    "typ_id_token",
    "typ_refresh_token",
    "typ_authorization_request",
    "typ_introspection",
    "typ_client_authentication",
    "typ_empty",
    "typ_null",
    // claims that it does not check
    "claims_duplicate_unknown",
    "claims_nested_duplicate",
    "claims_too_deep",
    "scope_too_deep",
    "scp_too_deep",
    "claims_pretended_number",
    "cnf_jkt",
    "cnf_certificate",
    "cnf_null",
    // times: a huge `exp` is for ever, `iat` is not looked at
    "exp_milliseconds",
    "exp_huge",
    "iat_future",
    "iat_string",
    "iat_negative",
    // one of several issuers suffices
    "iss_array",
];
