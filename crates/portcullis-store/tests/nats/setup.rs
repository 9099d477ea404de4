//! Who is let in, and what is refused.

use portcullis_core::revocation::LogErrorKind;
use real_servers::ReservedPort;

use super::*;

async fn refusal(log: &JetStreamLog) -> LogError {
    let error = log.read(None, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{error}");
    assert_eq!(log.append(&entries(0..1)).await.unwrap_err().kind(), LogErrorKind::Misconfigured);
    error
}

/// All that an operator might see of an error.
fn in_full(error: &LogError) -> String {
    let source = std::error::Error::source(error).map(|source| format!("{source} {source:?}"));
    format!("{error} {error:?} {source:?}")
}

#[tokio::test]
async fn a_user_is_let_in_with_its_password_and_not_with_another() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start_with("authorization { user: alice, password: \"s3cr:t\" }\n");
    let port = server.port();
    let urls = [format!("nats://alice:s3cr%3At@127.0.0.1:{port}"), format!("nats://127.0.0.1:{port}")];
    JetStreamLog::new(&urls[0]).unwrap().append(&entries(0..1)).await.unwrap();
    let by_method = JetStreamLog::new(&urls[1]).unwrap().credentials("alice", "s3cr:t");
    by_method.append(&entries(0..1)).await.unwrap();
    let wrong = JetStreamLog::new(&format!("nats://alice:wr0ng-s3cret@127.0.0.1:{port}")).unwrap();
    let error = refusal(&wrong).await;
    assert!(error.to_string().contains("refuses our credentials"), "{error}");
    for text in [in_full(&error), format!("{wrong:?}"), format!("{by_method:?}")] {
        assert!(!text.contains("s3cr") && !text.contains("alice"), "{text}");
    }
    assert!(format!("{wrong:?}").contains(&format!("nats://127.0.0.1:{port}")));
}

#[tokio::test]
async fn a_token_lets_in() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start_with("authorization { token: \"t0ken\" }\n");
    let log = |token: &str| log_at(&server).token(token);
    log("t0ken").append(&entries(0..1)).await.unwrap();
    JetStreamLog::new(&format!("nats://t0ken@127.0.0.1:{}", server.port())).unwrap().append(&[]).await.unwrap();
    assert!(!in_full(&refusal(&log("other-t0ken")).await).contains("t0ken"));
}

#[tokio::test]
async fn a_creds_file_lets_in_as_text_and_by_its_path_and_may_be_replaced() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start_with_operator();
    let text = NatsServer::credentials();
    log_at(&server).creds(&text).append(&entries(0..1)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("user.creds");
    let log = log_at(&server).creds_file(&path);
    assert!(in_full(&refusal(&log).await).contains("user.creds"));
    let seed = text.lines().rfind(|line| line.starts_with("SU")).unwrap();
    // Another key than the one in the JWT.
    std::fs::write(&path, text.replace(seed, &seed.replace("SU", "SX"))).unwrap();
    assert!(!in_full(&refusal(&log).await).contains(&seed[2..]));
    std::fs::write(&path, &text).unwrap();
    log.append(&entries(0..1)).await.unwrap();
    assert!(!format!("{log:?}").contains(seed));
    refusal(&log_at(&server)).await;
}

#[tokio::test]
async fn tls_is_with_whom_an_authority_of_ours_vouches_for() {
    if is_missing("nats-server") || is_missing("openssl") {
        return;
    }
    let (server, other) = (NatsServer::start_with_tls(), NatsServer::start_with_tls());
    let log = || JetStreamLog::new(&format!("tls://localhost:{}", server.port())).unwrap();
    let trusting = log().root_certificates(&server.authority()).unwrap();
    trusting.append(&entries(0..1)).await.unwrap();
    assert_eq!(trusting.read(None, Duration::ZERO).await.unwrap().entries, entries(0..1));
    let error = refusal(&log().root_certificates(&other.authority()).unwrap()).await;
    assert!(error.to_string().contains("is not trusted"), "{error}");
    let junk = [&b"junk"[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"];
    for pem in junk {
        let error = log().root_certificates(pem).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Misconfigured);
        assert!(error.to_string().contains("no certificates in PEM form"), "{error}");
    }
    assert!(refusal(&log()).await.to_string().contains("root_certificates"));
    // A URL without TLS does not become one with any.
    let plain = JetStreamLog::new(&format!("nats://localhost:{}", server.port())).unwrap();
    assert!(refusal(&plain).await.to_string().contains("tls://"));
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_from_who_wants_it() {
    if is_missing("nats-server") || is_missing("openssl") {
        return;
    }
    let (server, authority) = (NatsServer::start(), NatsServer::start_with_tls().authority());
    let log = JetStreamLog::new(&format!("tls://localhost:{}", server.port())).unwrap();
    let log = log.root_certificates(&authority).unwrap();
    assert!(log.append(&entries(0..1)).await.is_err());
    let error = log_at(&server).root_certificates(&authority).unwrap_err();
    assert!(error.kind() == LogErrorKind::Misconfigured && error.to_string().contains("tls://"), "{error}");
}

#[tokio::test]
async fn a_stream_that_forgets_too_early_is_refused() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let cases = [
        (r#""max_age":3600000000000"#, "--max-age="),
        (r#""max_msgs":1000"#, "--max-msgs=-1"),
        (r#""max_bytes":1000000"#, "--max-bytes=-1"),
        (r#""max_msgs_per_subject":1"#, "--max-msgs-per-subject=-1"),
        (r#""retention":"workqueue""#, "retention"),
        (r#""retention":"interest""#, "retention"),
        (r#""subjects":["portcullis.>"]"#, "--subjects=portcullis.revocations"),
        (r#""no_ack":true"#, "acknowledgements"),
        (r#""max_msg_size":1000"#, "--max-msg-size"),
    ];
    for (setting, advice) in cases {
        create(&server, setting);
        let error = refusal(&log_at(&server)).await;
        assert!(error.to_string().contains(advice), "{setting}: {error}");
        let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    }
    for good in [r#""max_age":0"#, r#""max_age":1000000000000000"#] {
        create(&server, good);
        log_at(&server).append(&entries(0..1)).await.unwrap();
        let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    }
}

#[tokio::test]
async fn a_stream_that_becomes_forgetful_is_refused_from_then_on() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = log_at(&server);
    log.read(None, Duration::ZERO).await.unwrap();
    let _ = server.request(&format!("$JS.API.STREAM.UPDATE.{STREAM}"), &config(r#""max_age":3600000000000"#));
    let error = log.read(None, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{error}");
    // Who needs no more than that is content.
    log_at(&server).horizon(Duration::from_secs(60)).read(None, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_full_stream_refuses_revocations_and_forgets_none() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    create(&server, r#""max_bytes":20000,"discard":"new""#);
    if server.version() < [2, 10] {
        // It says that it refuses new ones, and forgets old ones all the same.
        assert!(refusal(&log_at(&server)).await.to_string().contains("--max-bytes=-1"));
        return;
    }
    let log = Arc::new(log_at(&server));
    let mut stored = 0;
    while log.append(&entries(stored..stored + 1)).await.is_ok() {
        stored += 1;
    }
    let mut reader = LogReader::new(log);
    reader.must_catch_up().await;
    assert!(stored > 10 && reader.has_all(&entries(0..stored)) && reader.seen.len() == stored);
}

#[tokio::test]
async fn a_subject_that_went_to_another_stream_swallows_nothing() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = log_at(&server);
    log.append(&entries(0..1)).await.unwrap();
    let _ = server.request(&format!("$JS.API.STREAM.UPDATE.{STREAM}"), &config(r#""subjects":["elsewhere"]"#));
    let other =
        r#"{"name":"OTHER","subjects":["portcullis.*"],"retention":"limits","storage":"file","num_replicas":1}"#;
    let _ = server.request("$JS.API.STREAM.CREATE.OTHER", other);
    assert!(log.append(&entries(1..2)).await.is_err(), "it went elsewhere");
    let another = log_at(&server).stream("ANOTHER").unwrap();
    assert!(refusal(&another).await.to_string().contains("create the stream"));
}

#[tokio::test]
async fn several_services_share_a_server() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let one = log_at(&server).stream("ONE").unwrap().subject("revocations.one").unwrap();
    let two = log_at(&server).stream("TWO").unwrap().subject("revocations.two").unwrap();
    one.append(&entries(1..2)).await.unwrap();
    two.append(&entries(2..3)).await.unwrap();
    assert_eq!(one.read(None, Duration::ZERO).await.unwrap().entries, entries(1..2));
    assert_eq!(two.read(None, Duration::ZERO).await.unwrap().entries, entries(2..3));
    for odd in ["", "A.B", "A B", "A>", "A/B"] {
        assert_eq!(log_at(&server).stream(odd).unwrap_err().kind(), LogErrorKind::Misconfigured, "{odd}");
    }
    for odd in ["", "a..b", "a b", "a.>", "a.*", ".a"] {
        assert_eq!(log_at(&server).subject(odd).unwrap_err().kind(), LogErrorKind::Misconfigured, "{odd}");
    }
}

#[tokio::test]
async fn what_may_lose_revocations_is_a_warning() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start();
    let log = log_at(&server);
    assert_eq!(log.warnings(), Vec::<String>::new());
    log.append(&entries(0..1)).await.unwrap();
    let warnings = log.warnings().join("\n");
    assert!(warnings.contains("one replica") && warnings.contains("sync_interval: always"), "{warnings}");
    let _ = server.request(&format!("$JS.API.STREAM.DELETE.{STREAM}"), "");
    create(&server, r#""storage":"memory""#);
    let log = log_at(&server);
    log.append(&entries(0..1)).await.unwrap();
    assert!(log.warnings().join("\n").contains("in memory"));
}

#[tokio::test]
async fn a_server_without_jetstream_is_refused() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start_without_jetstream();
    assert!(refusal(&log_at(&server)).await.to_string().contains("has no JetStream"));
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named_at_once() {
    if is_missing("nats-server") {
        return;
    }
    let server = NatsServer::start_with(
        "authorization { users: [ \
           { user: all, password: p }, \
           { user: least, password: p, permissions: { subscribe: \"_INBOX.>\", publish: [ \"portcullis.revocations\", \
             \"$JS.API.STREAM.INFO.PORTCULLIS_REVOCATIONS\", \"$JS.API.STREAM.CREATE.PORTCULLIS_REVOCATIONS\", \
             \"$JS.API.STREAM.MSG.GET.PORTCULLIS_REVOCATIONS\", \"$JS.API.CONSUMER.CREATE.PORTCULLIS_REVOCATIONS\", \
             \"$JS.API.CONSUMER.MSG.NEXT.PORTCULLIS_REVOCATIONS.*\" ] } }, \
           { user: none, password: p, permissions: { subscribe: \"_INBOX.>\", publish: \"a\" } } ] }\n",
    );
    // What the documentation lists is enough.
    let least = Arc::new(log_at(&server).credentials("least", "p"));
    let mut reader = LogReader::new(Arc::clone(&least));
    for id in 0..3 {
        least.append(&entries(id..id + 1)).await.unwrap();
        reader.must_catch_up().await;
        reader.log = Arc::new(log_at(&server).credentials("least", "p"));
    }
    assert_eq!((reader.seen.len(), reader.restarts), (3, 0));
    // A request that is not answered would be given up, with another error.
    let error = refusal(&log_at(&server).credentials("none", "p")).await;
    assert!(error.to_string().contains("$JS.API.STREAM.INFO"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_found_when_it_is() {
    if is_missing("nats-server") {
        return;
    }
    let mut server = NatsServer::start();
    // One address of the cluster is never there.
    let silent = ReservedPort::new();
    let log = JetStreamLog::new(&format!("nats://127.0.0.1:{}, {}", silent.number(), server.url())).unwrap();
    server.kill();
    let error = log.append(&entries(0..1)).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    assert!(error.to_string().contains("cannot be reached"), "refused by the system, not given up: {error}");
    server.restart();
    log.append(&entries(0..1)).await.unwrap();
}

fn config(setting: &str) -> String {
    let mut config = String::from("{");
    for (name, value) in [
        ("name", r#""PORTCULLIS_REVOCATIONS""#),
        ("subjects", r#"["portcullis.revocations"]"#),
        ("retention", r#""limits""#),
        ("storage", r#""file""#),
        ("num_replicas", "1"),
    ] {
        if !setting.contains(&format!(r#""{name}""#)) {
            config += &format!(r#""{name}":{value},"#);
        }
    }
    config + setting + "}"
}

fn create(server: &NatsServer, setting: &str) {
    let created = server.request(&format!("$JS.API.STREAM.CREATE.{STREAM}"), &config(setting));
    assert!(!created.contains("\"error\""), "{setting}: {created}");
}
