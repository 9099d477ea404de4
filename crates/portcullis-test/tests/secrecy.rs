//! Nothing secret shows in debug output.

use portcullis_core::Algorithm;
use portcullis_test::{Defect, MockIssuer};
use serde_json::Value;

#[test]
fn debug_output_names_keys_and_shows_none() {
    for &algorithm in Algorithm::ALL {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let builder = issuer.token().subject("alice").claim("tenant", "acme").defect(Defect::WrongKey);
        let shown = format!("{issuer:?} {issuer:#?} {:?} {builder:?}", issuer.keys());
        assert!(shown.contains(&issuer.key_id()) && shown.contains("WrongKey"), "{shown}");
        assert!(!shown.contains("acme") && !shown.contains("alice"), "{shown}");

        let set: Value = serde_json::from_str(&issuer.jwks_with_secrets()).unwrap();
        for member in ["k", "n", "x", "y", "d"] {
            let text = set["keys"][0][member].as_str();
            assert!(text.is_none_or(|text| !shown.contains(text)), "{algorithm}: {member}");
        }
    }
}

#[test]
fn a_published_set_has_no_private_members() {
    for &algorithm in Algorithm::ALL {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let set: Value = serde_json::from_str(&issuer.jwks()).unwrap();
        for key in set["keys"].as_array().unwrap() {
            for member in ["k", "d", "p", "q", "dp", "dq", "qi", "oth"] {
                assert!(key.get(member).is_none(), "{algorithm}: {member}");
            }
        }
    }
}

#[test]
fn the_types_can_be_shared_between_threads() {
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<MockIssuer>();
    shareable::<portcullis_test::MockKeys>();
    shareable::<portcullis_test::TokenBuilder>();
    shareable::<portcullis_test::FixedClock>();
    shareable::<Defect>();
}
