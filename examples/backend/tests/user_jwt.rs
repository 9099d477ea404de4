//! A user lends itself to a function by a JWT: how long it lives, what it can do, and what ends it. The backend and its functions are separate
//! processes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use portcullis::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use support::{Backend, jwt_header, key_header};
use tempfile::tempdir;

fn now() -> u64 {
    SystemClock.now().as_secs()
}

#[tokio::test]
async fn a_jwt_lives_for_one_to_fifteen_minutes_as_the_user_asks() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let session = backend.log_in("alice").await;
    for (query, seconds) in [("", 900), ("?minutes=1", 60), ("?minutes=15", 900)] {
        let minted = backend.mint(&session, query).await;
        assert_eq!((minted.status, minted.number("expires_in")), (200, seconds), "{query}");
        assert_eq!(minted.header("cache-control"), "no-store");
        assert_eq!(backend.get("/account", &jwt_header(&minted.text("jwt"))).await.status, 200);
    }
    for query in ["?minutes=0", "?minutes=16", "?minutes=60", "?minutes=18446744073709551615"] {
        let refused = backend.mint(&session, query).await;
        assert_eq!(refused.outcome(), (400, "lifetime_out_of_range".into()), "{query}");
    }
    for query in ["?minutes=-1", "?minutes=1.5", "?minutes=", "?seconds=60", "?minutes=5&minutes=15"] {
        assert_eq!(backend.mint(&session, query).await.outcome(), (400, "request_malformed".into()), "{query}");
    }
}

#[tokio::test]
async fn the_operator_may_raise_the_ceiling_to_an_hour_or_lower_it() {
    let folder = tempdir().unwrap();
    let raised = Backend::start(folder.path(), &[("USER_JWT_MINUTES_MAX", "60")]);
    let session = raised.log_in("alice").await;
    for (query, seconds) in [("", 900), ("?minutes=60", 3600)] {
        let minted = raised.mint(&session, query).await;
        assert_eq!((minted.status, minted.number("expires_in")), (200, seconds), "{query}");
        assert_eq!(raised.get("/account", &jwt_header(&minted.text("jwt"))).await.status, 200);
    }
    assert_eq!(raised.mint(&session, "?minutes=61").await.status, 400);
    drop(raised);

    // Lower than what is usual: that is then the default, too.
    let folder = tempdir().unwrap();
    let lowered = Backend::start(folder.path(), &[("USER_JWT_MINUTES_MAX", "2")]);
    let session = lowered.log_in("alice").await;
    assert_eq!(lowered.mint(&session, "").await.number("expires_in"), 120);
    assert_eq!(lowered.mint(&session, "?minutes=3").await.status, 400);
    drop(lowered);

    for setting in ["0", "61", "an hour"] {
        let why = Backend::start_refused(folder.path(), &[("USER_JWT_MINUTES_MAX", setting)]);
        assert!(why.contains("USER_JWT_MINUTES_MAX"), "{setting}: {why}");
    }
}

#[tokio::test]
async fn pitfall_10_a_session_with_five_minutes_left_gives_a_jwt_of_five_minutes() {
    for limit in ["SESSION_IDLE_SECONDS", "SESSION_SECONDS"] {
        let folder = tempdir().unwrap();
        let backend = Backend::start(folder.path(), &[(limit, "300")]);
        let session = backend.log_in("alice").await;
        let minted = backend.mint(&session, "?minutes=15").await;
        assert_eq!(minted.status, 200, "{minted:?}");
        assert!(minted.number("expires_in") <= 300, "{limit}: {minted:?}");
        assert!(minted.number("expires_at") <= session.ends_by, "{limit}: {minted:?}");
        // What fits is not cut.
        assert_eq!(backend.mint(&session, "?minutes=4").await.number("expires_in"), 240, "{limit}");
    }
}

#[tokio::test]
async fn pitfall_10_logging_out_ends_the_jwt_at_once_also_for_functions() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let (session, other) = (backend.log_in("bob").await, backend.log_in("bob").await);
    let (jwt, of_other) = (backend.jwt(&session).await, backend.jwt(&other).await);
    for _ in 0..2 {
        assert_eq!(backend.get("/documents", &jwt_header(&jwt)).await.status, 200);
        assert_eq!(backend.function("summary", &jwt_header(&jwt)).await.status, 200);
    }
    backend.log_out(&session).await;
    let lag = backend.refused_within("/documents", &jwt_header(&jwt), Duration::from_secs(1)).await;
    assert!(lag < Duration::from_secs(1), "{lag:?}");
    assert_eq!(backend.get("/documents", &jwt_header(&jwt)).await.outcome(), (401, "token_revoked".into()));
    assert_eq!(backend.function("summary", &jwt_header(&jwt)).await.outcome(), (401, "token_revoked".into()));
    assert_eq!(backend.get("/account", &session.header()).await.status, 401);
    assert_eq!(backend.refresh(&session.refresh).await.outcome(), (400, "session_over".into()));

    // The user's other session goes on, with its JWT.
    assert_eq!(backend.get("/documents", &jwt_header(&of_other)).await.status, 200);
    assert_eq!(backend.function("summary", &jwt_header(&of_other)).await.status, 200);
    assert_eq!(backend.refresh(&other.refresh).await.status, 200);
}

#[tokio::test]
async fn a_log_out_outlives_the_process() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let (session, other) = (backend.log_in("bob").await, backend.log_in("bob").await);
    let (jwt, of_other) = (backend.jwt(&session).await, backend.jwt(&other).await);
    backend.log_out(&session).await;
    drop(backend); // kill -9
    let backend = Backend::start(folder.path(), &[]);
    assert_eq!(backend.get("/documents", &jwt_header(&jwt)).await.outcome(), (401, "token_revoked".into()));
    assert_eq!(backend.get("/documents", &jwt_header(&of_other)).await.status, 200);
}

#[tokio::test]
async fn the_jwt_of_a_session_that_expires_ends_with_it() {
    for limit in ["SESSION_IDLE_SECONDS", "SESSION_SECONDS"] {
        let folder = tempdir().unwrap();
        let backend = Backend::start(folder.path(), &[(limit, "4")]);
        let session = backend.log_in("bob").await;
        let jwt = backend.jwt(&session).await;
        assert_eq!(backend.get("/documents", &jwt_header(&jwt)).await.status, 200);
        backend.refused_within("/documents", &jwt_header(&jwt), Duration::from_secs(6)).await;
        assert!(now() <= session.ends_by + 1, "{limit}: it is {} s late", now() - session.ends_by);
        assert_eq!(backend.get("/documents", &jwt_header(&jwt)).await.outcome(), (401, "token_expired".into()));
        assert_eq!(backend.function("summary", &jwt_header(&jwt)).await.outcome(), (401, "token_expired".into()));
    }
}

#[tokio::test]
async fn minting_counts_as_a_use_of_the_session() {
    let folder = tempdir().unwrap();
    // A session is prolonged once half of this has passed.
    let backend = Backend::start(folder.path(), &[("SESSION_IDLE_SECONDS", "10")]);
    let (used, idle) = (backend.log_in("alice").await, backend.log_in("bob").await);
    let mut minted = None;
    while now() <= idle.ends_by {
        support::a_moment().await;
        if minted.is_none() && now() + 4 >= used.ends_by {
            minted = Some(backend.mint(&used, "").await);
        }
    }
    let minted = minted.unwrap();
    assert_eq!(minted.status, 200, "{minted:?}");
    // Its JWT has what was left.
    assert!(minted.number("expires_at") <= used.ends_by, "{minted:?}");
    assert_eq!(backend.refresh(&idle.refresh).await.outcome(), (400, "session_over".into()));
    assert_eq!(backend.refresh(&used.refresh).await.status, 200);
}

#[tokio::test]
async fn a_jwt_does_not_change_the_account_and_mints_no_other_and_the_session_does() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let session = backend.log_in("bob").await;
    let jwt = backend.jwt(&session).await;
    let password = json!({ "old": "can-we-fix-it", "new": "yes-we-can" });
    let changes = [
        ("POST", "/account/jwt", Value::Null, 200),
        ("PUT", "/account/mail", json!({ "mail": "bob@example.org" }), 204),
        ("PUT", "/account/password", password, 204),
        ("DELETE", "/session", Value::Null, 204),
    ];
    for (method, path, body, _) in &changes {
        let refused = backend.call(method, path, &jwt_header(&jwt), body).await;
        assert_eq!(refused.outcome(), (403, "requirement_not_met".into()), "{path}");
        // Neither does the administrator's key: it is no user.
        let refused = backend.call(method, path, &key_header(&backend.key("admin")), body).await;
        assert_eq!(refused.status, 403, "{path}");
    }
    assert_eq!(backend.get("/account", &jwt_header(&jwt)).await.json()["mail"], "bob@example.com");
    for (method, path, body, status) in &changes {
        assert_eq!(backend.call(method, path, &session.header(), body).await.status, *status, "{path}");
    }
    assert_eq!(backend.try_log_in("bob", "can-we-fix-it").await.outcome(), (400, "log_in_refused".into()));
    assert_eq!(backend.try_log_in("bob", "yes-we-can").await.status, 200);
}

#[tokio::test]
async fn a_new_password_ends_the_jwts_of_other_sessions() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let (own, other) = (backend.log_in("bob").await, backend.log_in("bob").await);
    let (jwt, of_other) = (backend.jwt(&own).await, backend.jwt(&other).await);
    let wrong = json!({ "old": "can-we-fix-it?", "new": "yes-we-can" });
    let answer = backend.call("PUT", "/account/password", &own.header(), &wrong).await;
    assert_eq!(answer.outcome(), (400, "password_wrong".into()));
    assert_eq!(backend.get("/account", &jwt_header(&of_other)).await.status, 200);
    let right = json!({ "old": "can-we-fix-it", "new": "yes-we-can" });
    assert_eq!(backend.call("PUT", "/account/password", &own.header(), &right).await.status, 204);
    assert_eq!(backend.get("/account", &jwt_header(&of_other)).await.status, 401);
    assert_eq!(backend.get("/account", &jwt_header(&jwt)).await.status, 200);
}

#[tokio::test]
async fn the_eleventh_jwt_in_a_minute_is_refused_and_another_user_is_served() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let (alice, bob) = (backend.log_in("alice").await, backend.log_in("bob").await);
    for _ in 0..10 {
        assert_eq!(backend.mint(&alice, "").await.status, 200);
    }
    let refused = backend.mint(&alice, "").await;
    assert_eq!(refused.outcome(), (429, "too_many_requests".into()));
    assert!((1..=6).contains(&refused.header("retry-after").parse::<u64>().unwrap()), "{refused:?}");
    // Another session of the same user makes no difference.
    let again = backend.log_in("alice").await;
    assert_eq!(backend.mint(&again, "").await.status, 429);
    assert_eq!(backend.mint(&bob, "").await.status, 200);
    // Asking in vain costs nothing: after that time there is one more.
    let begin = Instant::now();
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    while begin.elapsed() < Duration::from_secs(wait) {
        support::a_moment().await;
    }
    assert_eq!(backend.mint(&again, "").await.status, 200);
    assert_eq!(backend.mint(&alice, "").await.status, 429);
}

#[tokio::test]
async fn with_the_jwt_a_function_sees_what_the_user_sees_and_no_more() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    for (name, own) in [("alice", json!(["Alice's plan", "Alice's diary"])), ("bob", json!(["Bob's list"]))] {
        let session = backend.log_in(name).await;
        let jwt = backend.jwt(&session).await;
        let by_session = backend.get("/documents", &session.header()).await;
        let by_jwt = backend.get("/documents", &jwt_header(&jwt)).await;
        assert_eq!((by_jwt.status, by_jwt.json()), (200, by_session.json()), "{name}");
        let account = backend.get("/account", &jwt_header(&jwt)).await.json();
        assert_eq!(account, backend.get("/account", &session.header()).await.json());
        let summary = backend.function("summary", &jwt_header(&jwt)).await.json();
        assert_eq!(summary["titles"], own, "{name}");
        // Each document by itself: those of another user are as good as none.
        for id in 0..3 {
            let path = format!("/documents/{id}");
            let status = backend.get(&path, &jwt_header(&jwt)).await.status;
            assert_eq!(status, backend.get(&path, &session.header()).await.status, "{name}: {path}");
            assert_eq!(status, if (id < 2) == (name == "alice") { 200 } else { 404 }, "{name}: {path}");
        }
    }
}

#[tokio::test]
async fn a_user_writes_only_documents_of_its_own_and_a_function_writes_for_it_as_the_administrator() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let bob = backend.log_in("bob").await;
    let jwt = backend.jwt(&bob).await;
    let added = backend.post("/documents", &jwt_header(&jwt), &json!({ "title": "Bob's plan" })).await;
    assert_eq!((added.status, added.text("owner")), (201, "bob".into()));
    let for_alice = json!({ "title": "Bob's joke", "owner": "alice" });
    assert_eq!(backend.post("/documents", &jwt_header(&jwt), &for_alice).await.outcome(), (400, "owner_given".into()));

    let welcome = backend.function("welcome", &jwt_header(&jwt)).await;
    assert_eq!((welcome.status, welcome.text("owner"), welcome.text("title")), (200, "bob".into(), "Welcome".into()));
    let seen = backend.get("/documents", &bob.header()).await.json();
    assert_eq!(seen.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_function_uses_its_own_key_only_for_callers_who_may_do_as_much() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let [alice, bob] = [backend.log_in("alice").await, backend.log_in("bob").await];
    let report = backend.function("report", &jwt_header(&backend.jwt(&alice).await)).await;
    assert_eq!((report.status, report.json()), (200, json!({ "users": 2, "documents": 3 })));
    let refused = backend.function("report", &jwt_header(&backend.jwt(&bob).await)).await;
    assert_eq!(refused.outcome(), (403, "operators_only".into()));
    for name in ["summary", "welcome", "report"] {
        assert_eq!(backend.function(name, &vec![]).await.status, 401, "{name}");
        // The functions' own key opens nothing here, and neither does junk.
        assert_eq!(backend.function(name, &key_header(&backend.key("functions"))).await.status, 401, "{name}");
        assert_eq!(backend.function(name, &jwt_header("junk")).await.status, 401, "{name}");
    }
}
