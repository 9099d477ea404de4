//! Owners are warned before their tokens expire.

use std::time::Duration;

use portcullis_issuer::api_tokens::{ApiTokenEvent, ApiTokenId, RevokedReason, Rotation, Warned};

use crate::house::{DAY, House, Service, secs, service_account};

fn warned(house: &House) -> Vec<(ApiTokenId, Duration)> {
    let warned = |event| match event {
        ApiTokenEvent::Expiring { id, within } => Some((id, within)),
        _ => None,
    };
    house.take_events().into_iter().filter_map(warned).collect()
}

async fn count(tokens: &Service) -> usize {
    tokens.warn_expiring().await.unwrap().count
}

#[tokio::test]
async fn an_owner_is_warned_fourteen_days_three_days_and_one_day_before_and_each_time_once() {
    let house = House::new();
    let id = house.service_account().await.token().id();
    let (elsewhere, _) = house.other_instance();
    let mut told = Vec::new();
    for hour in 0..91 * 24 {
        let (here, there) = (count(&house.tokens).await, count(&elsewhere).await);
        let warned = warned(&house);
        assert_eq!(here + there, warned.len());
        told.extend(warned.into_iter().map(|(of, within)| (of, within, hour)));
        house.clock.advance(secs(3_600));
    }
    let expected = [14_u32, 3, 1].map(|days| (id, days * DAY, (90 - days) * 24));
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_scan_that_comes_late_warns_once() {
    let house = House::new();
    let id = house.service_account().await.token().id();
    house.clock.advance(88 * DAY);
    assert_eq!(count(&house.tokens).await, 1);
    assert_eq!(warned(&house), [(id, 2 * DAY)]);
    assert_eq!(count(&house.tokens).await, 0);
}

#[tokio::test]
async fn a_token_of_a_week_is_not_warned_of_when_it_is_made() {
    let house = House::new();
    house.tokens.create(service_account().lifetime(7 * DAY)).await.unwrap();
    assert_eq!(count(&house.tokens).await, 0);
    house.clock.advance(4 * DAY);
    assert_eq!(count(&house.tokens).await, 1);
}

#[tokio::test]
async fn no_one_is_warned_of_a_token_that_was_replaced_or_revoked() {
    let house = House::new();
    let (replaced, revoked) = (house.service_account().await, house.service_account().await);
    house.service_account().await;
    house.clock.advance(77 * DAY);
    house.tokens.rotate(replaced.token().id(), Rotation::new([1; 16])).await.unwrap();
    house.tokens.revoke(revoked.token().id(), RevokedReason::Asked).await.unwrap();
    assert_eq!(count(&house.tokens).await, 1);
}

#[tokio::test]
async fn instances_that_scan_at_once_warn_once() {
    for _ in 0..100 {
        let house = House::new();
        house.service_account().await;
        house.clock.advance(77 * DAY);
        let (elsewhere, _) = house.other_instance();
        *house.store.pace.lock().unwrap() = Some(fastrand::Rng::new());
        let (here, there) = tokio::join!(house.tokens.warn_expiring(), elsewhere.warn_expiring());
        assert_eq!(here.unwrap().count + there.unwrap().count, 1);
        assert_eq!(warned(&house).len(), 1);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_read_is_named_and_the_others_are_warned_of() {
    let house = House::new();
    house.service_account().await;
    house.clock.advance(77 * DAY);
    let unreadable = ApiTokenId::from_bytes([1; 16]);
    *house.store.unreadable.lock().unwrap() = Some(unreadable);
    let warned = house.tokens.warn_expiring().await.unwrap();
    assert_eq!((warned.count, warned.unreadable), (1, vec![unreadable]));
    *house.store.unreadable.lock().unwrap() = None;
    assert_eq!(house.tokens.warn_expiring().await.unwrap(), Warned::default());
}
