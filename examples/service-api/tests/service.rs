//! The service as its clients and its operator see it.

#[cfg(test)] // what it may do, clippy reads from this
mod support;

use std::{fs, process::Command};

use http::{StatusCode, header};
use rustix::process::Signal;
use serde_json::{Value, json};
use support::{
    Client, Fleet, Instance, PASSWORD,
    client::{curl, request},
    files::{password_hash, secret},
    instance::program,
    token,
};

/// What is appended to them goes into `[token]`.
const SETTINGS: &str = "[revocation]\nlog = \"memory\"\n\
                        [token]\nissuer = \"https://service.test\"\naudience = \"https://orders.test\"\n";

async fn start(fleet: &Fleet) -> Instance {
    Instance::start(&fleet.write("only", &[("2026-11", "active", 1)])).await
}

#[tokio::test]
async fn login_gives_a_token_that_is_not_to_be_stored() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let answer = client.login(service.address, "reader", PASSWORD).await;
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(900)));

    let (head, claims) = (token::header(&answer.token()), token::claims(&answer.token()));
    assert_eq!(head, json!({ "alg": "HS256", "typ": "JWT", "kid": "2026-11" }));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://service.test"), &json!("https://orders.test")));
    assert_eq!((&claims["sub"], &claims["scope"]), (&json!("reader"), &json!("orders:read")));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 900);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 22, "128 bits in base64url");
    assert_eq!(claims["sid"].as_str().unwrap().len(), 22);
    assert!(claims["ver"].as_u64().unwrap() >= claims["iat"].as_u64().unwrap());
    let again = token::claims(&client.login(service.address, "reader", PASSWORD).await.token());
    assert!(claims["jti"] != again["jti"] && claims["sid"] != again["sid"]);
}

#[tokio::test]
async fn login_is_refused_without_saying_what_was_wrong() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let wrong_password = client.login(service.address, "reader", "wrong").await;
    let wrong_name = client.login(service.address, "unknown", PASSWORD).await;
    assert_eq!((wrong_password.status, &wrong_password.text), (StatusCode::BAD_REQUEST, &wrong_name.text));
    assert_eq!(wrong_password.json()["error"], "invalid_grant");
    assert_eq!(wrong_password.headers[header::CACHE_CONTROL], "no-store");

    for body in [json!({ "username": "reader" }), json!({ "username": "reader", "password": "x".repeat(5000) })] {
        let malformed = client.post(service.address, "/login", None, &body).await;
        assert_eq!((malformed.status.as_u16(), &malformed.json()["error"]), (400, &json!("invalid_request")));
    }
}

#[tokio::test]
async fn every_route_answers_each_caller_as_listed() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let order = json!({ "item": "pears", "quantity": 3 });
    let callers = ["reader", "writer", "admin", "guest"];
    // Without a token, then each of the callers.
    let target = json!({ "user": "unknown" });
    let table: [(&str, &str, Option<&Value>, [u16; 5]); 11] = [
        ("GET", "/health", None, [200, 200, 200, 200, 200]),
        ("GET", "/ready", None, [200, 200, 200, 200, 200]),
        ("GET", "/me", None, [401, 200, 200, 200, 200]),
        ("GET", "/orders", None, [401, 200, 403, 403, 403]),
        ("POST", "/orders", Some(&order), [401, 403, 201, 403, 403]),
        ("GET", "/events", None, [401, 0, 403, 403, 403]),
        ("GET", "/admin/secrets", None, [401, 403, 403, 200, 403]),
        ("GET", "/admin/health", None, [401, 403, 403, 200, 403]),
        ("GET", "/admin/revocations", None, [401, 403, 403, 200, 403]),
        ("POST", "/admin/revoke", Some(&target), [401, 403, 403, 200, 403]),
        ("GET", "/elsewhere", None, [404, 404, 404, 404, 404]),
    ];
    let mut tokens = vec![None];
    for caller in callers {
        tokens.push(Some(client.login(service.address, caller, PASSWORD).await.token()));
    }
    for (method, path, body, expected) in table {
        // 0 stands for a stream that does not end; it has tests of its own.
        for (token, expected) in tokens.iter().zip(expected).filter(|(_, expected)| *expected > 0) {
            let answer = client.send(request(method, service.address, path, token.as_deref(), body)).await;
            assert_eq!(answer.status, expected, "{method} {path}: {answer:?}");
            let challenge = answer.headers.get(header::WWW_AUTHENTICATE);
            assert_eq!(challenge.is_some(), matches!(expected, 401 | 403), "{method} {path}: {answer:?}");
        }
    }
    let output = service.output();
    for words in
        ["GET /health public", "POST /orders scope(\"orders:write\")", "ANY /admin/revocations role(\"admin\")"]
    {
        let mut lines = output.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(lines.any(|line| line == words), "{words}: {output}");
    }
}

#[tokio::test]
async fn public_routes_do_not_look_at_tokens() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet).await;
    let bad = Some("no.token.atall");
    assert_eq!(client.get(service.address, "/me", bad).await.status, 401);
    assert_eq!(client.get(service.address, "/health", bad).await.status, 200);
    let credentials = json!({ "username": "reader", "password": PASSWORD });
    assert_eq!(client.post(service.address, "/login", bad, &credentials).await.status, 200);
}

#[tokio::test]
async fn a_token_over_the_budget_is_not_minted() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let mut service = start(&fleet).await;
    let refused = client.login(service.address, "collector", PASSWORD).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (500, &json!("server_error")));
    let line = service.line_with("no token was minted").await;
    assert!(line.contains("`collector`") && line.contains("the budget is 1024"), "{line}");

    let roomy = Fleet::new(&format!("{SETTINGS}size_budget_bytes = 4096\n"));
    let service = start(&roomy).await;
    assert_eq!(client.login(service.address, "collector", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn secrets_stand_in_files_of_their_own_too() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    fs::write(fleet.folder().join("2026-11.key"), format!("{}\n", secret(1))).unwrap();
    let hash = password_hash();
    let text = format!(
        "{SETTINGS}[[secrets]]\nid = \"2026-11\"\nstate = \"active\"\nsecret_file = \"2026-11.key\"\n\
         [[users]]\nname = \"reader\"\npassword_hash = \"{hash}\"\nscopes = [\"orders:read\"]\n"
    );
    let from_file = Instance::start(&fleet.write_text("from-file", &text)).await;
    let inline = start(&fleet).await;
    let token = client.login(from_file.address, "reader", PASSWORD).await.token();
    assert_eq!(client.get(inline.address, "/orders", Some(&token)).await.status, 200);
}

#[tokio::test]
async fn the_environment_counts_before_the_file() {
    let fleet = Fleet::new(SETTINGS);
    let config = fleet.write("only", &[("2026-11", "active", 1)]);
    let service = Instance::spawn(
        program()
            .env("SERVICE_CONFIG", config)
            .env("PORT", "0")
            .env("SERVICE_ISSUER", "https://other.test")
            .env("SERVICE_LIFETIME_SECONDS", "60"),
    )
    .await;
    let token = Client::new().login(service.address, "reader", PASSWORD).await.token();
    let claims = token::claims(&token);
    assert_eq!(claims["iss"], "https://other.test");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
}

const FULL_OF_PROBLEMS: &str = "
        [server]
        port = 'hidden'
        ports = 3000
        [token]
        issuer = 'https://service.test'
        leeway_seconds = 301
        lifetime_seconds = 0
        [revocation]
        log = 'mysql://hidden'
        max_staleness_seconds = 2
        [[secrets]]
        id = 'short'
        state = 'active'
        secret = 'aGlkZGVu'
        [[secrets]]
        id = 'short'
        state = 'aktive'
        secret = 'hidden+='
        [[secrets]]
        id = 'nowhere'
        state = 'standby'
        secret_file = 'missing.key'
        [[users]]
        name = 'alice'
        password_hash = 'hidden'
        scopes = ['orders read']
    ";

/// Place and mend.
const PROBLEMS: [(&str, &str); 15] = [
    ("server.port", "expected u16 (line 3)"),
    ("server.ports", "unknown, expected one of `bind`"),
    ("server.log", "expected off, error"),
    ("token.audience", "missing"),
    ("token.leeway_seconds", "more than 300"),
    ("token.lifetime_seconds", "1 to 86400"),
    ("revocation.log", "expected `memory`, a file whose name ends with .redb, or a URL"),
    ("revocation.max_staleness_seconds", "3 to 3600"),
    ("secrets#1 (`short`)", "at least 32"),
    ("secrets#2.id", "used before"),
    ("secrets#2.state", "expected standby, active, retiring or revoked"),
    ("secrets#2.secret", "base64url without padding"),
    ("secrets#3.secret_file", "missing.key"),
    ("users#1.password_hash", "--hash-password"),
    ("users#1.scopes", "RFC 6749"),
];

#[test]
fn every_problem_of_a_configuration_is_listed() {
    let fleet = Fleet::new("");
    let config = fleet.write_text("bad", FULL_OF_PROBLEMS);
    let output = program().arg(&config).env("SERVICE_LOG", "loud").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for (place, mend) in PROBLEMS {
        assert!(told.lines().any(|line| line.contains(place) && line.contains(mend)), "{place}: {mend}: {told}");
    }
    assert!(told.contains(&format!("{} problems", PROBLEMS.len())), "{told}");
    assert!(!told.contains("hidden") && !told.contains("aGlkZGVu"), "{told}");
}

#[test]
fn where_revocations_are_kept_has_to_be_said() {
    let fleet = Fleet::new("[token]\nissuer = \"https://service.test\"\naudience = \"https://orders.test\"\n");
    let config = fleet.write("only", &[("2026-11", "active", 1)]);
    let output = program().arg(&config).env("PORT", "0").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("revocation.log: missing") && told.contains("revocations.redb"), "{told}");
}

#[test]
fn the_command_line_helps() {
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (status, help) = run(program().arg("--help"));
    assert_eq!(status, Some(0));
    assert!(help.contains("SERVICE_CONFIG") && help.contains("SIGHUP"));
    let (status, told) = run(program().arg("--port"));
    assert_eq!(status, Some(2));
    assert!(told.contains("`--port`") && told.contains("Usage:"), "{told}");
    let (status, told) = run(program().arg("nowhere.toml"));
    assert_eq!(status, Some(1));
    assert!(told.contains("nowhere.toml"), "{told}");
    let (_, one) = run(program().arg("--new-secret"));
    let (_, other) = run(program().arg("--new-secret"));
    assert_eq!((one.trim().len(), one == other), (64, false));
}

#[tokio::test]
async fn no_output_holds_a_secret() {
    let (fleet, client) = (Fleet::new(&format!("[server]\nlog = \"trace\"\n{SETTINGS}")), Client::new());
    let mut service = start(&fleet).await;
    let token = client.login(service.address, "reader", PASSWORD).await.token();
    client.login(service.address, "reader", "the wrong password").await;
    client.login(service.address, "collector", PASSWORD).await;
    client.get(service.address, "/orders", Some(&token)).await;
    client.post(service.address, "/orders", Some(&token), &json!({})).await;
    let tampered = format!("{token}x");
    client.get(service.address, "/orders", Some(&tampered)).await;

    fleet.write("only", &[("2026-11", "active", 1), ("2026-12", "standby", 2)]);
    service.reload().await.unwrap();
    fleet.write("only", &[("2026-11", "active", 2), ("2026-12", "active", 1)]);
    service.reload().await.unwrap_err();
    fleet.write_text("only", &format!("[[secrets]]\nid = 3\n{} = 4\nsecret = [\"{}\"]", secret(3), secret(4)));
    service.reload().await.unwrap_err();

    let output = service.output();
    assert!(output.contains("request refused"), "the log says something: {output}");
    let signature = token.rsplit('.').next().unwrap();
    for hidden in [&token, signature, PASSWORD, "the wrong password", "argon2id", &secret(1), &secret(2), &secret(4)] {
        assert!(!output.contains(hidden), "{hidden} stands in {output}");
    }
}

#[tokio::test]
async fn the_demo_runs_and_its_command_lines_do_what_they_say() {
    let client = Client::new();
    let mut demo = Instance::spawn(program().env("PORT", "0")).await;
    demo.line_with("# 401, this session, too").await;
    demo.line_with("curl").await;
    let output = demo.output();
    let lines: Vec<_> = output.lines().collect();
    let mut seen = Vec::new();
    for pair in lines.windows(2).filter(|pair| pair[1].starts_with("curl ")) {
        let expected: u16 = pair[0].trim_start_matches("# ").get(..3).unwrap().parse().unwrap();
        let answer = client.send(curl(pair[1])).await;
        assert_eq!(answer.status, expected, "{}: {answer:?}", pair[1]);
        seen.push(expected);
    }
    assert_eq!(seen, [200, 400, 401, 200, 403, 201, 403, 200, 204, 401, 200, 200, 401]);

    demo.reload().await.expect("a random secret stays what it was");
    demo.signal(Signal::TERM);
    assert!(demo.ended().await);
}

#[test]
fn the_demo_stays_on_this_machine() {
    let output = program().env("SERVICE_BIND", "0.0.0.0").env("PORT", "0").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("SERVICE_BIND"));
}
