//! A real nats-server in operator mode, with a full resolver and everything minted here.
#![allow(dead_code, reason = "each test uses a part of it")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_nats::{
    accounts::NatsAccounts,
    nkey::{AccountKey, KeyPair, Role},
};
use real_servers::{NatsProgram, NatsServer, ReservedPort, is_missing};
use serde_json::{Value, json};

/// An operator, its system account, and a server.
pub(crate) struct Kit {
    pub(crate) operator: KeyPair,
    system: KeyPair,
    pub(crate) server: NatsServer,
}

/// Two servers that are connected, and the ports for that.
pub(crate) struct Cluster {
    /// With the first server.
    pub(crate) kit: Kit,
    pub(crate) second: NatsServer,
    /// An account that only the first server has.
    pub(crate) account: AccountKey,
    _ports: [ReservedPort; 2],
}

impl Kit {
    /// `None` if there is no server that is new enough.
    pub(crate) fn start() -> Option<Self> {
        Self::start_as(|program, lines, _| program.start_with(lines))
    }

    /// A server that speaks only TLS. `None` if there is none that is new enough, or no `openssl`.
    pub(crate) fn start_with_tls() -> Option<Self> {
        if is_missing("openssl") { None } else { Self::start_as(|program, lines, _| program.start_with_tls_and(lines)) }
    }

    fn start_as(start: impl FnOnce(&NatsProgram, &str, &KeyPair) -> NatsServer) -> Option<Self> {
        let program = NatsProgram::recent()?;
        let (operator, system) = (generate(Role::Operator), generate(Role::Account));
        let operator_token =
            sign(&operator, operator.public_key().as_str(), &json!({"type": "operator", "version": 2}));
        let system_token = sign(&operator, system.public_key().as_str(), &account());
        let id = system.public_key();
        let lines = format!(
            "operator: {operator_token}\nsystem_account: {id}\nresolver_preload: {{ {id}: {system_token} }}\n\
             resolver: {{ type: full, dir: \"{{folder}}/accounts\", allow_delete: true, interval: \"2m\", timeout: \"1.9s\" }}\n"
        );
        let server = start(&program, &lines, &operator);
        Some(Self { operator, system, server })
    }

    /// The system account, which the server has from the start.
    pub(crate) fn system(&self) -> AccountKey {
        account_key(&self.system)
    }

    /// Credentials of a user of the system account.
    pub(crate) fn creds(&self) -> String {
        let user = generate(Role::User);
        let claims = json!({"type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1});
        let token = sign(&self.system, user.public_key().as_str(), &claims);
        format!(
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            user.seed().reveal()
        )
    }

    pub(crate) fn accounts(&self) -> NatsAccounts {
        NatsAccounts::new(&self.server.url()).unwrap().creds(self.creds())
    }

    /// Sends a request as `nsc push` does. Returns the answer.
    pub(crate) async fn request(&self, subject: &'static str, payload: String) -> Value {
        let options = async_nats::ConnectOptions::new().credentials(&self.creds()).unwrap();
        let client = options.connect(self.server.url()).await.unwrap();
        let answer = client.request(subject, payload.into()).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }

    pub(crate) async fn push(&self, token: &str) {
        let answer = self.request("$SYS.REQ.CLAIMS.UPDATE", token.to_owned()).await;
        assert!(answer.get("error").is_none(), "{answer}");
    }

    pub(crate) async fn delete(&self, id: &AccountKey) {
        let operator = self.operator.public_key().as_str();
        let claims = json!({"type": "generic", "version": 2, "accounts": [id.as_str()]});
        let answer = self.request("$SYS.REQ.CLAIMS.DELETE", sign(&self.operator, operator, &claims)).await;
        assert!(answer.get("error").is_none(), "{answer}");
    }

    /// The token of an account.
    pub(crate) fn account(&self, id: &AccountKey, issued_at: u64) -> String {
        sign_at(&self.operator, id.as_str(), &account(), issued_at)
    }
}

impl Cluster {
    /// `None` if there is no server that is new enough.
    pub(crate) fn start() -> Option<Self> {
        let (ports, account) = ([ReservedPort::new(), ReservedPort::new()], account_key(&generate(Role::Account)));
        let mut second = None;
        let kit = Kit::start_as(|program, lines, operator| {
            let [own, other] = ports.each_ref().map(ReservedPort::number);
            let lines_of = |own: u16, other: u16| {
                format!(
                    "{lines}cluster {{ name: test, listen: \"127.0.0.1:{own}\", routes: [\"nats://127.0.0.1:{other}\"] }}\n"
                )
            };
            second = Some(program.start_bare(&lines_of(other, own)));
            let token = sign(operator, account.as_str(), &self::account());
            let with_account = format!("resolver_preload: {{ {account}: {token}, ");
            program.start_bare(&lines_of(own, other).replace("resolver_preload: { ", &with_account))
        })?;
        Some(Self { kit, second: second?, account, _ports: ports })
    }
}

/// The token of a user whom this account has signed, which needs no proof.
pub(crate) fn bearer(account: &KeyPair) -> String {
    let user = generate(Role::User);
    let claims = json!({
        "type": "user", "version": 2, "bearer_token": true, "pub": {"allow": ["a"]}, "subs": -1, "data": -1, "payload": -1,
    });
    sign(account, user.public_key().as_str(), &claims)
}

fn account_key(pair: &KeyPair) -> AccountKey {
    AccountKey::try_from(*pair.public_key()).unwrap()
}

fn account() -> Value {
    json!({
        "type": "account", "version": 2, "default_permissions": {"pub": {}, "sub": {}},
        "limits": {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1},
    })
}

pub(crate) fn generate(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn sign(signer: &KeyPair, subject: &str, nats: &Value) -> String {
    sign_at(signer, subject, nats, 1_700_000_000)
}

fn sign_at(signer: &KeyPair, subject: &str, nats: &Value, issued_at: u64) -> String {
    let issuer = signer.public_key().as_str();
    let claims = json!({"jti": "TEST", "iat": issued_at, "iss": issuer, "sub": subject, "name": "test", "nats": nats});
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let input = format!("{header}.{}", encode(claims.to_string().as_bytes()));
    format!("{input}.{}", encode(&signer.sign(input.as_bytes())))
}
