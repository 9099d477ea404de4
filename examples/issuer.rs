//! An issuer of your own: it mints tokens, refreshes them, and publishes its key set.
//!
//! ```text
//! cargo run --example issuer
//! ```
//!
//! A second process verifies the tokens. It knows the specification and the URL of the key set, and no key.

use std::{
    env,
    error::Error,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Response, StatusCode, header::IF_NONE_MATCH},
    routing::get,
};
use portcullis::{Admission, Algorithm, JwtAuthenticator, RemoteKeys, policy::TokenSpec};
use portcullis_issuer::{
    TokenIssuer,
    documents::{KEY_SET_PATH, ServerMetadata},
    key_ring::{KeyRing, MemorySigningKeys, SealingKey},
    refresh::{DangerUncheckedSubjects, LogIn, MemoryRefreshStore, RefreshKeys, RefreshPolicy, Sessions},
};
use portcullis_store::{MemoryLog, Revocations};
use tokio::{net::TcpListener, task::JoinSet};

type Failure = Box<dyn Error + Send + Sync>;

const ISSUER: &str = "https://id.example.com/tenant1";
const SERVICE: &str = "https://orders.example.com";

/// What issuer and services agree on.
fn spec() -> TokenSpec {
    TokenSpec::new(ISSUER).audience(SERVICE)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match env::args().nth(1) {
        Some(url) => service(&url).await,
        None => issuer().await,
    }
}

/// The first process. It has the keys.
async fn issuer() -> Result<(), Failure> {
    // In production: a store that outlives the process (`FileSigningKeys`, for example), and 32 random bytes from the configuration.
    let ring = KeyRing::builder(MemorySigningKeys::new(), Algorithm::Es256, SealingKey::new([9; 32])?).start().await?;
    let (_server, url) = publish(ring.clone()).await?;
    let mut service = Service::start(&url)?;

    println!("1. Alice logs in, and her client gets an access token and a refresh token.");
    let store = MemoryRefreshStore::new(); // for tests: sessions end with this process
    let revocations = Revocations::builder(MemoryLog::new()).start()?;
    revocations.require(Duration::from_secs(10)).await?; // its view is complete: no session is refreshed by a stale one
    let sessions = sessions(TokenIssuer::new(spec(), ring.clone())?, &store, &revocations)?;
    let policy = RefreshPolicy::new();
    let first = sessions.log_in(LogIn::new("alice", "web").scope("orders:read"), &policy).await?;
    service.accepts("the access token", first.access().token())?;
    service.refuses("the same token with another signature", &forge(first.access().token()))?;

    println!("2. The client refreshes: the refresh token is replaced.");
    let second = sessions.refresh(first.refresh_token(), "web", &policy).await?;
    expect(second.refresh_token() != first.refresh_token(), "a new refresh token")?;
    service.accepts("the new access token", second.access().token())?;

    println!("3. The answer got lost, so the client presents the old refresh token again.");
    let again = sessions.refresh(first.refresh_token(), "web", &policy).await?;
    expect(again.refresh_token() == second.refresh_token(), "the same refresh token as before, byte for byte")?;
    service.accepts("the access token of the retry", again.access().token())?;

    println!("4. Bob's refresh token is stolen: the thief and Bob both use it, with a client that has no grace.");
    let strict = policy.grace(Duration::ZERO);
    let stolen = sessions.log_in(LogIn::new("bob", "web"), &strict).await?;
    let thief = sessions.refresh(stolen.refresh_token(), "web", &strict).await?;
    let error = sessions.refresh(stolen.refresh_token(), "web", &strict).await.err().ok_or("reuse was not noticed")?;
    println!("   Bob is told: {error}");
    expect(sessions.refresh(thief.refresh_token(), "web", &strict).await.is_err(), "the thief's token ends, too")?;

    println!("5. The signing key is to be replaced. The plan knows from when on every service has the next one.");
    let error = ring.rotate().await.err().ok_or("the plan let a key sign too early")?;
    println!("   The issuer is told: {error}");

    println!(
        "6. The signing key has leaked, so it is revoked. The key on standby, published from the beginning, signs at once."
    );
    let leaked = ring.document().active().ok_or("no key signs")?.id().to_owned();
    ring.revoke(&leaked, "it has leaked").await?;
    let third = sessions.refresh(second.refresh_token(), "web", &policy).await?;
    service.accepts("Alice's next access token", third.access().token())?;
    expect(ring.document().active().is_some_and(|key| key.id() != leaked), "another key")?;
    println!("\n{}", ring.timeline());

    service.stop()?;
    let path = &ServerMetadata::of(&spec()).paths()?[0];
    println!("Try next: serve the metadata at {path}, too, keep the keys in a file");
    println!("(`FileSigningKeys`) or sign with a key management service (`Signer`), and ask your database");
    println!("at each refresh (`Subjects`).");
    Ok(())
}

/// Sessions in this store, whose access tokens this issuer mints.
fn sessions(
    issuer: TokenIssuer,
    store: &MemoryRefreshStore,
    revocations: &Revocations,
) -> Result<Sessions<MemoryRefreshStore, Revocations, DangerUncheckedSubjects>, Failure> {
    let keys = RefreshKeys::new(1, [7; 32])?; // in production: 32 random bytes, the same on every instance
    Ok(Sessions::new(issuer, store.clone(), keys, revocations.clone(), DangerUncheckedSubjects))
}

/// Serves the key set of the ring on a free port, until the set of tasks is dropped. Returns its URL.
async fn publish(ring: KeyRing) -> Result<(JoinSet<()>, String), Failure> {
    let answer = move |headers: HeaderMap| async move {
        // Without a key set, services go on with the one that they have.
        let unavailable = || Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).body(Body::empty());
        let Ok(Some(key_set)) = ring.published() else { return unavailable().unwrap_or_default() };
        let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let answer = key_set.answer(known);
        let response = Response::builder().status(answer.status());
        let response = answer.headers().fold(response, |response, (name, value)| response.header(name, value));
        response.body(Body::from(answer.body().to_owned())).unwrap_or_default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}{KEY_SET_PATH}", listener.local_addr()?);
    let app = Router::new().route(KEY_SET_PATH, get(answer));
    let mut server = JoinSet::new();
    server.spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            eprintln!("the key set is no longer served: {error}");
        }
    });
    Ok((server, url))
}

/// The second process: reads a token per line, and says whether it accepts it.
async fn service(key_set: &str) -> Result<(), Failure> {
    let keys = RemoteKeys::from_url(key_set).start()?;
    keys.require(Duration::from_secs(30)).await?;
    let admission = Admission::new(JwtAuthenticator::new(spec().trusted_at(SERVICE, keys)?)?);
    for token in std::io::stdin().lines() {
        match admission.verify(&token?).outcome().await {
            Ok(verified) => println!("accepted, sub is {}", verified.subject().unwrap_or("unknown")),
            Err(error) => println!("refused, {error}"),
        }
    }
    Ok(())
}

/// The second process, as the first one sees it.
struct Service {
    process: Child,
    tokens: ChildStdin,
    verdicts: BufReader<ChildStdout>,
}

impl Service {
    fn start(key_set: &str) -> Result<Self, Failure> {
        let mut command = Command::new(env::current_exe()?);
        let mut process = command.arg(key_set).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        println!("Process {} verifies tokens with the keys of {key_set}\n", process.id());
        let tokens = process.stdin.take().ok_or("no standard input")?;
        let verdicts = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        Ok(Self { process, tokens, verdicts })
    }

    fn accepts(&mut self, what: &str, token: &str) -> Result<(), Failure> {
        self.judge(what, token, "accepted")
    }

    fn refuses(&mut self, what: &str, token: &str) -> Result<(), Failure> {
        self.judge(what, token, "refused")
    }

    fn judge(&mut self, what: &str, token: &str, expected: &str) -> Result<(), Failure> {
        let mut verdict = String::new();
        // The other process asks this one for the key set meanwhile.
        tokio::task::block_in_place(|| {
            writeln!(self.tokens, "{token}")?;
            self.verdicts.read_line(&mut verdict)
        })?;
        println!("   the service, about {what}: {}", verdict.trim_end());
        expect(verdict.starts_with(expected), expected)
    }

    /// Ends the process, as its input ends.
    fn stop(self) -> Result<(), Failure> {
        let Self { mut process, tokens, .. } = self;
        drop(tokens);
        expect(process.wait()?.success(), "a service that ends without an error")
    }
}

/// Returns the token with another first character of its signature.
fn forge(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{other}{}", &signature[1..])
}

fn expect(is_so: bool, what: &str) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(format!("this should have been: {what}").into()) }
}
