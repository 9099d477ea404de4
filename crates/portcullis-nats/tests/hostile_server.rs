//! A server that sends what a proof signs as its nonce: real clients return no signature that is a proof. (nats-http.md, pitfall 3.)
#![cfg(feature = "mint")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic, and says what was signed"
)]

#[path = "support/nats_py.rs"]
mod nats_py;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use portcullis_core::{Algorithm, Clock, clock::SystemClock};
use portcullis_nats::{
    creds::Creds,
    mint::Mint,
    nkey::{KeyPair, Role, UserKey},
    proof::Signed,
};
use serde_json::Value;

use nats_py::NatsPy;

async fn creds() -> Creds {
    let [account, user] = [Role::Account, Role::User].map(|role| KeyPair::generate(role).unwrap());
    let draft = Mint::user(UserKey::try_from(*user.public_key()).unwrap(), "alice");
    let token = draft.sign(&account, SystemClock.now()).await.unwrap();
    Creds::new(token.into_string(), user).unwrap()
}

/// What the user would sign for a request.
fn octets(creds: &Creds) -> Vec<u8> {
    let signed = Signed::new("https://api.example.com", "GET", "/", SystemClock.now(), "AAAAAAAAAAAAAAAAAAAAAA");
    signed.with_nonce("bm9uY2U").octets(creds.token())
}

/// The ways to write these octets into the JSON text of a greeting.
fn forms(octets: &[u8]) -> [(&'static str, Vec<u8>); 6] {
    let escaped =
        |octets: &[u8]| octets.iter().flat_map(|octet| format!("\\u{octet:04x}").into_bytes()).collect::<Vec<_>>();
    let with_nul = octets.iter().flat_map(|octet| if *octet == 0 { vec![0] } else { escaped(&[*octet]) }).collect();
    let first_nul = octets.iter().position(|octet| *octet == 0).unwrap();
    let in_latin = |octet: &u8| match char::from(*octet) {
        ' '..='!' | '#'..='[' | ']'.. => char::from(*octet).to_string().into_bytes(),
        _ => escaped(&[*octet]),
    };
    let latin = octets.iter().flat_map(in_latin).collect();
    [
        ("as they are", octets.to_vec()),
        ("with escapes", escaped(octets)),
        ("with NUL as it is", with_nul),
        ("up to the first NUL", octets[..first_nul].to_vec()),
        ("in Latin-1", latin),
        ("in base64", STANDARD.encode(octets).into_bytes()),
    ]
}

/// A server that sends this text as its nonce to one client. Returns the signature that the client sends back.
struct Hostile {
    port: u16,
    thread: JoinHandle<Option<String>>,
}

impl Hostile {
    fn start(nonce: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let greeting = format!(
            r#"INFO {{"server_id":"N","server_name":"n","version":"2.15.0","proto":1,"go":"go","host":"127.0.0.1","port":{port},"headers":true,"auth_required":true,"max_payload":1048576,"nonce":""#
        );
        let greeting = [greeting.as_bytes(), nonce, b"\"}\r\n"].concat();
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream.write_all(&greeting).unwrap();
            let lines = BufReader::new(stream).lines().map_while(Result::ok);
            let connect = lines.into_iter().find_map(|line| line.strip_prefix("CONNECT ").map(str::to_owned))?;
            serde_json::from_str::<Value>(&connect).unwrap()["sig"].as_str().map(str::to_owned)
        });
        Self { port, thread }
    }

    fn signature(self) -> Option<String> {
        self.thread.join().unwrap()
    }
}

fn is_signed(creds: &Creds, message: &[u8], signature: &str) -> bool {
    let text = signature.trim_end_matches('=');
    let signature = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).unwrap();
    let key = creds.key().public_key().verifying_key().unwrap();
    key.check_signature(Algorithm::EdDsa, message, &signature)
}

/// Has a client log in to a server for each form. Three of them at least are text, which the client signs, but not as a proof.
async fn require_no_proof(client: impl AsyncFn(u16, &Creds)) {
    let creds = creds().await;
    let usual = Hostile::start(b"q8Vn0cT2bW4yLxk");
    client(usual.port, &creds).await;
    let signature = usual.signature().expect("the client signs an ordinary nonce");
    assert!(is_signed(&creds, b"q8Vn0cT2bW4yLxk", &signature));
    let octets = octets(&creds);
    let mut signed = Vec::new();
    for (form, nonce) in forms(&octets) {
        let hostile = Hostile::start(&nonce);
        client(hostile.port, &creds).await;
        let Some(signature) = hostile.signature() else { continue };
        signed.push(form);
        assert!(!is_signed(&creds, &octets, &signature), "{form}: the signature is a proof");
    }
    println!("signed, but as another text: {signed:?}");
    assert!(signed.len() >= 3, "the forms that are text are signed: {signed:?}");
}

#[tokio::test]
async fn async_nats_signs_no_proof_for_a_hostile_server() {
    require_no_proof(async |port, creds| {
        let options = async_nats::ConnectOptions::with_credentials(&creds.format()).unwrap();
        let options = options.connection_timeout(Duration::from_secs(5));
        assert!(options.connect(format!("nats://127.0.0.1:{port}")).await.is_err(), "the server hangs up");
    })
    .await;
}

#[tokio::test]
async fn nats_py_signs_no_proof_for_a_hostile_server() {
    if NatsPy::is_missing() {
        return;
    }
    require_no_proof(async |port, creds| {
        // It takes the connection for accepted, and notices only then that the server hangs up.
        drop(NatsPy::connect(port, creds));
    })
    .await;
}
