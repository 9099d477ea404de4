//! The runbooks of README.md for what has leaked, and for who has left. (Planned rotations are in `rotation.rs`.)

#[cfg(test)] // what it may do, clippy reads from this
mod support;

use serde_json::json;
use support::{Client, Fleet, Instance, PASSWORD, files::password_hash, files::secret, token, waiting::until};

const SETTINGS: &str = "[revocation]\nlog = \"revocations.redb\"\n\
                        [token]\nissuer = \"https://service.test\"\naudience = \"https://orders.test\"\n";

async fn start(fleet: &Fleet, secrets: &[(&str, &str, u8)]) -> Instance {
    ready(Instance::start(&fleet.write("only", secrets)).await).await
}

async fn ready(service: Instance) -> Instance {
    let client = Client::new();
    until("it is ready", async || client.get(service.address, "/ready", None).await.status == 200).await;
    service
}

#[tokio::test]
async fn a_token_leaked() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet, &[("2026-11", "active", 1)]).await;
    let at = service.address;
    let leaked = client.login(at, "reader", PASSWORD).await.token();
    let other = client.login(at, "reader", PASSWORD).await.token();
    let admin = client.login(at, "admin", PASSWORD).await.token();
    let revoke = async |target| {
        let answer = client.post(at, "/admin/revoke", Some(&admin), &target).await;
        (answer.status.as_u16(), answer.json())
    };

    // What is no token that lets anybody in is no success.
    for (text, code) in [
        ("nonsense".to_owned(), "token_malformed"),
        (format!("{leaked}x"), "signature_invalid"),
        (token::signed_for_an_hour("2026-11", 2), "signature_invalid"),
        (token::signed_with("2026-11", 1, json!({ "exp": 1 })), "token_expired"),
    ] {
        let (status, problem) = revoke(json!({ "token": text })).await;
        assert_eq!((status, problem["code"].as_str()), (422, Some(code)), "{problem}");
    }
    for malformed in
        [json!({}), json!({ "tokens": leaked }), json!({ "token": leaked, "user": "reader" }), json!(leaked)]
    {
        assert_eq!(revoke(malformed).await.0, 400);
    }
    assert_eq!(client.get(at, "/orders", Some(&leaked)).await.status, 200);

    assert_eq!(revoke(json!({ "token": leaked })).await, (200, json!({ "revoked": "token" })));
    assert_eq!(client.get(at, "/orders", Some(&leaked)).await.status, 401);
    assert_eq!(client.get(at, "/orders", Some(&other)).await.status, 200, "the user goes on working");
    assert_eq!(revoke(json!({ "token": leaked })).await.0, 200, "to be sure");

    // Without its text: by its id, if that stands in a log, or whatever its user has.
    let claims = token::claims(&other);
    let item = json!({ "level": "token", "issuer": claims["iss"], "id": claims["jti"], "expires_at": claims["exp"] });
    assert_eq!(client.post(at, "/admin/revocations", Some(&admin), &item).await.status, 200);
    assert_eq!(client.get(at, "/orders", Some(&other)).await.status, 401);
    let third = client.login(at, "reader", PASSWORD).await.token();
    assert_eq!(revoke(json!({ "user": "reader" })).await, (200, json!({ "revoked": "user", "is_listed": true })));
    assert_eq!(client.get(at, "/orders", Some(&third)).await.status, 401);
    let fresh = client.login(at, "reader", PASSWORD).await.token();
    assert_eq!(client.get(at, "/orders", Some(&fresh)).await.status, 200);
}

#[tokio::test]
async fn a_user_left() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let service = start(&fleet, &[("2026-11", "active", 1)]).await;
    let revoke = async |service: &Instance, name: &str| {
        let admin = client.login(service.address, "admin", PASSWORD).await.token();
        client.post(service.address, "/admin/revoke", Some(&admin), &json!({ "user": name })).await.json()
    };
    let held = client.login(service.address, "reader", PASSWORD).await.token();

    // The wrong order: the user can still log in, and gets a token that stays valid.
    revoke(&service, "reader").await;
    assert_eq!(client.get(service.address, "/orders", Some(&held)).await.status, 401);
    let held = client.login(service.address, "reader", PASSWORD).await.token();
    assert_eq!(client.get(service.address, "/orders", Some(&held)).await.status, 200);

    // 1. The entry is removed, and the instance restarts.
    service.kill();
    let (hash, secret) = (password_hash(), secret(1));
    let others = format!(
        "{SETTINGS}[[secrets]]\nid = \"2026-11\"\nstate = \"active\"\nsecret = \"{secret}\"\n\
         [[users]]\nname = \"admin\"\npassword_hash = \"{hash}\"\nroles = [\"admin\"]\n"
    );
    let service = ready(Instance::start(&fleet.write_text("only", &others)).await).await;
    assert_eq!(client.login(service.address, "reader", PASSWORD).await.status, 400);
    assert_eq!(client.get(service.address, "/orders", Some(&held)).await.status, 200, "tokens live on");

    // 2. What they have is revoked.
    assert_eq!(revoke(&service, "raeder").await["is_listed"], false, "as for anybody who is not listed");
    assert_eq!(client.get(service.address, "/orders", Some(&held)).await.status, 200, "it was misspelled");
    assert_eq!(revoke(&service, "reader").await, json!({ "revoked": "user", "is_listed": false }));
    assert_eq!(client.get(service.address, "/orders", Some(&held)).await.status, 401);
}

#[tokio::test]
async fn a_signing_secret_leaked() {
    let (fleet, client) = (Fleet::new(SETTINGS), Client::new());
    let mut service = start(&fleet, &[("leaked", "active", 1)]).await;
    let at = service.address;
    let admin = client.login(at, "admin", PASSWORD).await.token();
    let forged =
        token::signed_with("leaked", 1, json!({ "sub": "mallory", "roles": ["admin"], "ver": 9_999_999_999_u64 }));
    assert_eq!(
        client.get(at, "/admin/secrets", Some(&forged)).await.status,
        200,
        "with the secret, a thief can pass for any user"
    );

    // 1. Its id is revoked: no instance accepts what it has signed, the administrator's token included.
    let revoke = async |id: &str| client.post(at, "/admin/revoke", Some(&admin), &json!({ "secret": id })).await;
    let unknown = revoke("laeked").await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["code"]), (422, &json!("secret_unknown")));
    assert_eq!(client.get(at, "/admin/secrets", Some(&forged)).await.status, 200);
    assert_eq!(revoke("leaked").await.status, 200);
    for token in [&forged, &admin] {
        let refused = client.get(at, "/me", Some(token)).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (401, &json!("token_revoked")));
    }
    // The price: what is minted before the next step is no good either, whatever an instance that has not taken it
    // does.
    let too_early = client.login(at, "reader", PASSWORD).await.token();
    assert_eq!(client.get(at, "/orders", Some(&too_early)).await.status, 401);

    // 2. Another secret signs.
    fleet.write("only", &[("leaked", "revoked", 1), ("next", "active", 2)]);
    service.reload().await.unwrap();
    let token = client.login(at, "reader", PASSWORD).await.token();
    assert_eq!(client.get(at, "/orders", Some(&token)).await.status, 200);

    // An instance that comes up with an old copy of the file accepts no forged token all the same.
    service.kill();
    let service = start(&fleet, &[("leaked", "active", 1), ("next", "standby", 2)]).await;
    let refused = client.get(service.address, "/me", Some(&forged)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (401, &json!("token_revoked")));
    assert_eq!(client.get(service.address, "/orders", Some(&token)).await.status, 200);
}
