//! Who is let in, and what is refused.

use std::fmt::Write;

use portcullis_store::JetStreamLog;
use real_servers::is_missing;

use super::*;

async fn lets_in(store: &NatsRefreshStore, id: u8) {
    let family = opened(store, id, "alice").await;
    assert!(matches!(store.rotate(step(&family, 0, 30)).await.unwrap(), Outcome::Rotated { .. }));
}

async fn refusal(store: &NatsRefreshStore) -> StoreError {
    let family = family(store, 200, "alice").await;
    assert!(store.open(family.clone()).await.is_err());
    assert!(store.families_of("alice").await.is_err());
    store.rotate(step(&family, 0, 30)).await.unwrap_err()
}

#[tokio::test]
async fn a_user_is_let_in_with_its_password_and_not_with_another() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start_with("authorization { user: alice, password: \"s3cr:t\" }\n");
    let port = server.port();
    lets_in(&NatsRefreshStore::new(&format!("nats://alice:s3cr%3At@127.0.0.1:{port}")).unwrap(), 1).await;
    let by_method = store_at(&server).credentials("alice", "s3cr:t");
    lets_in(&by_method, 2).await;
    let wrong = NatsRefreshStore::new(&format!("nats://alice:wr0ng-s3cret@127.0.0.1:{port}")).unwrap();
    let error = refusal(&wrong).await;
    assert!(error.to_string().contains("refuses our credentials"), "{error}");
    for text in [in_full(&error), format!("{wrong:?}"), format!("{by_method:?}")] {
        assert!(!text.contains("s3cr") && !text.contains("alice"), "{text}");
    }
    assert!(format!("{wrong:?}").contains(&format!("nats://127.0.0.1:{port}")));
    let error = NatsRefreshStore::new("http://alice:s3cret@127.0.0.1").unwrap_err();
    assert!(!in_full(&error).contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_token_lets_in() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start_with("authorization { token: \"t0ken\" }\n");
    lets_in(&store_at(&server).token("t0ken"), 1).await;
    assert!(!in_full(&refusal(&store_at(&server).token("other-t0ken")).await).contains("t0ken"));
}

#[tokio::test]
async fn a_creds_file_lets_in_as_text_and_by_its_path() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start_with_operator();
    let text = NatsServer::credentials();
    lets_in(&store_at(&server).creds(&text), 1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("user.creds");
    let store = store_at(&server).creds_file(&path);
    assert!(in_full(&refusal(&store).await).contains("user.creds"));
    std::fs::write(&path, &text).unwrap();
    lets_in(&store, 2).await;
    let seed = text.lines().rfind(|line| line.starts_with("SU")).unwrap();
    assert!(!format!("{store:?} {:?}", store_at(&server).creds(&text)).contains(seed));
    refusal(&store_at(&server)).await;
}

#[tokio::test]
async fn tls_is_with_whom_an_authority_of_ours_vouches_for() {
    let Some(nats) = NatsProgram::recent() else { return };
    if is_missing("openssl") {
        return;
    }
    let (server, other) = (nats.start_with_tls(), nats.start_with_tls());
    let store = || NatsRefreshStore::new(&format!("tls://localhost:{}", server.port())).unwrap();
    lets_in(&store().root_certificates(&server.authority()).unwrap(), 1).await;
    let error = refusal(&store().root_certificates(&other.authority()).unwrap()).await;
    assert!(error.to_string().contains("is not trusted"), "{error}");
    assert!(store().root_certificates(b"junk").is_err());
    let plain = NatsRefreshStore::new(&format!("nats://localhost:{}", server.port())).unwrap();
    assert!(refusal(&plain).await.to_string().contains("tls://"));
}

#[tokio::test]
async fn a_bucket_that_forgets_too_early_is_refused() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let cases = [
        (r#""max_age":2600000000000000"#, "--max-age="),
        (r#""max_msgs":1000"#, "max-msgs"),
        (r#""max_bytes":1000000"#, "max-bytes"),
        (r#""retention":"workqueue""#, "retention"),
        (r#""subjects":["$KV.portcullis_refresh.f.>"]"#, "set another bucket"),
        (r#""no_ack":true"#, "acknowledgements"),
        (r#""max_msg_size":1000"#, "--max-value-size"),
        (r#""discard":"new","discard_new_per_subject":true"#, "refuses every change"),
    ];
    for (setting, advice) in cases {
        create(&server, setting);
        let error = refusal(&store_at(&server)).await;
        assert!(error.to_string().contains(advice), "{setting}: {error}");
        delete(&server);
    }
    let good = [
        r#""max_age":0"#,
        r#""max_age":2700000000000000"#,
        r#""max_bytes":1000000,"discard":"new""#,
        r#""max_msgs_per_subject":5"#,
        r#""allow_direct":true,"allow_rollup_hdrs":true,"deny_delete":true"#,
    ];
    // Each with a session of its own: a server that is busy may still have the keys of a bucket that was deleted a moment ago.
    for (id, setting) in (1..).zip(good) {
        create(&server, setting);
        lets_in(&store_at(&server), id).await;
        delete(&server);
    }
}

#[tokio::test]
async fn a_bucket_that_becomes_forgetful_is_refused_when_sessions_are_listed() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    opened(&store, 1, "alice").await;
    assert_eq!(store.families_of("alice").await.unwrap().len(), 1);
    let updated = server.request(&format!("$JS.API.STREAM.UPDATE.{STREAM}"), &config(r#""max_age":3600000000000"#));
    assert!(!updated.contains("\"error\""), "{updated}");
    let error = store.end_all_of("alice", None, EndReason::Revoked).await.unwrap_err();
    assert!(error.to_string().contains("--max-age="), "{error}");
    // Who needs no more than that is content.
    let store = store_at(&server).longest_session(Duration::from_secs(60));
    assert_eq!(store.families_of("alice").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_bucket_refuses_new_sessions_and_forgets_none() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    create(&server, r#""max_bytes":20000,"discard":"new""#);
    let store = store_at(&server);
    let mut families = Vec::new();
    let error = loop {
        let next = family(&store, u8::try_from(families.len()).unwrap(), "alice").await;
        match store.open(next.clone()).await {
            Ok(opened) => families.push((opened == Opened::New).then_some(next).unwrap()),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("maximum bytes exceeded"), "{error}");
    assert!(families.len() > 10);
    assert_eq!(store.families_of("alice").await.unwrap().len(), families.len());
}

/// Where a newer server is installed, the test of `accept_server` is all there is.
#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsProgram::installed().start();
    if server.version() < [2, 10] {
        let error = refusal(&store_at(&server)).await;
        assert!(error.to_string().contains("2.10 or later, and this is 2."), "{error}");
        assert!(server.request(&format!("$JS.API.STREAM.INFO.{STREAM}"), "").contains("not found"), "it was changed");
    }
}

#[tokio::test]
async fn a_server_without_jetstream_is_refused() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start_without_jetstream();
    assert!(refusal(&store_at(&server)).await.to_string().contains("has no JetStream"));
}

#[tokio::test]
async fn what_may_lose_sessions_is_a_warning() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    assert_eq!(store.warnings(), Vec::<String>::new());
    opened(&store, 1, "alice").await;
    let warnings = store.warnings().join("\n");
    assert!(warnings.contains("one replica") && warnings.contains("sync_interval: always"), "{warnings}");
    assert!(!warnings.contains("in memory") && !warnings.contains("maximum age"), "{warnings}");
    for (setting, warning) in [
        (r#""storage":"memory""#, "in memory"),
        (r#""max_age":0"#, "no maximum age"),
        (r#""persist_mode":"async""#, "acknowledges before it writes"),
    ] {
        let server = nats.start();
        if setting.contains("persist_mode") && server.version() < [2, 12] {
            continue; // which it does not know
        }
        create(&server, setting);
        let store = store_at(&server);
        opened(&store, 1, "alice").await;
        assert!(store.warnings().join("\n").contains(warning), "{setting}: {:?}", store.warnings());
    }
}

#[tokio::test]
async fn the_rights_in_the_documentation_are_enough() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start_with(
        "authorization { users: [ { user: all, password: p }, \
           { user: least, password: p, permissions: { subscribe: \"_INBOX.>\", publish: [ \"$KV.portcullis_refresh.>\", \
             \"$JS.API.STREAM.INFO.KV_portcullis_refresh\", \"$JS.API.STREAM.CREATE.KV_portcullis_refresh\", \
             \"$JS.API.STREAM.MSG.GET.KV_portcullis_refresh\" ] } }, \
           { user: none, password: p, permissions: { subscribe: \"_INBOX.>\", publish: \"a\" } } ] }\n",
    );
    // None of them is a direct get, which a replica answers that may lag.
    let least = store_at(&server).credentials("least", "p");
    lets_in(&least, 1).await;
    assert_eq!(least.families_of("alice").await.unwrap().len(), 1);
    assert_eq!(least.end_all_of("alice", None, EndReason::Revoked).await.unwrap().len(), 1);
    // A request that is not answered would be given up, with another error.
    let error = refusal(&store_at(&server).credentials("none", "p")).await;
    assert!(error.to_string().contains("$JS.API.STREAM.INFO"), "{error}");
}

#[tokio::test]
async fn sessions_and_revocations_of_several_issuers_share_a_server() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let other = store_at(&server).bucket("other").unwrap();
    lets_in(&store_at(&server), 1).await;
    assert_eq!(other.find(FamilyId::from_bytes([1; 16])).await.unwrap().0, None);
    lets_in(&other, 1).await;
    let log = JetStreamLog::new(&server.url()).unwrap();
    portcullis_core::revocation::RevocationLog::append(&log, &support::entries::entries(0..1)).await.unwrap();
    assert!(store_at(&server).bucket("a.b").is_err());
}

pub(super) fn config(setting: &str) -> String {
    let mut config = String::from("{");
    for (name, value) in [
        ("name", r#""KV_portcullis_refresh""#),
        ("subjects", r#"["$KV.portcullis_refresh.>"]"#),
        ("retention", r#""limits""#),
        ("storage", r#""file""#),
        ("max_msgs_per_subject", "1"),
        ("num_replicas", "1"),
    ] {
        if !setting.contains(&format!(r#""{name}""#)) {
            write!(config, r#""{name}":{value},"#).unwrap();
        }
    }
    config + setting + "}"
}

fn create(server: &NatsServer, setting: &str) {
    let created = server.request(&format!("$JS.API.STREAM.CREATE.{STREAM}"), &config(setting));
    assert!(!created.contains("\"error\""), "{setting}: {created}");
}

fn delete(server: &NatsServer) {
    let deleted = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    assert!(!deleted.contains("\"error\""), "{deleted}");
}
