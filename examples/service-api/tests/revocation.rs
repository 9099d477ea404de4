//! Tokens that end before they expire, on one instance.

#[cfg(test)] // what it may do, clippy reads from this
mod support;

use std::net::SocketAddr;

use http::{StatusCode, header};
use rustix::process::Signal;
use serde_json::{Value, json};
use support::{
    Client, Fleet, Instance, PASSWORD,
    client::request,
    events::EventStream,
    instance::program,
    token::{self, signed_with},
    waiting::until,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What is appended to them goes into `[token]`.
const SETTINGS: &str = "[revocation]\nlog = \"revocations.redb\"\n\
                        [token]\nissuer = \"https://service.test\"\naudience = \"https://orders.test\"\n";

async fn start(fleet: &Fleet) -> Instance {
    let service = Instance::start(&fleet.write("only", &[("2026-11", "active", 1)])).await;
    until_ready(service.address).await;
    service
}

async fn until_ready(at: SocketAddr) {
    let client = Client::new();
    until("it is ready", async || client.get(at, "/ready", None).await.status == 200).await;
}

/// The status, and the code of a refusal.
async fn orders(client: &Client, at: SocketAddr, token: &str) -> (u16, Option<String>) {
    let answer = client.get(at, "/orders", Some(token)).await;
    let code = if answer.status == 200 { None } else { answer.json()["code"].as_str().map(str::to_owned) };
    (answer.status.as_u16(), code)
}

fn revoked() -> (u16, Option<String>) {
    (401, Some("token_revoked".to_owned()))
}

const FINE: (u16, Option<String>) = (200, None);

async fn post(client: &Client, at: SocketAddr, path: &str, token: &str) -> StatusCode {
    client.send(request("POST", at, path, Some(token), None)).await.status
}

#[tokio::test]
async fn logging_out_ends_the_session_and_no_other() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let at = service.address;
    let phone = client.login(at, "reader", PASSWORD).await.token();
    let laptop = client.login(at, "reader", PASSWORD).await.token();
    let same_session = signed_with("2026-11", 1, json!({ "jti": "other", "sid": token::claims(&phone)["sid"] }));
    assert_eq!(orders(&client, at, &same_session).await, FINE);

    assert_eq!(post(&client, at, "/logout", &phone).await, 204);
    for token in [&phone, &same_session] {
        assert_eq!(orders(&client, at, token).await, revoked());
    }
    assert_eq!(orders(&client, at, &laptop).await, FINE);
    assert_eq!(post(&client, at, "/logout", &phone).await, 401, "there is nothing left to log out of");
}

#[tokio::test]
async fn one_token_can_be_given_back_alone() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let at = service.address;
    let one = client.login(at, "reader", PASSWORD).await.token();
    let same_session = signed_with("2026-11", 1, json!({ "jti": "other", "sid": token::claims(&one)["sid"] }));
    for mistake in ["/logout?only=session", "/logout?everything", "/logout?only=token&only=token"] {
        assert_eq!(post(&client, at, mistake, &one).await, 400, "{mistake}");
        assert_eq!(orders(&client, at, &one).await, FINE, "{mistake}");
    }
    assert_eq!(post(&client, at, "/logout?only=token", &one).await, 204);
    assert_eq!(orders(&client, at, &one).await, revoked());
    assert_eq!(orders(&client, at, &same_session).await, FINE);
}

#[tokio::test]
async fn logging_out_everywhere_ends_all_sessions_and_the_next_login_is_good() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let at = service.address;
    let of_another = signed_with("2026-11", 1, json!({ "sub": "mallory", "ver": 1 }));
    // Without a version, as an earlier program minted them.
    let mut old = vec![signed_with("2026-11", 1, json!({}))];
    for _ in 0..3 {
        let phone = client.login(at, "reader", PASSWORD).await.token();
        let laptop = client.login(at, "reader", PASSWORD).await.token();
        assert_eq!(orders(&client, at, &laptop).await, FINE, "logged in within the second of the logout");
        assert_eq!(post(&client, at, "/logout-everywhere", &phone).await, 204);
        old.extend([phone, laptop]);
        for token in &old {
            assert_eq!(orders(&client, at, token).await, revoked());
        }
        assert_eq!(orders(&client, at, &of_another).await, FINE);
    }
}

#[tokio::test]
async fn a_token_without_a_session_is_logged_out_by_its_id() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let at = service.address;
    let old = signed_with("2026-11", 1, json!({ "jti": "old" }));
    assert_eq!(post(&client, at, "/logout", &old).await, 204);
    assert_eq!(orders(&client, at, &old).await, revoked());

    let nameless = signed_with("2026-11", 1, json!({}));
    assert_eq!(post(&client, at, "/logout", &nameless).await, 422, "it says that it cannot");
    assert_eq!(orders(&client, at, &nameless).await, FINE);
}

#[tokio::test]
async fn revocations_survive_kill_9() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let at = service.address;
    let reader = client.login(at, "reader", PASSWORD).await.token();
    let everywhere = client.login(at, "writer", PASSWORD).await.token();
    let admin = client.login(at, "admin", PASSWORD).await.token();
    let other = client.login(at, "reader", PASSWORD).await.token();
    assert_eq!(post(&client, at, "/logout", &reader).await, 204);
    assert_eq!(post(&client, at, "/logout-everywhere", &everywhere).await, 204);
    service.kill();

    let service = start(&fleet).await;
    let at = service.address;
    for gone in [&reader, &everywhere] {
        assert_eq!(client.get(at, "/me", Some(gone)).await.status, 401);
    }
    for good in [&other, &admin] {
        assert_eq!(client.get(at, "/me", Some(good)).await.status, 200);
    }
    let again = client.login(at, "writer", PASSWORD).await.token();
    assert_eq!(client.get(at, "/me", Some(&again)).await.status, 200, "the version is known still");
}

#[tokio::test]
async fn a_file_is_for_one_instance() {
    let fleet = Fleet::new(SETTINGS);
    let first = start(&fleet).await;
    let config = fleet.write("second", &[("2026-11", "active", 1)]);
    let second = program().arg(&config).env("PORT", "0").output().unwrap();
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("revocation.log") && told.contains("revocations.redb"), "{told}");

    let file = fleet.folder().join("second.redb");
    let second = Instance::spawn(program().arg(&config).env("PORT", "0").env("SERVICE_REVOCATION_LOG", file)).await;
    until_ready(second.address).await;
    until_ready(first.address).await;
}

#[tokio::test]
async fn it_is_said_that_memory_forgets() {
    let fleet = Fleet::new(&SETTINGS.replace("revocations.redb", "memory"));
    let service = start(&fleet).await;
    until("it warns", async || service.output().contains("revocation.log is memory")).await;
}

#[tokio::test]
async fn an_administrator_sees_how_revocation_is_doing() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let admin = client.login(service.address, "admin", PASSWORD).await.token();
    let reader = client.login(service.address, "reader", PASSWORD).await.token();
    let health = async || client.get(service.address, "/admin/health", Some(&admin)).await.json();
    let before = health().await;
    assert_eq!(
        (&before["state"], &before["entries"], &before["last_error"]),
        (&json!("fresh"), &json!(0), &Value::Null)
    );
    assert_eq!(post(&client, service.address, "/logout", &reader).await, 204);
    until("its own entry has come back", async || health().await["lag_seconds"].is_number()).await;
    assert_eq!(health().await["entries"], 1);

    let list = client.get(service.address, "/admin/revocations", Some(&admin)).await.json();
    assert_eq!(list["revocations"][0]["level"], "session");
    assert_eq!(list["revocations"][0]["id"], token::claims(&reader)["sid"]);
}

#[tokio::test]
async fn a_stream_tells_of_orders_until_its_session_ends() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let at = service.address;
    let reader = client.login(at, "reader", PASSWORD).await.token();
    let writer = client.login(at, "writer", PASSWORD).await.token();
    let mut stream = EventStream::open(&client, at, &reader).await;
    let mut other = EventStream::open(&client, at, &client.login(at, "reader", PASSWORD).await.token()).await;

    client.post(at, "/orders", Some(&writer), &json!({ "item": "pears", "quantity": 3 })).await;
    let order = json!({ "id": 2, "item": "pears", "quantity": 3, "placed_by": "writer" });
    assert_eq!(stream.next().await, Some(("order".to_owned(), order.clone())));
    assert_eq!(post(&client, at, "/logout", &reader).await, 204);
    assert_eq!(stream.next().await, Some(end(&json!({ "reason": "revoked", "level": "session" }))));
    assert_eq!(stream.next().await, None);

    client.post(at, "/orders", Some(&writer), &json!({ "item": "figs", "quantity": 1 })).await;
    assert_eq!(other.next().await, Some(("order".to_owned(), order)), "the other one goes on");
    assert_eq!(other.next().await.unwrap().1["item"], "figs");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let (fleet, client) = (Fleet::new(&format!("{SETTINGS}lifetime_seconds = 3\nleeway_seconds = 0\n")), Client::new());
    let service = start(&fleet).await;
    let reader = client.login(service.address, "reader", PASSWORD).await.token();
    let mut stream = EventStream::open(&client, service.address, &reader).await;
    assert_eq!(stream.next().await, Some(end(&json!({ "reason": "expired" }))));
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn open_streams_do_not_hold_up_the_end_of_the_service() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let reader = client.login(service.address, "reader", PASSWORD).await.token();
    let mut stream = EventStream::open(&client, service.address, &reader).await;
    service.signal(Signal::TERM);
    assert_eq!(stream.next().await, Some(end(&json!({ "reason": "service_ends" }))));
    assert_eq!(stream.next().await, None);
    assert!(service.ended().await);
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_it_up_for_long() {
    let fleet = Fleet::new(SETTINGS);
    let mut service = start(&fleet).await;
    let mut stalled = TcpStream::connect(service.address).await.unwrap();
    let head = "POST /login HTTP/1.1\r\nhost: service.test\r\ncontent-type: application/json\r\ncontent-length: 40\r\n";
    // It is answered that the rest may be sent: then the request is under way.
    stalled.write_all(format!("{head}expect: 100-continue\r\n\r\n").as_bytes()).await.unwrap();
    assert!(stalled.read(&mut [0; 64]).await.unwrap() > 0);
    service.signal(Signal::TERM);
    service.line_with("requests are still under way after 10 s").await;
    assert!(service.ended().await);
}

fn end(why: &Value) -> (String, Value) {
    ("end".to_owned(), why.clone())
}

#[tokio::test]
async fn no_output_names_who_was_revoked() {
    let (fleet, client) = (Fleet::new(&format!("[server]\nlog = \"trace\"\n{SETTINGS}")), Client::new());
    let service = start(&fleet).await;
    let at = service.address;
    let admin = client.login(at, "admin", PASSWORD).await.token();
    let reader = client.login(at, "reader", PASSWORD).await.token();
    for target in [json!({ "token": reader }), json!({ "user": "reader" }), json!({ "token": "hidden.token.text" })] {
        client.post(at, "/admin/revoke", Some(&admin), &target).await;
    }
    post(&client, at, "/logout", &admin).await;
    let refused = client.get(at, "/orders", Some(&reader)).await;
    assert!(refused.headers.contains_key(header::WWW_AUTHENTICATE));
    until("the log says something", async || service.output().contains("token_revoked")).await;
    let (output, claims) = (service.output(), token::claims(&reader));
    let [jti, sid] = ["jti", "sid"].map(|name| claims[name].as_str().unwrap());
    for hidden in [&*reader, jti, sid, "reader", "hidden"] {
        assert!(!output.contains(hidden), "{hidden} stands in {output}");
    }
}
