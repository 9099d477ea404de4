//! What we mint.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::clock::{Clock, SystemClock};
use portcullis_nats::{
    claims::{Account, Activation, Export, ExportKind, Operator, Permissions, SigningKey, Terms},
    creds::Creds,
    mint::Mint,
    nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
};
use serde_json::{Value, json};

use super::libraries::NATS_JWT;

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn account_key(pair: &KeyPair) -> AccountKey {
    AccountKey::try_from(*pair.public_key()).unwrap()
}

/// One token of each kind, and a credentials file.
async fn mint() -> (Vec<String>, Creds, AccountKey) {
    let now = SystemClock.now();
    let (operator, user) = (pair(Role::Operator), pair(Role::User));
    let [account, scoped, importer] = std::array::from_fn(|_| pair(Role::Account));
    let operator_key = OperatorKey::try_from(*operator.public_key()).unwrap();
    let mut terms = Terms::default();
    terms.permissions = Permissions::default().publish(["a.*"]).subscribe(["b.>"]);
    let mut claims = Account::default();
    claims.signing_keys = vec![SigningKey::scoped(account_key(&scoped), "own", terms.clone())];
    claims.exports = vec![Export::new(ExportKind::Service, "orders.>").with_activation()];
    claims.revocations.revoke(UserKey::try_from(*user.public_key()).unwrap(), now);
    let user_key = UserKey::try_from(*user.public_key()).unwrap();
    // Without letters beyond ASCII, which the library reads as Latin-1.
    let draft = Mint::user(user_key, "alice <&>").terms(terms).expires_in(Duration::from_secs(60));
    let user_token = draft.sign(&account, now).await.unwrap().into_string();
    let activation = Activation::new(ExportKind::Service, "orders.>");
    let tokens = vec![
        Mint::operator(operator_key, "op", Operator::default()).sign(&operator, now).await.unwrap().into_string(),
        Mint::account(account_key(&account), "acct", claims).sign(&operator, now).await.unwrap().into_string(),
        Mint::activation(account_key(&importer), "orders", activation).sign(&account, now).await.unwrap().into_string(),
        Mint::scoped_user(user_key, "bob", account_key(&account)).sign(&scoped, now).await.unwrap().into_string(),
        user_token.clone(),
    ];
    (tokens, Creds::new(user_token, user).unwrap(), account_key(&account))
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn the_javascript_library_reads_our_tokens_and_no_altered_ones() {
    let (tokens, ..) = mint().await;
    let altered = |token: &String| {
        let (head, signature) = token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        signature[7] ^= 1;
        format!("{head}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let all: Vec<_> = tokens.iter().cloned().chain(tokens.iter().map(altered)).collect();
    let questions = all.iter().map(|token| json!({ "decode": token })).collect();
    let Some(answers) = NATS_JWT.ask::<Value>(questions).await else { return };
    for (at, (token, answer)) in all.iter().zip(answers).enumerate() {
        let expected = (at < tokens.len()).then(|| claims(token));
        assert_eq!(answer.get("claims"), expected.as_ref(), "{answer}");
    }
}

#[tokio::test]
async fn the_javascript_library_reads_our_creds() {
    let (_, creds, account) = mint().await;
    let Some(answers) = NATS_JWT.ask::<Value>(vec![json!({ "creds": *creds.format() })]).await else { return };
    assert_eq!(answers[0]["creds"]["aid"], account.as_str(), "{}", answers[0]);
    assert_eq!(answers[0]["creds"]["jwt"], creds.token());
}
