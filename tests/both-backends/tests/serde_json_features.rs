//! Features of serde_json that another crate of the program has switched on change no verdict.
#![cfg(test)]

use portcullis::{Algorithm, Code, claims::ClaimRef};
use portcullis_test::{Defect, MockIssuer};

fn verdict(issuer: &MockIssuer, token: &str) -> Result<(), Code> {
    issuer.admission().verify(token).ready().unwrap().map(drop).map_err(|error| error.code())
}

/// Without this the rest would prove nothing.
#[test]
fn numbers_are_kept_as_text_here() {
    assert_eq!(serde_json::from_str::<serde_json::Value>("1.10").unwrap().to_string(), "1.10");
}

#[test]
fn times_may_be_integers_or_floats() {
    let issuer = MockIssuer::new();
    for exp in ["4000000000", "4000000000.5", "4e9", "4.0E+9"] {
        let claims = format!(
            r#"{{"iss":"{}","aud":"{}","exp":{exp},"ver":7,"n":[1.5,-2,1e3],"o":{{"x":0.1}}}}"#,
            MockIssuer::DEFAULT_NAME,
            MockIssuer::DEFAULT_AUDIENCE
        );
        assert_eq!(verdict(&issuer, &issuer.token().raw_claims(claims).sign()), Ok(()), "{exp}");
    }
}

#[test]
fn claims_are_found_and_numbers_are_numbers() {
    let issuer = MockIssuer::new();
    let token = issuer.token().claim("n", 7).claim("f", 1.5).claim("ver", 3).sign();
    let verified = issuer.admission().verify(&token).ready().unwrap().unwrap();
    assert_eq!(verified.claim("/n").and_then(ClaimRef::as_u64), Some(7));
    assert_eq!(verified.claim("/f").and_then(ClaimRef::read::<f64>), Some(1.5));
    assert_eq!(verified.version(), Some(3));
}

#[test]
fn every_defect_has_its_code() {
    for algorithm in [Algorithm::Es256, Algorithm::Hs256] {
        let issuer = MockIssuer::with_algorithm(algorithm);
        assert_eq!(verdict(&issuer, &issuer.token().sign()), Ok(()));
        for defect in Defect::ALL {
            let token = issuer.token().defect(*defect).sign();
            assert_eq!(verdict(&issuer, &token), Err(defect.expected()), "{algorithm} {defect}");
        }
    }
}
