//! Many tenants: how many of their sources fetch at once, and what becomes of those that are replaced.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
};

use portcullis_core::{Admission, AuthError, Code, Issuers, JwtAuthenticator, TrustedIssuer, Verified, issuers::Allow};
use portcullis_jwks::TenantKeys;
use portcullis_test::{MockIssuer, provider::ScriptedProvider};
use support::MINUTE;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::watch,
    task::JoinSet,
    time::sleep,
};

const AUDIENCE: &str = "https://service.test";

/// The names that an attacker invents.
const INVENTED: usize = 300;

// ---- a server of many issuers, which counts

/// How many requests the server has, has had at most, and has had altogether.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    now: usize,
    most: usize,
    total: usize,
}

/// Serves the keys of one issuer under many names, `http://127.0.0.1:PORT/NAME`. Names that begin with `invented-` are answered, with 404, only once the gate
/// is open.
struct Server {
    base: String,
    signer: MockIssuer,
    load: watch::Sender<Load>,
    is_open: watch::Sender<bool>,
    _task: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (signer, load, is_open) = (MockIssuer::new(), watch::Sender::<Load>::default(), watch::Sender::new(false));
        let of = (base.clone(), signer.clone(), load.clone(), is_open.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                let (base, signer, load, is_open) = of.clone();
                connections.spawn(async move {
                    load.send_modify(|load| {
                        load.now += 1;
                        load.most = load.most.max(load.now);
                        load.total += 1;
                    });
                    // An error means that the client went away.
                    let _ = serve(connection, &base, &signer, &is_open).await;
                    load.send_modify(|load| load.now -= 1);
                });
            }
        });
        Self { base, signer, load, is_open, _task: task }
    }

    fn tenant(&self, name: &str) -> MockIssuer {
        self.signer.clone().named(format!("{}/{name}", self.base))
    }

    /// Waits until the server's load is like that.
    async fn load(&self, is_so: impl Fn(&Load) -> bool) -> Load {
        *self.load.subscribe().wait_for(is_so).await.unwrap()
    }

    /// A service that lets every name of this server in.
    fn service(&self) -> Arc<Admission> {
        let (base, tenants, issuers) = (self.base.clone(), TenantKeys::new(), Issuers::default());
        let rule = Allow::when(move |issuer| issuer.starts_with(&base));
        let resolver = move |issuer: String| {
            let keys = tenants.discover(&*issuer);
            async move { Ok(Some(TrustedIssuer::new(issuer, keys?).audience(AUDIENCE))) }
        };
        issuers.on_unknown(rule, resolver).unwrap();
        Arc::new(Admission::new(JwtAuthenticator::issuers(issuers)))
    }
}

async fn serve(
    mut connection: TcpStream,
    base: &str,
    signer: &MockIssuer,
    is_open: &watch::Sender<bool>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await?);
    }
    let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    if path.contains("/invented-") {
        let mut is_open = is_open.subscribe();
        // The client may go away before.
        tokio::select! {
            _ = is_open.wait_for(|is_open| *is_open) => {}
            _ = connection.read_u8() => return Ok(()),
        }
        return connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    }
    let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let body = if path.contains("/.well-known/") {
        format!(r#"{{"issuer":"{base}/{name}","jwks_uri":"{base}/{name}/keys"}}"#)
    } else {
        signer.jwks()
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    connection.write_all(format!("{head}{body}").as_bytes()).await
}

async fn present(service: Arc<Admission>, token: String) -> Result<Verified, AuthError> {
    service.verify(&token).outcome().await
}

/// Presents a forged token of each invented name. All have asked for their keys when this returns.
async fn flood(server: &Server, service: &Arc<Admission>) -> JoinSet<Result<Verified, AuthError>> {
    let (forger, mut requests) = (MockIssuer::new(), JoinSet::new());
    for number in 0..INVENTED {
        let token = forger.clone().named(format!("{}/invented-{number}", server.base)).token().sign();
        let mut request = Box::pin(present(Arc::clone(service), token));
        assert!(poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await.is_pending());
        requests.spawn(request);
    }
    requests
}

#[tokio::test]
async fn invented_names_are_fetched_at_most_32_at_once() {
    let server = Server::start().await;
    let service = server.service();
    let requests = flood(&server, &service).await;
    server.load(|load| load.now == 32).await;
    server.is_open.send_replace(true);
    // Each is looked for at two places.
    let load = server.load(|load| load.now == 0 && load.total == 2 * INVENTED).await;
    assert_eq!(load.most, 32, "{load:?}");
    for outcome in requests.join_all().await {
        assert_eq!(outcome.unwrap_err().code(), Code::KeysUnavailable);
    }
}

#[tokio::test]
async fn invented_names_do_not_hold_up_a_tenant_that_is_in_use() {
    let server = Server::start().await;
    let service = server.service();
    let tenant = server.tenant("acme");
    assert!(present(Arc::clone(&service), tenant.token().sign()).await.is_ok());

    let requests = flood(&server, &service).await;
    server.load(|load| load.now == 32).await;
    server.signer.rotate();
    let rotated = present(Arc::clone(&service), tenant.token().sign()).await;
    assert!(rotated.is_ok(), "its new key is fetched while all of them wait: {rotated:?}");
    drop(requests);
}

// ---- sources that are replaced

/// A service whose resolver gives a key source of `keys_of` each time that it is asked, and its provider.
fn service_with(
    keys_of: impl Fn(&ScriptedProvider) -> TenantKeys + Send + Sync + 'static,
) -> (ScriptedProvider, Issuers, Admission) {
    let (provider, issuers) = (ScriptedProvider::new(), Issuers::default());
    let of = provider.clone();
    let resolver = move |issuer: String| {
        let keys = keys_of(&of).from_url("https://idp.test/jwks.json");
        async move { Ok(Some(TrustedIssuer::new(issuer, keys?).audience(AUDIENCE))) }
    };
    issuers.on_unknown(Allow::when(|_| true), resolver).unwrap();
    let admission = Admission::new(JwtAuthenticator::issuers(issuers.clone())).clock(provider.clock());
    (provider, issuers, admission)
}

fn tenant_keys(provider: &ScriptedProvider) -> TenantKeys {
    let (fetch, clock) = (provider.clone(), provider.clock());
    TenantKeys::new().keys(move |keys| keys.fetch(fetch.clone()).clock(clock.clone()))
}

async fn accepts(provider: &ScriptedProvider, admission: &Admission, name: &str) -> bool {
    let issuer = provider.issuer().clone().named(name);
    admission.verify(&issuer.token().sign()).outcome().await.is_ok()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Lets the tasks end that were told to.
async fn settled() -> usize {
    sleep(MINUTE).await;
    tasks()
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_makes_a_new_source_each_time_fetches_each_time_and_leaks_no_task() {
    let (provider, issuers, admission) = service_with(tenant_keys);
    let before = tasks();
    assert!(accepts(&provider, &admission, "https://acme.test").await);
    let with_one = settled().await;
    for _ in 0..200 {
        sleep(10 * MINUTE).await;
        // One asks the resolver again, and the other one uses what it gave.
        assert!(accepts(&provider, &admission, "https://acme.test").await);
        assert!(accepts(&provider, &admission, "https://acme.test").await);
    }
    assert_eq!(settled().await, with_one);
    assert!(provider.key_set_fetches() > 200, "each new source fetches");

    for number in 0..3_000 {
        assert!(accepts(&provider, &admission, &format!("https://tenant-{number}.test")).await);
    }
    assert!(settled().await <= before + 1_001 * (with_one - before), "no more than there are learned issuers");
    issuers.retain(|_| false);
    assert_eq!(settled().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_returns_the_same_source_keeps_its_keys() {
    let shared = std::sync::OnceLock::new();
    let (provider, _issuers, admission) =
        service_with(move |provider| shared.get_or_init(|| tenant_keys(provider)).clone());
    provider.cache_control("max-age=86400");
    for _ in 0..20 {
        assert!(accepts(&provider, &admission, "https://acme.test").await);
        assert!(accepts(&provider, &admission, "https://acme.test").await);
        sleep(10 * MINUTE).await;
    }
    assert_eq!(provider.key_set_fetches(), 1);
    let with_one = settled().await;
    for number in 0..100 {
        assert!(accepts(&provider, &admission, &format!("https://tenant-{number}.test")).await);
    }
    assert_eq!(settled().await, with_one, "one URL has one source, whatever the names of its issuers");
}
