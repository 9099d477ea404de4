//! What people are told about a token.

use portcullis_core::{
    Code,
    authenticator::Presented,
    explain::{Check, Explanation, Finding},
};
use portcullis_issuer::api_tokens::RevokedReason;

use crate::house::{House, secs};

async fn explain(house: &House, text: &str) -> Explanation {
    house.admission.explain(Presented::bearer(text.as_bytes())).await
}

#[tokio::test]
async fn a_token_that_is_refused_because_of_its_parent_is_explained_by_the_parents_name_and_time() {
    let house = House::new();
    let parent = house.service_account().await;
    let child = house.child_of(&parent).await;
    let text = child.secret().expose();
    let accepted = explain(&house, text).await;
    assert!(accepted.verdict.is_ok() && !accepted.findings.iter().any(Finding::is_failed), "{accepted}");
    house.clock.advance(secs(100));
    house.tokens.revoke(parent.token().id(), RevokedReason::Leaked).await.unwrap();
    let refused = explain(&house, text).await;
    assert_eq!(refused.verdict.as_ref().unwrap_err().code(), Code::CredentialRevokedByParent);
    let failed: Vec<_> =
        refused.findings.iter().filter(|finding| finding.is_failed()).map(|finding| finding.check).collect();
    assert_eq!(failed, [Check::Ancestors]);
    let shown = refused.to_string();
    assert!(
        shown.contains("\"CI\"") && shown.contains("2027-01-15 08:01:40 UTC") && shown.contains("leaked"),
        "{shown}"
    );
    assert!(!shown.contains(&text[8..35]) && !shown.contains(&parent.secret().expose()[8..35]), "{shown}");
    // A log has the id, and not the name.
    let (_, elsewhere) = house.other_instance();
    let error = elsewhere.verify(text).outcome().await.unwrap_err().to_string();
    assert!(error.contains(&parent.token().id().to_string()) && !error.contains("CI\""), "{error}");
}

#[tokio::test]
async fn each_refusal_is_explained_by_the_check_that_failed() {
    let house = House::new();
    let created = house.service_account().await;
    let text = created.secret().expose();
    let failed = |explanation: Explanation| {
        let code = explanation.verdict.err().map(|error| error.code());
        let failed = explanation.findings.into_iter().find(Finding::is_failed);
        (code.unwrap(), failed.unwrap().check)
    };
    let junk = format!("{}A", &text[..47]);
    let junk = if junk == text { format!("{}B", &text[..47]) } else { junk };
    assert_eq!(failed(explain(&house, &junk).await), (Code::TokenMalformed, Check::Shape));
    let (forger, _) = house.instance_with(portcullis_issuer::api_tokens::Peppers::new('1', [9; 32]).unwrap());
    let forged = forger.create(crate::house::service_account()).await.unwrap();
    assert_eq!(failed(explain(&house, forged.secret().expose()).await), (Code::SignatureInvalid, Check::Signature));
    house.users.gone(crate::house::acme());
    assert_eq!(failed(explain(&house, text).await), (Code::TokenRevoked, Check::Owner));
    house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap();
    assert_eq!(failed(explain(&house, text).await), (Code::TokenRevoked, Check::Known));
    house.store.down(true);
    let undecided = explain(&house, text).await;
    assert_eq!(undecided.verdict.unwrap_err().code(), Code::CredentialUndecided);
}
