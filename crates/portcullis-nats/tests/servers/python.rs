//! nats-py with our creds.

use futures_util::StreamExt;

use crate::{
    nats_py::NatsPy,
    ours::{World, connect, revoke, with_folder},
    programs,
};

#[tokio::test]
async fn nats_py_with_our_creds_publishes_and_subscribes_within_its_scope() {
    if NatsPy::is_missing() {
        return;
    }
    let world = World::new().await;
    for program in programs() {
        let server = program.start_with(&world.config().memory().unwrap());
        let other = connect(&server, &world.reader().await).await.unwrap();
        let mut arrived = other.subscribe("own.>").await.unwrap();
        other.flush().await.unwrap();
        let mut alice = NatsPy::connect(server.port(), &world.scoped_user("alice").await).unwrap();
        assert_eq!(alice.step("subscribe own.alice.in"), "ok");
        assert_eq!(alice.step("publish own.alice.out hello"), "ok");
        assert_eq!(arrived.next().await.unwrap().payload, "hello");
        other.publish("own.alice.in", "42".into()).await.unwrap();
        other.flush().await.unwrap();
        assert_eq!(alice.step("next"), "own.alice.in 42");
        for step in ["publish own.bob.out hello", "subscribe own.bob.in", "subscribe own.>"] {
            let answer = alice.step(step).to_lowercase();
            assert!(answer.contains("permissions violation"), "{step}: {answer}");
        }
        assert_eq!(alice.step("publish own.alice.out again"), "ok");
        let subjects = [arrived.next().await.unwrap(), arrived.next().await.unwrap()].map(|message| message.subject);
        assert_eq!(subjects.each_ref().map(async_nats::Subject::as_str), ["own.alice.in", "own.alice.out"]);
    }
}

#[tokio::test]
async fn nats_py_is_disconnected_when_its_user_is_revoked_and_another_user_is_not() {
    if NatsPy::is_missing() {
        return;
    }
    let world = World::new().await;
    for program in programs() {
        let (server, _folder) = with_folder(&world, &program);
        let [alice, bob] = [world.scoped_user("alice").await, world.scoped_user("bob").await];
        let mut clients = [&alice, &bob].map(|creds| NatsPy::connect(server.port(), creds).unwrap());
        revoke(&world, &server, &alice).await;
        assert!(clients[0].step("closed").to_lowercase().contains("authentication revoked"));
        assert_eq!(clients[1].step("publish own.bob.out hello"), "ok");
        let error = NatsPy::connect(server.port(), &alice).map(drop).unwrap_err();
        assert!(error.to_lowercase().contains("authorization violation"), "{error}");
        assert!(NatsPy::connect(server.port(), &bob).is_ok());
    }
}
