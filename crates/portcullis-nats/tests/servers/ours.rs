//! What we mint.

use std::time::Duration;

use futures_util::StreamExt;
use portcullis_core::{Clock, UnixTime, clock::SystemClock};
use portcullis_nats::{
    claims::{Account, Export, ExportKind, Import, Operator, Permissions, SigningKey, Terms},
    creds::Creds,
    mint::{AccountEdit, Mint},
    nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
    server_config::ServerConfig,
    token::Token,
};
use real_servers::{NatsProgram, NatsServer};

use crate::{programs, raw::Raw};

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn account_key(pair: &KeyPair) -> AccountKey {
    AccountKey::try_from(*pair.public_key()).unwrap()
}

/// An account with this signing key.
fn with_key(key: &KeyPair) -> Account {
    let mut account = Account::default();
    account.signing_keys = vec![SigningKey::new(account_key(key))];
    account
}

/// A strict operator with a signing key; two accounts with a service between them, and one for the servers.
pub(crate) struct World {
    operator: String,
    pub(crate) operator_signing: KeyPair,
    /// Exports a service; its users are signed by a plain and a scoped signing key.
    pub(crate) orders: String,
    orders_key: KeyPair,
    plain: KeyPair,
    pub(crate) scoped: KeyPair,
    /// Imports it.
    shop: String,
    shop_signing: KeyPair,
    shop_key: KeyPair,
    system: String,
    system_key: KeyPair,
    system_signing: KeyPair,
    pub(crate) now: UnixTime,
}

impl World {
    pub(crate) async fn new() -> Self {
        let now = SystemClock.now();
        let (own, operator_signing) = (pair(Role::Operator), pair(Role::Operator));
        let [orders_key, plain, scoped, shop_key, shop_signing, system_key, system_signing] =
            std::array::from_fn(|_| pair(Role::Account));
        let operator_key = |pair: &KeyPair| OperatorKey::try_from(*pair.public_key()).unwrap();
        let mut claims = Operator::default();
        claims.signing_keys = vec![operator_key(&operator_signing)];
        claims.strict_signing_key_usage = true;
        claims.system_account = Some(account_key(&system_key));
        let operator = Mint::operator(operator_key(&own), "acme", claims).sign(&own, now).await.unwrap();

        let mut terms = Terms::default();
        terms.permissions = Permissions::default().publish(["own.{{name()}}.>"]).subscribe(["own.{{name()}}.>"]);
        let mut orders = with_key(&plain);
        orders.signing_keys.push(SigningKey::scoped(account_key(&scoped), "own", terms));
        orders.exports = vec![Export::new(ExportKind::Service, "orders.*.read")];
        let mut shop = with_key(&shop_signing);
        shop.imports = vec![Import::new(ExportKind::Service, account_key(&orders_key), "orders.1.read")];
        let sign = async |key: &KeyPair, name: &str, claims: Account| {
            let draft = Mint::account(account_key(key), name, claims).under(operator.token());
            draft.sign(&operator_signing, now).await.unwrap().into_string()
        };
        Self {
            orders: sign(&orders_key, "orders", orders).await,
            shop: sign(&shop_key, "shop", shop).await,
            system: sign(&system_key, "SYS", with_key(&system_signing)).await,
            operator: operator.into_string(),
            operator_signing,
            orders_key,
            plain,
            scoped,
            shop_signing,
            shop_key,
            system_key,
            system_signing,
            now,
        }
    }

    pub(crate) fn config(&self) -> ServerConfig {
        [&self.orders, &self.shop, &self.system]
            .into_iter()
            .fold(ServerConfig::new(&self.operator).unwrap(), |config, account| {
                config.account(account, self.now).unwrap()
            })
    }

    /// A user whom this key of this account signs.
    async fn user(&self, account: &KeyPair, signer: &KeyPair, terms: Terms) -> Creds {
        let key = pair(Role::User);
        let draft =
            Mint::user(UserKey::try_from(*key.public_key()).unwrap(), "alice").terms(terms).of(account_key(account));
        let user = draft.expires_in(Duration::from_secs(3600)).sign(signer, self.now).await.unwrap();
        Creds::new(user.into_string(), key).unwrap()
    }

    pub(crate) async fn scoped_user(&self, name: &str) -> Creds {
        let key = pair(Role::User);
        let draft =
            Mint::scoped_user(UserKey::try_from(*key.public_key()).unwrap(), name, account_key(&self.orders_key));
        let draft = draft.within(&Token::read(&self.orders).unwrap());
        Creds::new(draft.sign(&self.scoped, self.now).await.unwrap().into_string(), key).unwrap()
    }

    pub(crate) async fn reader(&self) -> Creds {
        self.user(&self.orders_key, &self.plain, Terms::default()).await
    }
}

pub(crate) async fn connect(
    server: &NatsServer,
    creds: &Creds,
) -> Result<async_nats::Client, async_nats::ConnectError> {
    async_nats::ConnectOptions::with_credentials(&creds.format()).unwrap().connect(server.url()).await
}

/// Logs in by hand. Returns what the server has against it.
pub(crate) fn log_in(server: &NatsServer, creds: &Creds) -> Result<Raw, String> {
    let mut raw = Raw::open(server.port());
    let signature = {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(creds.key().sign(raw.nonce().as_bytes()))
    };
    raw.connect(creds.token(), Some(&signature)).map(|()| raw)
}

#[tokio::test]
async fn clients_with_our_creds_publish_and_subscribe_across_accounts() {
    let world = World::new().await;
    for program in programs() {
        let server = program.start_with(&world.config().memory().unwrap());
        let service = connect(&server, &world.reader().await).await.unwrap();
        let mut requests = service.subscribe("orders.*.read").await.unwrap();
        service.flush().await.unwrap();
        let shop =
            connect(&server, &world.user(&world.shop_key, &world.shop_signing, Terms::default()).await).await.unwrap();
        let answering = async {
            let request = requests.next().await.unwrap();
            service.publish(request.reply.unwrap(), "42".into()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(shop.request("orders.1.read", "".into()), answering);
        assert_eq!(answer.unwrap().payload, "42");
    }
}

#[tokio::test]
async fn a_scope_says_what_its_users_may_do() {
    let world = World::new().await;
    for program in programs() {
        let server = program.start_with(&world.config().memory().unwrap());
        let mut raw = log_in(&server, &world.scoped_user("alice").await).unwrap();
        assert_eq!(raw.send("PUB own.alice.x 0\r\n\r\nSUB own.alice.> 1\r\n"), Ok(()));
        assert!(raw.send("PUB own.bob.x 0\r\n\r\n").unwrap_err().contains("Permissions Violation"));
        assert!(raw.send("SUB own.> 2\r\n").unwrap_err().contains("Permissions Violation"));
    }
}

#[tokio::test]
async fn users_whom_no_key_of_the_account_has_signed_are_refused() {
    let world = World::new().await;
    for program in programs() {
        let server = program.start_with(&world.config().memory().unwrap());
        // The operator is strict, so the account's own key does not sign; nor does a key of another account.
        for signer in [&world.orders_key, &world.shop_signing, &pair(Role::Account)] {
            let creds = world.user(&world.orders_key, signer, Terms::default()).await;
            assert!(log_in(&server, &creds).is_err_and(|error| error.contains("Authorization Violation")));
            assert!(connect(&server, &creds).await.is_err());
        }
        assert!(log_in(&server, &world.reader().await).is_ok());
    }
}

/// Gives a server that keeps accounts in a folder a new token of one.
pub(crate) async fn update(world: &World, server: &NatsServer, account: &str) {
    let creds = world.user(&world.system_key, &world.system_signing, Terms::default()).await;
    let client = connect(server, &creds).await.unwrap();
    let answer = client.request("$SYS.REQ.CLAIMS.UPDATE", account.to_owned().into()).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer["data"]["code"], 200, "{answer}");
}

/// Has a server that keeps accounts in a folder revoke a user of the account with the service.
pub(crate) async fn revoke(world: &World, server: &NatsServer, creds: &Creds) {
    let key = UserKey::try_from(*creds.key().public_key()).unwrap();
    let edit = AccountEdit::read(&world.orders).unwrap().revoke(key, world.now).unwrap();
    update(world, server, edit.sign(&world.operator_signing, world.now).await.unwrap().as_str()).await;
}

pub(crate) fn with_folder(world: &World, program: &NatsProgram) -> (NatsServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let accounts = folder.path().join("accounts");
    world.config().write_dir(&accounts).unwrap();
    (program.start_with(&world.config().full_directory(accounts.to_str().unwrap()).unwrap()), folder)
}

#[tokio::test]
async fn a_revoked_user_is_disconnected_and_another_one_is_not() {
    let world = World::new().await;
    for program in programs() {
        let (server, _folder) = with_folder(&world, &program);
        let (revoked, other) = (world.reader().await, world.reader().await);
        let mut revoked_connection = log_in(&server, &revoked).unwrap();
        let mut other_connection = log_in(&server, &other).unwrap();
        revoke(&world, &server, &revoked).await;
        assert!(revoked_connection.wait_for_end().contains("Authentication Revoked"));
        assert!(log_in(&server, &revoked).is_err());
        assert_eq!(other_connection.send("PUB a 0\r\n\r\n"), Ok(()));
        assert!(log_in(&server, &other).is_ok());
    }
}

#[tokio::test]
async fn a_removed_signing_key_and_a_locked_account_let_no_user_in() {
    let world = World::new().await;
    for program in programs() {
        let (server, _folder) = with_folder(&world, &program);
        let (plain, scoped) = (world.reader().await, world.scoped_user("alice").await);
        assert!(log_in(&server, &plain).is_ok() && log_in(&server, &scoped).is_ok());
        let edit = AccountEdit::read(&world.orders).unwrap().remove_signing_key(account_key(&world.plain)).unwrap();
        let without = edit.sign(&world.operator_signing, world.now).await.unwrap();
        update(&world, &server, without.as_str()).await;
        assert!(log_in(&server, &plain).is_err() && log_in(&server, &scoped).is_ok());
        let locked = AccountEdit::read(without.as_str()).unwrap().lock().unwrap();
        let locked = locked.sign(&world.operator_signing, world.now).await.unwrap();
        update(&world, &server, locked.as_str()).await;
        assert!(log_in(&server, &scoped).is_err());
    }
}
