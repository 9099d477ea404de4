//! A service with tenants: each has its own issuer, and signs up and leaves while requests run.
//!
//! ```text
//! cargo run --example tenants
//! ```
//!
//! The service knows no tenant when it starts. It asks its directory when a token of an unknown issuer arrives, and fetches that issuer's keys.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header::AUTHORIZATION},
    routing::get,
};
use portcullis::{
    AuthLayer, Claims, JwtAuthenticator, TrustedIssuer,
    clock::SystemClock,
    issuers::{Allow, Issuers},
    keys::TenantKeys,
};
use portcullis_test::{
    MockIssuer,
    provider::{ScriptedProvider, ScriptedProviderServer},
};
use tokio::task::JoinSet;
use tower_service::Service;

type Failure = Box<dyn Error + Send + Sync>;

const TENANTS: usize = 50;
const ROUNDS: usize = 5;

/// The tenants of the moment: by the name of its issuer, the audience of its tokens. A real service has a database.
#[derive(Clone, Default)]
struct Directory(Arc<Mutex<HashMap<String, String>>>);

impl Directory {
    fn sign_up(&self, issuer: &MockIssuer) {
        let audience = MockIssuer::DEFAULT_AUDIENCE.to_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(issuer.name().to_owned(), audience);
    }

    fn leave(&self, issuer: &MockIssuer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(issuer.name());
    }

    async fn audience_of(&self, issuer: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned()
    }
}

#[derive(Clone)]
struct App {
    router: Router,
    issuers: Issuers,
    directory: Directory,
}

impl App {
    fn new() -> Result<Self, Failure> {
        let (issuers, directory) = (Issuers::new([])?, Directory::default());
        // One for the whole service: its sources share a client, and take turns if many have to fetch at once.
        let keys = TenantKeys::new();
        // The rule decides without waiting, so a token that names any other issuer costs nothing. A real one is `Allow::suffix(".tenants.example.com")?`.
        let rule = Allow::when(|issuer| issuer.starts_with("http://127.0.0.1:"));
        let tenants = directory.clone();
        issuers.on_unknown(rule, move |issuer: String| {
            let (tenants, keys) = (tenants.clone(), keys.clone());
            async move {
                let Some(audience) = tenants.audience_of(&issuer).await else { return Ok(None) };
                let keys = keys.discover(&*issuer)?; // the same source each time
                Ok(Some(TrustedIssuer::new(issuer, keys).audience(audience)))
            }
        })?;
        let auth = AuthLayer::new(JwtAuthenticator::issuers(issuers.clone()));
        let router = Router::new().route("/me", get(me)).layer(auth);
        Ok(Self { router, issuers, directory })
    }

    fn sign_up(&self, issuer: &MockIssuer) {
        self.directory.sign_up(issuer);
        self.issuers.remove(issuer.name()); // forget "no such tenant", which is remembered for a minute
    }

    fn leave(&self, issuer: &MockIssuer) {
        self.directory.leave(issuer); // first: the next token asks the directory
        self.issuers.remove(issuer.name()); // at once, and not within ten minutes
    }

    async fn status(&mut self, token: &str) -> Result<StatusCode, Failure> {
        let request = Request::get("/me").header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty())?;
        Ok(self.router.call(request).await?.status())
    }

    /// Checks what a token's answer is.
    async fn expect(&mut self, token: &str, expected: StatusCode) -> Result<StatusCode, Failure> {
        let status = self.status(token).await?;
        if status == expected { Ok(status) } else { Err(format!("the answer is {status}, not {expected}").into()) }
    }
}

async fn me(claims: Claims) -> String {
    format!("you are {} at {}\n", claims.subject().unwrap_or("unknown"), claims.issuer())
}

/// A tenant with its own identity provider, on a port of this machine.
struct Tenant {
    server: ScriptedProviderServer,
    issuer: MockIssuer,
}

impl Tenant {
    async fn start() -> Self {
        let server = ScriptedProvider::new().serve().await;
        let issuer = server.provider().issuer().clone().clock(SystemClock);
        Self { server, issuer }
    }

    /// How often its keys were fetched.
    fn fetches(&self) -> usize {
        self.server.provider().key_set_fetches()
    }
}

/// One tenant, step by step.
async fn tour(app: &mut App) -> Result<(), Failure> {
    let tenant = Tenant::start().await;
    let acme = &tenant.issuer;
    let forger = MockIssuer::new().named(acme.name());
    let [token, other] = ["alice", "bob"].map(|user| acme.token().subject(user).sign());
    let forged = forger.token().subject("alice").sign();
    let (ok, unauthorized) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    let show = |status: StatusCode, what: &str| {
        println!("  {}      {}        {what}", status.as_u16(), tenant.fetches());
    };

    println!("Acme has an issuer of its own, {}\n", acme.name());
    println!("  status   fetches  the request has");
    show(
        app.expect(&token, unauthorized).await?,
        "a token of Acme, before Acme has signed up: the directory does not know its issuer",
    );
    app.sign_up(acme);
    show(
        app.expect(&token, ok).await?,
        "the same token, after that: the directory knows the issuer, and its keys are fetched",
    );
    show(app.expect(&token, ok).await?, "the same token again: it is remembered");
    show(app.expect(&other, ok).await?, "a token of another user: it is verified with the keys from before");
    show(
        app.expect(&forged, unauthorized).await?,
        "a forged token: there may be a new key, so the keys are fetched again, once in five minutes",
    );
    show(app.expect(&forged, unauthorized).await?, "the forged token again: it is refused without a fetch");
    app.leave(acme);
    show(
        app.expect(&token, unauthorized).await?,
        "the first token, after Acme has left: it is not remembered any more",
    );
    Ok(())
}

/// A tenant signs up, works, and leaves, again and again. Returns how many requests were answered, and how often its keys were fetched.
async fn come_and_go(mut app: App) -> Result<(usize, usize), Failure> {
    let tenant = Tenant::start().await;
    let token = tenant.issuer.token().subject("alice").sign();
    let mut requests = 0;
    for _ in 0..ROUNDS {
        app.sign_up(&tenant.issuer);
        for _ in 0..4 {
            app.expect(&token, StatusCode::OK).await?;
        }
        app.leave(&tenant.issuer);
        app.expect(&token, StatusCode::UNAUTHORIZED).await?;
        requests += 5;
        tokio::task::yield_now().await;
    }
    Ok((requests, tenant.fetches()))
}

/// A tenant that stays, until it is refused.
async fn stay(mut app: App, tenant: Arc<Tenant>, answered: Arc<Mutex<usize>>) -> Failure {
    for number in 0_usize.. {
        let token = tenant.issuer.token().subject(&format!("user-{}", number % 10));
        let token = token.expires_in(Duration::from_secs(60)).sign();
        if let Err(error) = app.expect(&token, StatusCode::OK).await {
            return error;
        }
        *answered.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        tokio::task::yield_now().await;
    }
    "there are no more numbers".into()
}

/// What has happened while tenants came and went.
#[derive(Debug, Default)]
struct Report {
    requests: usize,
    fetches: usize,
    requests_of_the_one_that_stays: usize,
    fetches_of_the_one_that_stays: usize,
}

async fn bustle(app: &App) -> Result<Report, Failure> {
    let permanent = Arc::new(Tenant::start().await);
    app.sign_up(&permanent.issuer);
    let (mut staying, mut tenants, answered) = (JoinSet::new(), JoinSet::new(), Arc::default());
    staying.spawn(stay(app.clone(), Arc::clone(&permanent), Arc::clone(&answered)));
    (0..TENANTS).for_each(|_| drop(tenants.spawn(come_and_go(app.clone()))));
    let mut report = Report::default();
    loop {
        tokio::select! {
            // It ends only by a failure.
            failed = staying.join_next() => return Err(format!("a tenant that stays was refused: {failed:?}").into()),
            done = tenants.join_next() => {
                let Some(done) = done else { break };
                let (requests, fetches) = done??;
                report.requests += requests;
                report.fetches += fetches;
            },
        }
    }
    staying.shutdown().await;
    report.requests_of_the_one_that_stays = *answered.lock().unwrap_or_else(PoisonError::into_inner);
    report.fetches_of_the_one_that_stays = permanent.fetches();
    Ok(report)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut app = App::new()?;
    tour(&mut app).await?;
    let report = bustle(&app).await?;
    println!("\n{TENANTS} tenants signed up and left, {ROUNDS} times each, while one stayed:");
    println!(
        "  {} requests of those that came and went: each was answered by the directory of its moment",
        report.requests
    );
    println!("  {} fetches of their keys: at most one for each time that one of them signed up", report.fetches);
    println!("  {} requests of the one that stayed: none was refused", report.requests_of_the_one_that_stays);
    println!("  {} fetch of its keys", report.fetches_of_the_one_that_stays);
    println!("  learned issuers at the end: {:?}", app.issuers.learned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn fifty_tenants_come_and_go_while_requests_run() {
        let mut app = App::new().unwrap();
        tour(&mut app).await.unwrap();
        let report = bustle(&app).await.unwrap();
        assert_eq!(report.requests, TENANTS * ROUNDS * 5);
        // Keys that another request still looks at are not fetched again.
        assert!((TENANTS..=TENANTS * ROUNDS).contains(&report.fetches), "{report:?}");
        assert_eq!(report.fetches_of_the_one_that_stays, 1);
        assert!(report.requests_of_the_one_that_stays > 0);
        assert_eq!(app.issuers.learned().len(), 1);
    }
}
