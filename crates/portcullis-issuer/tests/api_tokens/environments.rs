//! Tokens for tests and tokens for production stay apart.

use portcullis_issuer::api_tokens::{ApiTokenError, ApiTokens, Rotation};

use crate::house::{House, ISSUER, Service, format, peppers, service_account};

fn of(house: &House, environment: &str) -> Service {
    let builder = ApiTokens::builder(ISSUER, format(), peppers(), house.store.clone()).memberships(house.users.clone());
    builder.revoker(house.log.clone()).clock(house.clock.clone()).environment(environment).build().unwrap()
}

#[tokio::test]
async fn a_token_of_another_environment_is_neither_derived_from_nor_rotated() {
    let house = House::new();
    let (live, test) = (of(&house, "live"), of(&house, "test"));
    let id = live.create(service_account()).await.unwrap().token().id();
    let derived = test.derive(id, service_account()).await;
    assert!(matches!(derived, Err(ApiTokenError::Unknown)), "{derived:?}");
    let rotated = test.rotate(id, Rotation::new([1; 16])).await;
    assert!(matches!(rotated, Err(ApiTokenError::Unknown)), "{rotated:?}");
    let child = live.derive(id, service_account()).await.unwrap().token().id();
    assert!(live.rotate(id, Rotation::new([1; 16])).await.is_ok());
    // An attacker who can write to the store moves the ancestor of a token.
    house.store.tamper(id, |row| row.environment = "test".to_owned()).await;
    for made in [live.derive(child, service_account()).await, live.rotate(child, Rotation::new([1; 16])).await] {
        assert!(matches!(made, Err(ApiTokenError::Ended)), "{made:?}");
    }
    house.store.tamper(id, |row| row.environment = "live".to_owned()).await;
    assert!(live.derive(child, service_account()).await.is_ok());
}
