//! What happens to the server.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn a_server_that_is_killed_loses_nothing_and_the_store_is_back_with_the_next_call() {
    let Some(nats) = NatsProgram::recent() else { return };
    let mut server = nats.start();
    let store = store_at(&server);
    let family = opened(&store, 1, "alice").await;
    for round in 0..3 {
        let outcome = store.rotate(step(&family, round, 0)).await.unwrap();
        assert!(matches!(outcome, Outcome::Rotated { lost_writes: 0, .. }), "acknowledged, and lost: {outcome:?}");
        server.kill();
        assert!(store.rotate(step(&family, round + 1, 0)).await.is_err(), "no server, and an outcome");
        assert!(store.find(family.id).await.is_err() && store.families_of("alice").await.is_err());
        assert!(store.end(family.id, EndReason::Revoked).await.is_err());
        server.restart();
        let (found, _) = store.find(family.id).await.unwrap();
        assert_eq!(found.map(|found| found.generation), Some(round + 1));
    }
    let ended = store.end_all_of("alice", None, EndReason::LoggedOutEverywhere).await.unwrap();
    assert_eq!(ended, [family.id]);
    server.kill();
    assert!(store.rotate(step(&family, 3, 0)).await.is_err());
    server.restart();
    let outcome = store.rotate(step(&family, 3, 0)).await.unwrap();
    assert_eq!(outcome, Outcome::Ended(EndReason::LoggedOutEverywhere), "an end was lost");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_five_seconds() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    let family = opened(&store, 1, "alice").await;
    server.pause();
    for _ in 0..2 {
        let asked = Instant::now();
        let error = store.rotate(step(&family, 0, 30)).await.unwrap_err();
        // With a second for a busy machine.
        assert!(asked.elapsed() < Duration::from_secs(6), "{error}");
    }
    server.resume();
    assert!(matches!(store.rotate(step(&family, 0, 30)).await.unwrap(), Outcome::Rotated { .. }));
}

#[tokio::test]
async fn a_bucket_that_is_gone_is_an_error_before_it_is_a_new_one() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    let family = opened(&store, 1, "alice").await;
    let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    assert!(store.rotate(step(&family, 0, 30)).await.is_err());
    assert_eq!(store.rotate(step(&family, 0, 30)).await.unwrap(), Outcome::Unknown);
    opened(&store, 2, "alice").await;
}

#[tokio::test]
async fn keys_that_went_to_another_stream_swallow_no_session() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    opened(&store, 1, "alice").await;
    let _ = server.request(&format!("$JS.API.STREAM.UPDATE.{STREAM}"), &setup::config(r#""subjects":["elsewhere"]"#));
    let other = r#"{"name":"OTHER","subjects":["$KV.>"],"retention":"limits","storage":"file","num_replicas":1}"#;
    let created = server.request("$JS.API.STREAM.CREATE.OTHER", other);
    assert!(!created.contains("\"error\""), "{created}");
    assert!(store.open(family(&store, 2, "alice").await).await.is_err(), "it went elsewhere");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_hides_no_other_session_from_a_log_out_everywhere() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    let mut families = Vec::new();
    for id in 0..40 {
        families.push(opened(&store, id, "alice").await);
    }
    // A later version, or that of another session.
    write(&server, &row(families[0].id), &families[0].to_json().replacen("\"v\":1", "\"v\":2", 1));
    write(&server, &row(families[1].id), &families[2].to_json());
    for unreadable in &families[..2] {
        let error = store.end(unreadable.id, EndReason::Revoked).await.unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert!(store.rotate(step(unreadable, 0, 30)).await.is_err());
    }
    assert!(store.end_all_of("alice", None, EndReason::Revoked).await.is_err(), "not all have ended");
    for family in &families[2..] {
        let outcome = store.rotate(step(family, 0, 30)).await.unwrap();
        assert_eq!(outcome, Outcome::Ended(EndReason::Revoked));
    }
}
