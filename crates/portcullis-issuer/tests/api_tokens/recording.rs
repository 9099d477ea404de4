//! Uses are recorded from time to time, and no request waits for it.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::house::{House, secs};

#[tokio::test(start_paused = true)]
async fn uses_are_recorded_every_fifteen_minutes_and_when_the_program_ends() {
    let house = House::new();
    let recording = house.tokens.keep_recording_uses();
    let (one, two) = (house.service_account().await, house.service_account().await);
    assert_eq!(house.code(&one).await, None);
    let recorded = || house.store.recorded.lock().unwrap().clone();
    tokio::time::sleep(secs(899)).await;
    assert!(recorded().is_empty());
    tokio::time::sleep(secs(2)).await;
    assert_eq!(recorded(), [1]);
    house.clock.advance(secs(61));
    assert_eq!((house.code(&one).await, house.code(&two).await), (None, None));
    assert_eq!(recording.close().await.unwrap(), 2);
    assert_eq!(recorded(), [1, 2]);
    assert_eq!(house.code(&one).await, None);
    tokio::time::sleep(secs(3_600)).await;
    assert_eq!(recorded(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_uses_are_kept() {
    let house = House::new();
    let _recording = house.tokens.keep_recording_uses();
    let created = house.service_account().await;
    assert_eq!(house.code(&created).await, None);
    house.store.down(true);
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    house.store.down(false);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(*house.store.recorded.lock().unwrap(), [1]);
}

/// The caller stops waiting, as for a time limit.
#[tokio::test]
async fn a_recording_that_is_dropped_loses_no_use() {
    let house = House::new();
    let (one, two) = (house.service_account().await, house.service_account().await);
    assert_eq!(house.code(&one).await, None);
    let held = Arc::new(Semaphore::new(0));
    *house.store.held_recordings.lock().unwrap() = Some(Arc::clone(&held));
    {
        let mut recording = std::pin::pin!(house.tokens.record_uses());
        tokio::select! {
            biased;
            outcome = &mut recording => panic!("it is held: {outcome:?}"),
            () = std::future::ready(()) => {}
        }
    }
    held.add_permits(2);
    assert_eq!(house.tokens.record_uses().await.unwrap(), 1);
    assert_eq!(house.code(&two).await, None);
    assert_eq!(house.tokens.record_uses().await.unwrap(), 1, "one that is not dropped is not recorded again");
}

/// A million checks of a thousand tokens in 15 minutes.
#[tokio::test(start_paused = true)]
async fn a_million_checks_of_a_thousand_tokens_write_a_thousand_rows_in_one_statement() {
    let house = House::new();
    let mut created = Vec::new();
    for _ in 0..1_000 {
        created.push(house.service_account().await);
    }
    let recording = house.tokens.keep_recording_uses();
    for _ in 0..1_000 {
        for token in &created {
            // A warm hit is decided at once.
            assert_eq!(house.code(token).await, None);
        }
        house.clock.advance(Duration::from_millis(900));
        tokio::time::advance(Duration::from_millis(900)).await;
    }
    tokio::time::sleep(secs(1)).await;
    assert_eq!(*house.store.recorded.lock().unwrap(), [1_000]);
    drop(recording);
}
